"""Temporary folders named for the process that made them, so that another one can sweep."""

import os
import platform
import re
import shutil
import tempfile
from pathlib import Path

import psutil

#: Characters of the path of a Unix socket: 108 bytes on Linux, 104 on macOS, and one is a zero.
LONGEST_SOCKET = 103


def prefix() -> str:
    """How the name of every temporary folder of this process begins."""
    return f"{_machine()}{os.getpid()}-"


def places() -> list[Path]:
    """Where such folders may be, the best one first; the other one has a short path."""
    short = Path("/tmp")  # noqa: S108  the folders in it have random names
    places = [Path(tempfile.gettempdir()), *([short] if short.is_dir() else [])]
    return list(dict.fromkeys(places))


def places_for_socket(name: str) -> list[Path]:
    """The `places()` where a new folder can hold a Unix socket of that name.

    Args:
        name: the socket's file name.
    """
    folder = f"{prefix()}{8 * '_'}"
    return [each for each in places() if len(f"{each}/{folder}/{name}") <= LONGEST_SOCKET]


def sweep() -> None:
    """Remove the folders that killed processes of this machine have left behind."""
    for place in places():
        for folder in place.iterdir():
            found = re.fullmatch(rf"{re.escape(_machine())}(\d+)-\w+", folder.name)
            if found and not psutil.pid_exists(int(found[1])):
                shutil.rmtree(folder, ignore_errors=True)


def _machine() -> str:
    # Machines may share a temporary folder, and a process id means nothing on another machine.
    return f"asynclab-{platform.node()}-"
