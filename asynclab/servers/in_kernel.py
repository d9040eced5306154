"""Servers that run in this kernel, each on a thread of its own, so that the lanes can draw them."""

import asyncio
import socket
import time
from socketserver import TCPServer
from threading import Thread

import psutil
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from ..ground.errors import LabError
from ..recorder.roles import REQUEST_THREAD, SERVER_LOOP
from .sockets import connections, url_of

PATIENCE = 30
"""Seconds that a server may take to start."""
GRACE = 1
"""Seconds that requests may go on when their server has been told to stop."""
BACKLOG = 2048
"""Visitors that may wait at the door at once."""


class _Server:
    """One that listens on a socket of its own from `with` to the end of the block."""

    def __init__(self):
        self._port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return url_of(self._port)

    @property
    def connections(self) -> int:
        """How many connections of clients are open now."""
        return connections(self._port, [psutil.Process()])

    @property
    def under_way(self) -> int:
        """How many requests have not ended. A visitor may have its response before that."""
        raise NotImplementedError

    async def idle(self) -> None:
        """Wait until no request is under way."""
        while self.under_way:
            await asyncio.sleep(0.001)


class AsgiServer(_Server):
    """uvicorn around an ASGI application; `url` is where it answers.

    Args:
        application: what a server is given, such as `config.asgi.application`.

    Raises:
        LabError: uvicorn is not installed, or did not start.
    """

    def __init__(self, application):
        super().__init__()
        self._application = application

    def __enter__(self) -> "AsgiServer":
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._uvicorn = _uvicorn(self._application)
        self._thread = Thread(
            target=self._uvicorn.run, args=[[self._socket]], name=SERVER_LOOP, daemon=True
        )
        self._thread.start()
        try:
            self._wait_until_started()
        except BaseException:
            self.__exit__()
            raise
        self._port = self._socket.getsockname()[1]
        return self

    @property
    def under_way(self) -> int:
        return len(self._uvicorn.server_state.tasks)

    def _wait_until_started(self) -> None:
        limit = time.monotonic() + PATIENCE
        while not self._uvicorn.started:
            if not self._thread.is_alive() or time.monotonic() > limit:
                raise LabError("uvicorn did not start. Its message stands above.")
            time.sleep(0.005)

    def __exit__(self, *_error: object) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(GRACE + PATIENCE)
        self._socket.close()


def _uvicorn(application):
    try:
        import uvicorn
    except ImportError:
        raise LabError(
            "This needs uvicorn: `pip install uvicorn`, then run the cell again."
        ) from None
    # Its own log would go to whichever cell runs; errors and warnings do so all the same.
    config = uvicorn.Config(
        application,
        loop="asyncio",  # the one whose steps the lanes can draw
        log_config=None,
        access_log=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
    )
    return uvicorn.Server(config)


class WsgiServer(_Server):
    """The server of `manage.py runserver` around a WSGI application: a thread for each connection.

    Args:
        application: what a server is given, such as `config.wsgi.application`.
    """

    def __init__(self, application):
        super().__init__()
        self._application = application

    def __enter__(self) -> "WsgiServer":
        self._server = _ThreadedServer(("127.0.0.1", 0), _Request)
        self._server.set_app(self._application)
        self._thread = Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()
        self._port = self._server.server_port
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end()

    @property
    def under_way(self) -> int:
        return self._server.under_way


class _ThreadedServer(ThreadedWSGIServer):
    request_queue_size = BACKLOG

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._requests: list[Thread] = []

    def server_bind(self):
        # http.server looks up this machine's name here: that may need a network.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address
        self.setup_environ()

    def process_request(self, request, client_address):
        self._requests = [thread for thread in self._requests if thread.is_alive()]
        thread = Thread(
            target=self.process_request_thread,
            args=[request, client_address],
            name=REQUEST_THREAD,
            daemon=True,
        )
        self._requests.append(thread)
        thread.start()

    @property
    def under_way(self) -> int:
        return sum(thread.is_alive() for thread in self._requests)

    def end(self) -> None:
        """Give the requests under way GRACE seconds altogether, then leave them alone."""
        self.server_close()
        limit = time.monotonic() + GRACE
        for thread in self._requests:
            thread.join(max(0, limit - time.monotonic()))


class _Request(WSGIRequestHandler):
    def log_message(self, *_line: object) -> None:
        """Keep the log of requests out of the cells."""
