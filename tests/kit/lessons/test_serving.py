"""A view behind Django's own handler, as checks serve one."""

import asyncio
import traceback
import warnings
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import path

from asynclab.exercises.book import NotYet, Raised, meaning_of
from asynclab.lessons.vocabulary.serving import (
    AT_ONCE,
    FROM_SHELF,
    NO_RESPONSE,
    PAGE,
    SECOND_TRY,
    cookie_of,
    old_cookies,
    read,
    require_async_view,
    require_whole_way_back,
    session_of,
    visit,
    way_back,
    wsgi_application_behind,
)
from tests.kit.recorder.conftest import library

__all__ = ["library"]


def sync_echo(request, **given):
    said = request.POST.get("title"), request.path
    return HttpResponse(f"{request.method} {said} {given}")


async def echo(request, *places, **given):
    user = await request.auser()
    return HttpResponse(f"{user.username} {places} {given}")


async def hands_on(request):
    return echo(request)


def text_of(view, **request):
    return asyncio.run(visit(view, **request)).text


def test_a_request_has_a_method_a_form_and_arguments(library):
    said = text_of(sync_echo, method="POST", form={"title": "Villette"}, pk=7)
    assert said == "POST ('Villette', '/page/') {'pk': 7}"
    assert text_of(echo, regex=r"^page/(\d+)/$", address=f"{PAGE}7/") == " ('7',) {}"


def test_a_form_without_its_token_is_refused(library, caplog):
    assert asyncio.run(visit(sync_echo, method="POST", token=False)).status == 403
    assert caplog.records == []


def test_a_view_may_stand_behind_other_middleware(library):
    def stamp(get_response):
        def middleware(request):
            response = get_response(request)
            response["X-Branch"] = request.headers["x-from"]
            return response

        return middleware

    frame = "django.middleware.clickjacking.XFrameOptionsMiddleware"
    request = {"middleware": [stamp, frame], "sent": {"x_from": "Whitby"}}
    page = asyncio.run(visit(sync_echo, **request))
    assert {"x-branch", "x-frame-options"} <= page.headers.keys()
    assert "set-cookie" not in page.headers
    assert page.headers["x-branch"] == "Whitby"


def test_middleware_may_stand_in_a_wsgi_application(library):
    def stamp(get_response):
        def middleware(request):
            response = get_response(request)
            response["X-Branch"] = "Delft"
            return response

        return middleware

    application = wsgi_application_behind([stamp], path("page/", sync_echo))
    environ, begun = {"PATH_INFO": "/page/"}, []
    setup_testing_defaults(environ)
    body = b"".join(
        application(environ, lambda *status_and_headers: begun.extend(status_and_headers))
    )
    assert (begun[0], dict(begun[1])["X-Branch"]) == ("200 OK", "Delft")
    assert body == b"GET (None, '/page/') {}"


def test_of_a_wrong_middleware_its_first_error_is_told(library):
    class Unmarked:
        async_capable, sync_capable = True, False

        def __init__(self, get_response):
            self.get_response = get_response

        async def __call__(self, request):
            return await self.get_response(request)

    frame = "django.middleware.clickjacking.XFrameOptionsMiddleware"
    with pytest.raises(AttributeError, match="'coroutine' object"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # never awaited
        asyncio.run(visit(sync_echo, middleware=[frame, Unmarked]))


def test_a_browser_may_be_logged_in(library):
    async def main():
        cookie = await cookie_of("amara")
        page = await visit(echo, cookie=cookie)
        return page.text, await session_of(cookie).aget("_auth_user_id")

    text, user = asyncio.run(main())
    assert text == "amara () {}"
    assert int(user) > 0


def test_a_browser_may_have_been_logged_in(library):
    async def main():
        return [(await visit(echo, cookie=each)).text for each in (await old_cookies()).values()]

    assert asyncio.run(main()) == [" () {}"] * 2


def test_the_way_back_is_all_that_was_asked_for():
    login = f"/accounts/login/?{urlencode({'next': FROM_SHELF})}"
    assert way_back(login) == FROM_SHELF
    assert way_back("/accounts/login/") == ""
    require_whole_way_back(login)
    require_whole_way_back("/accounts/login/")


@pytest.mark.parametrize(
    ("location", "diagnosis"),
    [
        (f"/accounts/login/?next={FROM_SHELF}", "unquoted"),
        (f"/accounts/login/?next={PAGE}", "loses-the-query"),
    ],
)
def test_a_way_back_to_another_place_is_told(location, diagnosis):
    with pytest.raises(NotYet, match="A guest asked for") as refused:
        require_whole_way_back(location)
    assert refused.value.diagnosis == diagnosis


def test_what_a_view_raises_is_raised(library, caplog):
    def fails(request):
        raise LookupError("line 7")

    with pytest.raises(LookupError, match="line 7"):
        asyncio.run(visit(fails))
    assert caplog.records == []


def test_a_page_that_is_missing_is_a_page(library, caplog):
    async def missing(request):
        raise Http404

    assert asyncio.run(visit(missing)).status == 404
    assert caplog.records == []


@pytest.mark.parametrize(
    ("view", "diagnosis"),
    [
        (lambda request: echo(request), "hidden-async"),
        (hands_on, "forgotten-await"),
        (lambda request: None, "no-response"),
        (lambda request: "a text", "no-response"),
        (lambda request: request.absent, "raised"),
    ],
    ids=["coroutine", "handed-on", "none", "text", "attribute"],
)
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_what_is_no_response_is_told_from_other_errors(library, view, diagnosis):
    with pytest.raises(Exception) as error:
        asyncio.run(visit(view))
    names = [
        (frame.f_globals["__name__"], frame.f_code.co_name)
        for frame, _ in traceback.walk_tb(error.tb)
    ]
    raised = Raised(error.value, "", names)
    assert meaning_of(raised, NO_RESPONSE).diagnosis == diagnosis


class Names(dict):
    value = dict.__getitem__


def test_a_view_is_async_as_django_sees_it(library):
    from django.views import View

    class Shelf(View):
        async def get(self, request):
            return HttpResponse()

    given = Names(echo=echo, shelf=Shelf, sync_echo=sync_echo)
    require_async_view(given, "echo")
    require_async_view(given, "shelf")
    with pytest.raises(NotYet, match="`sync_echo` is a sync view") as refused:
        require_async_view(given, "sync_echo")
    assert refused.value.diagnosis == "still-sync"


def test_a_sync_class_is_told_of_its_handlers(library):
    from django.views import View

    class Shelf(View):
        def get(self, request):
            return HttpResponse()

    with pytest.raises(NotYet, match="Which two words begin its handlers"):
        require_async_view(Names(shelf=Shelf), "shelf")


def streams(made, ended, parts=3):
    """A view that makes so many parts, and notes how its body ends."""

    async def body():
        try:
            for part in map(str, range(parts)):
                made.append(part)
                yield part
                await asyncio.sleep(0)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise

    async def view(request):
        return StreamingHttpResponse(body())

    return view


def test_a_reader_sees_each_part_as_it_comes():
    made, ended = [], []
    reader = asyncio.run(read(streams(made, ended), look=lambda: len(made)))
    assert (reader.status, reader.parts) == (200, ["0", "1", "2"])
    assert (reader.seen, ended) == ([1, 2, 3], [])
    assert reader.headers["content-type"].startswith("text/html")


def test_a_slow_reader_takes_one_part_after_another():
    made, ended, seen = [], [], []

    async def take(part):
        await asyncio.sleep(0.001)
        seen.append((part, len(made)))

    asyncio.run(read(streams(made, ended), take=take))
    assert seen == [("0", 1), ("1", 2), ("2", 3)]


def test_a_reader_leaves_in_the_middle():
    made, ended = [], []
    asyncio.run(read(streams(made, ended, parts=1000), leave_after=2))
    assert ended == ["CancelledError"]
    assert 2 <= len(made) < 1000


def test_a_reader_may_leave_before_the_body_begins():
    made, ended, begun = [], [], []
    view = streams(made, ended)
    reader = asyncio.run(read(view, leave_after=AT_ONCE, started=lambda: begun.append(len(made))))
    assert (reader.status, reader.parts, begun) == (200, [], [0])
    assert made == ended == []


@pytest.mark.parametrize("passes", [True, False])
def test_a_reader_who_has_left_is_sent_an_end_if_the_body_lets_no_cancellation_pass(
    library, passes
):
    async def body():
        yield "Emma"
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if passes:
                raise

    async def view(request):
        return StreamingHttpResponse(body())

    assert asyncio.run(read(view, leave_after=1)).ended is not passes


def test_a_reader_who_stays_is_sent_an_end(library):
    assert asyncio.run(read(streams([], []))).ended


def test_a_reader_gives_up_in_the_end():
    async def view(request):
        return StreamingHttpResponse(body())

    async def body():
        yield "Emma"
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            raise KeyError("too late for the reader")

    reader = asyncio.run(read(view, patience=0.3))
    assert (reader.parts, reader.gave_up) == (["Emma"], True)
    assert not asyncio.run(read(streams([], []), patience=10)).gave_up


def test_what_a_body_raises_is_raised():
    async def body():
        yield "Emma"
        raise KeyError("shelf")

    async def view(request):
        return StreamingHttpResponse(body())

    with pytest.raises(KeyError, match="shelf"):
        asyncio.run(read(view))


def streamed(body):
    async def view(request):
        return StreamingHttpResponse(body())

    return asyncio.run(read(view)).parts


def test_a_type_error_of_a_body_is_raised_as_it_was(library, recwarn):
    async def body():
        yield "Emma"
        yield "written in " + 1815

    with pytest.raises(TypeError, match="can only concatenate") as error:
        streamed(body)
    assert error.traceback[-1].name == "body"
    assert [each for each in recwarn if SECOND_TRY in str(each.message)] == []


def test_a_type_error_in_a_call_of_a_body_is_raised_as_it_was(library):
    async def body():
        async for title in asyncio.Queue():
            yield title

    with pytest.raises(TypeError, match="'async for' requires"):
        streamed(body)


def test_of_a_sync_body_django_warns(library):
    with pytest.warns(Warning, match="must consume synchronous iterators"):
        assert streamed(lambda: iter(["Emma", "Carmilla"])) == ["Emma", "Carmilla"]


def test_a_type_error_of_a_sync_body_is_raised_as_it_was(library):
    def body():
        yield "written in " + 1815

    with (
        pytest.warns(Warning, match="must consume synchronous iterators"),
        pytest.raises(TypeError, match="can only concatenate"),
    ):
        streamed(body)
