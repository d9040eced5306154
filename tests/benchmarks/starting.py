"""start.py lab, in a fresh clone and once more: how long until the server answers."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.benchmarks.figures import Budget, Figure

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300  # seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def seconds(clone: Path) -> float:
    """Start JupyterLab from a clone, wait for its first answer, and stop it."""
    port = free_port()
    # A Python of the system's own, as a learner has; not this environment's.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "start.py", "lab", "--no-browser", f"--port={port}"]
    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        lab = subprocess.Popen(command, cwd=clone, env=clean, stdout=said, stderr=said)
        try:
            while not answers(port):
                if lab.poll() is not None or time.perf_counter() - began > LIMIT:
                    said.seek(0)
                    raise RuntimeError(said.read().decode(errors="replace").strip()[-200:])
                time.sleep(0.05)
            return time.perf_counter() - began
        finally:
            if lab.poll() is None:
                lab.send_signal(signal.SIGINT)
            lab.wait(30)


def figures() -> list[Figure]:
    """A fresh clone, with whatever pip and uv have in their caches, and the second start."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        return [
            Figure("fresh clone to JupyterLab up", seconds(clone), "s", Budget(20)),
            Figure("second start", seconds(clone), "s", Budget(8)),
        ]
