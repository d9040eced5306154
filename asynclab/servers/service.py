"""A service for views to ask: a real HTTP server on this machine, here in the kernel."""

import weakref
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread


class Service:
    """Answers at `url`, each request on a thread, until nothing refers to it any more.

    Args:
        answer: makes the handler of one connection, as `http.server` calls it.
    """

    def __init__(self, answer: Callable[..., BaseHTTPRequestHandler]):
        server = _Server(("127.0.0.1", 0), answer)
        self.url = "http://{}:{}/".format(*server.server_address)
        Thread(target=_serve, args=[server], daemon=True).start()
        # Whoever drops the last reference must not wait until the server has noticed.
        end = Thread(target=server.shutdown, daemon=True)
        weakref.finalize(self, end.start).atexit = False


class QuietHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, and writes no log into the cells."""

    # Else, on a connection that is kept, a response's body waits until its head is acknowledged.
    disable_nagle_algorithm = True

    def log_message(self, *_line: object) -> None:
        """Keep the log of requests out of the cells."""


class _Server(ThreadingTCPServer):
    """Skips the step in which http.server looks up this machine's name: that may need a network."""

    daemon_threads = True
    request_queue_size = 100


def _serve(server: _Server) -> None:
    with server:
        server.serve_forever()
