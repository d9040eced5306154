"""The upgrade drill: everything at its newest version, everything run again, and what changed.

Run by `python3 start.py upgrade`, in a copy of the checkout under build/upgrade: nothing of yours
changes. Upper bounds in pyproject.toml are lifted. `--prerelease` admits what is not released yet.
What else follows goes to pytest.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness.checkout import ROOT, copy_checkout
from tests.proof.matrix import find_interpreter

BUILD = ROOT / "build" / "upgrade"
LOCKS = ("requirements.txt", "requirements-test.txt", "requirements-benchmark.txt")
COMMAND = re.compile(r"^# +uv (pip compile .*)$", re.MULTILINE)
COLOUR = re.compile(r"(?:\x1b|#x1B)\[[\d;]*m")
WIDTH = 60  # characters of a cell of the table


@dataclass(frozen=True)
class Row:
    """A line of the table: what changed, on which Python, and how it was and is.

    Args:
        python: a version, as "3.13".
        where: a notebook's cell, or a test.
        claims: the claims that the cell demonstrates, as "T1, T2".
    """

    python: str
    where: str
    claims: str
    was: str
    now: str


# ---------------------------------------------------------------- the newest versions


def clone(target: Path) -> Path:
    """Copy the checkout; git knows the copy's files, as some tests ask it."""
    copy_checkout(target)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)
    return target


def lift_upper_bounds(checkout: Path) -> list[str]:
    """Take the upper bounds out of the copy's pyproject.toml; return the ranges that had one."""
    path = checkout / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    ranges = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    bounded = [each for each in ranges if "<" in each]
    text = path.read_text(encoding="utf-8")
    for each in bounded:
        free = Requirement(each)
        free.specifier = ",".join(sorted(str(s) for s in free.specifier if "<" not in s.operator))
        text = text.replace(f'"{each}"', f'"{free.name}{free.specifier}"')
    path.write_text(text, encoding="utf-8")
    return bounded


def move_to_newest(checkout: Path, *options: str) -> None:
    """Write the copy's locks anew, each by the command in its head."""
    for lock in LOCKS:
        command = COMMAND.search((checkout / lock).read_text(encoding="utf-8"))[1]
        uv = [sys.executable, "-m", "uv", *shlex.split(command), "--upgrade", "-q", *options]
        if subprocess.run(uv, cwd=checkout, check=False).returncode:
            sys.exit(f"{lock} cannot be written: see the lines above. Nothing was run.")


def pins(lock: Path) -> dict[str, str]:
    """Read what a lock pins: a distribution's name, with its marker, and its version."""
    lines = re.findall(r"^([\w.-]+==[^\\\n]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    found = {}
    for requirement in map(Requirement, lines):
        marker = f" ; {requirement.marker}" if requirement.marker else ""
        version = str(requirement.specifier).removeprefix("==")
        found[canonicalize_name(requirement.name) + marker] = version
    return found


def moved(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str, str]]:
    """What differs between two locks: name, old version and new one, "-" for neither."""
    names = sorted(before.keys() | after.keys())
    rows = [(name, before.get(name, "-"), after.get(name, "-")) for name in names]
    return [row for row in rows if row[1] != row[2]]


# ---------------------------------------------------------------- everything again


def run_again(checkout: Path, interpreter: str, arguments: list[str]) -> ElementTree.Element:
    """Run the copy's whole test command; return pytest's report.

    Raises:
        SystemExit: no test ran.
    """
    report = BUILD / "report.xml"
    report.unlink(missing_ok=True)
    command = [interpreter, "start.py", "test", f"--junitxml={report}", *arguments]
    subprocess.run(command, cwd=checkout, check=False)
    if not report.exists():
        sys.exit("The tests did not run: see the lines above.")
    return ElementTree.parse(report).getroot()


def rows(report: ElementTree.Element, python: str, checkout: Path) -> Iterator[Row]:
    """A row for each test that failed."""
    for case in report.iter("testcase"):
        for how in (*case.iter("failure"), *case.iter("error")):
            said = COLOUR.sub("", how.text or how.get("message") or "")
            where, claims = place(case, checkout)
            yield Row(python, where, claims, *difference(said))


def place(case: ElementTree.Element, checkout: Path) -> tuple[str, str]:
    """Where a test stands, and its claims: nbval numbers a notebook's code cells from 0."""
    of, name = case.get("classname", ""), case.get("name", "")
    number = re.fullmatch(r"Cell (\d+)", name)
    found = [p for p in checkout.glob("*/*.ipynb") if f"{p.parent.name}.{p.name}" == of]
    if not (number and found):
        return f"{of}::{name}", ""
    cells = nbformat.read(found[0], as_version=4).cells
    cell = [cell for cell in cells if cell.cell_type == "code"][int(number[1])]
    tags = cell.metadata.get("tags", [])
    claims = [tag.removeprefix("claim-") for tag in tags if tag.startswith("claim-")]
    return f"{found[0].parent.name}/{found[0].stem}: {cell.id}", ", ".join(claims)


def difference(said: str) -> tuple[str, str]:
    """The first line that was and the first that is now, from a failed test's words.

    nbval compares the committed output with the new one, and pytest marks what only the first
    holds with `+`.
    """
    lines = said.splitlines()
    was = [line.strip()[2:] for line in lines if line.strip().startswith("+ ")]
    now = [line.strip()[2:] for line in lines if line.strip().startswith("- ")]
    if was or now:
        return (was or ["-"])[0], (now or ["-"])[0]
    raised = [
        line for line in lines if re.match(r"(E +)?[\w.]*(Error|Exception|Operation)\b", line)
    ]
    last = raised or [line for line in lines if line.strip()] or ["it says nothing"]
    return "passed", last[-1].removeprefix("E").strip()


# ---------------------------------------------------------------- the tables


def table(heads: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; long texts are cut."""
    lines = [heads, tuple("---" for _ in heads), *body]
    return "\n".join("| " + " | ".join(map(cut, line)) + " |" for line in lines)


def cut(text: str) -> str:
    text = text.replace("|", "\\|")
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def untouched_claims(changed: set[str]) -> str:
    """How many of the course's claims no changed cell demonstrates."""
    claims = yaml.safe_load((ROOT / "notebooks/claims.yml").read_text(encoding="utf-8"))
    return f"{len(claims) - len(changed)} of {len(claims)} claims stand as they were."


def promised_pythons() -> list[str]:
    """The oldest and the newest Python of the classifiers: the lock differs between them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    return [found[0], found[-1]]


def main(arguments: list[str]) -> int:
    """Drill; return 0 if nothing changed, 1 if something did."""
    options = ["--prerelease=allow"] if "--prerelease" in arguments else []
    arguments = [each for each in arguments if each != "--prerelease"]
    shutil.rmtree(BUILD, ignore_errors=True)
    checkout = clone(BUILD / "checkout")
    before = pins(checkout / LOCKS[-1])
    lifted = lift_upper_bounds(checkout)
    move_to_newest(checkout, *options)
    changed = moved(before, pins(checkout / LOCKS[-1]))
    print(f"Ranges without their upper bound: {', '.join(lifted) or 'none had one'}")
    print(f"{len(changed)} of {len(before)} pins moved.\n", flush=True)
    found = []
    for python in promised_pythons():
        if interpreter := find_interpreter(python):
            report = run_again(checkout, interpreter, arguments)
            total = sum(1 for _ in report.iter("testcase"))
            print(f"\nPython {python}: {total} tests ran.", flush=True)
            found += rows(report, python, checkout)
        else:
            print(f"Python {python} is not on this machine: not run.")
    tell(changed, found)
    return 1 if found else 0


def tell(changed: list[tuple[str, str, str]], found: list[Row]) -> None:
    if changed:
        print("\n" + table(("distribution", "locked", "newest"), changed))
    if found:
        heads = ("Python", "where", "claims", "was", "now")
        print("\n" + table(heads, [(r.python, r.where, r.claims, r.was, r.now) for r in found]))
    claims = {claim for row in found for claim in row.claims.split(", ") if claim}
    print(f"\n{len(found)} outputs or tests changed. {untouched_claims(claims)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
