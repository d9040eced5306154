"""The command line; see the package."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from tests.harness.checkout import ROOT, copy_checkout
from tests.proof.faults.catalogue import FAULTS
from tests.proof.faults.planting import CAUGHT, MISSED, SKIPPED, VERDICTS, Bench, Fault, Judged


def main(arguments: list[str]) -> int:
    """Plant the faults that the arguments name, or all; return 0 only if none was missed."""
    options = _parser().parse_args(arguments)
    try:
        faults = chosen(options.faults, options.fast)
    except KeyError as unknown:
        print(unknown.args[0], file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{fault.kind:<22}{fault.name}" for fault in faults))
        return 0
    with tempfile.TemporaryDirectory(prefix="asynclab-faults-") as folder:
        try:
            tree = copy_checkout(Path(folder, "tree"))
        except (OSError, subprocess.CalledProcessError) as problem:
            print(f"No copy of {ROOT} could be made with git: {problem}", file=sys.stderr)
            return 2
        return report(Bench(tree, Path(folder), options.workers), faults)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="fault", help="by name; all, if none is named")
    parser.add_argument("--list", action="store_true", help="name the faults, and plant none")
    parser.add_argument("--fast", action="store_true", help="only those of every test run")
    parser.add_argument("--workers", type=int, default=2, help="how many checks run at once")
    return parser


def chosen(names: list[str], fast: bool) -> list[Fault]:
    """The faults with these names, or all; of them the fast ones, if `fast`.

    Raises:
        KeyError: with one line on a name that no fault has.
    """
    known = {fault.name: fault for fault in FAULTS}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, cutoff=0.3)
            raise KeyError(
                f"There is no fault {name!r}. Near it: {', '.join(near) or 'none'}. "
                "--list names them all."
            )
    faults = [known[name] for name in names] or FAULTS
    return [fault for fault in faults if fault.fast or not fast]


def report(bench: Bench, faults: list[Fault]) -> int:
    """Print a row for each fault as soon as it is judged, and the totals."""
    began = time.monotonic()
    print(_row("kind", "fault", "check", "verdict"), flush=True)
    found = []
    for each in bench.judged(faults):
        print(_line(each), flush=True)
        found.append(each)
    count = Counter(each.verdict for each in found)
    kinds = len({fault.kind for fault in faults})
    told = [f"{count[verdict]} {verdict}" for verdict in VERDICTS if count[verdict]]
    told += ["0 missed"] * (not count[MISSED])
    print(f"\n{len(faults)} faults of {kinds} kinds: {', '.join(told)}.")
    print(f"It took {(time.monotonic() - began) / 60:.1f} minutes.")
    return 0 if 0 < count[CAUGHT] == len(found) - count[SKIPPED] else 1


def _line(each: Judged) -> str:
    fault = each.fault
    row = _row(fault.kind, fault.name, fault.check[-1].removeprefix("tests/"), each.verdict)
    return row if each.verdict == CAUGHT else f"{row}\n    {each.note}"


def _row(kind: str, fault: str, check: str, verdict: str) -> str:
    return f"{kind:<22}{fault:<42}{_cut(check, 58):<60}{verdict}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
