"""A call that hangs, leaves threads, or ends the process: it is stopped, and gets a verdict."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import SyncToAsync, sync_to_async

from asynclab.exercises import limits
from asynclab.exercises.book import Exercise
from asynclab.exercises.checking import grade
from asynclab.exercises.endings import Stopped, free_shared_worker
from asynclab.exercises.lineage import Lineage
from asynclab.exercises.verdicts import NOT_YET, PASSED
from asynclab.ground.interrupts import raise_in
from tests.kit.exercises.answers import call_it, outcome_of, verdict_on

OTHERS = ("asyncio", "builtins", "check")
"""How the names of threads begin that run nothing of an answer's."""

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


LEAVES_A_THREAD = {
    "at work": "def work():\n    while True: time.sleep(0.01)",
    "in a loop": "async def wait(): await asyncio.sleep(60)\ndef work(): asyncio.run(wait())",
}


@pytest.mark.parametrize("name", LEAVES_A_THREAD)
def test_thread_that_goes_on_after_the_call_is_stopped_without_a_word(name, capfd):
    source = f"{LEAVES_A_THREAD[name]}\ndef answer(): threading.Thread(target=work).start()"
    gc.collect()  # what is left of the tests before, and has something to say
    capfd.readouterr()
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


def test_leftover_task_does_not_hold_up_the_verdict():
    assert verdict_on(
        "async def answer():\n    answer.task = asyncio.create_task(asyncio.sleep(60))"
    ).passed


INTERRUPTED = """
def answer():
    started.set()
    try:
        while True: pass
    finally:
        told.wait(5)
"""


@pytest.mark.parametrize("times", [1, 2, 3])
def test_interrupted_check_takes_the_taps_off_and_stops_the_code(times):
    started, told = threading.Event(), threading.Event()
    namespace = {"started": started, "told": told}
    exec(INTERRUPTED, namespace)

    async def interrupt():
        task = asyncio.create_task(grade(exercise, namespace))
        await asyncio.to_thread(started.wait, 5)
        (thread,) = set(threading.enumerate()) - before - others()
        for _ in range(times):
            task.cancel()
            for _ in range(5):  # It has begun to stop the code, which ends when it is told.
                await asyncio.sleep(0)
        early = task.done()
        told.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return thread, early

    def others():
        """The threads of the pool and of the check itself."""
        return {each for each in threading.enumerate() if each.name.startswith(OTHERS)}

    before = set(threading.enumerate())
    exercise = Exercise("9.1", "a title", ("answer",), (), 60, call_it)
    thread, early = asyncio.run(interrupt())
    thread.join(2)
    assert (early, thread.is_alive()) == (False, False)


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


def test_shared_worker_of_others_stays_whatever_becomes_of_that_of_the_check():
    worker = SyncToAsync.single_thread_executor
    verdict_on(HOSTILE["busy worker"][0])
    verdict_on(HOSTILE["sleeping worker"][0])
    assert SyncToAsync.single_thread_executor is worker
    assert worker.submit(int).result(1) == 0


def test_worker_that_a_late_exception_ended_is_replaced_and_counts_as_free(monkeypatch):
    worker = ThreadPoolExecutor(1)
    worker.submit(int).result()
    [thread] = worker._threads
    monkeypatch.setattr(SyncToAsync, "single_thread_executor", worker)
    raise_in(thread, Stopped)
    assert asyncio.run(free_shared_worker(Lineage()))
    assert not thread.is_alive()
    assert SyncToAsync.single_thread_executor.submit(int).result(5) == 0


RUNNING = "def answer():\n    return asyncio._get_running_loop() is not None"


def test_cell_has_a_running_loop_and_thread_has_none():
    assert outcome_of(RUNNING) is True
    assert outcome_of(RUNNING, where="thread") is False


def test_context_variables_are_those_of_the_check():
    source = "def answer(): return title.get(None), reader.get(None)"
    variables = "title, reader = map(contextvars.ContextVar, ['title', 'reader'])"
    before = f"import contextvars, asyncio\n{variables}\nreader.set('Ada')"
    seen = []

    async def look(given):
        given.value("title").set("Emma")
        seen.append((await given.call("answer")).value)

    verdict_on(source, look, before=before)
    assert seen == [("Emma", None)]


def test_call_is_recorded():
    spans = []

    async def look(given):
        call = await given.call("answer")
        spans.extend(span.name for span in call.recording.spans)

    verdict_on(HOSTILE["sleeping worker"][0].replace("(4)", "(0)"), look)
    assert "sleep" in spans
