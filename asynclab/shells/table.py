"""What shells made of the same cells, side by side."""

import html
import textwrap
from collections.abc import Mapping
from typing import Self

from ..errors import LabError

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

    def _grid(self) -> list[list[str]]:
        columns = list(next(iter(self.rows.values())))
        return [["shell", *columns]] + [
            [
                _label(*name),
                *(textwrap.shorten(row[c], 160, placeholder=" …") for c in columns),
            ]
            for name, row in self.rows.items()
        ]

    def __repr__(self) -> str:
        return f"{self.caption}\n\n{_text_table(self._grid())}"

    def _repr_html_(self) -> str:
        header, *rows = [[html.escape(text) for text in row] for row in self._grid()]
        left = 'style="text-align: left"'
        head = "".join(f'<th scope="col" {left}>{text}</th>' for text in header)
        body = "".join(
            f'<tr><th scope="row" {left}>{label}</th>'
            + "".join(f"<td {left}>{text}</td>" for text in outcomes)
            + "</tr>"
            for label, *outcomes in rows
        )
        caption = f"<caption {left}>{html.escape(self.caption)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


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
