"""What the course starts can be reached from this machine only, and nothing secret is committed."""

import asyncio
import importlib.util
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from asynclab.shells import shells
from tests.harness.listening import SECONDS, elsewhere, listeners_once_up

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "test"
SOCKETS_OF_A_KERNEL = 5  # shell, control, stdin, iopub, heartbeat
EVERYWHERE = "import socket\nwith socket.create_server(('', 0)):\n    input()"


# --- servers: on loopback only ------------------------------------------------------------------


@contextmanager
def running(command, said=os.devnull, **options):
    """A server and whatever it starts, for one block; what it says goes to the file `said`."""
    with open(said, "wb") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, **options
        )
    try:
        yield server
    finally:
        server.terminate()
        server.communicate(timeout=20)


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
        "JUPYTER_TOKEN": TOKEN,
    }
    with running([sys.executable, *options], env=mine) as server:
        alone = listeners_once_up(server)
        start_kernel(port)
        with_a_kernel = listeners_once_up(server, least=len(alone) + SOCKETS_OF_A_KERNEL)
    assert elsewhere(with_a_kernel) == []


def start_py():
    """The module start.py, which is on nobody's path."""
    spec = importlib.util.spec_from_file_location("start_py", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start_kernel(port):
    """Start a kernel, as opening a notebook does."""
    address = f"http://127.0.0.1:{port}/api/kernels"
    request = urllib.request.Request(address, b"", {"Authorization": f"token {TOKEN}"})
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


# --- secrets: none in the repository ------------------------------------------------------------

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY",
    "a key of a cloud": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}",
    "a token of a forge": r"\bgh[pousr]_\w{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}",
    "a token of an index or a chat": r"\bpypi-AgEI|\bhf_\w{34}\b|\bxox[abpr]-\w{10}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
    "a token of JupyterLab": r"[?&]token=[\w-]{8}",
    # A single character is no key: a script whose Django has to have one once had that.
    "a key of Django": r"""SECRET_KEY["']?\s*[:=]\s*["'][^"']{2}|django[-]insecure-""",
    "a password": r"""(?i)(?:passw(?:or)?d|secret|api_?key|token)["']?\s*[:=]\s*["']"""
    r"""(?!of-this-test)[^\s"'<]{8}""",
    "an address with a password": r"""://[^\s/:@'"{]+:[^\s/:@'"{]+@""",
}


def secrets_in(text):
    return [what for what, pattern in SECRETS.items() if re.search(pattern, text)]


def committed_files():
    """What git knows; in a copy without git, all but what tools make."""
    if (ROOT / ".git").exists():
        listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
        return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
    made = {".venv", "build", "test-results", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & {*path.parts}]


def test_no_secret_is_in_the_repository():
    files = committed_files()
    assert len(files) > 100
    found = {str(path): secrets_in(path.read_text(errors="replace")) for path in files}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


def test_no_secret_ever_was():
    if not (ROOT / ".git").exists():
        pytest.skip("this copy has no history")
    history = subprocess.check_output(["git", "log", "-p", "--all"], cwd=ROOT)
    assert secrets_in(history.decode(errors="replace")) == []


# In two parts, so that this file holds no secret.
PLANTED = [
    ("-----BEGIN OPENSSH ", "PRIVATE KEY-----"),
    ("AKIA", "IOSFODNN7EXAMPLE"),
    ("ghp_", "0123456789abcdefghijABCDEFGHIJ012345"),
    ("pypi-", "AgEIcHlwaS5vcmc"),
    ("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
    ("http://127.0.0.1:8888/lab?tok", "en=0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("SECRET_", "KEY = 'django-" + "insecure-k3y'"),
    ('"api_', 'key": "0123456789abcdef"'),
    ("postgres://library:s3", "cret@db.example/library"),
]


@pytest.mark.parametrize("parts", PLANTED, ids=SECRETS)
def test_a_secret_is_noticed(parts):
    what = list(SECRETS)[PLANTED.index(parts)]
    assert what in secrets_in(f"before\n{''.join(parts)}\nafter")


# --- the demo project's key: made at start, shown to nobody ---------------------------------------

THE_KEY = "import config.settings; print(config.settings.SECRET_KEY)"
KEY_OF_A_CHILD = """
import subprocess, sys
import config.settings
print(config.settings.SECRET_KEY, flush=True)
subprocess.run([sys.executable, "-c", "import config.settings as s; print(s.SECRET_KEY)"])
"""


def printed(source, **variables):
    inherited = {name: value for name, value in os.environ.items() if name != "LIBRARY_SECRET_KEY"}
    return subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT / "demo_project",
        env=inherited | variables | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_each_start_has_a_key_of_its_own():
    first, second = printed(THE_KEY), printed(THE_KEY)
    assert first != second
    assert len(first.strip()) == len(second.strip()) == 50


def test_the_processes_of_one_start_share_its_key():
    mine, childs = printed(KEY_OF_A_CHILD).split()
    assert mine == childs


def test_several_servers_can_be_given_one_key():
    given = "k" * 50
    assert printed(THE_KEY, LIBRARY_SECRET_KEY=given) == f"{given}\n"


@pytest.fixture
def admin_site(tmp_path):
    """A copy of the demo project with somebody who may log in, and the environment it runs in."""
    project = shutil.copytree(ROOT / "demo_project", tmp_path / "demo_project")
    mine = own_data(tmp_path) | {"DJANGO_SUPERUSER_PASSWORD": secrets.token_urlsafe()}
    mine.pop("LIBRARY_SECRET_KEY", None)
    for command in ("migrate", "createsuperuser --noinput --username jane --email jane@a.example"):
        manage = [sys.executable, "manage.py", *command.split()]
        subprocess.run(manage, cwd=project, env=mine, check=True, capture_output=True)
    return project, mine


class Visitor:
    """A browser without a page: it keeps cookies."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"
        self.cookies = urllib.request.HTTPCookieProcessor()
        no_proxy = urllib.request.ProxyHandler({})
        self.opener = urllib.request.build_opener(no_proxy, self.cookies)

    def get(self, path, form=None, **headers):
        body = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(self.address + path, body, headers)
        try:
            return self.opener.open(request, timeout=60).read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def log_in(self, password):
        self.get("/admin/login/")
        [token] = [c.value for c in self.cookies.cookiejar if c.name == "csrftoken"]
        form = {"username": "jane", "password": password, "csrfmiddlewaretoken": token}
        return self.get("/admin/login/?next=/admin/", form)


def test_a_reload_keeps_sessions_and_no_page_shows_the_key(admin_site, tmp_path):
    project, mine = admin_site
    visitor = Visitor(port := free_port())
    said = tmp_path / "said.txt"
    command = [sys.executable, "-u", "manage.py", "runserver", str(port)]
    with running(command, said, cwd=project, env=mine) as server:
        listeners_once_up(server)
        assert "Log out" in visitor.log_in(mine["DJANGO_SUPERUSER_PASSWORD"])
        [before] = psutil.Process(server.pid).children()
        (project / "config" / "settings.py").touch()
        before.wait(SECONDS)
        listeners_once_up(server)
        assert "Log out" in visitor.get("/admin/")
        [after] = psutil.Process(server.pid).children()
        key = after.environ()["LIBRARY_SECRET_KEY"]
        refusal = visitor.get("/", Host="elsewhere.example")
    assert "LIBRARY_SECRET_KEY" in refusal
    assert "SECRET_KEY</td>" in refusal
    assert key not in refusal + said.read_text()
