"""Which sockets processes have open, as the system tells."""

import sys
from collections.abc import Iterable, Iterator

import psutil

from ..ground.errors import LabError

FILES = 8192
"""Files and sockets that a process may have open; a shell often allows 1,024, or 256."""


def allow_many() -> None:
    """Raise this process's soft limit of open files, as Jupyter's server does with its own.

    Processes that it starts inherit the limit. Windows has none.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def connections(port: int, processes: Iterable[psutil.Process]) -> int:
    """How many connections of clients to `port` are open in these processes."""
    ends = {
        each.raddr
        for each in _sockets(processes)
        if each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED
    }
    return len(ends)


def url_of(port: int) -> str:
    """The address of a server on this machine.

    Raises:
        LabError: it has no port, since it has not been started.
    """
    if not port:
        raise LabError("This server has not been started. Write: with ... as server:")
    return f"http://127.0.0.1:{port}/"


def listening(processes: Iterable[psutil.Process]) -> int | None:
    """The port that one of the processes listens on; None if none does yet."""
    ports = {each.laddr.port for each in _sockets(processes) if each.status == psutil.CONN_LISTEN}
    return min(ports, default=None)


def _sockets(processes: Iterable[psutil.Process]) -> Iterator:
    for process in processes:
        try:
            yield from process.net_connections(kind="tcp4")
        except psutil.NoSuchProcess:
            continue
