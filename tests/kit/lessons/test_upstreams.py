"""Services that a view asks, as checks make them, and the client that asks them."""

import asyncio
import os
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from asynclab.lessons.vocabulary.tasks import turns, until
from asynclab.lessons.vocabulary.upstreams import Line, nowhere, upstreams


def asked(url, **options):
    with httpx.Client(**options) as client:
        return client.get(url)


def test_services_answer_with_a_status_and_a_text():
    answers = {"price": lambda: (200, "12.50"), "stock": lambda: (503, "Später")}
    with upstreams(answers) as urls:
        responses = {name: asked(url) for name, url in urls.items()}
    said = {name: (each.status_code, each.text) for name, each in responses.items()}
    assert said == {"price": (200, "12.50"), "stock": (503, "Später")}


def test_a_proxy_of_the_readers_is_not_in_the_way(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", nowhere())
    monkeypatch.setenv("no_proxy", "example.org")
    with upstreams({"price": lambda: (200, "12.50")}) as urls:
        assert asked(urls["price"]).text == "12.50"
    assert os.environ["no_proxy"] == "example.org"


def test_a_timeout_that_the_reader_has_set_is_not_in_the_way():
    default = socket.getdefaulttimeout()
    socket.setdefaulttimeout(0.001)
    try:
        with upstreams({"price": lambda: (200, "12.50")}) as urls:
            place = urlsplit(urls["price"])
            with socket.create_connection((place.hostname, place.port), timeout=5) as slow:
                time.sleep(0.02)
                slow.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert slow.makefile("rb").read().endswith(b"12.50")
    finally:
        socket.setdefaulttimeout(default)


def test_a_connection_that_is_broken_off_is_no_news(capsys):
    with upstreams({"price": lambda: (200, "12.50")}) as urls:
        place = urlsplit(urls["price"])
        with socket.create_connection((place.hostname, place.port)) as broken:
            # With a linger of 0 seconds, the other side gets a reset in place of an end.
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert asked(urls["price"]).text == "12.50"
    assert capsys.readouterr().err == ""


def test_requests_are_at_work_at_once():
    both = threading.Barrier(2)

    def answer():
        both.wait(5)
        return 200, "met"

    async def main(url):
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(client.get(url), client.get(url))

    with upstreams({"service": answer}) as urls:
        assert [each.text for each in asyncio.run(main(urls["service"]))] == ["met", "met"]


def test_nobody_answers_nowhere():
    with pytest.raises(httpx.ConnectError):
        asked(nowhere(), trust_env=False)


def test_a_line_knows_what_has_come_back():
    go_on = threading.Event()

    def pieces():
        yield "1847"
        go_on.wait(5)
        yield "1853"

    async def main(urls):
        line = Line()
        async with httpx.AsyncClient(transport=line) as client:
            slow = asyncio.create_task(client.get(urls["slow"]))
            assert (await client.get(urls["quick"])).text == "12.50"
            with pytest.raises(httpx.ConnectError):
                await client.get(nowhere())
            assert await until(lambda: line.pieces == 2)
            seen = [(line.asked, line.under_way)]
            go_on.set()
            assert (await slow).text == "18471853"
            return [*seen, (line.pieces, line.under_way), (line.asked, line.most)]

    answers = {"quick": lambda: (200, "12.50"), "slow": lambda: (200, pieces())}
    with upstreams(answers) as urls:
        assert asyncio.run(main(urls)) == [(3, 1), (3, 0), (3, 2)]


def test_a_line_notices_what_is_given_up():
    go_on = threading.Event()

    def pieces():
        yield "1847"
        go_on.wait(5)

    async def main(url):
        line = Line()
        async with httpx.AsyncClient(transport=line) as client:
            slow = asyncio.create_task(client.get(url))
            assert await until(lambda: line.pieces)
            slow.cancel()
            return await until(lambda: not line.under_way)

    with upstreams({"slow": lambda: (200, pieces())}) as urls:
        assert asyncio.run(main(urls["slow"]))
        go_on.set()


def test_an_answer_is_under_way_until_it_is_closed():
    async def main(url):
        line = Line()
        line.closes = line.over.wait
        async with httpx.AsyncClient(transport=line) as client:
            asking = asyncio.create_task(client.get(url))
            assert await until(lambda: line.pieces)
            await turns()
            seen = line.under_way
            line.over.set()
            await asking
            return seen, line.under_way

    with upstreams({"quick": lambda: (200, "12.50")}) as urls:
        assert asyncio.run(main(urls["quick"])) == (1, 0)


def test_what_never_comes_true_is_not_waited_for_for_ever():
    assert not asyncio.run(until(lambda: False, seconds=0.01))
