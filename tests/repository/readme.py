"""Write what README.md tells of the lessons and of the checks, counted in this checkout.

.venv/bin/python -m tests.repository.readme

It stands here and not in the kit, because it counts what the tests hold; the kit imports no test.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from asynclab.authoring.census import take
from asynclab.authoring.contract import contract_of
from asynclab.authoring.notebooks import read
from asynclab.exercises.stubs import exercise_cells
from asynclab.ground.errors import LabError
from tests.harness.checkout import ROOT
from tests.proof.faults.catalogue import FAULTS
from tests.proof.mutants.equivalents import known_equivalents
from tests.proof.mutants.generate import count

README = ROOT / "README.md"
COMMAND = ".venv/bin/python -m tests.repository.readme"
BEGIN, END = "<!-- {}: " + COMMAND + " -->\n", "<!-- end of {} -->"

TO_COME = {
    6: "the ORM",
    7: "views",
    8: "servers",
    9: "middleware",
    10: "streaming",
    11: "connections",
    12: "testing",
    13: "costs",
    14: "the ledger",
}
"""What the lessons are to be about that are not there yet."""

WITHOUT_EXERCISES = {"14"}
"""The lesson that only sums the others up."""


def main() -> int:
    """Write README.md, and say whether it changed; return the exit code."""
    before = README.read_text(encoding="utf-8")
    try:
        after = renewed(before, ROOT)
    except LabError as problem:
        print(problem, file=sys.stderr)
        return 1
    README.write_text(after, encoding="utf-8")
    print(f"README.md: {'as it was' if after == before else 'changed'}")
    return 0


def renewed(text: str, checkout: Path) -> str:
    """Return a README with what stands between its marks written anew.

    Raises:
        LabError: a pair of marks is not there, or a lesson lacks its contract or its solutions.
    """
    for name, part in (("lessons", lessons(checkout)), ("figures", figures(checkout))):
        begin, end = BEGIN.format(name), END.format(name)
        if (text.count(begin), text.count(end)) != (1, 1):
            raise LabError(f"README.md has not the two marks of {name!r} once each.")
        head, _, rest = text.partition(begin)
        text = f"{head}{begin}\n{part}\n\n{end}{rest.partition(end)[2]}"
    return text


def lessons(checkout: Path) -> str:
    """Return the table of the lessons, and which are to come."""
    paths = sorted((checkout / "notebooks").glob("*.ipynb"))
    rows = [("lesson", "minutes", "exercises", "the question"), *map(_lesson, paths)]
    coming = {number: what for number, what in TO_COME.items() if number not in _numbers(paths)}
    if not coming:
        return _table(rows)
    return f"{_table(rows)}\n\n{_follow(min(coming), max(coming), ', '.join(coming.values()))}"


def _follow(first: int, last: int, about: str) -> str:
    if first == last:
        return f"Lesson {last:02d} ({about}) follows."
    return f"Lessons {first:02d} to {last:02d} ({about}) follow."


def _numbers(paths: list[Path]) -> set[int]:
    return {int(path.name[:2]) for path in paths}


def _lesson(path: Path) -> tuple[str, ...]:
    promised = contract_of(path)
    link = f"[{promised.number} {promised.title}](notebooks/{path.name})"
    minutes = f"{promised.core} + {promised.deeper}" if promised.deeper else f"{promised.core}"
    number = 0 if path.name[:2] in WITHOUT_EXERCISES else len(_exercises(path))
    question = promised.question[0].upper() + promised.question[1:]
    return link, minutes, f"{number}", question


def _exercises(lesson: Path) -> list:
    return exercise_cells(read(_solutions(lesson)))


def _solutions(lesson: Path) -> Path:
    found = list((lesson.parents[1] / "solutions").glob(f"{lesson.name[:2]}_*.ipynb"))
    if len(found) != 1:
        raise LabError(f"{lesson.name} has {len(found)} notebooks in solutions/; 1 belongs.")
    return found[0]


def figures(checkout: Path) -> str:
    """Return the table of what is counted, and of the commands that count it by trying."""
    return _table([("what", "figure", "counted by"), *_figures(checkout)])


def _figures(checkout: Path) -> Iterator[tuple[str, ...]]:
    faults, mutants, right = len(FAULTS), count(), len(known_equivalents())
    kinds = len({fault.kind for fault in FAULTS})
    census = take(checkout)
    shown = f"{census.demonstrated} of {len(census.evidence)}"
    counting = "`.venv/bin/python -m asynclab.authoring census`"
    yield "faults planted", f"{faults}, of {kinds} kinds", "`python3 start.py faults`"
    yield "... and caught, for the right reason", f"{faults}", ""
    yield "changed answers to the exercises", f"{mutants}", "`python3 start.py mutants`"
    yield "... refused by the exercise's check", f"{mutants - right}", ""
    yield "... right after all, each listed with the reason", f"{right}", ""
    yield "claims demonstrated in compared cells", shown, counting
    flakes = "flakes in 20 runs of every lesson, beside a busy process"
    yield flakes, "0", "`python3 start.py flakes 20`"


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


if __name__ == "__main__":
    sys.exit(main())
