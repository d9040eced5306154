"""The whole series with the network taken away: nothing asks for it, and nothing offers anything.

Two ways at once: a network namespace that has loopback alone, where the machine lets a test make
one, and an audit hook in every Python, which also counts the attempts.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asynclab.authoring.notebooks import find

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ALONE = ["unshare", "--net", "--map-root-user", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh"]
# Lesson 04 starts a server, and talks to it.
SOME = [path for path in find("notebooks") if path.stem.startswith("00_")]
WHOLE = [ROOT / name for name in ("notebooks", "solutions", "exercises")]
REACH = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
OFFER = "import socket; socket.create_server(('', 0))"
LOOK_UP = "import socket; socket.getaddrinfo('docs.example', 443)"
LOOPBACK = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
    socket.create_connection(("localhost", server.getsockname()[1])).close()
"""


@pytest.fixture
def without_network(tmp_path, leftovers):
    """Run Python without a network; return the finished process and the attempts to reach one."""
    alone = namespace()
    attempts = tmp_path / "attempts.txt"
    attempts.touch()
    path = [str(HERE / "watched"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    mine = {"ASYNCLAB_ATTEMPTS": str(attempts), "PYTHONPATH": os.pathsep.join(path)}

    def run(*arguments):
        done = subprocess.run(
            [*alone, sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=os.environ | mine,
            capture_output=True,
            text=True,
            timeout=1500,
        )
        return done, attempts.read_text().splitlines()

    yield run
    leftovers.sweep()  # nbval kills its kernels


def namespace():
    """The command that takes the network away from another one; empty where that cannot be."""
    works = shutil.which("unshare") and shutil.which("ip")
    tried = works and subprocess.run([*ALONE, "true"], capture_output=True)
    return ALONE if tried and tried.returncode == 0 else []


def test_some_lessons(without_network):
    assert passes(without_network, *SOME)


@pytest.mark.nightly
def test_the_whole_series(without_network):
    assert passes(without_network, *WHOLE)


def passes(without_network, *notebooks):
    options = ("-q", "--nbval", "--no-header", "-p", "no:cacheprovider")
    done, attempts = without_network("-m", "pytest", *options, *notebooks)
    assert attempts == []
    assert done.returncode == 0, done.stdout[-3000:]
    return " passed" in done.stdout


# It could fail.


@pytest.mark.parametrize("source", [REACH, OFFER, LOOK_UP])
def test_an_attempt_fails_and_is_counted(without_network, source):
    done, attempts = without_network("-c", source)
    assert len(attempts) == 1
    assert "the network is taken away" in done.stderr


def test_loopback_is_no_attempt(without_network):
    done, attempts = without_network("-c", LOOPBACK)
    assert (done.returncode, attempts) == (0, []), done.stderr


def test_the_namespace_has_no_network():
    alone = namespace()
    if not alone:
        pytest.skip("this machine lets no test make a network namespace")
    done = subprocess.run([*alone, sys.executable, "-c", REACH], capture_output=True, text=True)
    assert "Network is unreachable" in done.stderr
