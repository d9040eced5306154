"""The tests of one lesson, or of some: `python3 start.py test 08`, pytest's `--lesson 08`.

A pytest plugin, `-p tests.harness.one_lesson`. A lesson's tests are its notebooks' cells, what is
tried with its exercises, its page in the browser, and what holds for all lessons together. What
tests the kit, the proof and the checkout is left out.
"""

import re

import pytest

from asynclab.authoring.notebooks import find

OF_ALL_LESSONS = "tests/lessons/"
PAGES = "tests/pages/test_browser_notebooks.py"
STYLE = "tests/kit/authoring/test_census.py"
NUMBERED = (OF_ALL_LESSONS, PAGES, STYLE)
"""Where the number in a test's id is a lesson's."""
NUMBER = re.compile(
    r"""
    (?: ^ (?: notebooks | exercises | solutions ) / | \[ (?: \w+ / )? )  # a notebook, or an id
    (\d{1,2}) (?= _ | \.\d | \] )  # 08_wsgi_and_asgi, 8.1 says-wsgi, 8
    """,
    re.VERBOSE,
)


def lesson_of(nodeid: str) -> int | None:
    """The number of the lesson that a test is about, None if it is about none or about all."""
    found = NUMBER.search(nodeid)
    counts = found and (nodeid.startswith(NUMBERED) or ".ipynb::" in nodeid)
    return int(found[1]) if counts else None


def lessons() -> list[int]:
    """The numbers of the lessons that there are."""
    return sorted(int(path.name[:2]) for path in find("notebooks"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lesson", type=int, action="append", default=[], help="its tests alone")


def pytest_configure(config: pytest.Config) -> None:
    for number in config.option.lesson:
        if number not in lessons():
            last = max(lessons())
            raise pytest.UsageError(f"There is no lesson {number:02}: there are 00 to {last:02}.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of other lessons out, and those of no lesson."""
    asked = set(config.option.lesson)
    if not asked:
        return

    def wanted(nodeid: str) -> bool:
        lesson = lesson_of(nodeid)
        return lesson in asked if lesson is not None else nodeid.startswith(OF_ALL_LESSONS)

    config.hook.pytest_deselected(items=[each for each in items if not wanted(each.nodeid)])
    items[:] = [each for each in items if wanted(each.nodeid)]
