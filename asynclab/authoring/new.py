"""Begin a lesson: its four files, from the skeletons beside this module.

What an author has to write is marked by TODO in them: `lint` finds that in a notebook, ruff in a
module. The exercise that is there already is an example, whose gate is green.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from string import Template

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ..ground.errors import LabError
from .contract import contract_of
from .notebook_form import METADATA

LONGEST_TITLE = 60

_SKELETONS = Path(__file__).with_name("skeletons")
_TITLE = re.compile(r"[\w .,:;'&()-]*[A-Za-z0-9][\w .,:;'&()-]*")
_CELL = re.compile(r"^%% (?P<head>.+)\n(?P<source>(?:(?!%% ).*\n)*)", re.MULTILINE)


def begin(number: str, title: str, checkout: Path) -> list[Path]:
    """Write the files of a new lesson, and return their paths.

    Args:
        number: the lesson's number, as "06".
        title: its title, as "the async ORM".
        checkout: the clone of the course to write into.

    Raises:
        LabError: the number or the title is none, the lesson is there already, or `checkout` holds
            no course. Then nothing has been written.
    """
    if not re.fullmatch(r"\d{1,2}", number):
        raise LabError(f"A lesson's number is one or two digits, as 06; this is {number!r}.")
    if not _TITLE.fullmatch(title):
        raise LabError(
            f"A lesson's title is made of letters, digits, spaces and .,:;'&()-; this is {title!r}."
        )
    if len(title) > LONGEST_TITLE:
        raise LabError(
            f"A lesson's title has at most {LONGEST_TITLE} characters; this one has {len(title)}."
        )
    number = f"{int(number):02d}"
    before = _lesson_before(number, checkout)
    for path in _there(number, checkout):
        raise LabError(f"Lesson {number} is there already: {path.relative_to(checkout)}.")
    texts = _texts(number, title, before)
    for name, text in texts.items():
        with open(checkout / name, "x", encoding="utf-8") as file:
            file.write(text)
    return [checkout / name for name in texts]


def _lesson_before(number: str, checkout: Path) -> Path:
    lessons = sorted((checkout / "notebooks").glob("*.ipynb"))
    before = [path for path in lessons if path.name[:2] < number]
    if not lessons:
        raise LabError(f"{checkout} is no clone of the course: it has no lesson in notebooks/.")
    return before[-1] if before else lessons[0]


def _there(number: str, checkout: Path) -> Iterator[Path]:
    for folder in ("notebooks", "solutions", "exercises"):
        yield from sorted((checkout / folder).glob(f"{number}_*.ipynb"))
    for folder in ("asynclab/lessons", "tests/lessons"):
        yield from (checkout / folder).glob(f"lesson{number}.py")


def _texts(number: str, title: str, before: Path) -> dict[str, str]:
    """The text of each file, by its path in the checkout."""
    slug = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    lesson, exercises = f"{number}_{slug}.ipynb", f"{number}_exercises_{slug}.ipynb"
    promised = contract_of(before)
    words = {
        "nn": number,
        "n": str(int(number)),
        "title": title,
        "lesson": lesson,
        "exercises": exercises,
        "before": f"[{promised.number} · {promised.title}]({before.name})",
    }
    return {
        f"notebooks/{lesson}": _notebook(_filled("lesson", words)),
        f"solutions/{exercises}": _notebook(_filled("solutions", words)),
        f"asynclab/lessons/lesson{number}.py": _filled("checks", words),
        f"tests/lessons/lesson{number}.py": _filled("tests", words),
    }


def _filled(skeleton: str, words: dict[str, str]) -> str:
    text = (_SKELETONS / f"{skeleton}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _notebook(text: str) -> str:
    """A notebook from its text: `%% type id` and a cell's metadata stand above each cell."""
    cells = [_cell(found["head"], found["source"].strip()) for found in _CELL.finditer(text)]
    return nbformat.writes(new_notebook(metadata=METADATA, cells=cells)) + "\n"


def _cell(head: str, source: str) -> NotebookNode:
    cell_type, cell_id, *marks = head.split()
    metadata = {}
    for mark in marks:
        name, _, value = mark.partition("=")
        metadata[name] = [value] if name == "tags" else value
    make = new_code_cell if cell_type == "code" else new_markdown_cell
    return make(source, id=cell_id, metadata=metadata)
