"""The claims, and what became of them: `ledger()` shows who says what, and the machine's answer."""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ..ground.errors import LabError
from ..ground.prose import as_html
from .places import link

DATA = Path(__file__).with_name("claims.json")
VERDICTS = ("holds", "conditional", "stale", "false")
SIGNS = {"holds": "✓", "conditional": "±", "stale": "~", "false": "✗"}


@dataclass(frozen=True)
class Finding:
    """A claim, and the machine's answer to it.

    Args:
        id: as in claims.yml, "U4".
        verdict: one of VERDICTS.
        says: the claim in a plain sentence, Markdown.
        article: what articles say; empty where they repeat the documentation.
        docs: the documentation's words: versions ("5.2 and 6.1"), place, link and quote.
        machine: the answer, Markdown.
        why: the reason, Markdown, perhaps empty.
        script: the source of its script; empty for a claim that holds.
        found: for each group of stacks that agree, their names and what the script printed.
        lesson, notebook, cells: who shows it: number, file, and ids of cells.
    """

    id: str
    verdict: str
    says: str
    article: str
    docs: list[dict[str, str]]
    machine: str
    why: str
    script: str
    found: list[dict]
    lesson: str
    notebook: str
    cells: list[str]


def known_rows() -> list[Finding]:
    """Return all rows, in the order of the lessons.

    Raises:
        LabError: the file is missing or damaged.
    """
    try:
        return [Finding(**row) for row in json.loads(DATA.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise LabError(f"{DATA.name} cannot be read: {error}") from None


def ledger(verdict: str = "") -> "Page":
    """Show the claims of the course: article says, documentation says, machine says.

    Args:
        verdict: "holds", "conditional", "stale" or "false"; without one all of them, and buttons
            to choose with.
    """
    if verdict and verdict not in VERDICTS:
        raise LabError(f"ledger() takes a verdict: {', '.join(VERDICTS)}.")
    if not verdict:
        from .verdict_buttons import VerdictButtons  # ipywidgets takes a while to import

        return VerdictButtons(known_rows())
    return Page([row for row in known_rows() if row.verdict == verdict])


class Page:
    """Rows, as text and as a table."""

    def __init__(self, rows: list[Finding]):
        self.rows = rows

    def __repr__(self) -> str:
        return "\n".join(
            f"{row.id:<5}{row.verdict:<13}lesson {row.lesson}  {row.says}" for row in self.rows
        )

    def _repr_html_(self) -> str:
        heads = ("Article says", "Documentation says", "Machine says", "Verdict", "Lesson")
        head = "".join(f'<th scope="col" {_LEFT}>{name}</th>' for name in heads)
        rows = "".join(map(_shown, self.rows))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


_LEFT = 'style="text-align: left; vertical-align: top; overflow-wrap: anywhere"'


def _shown(row: Finding) -> str:
    docs = "".join(
        f"<p>“{as_html(each['quote'])}”<br>"
        f'<a href="{each["link"]}">{as_html(each["place"])}</a>, {each["versions"]}</p>'
        for each in row.docs
    )
    cells = [
        as_html(row.article or row.says),
        docs or "nothing",
        f"<p>{as_html(row.machine)}</p>{_found(row)}",
        f"{SIGNS[row.verdict]} {row.verdict}",
        link(row.lesson, row.notebook, row.cells[0]),
    ]
    return "<tr>{}</tr>".format("".join(f"<td {_LEFT}>{cell}</td>" for cell in cells))


def _stacks(group: dict, row: Finding) -> str:
    names = group["stacks"]
    return f"all {len(names)} stacks" if len(row.found) == 1 else ", ".join(names)


def _found(row: Finding) -> str:
    return "".join(
        f"<details><summary>{row.id}.py on {_stacks(each, row)}</summary>"
        f"<pre>{escape(each['found'])}</pre></details>"
        for each in row.found
    )
