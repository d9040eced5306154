"""What the tests know of each lesson, a module each: `lessonNN.py`.

ANSWERS                 what somebody might write in its exercises, and what that earns
EQUIVALENT              the mutants of its answers that are right all the same
EXAMPLES                the example of each exercise's card as a cell that asserts what it says
NAMES_IN_HINTS          names that only the hints of an exercise use, such as a setting's
MAY_DIFFER_TWICE        its cells that may say something else when each cell runs twice before the
                        next, and why; also cells that see that an earlier one ran twice
MAY_DIFFER_INTERRUPTED  its cells that may also do so when each is interrupted and runs again
FAULTS                  what is planted in its files, and the checks that must notice
"""

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Answer:
    """What somebody might write in an exercise's cell.

    Args:
        number: the exercise's number.
        source: the whole cell.
        wrong: the diagnosis that this answer earns, if it is wrong.
        right: what is different from the reference, if it is right.
        why: the thought behind a wrong answer.
    """

    number: str
    source: str
    wrong: str = ""
    right: str = ""
    why: str = ""

    def __post_init__(self):
        if bool(self.wrong) == bool(self.right):
            raise ValueError(f"an answer to {self.number} is either wrong or right")

    @property
    def label(self) -> str:
        return f"{self.number} {self.wrong or self.right}"


def in_pieces(first: str, **usual: str) -> Callable[..., str]:
    """A cell that many answers share but for a piece or two.

    Args:
        first: its first line.
        usual: the pieces below, in their order, as most of the answers have them.

    Returns:
        What gives the source of the whole cell, with other pieces for those that it is called with.
    """

    def source(**other: str) -> str:
        if not other.keys() <= usual.keys():
            raise ValueError(f"pieces are {', '.join(usual)}; not {', '.join(other)}")
        pieces = [piece.strip("\n") for piece in (usual | other).values()]
        return "\n\n".join([f"\n{first}\n{pieces[0]}", *pieces[1:]]) + "\n"

    return source


@dataclass(frozen=True)
class Equivalent:
    """Mutants that no check can tell from the reference, because they are right.

    They behave the same for every caller, or answer otherwise and keep to every word of the card.

    Args:
        because: why they are right.
        mutants: their ids.
    """

    because: str
    mutants: tuple[str, ...]

    def __post_init__(self):
        if not self.because.strip():
            raise ValueError(f"{', '.join(self.mutants)}: right without a reason")


def lesson(number: int) -> ModuleType:
    """What the tests know of one lesson.

    Raises:
        ModuleNotFoundError: the lesson has no module here.
    """
    return importlib.import_module(f"{__name__}.lesson{number:02d}")


def lesson_of(notebook: Path) -> ModuleType:
    """What the tests know of the lesson that a notebook belongs to."""
    return lesson(int(notebook.name[:2]))


def lessons() -> list[ModuleType]:
    """What the tests know of every lesson, in the lessons' order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [lesson(int(name[6:])) for name in names if re.fullmatch(r"lesson\d\d", name)]
