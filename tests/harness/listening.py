"""Which addresses the processes of a test listen on."""

import ipaddress
import time

import psutil

SECONDS = 60
"""How long a server may take to come up on a busy machine."""


def listeners(process: psutil.Process) -> list[str]:
    """The addresses, without ports, that a process and its descendants listen on now."""
    return sorted(
        connection.laddr.ip
        for each in (process, *process.children(recursive=True))
        for connection in sockets(each)
        if connection.status == psutil.CONN_LISTEN
    )


def sockets(process: psutil.Process) -> list:
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:
        return []


def listeners_once_up(server, least: int = 1) -> list[str]:
    """The same, once there are `least` of them.

    Args:
        server: a `subprocess.Popen` whose tree listens sooner or later.
        least: how many sockets to wait for.

    Raises:
        AssertionError: the server ended, or took too long.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        assert server.poll() is None, "the server ended"
        found = listeners(psutil.Process(server.pid))
        if len(found) >= least:
            return found
        assert time.monotonic() < deadline, f"only {found} after {SECONDS} s"
        time.sleep(0.05)


def elsewhere(addresses: list[str]) -> list[str]:
    """Those that somebody on another machine can reach."""
    return [each for each in addresses if not ipaddress.ip_address(each).is_loopback]
