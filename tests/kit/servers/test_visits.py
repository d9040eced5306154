"""Visitors: each comes over a connection of its own, and all of them at once."""

import asyncio
import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Barrier, Event, Thread

import pytest

from asynclab.ground.errors import LabError
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
            self.send_header("X-Asked", self.headers["Host"])
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
    assert f"http://{visits.responses[0].headers['x-asked']}/" == address
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


def test_responses_are_in_the_order_in_which_the_visitors_set_out():
    """The server answers the last one first."""
    answered = [Event() for _ in range(VISITORS + 1)]
    answered[VISITORS].set()
    arrived = []

    class InReverse(ThreadingHTTPServer):
        def process_request(self, request, client_address):
            arrived.append(client_address)
            super().process_request(request, client_address)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            number = arrived.index(self.client_address)
            answered[number + 1].wait(10)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(str(number).encode())

        def finish(self):
            super().finish()
            answered[arrived.index(self.client_address)].set()

        def log_message(self, *_line):
            pass

    with InReverse(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever).start()
        visits = asyncio.run(visit(f"http://127.0.0.1:{server.server_address[1]}/", VISITORS))
        server.shutdown()
    assert visits.texts == [str(number) for number in range(VISITORS)]


def test_a_visitor_who_gets_no_answer_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr("asynclab.servers.visits.PATIENCE", 0.05)

    async def ask(port):
        await asyncio.wait_for(visit(f"http://127.0.0.1:{port}/"), 10)

    said = "did not answer all visitors within 0.05 seconds"
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(LabError, match=said):
        asyncio.run(ask(silent.getsockname()[1]))


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
