"""Measure, and print a table: `python -m tests.benchmarks [part ...]`.

A benchmark is no test: what is over its budget is said, and the exit code stays 0.
"""

import platform
import sys

from tests.benchmarks import booting, memory, pages, recording, starting
from tests.benchmarks.figures import Figure

PARTS = {
    "recording": recording,
    "boot": booting,
    "memory": memory,
    "browser": pages,
    "start": starting,
}


def main(chosen: list[str]) -> int:
    """Print the figures of the chosen parts, or of all of them."""
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print(f"There is no part {unknown[0]!r}. The parts are: {', '.join(PARTS)}.")
        return 2
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
