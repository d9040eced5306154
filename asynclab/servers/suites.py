"""A test suite that cells have written, run as a project runs its own: in a process."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ..ground.errors import LabError
from ..ground.interrupts import held
from . import keeper, noting
from .modules import folder as folder_of_modules
from .process import environment_of_modules, project_folder, python_of

PATIENCE = 60
"""Seconds that a suite may take."""

RUNNERS = ("python", "pytest")

NOTING = "asynclab_noting"
"""What `noting` is imported by in the suite's process."""

# No file beside the modules, no notebooks, no progress in per cent, and no word of this default.
PYTEST = (
    f"-p {NOTING} -p no:cacheprovider -p no:nbval -o console_output_style=classic "
    "-o asyncio_default_fixture_loop_scope=function"
)

_FRAME = re.compile(r'  File "(?P<path>[^"]+)", line \d+, in ')
_MARKS = re.compile(r"[E ]*[\^~][\^~ ]*$")
_ALWAYS = re.compile(
    r"(Creating|Destroying)( old)? test database for|System check identified no issues|\s*$"
    r"|(RuntimeWarning: |\s+)Enable tracemalloc|\s+See https://docs.pytest|-- Docs:"
)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_RULE = re.compile(r"([=_-])\1{9,}")
_SECONDS = re.compile(r" in \d+\.\d+s\b( \(\d+:\d+:\d+\))?")
_TOOK = re.compile(r"(?<= took )\d+\.\d+(?= seconds)")
_FOREIGN = re.compile(r"(?<![\w.])(?:\.\./|/|[A-Z]:\\)[^\s:\"]*?([\w.-]+[/\\][\w-]+\.py):\d+")


def suite(command: str, **environment: str) -> "SuiteRun":
    """Run a test suite of modules that `%%module` has written, until it has ended.

        suite("python manage.py test shelf_tests")
        suite("pytest shelf_tests.py")

    It runs in the folder of those modules, with the settings of this kernel and a test database of
    its own.

    Args:
        command: what one would type.
        environment: further variables, such as `DJANGO_SETTINGS_MODULE`.

    Returns:
        What it wrote, without what differs from run to run and from machine to machine: times,
        folders, frames of others, and the lines about the test database.

    Raises:
        LabError: the command is none of Python's or pytest's, or has not ended in PATIENCE seconds.
            Then it names the test that has not ended, and shows what was written until then.
    """
    words = shlex.split(command)
    if words[:1] not in ([runner] for runner in RUNNERS):
        raise LabError(f"suite() takes a command of {' or '.join(RUNNERS)}; got {command!r}.")
    manage = project_folder() / "manage.py"
    if {"manage.py", "test"} <= set(words) and "--testrunner" not in command:
        words += ["--testrunner", f"{NOTING}.Runner"]
    words = [str(manage) if word == "manage.py" else word for word in words]
    given = {"PYTEST_ADDOPTS": PYTEST, "COLUMNS": "200"}
    status, said = _run(python_of(words), environment_of_modules(os.environ | given | environment))
    return SuiteRun(status, "\n".join(_told(said.splitlines())))


class SuiteRun:
    """What a suite has written, in short, as `text`; `status` is what its process ended with."""

    def __init__(self, status: int, text: str):
        self.status = status
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _run(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    noted = Path(folder_of_modules(), NOTING)
    noted.with_suffix(".txt").write_text("", encoding="utf-8")
    shutil.copyfile(noting.__file__, noted.with_suffix(".py"))
    with held():
        process = subprocess.Popen(
            [sys.executable, keeper.__file__, *command],
            cwd=folder_of_modules(),
            env=environment,
            stdin=subprocess.PIPE,  # its end is what the keeper waits for
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    keeping, process.stdin = process.stdin, None  # `communicate` would close it
    with process, keeping:
        try:
            return _status_and_text(process)
        except subprocess.TimeoutExpired:
            test = noted.with_suffix(".txt").read_text(encoding="utf-8")
            keeping.close()
            _, said = _status_and_text(process)
            raise LabError(_too_long(test, said)) from None


def _status_and_text(process: subprocess.Popen) -> tuple[int, str]:
    said = process.communicate(timeout=PATIENCE)[0]
    return process.returncode, said


def _too_long(test: str, said: str) -> str:
    begun = f"{test} has begun, and has not ended." if test else "No test is under way."
    told = "\n".join(_told(said.splitlines()))
    return f"The suite has not ended within {PATIENCE} seconds. {begun} It wrote:\n{told}"


def _told(lines: list[str]) -> Iterator[str]:
    """The lines that are the same on every machine; of a traceback, the suite's own frames."""
    mine = True
    for line in lines:
        if frame := _FRAME.match(line):
            mine = frame["path"].startswith(str(folder_of_modules()))
        elif not line.startswith("    ") and (mine or not line.startswith("  ")):
            mine = True
        if mine and not _MARKS.match(line) and not _ALWAYS.match(line):
            line = line.replace(f"{folder_of_modules()}{os.sep}", "")
            line = _TOOK.sub("...", _SECONDS.sub("", _ADDRESS.sub("", line)))
            line = _RULE.sub(r"\1" * 20, line)
            line, foreign = _FOREIGN.subn(r"\1", line)
            # Below a warning stands the line of code that it came from.
            mine = not (foreign and "Warning: " in line)
            yield line.rstrip()
