"""A check looks at what an answer gave it: that may never end, raise anything, or be huge."""

import asyncio
import gc
import threading

import pytest

from asynclab.exercises import apart
from asynclab.exercises.book import NotYet
from asynclab.exercises.lineage import Lineage
from asynclab.exercises.texts import LONGEST
from asynclab.exercises.verdicts import NOT_YET
from tests.kit.exercises.answers import verdict_on


async def look(given):
    """A check as they are: it compares, and says what it found."""
    value = (await given.call("answer")).value
    if value != 3:
        raise NotYet("other-number", f"It returned {value!r}. Which number is it?")


# What a method of the returned value does; the diagnosis; what is said.
VALUES = {
    "text that never ends": (
        "repr",
        "while True: pass",
        "stuck",
        "`__repr__` did not end within 5 seconds, and was stopped.",
    ),
    "text that fails": ("repr", "1 / 0", "unusable", "`ZeroDivisionError: division by zero`"),
    "text that exits": ("repr", "sys.exit(3)", "unusable", "`SystemExit: 3`"),
    "text that interrupts": ("repr", "raise KeyboardInterrupt", "unusable", "`KeyboardInterrupt`"),
    "text that cancels": (
        "repr",
        "raise asyncio.CancelledError",
        "unusable",
        "`CancelledError`",
    ),
    "text that ends a generator": ("repr", "raise GeneratorExit", "unusable", "`GeneratorExit`"),
    "text that is none": ("repr", "return 3", "unusable", "__repr__"),
    "text without an end": ("repr", "return repr(self)", "unusable", "RecursionError"),
    "text of megabytes": ("repr", "return 'x' * 50_000_000", "other-number", "xx ... xx"),
    "text of many lines": ("repr", "return 'x\\n' * 500_000", "other-number", "x\n...\nx"),
    "half a surrogate pair": ("repr", "return '\\ud800'", "other-number", "\\ud800"),
    "comparison that never ends": (
        "ne",
        "while True: pass",
        "stuck",
        "`__ne__` did not end within 5 seconds, and was stopped.",
    ),
    "comparison that fails": ("ne", "raise OSError('gone')", "unusable", "`OSError: gone`"),
    "comparison that exits": ("ne", "raise SystemExit", "unusable", "`SystemExit`"),
    "answer that is no answer": ("bool", "raise OSError('gone')", "unusable", "`OSError: gone`"),
    "class that exits": ("class", "raise SystemExit", "raised", "`SystemExit`"),
    "attributes that exit": ("getattribute", "raise SystemExit", "raised", "`SystemExit`"),
}
ARGUMENTS = {"repr": "self", "bool": "self", "class": "self", "ne": "self, other"}
VALUE = """
class Value:
    {decorator}
    def __{name}__({arguments}):
        {body}
    {also}
def answer(): return Value()
"""


def value_with(name, body):
    """An answer that returns an object with such a method."""
    return VALUE.format(
        name=name,
        body=body,
        arguments=ARGUMENTS.get(name, "self, name"),
        decorator="@property" if name == "class" else "",
        also="def __ne__(self, other): return self" if name == "bool" else "",
    )


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(apart, "STUCK", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", VALUES)
def test_hostile_value_gets_a_verdict(kind):
    *method, diagnosis, text = VALUES[kind]
    verdict = verdict_on(value_with(*method), look)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, diagnosis), verdict
    assert text in verdict.text
    assert len(verdict.text) < 2 * LONGEST
    assert str(verdict).encode()
    assert verdict_on("def answer(): return 3", look).passed


@pytest.fixture
def unstoppable():
    """The verdict on a value that cannot be stopped while it is asked whether it is another."""
    go_on = threading.Event()
    source = value_with("ne", "go_on.wait()")
    yield lambda: verdict_on(source, look, namespace={"go_on": go_on})
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "check":
            thread.join()  # at its end it unfreezes, in the middle of another test


@pytest.mark.usefixtures("impatient")
def test_value_that_cannot_be_stopped_leaves_the_check_to_itself(unstoppable):
    verdict = unstoppable()
    assert verdict.text.startswith("The check looked at what your code gave it: `__ne__` did not")
    assert "could not be stopped. Restart the kernel." in verdict.text
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("impatient")
def test_what_the_process_had_frozen_stays_frozen_after_a_value_that_cannot_be_stopped(unstoppable):
    gc.freeze()
    try:
        assert "could not be stopped" in unstoppable().text
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


LARGE = {
    "text": "'x' * 50_000_000",
    "bytes": "bytes(50_000_000)",
    "list": "[1] * 5_000_000",
    "list of texts": "[str(n) * 10_000 for n in range(20)]",
    "dictionary": "{n: {n: 'x' * 10_000} for n in range(20)}",
    "number": "1 << 50_000_000",
}


@pytest.mark.parametrize("kind", LARGE)
def test_result_that_nobody_could_look_at_is_refused(kind):
    verdict = verdict_on(f"def answer(): return {LARGE[kind]}", look)
    assert verdict.diagnosis == "too-large"
    assert "of more than 100,000 characters or items." in verdict.text


@pytest.mark.parametrize("result", ["'x' * 90_000", "[0] * 90_000", "(loop := [], loop)"])
def test_result_that_is_large_is_looked_at(result):
    assert verdict_on(f"def answer(): return {result}", look).diagnosis == "other-number"


def test_list_in_itself_is_looked_at():
    source = "def answer():\n    round = []\n    round.append(round)\n    return round"
    assert "It returned [[...]]." in verdict_on(source, look).text


ERRORS = {
    "of megabytes": ("ValueError('x ' * 10_000_000)", "`ValueError: x x x"),
    "of many lines": ("ValueError('x\\n' * 10_000_000)", "`ValueError: x`"),
    "that fails": ("Mute()", "`Mute (its text cannot be shown: SystemExit)`"),
    "in a circle": ("circle()", "`ValueError: one`"),
    "of errors": ("ExceptionGroup('g', [ValueError(n) for n in range(99_999)])", "99999 sub-"),
}
MAKES = """
class Mute(Exception):
    def __str__(self): raise SystemExit
def circle():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    return one
"""


@pytest.mark.parametrize("kind", ERRORS)
def test_error_is_named_in_a_line(kind):
    error, text = ERRORS[kind]
    verdict = verdict_on(f"{MAKES}\ndef answer(): raise {error}", look)
    assert verdict.diagnosis == "raised"
    assert text in verdict.text
    assert len(verdict.text) < 500


@pytest.mark.usefixtures("impatient")
def test_error_whose_text_never_ends_gets_a_verdict():
    source = (
        "class Endless(Exception):\n    def __str__(self):\n        while True: pass\n"
        "def answer(): raise Endless"
    )
    verdict = verdict_on(source, look)
    assert "`__str__` did not end within" in verdict.text


def test_error_of_a_lost_task_is_named_in_a_line():
    source = """
class Mute(Exception):
    def __str__(self): raise SystemExit
async def answer():
    async def fail(): raise Mute
    asyncio.create_task(fail())
    await asyncio.sleep(0)
    return 3
"""
    said = verdict_on(source, look).printed
    assert said.endswith("Mute (its text cannot be shown: SystemExit)")


def test_tasks_that_refuse_to_end_are_not_let_loose():
    """They would go on in the loop of whoever frees them."""
    source = """
async def stay():
    while True:
        try: await asyncio.sleep(60)
        except BaseException: asyncio.create_task(stay())
async def answer(): asyncio.create_task(stay())
"""

    async def cell():
        from tests.kit.exercises.answers import graded

        verdict = await graded(source, look, seconds=0.3)
        gc.collect()
        return verdict, len(asyncio.all_tasks())

    verdict, tasks = asyncio.run(cell())
    assert (verdict.diagnosis, tasks) == ("hangs", 1)


def test_coroutine_that_is_cancelled_ends_before_its_caller():
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(threading.current_thread().name)

    async def cell():
        task = asyncio.create_task(apart.on_own_thread(work(), Lineage()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return list(ended)

    assert asyncio.run(cell()) == ["check"]
