"""Try mutated answers on the checks: each must be refused, or be listed as a right answer.

python -m tests.proof.mutants             every lesson
python -m tests.proof.mutants 3 5.2       lesson 03 and exercise 5.2
python -m tests.proof.mutants --list 3    name the mutants, and run none
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

from tests.proof.mutants.equivalents import known_equivalents
from tests.proof.mutants.generate import Mutant, every_mutant
from tests.proof.mutants.report import Tally, table, tally
from tests.proof.mutants.run import Bench

WORKERS = 2


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code: 1 if a mutant is alive or faulty, 2 for bad input."""
    options = parser().parse_args(arguments)
    known = every_mutant()
    for name in options.what:
        if not any(_is_of(number, name) for number in known):
            print(f"There is no exercise in {name!r}. Name lessons or exercises, as 3 or 3.4.")
            return 2
    chosen = [
        mutant
        for number, mutants in known.items()
        if not options.what or any(_is_of(number, name) for name in options.what)
        for mutant in mutants
    ]
    if options.list:
        print("\n".join(mutant.id for mutant in chosen))
        return 0
    return report(list(tallies(chosen)))


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="python -m tests.proof.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("what", nargs="*", help="lessons or exercises; all if none is named")
    options.add_argument("--list", action="store_true", help="name the mutants, and run none")
    return options


def tallies(mutants: list[Mutant]) -> Iterator[Tally]:
    """Try the mutants, two lessons at a time, and give each lesson's figures in their order."""
    lessons: dict[int, list[Mutant]] = {}
    for mutant in mutants:
        lessons.setdefault(int(mutant.number.partition(".")[0]), []).append(mutant)
    with ProcessPoolExecutor(WORKERS) as workers:
        yield from workers.map(try_lesson, lessons, lessons.values())


def try_lesson(lesson: int, mutants: list[Mutant]) -> Tally:
    """Try a lesson's mutants in a kernel of its own."""
    with closing(Bench(lesson)) as bench:
        return tally(lesson, list(bench.results(mutants)), known_equivalents())


def report(tallies: list[Tally]) -> int:
    """Print what was found; return the exit code."""
    faults = [fault for each in tallies for fault in each.faults]
    for fault in faults:
        print(f"{fault}\n")
    print(table(tallies))
    return 1 if faults or not tallies else 0


def _is_of(number: str, name: str) -> bool:
    """Whether the exercise with this number is the one named, or of the lesson named."""
    lesson = number.partition(".")[0]
    return number == name or (name.isdigit() and int(name) == int(lesson))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
