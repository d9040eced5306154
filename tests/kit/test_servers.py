"""A site of a notebook's own, with the real handler and middleware; the services that it asks."""

import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import httpx
import pytest
from django.urls import path

from asynclab.servers import Site, SlowService

CHECKOUT = Path(__file__).parents[2]

SETUP = """
import asyncio, threading
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from asynclab import Site, boot

boot()

def thread(request):
    return HttpResponse(threading.current_thread().name)
"""


def run(source):
    """Run a script in a process of its own, with Django set up; return the lines it prints."""
    script = SETUP + textwrap.dedent(source)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1:]


def test_views_run_behind_the_projects_middleware():
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

        asyncio.run(main())
        """
    )
    assert said == ["200 r-1 1847 7", "DENY", "404"]


def test_a_request_may_have_another_method_and_a_body():
    [said] = run(
        """
        from django.views.decorators.csrf import csrf_exempt

        @csrf_exempt
        def lend(request):
            return HttpResponse(f"{request.method} {request.POST['title']}")

        async def main():
            form = {"content_type": "application/x-www-form-urlencoded", "content_length": "14"}
            print((await Site(path("", lend)).send("POST", "/", b"title=Villette", **form)).text)

        asyncio.run(main())
        """
    )
    assert said == "POST Villette"


def test_each_request_has_a_worker_of_its_own():
    [said] = run(
        """
        async def main():
            site = Site(path("thread/", thread))
            responses = await asyncio.gather(*[site.get("/thread/") for _ in range(5)])
            print(len({response.text for response in responses}))

        asyncio.run(main())
        """
    )
    assert said == "5"


def test_a_streamed_body_comes_whole_and_an_error_is_a_response():
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

        asyncio.run(main())
        """
    )
    assert said == ["Wuthering Heights", "500 True"]


def test_middleware_is_read_when_the_site_is_made():
    said = run(
        """
        async def main():
            with override_settings(MIDDLEWARE=[]):
                bare = Site(path("thread/", thread))
            for site in (bare, Site(path("thread/", thread))):
                print("x-frame-options" in (await site.get("/thread/")).headers)

        asyncio.run(main())
        """
    )
    assert said == ["False", "True"]


@pytest.mark.parametrize("patterns", [(), (print,), (path,)])
def test_a_site_without_a_url_says_how_to_write_one(patterns):
    with pytest.raises(TypeError, match=r'Site\(path\("books/", view\)\)'):
        Site(*patterns)


# --- slow services

SECONDS = 0.2


def fetched(url):
    with urlopen(url, timeout=30) as response:
        return response.read().decode()


def test_a_service_gives_its_answer_not_sooner_than_it_says():
    service = SlowService("4½ of 5 stars", SECONDS)
    began = time.monotonic()
    assert fetched(service.url) == "4½ of 5 stars"
    assert time.monotonic() - began >= SECONDS


def test_requests_wait_at_the_same_time():
    service = SlowService("", SECONDS)
    began = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(fetched, [service.url] * 30))
    assert time.monotonic() - began < 30 * SECONDS / 2


def test_a_service_is_on_loopback_and_ends_with_its_last_reference():
    service = SlowService("", 0)
    address = urlsplit(service.url).hostname, urlsplit(service.url).port
    assert address[0] == "127.0.0.1"
    socket.create_connection(address).close()
    del service
    deadline = time.monotonic() + 30
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(address).close()


def test_a_client_that_does_not_wait_leaves_no_word(capfd):
    service = SlowService("a bat" * 1_000_000, SECONDS)
    with socket.create_connection(service.url[len("http://") : -1].split(":")) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert len(fetched(service.url)) == 5_000_000
    assert capfd.readouterr() == ("", "")


def test_a_service_counts_its_visitors():
    service = SlowService("", SECONDS)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fetched, [service.url] * 3))
    assert (service.asked, service.connections) == (3, 3)
    assert 1 < service.busiest <= 3
    fetched(service.url)
    assert service.asked == 4


def test_a_service_that_fails_says_so_with_its_status():
    service = SlowService("closed", 0, status=503)
    with pytest.raises(HTTPError, match="503"):
        fetched(service.url)


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 2)])
def test_a_connection_stays_open_if_it_is_kept(keep_alive, connections):
    service = SlowService("", 0, keep_alive=keep_alive)
    with httpx.Client(trust_env=False) as client:
        client.get(service.url), client.get(service.url)
    assert service.connections == connections


def test_a_service_that_would_answer_before_it_is_asked_is_refused():
    with pytest.raises(ValueError, match="A service takes 0 seconds or more; got -1."):
        SlowService("", -1)
