"""Every claim's script on every stack found here; the ledger is written anew from the answers.

    python3 start.py ledger               the rows of the matrix whose Python is on this machine
    python3 start.py ledger 3.13/6.1      the rows named; it fails where a row has no Python here
    python3 start.py ledger --all --root-folder     every row; a Python that is missing from Debian

It fails, and names the row, where a script finds something else than claims.yml says. What other
rows have answered before stays in the ledger. Where it has changed, `python -m asynclab.authoring
index` runs the lesson that shows it.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from uv import find_uv_bin

from asynclab.authoring.claim_pages import Stack, read_runs, write_ledger, write_runs
from asynclab.authoring.claims import Claim, read_claims
from asynclab.authoring.scripts import Answer, run, script_of
from asynclab.ground.errors import LabError
from tests.proof import matrix
from tests.proof.matrix import LOCK, ROOT, ROWS, Place, Row, check_versions, resolve_lowest

BUILD = ROOT / "build" / "ledger"
AT_ONCE = os.cpu_count() or 2


class ScriptRow(Row):
    """A row of the matrix, with nothing installed in it but what the scripts need."""

    @property
    def folder(self):
        return BUILD / self.name.replace("/", "-django-")


@dataclass(frozen=True)
class Outcome:
    """What a claim's script found on a row, or why it found nothing."""

    claim: Claim
    answer: Answer | None = None
    why: str = ""

    @property
    def problem(self) -> str:
        """What is wrong, in a few lines; empty if it is what claims.yml says."""
        if self.answer is None:
            return self.why
        expected = self.claim.found_on(*self.answer.stack)
        if self.answer.found == expected:
            return ""
        return f"found\n{self.answer.found}\nand claims.yml says\n{expected}"


def build(row: ScriptRow, place: Place, packages: list[str]) -> None:
    """Make the row's environment: the packages, in the versions that the row has them in."""
    uv = find_uv_bin()
    place.call(uv, "venv", "-q", "--clear", "--python", place.interpreter, row.folder, check=True)
    bounds = resolve_lowest(row, uv) if row.lowest else LOCK
    install = [uv, "pip", "install", "-q", "--python", row.interpreter]
    place.call(*install, "-c", bounds, *packages, check=True)
    if row.instead:
        place.call(*install, *row.instead, check=True)
    check_versions(row, place)


def packages_of(claims: list[Claim]) -> list[str]:
    """Return the names of what the claims' scripts import, as the registry has them."""
    needed = {"django", "asgiref"}.union(*(claim.packages for claim in claims))
    return sorted(name.lower().replace("_", "-") for name in needed)


def slim(row: Row, packages: list[str]) -> ScriptRow:
    """Return a row that promises nothing of other packages."""
    expect = {name: version for name, version in row.expect.items() if name in packages}
    return ScriptRow(row.name, row.python, expect, row.instead, row.lowest)


def asked(row: Row, place: Place, claims: list[Claim]) -> Iterator[Outcome]:
    """Yield what each claim's script finds on a row."""
    command = [*place.inside, str(row.interpreter)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda claim: _ask(claim, command), claims)


def _ask(claim: Claim, command: list[str]) -> Outcome:
    try:
        return Outcome(claim, run(script_of(claim, ROOT), command))
    except LabError as error:
        return Outcome(claim, why=str(error))


def read(arguments: list[str]) -> tuple[list[Row], bool, bool]:
    """What the command line asks for: rows, whether each has to run, and a root folder."""
    parser = argparse.ArgumentParser(prog="start.py ledger", allow_abbrev=False)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--all", action="store_true", help="every row")
    parser.add_argument(
        "--root-folder",
        action="store_true",
        help="take a Python that is missing from Debian, in a root folder (Linux, as root)",
    )
    chosen = parser.parse_args(arguments)
    by_name = {row.name: row for row in ROWS}
    if unknown := [name for name in chosen.rows if name not in by_name]:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(by_name)}")
    rows = [by_name[name] for name in chosen.rows] or ROWS
    return rows, bool(chosen.rows or chosen.all), chosen.root_folder


def run_row(row: Row, place: Place, claims: list[Claim]) -> list[Outcome]:
    """Return what each claim's script finds on a row, and say what has changed."""
    packages = packages_of(claims)
    row = slim(row, packages)
    build(row, place, packages)
    outcomes = list(asked(row, place, claims))
    for outcome in outcomes:
        if outcome.problem:
            print(f"{row.name}: {outcome.claim.id}: {outcome.problem}", flush=True)
    answered = sum(outcome.answer is not None for outcome in outcomes)
    print(f"{row.name}: {answered} of {len(claims)} scripts have answered", flush=True)
    return outcomes


def main(arguments: list[str]) -> int:
    """Run the scripts, write the ledger, and name each answer that has changed; return the code."""
    rows, all_of_them, with_root = read(arguments)
    claims = [claim for claim in read_claims(ROOT) if claim.disputed]
    runs, red = read_runs(ROOT), []
    with ExitStack() as stack:
        root = matrix.root_for(rows, stack) if with_root else None
        for row in rows:
            place = matrix.find_place(row.python, root)
            if place is None:
                print(f"{row.name}: not run: there is no Python {row.python} here", flush=True)
                red += [row.name] if all_of_them else []
                continue
            outcomes = run_row(row, place, claims)
            red += [f"{row.name} {each.claim.id}" for each in outcomes if each.problem]
            answers = {each.claim.id: each.answer for each in outcomes if each.answer}
            if answers:
                runs = runs.with_row(Stack.of(row.name, answers), answers)
    write_runs(ROOT, runs)
    for path in write_ledger(ROOT):
        print(f"{path.relative_to(ROOT).as_posix()}: changed")
    print(f"ledger: {len(claims)} scripts, {len(runs.stacks)} stacks, {len(red)} red", *red)
    return 1 if red or not runs.stacks else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as problem:
        sys.exit(str(problem))
