"""The demo project runs by itself, as any Django project does."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

PROJECT = Path(__file__).resolve().parents[2] / "demo_project"


@pytest.fixture
def environment(tmp_path):
    """The shell's environment, with a database of this test's own and no Django settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return clean | {"LIBRARY_DATABASE": str(tmp_path / "library.sqlite3")}


def manage(*arguments, environment):
    return subprocess.run(
        [sys.executable, PROJECT / "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page(url, server, seconds=20):
    """Ask until the server answers: it needs a moment to come up, and says nothing when it has."""
    deadline = time.monotonic() + seconds
    while True:
        assert server.poll() is None, "the server ended"
        try:
            return urlopen(url, timeout=5).read().decode()
        except URLError:
            assert time.monotonic() < deadline, "the server never answered"
            time.sleep(0.05)


def test_its_own_tests_pass(environment):
    result = manage("test", "library", environment=environment)
    assert result.returncode == 0, result.stderr
    assert "Ran 0 tests" not in result.stderr


def test_migrations_match_the_models(environment):
    result = manage("makemigrations", "--check", "--dry-run", environment=environment)
    assert (result.returncode, result.stdout) == (0, "No changes detected\n"), result.stderr


def test_system_check_is_clean(environment):
    result = manage("check", "--fail-level", "DEBUG", environment=environment)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "command",
    [
        [PROJECT / "manage.py", "runserver", "--noreload", "127.0.0.1:{port}"],
        ["-m", "uvicorn", "config.asgi:application", "--app-dir", PROJECT, "--port", "{port}"],
    ],
    ids=["runserver", "uvicorn"],
)
def test_serves_its_pages(command, environment):
    assert manage("migrate", environment=environment).returncode == 0
    assert manage("loaddata", "library", environment=environment).returncode == 0
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, *(str(part).format(port=port) for part in command)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        assert "Pride and Prejudice" in page(f"{address}/", server)
        assert "<h1>Sense and Sensibility</h1>" in page(f"{address}/books/1/", server)
        assert '"book": "Orlando"' in page(f"{address}/loans/", server)
    finally:
        server.terminate()
        server.wait(timeout=10)


def test_does_not_know_the_kit():
    sources = list(PROJECT.rglob("*.py"))
    assert sources
    assert not [source for source in sources if "asynclab" in source.read_text(encoding="utf-8")]
