"""What the lessons' prose names is there, and its figures come from a cell.

Code in prose speaks of the lesson's own cells, of the kit, or of what the course stands on: each
name is looked up there. So is each figure, but for versions and lessons.
"""

import asyncio
import builtins
import concurrent.futures
import importlib.util
import keyword
import re
import unittest
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from nbformat import NotebookNode

import asynclab
from asynclab.authoring.error_table import said
from asynclab.authoring.notebooks import CHECKOUT, code_cells, find, read
from asynclab.ledger.error_index import occurs
from tests.repository.readme import TO_COME

LESSONS = find("notebooks")
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)

FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`+([^`\n]+)`+")
LINK = re.compile(r"\]\([^)]*\)")
NAME = re.compile(r"[^\W\d]\w*")
MODULE = re.compile(r"\b[\w/]+/\w+\.py\b")
FIGURE = re.compile(r"(?<![\w.·-])\d+(?:\.\d+)*(?!\w)")
PROGRAMS = re.compile(r"\b(?:[Cc]hannels|Python|Django|ipykernel|IPython|asgiref|uvloop)\b")
ERROR = re.compile(r"(?:[A-Z]\w*(?:Error|Exception|Operation|Warning)|DoesNotExist): \S.*")

# What the course stands on.
PACKAGES = ("django", "asgiref", "IPython", "ipykernel", "nest_asyncio")
STANDARD = (asyncio, concurrent.futures, unittest)
# Of Python 3.14; words of a shell; of Django REST framework, nginx, channels and libpq; of Django
# 6.0; or they stand for the reader's own.
OTHERS = {"print_call_graph", "python", "pstree", "PID", "APIView", "api_view"}
OTHERS |= {"proxy_buffering", "database_sync_to_async", "TASKS", "ImmediateBackend"}
OTHERS |= {"keepalives_idle", "tcp_user_timeout"}
OTHERS |= {"f", "x", "queryset", "iterator"}


def prose(path: Path) -> dict[str, str]:
    """The Markdown of a lesson, by the ids of its cells; the boxes are `claims.yml`'s."""
    cells = [c for c in read(path).cells if c.cell_type == "markdown" and "claim" not in c.metadata]
    return {cell.id: FENCED.sub("", cell.source) for cell in cells}


@cache
def said_by_machine(path: Path) -> str:
    """The code of a lesson, and all that its cells show."""
    texts = []
    for cell in code_cells(read(path)):
        pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
        texts += [cell.source, said(cell), *pages]
    return "\n".join(texts)


@cache
def folders() -> dict[str, Path]:
    origins = {name: importlib.util.find_spec(name).origin for name in PACKAGES}
    found = {name: Path(origin).parent for name, origin in origins.items()}
    found |= {module.__name__: Path(module.__file__).parent for module in STANDARD}
    return found | {"asynclab": CHECKOUT / "asynclab", "demo": CHECKOUT / "demo_project"}


@cache
def sources() -> tuple[str, ...]:
    paths = [path for folder in folders().values() for path in folder.rglob("*.py")]
    paths.append(folders()["asynclab"].parent / "pyproject.toml")
    return tuple(path.read_text(encoding="utf-8", errors="replace") for path in paths)


def is_somewhere(name: str) -> bool:
    return any(re.search(rf"\b{name}\b", text) for text in sources() if name in text)


def spans(text: str) -> list[str]:
    return CODE.findall(text)


KNOWN = {*dir(builtins), *keyword.kwlist, *asynclab.__all__, *OTHERS}


@each_lesson
def test_every_name_in_its_prose_is_there(path):
    here = {*NAME.findall(said_by_machine(path)), *KNOWN}
    named = {
        (cell, name)
        for cell, text in prose(path).items()
        for code in spans(text)
        if code not in said_by_machine(path)
        for name in NAME.findall(re.sub(r"\"[^\"]*\"", "", code))
    }
    assert sorted(each for each in named if each[1] not in here and not is_somewhere(each[1])) == []


@each_lesson
def test_every_module_in_its_prose_is_there(path):
    named = {
        each
        for text in prose(path).values()
        for code in spans(text)
        for each in MODULE.findall(code)
    }
    there = {each: folders().get(each.split("/")[0]) for each in named}
    gone = [
        each for each, folder in there.items() if folder and not (folder.parent / each).is_file()
    ]
    assert gone == []


@each_lesson
def test_every_error_in_its_prose_was_shown_by_a_cell(path):
    shown = "\n".join(map(said, code_cells(read(path))))
    errors = {each for text in prose(path).values() for each in spans(text) if ERROR.match(each)}
    assert sorted(error for error in errors if not occurs(error, shown)) == []


def figures_of(cells: Iterable[NotebookNode]) -> set[str]:
    """The figures in code, and in what the cells print and give; not in tracebacks."""
    given = [out.get("data", {}).get("text/plain", "") for cell in cells for out in cell.outputs]
    printed = [out.get("text", "") for cell in cells for out in cell.outputs]
    return set(FIGURE.findall("\n".join([*(cell.source for cell in cells), *given, *printed])))


@cache
def computed(path: Path) -> set[str]:
    """The figures in a lesson's code, and in what its cells print and give."""
    return figures_of(code_cells(read(path)))


@cache
def computed_near(path: Path) -> dict[str, set[str]]:
    """The same of the section that each Markdown cell stands in, by the cell's id."""
    sections, near = [[]], {}
    for cell in read(path).cells:
        if cell.cell_type == "code":
            sections[-1].append(cell)
        elif re.search(r"^##+ ", cell.source, re.MULTILINE):
            sections.append([])
        near[cell.id] = sections[-1]
    return {cell: figures_of(code) for cell, code in near.items()}


# What sums up, and what the sections around it have computed.
SUMS_UP = {"contract", "recap", "errors", "s-choice", "choice-limits"}
FROM_ELSEWHERE = {
    *(("alive-explained", "32"), ("s-down", "100")),  # a default of Python, and of PostgreSQL
    *(("gather-fails-explained", "500"), ("unmarked-explained", "500")),  # a status
    *(("prefetch-explained", "18"), ("order-explained", "15")),  # counted in a section before
    ("newer-intro", "5.2"),  # a version
}


@each_lesson
def test_every_figure_in_its_prose_is_a_cells(path):
    there, near = computed(path), computed_near(path)
    numbers = {int(each.name[:2]) for each in LESSONS} | TO_COME.keys()
    typed = []
    for cell, text in prose(path).items():
        if cell == "contract":
            continue  # minutes and lessons are counted elsewhere
        for paragraph in CODE.sub("", text).split("\n\n"):
            years = re.findall(r"\b20\d\d\b", paragraph) if "](https://" in paragraph else []
            paragraph = LINK.sub("]", paragraph)
            lessons = re.findall(r"[Ll]essons? (\d\d)\b", paragraph)
            assert {int(each) for each in lessons} <= numbers, cell
            versions = re.findall(r"\b\d+\.\d+\b", paragraph) if PROGRAMS.search(paragraph) else []
            linked = re.findall(r"\[(\d\d) · ", paragraph)
            documents = re.findall(r"(?:issue|PEP|RFC) (\d+)", paragraph)
            free = {*lessons, *versions, *linked, *documents, *years}
            for figure in set(FIGURE.findall(paragraph)) - free:
                # One digit may be in any cell by chance, and two hardly.
                far = len(figure) == 1 or cell in SUMS_UP or (cell, figure) in FROM_ELSEWHERE
                if figure not in (there if far else near[cell]):
                    typed.append((cell, figure))
    assert typed == []


@each_lesson
def test_a_version_of_python_is_one_that_has_been(path):
    """Those that the course runs on, or older ones of which a lesson tells."""
    text = "\n".join(prose(path).values())
    minors = {int(minor) for minor in re.findall(r"\bPython 3\.(\d+)\b", text)}
    assert minors <= set(range(7, 16))
