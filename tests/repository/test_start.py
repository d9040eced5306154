"""start.py, run for real: fresh copies of this checkout, real installs, a real JupyterLab."""

import ast
import importlib.metadata
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pexpect
import pytest
from packaging.requirements import Requirement

from asynclab import workspace
from asynclab.ground.first_cell import ADVICE
from tests.harness.browser import THEMES, Notebook, new_page
from tests.harness.checkout import copy_checkout
from tests.harness.mounts import mounted

ROOT = Path(__file__).resolve().parents[2]
PYTHON = getattr(sys, "_base_executable", sys.executable)
OLD = ("2.7", "3.6", "3.8", "3.9", "3.10")


@pytest.fixture
def fresh(tmp_path):
    """A copy nobody has started yet, in a folder with a space in its name."""
    return copy_checkout(tmp_path / "my course")


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A copy after its first `lab`, with what the terminal showed until Ctrl-C ended it."""
    folder = copy_checkout(tmp_path_factory.mktemp("started") / "my course")
    terminal = lab(folder)
    shown = terminal.before
    return folder, shown, terminal.page, ctrl_c(terminal)


def environment(**more):
    """A plain user's: not inside any virtual environment, and not in CI."""
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "CI", "ASYNCLAB_CHROMIUM")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST") and k not in dropped}
    path = [p for p in kept["PATH"].split(os.pathsep) if not p.startswith(sys.prefix)]
    return kept | {"PATH": os.pathsep.join(path)} | more


def offline(tmp_path):
    """No package can be reached, and none is remembered."""
    dead = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"), dead)
    return environment(**proxies, NO_PROXY="127.0.0.1", UV_CACHE_DIR=str(tmp_path / "empty"))


def start(folder, *arguments, env=None, before=()):
    """Run start.py to its end."""
    return subprocess.run(
        [*before, PYTHON, str(folder / "start.py"), *arguments],
        cwd=folder.parent,
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def set_up(folder, env=None):
    """Run `lab` up to the point where it finds that its port is taken: all but the server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        return start(folder, "lab", "--no-browser", "--port", port, env=env)


def lab(folder, env=None, before=(), more=()):
    """Start `lab` in a terminal of its own and fetch the page that it names."""
    command = [*before, PYTHON, str(folder / "start.py"), "lab", "--no-browser", "--port", "0"]
    command += more
    terminal = pexpect.spawn(
        command[0],
        command[1:],
        env=env or environment(),
        encoding="utf-8",
        timeout=120,
        dimensions=(24, 100),
    )
    terminal.expect(r"JupyterLab: (http://\S+)\s+Ctrl-C ends it")
    terminal.address = terminal.match[1]
    terminal.page = fetch(terminal.address)
    return terminal


def fetch(address):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(address, timeout=30).read().decode()


def ctrl_c(terminal):
    """Press Ctrl-C; return the exit code and what was shown after it."""
    terminal.sendcontrol("c")
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, terminal.before


def is_clear(outcome):
    """A failure in a line or two, without a traceback."""
    lines = outcome.stderr.strip().splitlines()
    return outcome.returncode == 1 and 1 <= len(lines) <= 2 and "Traceback" not in outcome.stderr


def old_pythons():
    """The Pythons on this machine that are too old for the course."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [path for old in OLD for path in sorted(pyenv.glob(f"{old}.*/bin/python"))] + [
        path for old in OLD if (path := shutil.which(f"python{old}")) and "shims" not in path
    ]


# ---------------------------------------------------------------- the way it should go


def test_the_first_start_shows_progress_and_opens_the_first_lesson(started):
    folder, shown, page, _ = started
    assert re.search(r"Installing requirements\.txt \.\.\. \d+ s", shown), shown
    assert '"treePath": "your_copy/notebooks/00_start_here.ipynb"' in page
    assert (folder / ".venv" / "requirements.txt.installed").exists()
    assert f"Your copy of the course: {folder / 'your_copy'}" in shown


def test_nobody_is_asked_about_news(started):
    # The server's own switch for news leaves the prompt; only without the extension is it gone.
    disabled = re.search(r'"disabledExtensions":\s*\[(.*?)\]', started[2], re.DOTALL)
    assert "@jupyterlab/apputils-extension:announcements" in disabled[1]


def test_ctrl_c_ends_it_without_a_question(started):
    status, said = started[3]
    assert status == 0
    assert "JupyterLab has ended." in said
    assert "Traceback" not in said
    assert "y/[n]" not in said


def test_exactly_the_lock_is_installed(started):
    packages = subprocess.check_output(
        [started[0] / ".venv/bin/python", "-c", "import site; print(site.getsitepackages()[0])"],
        text=True,
    ).strip()
    installed = {
        re.sub(r"[-_.]+", "-", found.name).lower(): found.version
        for found in importlib.metadata.distributions(path=[packages])
    }
    assert installed.keys() >= {"django", "jupyterlab"}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if re.match(r"[a-z]", line):
            pin = Requirement(line.rstrip("\\ "))
            if pin.marker is None or pin.marker.evaluate():
                assert installed[pin.name] in pin.specifier, pin.name


def test_the_second_start_needs_no_network_and_leaves_nothing_running(started, tmp_path):
    terminal = lab(started[0], env=offline(tmp_path))
    assert "Installing" not in terminal.before
    assert "Trusting" not in terminal.before
    with pytest.raises(urllib.error.HTTPError):
        fetch(terminal.address.replace("/lab/tree/", "/api/contents/").partition("?")[0])
    server = subprocess.check_output(["pgrep", "-P", str(terminal.pid)], text=True).split()
    assert len(server) == 1
    terminal.kill(signal.SIGTERM)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert not Path("/proc", server[0]).exists()


@pytest.mark.parametrize("home", ["a file", "read-only"])
def test_a_home_that_cannot_be_written_does_not_matter(started, tmp_path, home):
    folder = started[0]
    path, before = tmp_path / "home", ()
    if home == "a file":
        path.touch()
    else:
        path.mkdir()
        before = mounted(f"mount -t tmpfs -o ro none '{path}'")
    terminal = lab(folder, env=environment(HOME=str(path)), before=before)
    assert "your_copy/notebooks/00_start_here.ipynb" in terminal.page
    status, said = ctrl_c(terminal)
    assert status == 0
    assert "Error" not in terminal.before + said


def test_changed_notebooks_are_trusted_again(started):
    folder, shown, *_ = started
    assert "Trusting the notebooks" in shown
    assert "Trusting the notebooks" not in set_up(folder).stdout
    lesson = folder / "notebooks" / "00_start_here.ipynb"
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("A new end."))
    nbformat.write(notebook, lesson)
    assert "Trusting the notebooks" in set_up(folder).stdout


def test_a_failing_check_fails_the_test_command(started):
    folder = started[0]
    (folder / "planted.py").write_text("def test_planted():\n    assert not 'planted'\n")
    outcome = start(folder, "test", "planted.py", "-n", "0")
    assert outcome.returncode == 1
    assert "1 failed" in outcome.stdout


def test_what_you_wrote_is_kept_and_reset_gives_the_lesson_back(started):
    folder = started[0]
    lesson = folder / "your_copy" / "notebooks" / "00_start_here.ipynb"
    fresh = lesson.read_bytes()
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells[-1].source = "What I found out."
    nbformat.write(notebook, lesson)
    yours = lesson.read_bytes()
    set_up(folder)
    assert lesson.read_bytes() == yours
    outcome = start(folder, "reset", "0", env=environment(ASYNCLAB_COPY="elsewhere"))
    assert outcome.returncode == 0, outcome.stderr
    assert "kept beside it: 00_old_" in outcome.stdout
    assert lesson.read_bytes() == fresh
    assert [path.read_bytes() for path in lesson.parent.glob("00_old_*")] == [yours]
    assert is_clear(start(folder, "reset", "17"))


def test_without_a_copy_that_can_be_written_there_is_no_jupyterlab(started):
    copy = started[0] / "your_copy"
    kept = copy.rename(copy.with_name("kept"))
    copy.write_text("Persuasion")
    outcome = set_up(started[0])
    copy.unlink()
    kept.rename(copy)
    assert is_clear(outcome), outcome.stderr
    assert "Your copy cannot be written" in outcome.stderr


@pytest.mark.browser
def test_the_page_shows_lessons_and_exercises_and_tells_of_the_first_cell(
    started, browser, tmp_path
):
    """What a learner does in the first minutes, with the mouse, in the JupyterLab of `lab`."""
    # The theme and the open tabs are not to be found in this machine's own JupyterLab.
    mine = [f"--LabApp.{what}_dir={tmp_path / what}" for what in ("user_settings", "workspaces")]
    terminal = lab(started[0], more=["--LabApp.expose_app_in_browser=True", *mine])
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = new_page(context)
    page.goto(terminal.address)
    files = page.locator(".jp-DirListing")
    for folder in ("exercises", "notebooks"):
        files.get_by_text(folder, exact=True).wait_for(timeout=60_000)
    assert page.locator(".jp-BreadCrumbs").inner_text().strip("/ ") == "your_copy"
    tabs = page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel")
    tabs.get_by_text("00_start_here.ipynb", exact=True).wait_for()
    page.locator(".jp-StatusItem-trust [data-icon$=':trusted']").wait_for()

    files.get_by_text("exercises", exact=True).dblclick()
    files.get_by_text("00_exercises_start_here.ipynb").dblclick()
    tabs.get_by_text("00_exercises_start_here.ipynb", exact=True).wait_for()
    exercise = Notebook(page, None).ready()
    check = page.locator(".jp-Notebook:visible .jp-CodeCell", has_text="await check")
    check.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    check.get_by_text(ADVICE).wait_for(timeout=60_000)
    for theme in THEMES:
        exercise.theme(theme)
        check.get_by_text(ADVICE).scroll_into_view_if_needed()
        exercise.shoot(f"first-minutes-{theme}")

    page.evaluate("async () => await jupyterapp.shell.currentWidget.context.save()")
    saved = workspace.read(started[0] / "your_copy/exercises/00_exercises_start_here.ipynb")
    assert workspace.has_outputs(saved)
    as_made = workspace.mark(saved)["sources"]
    assert as_made == workspace.digest(workspace.sources(saved)), "to run is not to change"
    context.close()
    status, shown = ctrl_c(terminal)
    assert status == 0
    assert "WARNING" not in shown, shown


def test_help_lists_the_commands(fresh):
    outcome = start(fresh, "--help")
    assert outcome.returncode == 0
    listed = set(re.findall(r"start\.py (\w+)", outcome.stdout))
    assert listed == set(re.findall(r'^    "(\w+)": \1,$', (fresh / "start.py").read_text(), re.M))
    assert {"lab", "test"} < listed
    assert start(fresh, "lba").returncode == 2


# ---------------------------------------------------------------- what can go wrong


def test_an_old_python_is_told(fresh):
    ast.parse((fresh / "start.py").read_text(), feature_version=(3, 7))
    found = old_pythons()
    if not found:
        pytest.skip("no Python older than 3.11 on this machine; the syntax alone was checked")
    for python in found:
        outcome = subprocess.run(
            [python, fresh / "start.py", "lab"], capture_output=True, text=True, check=False
        )
        assert is_clear(outcome), outcome.stderr
        assert "needs Python 3.11 or newer" in outcome.stderr


def test_a_port_in_use_is_named(started):
    outcome = set_up(started[0])
    assert is_clear(outcome), outcome.stderr
    assert re.search(r"^Port \d+ cannot be had. Choose another with --port", outcome.stderr)


def test_without_a_network_what_was_there_goes_on_working(started, tmp_path):
    outcome = start(started[0], "bench", env=offline(tmp_path))
    assert is_clear(outcome), outcome.stderr
    assert "cannot be reached" in outcome.stderr
    assert "cannot be had" in set_up(started[0], env=offline(tmp_path)).stderr


def test_a_python_newer_than_tested_is_told_and_goes_on(started, fresh, tmp_path):
    file = fresh / "start.py"
    assert "the course is tested" not in started[1]
    file.write_text(file.read_text().replace("NEWEST_TESTED = (3, 15)", "NEWEST_TESTED = (3, 10)"))
    outcome = start(fresh, "lab", env=offline(tmp_path))
    here = ".".join(map(str, sys.version_info[:2]))
    assert f"This is Python {here}, and the course is tested up to 3.10: " in outcome.stdout
    assert outcome.stdout.count("the course is tested") == 1
    assert "cannot be reached" in outcome.stderr, "it went on"


def test_a_read_only_folder_is_named(fresh):
    inside = mounted(f"mount --bind '{fresh}' '{fresh}' && mount -o remount,ro,bind '{fresh}'")
    outcome = start(fresh, "lab", "--no-browser", before=inside)
    assert is_clear(outcome), outcome.stderr
    assert "cannot be written to" in outcome.stderr


def test_a_full_disk_is_named(fresh):
    small = fresh.with_name("small disk")
    small.mkdir()
    inside = mounted(f"mount -t tmpfs -o size=99m none '{small}'; cp -r '{fresh}/.' '{small}'")
    outcome = start(small, "lab", "--no-browser", before=inside)
    assert is_clear(outcome), outcome.stderr
    assert "disk is full" in outcome.stderr


@pytest.mark.nightly
def test_every_interrupted_start_is_recovered_by_the_next(fresh, tmp_path):
    """No network, Ctrl-C, a kill, two starts at once, the folder moved: each start repairs."""
    cut_off = start(fresh, "lab", env=offline(tmp_path))
    assert is_clear(cut_off), cut_off.stderr
    assert "cannot be reached" in cut_off.stderr

    stopped = interrupt(fresh, "Getting pip", signal.SIGINT)
    assert "Stopped. The next start goes on from here." in stopped
    assert "Traceback" not in stopped

    interrupt(fresh, "Installing requirements.txt", signal.SIGKILL)
    assert (fresh / ".venv" / "unfinished").exists()

    with ThreadPoolExecutor() as pool:
        pair = list(pool.map(set_up, [fresh, fresh]))
    assert sum("Making .venv" in one.stdout for one in pair) == 1, pair
    assert sum("Another start is setting up" in one.stdout for one in pair) == 1, pair
    assert all("cannot be had" in one.stderr for one in pair), pair
    assert not (fresh / ".venv" / "unfinished").exists()

    moved = fresh.rename(tmp_path / "moved course")
    interrupt(moved, "Making .venv", signal.SIGKILL)


def interrupt(folder, step, number):
    """Send a signal to start.py and what it runs, as a terminal does, once a step has begun."""
    process = subprocess.Popen(
        [PYTHON, "-u", str(folder / "start.py"), "lab", "--no-browser"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = ""
    while step not in said:
        line = process.stdout.readline()
        assert line, f"{step!r} never came: {said}"
        said += line
    os.killpg(process.pid, number)
    said += process.stdout.read()
    assert process.wait(60) != 0
    return said
