"""The count of what is left behind sees each kind of thing that can be."""

import os
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest

from tests.harness.cells import Kernel
from tests.rough.leftovers import Watch

NAP = "import time; print('up', flush=True); time.sleep(600)"
SERVE = f"import socket; server = socket.create_server(('127.0.0.1', 0)); {NAP}"
# A grandchild that outlives its parent, in a session of its own.
ORPHAN = """
import subprocess, sys
nap = "import time; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", nap], start_new_session=True)
print(child.pid, flush=True)
"""


@pytest.fixture
def watch(tmp_path):
    """A count that is to find something, beside the one that is to find nothing."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "README.md").write_text("The course.")
    (checkout / "db.sqlite3").touch()
    return Watch(tmp_path, checkout)


def start(source, watch):
    environment = os.environ | watch.environment
    command = [sys.executable, "-c", source]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("source", "listens"), [(NAP, False), (SERVE, True)])
def test_a_process_and_its_server(watch, source, listens):
    with start(source, watch) as process:
        process.stdout.readline()
        [line] = watch.left(patience=0)
        process.kill()
    assert line.startswith(f"process {process.pid}")
    assert ("listens on 127.0.0.1:" in line) == listens
    assert watch.left() == []


def test_an_orphan(watch):
    with start(ORPHAN, watch) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
    [line] = watch.left(patience=0)
    child.kill()
    assert line.startswith(f"process {child.pid}: ")
    assert watch.left() == []


def test_a_child_that_drops_the_mark(watch):
    with subprocess.Popen([sys.executable, "-c", NAP], env={}) as process:
        assert len(watch.left(patience=0)) == 1
        process.kill()
    assert watch.left() == []


def test_a_server_of_this_process(watch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert watch.left(patience=0) == [f"this process listens on 127.0.0.1:{port}"]
    assert watch.left() == []


def test_a_thread_of_this_process(watch):
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="forgotten")
    thread.start()
    assert watch.left(patience=0) == ["thread forgotten"]
    done.set()
    thread.join()
    assert watch.left() == []


@pytest.mark.parametrize("variable", ["TMPDIR", "JUPYTER_RUNTIME_DIR", "XDG_DATA_HOME"])
def test_a_file_or_folder(watch, variable):
    folder = f"{watch.environment[variable]}/asynclab-x"
    os.mkdir(folder)
    assert watch.left(patience=0) == [f"{variable}/asynclab-x"]
    os.rmdir(folder)
    assert watch.left() == []


def test_the_checkout(watch, tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "demo_project").mkdir()
    (checkout / "demo_project" / "db.sqlite3").touch()
    (checkout / "build").mkdir()
    (checkout / "build" / "of-a-tool").touch()
    assert [line.split(" of ")[0] for line in watch.left()] == ["demo_project/db.sqlite3"]
    (checkout / "demo_project" / "db.sqlite3").unlink()
    (checkout / "README.md").write_text("An author writes here.")
    assert watch.left() == []
    os.utime(checkout / "db.sqlite3", (0, 0))
    assert watch.left() == ["db.sqlite3 of 0"]


def test_the_fixture_fails_a_test_that_leaves_something(run_in_rough):
    outcome = run_in_rough("def test(): open(tempfile.mkdtemp() + '/db.sqlite3', 'w')")
    assert "1 passed, 1 error" in outcome
    assert "assert ['TMPDIR/tmp" in outcome


@pytest.fixture
def run_in_rough(tmp_path, request):
    """Run a test's source under the conftest of this folder; return what pytest says."""

    def run(source):
        module = tmp_path / "test_planted.py"
        module.write_text(f"import tempfile\nfrom conftest import leftovers\n{source}\n")
        here = request.path.parent
        path = os.pathsep.join([str(here), *filter(None, [os.environ.get("PYTHONPATH")])])
        options = ["-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'inner'}"]
        # As configured here: pytest-django would ask for what a test beside this one has booted.
        options += ["-c", request.config.inipath]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, module],
            env=os.environ | {"PYTHONPATH": path},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout + done.stderr

    return run


# What a kernel leaves


def booted(folder):
    kernel = Kernel(folder)
    assert kernel.run("from asynclab import boot\nboot()").status == "ok"
    return kernel


def test_an_orderly_shutdown_leaves_nothing(leftovers, tmp_path):
    kernel = booted(tmp_path)
    assert [name for name in leftovers.files() if "asynclab-" in name]
    assert [each.pid for each in leftovers.processes()] == [kernel.manager.provisioner.pid]
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel()
    assert leftovers.left() == []


def test_what_a_killed_kernel_leaves_is_swept_by_the_next_boot(leftovers, tmp_path):
    kernel = booted(tmp_path)
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    kernel.stop()
    [folder] = leftovers.left()
    assert folder.startswith("TMPDIR/asynclab-")
    leftovers.sweep()
