"""A real JupyterLab in a headless Chromium, for the tests that need a page.

    def test_it(lab, page):
        lesson = Notebook(page, lab).open("01_lesson.ipynb")
        lesson.run_all()
        lesson.wait_until_idle()

`lab` is a server of its own over a learner's copy of the notebooks; `page` is a new browser page
that collects what the console reports as an error.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asynclab import workspace

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
SERVED = ("notebooks", "exercises", "solutions")
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


# A cell that defines `draw`: the live picture of a recording made by hand, `length` ms long. An
# event is (lane, ms, op, key, kind, name, detail).
DRAW = """\
from asynclab.recorder.events import *
from asynclab.lanes import Lanes, LiveLanes
def draw(*events, roles=("event loop", "thread-sensitive worker"), length=40):
    recording = Recording()
    for role in roles:
        recording._open_lane(lambda: role)
    for lane, at, *rest in sorted(events, key=lambda event: event[1]):
        recording.events += (recording.began + at * 1_000_000, rest[0], lane, *rest[1:])
    recording.ended = recording.began + length * 1_000_000
    return Lanes(recording, LiveLanes(recording))"""


class Lab:
    """A running JupyterLab.

    Args:
        url: where it answers, without a slash at the end.
        folder: what it serves.
    """

    def __init__(self, url: str, folder: Path):
        self.url = url
        self.folder = folder

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells into the served folder; return its name."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook))
        return name


@contextmanager
def running_lab(folder: Path, config: Path | None = None) -> Iterator[Lab]:
    """Serve `folder` by a JupyterLab on a free port, without token and news, until the end.

    Args:
        config: a folder with Jupyter's configuration files. Without one it is a JupyterLab as
            anybody has it, whatever the course has configured in this environment.
    """
    port = _free_port()
    state = folder.parent / f"{folder.name}-state"
    _quiet(state / "settings")
    config = config or _plain(state / "config")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.password=",
        "--LabApp.expose_app_in_browser=True",
        f"--LabApp.user_settings_dir={state / 'settings'}",
        f"--LabApp.workspaces_dir={state / 'workspaces'}",
    ]
    # Nothing that the machine's user has set may change what a test sees.
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(state),
        "JUPYTER_CONFIG_PATH": str(config),
        "JUPYTER_RUNTIME_DIR": str(state),
    }
    with open(state / "server.log", "wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        lab = Lab(f"http://127.0.0.1:{port}", folder)
        _wait_for(lab, server, state / "server.log")
        yield lab
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            # It hangs now and then on a busy machine; a test run leaves nothing behind.
            server.kill()
            server.wait()


def _plain(config: Path) -> Path:
    """Configuration that takes the course's own back: what stands first on the path wins."""
    config.mkdir(parents=True)
    plain = {"ContentsManager": {"pre_save_hook": None}}
    (config / "jupyter_server_config.json").write_text(json.dumps(plain))
    return config


def _quiet(settings: Path) -> None:
    """Settings with which JupyterLab neither fetches news nor asks whether it may."""
    folder = settings / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(quiet))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(lab: Lab, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{lab.url}/api/status", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not come up:\n{log.read_text()[-3000:]}")


@contextmanager
def browser_of(chromium: str):
    """A headless Chromium, driven by playwright's sync API."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(chromium):
    """One Chromium for all tests of a module.

    Not of a session: while playwright is at work, the thread has a running event loop, and the
    next module may want to run one.
    """
    with browser_of(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def lab(chromium, tmp_path_factory):
    """One JupyterLab for all tests of a session, over a learner's copy, and the solutions."""
    folder = tmp_path_factory.mktemp("lab")
    list(workspace.update(folder))
    for path in (ROOT / "solutions").glob("*.ipynb"):
        solved = workspace.without_outputs(workspace.read(path))
        workspace.write(folder / "solutions" / path.name, solved)
    with running_lab(folder) as running:
        yield running


@pytest.fixture
def page(browser):
    """A new page of 1200 by 900 pixels; `page.reported` lists the console's errors."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = new_page(context)
    yield page
    context.close()


def new_page(context):
    """A page of a browser context that keeps what goes wrong in it in `reported`.

    The addresses that it asks for are in `asked`.
    """
    page = context.new_page()
    page.reported, page.asked = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.reported.append(str(error)))
    page.on(
        "console",
        lambda message: page.reported.append(message.text) if message.type == "error" else None,
    )
    return page


class Notebook:
    """A notebook in a page.

    Args:
        page: a playwright page.
        lab: the server that has the notebook.
    """

    def __init__(self, page, lab: Lab):
        self.page = page
        self.lab = lab

    def open(self, name: str, theme: str = "light") -> "Notebook":
        """Open a notebook (a path below the served folder) and wait for its kernel.

        It is one more tab if the page shows this JupyterLab already.
        """
        if self.page.url.startswith(f"{self.lab.url}/lab/"):
            self.page.evaluate(OPEN, name)
            return self.ready(theme)
        # A workspace of its own: what another test left open stays closed.
        workspace = f"w{time.monotonic_ns()}"
        self.page.goto(f"{self.lab.url}/lab/workspaces/{workspace}/tree/{name}")
        return self.ready(theme)

    def ready(self, theme: str = "light") -> "Notebook":
        """Wait for the kernel of the notebook that the page shows."""
        self.page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
        self.page.evaluate(
            "async () => { await jupyterapp.restored;"
            " await jupyterapp.shell.currentWidget.sessionContext.ready; }"
        )
        self.theme(theme)
        self.page.wait_for_function(f"({STATUS})() === 'idle'", timeout=60_000)
        return self

    def theme(self, name: str) -> None:
        """Switch to the theme "light" or "dark", and wait until the page has it."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })",
            THEMES[name],
        )
        light = "true" if name == "light" else "false"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def run_all(self) -> None:
        """Choose Run, Run All Cells in the menu: all cells are queued at once."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_function(STARTED, timeout=60_000)

    def wait_until_idle(self, timeout: float = 120) -> None:
        """Wait until every cell that was queued is done.

        Args:
            timeout: seconds.

        Raises:
            AssertionError: the time is up.
        """
        assert self.page.evaluate(f"({IDLE})({timeout * 1000})"), f"still busy after {timeout} s"

    @property
    def lanes(self):
        """The visible live pictures, in their order, as a playwright locator."""
        return self.page.locator(".asynclab-lanes:visible")

    def shoot(self, name: str, what=None) -> Path:
        """Keep a picture of the page, or of a locator in it, in test-results/."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{name}.png"
        (what or self.page).screenshot(path=path)
        return path


OPEN = """async (path) => {
    const panel = await jupyterapp.commands.execute("docmanager:open", { path });
    await panel.context.ready;
}"""
STATUS = "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status"
STARTED = """() => jupyterapp.shell.currentWidget.content.widgets
    .some(({ model }) => model.executionState === "running" || model.executionCount)"""
# Cells are queued in their order, so this silent request is answered when the last one has ended.
# JupyterLab's own signs are not enough: the first error under Run All takes `[*]` from the cells
# that wait, whether or not its cell may raise.
IDLE = """async (patience) => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    const last = kernel.requestExecute({ code: "", silent: true, stop_on_error: false });
    const late = new Promise((resolve) => setTimeout(resolve, patience, false));
    return await Promise.race([last.done.then(() => true), late]);
}"""

CONTRAST = """(nodes) => {
    const known = new Map();
    const channels = (colour) => {
        if (!known.has(colour)) {
            const pen = document.createElement("canvas").getContext("2d");
            pen.fillStyle = colour;
            pen.fillRect(0, 0, 1, 1);
            known.set(colour, [...pen.getImageData(0, 0, 1, 1).data]);
        }
        return known.get(colour);
    };
    const over = ([r, g, b, a], below) =>
        [r, g, b].map((c, i) => (c * a + below[i] * (255 - a)) / 255);
    const behind = (node) => {
        const colours = [];
        for (let at = node; at; at = at.parentElement) {
            const colour = channels(getComputedStyle(at).backgroundColor);
            colours.push(colour);
            if (colour[3] === 255) break;
        }
        return colours.reverse().reduce((below, colour) => over(colour, below), [255, 255, 255]);
    };
    const light = (rgb) => rgb
        .map((c) => c / 255)
        .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const opacity = (node) =>
        node ? getComputedStyle(node).opacity * opacity(node.parentElement) : 1;
    const says = (node) => node.checkVisibility({ visibilityProperty: true })
        && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    return nodes.filter(says).map((node) => {
        const ground = behind(node);
        const [r, g, b, alpha] = channels(getComputedStyle(node).color);
        const ink = over([r, g, b, alpha * opacity(node)], ground);
        const [dark, bright] = [light(ground), light(ink)].sort((a, b) => a - b);
        return [(bright + 0.05) / (dark + 0.05), node.className, node.textContent.slice(0, 40)];
    });
}"""


def contrasts(locator) -> list[tuple[float, str, str]]:
    """The contrast of text and ground (WCAG 2) of every node that shows text of its own.

    Returns:
        For each node its contrast, its class and the beginning of its text.
    """
    return [tuple(found) for found in locator.evaluate_all(CONTRAST)]
