"""What shells made of the same cells, side by side."""

import html
import re
import textwrap
from collections.abc import Mapping
from functools import cached_property
from typing import Self

from ..ground.errors import LabError

NAMES = {"jupyter": "Jupyter", "ipython": "terminal IPython", "python": "plain Python"}


class Outcome(str):
    """What one shell made of one cell, as a line of text.

    `kind` is "value" (what it printed and its last value), "error", "hangs", "dies", or "dropped"
    (the cell never ran).
    """

    kind: str

    def __new__(cls, text: str, kind: str = "value") -> Self:
        outcome = super().__new__(cls, text)
        outcome.kind = kind
        return outcome


class _NotInTable(LabError, KeyError):
    # KeyError alone would show the message's repr.
    __str__ = Exception.__str__


class Row(dict[str, Outcome]):
    """The outcomes of one shell, by column."""

    def __missing__(self, column: str) -> Outcome:
        raise _NotInTable(f"No column {column!r}. There are: {', '.join(map(repr, self))}.")


class ShellTable:
    """Outcomes side by side: a row for each shell, a column for each cell or question.

    `table["jupyter", "off"]["sync ORM?"]` is an `Outcome`; a shell with one row only goes by its
    name alone: `table["python"]["sync ORM?"]`. `rows` holds all of them by (shell, autoawait).

    An error is shown by its name in the table, and in full below it: in one piece, so that a page
    that is narrow has room for the table, and a search finds the text.
    """

    def __init__(self, rows: Mapping[tuple[str, str | None], Row], caption: str):
        self.rows = dict(rows)
        self.caption = caption

    def __getitem__(self, key: str | tuple[str, str]) -> Row:
        wanted = (key,) if isinstance(key, str) else tuple(key)
        found = [row for name, row in self.rows.items() if name[: len(wanted)] == wanted]
        if len(found) == 1:
            return found[0]
        keys = ", ".join(str(list(filter(None, name))) for name in self.rows)
        raise _NotInTable(f"No single row {key!r}. There are: {keys}.")

    @cached_property
    def errors(self) -> list[str]:
        """The text of each error in the table that has a message, each once, in their order."""
        outcomes = [outcome for row in self.rows.values() for outcome in row.values()]
        return list(dict.fromkeys(_one_line(each) for each in outcomes if _has_message(each)))

    def _grid(self) -> list[list[str]]:
        columns = list(next(iter(self.rows.values())))
        return [["shell", *columns]] + [
            [_label(*name), *(self._cell(row[column]) for column in columns)]
            for name, row in self.rows.items()
        ]

    def _cell(self, outcome: Outcome) -> str:
        """An outcome in short: of an error the name, and the number of its text below the table."""
        if not _has_message(outcome):
            return textwrap.shorten(outcome, 160, placeholder=" …")
        name, number = outcome.partition(":")[0], self.errors.index(_one_line(outcome)) + 1
        return f"{name} [{number}]"

    def __repr__(self) -> str:
        notes = "".join(f"\n[{number}] {text}" for number, text in enumerate(self.errors, 1))
        table = f"{self.caption}\n\n{_text_table(self._grid())}"
        return f"{table}\n{notes}" if notes else table

    def _repr_html_(self) -> str:
        header, *rows = [[_breakable(text) for text in row] for row in self._grid()]
        left = 'style="text-align: left; padding: 4px"'
        head = "".join(f'<th scope="col" {left}>{text}</th>' for text in header)
        body = "".join(
            f'<tr><th scope="row" {left}>{label}</th>'
            + "".join(f"<td {left}>{text}</td>" for text in outcomes)
            + "</tr>"
            for label, *outcomes in rows
        )
        caption = f"<caption {left}>{html.escape(self.caption)}</caption>"
        notes = "".join(
            f"<p>[{number}] <code>{html.escape(text)}</code></p>"
            for number, text in enumerate(self.errors, 1)
        )
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _has_message(outcome: Outcome) -> bool:
    return outcome.kind == "error" and ": " in outcome


def _one_line(text: str) -> str:
    return textwrap.shorten(text, 500, placeholder=" …")


def _breakable(text: str) -> str:
    """`text` as HTML whose long names may go on in the next line: Synchronous, Only, Operation."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z][_.])(?=[a-z])", "<wbr>", html.escape(text))


def _label(shell: str, autoawait: str | None) -> str:
    return NAMES[shell] + (f", %autoawait {autoawait}" if autoawait else "")


def _text_table(grid: list[list[str]], width: int = 110) -> str:
    """Return `grid` as aligned text, its cells wrapped to about `width` characters in all."""
    labels, *columns = zip(*grid, strict=True)
    share = width // len(grid[0])
    widths = [max(map(len, labels))]
    for column in columns:
        longest_word = max(len(word) for text in column for word in text.split())
        widths.append(min(max(share, longest_word), max(map(len, column))))
    rule = "-+-".join("-" * w for w in widths)
    lines = []
    for row in grid:
        wrapped = [textwrap.wrap(text, w) or [""] for text, w in zip(row, widths, strict=True)]
        for level in range(max(map(len, wrapped))):
            parts = [part[level] if level < len(part) else "" for part in wrapped]
            line = " | ".join(part.ljust(w) for part, w in zip(parts, widths, strict=True))
            lines.append(line.rstrip())
        lines.append(rule)
    return "\n".join(lines[:-1])
