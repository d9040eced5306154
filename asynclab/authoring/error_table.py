"""A lesson's table of errors: exact text, cause, fix; each text was produced by the lesson."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from ..ledger.error_index import occurs
from .notebooks import code_cells

HEADING = "## When you see this"
COLUMNS = ["Exact text", "Cause", "Fix"]

_CODE = re.compile(r"`+(.+?)`+")
# What another version says is a text of the machine's, too.
_SAID = re.compile(r"\b(?:says?|adds?) `+(.+?)`+")
_SAME = re.compile(r"^[Tt]he same\b")
# It stands for a cell of the row above, and for nothing that is named behind it.
_SAME_THING = re.compile(r"^[Tt]he same (?!where\b)\w")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def check(notebook: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the table of errors in a lesson."""
    found = [c.source for c in notebook.cells if re.search(rf"^{HEADING}$", c.source, re.MULTILINE)]
    if len(found) != 1:
        yield f"it has {len(found)} headings '{HEADING}'; 1 belongs"
        return
    table = _table(found[0])
    if len(table) < 3 or table[0] != COLUMNS:
        yield f"'{HEADING}' has no table with the columns {', '.join(COLUMNS)}"
        return
    shown = "\n".join(said(cell) for cell in code_cells(notebook))
    for row in table[2:]:
        yield from _check_row(row, shown)


def rows_of(notebook: NotebookNode) -> Iterator[tuple[list[str], str, str]]:
    """Yield the rows of a lesson's table: the exact texts, the cause and the fix.

    "The same" is said in the words of the row above.
    """
    found = [c.source for c in notebook.cells if re.search(rf"^{HEADING}$", c.source, re.MULTILINE)]
    above = ["", ""]
    for texts, *rest in (row for source in found for row in _table(source)[2:]):
        above = [_SAME.sub(lambda _, a=a: a, said) for a, said in zip(above, rest, strict=True)]
        yield _CODE.findall(texts), *above


def _table(source: str) -> list[list[str]]:
    return [_row(line) for line in source.splitlines() if line.startswith("|")]


def _row(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace(r"\|", "|") for cell in cells]


def _check_row(row: list[str], shown: str) -> Iterator[str]:
    if len(row) != len(COLUMNS) or not all(row):
        yield f"a row of its table of errors has not {len(COLUMNS)} filled columns: {row[0]}"
    for cell in filter(_SAME_THING.match, row[1:]):
        yield f"'the same' is what the row above says; write what it is: {cell}"
    texts = _CODE.findall(row[0])
    if not texts:
        yield f"the exact text of an error is not in backticks: {row[0]}"
    for text in [*texts, *_SAID.findall("|".join(row[1:]))]:
        if not occurs(text, shown):
            yield f"no cell of it shows the error {text}"


def said(cell: NotebookNode) -> str:
    """All the text that `cell` shows, an error as its last line does."""
    texts = []
    for output in cell.outputs:
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", "")]
        texts += [f"{output.ename}: {output.evalue}"] if "ename" in output else []
        texts += output.get("traceback", ())
    return _COLOUR.sub("", "\n".join(texts))
