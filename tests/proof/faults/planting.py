"""Copy the tree, plant a fault in the copy, run the check that guards against it, and judge.

Caught means more than red: the same check is green without the fault, tests have failed (no usage
error, no broken import), and one that failed gives the expected reason.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil

from tests.proof.faults.edits import CannotPlant, Plant, find, nothing, place

SECONDS = 240
"""How long one check may take."""

CAUGHT = "caught"
MISSED = "missed"
WRONG_REASON = "wrong reason"
RED_BEFORE = "red before"
NOT_PLANTED = "not planted"
NOT_RUN = "not run"
SKIPPED = "skipped"
VERDICTS = (CAUGHT, MISSED, WRONG_REASON, RED_BEFORE, NOT_PLANTED, NOT_RUN, SKIPPED)

_COLOUR = re.compile(r"(\x1b|#x1B)\[[0-9;]*m")


@dataclass(frozen=True)
class Fault:
    """One fault, and the check that has to notice it.

    Args:
        name: how it is asked for, unique in the catalogue.
        kind: what sort of thing is broken.
        plant: puts it into a copy of the tree, given the copy's root.
        check: pytest's arguments: the narrowest selection that guards against it. A notebook's
            cells are named by their ids: `notebooks/02_*.ipynb#boot`.
        reason: phrases that one failing test has to say, all of them.
        env: what is added to the environment of the run.
        browser: whether the check opens a browser; those come last.
        fast: whether it is part of every test run.
    """

    name: str
    kind: str
    plant: Plant
    check: tuple[str, ...]
    reason: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    browser: bool = False
    fast: bool = False


@dataclass(frozen=True)
class Run:
    """What pytest made of a check.

    Args:
        code: its exit code.
        passed: how many tests passed.
        failed: the text of each test that did not, by its name.
        words: the last line that was printed.
    """

    code: int
    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True)
class Judged:
    """A fault, what became of it, and why if it was not caught."""

    fault: Fault
    verdict: str
    note: str = ""


def judge(fault: Fault, before: Run, after: Run) -> tuple[str, str]:
    """The verdict on a fault, and a note.

    Args:
        before: the check without the fault.
        after: the check with it.
    """
    if before.code:
        return RED_BEFORE, next(iter(before.failed), before.words)
    if not before.passed:
        return SKIPPED, before.words
    if after.code == 0:
        return MISSED, f"{after.passed} tests passed"
    if after.code != 1 or not after.failed:
        return NOT_RUN, f"pytest ended with {after.code}: {after.words}"
    for name, said in after.failed.items():
        if all(phrase in said for phrase in fault.reason):
            return CAUGHT, name
    return WRONG_REASON, f"{', '.join(after.failed)}: not {' and '.join(fault.reason)}"


class Bench:
    """Where faults are planted.

    Args:
        tree: the tree to copy; it stays as it is.
        folder: where the copies are made. Each goes when its fault has been judged.
        workers: how many checks run at once.
    """

    def __init__(self, tree: Path, folder: Path, workers: int = 2):
        self.tree, self.folder, self.workers = tree, folder, workers

    def judged(self, faults: Iterable[Fault]) -> Iterator[Judged]:
        """Judge the faults in their order, those for a browser last.

        Each check runs once without a fault, however many faults it guards against.
        """
        faults, before = sorted(faults, key=lambda fault: fault.browser), {}
        pool = ThreadPoolExecutor(self.workers)
        try:
            after = []
            for fault in faults:
                if fault.check not in before:
                    before[fault.check] = pool.submit(self._run, fault.check)
                after.append(pool.submit(self._run, fault.check, fault.plant, fault.env))
            for fault, run in zip(faults, after, strict=True):
                yield _judged(fault, before[fault.check], run)
        finally:
            pool.shutdown(cancel_futures=True)

    def _run(
        self, check: tuple[str, ...], plant: Plant = nothing, env: dict[str, str] | None = None
    ) -> Run:
        """Run a check in a copy of its own, with or without a fault."""
        home = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            root = shutil.copytree(self.tree, home / "tree")
            plant(root)
            return run_check(root, check, env)
        finally:
            shutil.rmtree(home, ignore_errors=True)


def _judged(fault: Fault, before: Future[Run], after: Future[Run]) -> Judged:
    try:
        return Judged(fault, *judge(fault, before.result(), after.result()))
    except CannotPlant as problem:
        return Judged(fault, NOT_PLANTED, str(problem))


def arguments(root: Path, check: tuple[str, ...]) -> list[str]:
    """A check as pytest takes it: nbval knows cells by their numbers only.

    Raises:
        CannotPlant: there is no such notebook, or no such cell.
    """
    return [_argument(root, part) for part in check]


def _argument(root: Path, part: str) -> str:
    path, mark, cell_id = part.partition(".ipynb#")
    if not mark:
        return part
    file = find(root, f"{path}.ipynb")
    number = place(nbformat.read(file, as_version=4), cell_id, "code")
    return f"{file.relative_to(root).as_posix()}::Cell {number}"


def run_check(root: Path, check: tuple[str, ...], env: dict[str, str] | None = None) -> Run:
    """Run pytest in a copy of the tree; what the copy holds is what its kernels import.

    Args:
        root: the copy. What the run leaves goes beside it.
        check: as in `Fault`.
        env: what is added to the environment.

    Raises:
        CannotPlant: the check names a cell that is not there.
    """
    report, words, temporary = (root.with_name(name) for name in ("report.xml", "words", "tmp"))
    temporary.mkdir()
    command = [sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider", "-m", ""]
    if any(".ipynb" in part for part in check):
        command += ["-p", "nbval.plugin", "-p", "tests.harness.twice", "--nbval"]
    command += [f"--junitxml={report}", *arguments(root, check)]
    try:
        with open(words, "wb") as printed:
            code = subprocess.run(
                command,
                cwd=root,
                env=_environment(root, temporary) | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                timeout=SECONDS,
                check=False,
            ).returncode
        return _read(report, code, _last_line(words))
    except subprocess.TimeoutExpired:
        return Run(-1, words=f"no end in {SECONDS} s")
    finally:
        _end_what_is_left(root)


def _environment(root: Path, temporary: Path) -> dict[str, str]:
    """This process's, without what the pytest that started it has added.

    Each plugin that is there takes a second to load; a check names the one that it needs.
    """
    kept = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST")}
    own = {"PYTHONPATH": str(root), "TMPDIR": str(temporary)}
    return kept | own | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _end_what_is_left(root: Path) -> None:
    """End the processes that a broken check has left; they carry the copy in their environment."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("PYTHONPATH") == str(root):
                process.kill()


def _read(report: Path, code: int, words: str) -> Run:
    if not report.exists():
        return Run(code, words=words)
    passed, failed = 0, {}
    for case in ElementTree.parse(report).iter("testcase"):
        bad = [each for each in case if each.tag in ("failure", "error")]
        passed += not bad and case.find("skipped") is None
        if bad:
            name = f"{case.get('classname')}::{case.get('name')}"
            said = "\n".join(f"{each.get('message')}\n{each.text}" for each in bad)
            failed[name] = f"{name}\n{_findings(_COLOUR.sub('', said))}"
    return Run(code, passed, failed, words)


def _findings(said: str) -> str:
    """What pytest found out, without the source around it, which says the same in any failure."""
    lines = said.splitlines()
    return "\n".join([line for line in lines if line.startswith("E ")] or lines)


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")
