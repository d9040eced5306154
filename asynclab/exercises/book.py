"""What an exercise is, and where it is found: a lesson's module is loaded when it is asked for."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches

from ..ground.errors import LabError


class NotYet(Exception):
    """The answer is wrong in a way that the check recognises.

    Args:
        diagnosis: a short name of the thought that went wrong, such as "sequential". The tests
            hold every diagnosis to a wrong answer that earns it.
        text: what the reader is told, one to three sentences; it ends with a question if it can.
    """

    def __init__(self, diagnosis: str, text: str):
        super().__init__(diagnosis, text)
        self.diagnosis = diagnosis
        self.text = text

    def again(self) -> "NotYet":
        """The same anew: one that was raised would keep the reader's objects alive."""
        return NotYet(self.diagnosis, self.text)


class Raised(NotYet):
    """The reader's code raised, and nothing in the exercise's table of errors says why.

    Args:
        error: the exception.
        text: what the reader is told: the exception, and the line of the cell that it came through.
        path: the functions that it came through, the reader's first, as pairs of module and name.
        source: the text that defined the function which was called, as far as it is known.
    """

    def __init__(
        self,
        error: BaseException,
        text: str,
        path: Sequence[tuple[str, str]] = (),
        source: str = "",
    ):
        super().__init__("raised", text)
        self.error = error
        self.path = path
        self.source = source


Errors = Mapping[object, NotYet | Callable[[Raised], NotYet]]
"""What errors of the reader's code mean. The first key that fits is taken.

A key is a type of exceptions, or a tuple of such a type and conditions that must hold as well: a
text that the exception's own text contains, or a function that is asked about the `Raised`. The
value is what the reader is told, or a function that makes it of the `Raised`.
"""


def meaning_of(raised: Raised, errors: Errors) -> NotYet:
    """What a table says of an error; `raised` itself if it says nothing."""
    for key, meaning in errors.items():
        kind, *conditions = key if isinstance(key, tuple) else (key,)
        if isinstance(raised.error, kind) and all(_holds(each, raised) for each in conditions):
            return meaning.again() if isinstance(meaning, NotYet) else meaning(raised)
    return raised


def _holds(condition: str | Callable[[Raised], bool], raised: Raised) -> bool:
    return condition(raised) if callable(condition) else condition in str(raised.error)


class NotAttempted(Exception):
    """The stub still stands, or a name is missing. `str()` says which."""


@dataclass(frozen=True)
class Exercise:
    """One exercise; see `exercise` for the fields."""

    number: str
    title: str
    names: tuple[str, ...]
    hints: tuple[str, ...]
    seconds: float
    grade: Callable[..., Awaitable[str | None]]
    why: str = ""
    errors: Errors = field(default_factory=dict, compare=False)

    @property
    def lesson(self) -> int:
        return self.order[0]

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.number.split("."))


LESSONS = "asynclab.lessons"
"""The package of the lessons' checks. They import this one, so it knows them by name only."""

_exercises: dict[str, Exercise] = {}


def exercise(
    number: str,
    *,
    title: str,
    names: tuple[str, ...],
    hints: tuple[str, ...],
    why: str = "",
    errors: Errors | None = None,
    seconds: float = 5,
) -> Callable:
    """Make the decorated `async def` the check of an exercise.

    The check takes one argument, a `given.Given`. It raises `NotYet` for an answer that it
    recognises as wrong, and returns for a right one: None, or a sentence to show with "passed".

    Args:
        number: lesson and place in it, such as "1.2".
        title: a few words.
        names: the names that the reader defines. All are there when the check runs.
        hints: questions, from the gentlest to the one that nearly gives it away.
        why: a sentence that says why the reference answer is right; shown below it.
        errors: what an error means that a call of the reader's code raises; see `Errors`.
        seconds: how long one call of the reader's code may take.

    Raises:
        ValueError: the number is taken, or is one of another lesson than the module's.
    """

    def register(grade: Callable) -> Callable:
        texts = tuple(names), tuple(hints)
        new = Exercise(number, title, *texts, seconds, grade, why, errors or {})
        package, _, module = grade.__module__.rpartition(".")
        if package == LESSONS and module != _module(new.lesson):
            raise ValueError(f"exercise {number} belongs in {_module(new.lesson)}.py")
        if number in _exercises:
            there = _exercises[number].grade.__module__
            raise ValueError(f"exercise {number} is in {there} already")
        _exercises[number] = new
        return grade

    return register


def lessons() -> list[int]:
    """The lessons that have a module of checks, in their order."""
    found = importlib.util.find_spec(LESSONS)
    names = [module.name for module in pkgutil.iter_modules(found.submodule_search_locations)]
    return sorted(int(name[6:]) for name in names if name.startswith("lesson"))


def exercises_of(lesson: int) -> list[Exercise]:
    """The exercises of one lesson, in their order. No other lesson is loaded.

    Raises:
        LabError: the lesson's module does not load; the message says why.
    """
    if lesson not in lessons():
        return []
    try:
        importlib.import_module(f"{LESSONS}.{_module(lesson)}")
    except BaseException as error:
        # What it had registered so far would stand in the way of the next try.
        for each in _known(lesson):
            del _exercises[each.number]
        if not isinstance(error, Exception):
            raise  # an interrupt
        first = f"{type(error).__name__}: {error}".splitlines()[0]
        raise LabError(f"The checks of lesson {lesson:02d} do not load: {first}") from error
    return sorted(_known(lesson), key=lambda exercise: exercise.order)


def every_exercise() -> list[Exercise]:
    """All exercises of all lessons, in their order.

    Raises:
        LabError: a lesson's module does not load.
    """
    return [exercise for lesson in lessons() for exercise in exercises_of(lesson)]


def find(number: object) -> Exercise:
    """The exercise with this number.

    Raises:
        LabError: there is none, and the message lists the near ones; or its lesson does not load.
    """
    wanted = str(number).strip()
    lesson = wanted.partition(".")[0]
    near = exercises_of(int(lesson)) if lesson.isdecimal() else []
    known = {exercise.number: exercise for exercise in near}
    if wanted not in known:
        numbers = list(known) or _near(wanted)
        near_it = f" Near it: {', '.join(numbers)}." if numbers else ""
        raise LabError(f"There is no exercise {wanted!r}.{near_it}")
    return known[wanted]


def _module(lesson: int) -> str:
    return f"lesson{lesson:02d}"


def _known(lesson: int) -> list[Exercise]:
    return [exercise for exercise in _exercises.values() if exercise.lesson == lesson]


def _near(wanted: str) -> list[str]:
    """The numbers like this one, or all, of the lessons that load."""
    numbers = []
    for lesson in lessons():
        with suppress(LabError):
            numbers += [exercise.number for exercise in exercises_of(lesson)]
    return get_close_matches(wanted, numbers, cutoff=0.3) or numbers
