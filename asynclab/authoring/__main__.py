"""The authors' commands; see the package."""

import argparse
import sys
from pathlib import Path

from ..exercises.stubs import generate
from ..ground.errors import LabError
from .boxes import fill
from .census import take
from .claim_pages import write_ledger
from .claims import read_claims
from .error_pages import write_index
from .generated import looks_up
from .lint import lint
from .new import begin
from .notebooks import CHECKOUT, FOLDERS, find, read, write
from .practised import renew_links
from .refresh import refresh


def main() -> int:
    """Run the command that the arguments name; return the exit status."""
    chosen = _parser().parse_args()
    try:
        return chosen.run(chosen)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m asynclab.authoring", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    lesson = commands.add_parser("new", help="the four files of a new lesson")
    lesson.add_argument("number", help="of the lesson, as 06")
    lesson.add_argument("title", nargs="+", help='of the lesson, as "the async ORM"')
    lesson.set_defaults(run=_new)
    for name, (run, words) in _OVER_NOTEBOOKS.items():
        command = commands.add_parser(name, help=words)
        command.add_argument("notebooks", nargs="*", type=Path, help="all of the course's, if none")
        command.set_defaults(run=lambda chosen, run=run: run(chosen.notebooks))
    return parser


def _new(chosen: argparse.Namespace) -> int:
    for path in begin(chosen.number, " ".join(chosen.title), CHECKOUT):
        print(path.relative_to(CHECKOUT).as_posix())
    print("TODO marks what is to be written. CONTRIBUTING.md says what comes then: Add a lesson.")
    return 0


def _refresh(paths: list[Path]) -> int:
    for path in paths or find(*FOLDERS):
        _say(path, refresh(path))
    return 0


def _say(path: Path, changed: bool) -> None:
    print(f"{path.name}: {'changed' if changed else 'as it was'}", flush=True)


def _generate(paths: list[Path]) -> int:
    (CHECKOUT / "exercises").mkdir(exist_ok=True)
    for path in paths or find("solutions"):
        target = CHECKOUT / "exercises" / path.name
        before = target.read_bytes() if target.exists() else None
        solutions = read(path)
        renew_links(solutions, path)
        write(solutions, path)
        write(_with_outputs_of(target, generate(solutions)), target)
        refresh(target)
        _say(target, target.read_bytes() != before)
    return 0


def _with_outputs_of(target: Path, notebook):
    """Return `notebook` with the outputs in `target`, so that its pictures can be kept."""
    old = {cell.id: cell for cell in read(target).cells} if target.exists() else {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "outputs" in old.get(cell.id, {}):
            cell.outputs = old[cell.id].outputs
    return notebook


def _boxes(paths: list[Path]) -> int:
    claims = read_claims(CHECKOUT)
    for path in paths or find("notebooks"):
        _say(path, fill(path, claims))
    return 0


def _lint(paths: list[Path]) -> int:
    problems = [problem for path in paths or find(*FOLDERS) for problem in lint(path)]
    return _tell(problems)


def _census(_paths: list[Path]) -> int:
    census = take(CHECKOUT)
    print(census)
    return _tell(census.problems)


def _index(_paths: list[Path]) -> int:
    for path in [*write_index(CHECKOUT), *write_ledger(CHECKOUT)]:
        print(f"{path.relative_to(CHECKOUT).as_posix()}: changed")
    return _refresh([path for path in find("notebooks") if looks_up(read(path))])


def _tell(problems: list[str]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


_OVER_NOTEBOOKS = {
    "refresh": (_refresh, "run them, and write their outputs anew"),
    "generate": (_generate, "write exercises/ from solutions/"),
    "boxes": (_boxes, "write the claims into their cells"),
    "lint": (_lint, "say what is against the rules"),
    "index": (_index, "write the index of errors and the ledger, and run what shows them"),
    "census": (_census, "count what is compared, and the claims that are shown"),
}

if __name__ == "__main__":
    sys.exit(main())
