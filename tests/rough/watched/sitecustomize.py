"""Takes the network away from every Python that has this folder on its path, and keeps a list.

Loopback stays. Each attempt to look up, to reach or to offer anything else is noted in the file
that ASYNCLAB_ATTEMPTS names, and fails.
"""

import errno
import ipaddress
import os
import sys

LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
CONNECTS = {"socket.connect", "socket.sendto", "socket.bind"}


def forbid(event, arguments):
    """An audit hook: https://docs.python.org/3/library/audit_events.html"""
    if event in LOOKS_UP:
        host = arguments[0]
    elif event in CONNECTS and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _here(host, event):
        with open(os.environ["ASYNCLAB_ATTEMPTS"], "a", encoding="utf-8") as attempts:
            attempts.write(f"{event} {host!r} in {sys.argv[:3]}\n")
        raise OSError(errno.ENETUNREACH, f"the network is taken away: {event} {host!r}")


def _here(host, event):
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "" and event != "socket.bind"


sys.addaudithook(forbid)
