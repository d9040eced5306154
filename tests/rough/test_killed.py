"""A kernel that is killed takes its shells and servers along; the next boot removes its files."""

import os
import signal
import time
from pathlib import Path

import pytest

from asynclab.shells import NAMES
from tests.harness.cells import TIMEOUT, Kernel

# Each cell touches the file `up` where it can be killed, and goes on for minutes.
NAP = "import pathlib, time\npathlib.Path({up!r}).touch()\ntime.sleep(600)"
BUSY = {
    "idle": "pathlib.Path({up!r}).touch()",
    "lanes": "%%lanes\n" + NAP,
    "thread": "%%thread\nBook.objects.count()\n" + NAP,
    "server": (
        "import http.server, threading\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n"
        "threading.Thread(target=server.serve_forever).start()\n" + NAP
    ),
    "transaction": (
        "%%thread\nfrom django.db import transaction\n"
        "with transaction.atomic():\n    Book.objects.all().delete()\n"
        "    pathlib.Path({up!r}).touch()\n    time.sleep(600)"
    ),
    "postgresql starts": (
        "from asynclab import PostgreSQL\npathlib.Path({up!r}).touch()\nPostgreSQL()\n" + NAP
    ),
}
SET_UP = """\
%load_ext asynclab
import pathlib, time
from asynclab import boot, shells
boot()
from library.models import Book
"""


@pytest.fixture
def kernel(tmp_path):
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.stop()


def kill_in(kernel, source, *files):
    """Run a cell, and kill its kernel once the cell has made all the files."""
    assert kernel.run(SET_UP).status == "ok"
    kernel.client.execute(source)
    limit = time.monotonic() + TIMEOUT
    while not all(file.exists() for file in files):
        assert time.monotonic() < limit, kernel._stack()
        time.sleep(0.02)
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    kernel.stop()


@pytest.mark.parametrize(
    "busy", ["lanes", *(pytest.param(n, marks=pytest.mark.nightly) for n in BUSY if n != "lanes")]
)
def test_a_kernel_killed_in(kernel, leftovers, tmp_path, busy):
    up = tmp_path / "up"
    kill_in(kernel, BUSY[busy].format(up=str(up)), up)
    [folder] = leftovers.left()
    assert folder.startswith("TMPDIR/asynclab-")
    leftovers.sweep()


def test_a_kernel_killed_beside_its_servers(kernel, leftovers, tmp_path):
    up = tmp_path / "up"
    source = (
        "from django.urls import path\nfrom asynclab import Site, serving\n"
        "with serving('gunicorn config.wsgi --workers 2'), Site(path('', print)).serve():\n    "
    )
    kill_in(kernel, source + NAP.format(up=str(up)).replace("\n", "\n    "), up)
    left = leftovers.left()
    assert left, "the data of the kernel"
    assert all(each.startswith("TMPDIR/asynclab-") for each in left), left
    leftovers.sweep()


def test_a_kernel_killed_beside_its_postgresql(kernel, leftovers, tmp_path):
    up, where = tmp_path / "up", tmp_path / "where"
    source = (
        "from asynclab import PostgreSQL\npostgres = PostgreSQL()\nboot(database=postgres)\n"
        f"pathlib.Path({str(where)!r}).write_text(str(postgres._folder))\n"
    )
    kill_in(kernel, source + NAP.format(up=str(up)), up)
    left = leftovers.left()
    # For root its folder is not always in a watched one.
    stays = Path(where.read_text()).exists()
    leftovers.sweep()
    assert not stays, "the folder of PostgreSQL"
    assert len(left) == 1, left


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a pipe's end is a signal on Linux only")
def test_a_kernel_killed_in_shells(kernel, leftovers, tmp_path):
    up = {name: tmp_path / name for name in NAMES}
    nap = {name: NAP.format(up=str(file)) for name, file in up.items()}
    # In a terminal a child of the cell, which has to go as well.
    child = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', {!r}])"
    cells = nap | {name: child.format(nap[name]) for name in ("ipython", "python")}
    source = (
        f"import asyncio\ncells = {cells!r}\n"
        "each = [shells(cells[name], shells=[name], timeout=500) for name in cells]\n"
        "await asyncio.gather(*each)"
    )
    kill_in(kernel, source, *up.values())
    left = leftovers.left()
    assert all(each.startswith("TMPDIR/asynclab-") for each in left), left
    assert len(left) == 1 + len(NAMES) + 1, "this kernel, the shells, the sockets of one"
    leftovers.sweep()
