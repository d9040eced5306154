"""A table, as HTML: columns of prose, and narrow ones whose words are never broken."""

from collections.abc import Iterable, Sequence

_LEFT = "text-align: left; vertical-align: top"
_PROSE, _NARROW = f"{_LEFT}; overflow-wrap: anywhere", f"{_LEFT}; white-space: nowrap"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], narrow: int) -> str:
    """Return a table.

    Args:
        columns: their names.
        rows: the cells of each, as HTML.
        narrow: how many of the last columns are narrow.
    """
    styles = [_PROSE] * (len(columns) - narrow) + [_NARROW] * narrow
    head = "".join(f'<th scope="col" style="{_NARROW}">{name}</th>' for name in columns)
    body = "".join(f"<tr>{_cells(row, styles)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Sequence[str], styles: Sequence[str]) -> str:
    styled = zip(row, styles, strict=True)
    return "".join(f'<td style="{style}">{cell}</td>' for cell, style in styled)
