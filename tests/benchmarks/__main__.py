"""Measure, and print a table.

    python3 start.py bench [part ...]               in this environment
    python3 start.py bench --ends recording         on the oldest stack of the matrix and the newest
    python3 start.py bench --row 3.12/6.1 recording     on one of its rows

A benchmark is no test: what is over its budget is said, and the exit code stays 0.
"""

import argparse
import platform
import sys

from tests.benchmarks import booting, memory, pages, polls, recording, starting
from tests.benchmarks.figures import Figure
from tests.proof.matrix import OLDEST, ROWS, build, find_place

PARTS = {
    "recording": recording,
    "boot": booting,
    "memory": memory,
    "browser": pages,
    "polls": polls,
    "start": starting,
}


def main(arguments: list[str]) -> int:
    """Measure here, or on the rows of the matrix that are asked for."""
    options = read(arguments)
    if not options.row:
        return measure(options.part)
    codes = [measure_on(name, options.part) for name in options.row]
    return max(codes)


def read(arguments: list[str]) -> argparse.Namespace:
    """The parts to measure, and the rows of the matrix to measure them on."""
    parser = argparse.ArgumentParser(prog="start.py bench")
    parser.add_argument("part", nargs="*", help=f"one of {', '.join(PARTS)}; all, if none is named")
    parser.add_argument("--row", action="append", default=[], choices=[row.name for row in ROWS])
    parser.add_argument("--ends", action="store_true", help="the oldest row and the newest here")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.part if name not in PARTS]
    if unknown:
        parser.error(f"There is no part {unknown[0]!r}. The parts are: {', '.join(PARTS)}.")
    options.row += [OLDEST, newest_here()] if options.ends else []
    return options


def newest_here() -> str:
    """The last row that has nothing in place of the lock, and whose Python is on this machine."""
    rows = [row for row in ROWS if not row.instead and find_place(row.python)]
    return rows[-1].name


def measure_on(name: str, parts: list[str]) -> int:
    """Measure in the environment of a row, which is built anew; return the exit code."""
    row = next(row for row in ROWS if row.name == name)
    place = find_place(row.python)
    if place is None:
        print(f"{name}: there is no Python {row.python} here.")
        return 1
    build(row, place)
    return place.call(row.interpreter, "-m", "tests.benchmarks", *parts, check=False).returncode


def measure(chosen: list[str]) -> int:
    """Print the figures of the chosen parts, or of all of them."""
    print(f"Python {platform.python_version()}, {platform.system()}, medians of runs in turn\n")
    lines = []
    for name in chosen or PARTS:
        for figure in measured(name):
            print(figure.row(), flush=True)
            lines.append(figure)
    over = [figure.what for figure in lines if figure.verdict == "OVER BUDGET"]
    print(
        f"\nOver budget: {', '.join(over)}."
        if over
        else "\nEvery budget that was measured is kept."
    )
    return 0


def measured(name: str) -> list[Figure]:
    """The figures of one part; a part that fails says so, and the others go on."""
    try:
        return PARTS[name].figures()
    except Exception as error:  # noqa: BLE001  the table names it
        return [Figure(name, None, note=f"{type(error).__name__}: {str(error)[:150]}")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
