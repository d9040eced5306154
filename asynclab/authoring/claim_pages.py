"""The ledger: the claims, and what their scripts have found on each stack, as data and as a page.

`asynclab/ledger/runs.json` holds what `python3 start.py ledger` has found. All else is written
from it, from claims.yml and from the lessons' tags.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..ground.errors import LabError
from ..ledger.rows import DATA, SIGNS, VERDICTS, Finding
from .census import take
from .claims import AS_DOCUMENTED, ASGIREF, Claim, Quotation, read_claims
from .generated import as_json, stale, write_anew
from .scripts import FOLDER, Answer, script_of

PAGE = Path("notebooks", "ledger.md")
_ROWS = Path("asynclab", "ledger", DATA.name)
_RUNS = Path("asynclab", "ledger", "runs.json")
_HEAD = """# The ledger

What much-read articles and Django's documentation say about async Django, and what the machine
says. Quotations are word for word. The lesson's number leads to cells that are compared with the
machine's answer on every test run. A claim that does not simply hold has a script besides, for
whoever has only Django and asgiref.
"""


@dataclass(frozen=True)
class Stack:
    """A row of the matrix, and the versions that were found there.

    Args:
        name: of the row, "3.13/6.1".
        python: as "3.13".
        django, asgiref: in full.
    """

    name: str
    python: str
    django: str
    asgiref: str

    @classmethod
    def of(cls, name: str, answers: dict[str, Answer]) -> "Stack":
        """Return the stack on which all the answers were given.

        Raises:
            LabError: there are none, or they name several.
        """
        found = {(each.python, each.django, each.asgiref) for each in answers.values()}
        if len(found) != 1:
            raise LabError(f"{name}: the scripts name {len(found)} stacks.")
        [(python, django, asgiref)] = found
        return cls(name, ".".join(python.split(".")[:2]), django, asgiref)

    @property
    def names(self) -> tuple[str, str]:
        """What claims.yml calls it: "Python 3.13" and "Django 6.1"."""
        return f"Python {self.python}", f"Django {'.'.join(self.django.split('.')[:2])}"


@dataclass(frozen=True)
class Runs:
    """What the scripts have found: by stack, and there by claim."""

    stacks: dict[str, Stack] = field(default_factory=dict)
    found: dict[str, dict[str, str]] = field(default_factory=dict)

    def with_row(self, stack: Stack, answers: dict[str, Answer]) -> "Runs":
        """Return the runs with one stack's answers put in, in place of its older ones."""
        texts = {claim: answer.found for claim, answer in sorted(answers.items())}
        return Runs(
            dict(sorted((self.stacks | {stack.name: stack}).items())),
            dict(sorted((self.found | {stack.name: texts}).items())),
        )

    def of(self, claim: str) -> list[dict]:
        """Return what one script has found: for each answer, the stacks that gave it."""
        groups: dict[str, list[str]] = {}
        for name, texts in self.found.items():
            if claim in texts:
                groups.setdefault(texts[claim], []).append(name)
        return [{"stacks": names, "found": text} for text, names in groups.items()]


def read_runs(checkout: Path) -> Runs:
    """Return what was found so far; nothing, if the file is not there.

    Raises:
        LabError: it is damaged.
    """
    path = checkout / _RUNS
    if not path.exists():
        return Runs()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        stacks = {name: Stack(name, **each) for name, each in data["stacks"].items()}
        found: dict[str, dict[str, str]] = {name: {} for name in stacks}
        for claim, groups in data["found"].items():
            for group in groups:
                for name in group["stacks"]:
                    found[name][claim] = group["found"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabError(f"{_RUNS.as_posix()} cannot be read: {error!r}") from None
    return Runs(stacks, found)


def write_runs(checkout: Path, runs: Runs) -> None:
    """Write what was found."""
    stacks = {name: asdict(stack) for name, stack in runs.stacks.items()}
    for each in stacks.values():
        del each["name"]
    claims = sorted({claim for texts in runs.found.values() for claim in texts})
    data = {"stacks": stacks, "found": {claim: runs.of(claim) for claim in claims}}
    (checkout / _RUNS).write_text(as_json(data), encoding="utf-8")


def disagreements(checkout: Path) -> list[str]:
    """Return where the runs hold something else than claims.yml says, a line each."""
    runs = read_runs(checkout)
    claims = {claim.id: claim for claim in read_claims(checkout) if claim.disputed}
    return [
        f"{name}: {claim}"
        for name, texts in runs.found.items()
        for claim, text in texts.items()
        if claim not in claims or text != claims[claim].found_on(*runs.stacks[name].names)
    ]


def write_ledger(checkout: Path) -> list[Path]:
    """Write the ledger's data and its page anew; return the files that changed."""
    return write_anew(_files(checkout))


def stale_ledger(checkout: Path) -> list[str]:
    """Return the names of the files that are not what `write_ledger` writes."""
    return stale(_files(checkout), checkout)


def _files(checkout: Path) -> dict[Path, str]:
    runs, rows = read_runs(checkout), rows_of(checkout)
    data = as_json([asdict(row) for row in rows])
    return {checkout / _ROWS: data, checkout / PAGE: _page(rows, runs)}


def rows_of(checkout: Path) -> list[Finding]:
    """Return a row for each claim, in the order of the lessons."""
    runs, evidence = read_runs(checkout), take(checkout).evidence
    notebooks = {path.name[:2]: path.name for path in (checkout / "notebooks").glob("*.ipynb")}
    claims = sorted(read_claims(checkout), key=lambda claim: claim.lesson)
    return [
        Finding(
            id=claim.id,
            verdict=claim.verdict,
            says=claim.says,
            article="" if claim.article == AS_DOCUMENTED else claim.article,
            docs=[_quoted(each) for each in claim.docs],
            machine=_answer(claim),
            why=claim.why,
            script=_script(claim, checkout),
            found=runs.of(claim.id),
            lesson=claim.lesson,
            notebook=notebooks[claim.lesson],
            cells=[cell.partition(":")[2] for cell in evidence[claim.id]],
        )
        for claim in claims
    ]


def _quoted(quotation: Quotation) -> dict[str, str]:
    of_asgiref = ASGIREF in quotation.sources
    return {
        "quote": quotation.quote,
        "place": f"{quotation.page}: {quotation.heading}",
        "link": quotation.link,
        "versions": ASGIREF if of_asgiref else f"Django {' and '.join(quotation.sources)}",
    }


def _script(claim: Claim, checkout: Path) -> str:
    path = script_of(claim, checkout)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _answer(claim: Claim) -> str:
    return " ".join([claim.machine, *(f"On {stack}: {said}" for stack, said in claim.stacks)])


def _page(rows: list[Finding], runs: Runs) -> str:
    counted = [f"{sum(row.verdict == name for row in rows)} {name}" for name in VERDICTS]
    parts = [_HEAD, f"{len(rows)} claims: {', '.join(counted)}.\n"]
    if runs.stacks:
        parts.append(_stacks(runs))
    for verdict in reversed(VERDICTS):
        parts.append(f"## {SIGNS[verdict]} {verdict.capitalize()}\n")
        parts += [_entry(row, runs) for row in rows if row.verdict == verdict]
    return "\n".join(parts)


def _stacks(runs: Runs) -> str:
    lines = [
        f"| {stack.name} | {stack.python} | {stack.django} | {stack.asgiref} |"
        for stack in runs.stacks.values()
    ]
    head = "| stack | Python | Django | asgiref |\n| --- | --- | --- | --- |"
    return "\n".join(["The scripts have run on these stacks:\n", head, *lines, ""])


def _entry(row: Finding, runs: Runs) -> str:
    where = f"{row.notebook}#cell-id={row.cells[0]}" if row.cells else row.notebook
    lines = [f"**{row.id}.** {row.says} [Lesson {row.lesson}]({where})"]
    lines += [f"- Articles: {row.article}"] if row.article else []
    for each in row.docs:
        lines.append(f'- {each["versions"]}, [{each["place"]}]({each["link"]}): "{each["quote"]}"')
    lines.append(f"- The machine: {row.machine}")
    lines += [f"- Why: {row.why}"] if row.why else []
    for group in row.found:
        all_of_them = len(group["stacks"]) == len(runs.stacks)
        stacks = "every stack" if all_of_them else ", ".join(group["stacks"])
        script = f"[{row.id}.py]({FOLDER.name}/{row.id}.py)"
        lines += [f"- {script}, on {stacks}:", "", *_block(group["found"])]
    return "\n".join([*lines, ""])


def _block(text: str) -> list[str]:
    return [f"      {line}".rstrip() for line in text.splitlines()]
