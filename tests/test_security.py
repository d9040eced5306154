"""What the course starts can be reached from this machine only, and nothing secret is committed."""

import asyncio
import importlib.util
import os
import shlex
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from listening import elsewhere, listeners_once_up

from asynclab.shells import shells

ROOT = Path(__file__).parent.parent
SOCKETS_OF_A_KERNEL = 5  # shell, control, stdin, iopub, heartbeat
EVERYWHERE = "import socket\nwith socket.create_server(('', 0)):\n    input()"


# --- servers: on loopback only ------------------------------------------------------------------


@contextmanager
def running(command, **options):
    """A server and whatever it starts, for one block."""
    quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([str(part) for part in command], **quiet, **options)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_a_server_for_the_whole_network_is_noticed():
    with running([sys.executable, "-c", EVERYWHERE]) as server:
        assert elsewhere(listeners_once_up(server)) == ["0.0.0.0"]
    assert elsewhere(["127.0.0.1", "::1", "127.1.2.3"]) == []
    assert elsewhere(["::", "192.168.0.7"]) == ["::", "192.168.0.7"]


def test_jupyterlab_is_on_loopback_whatever_the_learner_has_configured(tmp_path):
    port = free_port()
    _, *options = start_py().jupyterlab(port, no_browser=True)
    (tmp_path / "jupyter_server_config.json").write_text('{"ServerApp": {"ip": "0.0.0.0"}}')
    mine = os.environ | {
        "JUPYTER_CONFIG_DIR": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_TOKEN": "of-this-test",
    }
    with running([sys.executable, *options], env=mine) as server:
        alone = listeners_once_up(server)
        start_kernel(port, "of-this-test")
        with_a_kernel = listeners_once_up(server, least=len(alone) + SOCKETS_OF_A_KERNEL)
    assert elsewhere(with_a_kernel) == []


def start_py():
    """The module start.py, which is on nobody's path."""
    spec = importlib.util.spec_from_file_location("start_py", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start_kernel(port, token):
    """Start a kernel, as opening a notebook does."""
    address = f"http://127.0.0.1:{port}/api/kernels"
    request = urllib.request.Request(address, b"", {"Authorization": f"token {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=60).close()


def documented_servers():
    """The commands of the README that start a server, as lists of words."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.strip().startswith("python") and "runserver" in line]
    django, uvicorn = line.split("# or:")
    return shlex.split(django), shlex.split(uvicorn)


def runserver(words, port):
    """Django's command on another port, on whatever address it names."""
    address = words[-1] if words[-1] != "runserver" else ""
    host = address.rpartition(":")[0]
    return [*words[: words.index("runserver") + 1], f"{host}:{port}" if host else str(port)]


def test_djangos_own_server_is_on_loopback(tmp_path):
    words = runserver(documented_servers()[0], free_port())
    with running([sys.executable, *words[1:]], cwd=ROOT, env=own_data(tmp_path)) as server:
        assert elsewhere(listeners_once_up(server)) == []


def test_uvicorn_is_on_loopback(tmp_path):
    words = [*documented_servers()[1], "--port", str(free_port())]
    with running([sys.executable, "-m", *words], cwd=ROOT, env=own_data(tmp_path)) as server:
        assert elsewhere(listeners_once_up(server)) == []


def own_data(tmp_path):
    return os.environ | {"LIBRARY_DATABASE": str(tmp_path / "library.sqlite3")}


# What the shell that runs this listens on.
MINE = """
import psutil
sockets = psutil.Process().net_connections("inet")
print(sorted({each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}))
"""


def test_the_shells_of_a_comparison_are_on_loopback():
    async def compare():
        return await shells(MINE)

    table = asyncio.run(compare())
    assert {name: row["outcome"] for (name, _), row in table.rows.items()} == {
        "jupyter": "['127.0.0.1']",
        "ipython": "[]",
        "python": "[]",
    }
