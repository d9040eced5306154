"""A lesson's contract, its first cell: what it asks, what one needs first, how long it takes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..ground.errors import LabError
from .notebooks import read

QUESTION = "**The question:** why ...?"
TIMES = (
    "**Time: 35 minutes, and 20 more for the deeper sections.**",
    "**Time: 15 minutes.**",
)

TITLE = re.compile(r"^# (?P<number>\d\d) · (?P<title>.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^\*\*The question:\*\* (?P<question>.+)$", re.MULTILINE)
_TIME = re.compile(
    r"^\*\*Time: (?P<core>\d+) minutes"
    r"(?:, and (?P<deeper>\d+) more for the deeper sections)?\.\*\*$",
    re.MULTILINE,
)
_NEEDED = (
    ("its number and title, as # 03 · Threads", TITLE),
    (f"the question it answers, as {QUESTION}", _QUESTION),
    ("what one needs first (necessary, helpful)", re.compile(r"\|\s*(necessary|helpful)\s*\|")),
    ("what one can do afterwards", re.compile(r"you can|you will be able")),
    (f"its time as {' or '.join(TIMES)}", _TIME),
)


@dataclass(frozen=True)
class Contract:
    """What a lesson promises.

    Args:
        number: two digits.
        title: the lesson's title.
        question: what it answers.
        core: the minutes of its core.
        deeper: those of its deeper sections.
    """

    number: str
    title: str
    question: str
    core: int
    deeper: int


def contract_of(path: Path) -> Contract:
    """Return the contract of the lesson at `path`.

    Raises:
        LabError: its first cell lacks a part, or the file is no notebook.
    """
    first = read(path).cells[0].source
    for problem in check(first):
        raise LabError(f"{path.name}: {problem}.")
    core, deeper = stated_minutes(first)
    title, question = TITLE.search(first), _QUESTION.search(first)
    return Contract(title["number"], title["title"], question["question"], core, deeper)


def check(first: str) -> Iterator[str]:
    """Yield what a lesson's first cell does not state."""
    for needed, pattern in _NEEDED:
        if not pattern.search(first):
            yield f"its first cell does not state {needed}"


def stated_minutes(first: str) -> tuple[int, int] | None:
    """Return the minutes of the core and of the deeper sections; None if they are not stated."""
    found = _TIME.search(first)
    return found and (int(found["core"]), int(found["deeper"] or 0))
