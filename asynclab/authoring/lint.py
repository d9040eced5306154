"""The rules of style that can be counted; those of a lesson's form are in their own modules."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from nbformat import NotebookNode

from ..ground.labconfig import WIDGET_VIEW
from . import contract, error_table, links, notebook_form, pictures, sections
from .notebooks import code_cells, exemption, read, tags

MEDIAN_LINES, MOST_LINES, MOST_WORDS = 5, 12, 110
LEAST_MINUTES, MOST_MINUTES = 3, 8  # an exercise
SHARE = 0.9  # of the cells that keep to MOST_LINES and MOST_WORDS

_IMAGE = re.compile(r"!\[(?P<alt>[^]]*)\]\([^)]*\)|<img\b(?P<tag>[^>]*)>")
_TODO = re.compile(r"\bTODO\b:? *(?P<what>[^\n|.?\]]*[^\n|.?\] ])?")
_PREDICTS = re.compile(r"^(\w+) = predict\(", re.MULTILINE)
_MACHINE = re.compile(
    r"(?<![\w./])/(?:home|root|Users|tmp|var|private|work)/\w|[A-Z]:\\\w|\b0x[0-9a-f]{6,}"
)


def lint(path: Path) -> list[str]:
    """Return what is against the rules in the notebook at `path`, a line each."""
    notebook = read(path)
    rules = [*_common(notebook, path), *notebook_form.check(notebook)]
    if path.resolve().parent.name == "notebooks":
        rules += [
            *_lesson(notebook),
            *sections.check(notebook),
            *error_table.check(notebook),
        ]
    else:
        rules += _exercises(notebook, path)
    rules += _next(notebook, path)
    return [f"{path.parent.name}/{path.name}: {problem}" for problem in rules]


def _common(notebook: NotebookNode, path: Path) -> Iterator[str]:
    if "widgets" in notebook.metadata:
        yield "holds the state of widgets, which belongs to one kernel"
    for cell in notebook.cells:
        for todo in _TODO.finditer(cell.source):
            yield f"cell {cell.get('id')}: still to be written: {todo['what'] or 'TODO'}"
        found = _code(cell) if cell.cell_type == "code" else prose(cell.source, path.parent)
        yield from (f"cell {cell.get('id')}: {problem}" for problem in found)


def _code(cell: NotebookNode) -> Iterator[str]:
    if exemption(cell) and not str(cell.metadata.get("reason", "")).strip():
        yield "is exempt from comparison without a reason in its metadata"
    failed = any(output.output_type == "error" for output in cell.outputs)
    if failed != ("raises-exception" in tags(cell)):
        what = "fails without" if failed else "does not fail, but has"
        yield f"{what} the tag raises-exception"
    for text in [cell.source, *map(_shown, cell.outputs)]:
        if found := _MACHINE.search(text):
            yield f"holds something of one machine: {found.group()}"
    if any(WIDGET_VIEW in output.get("data", {}) for output in cell.outputs):
        yield "holds a widget view, which no other kernel can show"
    yield from pictures.check(cell)


def _shown(output: NotebookNode) -> str:
    parts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", ())]
    data = output.get("data", {})
    return "\n".join([*parts, data.get("text/plain", ""), data.get("text/html", "")])


def prose(text: str, folder: Path) -> Iterator[str]:
    """Yield what is against the rules in a text.

    Args:
        text: Markdown.
        folder: where its links start from.
    """
    for image in _IMAGE.finditer(text):
        alt = image["alt"] if image["tag"] is None else re.search(r"alt=.\w", image["tag"])
        if not alt:
            yield f"an image has no alt text: {image.group()[:60]}"
    yield from links.check(text, folder)


def _lesson(notebook: NotebookNode) -> Iterator[str]:
    yield from _sizes(notebook)
    yield from _predictions(code_cells(notebook))
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    yield from contract.check(texts[0] if texts else "")
    yield from _closing("\n\n".join(texts))


def _sizes(notebook: NotebookNode) -> Iterator[str]:
    lines = [lines_of_code(cell.source) for cell in code_cells(notebook)]
    words = [sections.words(c.source) for c in notebook.cells if c.cell_type == "markdown"]
    if not lines:
        yield "has no code"
        return
    if median(lines) > MEDIAN_LINES:
        yield f"its median cell has {median(lines):g} lines; {MEDIAN_LINES} at most"
    for unit, sizes, most in (("lines", lines, MOST_LINES), ("words", words, MOST_WORDS)):
        long = sum(size > most for size in sizes)
        if long > (1 - SHARE) * len(sizes):
            yield f"{long} of {len(sizes)} cells have more than {most} {unit}; {1 - SHARE:.0%} may"


def _predictions(cells: Sequence[NotebookNode]) -> Iterator[str]:
    for at, cell in enumerate(cells):
        for name in _PREDICTS.findall(cell.source):
            reveals = [f"{name}.reveal(" in other.source for other in cells]
            if any(reveals[: at + 1]):
                yield f"cell {cell.id}: {name} is revealed before it can be predicted"
            if not any(reveals[at + 1 :]):
                yield f"cell {cell.id}: {name} is predicted and never revealed"
    for cell in cells:
        if ".reveal(" in cell.source and not re.match(r"\w+\.reveal\(", _last(cell.source)):
            yield f"cell {cell.id}: a reveal is shown only as the last line of its cell"


def _last(source: str) -> str:
    """The last statement of a cell, of which IPython shows the value."""
    lines = [line for line in source.splitlines() if not line.startswith("%")]
    try:
        return ast.unparse(ast.parse("\n".join(lines)).body[-1])
    except (SyntaxError, IndexError):
        return ""


def _closing(prose: str) -> Iterator[str]:
    for needed, pattern in (
        ("a recap (## Recap)", r"^## Recap"),
        ("what is next (**Next:**)", r"\*\*Next:?\*\*"),
        ("a link to its exercises", r"\]\(\.\./exercises/"),
    ):
        if not re.search(pattern, prose, re.MULTILINE):
            yield f"it lacks {needed}"


def _next(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """**Next:** leads to the lesson that follows, and first to that one; it practises its own.

    Where that one is still to come, there is nothing to lead to.
    """
    following = f"{int(path.name[:2]) + 1:02}_"
    later = sorted(_lessons(path, following))
    [said] = [c.source for c in notebook.cells if "**Next:**" in c.source][:1] or [""]
    leads = [target.rpartition("/")[2] for _, target in links.links(said.partition("**Next:**")[2])]
    lessons = [name for name in leads if "_exercises_" not in name]
    if later and lessons[:1] != later[:1]:
        yield f"its **Next:** does not link to {later[0]}"
    if [name for name in leads if "_exercises_" in name and name[:2] != path.name[:2]]:
        yield "it practises the exercises of another lesson"


def _lessons(path: Path, begin: str) -> list[str]:
    folder = path.resolve().parent.with_name("notebooks")
    return [each.name for each in folder.glob(f"{begin}*.ipynb")]


def _exercises(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """What the first cell of a notebook with exercises says of their number and their time."""
    first = notebook.cells[0].source
    yield from links.counted(links.without_links(first), path)
    stated = re.search(r"\*\*Time:\*\* (\d+) minutes\.", first)
    tried = sum("await check(" in cell.source for cell in code_cells(notebook))
    if not stated:
        yield "its first cell does not state its time as **Time:** 20 minutes."
    elif not LEAST_MINUTES * tried <= int(stated[1]) <= MOST_MINUTES * tried:
        yield f"states {stated[1]} minutes for {tried} exercises"


def lines_of_code(source: str) -> int:
    """Return how many lines of `source` are neither blank nor only a comment."""
    return sum(bool(re.match(r"\s*[^\s#]", line)) for line in source.splitlines())
