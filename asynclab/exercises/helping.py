"""`hint` and `solution`."""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

from ..ground.errors import LabError
from ..ground.prose import with_code
from . import score
from .book import Exercise, find
from .stubs import answer
from .verdicts import framed

CHECKOUT = Path(__file__).parents[2]

COLOURS = {
    Keyword: "keyword",
    Operator.Word: "keyword",
    Name.Function: "def",
    Name.Class: "def",
    Name.Decorator: "def",
    Name.Builtin: "builtin",
    String: "string",
    Number: "number",
    Operator: "operator",
    Comment: "comment",
}
"""JupyterLab's editor has a colour for each of these."""

# As in a cell: a long line is scrolled, and not broken in the middle of a word.
LISTING = "margin: 6px 0; white-space: pre; overflow-x: auto"


@dataclass(frozen=True)
class Hint:
    """One hint of an exercise."""

    exercise: str
    place: int
    total: int
    text: str

    @property
    def heading(self) -> str:
        return f"Hint {self.place} of {self.total}"

    @property
    def after(self) -> str:
        if self.place < self.total:
            return ""
        return f'That was the last one. solution("{self.exercise}") shows the answer.'

    def __repr__(self) -> str:
        return f"{self.heading}: {self.text}" + (f"\n{self.after}" if self.after else "")

    def _repr_html_(self) -> str:
        after = f"<div>{escape(self.after)}</div>" if self.after else ""
        return framed(f"<strong>{self.heading}</strong>: {with_code(self.text)}{after}")


@dataclass(frozen=True)
class Solution:
    """The reference answer of an exercise, as it stands in solutions/, and why it is right."""

    exercise: str
    notebook: str
    text: str
    why: str

    @property
    def heading(self) -> str:
        return f"Exercise {self.exercise}, from {self.notebook}"

    def __repr__(self) -> str:
        return f"{self.heading}\n\n{self.text}\n\n{self.why}"

    def _repr_html_(self) -> str:
        return framed(
            f"<strong>{escape(self.heading)}</strong>"
            f'<pre style="{LISTING}">{coloured(self.text)}</pre>'
            f"<div>{with_code(self.why)}</div>"
        )


def hint(number: object, place: int | None = None) -> Hint:
    """The hint after the one that was shown last; after the last one, the last one again.

    Args:
        number: the exercise's number.
        place: 1 for the first hint, and so on.

    Raises:
        LabError: there is no such exercise, or no such hint.
    """
    exercise = find(number)
    total = len(exercise.hints)
    if place is not None and (not isinstance(place, int) or not 1 <= place <= total):
        raise LabError(f"Exercise {exercise.number} has hints 1 to {total}.")
    place = score.note_hint(exercise.number, total, place)
    return Hint(exercise.number, place, total, exercise.hints[place - 1])


def solution(number: object) -> Solution:
    """The reference answer of an exercise: the very text that the tests run.

    Raises:
        LabError: there is no such exercise, or solutions/ is not at hand.
    """
    exercise = find(number)
    path = _solutions_notebook(exercise)
    source = _source_in(path, f"exercise-{exercise.number}")
    if source is None:
        raise LabError(f"solutions/{path.name} holds no cell for exercise {exercise.number}.")
    return Solution(exercise.number, f"solutions/{path.name}", answer(source), exercise.why)


def coloured(source: str) -> str:
    """Python source as HTML, in the colours of JupyterLab's own editor.

    They are variables of its theme, light or dark. Where there is no such theme, the text has the
    colour of the text around it.
    """
    tokens = PythonLexer(ensurenl=False, stripnl=False).get_tokens(source)
    return "".join(_coloured(kind, escape(text)) for kind, text in tokens)


def _coloured(kind, text: str) -> str:
    names = [COLOURS[general] for general in kind.split() if general in COLOURS]
    if not names:
        return text
    return f'<span style="color: var(--jp-mirror-editor-{names[-1]}-color, inherit)">{text}</span>'


def _source_in(path: Path, tag: str) -> str | None:
    """The source of the cell with this tag."""
    # Not nbformat's reader: it takes seconds to import, and a kernel seldom needs it.
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found = [cell for cell in cells if tag in cell["metadata"].get("tags", ())]
    except (OSError, ValueError, KeyError):
        raise LabError(
            f"solutions/{path.name} cannot be read. Get it anew from the course."
        ) from None
    return "".join(found[0]["source"]) if found else None


def _solutions_notebook(exercise: Exercise) -> Path:
    found = sorted((CHECKOUT / "solutions").glob(f"{exercise.lesson:02d}_*.ipynb"))
    if not found:
        raise LabError(
            f"The solutions of lesson {exercise.lesson:02d} are not at hand: "
            "they come with a checkout of the course, in its solutions folder."
        )
    return found[0]
