"""A site of a notebook's own, with the real handler and middleware."""

import pytest
from django.urls import path

from asynclab.servers import Site


def test_views_run_behind_the_projects_middleware(run):
    said = run(
        """
        def echo(request):
            response = HttpResponse(f"{request.headers['x-request-id']} {request.GET['year']}")
            response["X-Shelf"] = "7"
            return response

        async def main():
            site = Site(path("echo/", echo))
            response = await site.get("/echo/?year=1847", x_request_id="r-1")
            print(response.status, response.text, response.headers["x-shelf"])
            print(response.headers["x-frame-options"])
            print((await site.get("/missing/")).status)

        await main()
        """
    )
    assert said == ["200 r-1 1847 7", "DENY", "404"]


def test_a_request_may_have_another_method_and_a_body(run):
    [said] = run(
        """
        from django.views.decorators.csrf import csrf_exempt

        @csrf_exempt
        def lend(request):
            return HttpResponse(f"{request.method} {request.POST['title']}")

        async def main():
            form = {"content_type": "application/x-www-form-urlencoded", "content_length": "14"}
            print((await Site(path("", lend)).send("POST", "/", b"title=Villette", **form)).text)

        await main()
        """
    )
    assert said == "POST Villette"


def test_each_request_has_a_worker_of_its_own(run):
    [said] = run(
        """
        async def main():
            site = Site(path("thread/", thread))
            responses = await asyncio.gather(*[site.get("/thread/") for _ in range(5)])
            print(len({response.text for response in responses}))

        await main()
        """
    )
    assert said == "5"


def test_a_streamed_body_comes_whole_and_an_error_is_a_response(run):
    said = run(
        """
        async def words():
            for word in ("Wuthering", " ", "Heights"):
                yield word

        async def stream(request):
            return StreamingHttpResponse(words())

        async def breaks(request):
            raise ValueError("line 7")

        async def main():
            site = Site(path("stream/", stream), path("breaks/", breaks))
            print((await site.get("/stream/")).text)
            response = await site.get("/breaks/")
            print(response.status, "ValueError" in response.text)

        await main()
        """
    )
    assert said == ["Wuthering Heights", "500 True"]


def test_a_site_may_have_an_error_page_of_its_own(run):
    said = run("""
        import sys
        from django.http import HttpResponse

        async def page(request):
            raise LookupError("no such book")

        def sync_page(request):
            raise LookupError("no such loan")

        def reason(request):
            return HttpResponse(str(sys.exception()), status=500)

        site = Site(path("", page), path("sync/", sync_page), handler500=reason)
        with override_settings(DEBUG=False):
            for url in ("/", "/sync/"):
                response = await site.get(url)
                print(response.status, response.text)
    """)
    assert said == ["500 no such book", "500 no such loan"]


def test_middleware_is_read_when_the_site_is_made(run):
    said = run(
        """
        async def main():
            with override_settings(MIDDLEWARE=[]):
                bare = Site(path("thread/", thread))
            for site in (bare, Site(path("thread/", thread))):
                print("x-frame-options" in (await site.get("/thread/")).headers)

        await main()
        """
    )
    assert said == ["False", "True"]


def test_what_the_handler_itself_raises_comes_at_once(run):
    [said] = run(
        """
        def returns_a_response(get_response):
            return lambda request: HttpResponse()

        returns_a_response.async_capable, returns_a_response.sync_capable = True, False

        async def main():
            with override_settings(MIDDLEWARE=["__main__.returns_a_response"]):
                site = Site(path("thread/", thread))
            try:
                async with asyncio.timeout(5):
                    await site.get("/thread/")
            except (TypeError, TimeoutError) as error:
                print(type(error).__name__)

        await main()
        """
    )
    assert said == "TypeError"


@pytest.mark.parametrize("patterns", [(), (print,), (path,)])
def test_a_site_without_a_url_says_how_to_write_one(patterns):
    with pytest.raises(TypeError, match=r'Site\(path\("books/", view\)\)'):
        Site(*patterns)
