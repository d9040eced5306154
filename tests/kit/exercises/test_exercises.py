"""Checks against everything that a reader's code can do to them."""

import asyncio
import copy
import gc
import html
import json
import logging
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from asgiref.sync import SyncToAsync, sync_to_async

from asynclab.authoring.practised import renew_links
from asynclab.exercises import book, check, helping, hint, limits, progress, score, solution
from asynclab.exercises.book import Exercise, NotAttempted, NotYet, Raised
from asynclab.exercises.checking import NO_DJANGO, grade
from asynclab.exercises.lineage import Lineage
from asynclab.exercises.stubs import exercise_cells, generate, stub
from asynclab.exercises.verdicts import NOT_ATTEMPTED, NOT_YET, PASSED
from asynclab.ground.errors import LabError
from tests.kit.exercises.answers import call_it, verdict_on

CHECKOUT = Path(__file__).parents[3]


# --- verdicts ---------------------------------------------------------------------------------


def test_passed():
    verdict = verdict_on("async def answer(): return 1")
    assert (verdict.outcome, verdict.passed) == (PASSED, True)
    assert repr(verdict) == "✓ Exercise 9.1, a title: passed"


def test_praise_is_shown():
    async def praise(given):
        return "Well done: `five` calls."

    verdict = verdict_on("answer = 1", praise)
    assert repr(verdict).endswith("passed\nWell done: `five` calls.")
    assert "<code>five</code>" in verdict._repr_html_()


def test_diagnosis_reaches_the_reader():
    async def never(given):
        raise NotYet("sequential", "What would start <b>them</b> all?")

    verdict = verdict_on("answer = 1", never)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "sequential")
    assert "not yet" in repr(verdict)
    assert "&lt;b&gt;" in verdict._repr_html_()


@pytest.mark.parametrize(
    "source",
    [
        "other = 1",
        "answer = ...",
        "async def answer():\n    raise NotImplementedError",
        "answer = lambda: exec('raise NotImplementedError')",
    ],
    ids=["never defined", "name", "function", "no source"],
)
def test_not_attempted(source):
    assert verdict_on(source).outcome == NOT_ATTEMPTED


def test_remark_of_the_stub_may_stay():
    assert verdict_on("def answer():\n    return 1  # your code here").passed


def test_missing_name_says_what_to_run():
    assert "Run the cell that defines it" in verdict_on("other = 1").text


def test_check_without_django_says_what_to_run():
    program = (
        "import asyncio\nfrom asynclab import check\n"
        "async def count_books(): return 1\n"
        "async def main(): print(await check('0.1'))\n"
        "asyncio.run(main())"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.splitlines()[1:] == [NO_DJANGO], run.stderr


def test_check_that_trips_over_an_answer_is_a_verdict():
    async def careless(given):
        return (await given.call("answer")).value[0]

    verdict = verdict_on("def answer(): return None", careless)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "unusable")


# --- what the reader's code may do --------------------------------------------------------------

HOSTILE = {
    "raises": ("def answer(): 1 / 0", "raised", "ZeroDivisionError"),
    "recursion": ("def answer(): answer()", "raised", "RecursionError"),
    "sys.exit": ("def answer(): sys.exit(3)", "raised", "SystemExit: 3"),
    "sys.exit in a task": ("async def answer(): sys.exit(3)", "raised", "SystemExit: 3"),
    "interrupt": ("async def answer(): raise KeyboardInterrupt", "raised", "KeyboardInterrupt"),
    "stop iteration": ("def answer(): raise StopIteration", "raised", "StopIteration"),
    "cancels itself": (
        "async def answer(): raise asyncio.CancelledError",
        "raised",
        "CancelledError",
    ),
    "group": (
        "async def fail(): raise OSError('gone')\n"
        "async def answer():\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(fail())",
        "raised",
        "`OSError: gone` in an `ExceptionGroup`, in line 2",
    ),
    "own group": (
        "def answer(): raise ExceptionGroup('two', [ValueError(1), OSError()])",
        "raised",
        "`ExceptionGroup: two (2 sub-exceptions)`, in line 2",
    ),
    "wants arguments": ("def answer(a): pass", "raised", "missing 1 required positional"),
    "no await": ("async def answer(): return asyncio.sleep(0)", "returned-coroutine", "`await`"),
    "no async": ("def answer(): return asyncio.sleep(0)", "returned-coroutine", "`async def`"),
    "no function": ("answer = 3", "not-callable", "int"),
    "async hang": ("async def answer(): await asyncio.sleep(60)", "hangs", "1 seconds"),
    "busy loop": ("def answer():\n    while True: pass", "hangs", "1 seconds"),
    "sleep": ("def answer(): time.sleep(3)", "hangs", "1 seconds"),
    "never stops": (
        "def answer():\n"
        "    while 'end' not in globals():\n"
        "        try: time.sleep(0.9)\n"
        "        except BaseException: pass",
        "hangs",
        "could not be stopped. Restart the kernel",
    ),
    "stubborn": (
        "async def answer():\n"
        "    while True:\n"
        "        try: await asyncio.sleep(60)\n"
        "        except asyncio.CancelledError: pass",
        "hangs",
        "1 seconds",
    ),
    "busy worker": (
        "from asgiref.sync import sync_to_async\n"
        "def work():\n"
        "    while True: pass\n"
        "async def answer(): await sync_to_async(work)()",
        "hangs",
        "1 seconds",
    ),
    "hang in asyncio.run": (
        "def work(): asyncio.run(asyncio.Event().wait())\n"
        "async def answer(): await asyncio.to_thread(work)",
        "hangs",
        "was stopped",
    ),
    "hang in async_to_sync": (
        "from asgiref.sync import async_to_sync\n"
        "async def work(): await asyncio.Event().wait()\n"
        "async def answer(): await asyncio.to_thread(async_to_sync(work))",
        "hangs",
        "was stopped",
    ),
    "hang in the worker's asyncio.run": (
        "from asgiref.sync import sync_to_async\n"
        "def work(): asyncio.run(asyncio.Event().wait())\n"
        "async def answer(): await sync_to_async(work)()",
        "hangs",
        "was stopped",
    ),
    "deadlock in a context": (
        "from asgiref.sync import ThreadSensitiveContext, sync_to_async\n"
        "def work(): asyncio.run(sync_to_async(int)())\n"
        "async def answer():\n"
        "    async with ThreadSensitiveContext():\n"
        "        await sync_to_async(work)()",
        "hangs",
        "was stopped",
    ),
    "sleeping worker": (
        "from asgiref.sync import sync_to_async\n"
        "async def answer(): await sync_to_async(time.sleep)(4)",
        "hangs",
        "1 seconds",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_a_verdict(name):
    source, diagnosis, text = HOSTILE[name]
    verdict = verdict_on(source)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, diagnosis), verdict.text
    assert text in verdict.text


def test_exception_names_the_readers_line(tmp_path):
    cell = tmp_path / "cell.py"
    cell.write_text("def answer():\n    shelf = []\n    return shelf.pop()\n")
    namespace = {}
    exec(compile(cell.read_text(), str(cell), "exec"), namespace)
    exercise = Exercise("9.1", "a title", ("answer",), (), 1, call_it)
    text = asyncio.run(grade(exercise, namespace)).text
    assert text == (
        "`answer` raised `IndexError: pop from empty list`, in line 3 of its cell: "
        "`return shelf.pop()`"
    )


def test_name_that_is_missing_says_where_to_look():
    text = verdict_on("def answer(): return page.render()").text
    assert "raised `NameError: name 'page' is not defined`, in line 2" in text
    assert text.endswith(
        "Does a cell further up define `page`? Then run the cells from the top. "
        "If none does, is the name misspelt?"
    )
    assert "further up" not in verdict_on("def answer():\n    print(n)\n    n = 1").text


def test_environment_and_folder_are_put_back(tmp_path):
    verdict = verdict_on(
        "def answer():\n"
        "    os.environ['DJANGO_ALLOW_ASYNC_UNSAFE'] = '1'\n"
        "    os.environ.pop('PATH')\n"
        f"    os.chdir({str(tmp_path)!r})"
    )
    assert verdict.passed
    assert "DJANGO_ALLOW_ASYNC_UNSAFE" not in os.environ


def test_recursion_limit_is_put_back():
    before = sys.getrecursionlimit()
    try:
        verdict_on(
            "def answer(): sys.setrecursionlimit(before + 500)", before="import sys\nbefore = 1"
        )
        assert sys.getrecursionlimit() == before
    finally:
        sys.setrecursionlimit(before)


def test_lost_coroutine_is_told_in_one_line():
    verdict = verdict_on("async def answer():\n    async def lost(): pass\n    lost()")
    assert verdict.printed == "RuntimeWarning: coroutine 'lost' was never awaited"


def test_lost_exception_is_told_in_one_line():
    source = (
        "async def fail(): raise OSError('gone')\n"
        "async def answer():\n    asyncio.create_task(fail())\n    await asyncio.sleep(0)"
    )
    verdict = verdict_on(source)
    assert verdict.printed == "Task exception was never retrieved OSError: gone"


def test_error_names_the_readers_function_as_the_cell_does():
    verdict = verdict_on("def answer():\n    def look(task): pass\n    look()")
    assert "raised `TypeError: look() missing 1 required" in verdict.text


def test_callback_that_fails_is_named_without_its_file():
    source = """
async def answer():
    def look(): raise OSError("gone")
    asyncio.get_running_loop().call_soon(look)
    await asyncio.sleep(0)
"""
    said = verdict_on(source).printed
    assert said == "Exception in callback look() OSError: gone"


def test_thread_that_fails_is_told_in_one_line():
    source = """
def answer():
    def work(): raise OSError("gone")
    thread = threading.Thread(target=work, name="letters")
    thread.start()
    thread.join()
"""
    said = verdict_on(source, before="import threading").printed
    assert said == "Exception in letters: OSError: gone"


LATE = """
def work():
    for _ in range(20): time.sleep(0.01)
    raise OSError("gone")
def answer(): threading.Thread(target=work, name="letters").start()
"""


def test_thread_that_fails_after_the_call_is_told_with_the_verdict():
    said = verdict_on(LATE, before="import threading, time").printed
    assert said == "Exception in letters: OSError: gone"


LEAVES_A_THREAD = {
    "at work": "def work():\n    while True: time.sleep(0.01)",
    "in a loop": "async def wait(): await asyncio.sleep(60)\ndef work(): asyncio.run(wait())",
}


@pytest.mark.parametrize("name", LEAVES_A_THREAD)
def test_thread_that_goes_on_after_the_call_is_stopped_without_a_word(name, capfd):
    source = f"{LEAVES_A_THREAD[name]}\ndef answer(): threading.Thread(target=work).start()"
    before = set(threading.enumerate())
    verdict = verdict_on(source, before="import asyncio, threading, time")
    gc.collect()
    left = [each for each in set(threading.enumerate()) - before if each.name.endswith("(work)")]
    assert (verdict.outcome, verdict.printed, left) == (PASSED, "", [])
    assert capfd.readouterr() == ("", "")


def test_thread_whose_loop_is_cancelled_before_it_can_be_stopped_ends_without_a_word(monkeypatch):
    monkeypatch.setattr(limits, "raise_in", lambda thread, error: False)
    source = f"{LEAVES_A_THREAD['in a loop']}\ndef answer(): threading.Thread(target=work).start()"
    verdict = verdict_on(source, before="import asyncio, threading")
    assert (verdict.outcome, verdict.printed) == (PASSED, "")


def test_thread_that_cancels_itself_is_told():
    source = """
def answer():
    def work(): raise asyncio.CancelledError
    thread = threading.Thread(target=work, name="letters")
    thread.start()
    thread.join()
"""
    said = verdict_on(source, before="import asyncio, threading").printed
    assert said == "Exception in letters: CancelledError: "


def test_what_the_readers_names_hold_is_closed_without_a_word(capfd, recwarn):
    source = """
held = []
async def letter(): raise OSError("gone")
async def answer():
    held.append(letter())
    held.append(asyncio.gather(letter()))
    held.append(asyncio.create_task(letter()))
    await asyncio.sleep(0.01)
"""
    namespace = {}
    assert verdict_on(source, namespace=namespace).printed == ""
    namespace.clear()
    gc.collect()
    assert (capfd.readouterr(), recwarn.list) == (("", ""), [])


def test_coroutine_that_was_there_before_the_check_can_still_be_awaited():
    async def letter():
        return "sent"

    mine = letter()
    assert verdict_on("def answer(): pass").passed
    assert asyncio.run(mine) == "sent"


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_returned_future_is_explained_and_given_up(kind):
    source = f"""
async def ask(): await asyncio.sleep(60)
{kind} answer(): return asyncio.gather(ask(), ask())
"""
    verdict = verdict_on(source)
    assert verdict.diagnosis == "returned-future"
    assert "nobody waits for its result" in verdict.text
    assert ("Did you mean `async def`" in verdict.text) is (kind == "def")
    assert verdict.printed == ""


def test_what_a_loop_of_asgiref_reports_is_told_in_one_line(caplog):
    source = """
def answer():
    async def fail(): raise OSError("gone")
    async def work():
        asyncio.create_task(fail())
        await asyncio.sleep(0)
    async_to_sync(work)()
    gc.collect()
"""
    before = "import asyncio, gc\nfrom asgiref.sync import async_to_sync"

    async def in_thread(given):
        await given.call("answer", where="thread")

    verdict_on(source, in_thread, before=before)
    assert caplog.messages == ["Task exception was never retrieved: OSError: gone"]
    assert caplog.records[0].exc_info is None
    assert not logging.getLogger("asyncio").filters


def test_thousand_lines_are_shortened():
    verdict = verdict_on("def answer():\n    for n in range(1000): print('line', n)")
    assert verdict.printed.splitlines()[0] == "line 0"
    assert verdict.printed.splitlines()[-1] == "... and 995 more lines"
    assert len(repr(verdict).splitlines()) == 8


def test_one_endless_line_is_shortened():
    verdict = verdict_on("def answer():\n    for n in range(100_000): print(n, end=' ')")
    assert len(verdict.printed) < 1000


def test_leftover_task_does_not_hold_up_the_verdict():
    assert verdict_on(
        "async def answer():\n    answer.task = asyncio.create_task(asyncio.sleep(60))"
    ).passed


def test_interrupted_check_takes_the_taps_off_and_stops_the_code():
    started = threading.Event()
    namespace = {"started": started}
    exec("def answer():\n    started.set()\n    while True: pass", namespace)

    async def interrupt():
        task = asyncio.create_task(grade(exercise, namespace))
        await asyncio.to_thread(started.wait, 5)
        (thread,) = set(threading.enumerate()) - before - pool()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return thread

    def pool():
        return {thread for thread in threading.enumerate() if thread.name.startswith("asyncio")}

    before = set(threading.enumerate())
    exercise = Exercise("9.1", "a title", ("answer",), (), 60, call_it)
    thread = asyncio.run(interrupt())
    thread.join(2)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "name", [name for name, (*_, text) in HOSTILE.items() if text == "was stopped"]
)
def test_loop_that_waits_on_a_thread_is_stopped(name):
    test_stopped_code_leaves_no_thread(name)


@pytest.mark.parametrize("name", ["async hang", "busy loop", "stubborn", "busy worker"])
def test_stopped_code_leaves_no_thread(name):
    asyncio.run(sync_to_async(int)())  # Now the shared worker is there.
    before = set(threading.enumerate())
    verdict_on(HOSTILE[name][0], seconds=0.2)
    gc.collect()  # The pool of one async_to_sync call goes with the exception that ended it.
    for thread in set(threading.enumerate()) - before:
        thread.join(2)
    assert set(threading.enumerate()) <= before


def test_stuck_worker_is_replaced_only_if_it_must_be():
    worker = SyncToAsync.single_thread_executor
    verdict_on(HOSTILE["busy worker"][0])
    assert SyncToAsync.single_thread_executor is worker
    verdict_on(HOSTILE["sleeping worker"][0])
    assert SyncToAsync.single_thread_executor is not worker


def test_worker_that_a_late_exception_ended_is_replaced_and_counts_as_free(monkeypatch):
    worker = ThreadPoolExecutor(1)
    worker.submit(int).result()
    [thread] = worker._threads
    monkeypatch.setattr(SyncToAsync, "single_thread_executor", worker)
    limits.raise_in(thread, limits.Stopped)
    assert asyncio.run(limits._free_shared_worker(Lineage()))
    assert not thread.is_alive()
    assert SyncToAsync.single_thread_executor.submit(int).result(5) == 0


# --- how the reader's code is called ------------------------------------------------------------


def outcome_of(source, **options):
    seen = []

    async def look(given):
        seen.append((await given.call("answer", **options)).value)

    verdict = verdict_on(source, look)
    assert verdict.passed, verdict
    return seen[0]


RUNNING = "def answer():\n    return asyncio._get_running_loop() is not None"


def test_cell_has_a_running_loop_and_thread_has_none():
    assert outcome_of(RUNNING) is True
    assert outcome_of(RUNNING, where="thread") is False


def test_async_def_in_a_thread_is_explained():
    async def in_thread(given):
        await given.call("answer", where="thread")

    verdict = verdict_on("async def answer(): pass", in_thread)
    assert verdict.diagnosis == "returned-coroutine"
    assert "where no loop is running" in verdict.text


def test_async_def_behind_a_decorator_is_explained_as_one():
    async def in_thread(given):
        await given.call("answer", where="thread")

    source = """
def decorated(function):
    @functools.wraps(function)
    def call(): return function()
    return call
@decorated
async def answer(): pass
"""
    verdict = verdict_on(source, in_thread, before="import functools")
    assert verdict.text.startswith("`answer` is an `async def`, but")


def test_context_variables_are_copied():
    source = "def answer(): return title.get()"
    before = "import contextvars, asyncio\ntitle = contextvars.ContextVar('t')\ntitle.set('Emma')"
    seen = []

    async def look(given):
        seen.append((await given.call("answer")).value)

    verdict_on(source, look, before=before)
    assert seen == ["Emma"]


@pytest.mark.parametrize("kind", ["async def", "def"])
@pytest.mark.parametrize("where", ["cell", "thread"])
def test_generator_is_explained(kind, where):
    async def call(given):
        await given.call("answer", where=where)

    verdict = verdict_on(f"{kind} answer():\n    yield 1", call)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "generator")


def test_class_is_explained_unless_its_object_can_be_called():
    verdict = verdict_on("class answer: pass")
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "not-callable")
    assert "is a class" in verdict.text
    assert verdict_on("class answer:\n    def __call__(self): pass").passed


def test_adapted_function_is_awaited():
    source = "from asgiref.sync import sync_to_async\nanswer = sync_to_async(lambda n: n + 1)"
    assert outcome_of(source, n=1) == 2


def test_call_is_recorded():
    spans = []

    async def look(given):
        call = await given.call("answer")
        spans.extend(span.name for span in call.recording.spans)

    verdict_on(HOSTILE["sleeping worker"][0].replace("(4)", "(0)"), look)
    assert "sleep" in spans


def test_driver_is_called_with_the_function():
    def driver(function, n):
        return function(n) + 1

    assert outcome_of("def answer(n): return n * 10", n=4, driver=driver) == 41


def test_raised_carries_the_exception():
    async def look(given):
        with pytest.raises(Raised) as caught:
            await given.call("answer")
        assert isinstance(caught.value.error, ZeroDivisionError)

    assert verdict_on("def answer(): 1 / 0", look).passed


def test_each_call_keeps_its_own_recording():
    async def look(given):
        first = await given.call("answer", [1])
        second = await given.call("answer", [])
        assert (first.value, second.value) == (1, 0)
        named = [[span.name for span in call.recording.spans] for call in (first, second)]
        assert "sleep" in named[0]
        assert "sleep" not in named[1]

    source = """
async def answer(numbers):
    if numbers:
        await asyncio.to_thread(time.sleep, 0)
    return len(numbers)
"""
    assert verdict_on(source, look).passed


def test_expected_error_is_kept_until_somebody_asks_for_the_value():
    async def look(given):
        call = await given.call("answer", 0, expect=ZeroDivisionError)
        assert isinstance(call.error, ZeroDivisionError)
        assert (await given.call("answer", 1, expect=ZeroDivisionError)).error is None
        with pytest.raises(Raised):
            await given.call("answer", 0, expect=(ValueError, KeyError))
        return call.value

    verdict = verdict_on("def answer(n): 1 / n", look)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "raised")


def test_no_error_is_expected_of_code_that_gives_nothing_back_or_is_a_stub():
    async def look(given):
        await given.call("answer", expect=Exception)

    before = "import asyncio"
    assert verdict_on("def answer(): return asyncio.sleep(0)", look, before=before).diagnosis == (
        "returned-coroutine"
    )
    verdict = verdict_on("def answer(): raise NotImplementedError", look)
    assert verdict.outcome == NOT_ATTEMPTED


def named(diagnosis):
    return NotYet(diagnosis, f"told of {diagnosis}")


ERRORS = {
    (ValueError, "red", "green"): named("both"),
    (ValueError, "red"): named("red"),
    (LookupError, lambda raised: "deep" in [name for _, name in raised.path]): named("deep"),
    LookupError | OSError: lambda raised: NotYet("any", f"told: {raised.text}"),
    (TypeError, lambda raised: "1 +" in raised.source): named("source"),
}


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("raise ValueError('red and green')", "both"),
        ("raise ValueError('red')", "red"),
        ("raise ValueError('blue')", "raised"),
        ("deep()", "deep"),
        ("{}[1]", "any"),
        ("open('/no/such/file')", "any"),
        ("1 + '1'", "source"),
        ("'1' + 1", "raised"),
    ],
)
def test_table_says_what_an_error_means(body, diagnosis):
    source = f"def deep(): raise KeyError\ndef answer():\n    {body}"
    exercise = Exercise("9.1", "a title", ("answer",), (), 1, call_it, errors=ERRORS)
    namespace = {}
    exec(compile(source, "<cell>", "exec"), namespace)
    verdict = asyncio.run(grade(exercise, namespace, [source]))
    assert verdict.diagnosis == diagnosis, verdict
    assert ("told" in verdict.text) == (diagnosis != "raised")


def test_source_of_a_value_comes_from_the_history():
    cells = ["", "%%thread\nanswer = [1,\n 2]", "not Python", "print(answer)"]
    seen = []

    async def look(given):
        seen.append(given.source("answer"))

    exercise = Exercise("9.1", "a title", ("answer",), (), 1, look)
    asyncio.run(grade(exercise, {"answer": [1, 2]}, cells))
    assert seen == ["answer = [1,\n 2]"]


# --- check, hint, solution ----------------------------------------------------------------------


def test_check_without_await_says_so(recwarn):
    shown = repr(check("0.1"))
    gc.collect()
    assert 'await check("0.1")' in shown
    assert not recwarn.list


def test_unknown_number_lists_the_near_ones():
    with pytest.raises(LabError, match=r"no exercise '0\.7'\. Near it: 0\.1"):
        check("0.7")


def test_number_may_be_a_float():
    assert 'check("0.1")' in repr(check(0.1))


def test_hints_ascend_and_stay_at_the_last(own_score):
    total = len(book.find("0.1").hints)
    assert [hint("0.1").place for _ in range(total + 1)] == [*range(1, total + 1), total]
    assert "solution" in repr(hint("0.1"))


def test_hint_goes_on_after_a_named_one(own_score):
    assert [hint("0.1", 1).place, hint("0.1").place] == [1, 2]
    assert repr(hint("0.1", 2)).startswith("Hint 2 of 3")
    assert [hint("0.1").place, hint("0.1", 1).place, hint("0.1").place] == [3, 1, 2]


def test_hint_that_is_not_there_is_no_step(own_score):
    with pytest.raises(LabError, match="hints 1 to 3"):
        hint("0.1", 4)
    with pytest.raises(LabError, match="hints 1 to 3"):
        hint("0.1", "a")
    assert hint("0.1").place == 1


def test_solution_is_the_text_in_the_notebook():
    shown = solution("0.1")
    assert shown.notebook == "solutions/00_exercises_start_here.ipynb"
    cells = exercise_cells(nbformat.read(CHECKOUT / shown.notebook, as_version=4))
    lines = [line for line in cells["0.1"].source.splitlines() if "###" not in line]
    assert shown.text.splitlines() == lines
    assert lines[0] == "async def count_books():"


def test_solution_says_why():
    shown = solution("0.1")
    assert shown.why == book.find("0.1").why
    assert repr(shown).endswith(f"\n\n{shown.why}")


def test_solution_has_the_colours_of_the_theme_and_no_others():
    shown = solution("0.1")._repr_html_()
    coloured = re.findall(r'<span style="color: (.*?)">(.*?)</span>', shown)
    assert ("var(--jp-mirror-editor-keyword-color, inherit)", "async") in coloured
    assert ("var(--jp-mirror-editor-def-color, inherit)", "count_books") in coloured
    assert {colour.startswith("var(--jp-mirror-editor-") for colour, _ in coloured} == {True}


@pytest.mark.parametrize(
    "source", ["\n\na = 1 < 2  # <b>\n", "print('&')\n\n\n", "def f():\n    '<i>'"]
)
def test_colours_change_no_character(source):
    text = re.sub(r"<[^>]*>", "", helping.coloured(source))
    assert html.unescape(text) == source


def test_theme_has_each_colour():
    themes = [*Path(sys.prefix).glob("share/jupyter/lab/themes/*/*/*.css")]
    if not themes:
        pytest.skip("JupyterLab is not installed here")
    for theme in themes:
        known = theme.read_text(encoding="utf-8")
        for colour in set(helping.COLOURS.values()):
            assert f"--jp-mirror-editor-{colour}-color:" in known, theme


def test_solution_needs_no_nbformat():
    program = (
        "import sys\nfrom asynclab import solution\n"
        "solution('0.1')\nprint('nbformat' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr


def test_solution_in_a_damaged_notebook(monkeypatch, tmp_path):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "00_start.ipynb").write_text("{")
    monkeypatch.setattr(helping, "CHECKOUT", tmp_path)
    with pytest.raises(LabError, match="cannot be read"):
        solution("0.1")


def test_solution_without_a_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(helping, "CHECKOUT", tmp_path)
    with pytest.raises(LabError, match="come with a checkout"):
        solution("0.1")


# --- progress -----------------------------------------------------------------------------------


@pytest.fixture
def own_score(tmp_path, monkeypatch):
    path = tmp_path / "score" / "progress.json"
    monkeypatch.setenv(score.VARIABLE, str(path))
    monkeypatch.setattr(score, "_told", set())
    monkeypatch.setattr(score, "_unsaved", [])
    return path


def note(outcome, number="0.1"):
    score.note_verdict(score.Verdict(number, "a title", outcome))


def test_progress_counts(own_score):
    assert progress().rows[0] == score.LessonCount("00", 0, 0, 1)
    note(NOT_ATTEMPTED)
    assert progress().rows[0].attempted == 0
    note(NOT_YET)
    assert progress().rows[0] == score.LessonCount("00", 0, 1, 1)
    note(PASSED)
    note(NOT_YET)
    assert progress().rows[0] == score.LessonCount("00", 1, 1, 1)
    assert "<caption>" in progress()._repr_html_()


def test_a_test_run_keeps_no_file(monkeypatch):
    monkeypatch.delenv(score.VARIABLE, raising=False)
    assert score._path() is None


PASSED_ONCE = b'{"exercises": {"0.1": {"checks": 1, "verdict": "passed"}}, "version": 1}'


def a_file(version, exercises):
    return json.dumps({"version": version, "exercises": exercises})


WRONG_SHAPES = [
    *("[]", "null", "7", '"text"', '{"version": 1}', '{"exercises": {}}', "[" * 100_000),
    *(a_file(version, {}) for version in (0, None, "1", True)),
    *(a_file(1, exercises) for exercises in (3, [], {"0.1": 3})),
    *(a_file(1, {"0.1": entry}) for entry in ([], {"checks": "two"}, {"hints": None})),
]
JUNK = [b"\x00" * 100, bytes(range(256)), "{}".encode("utf-16"), b"SQLite format 3\x00"]
DAMAGED = [*map(str.encode, WRONG_SHAPES), *JUNK]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_file_is_set_aside(own_score, capsys, text):
    own_score.parent.mkdir()
    own_score.write_bytes(text)
    note(PASSED)
    assert (own_score.parent / "progress.damaged-1.json").read_bytes() == text
    assert progress().rows[0].passed == 1
    (message,) = capsys.readouterr().out.splitlines()
    assert "kept as progress.damaged-1.json" in message


def test_a_file_cut_off_at_any_byte_is_set_aside(own_score):
    own_score.parent.mkdir()
    for length in range(len(PASSED_ONCE)):
        own_score.write_bytes(PASSED_ONCE[:length])
        assert progress().rows[0].passed == 0
        aside = own_score.with_name(f"progress.damaged-{length + 1}.json")
        assert aside.read_bytes() == PASSED_ONCE[:length]
    own_score.write_bytes(PASSED_ONCE)
    assert progress().rows[0].passed == 1


def test_a_folder_in_the_files_place_is_set_aside(own_score, capsys):
    own_score.mkdir(parents=True)
    note(PASSED)
    assert own_score.with_name("progress.damaged-1.json").is_dir()
    assert progress().rows[0].passed == 1


def test_what_a_newer_version_wrote_is_kept(own_score, capsys):
    newer = {
        "version": 7,
        "exercises": {"0.1": {"verdict": "not yet", "since": "2031"}, "99.1": {"stars": 3}},
        "badges": ["early bird"],
    }
    own_score.parent.mkdir()
    own_score.write_text(json.dumps(newer))
    note(PASSED)
    note(NOT_YET, "0.2")
    newer["exercises"]["0.1"] |= {"verdict": "passed", "checks": 1}
    newer["exercises"]["0.2"] = {"verdict": "not yet", "checks": 1}
    assert json.loads(own_score.read_text()) == newer
    (message,) = capsys.readouterr().out.splitlines()
    assert (
        message == "progress.json was written by a newer version of the kit. What it holds is kept."
    )


def test_second_damage_does_not_overwrite_the_first(own_score):
    own_score.parent.mkdir()
    for _ in range(2):
        own_score.write_text("{")
        progress()
    kept = sorted(path.name for path in own_score.parent.glob("*damaged*"))
    assert kept == ["progress.damaged-1.json", "progress.damaged-2.json"]


def test_what_a_full_disk_refuses_is_written_when_there_is_room(own_score, monkeypatch, capsys):
    note(NOT_YET)
    before = own_score.read_bytes()

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        note(PASSED)
        note(NOT_YET, "0.2")
        assert progress().rows[0] == score.LessonCount("00", 1, 1, 1)
        assert own_score.read_bytes() == before
    (message,) = capsys.readouterr().out.splitlines()
    assert message.startswith("Progress is kept only while this kernel runs: ")
    assert message.endswith("progress.json cannot be written (No space left on device).")
    note(PASSED, "0.2")
    assert json.loads(own_score.read_text())["exercises"] == {
        "0.1": {"verdict": "passed", "checks": 2},
        "0.2": {"verdict": "passed", "checks": 2},
    }
    assert sorted(path.name for path in own_score.parent.iterdir()) == ["lock", "progress.json"]


def test_unwritable_place_is_said_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(score.VARIABLE, str(tmp_path / "file" / "progress.json"))
    monkeypatch.setattr(score, "_told", set())
    monkeypatch.setattr(score, "_memory", {})
    note(PASSED)
    assert progress().rows[0].passed == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


WRITE_TWENTY = """
import sys
from asynclab.exercises import score
for place in range(20):
    score.note_verdict(score.Verdict(f"{sys.argv[1]}.{place}", "", "passed"))
"""


def test_kernels_side_by_side_lose_nothing(own_score):
    kernels = [subprocess.Popen([sys.executable, "-c", WRITE_TWENTY, lesson]) for lesson in "789"]
    assert [kernel.wait() for kernel in kernels] == [0, 0, 0]
    assert len(json.loads(own_score.read_text())["exercises"]) == 60


# --- generate -----------------------------------------------------------------------------------

MARKED = "{0}### BEGIN SOLUTION\n{1}\n{0}### END SOLUTION"


def test_stub_in_a_function():
    source = "async def count():\n    books = 1\n" + MARKED.format("    ", "    return books")
    assert stub(source) == (
        "async def count():\n    books = 1\n    raise NotImplementedError  # your code here"
    )


def test_stub_at_top_level():
    source = "%%lanes\n" + MARKED.format("", "a = 1\nb, c = 2, 3\nasync def d():\n    e = await f")
    expected = [f"{name} = ...  # your code here" for name in "abcd"]
    assert stub(source).splitlines() == ["%%lanes", *expected]


def test_stub_in_a_class():
    source = "class Shelf:\n" + MARKED.format("    ", "    def get(self):\n        pass")
    assert stub(source) == "class Shelf:\n    get = ...  # your code here"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("### BEGIN SOLUTION\na = 1", "no partner"),
        ("a = 1\n### END SOLUTION", "no partner"),
        (MARKED.format("", "print(1)"), "binds no name"),
    ],
)
def test_stub_refuses(source, message):
    with pytest.raises(LabError, match=message):
        stub(source)


def notebooks_of(folder):
    return {path.name: path for path in (CHECKOUT / folder).glob("*.ipynb")}


def test_every_solution_has_its_exercises():
    assert notebooks_of("solutions")
    assert notebooks_of("solutions").keys() == notebooks_of("exercises").keys()


def test_the_tab_of_an_exercise_differs_from_its_lessons():
    """A tab has room for about twenty letters, so the difference stands at the beginning."""
    for name in notebooks_of("exercises"):
        lesson = name.replace("_exercises_", "_", 1)
        assert lesson in notebooks_of("notebooks")
        assert lesson[:12] != name[:12]


@pytest.mark.parametrize("name", sorted(notebooks_of("solutions")))
def test_exercises_are_as_generated(name):
    solved = nbformat.read(notebooks_of("solutions")[name], as_version=4)
    committed = nbformat.read(notebooks_of("exercises")[name], as_version=4)
    assert [essence(cell) for cell in committed.cells] == [
        essence(cell) for cell in generate(solved).cells
    ], "run: python -m asynclab.authoring generate"


CARD = re.compile(
    r"## \d\.\d .+?\*\*Given:\*\* .+?\*\*Goal:\*\* .+?\*\*Example:\*\* .+?"
    r"\*\*From the lesson:\*\* \[.+?\]\(\.\./notebooks/\S+#cell-id=\S+\)",
    re.DOTALL,
)


@pytest.mark.parametrize("name", sorted(notebooks_of("solutions")))
def test_cards_have_one_form_and_link_to_their_section(name):
    path = notebooks_of("solutions")[name]
    solved = nbformat.read(path, as_version=4)
    cards = [cell for cell in solved.cells if cell.id.startswith("card-")]
    assert len(cards) == len(exercise_cells(solved))
    assert [card.id for card in cards if not CARD.match(card.source)] == []
    renewed = copy.deepcopy(solved)
    renew_links(renewed, path)
    run = "a heading has changed; run: python -m asynclab.authoring generate"
    assert [c.source for c in solved.cells] == [c.source for c in renewed.cells], run


def a_card(link):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"See {link}.")])


def test_link_says_what_the_heading_says(tmp_path):
    heading = "## Deeper: `books[0]`\n\nText."
    lesson = nbformat.v4.new_markdown_cell(heading, id="s-loop")
    for folder in "notebooks", "solutions":
        (tmp_path / folder).mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[lesson]), tmp_path / "notebooks/01.ipynb")
    card = a_card("[old [1]](../notebooks/01.ipynb#cell-id=s-loop)")
    renew_links(card, tmp_path / "solutions/01.ipynb")
    assert card.cells[0].source == (
        "See [Deeper: `books[0]`](../notebooks/01.ipynb#cell-id=s-loop)."
    )


@pytest.mark.parametrize("cell", ["nowhere", "boot"])
def test_link_to_no_section_is_refused(cell):
    link = f"[x](../notebooks/00_start_here.ipynb#cell-id={cell})"
    with pytest.raises(LabError, match=f"^01.ipynb: .*start_here.ipynb has no cell '{cell}'"):
        renew_links(a_card(link), CHECKOUT / "solutions" / "01.ipynb")


def essence(cell):
    return cell.id, cell.cell_type, cell.source, cell.metadata.get("tags")


@pytest.mark.parametrize("name", sorted(notebooks_of("exercises")))
def test_unsolved_exercises_are_not_attempted(name):
    notebook = nbformat.read(notebooks_of("exercises")[name], as_version=4)
    checks = [cell for cell in notebook.cells if "await check(" in cell.source]
    assert checks
    for cell in checks:
        (output,) = cell.outputs
        assert "not attempted" in output.data["text/plain"]


def test_not_attempted_says_which():
    assert str(NotAttempted("The stub stands.")) == "The stub stands."
