"""Every lesson again and again beside a process that keeps a core busy: runs, and flakes.

Run by `python3 start.py flakes 20`. Each run has another PYTHONHASHSEED, so that the order of a
set cannot hide. Numbers of lessons after it choose: `python3 start.py flakes 20 3 5`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUSY = "while True: sum(range(10_000))"


def lessons(numbers: list[str]) -> list[Path]:
    """The notebooks with these numbers, or all.

    Raises:
        SystemExit: there is no such lesson.
    """
    found = sorted((ROOT / "notebooks").glob("*.ipynb"))
    for number in numbers:
        if not any(path.name.startswith(f"{int(number):02d}_") for path in found):
            sys.exit(f"There is no lesson {number}.")
    chosen = {f"{int(number):02d}" for number in numbers}
    return [path for path in found if not chosen or path.name[:2] in chosen]


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy."""
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def run(paths: list[Path], seed: int) -> bool:
    """Run the notebooks, compared with their outputs; return whether all passed."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--nbval", *map(str, paths)]
    env = os.environ | {"PYTHONHASHSEED": str(seed)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines()
    shown = done.stdout if done.returncode else lines[-1]
    print(f"run {seed}: {shown}", flush=True)
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """Run the lessons as often as asked; return 0 if no run failed."""
    if not arguments or not all(each.isdigit() for each in arguments) or arguments[0] == "0":
        print("Say how many runs, and which lessons if not all: start.py flakes 20 3 5")
        return 2
    runs, paths = int(arguments[0]), lessons(arguments[1:])
    with busy_core():
        flakes = sum(not run(paths, seed) for seed in range(1, runs + 1))
    print(f"{flakes} flakes in {runs} runs of {len(paths)} lessons")
    return 1 if flakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
