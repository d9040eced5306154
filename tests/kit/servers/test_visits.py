"""Visitors: each comes over a connection of its own, and all of them at once."""

import asyncio
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Barrier, Thread

import pytest

from asynclab.servers import SlowService, visit

VISITORS = 5
SECONDS = 0.1


@pytest.fixture
def address():
    """Where a server answers once VISITORS are there, the path in its answer."""
    barrier = Barrier(VISITORS)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            barrier.wait(10)
            self.send_response(203)
            self.send_header("X-Shelf", "7")
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_line):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_visitors_come_at_once_and_bring_their_responses(address):
    visits = asyncio.run(visit(address + "books/?year=1847", VISITORS))
    assert visits.texts == ["/books/?year=1847"] * VISITORS
    assert visits.statuses == {203: VISITORS}
    assert repr(visits) == "<Visits: 5 x 203>"
    assert {response.headers["x-shelf"] for response in visits.responses} == {"7"}
    assert visits.seconds > 0


def test_each_visitor_has_a_latency():
    """One thread answers one visitor after another, so the last one waits for all of them."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(SECONDS)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_line):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever).start()
        visits = asyncio.run(visit(f"http://127.0.0.1:{server.server_address[1]}/", VISITORS))
        server.shutdown()
    latencies = sorted(visits.latencies)
    assert len(latencies) == VISITORS
    for number, latency in enumerate(latencies, 1):
        assert number * SECONDS <= latency <= visits.seconds
    assert latencies[0] + SECONDS < latencies[-1]


def test_nobody_at_the_address_is_told():
    service = SlowService("", 0)
    url = service.url.replace(service.url.split(":")[2], "1/")
    with pytest.raises(ConnectionError, match="Nobody answers at .* `with` block of its server"):
        asyncio.run(visit(url))


def test_a_connection_that_ends_too_early_is_told():
    async def main():
        async def hang_up(_reader, writer):
            writer.close()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await visit(f"http://127.0.0.1:{port}/")

    with pytest.raises(ConnectionError, match="ended a connection before its response was whole"):
        asyncio.run(main())


@pytest.mark.parametrize("url", ["", "books/", "https://127.0.0.1:1/", "http://127.0.0.1/"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="takes an address such as server.url"):
        asyncio.run(visit(url))


def test_nobody_is_no_visitor():
    with pytest.raises(ValueError, match="At least one visitor has to go; got 0"):
        asyncio.run(visit("http://127.0.0.1:1/", 0))
