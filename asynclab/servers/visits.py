"""Many visitors at once, each with a connection of its own."""

import asyncio
import io
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from ..ground.errors import LabError
from .response import Response
from .sockets import allow_many

PATIENCE = 60
"""Seconds that all visitors together may take."""


class ConnectionLost(LabError, ConnectionError):
    """Nobody answered a visitor, or not to the end."""


@dataclass(frozen=True)
class Visits:
    """What `visit` has brought back.

    Attributes:
        responses: one for each visitor, in the order in which they set out.
        seconds: from the first visitor's start to the last one's end.
        latencies: the seconds that each waited for the end of its response, in the same order.
    """

    responses: tuple[Response, ...]
    seconds: float
    latencies: tuple[float, ...]

    def __repr__(self) -> str:
        return f"<Visits: {', '.join(f'{n} x {status}' for status, n in self.statuses.items())}>"

    @property
    def texts(self) -> list[str]:
        """The bodies, in the same order."""
        return [response.text for response in self.responses]

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(response.status for response in self.responses)


async def visit(url: str, visitors: int = 1) -> Visits:
    """Let so many visitors ask for `url` at once, and wait for all of them.

    Each opens a connection, sends one GET, reads the response to its end and hangs up. They are
    asyncio's own streams: of the clients that were measured, the ones that add the least.

    Args:
        url: an address of this machine, such as `server.url + "books/"`.
        visitors: how many.

    Raises:
        ConnectionLost: there is nobody at the address, or a connection ended before its response.
        LabError: PATIENCE seconds were over.
        ValueError: `url` is no http:// address, or `visitors` is less than 1.
    """
    address = urlsplit(url)
    if address.scheme != "http" or not address.port:
        raise ValueError(f"visit() takes an address such as server.url + 'books/'; got {url!r}.")
    if visitors < 1:
        raise ValueError(f"At least one visitor has to go; got {visitors}.")
    allow_many()
    begin = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            visits = await _together(url, visitors)
    except TimeoutError:
        raise LabError(f"{url} did not answer all visitors within {PATIENCE} seconds.") from None
    seconds = time.perf_counter() - begin
    responses, latencies = zip(*visits, strict=True)
    return Visits(responses, seconds, latencies)


async def _together(url: str, visitors: int) -> list[tuple[Response, float]]:
    lost = ""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_timed(url), name="visit") for _ in range(visitors)]
    except* ConnectionRefusedError:
        lost = f"Nobody answers at {url}: visit() belongs into the `with` block of its server."
    except* (OSError, HTTPException):
        lost = f"{url} ended a connection before its response was whole."
    # Not raised above: IPython shows all of an error that has come out of a group.
    if lost:
        raise ConnectionLost(lost)
    return [task.result() for task in tasks]


async def _timed(url: str) -> tuple[Response, float]:
    begin = time.perf_counter()
    response = await _get(url)
    return response, time.perf_counter() - begin


_timed.__qualname__ = "visit"  # as the lanes show it


async def _get(url: str) -> Response:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        target = (address.path or "/") + ("?" + address.query if address.query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: {address.netloc}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode())
        return _parsed(await reader.read())
    finally:
        writer.close()


class _Received(io.BytesIO):
    """What has been read of a socket, for `http.client`, which asks the socket for a file."""

    def makefile(self, _mode: str) -> "_Received":
        return self


def _parsed(received: bytes) -> Response:
    response = HTTPResponse(_Received(received))
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Response(response.status, headers, response.read())
