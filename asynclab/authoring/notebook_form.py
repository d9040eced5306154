"""The form of a notebook: metadata, counts, tags, and Markdown that shows as it is meant."""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from .notebooks import EXEMPTIONS, tags

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OF_A_CELL = {"claim", "reason", "section", "tags"}

_TAG = re.compile(rf"raises-exception|claim-\w+|exercise-\d+\.\d+|{'|'.join(EXEMPTIONS)}")
_FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(`+)[^`\n]+\1")


def check(notebook: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the form of a notebook."""
    if notebook.metadata.get("kernelspec") != METADATA["kernelspec"]:
        yield f"its kernel is {notebook.metadata.get('kernelspec')}; refresh writes {METADATA}"
    yield from _counts(notebook)
    for cell in notebook.cells:
        found = [*_metadata(cell), *(_markdown(cell) if cell.cell_type == "markdown" else ())]
        yield from (f"cell {cell.id}: {problem}" for problem in found)


def _counts(notebook: NotebookNode) -> Iterator[str]:
    """One count after another, as when all cells run once; without any the census says so."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        yield "its execution counts are not those of one run from the top"


def _metadata(cell: NotebookNode) -> Iterator[str]:
    for name in sorted(cell.metadata.keys() - OF_A_CELL):
        yield f"its metadata hold {name!r}, which says nothing here"
    for tag in tags(cell):
        if not _TAG.fullmatch(tag):
            yield f"nobody knows its tag {tag!r}"


def _markdown(cell: NotebookNode) -> Iterator[str]:
    for block in _FENCED.finditer(cell.source):
        if block["language"] == "python" and not _parses(block["code"]):
            yield "a block of Python in it is none"
    text = _FENCED.sub("", cell.source)
    if "```" in text:
        yield "a block of code in it does not end"
    yield from _tables(text)
    for paragraph in _CODE.sub("", text).split("\n\n"):
        for mark in ("`", "**"):
            if paragraph.count(mark) % 2:
                yield f"{mark} stands in it without its other half: {paragraph.strip()[:40]}"


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _tables(text: str) -> Iterator[str]:
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        rows = [_CODE.sub("code", row).replace(r"\|", "") for row in table.splitlines()]
        if len({row.count("|") for row in rows}) > 1:
            yield f"the rows of a table in it differ in length: {rows[0][:40]}"
        if len(rows) < 2 or not re.fullmatch(r"\|(?: *:?-+:? *\|)+", rows[1]):
            yield f"a table in it has no head: {rows[0][:40]}"
