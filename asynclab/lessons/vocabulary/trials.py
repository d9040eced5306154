"""A reader's test case, tried on a view that is right and on views that are not."""

import inspect
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.test import TestCase

from ...exercises.book import NotYet
from ...exercises.given import Given
from ...exercises.lineage import is_beside
from ...exercises.texts import headline
from ...recorder import taps
from .failing import Outage

NO_CASE = NotYet(
    "no-test-case",
    "It is no subclass of Django's `TestCase`, so nothing rolls back what a test writes. Which "
    "class does?",
)

NO_VIEW = NotYet(
    "no-view",
    "It has no attribute `view` of its own that is a `staticmethod`, so by itself it would try "
    "nothing. What does the card put below the name of the class?",
)

ASYNC_SET_UP = NotYet(
    "async-set-up",
    "What stands around its tests is an `async def`, and Django does not await it: none of its "
    "lines would run. Which method prepares a test here, and is it sync?",
)

AROUND_A_TEST = (
    "setUp",
    "tearDown",
    "setUpClass",
    "tearDownClass",
    "setUpTestData",
    "asyncSetUp",
    "asyncTearDown",
)

NEVER_RUNS = NotYet(
    "never-runs",
    "No test has called the view. What does Django make of each test: is it still an `async def` "
    "when it looks at it?",
)

ASKS_NO_VIEW = NotYet(
    "asks-no-view",
    "Its tests have run, and none has awaited `self.view`. Do they call another function, or take "
    "its coroutine for a response?",
)

ALL_SKIPPED = NotYet(
    "all-skipped",
    "Every test was skipped, on a database that has all that they need. On which databases does "
    "your condition let them run?",
)

EXPECTS_FAILURE = NotYet(
    "expects-failure",
    "A test is marked as one that is expected to fail: with the view that is right the runner says "
    "FAILED, and with a wrong one OK. What should a test say of a view that is wrong?",
)

_INHERITED = object()


@dataclass(frozen=True)
class Trial:
    """What became of a test case with one view.

    `asked` says how often the view was called, `skipped` how many tests were, `unexpected` how many
    have passed that are marked as failures; `problem` and `kind` are the first error's text and
    class, or "" and None.
    """

    asked: int
    skipped: int
    unexpected: int
    problem: str
    kind: type | None

    @property
    def passed(self) -> bool:
        return self.kind is None


class _Result(unittest.TestResult):
    first: BaseException | None = None

    def addError(self, test, error):  # noqa: N802 (unittest's name)
        super().addError(test, error)
        self.first = self.first or error[1]

    def addFailure(self, test, error):  # noqa: N802 (unittest's name)
        super().addFailure(test, error)
        self.first = self.first or error[1]


async def trial(given: Given, name: str, view: Callable, without: str = "") -> Trial:
    """Run the reader's class with `view` as its `view`, as Django's runner would.

    Args:
        without: a feature that the database lacks meanwhile.

    Raises:
        NotYet: "no-test-case", "no-view", "async-set-up", "no-test", or what `Given.call` raises.
    """
    if not inspect.isclass(case := given.value(name)) or not issubclass(case, TestCase):
        raise NO_CASE.again()
    if not isinstance(inspect.getattr_static(case, "view", None), staticmethod):
        raise NO_VIEW.again()
    if any(inspect.iscoroutinefunction(getattr(case, method, None)) for method in AROUND_A_TEST):
        raise ASYNC_SET_UP.again()
    made = await given.result_of(name, view, without, driver=_run, where="thread")
    if made is None:
        raise NotYet(
            "no-test",
            f"`{name}` has no method whose name begins with `test`, so nothing would run. What "
            "does the loader look for?",
        )
    return made


def _run(case: type[TestCase], view: Callable, without: str) -> Trial | None:
    asked = []

    def counted(*args, **kwargs):
        asked.append(args)
        return view(*args, **kwargs)

    tried = type(case.__name__, (case,), {"view": staticmethod(_as_async(counted))})
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(tried)
    if not suite.countTestCases():
        return None
    result = _Result()
    # What the test counts is what it does itself, whatever else is alive in the kernel.
    with _lacking(without), taps.only(lambda: not is_beside()):
        suite.run(result)
    first = result.first
    text = headline(first) if first is not None else ""
    numbers = len(asked), len(result.skipped), len(result.unexpectedSuccesses)
    return Trial(*numbers, text, None if first is None else type(first))


def _as_async(function: Callable) -> Callable:
    async def view(*args, **kwargs):
        return await function(*args, **kwargs)

    return view


@contextmanager
def _lacking(feature: str) -> Iterator[None]:
    if not feature:
        yield
        return
    # Of the class: each thread has a connection of its own, with an instance.
    features = type(connection.features)
    before = vars(features).get(feature, _INHERITED)
    type.__setattr__(features, feature, False)
    try:
        yield
    finally:
        if before is _INHERITED:
            type.__delattr__(features, feature)
        else:
            type.__setattr__(features, feature, before)


async def require_green(
    given: Given, name: str, view: Callable, errors: dict[tuple[type, str] | type, NotYet]
) -> None:
    """Require that the test case passes on a view that is right, and has asked it.

    Args:
        errors: what an error of the test means: by its class, or by its class and a part of its
            text.

    Raises:
        NotYet: what `errors` says; "all-skipped", "never-runs" or "asks-no-view", if no test has
            called the view; "expects-failure" if one has passed that should not; "red" for any
            other error.
    """
    made = await trial(given, name, view)
    if made.skipped and not made.asked:
        raise ALL_SKIPPED.again()
    if not made.asked and (made.passed or issubclass(made.kind, AssertionError)):
        raise (NEVER_RUNS if _hides_a_test(given.value(name)) else ASKS_NO_VIEW).again()
    for key, meaning in errors.items():
        kind, part = key if isinstance(key, tuple) else (key, "")
        if made.kind is not None and issubclass(made.kind, kind) and part in made.problem:
            raise meaning.again()
    if made.unexpected:
        raise EXPECTS_FAILURE.again()
    if not made.passed:
        raise NotYet(
            "red",
            f"The view is right, and a test says `{made.problem}`. What does it expect, and of "
            "whom?",
        )


def _hides_a_test(case: type[TestCase]) -> bool:
    tests = [getattr(case, name) for name in unittest.defaultTestLoader.getTestCaseNames(case)]
    return any(
        inspect.iscoroutinefunction(inspect.unwrap(test)) and not inspect.iscoroutinefunction(test)
        for test in tests
    )


async def require_red(
    given: Given, name: str, view: Callable, meaning: NotYet, endless: NotYet | None = None
) -> None:
    """Require that the test case fails on a view that is wrong.

    Args:
        meaning: what it means if it does not.
        endless: what it means if it does not end and had to be stopped.

    Raises:
        NotYet: one of the two, or what `trial` raises.
    """
    try:
        made = await trial(given, name, view)
    except NotYet as problem:
        if endless is None or problem.diagnosis != "hangs":
            raise
        raise endless.again() from None
    if made.passed:
        raise meaning


async def require_red_without_page(given: Given, name: str) -> None:
    """Require that the test case fails when the view raises.

    Raises:
        NotYet: "passes-without-a-page", or what `trial` raises.
    """
    await require_red(
        given,
        name,
        _no_page,
        NotYet(
            "passes-without-a-page",
            "A view that raised passes as well, or its test was skipped. What should become of a "
            "test when the view raises, and which line of yours keeps it from that?",
        ),
    )


async def _no_page(*_args, **_kwargs):
    raise Outage
