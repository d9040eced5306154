"""The lessons, their solutions and the kit's tests on every supported stack.

    python3 start.py matrix               the oldest stack and the newest
    python3 start.py matrix --all         every row
    python3 start.py matrix 3.14/6.1      the rows named
    python3 start.py matrix --root-folder ...    where a Python is missing: Debian's, by debootstrap

Each row gets an environment of its own under build/matrix. Options of pytest follow `--`.

The oldest stack is the lowest version of everything that pyproject.toml names. What the lock
installs for the Python that runs this, `python3 start.py test` has run already.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement

from start import PLUGINS
from tests.proof.rootfolder import PYTHONS, NotMade, root_folder

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "matrix"
LOCK = ROOT / "requirements-test.txt"
EXTRAS = ("lab", "test")

# They test the locks, the checkout's files, other environments or the tests: no row changes that.
LEFT_OUT = [
    "tests/harness",
    "tests/proof",
    "tests/repository",
    "tests/lessons/test_addresses.py",
    "tests/lessons/test_prose.py",
    "tests/lessons/test_quotations.py",
]


@dataclass
class Row:
    """One stack that the course promises to run on.

    Args:
        name: what it is called on the command line.
        python: the interpreter's version, as "3.13".
        expect: distribution -> the start of the version that must be installed, as "5.2".
        instead: requirements put in place of what the lock lists.
        lowest: the lowest version of everything that pyproject.toml names, in place of the lock.
    """

    name: str
    python: str
    expect: dict[str, str]
    instead: list[str] = field(default_factory=list)
    lowest: bool = False

    @property
    def folder(self):
        return BUILD / self.name.replace("/", "-django-")

    @property
    def interpreter(self):
        scripts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return self.folder.joinpath(*scripts)


def bounds():
    """The lowest version of each distribution that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (project["optional-dependencies"][extra] for extra in EXTRAS)
    named = map(Requirement, sum(extras, project["dependencies"]))
    return {
        each.name: part.version
        for each in named
        for part in each.specifier
        if part.operator == ">=" and (each.marker is None or each.marker.evaluate())
    }


ROWS = [
    Row("lowest", "3.11", bounds(), lowest=True),
    Row("3.11/5.2", "3.11", {"django": "5.2", "ipykernel": "7"}),
    Row("3.12/5.2", "3.12", {"django": "5.2", "ipykernel": "7"}, ["django==5.2.*"]),
    Row("3.12/6.1", "3.12", {"django": "6.1", "ipykernel": "7"}),
    Row("3.13/6.1", "3.13", {"django": "6.1", "ipykernel": "7"}),
    Row("3.14/6.1", "3.14", {"django": "6.1", "ipykernel": "7"}),
    Row("3.15/6.1", "3.15", {"django": "6.1", "ipykernel": "7"}),
    Row("ipykernel-6", "3.11", {"django": "5.2", "ipykernel": "6.31"}, ["ipykernel==6.31.*"]),
]
OLDEST, NEWEST = "lowest", "3.15/6.1"


@dataclass
class Place:
    """Where a row runs: this machine, or a root folder on it.

    Args:
        interpreter: the path of the row's Python there.
        inside: what stands before each command that runs there.
    """

    interpreter: str
    inside: list[str] = field(default_factory=list)

    def call(self, *command, **options):
        """Run a command there, in the checkout."""
        command = [*self.inside, *(str(part) for part in command)]
        return subprocess.run(command, cwd=ROOT, text=True, **options)


def find_place(version, root=None):
    """Where a Python of this version ("3.13") is, here or in the root folder; None if nowhere."""
    if interpreter := find_interpreter(version):
        return Place(interpreter)
    if root and (interpreter := root.find(version)):
        return Place(interpreter, root.inside())
    return None


def find_interpreter(version):
    """Return the path of a Python of this version ("3.13") on this machine, or None.

    Looks on PATH, among pyenv's versions (which uv does not know), and asks uv.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        sys.executable,
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"{version}.*/bin/python")),
        uv_find(version),
    ]
    return next((path for path in candidates if path and answers(path, version)), None)


def uv_find(version):
    command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def answers(path, version):
    """Whether this program runs and is that version. One of pyenv's shims may not."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    said = subprocess.run([path, "-c", ask], capture_output=True, text=True, check=False)
    return said.stdout.strip() == version


def build(row, place):
    """Make the row's environment: the lock, then what stands in its place, then the kit."""
    from uv import find_uv_bin  # The rows have none, and the benchmark runs in them.

    uv = find_uv_bin()
    install = [uv, "pip", "install", "-q", "--python", row.interpreter]
    place.call(uv, "venv", "-q", "--clear", "--python", place.interpreter, row.folder, check=True)
    if row.lowest:
        place.call(*install, "-r", resolve_lowest(row, uv), check=True)
    else:
        place.call(*install, "--require-hashes", "-r", LOCK, check=True)
    if row.instead:
        place.call(*install, *row.instead, check=True)
    link_kit(row, place)
    check_versions(row, place)


def resolve_lowest(row, uv):
    """Write the lowest versions that pyproject.toml allows, and return the file."""
    found = row.folder / "lowest.txt"
    extras = [f"--extra={extra}" for extra in EXTRAS]
    ask = ["--resolution", "lowest-direct", "--python-version", row.python, "pyproject.toml"]
    subprocess.run([uv, "pip", "compile", "-q", *extras, *ask, "-o", found], cwd=ROOT, check=True)
    return found


def link_kit(row, place):
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = place.call(row.interpreter, "-c", ask, check=True, stdout=subprocess.PIPE)
    Path(found.stdout.strip(), "asynclab.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def check_versions(row, place):
    """Stop if the environment is not the stack that it is named for."""
    ask = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    asked = place.call(row.interpreter, "-c", ask, *row.expect, check=True, stdout=subprocess.PIPE)
    for (name, start), version in zip(row.expect.items(), asked.stdout.split(), strict=True):
        if not f"{version}.".startswith(f"{start}."):
            sys.exit(f"{row.name}: {name} {version} is installed, and not {start}.")


def run_tests(row, place, options):
    """Run pytest in the row's environment; return its exit code and its counts."""
    report = row.folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [row.interpreter, "-m", "pytest", "-q", "--nbval", *PLUGINS, "-n", "2"]
    command += ["-m", "not browser and not nightly", f"--junitxml={report}"]
    command += [f"--ignore={path}" for path in LEFT_OUT]
    path = os.pathsep.join([str(row.interpreter.parent), os.environ["PATH"]])
    env = os.environ | {"VIRTUAL_ENV": str(row.folder), "PATH": path}
    code = place.call(*command, *options, env=env, check=False).returncode
    return code, counts(report)


def counts(report):
    """Read passed, failed and skipped from a JUnit report. No report: nothing passed."""
    if not report.exists():
        return Counter()
    suite = ElementTree.parse(report).getroot().find("testsuite")
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    return Counter(passed=int(suite.get("tests")) - bad - skipped, failed=bad, skipped=skipped)


def run_row(row, root, options):
    """Run one row; return how it ended, in words, and its counts."""
    place = find_place(row.python, root)
    if place is None:
        return f"not run: there is no Python {row.python} here", Counter(rows_not_run=1)
    print(f"\n== {row.name}, on Python {row.python}", flush=True)
    build(row, place)
    code, counted = run_tests(row, place, options)
    if code and not counted["failed"]:
        counted["failed"] = 1
    return "failed" if code else f"passed, {counted['passed']} tests", counted


def read(arguments):
    """What the command line asks for: rows, whether to make a root folder, pytest's options."""
    parser = argparse.ArgumentParser(
        prog="start.py matrix", epilog="What follows -- goes to pytest.", allow_abbrev=False
    )
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--all", action="store_true", help="every row")
    parser.add_argument(
        "--root-folder",
        action="store_true",
        help="take a Python that is missing from Debian, in a root folder (Linux, as root)",
    )
    end = arguments.index("--") if "--" in arguments else len(arguments)
    asked = parser.parse_args(arguments[:end])
    by_name = {row.name: row for row in ROWS}
    names = asked.rows or (by_name if asked.all else [OLDEST, NEWEST])
    if unknown := [name for name in names if name not in by_name]:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names], asked.root_folder, arguments[end + 1 :]


def root_for(rows, stack):
    """A root folder for the rows that have no Python on this machine; None if it is no help."""
    missing = {row.python for row in rows if not find_interpreter(row.python)}
    if not missing & set(PYTHONS):
        return None
    print(f"A root folder for Python {' and '.join(sorted(missing))}, in 2 minutes ...", flush=True)
    try:
        return stack.enter_context(root_folder([ROOT, *git_folder()]))
    except NotMade as why:
        print(f"No root folder: {why}.", flush=True)
        return None


def git_folder():
    """Where git keeps this checkout's history, if that is not in the checkout: a worktree's."""
    ask = ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"]
    found = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    folder = Path(found.stdout.strip())
    return [] if found.returncode or folder.is_relative_to(ROOT) else [folder]


def main(arguments):
    rows, with_root, options = read(arguments)
    outcomes, total = {}, Counter()
    with ExitStack() as stack:
        root = root_for(rows, stack) if with_root else None
        for row in rows:
            outcomes[row.name], counted = run_row(row, root, options)
            total += counted
    print_table(outcomes)
    print(f"matrix: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or total["rows_not_run"] or not total["passed"] else 0


def print_table(outcomes):
    width = max(map(len, outcomes))
    print("\n" + "\n".join(f"{name:{width}}  {how}" for name, how in outcomes.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
