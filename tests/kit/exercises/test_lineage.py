"""A check stops what the answer has started, and nothing that goes on beside it."""

import asyncio

import pytest

from asynclab.exercises import limits
from asynclab.recorder.events import SYNC
from tests.kit.exercises.answers import graded, verdict_on

# A cell of the notebook, further up: its program goes on while an answer is checked.
BESIDE = """
import asyncio, threading
from asgiref.sync import sync_to_async
begun, end, told = threading.Event(), threading.Event(), []

def work(name):
    end.wait(20)
    told.append(name)

async def task(name):
    while not end.is_set():
        await asyncio.sleep(0.01)
    told.append(name)

async def beside():
    while not begun.is_set():
        await asyncio.sleep(0.01)
    thread = threading.Thread(target=work, args=("thread",))
    loop = threading.Thread(target=asyncio.run, args=(task("loop in a thread"),))
    thread.start()
    loop.start()
    await asyncio.gather(task("task"), asyncio.to_thread(work, "executor"), *more())
    thread.join()
    loop.join()

def more(): return ()
"""
PARTS = ["executor", "loop in a thread", "task", "thread"]
# A thread that serves both: its cell further up, and how the answer makes use of it.
SHARED = {
    "worker": (
        "def more(): return [sync_to_async(work)('worker')]",
        "await sync_to_async(int)()",
    ),
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "pool = ThreadPoolExecutor(1)\n"
        "def more(): return [asyncio.wrap_future(pool.submit(work, 'pool'))]",
        "pool.submit(int).result()",
    ),
}
ENDS = "async def answer():\n    begun.set()\n    await asyncio.sleep(0.1)"
HANGS = "async def answer():\n    begun.set()\n    await asyncio.sleep(60)"
HANGS_IN_C = "def answer():\n    begun.set()\n    asyncio.run(asyncio.sleep(60))"


async def beside_a_check(before, source, where="cell", seconds=1):
    """The verdict on an answer, and what the program beside it has told once it has ended."""

    async def call(given):
        await given.call("answer", where=where)

    verdict, names = await checked_beside(before, source, call, seconds)
    return verdict, sorted(names["told"])


async def checked_beside(before, source, check, seconds=20):
    names = {}
    exec(before, names)
    program = asyncio.ensure_future(names["beside"]())
    verdict = await graded(source, check, seconds, before="", namespace=names)
    assert (names["told"], program.done()) == ([], False)
    names["end"].set()
    await asyncio.wait_for(program, 10)
    return verdict, names


def test_what_goes_on_beside_an_answer_that_ends_goes_on():
    verdict, told = asyncio.run(beside_a_check(BESIDE, ENDS, seconds=20))
    assert (verdict.outcome, verdict.printed, told) == ("passed", "", PARTS)


@pytest.mark.parametrize("source", [HANGS, HANGS_IN_C], ids=["in a loop", "in a loop's thread"])
def test_what_goes_on_beside_an_answer_that_is_stopped_goes_on(source):
    where = "cell" if source is HANGS else "thread"
    verdict, told = asyncio.run(beside_a_check(BESIDE, source, where))
    assert (verdict.diagnosis, verdict.printed, told) == ("hangs", "", PARTS)
    assert "was stopped" in verdict.text


@pytest.mark.parametrize("name", SHARED)
def test_what_a_thread_of_both_does_for_somebody_else_goes_on(name):
    before, prepare = SHARED[name]
    source = HANGS.replace("    begun.set()", f"    {prepare}\n    begun.set()")
    verdict, told = asyncio.run(beside_a_check(BESIDE + before, source))
    assert (verdict.diagnosis, told) == ("hangs", sorted([*PARTS, name]))
    assert "was stopped" in verdict.text


# Both use the shared worker, one after the other, and name a stretch of code there.
NAMED = """
from asynclab import span
on_worker = asyncio.Event()

def named(name):
    with span(name): pass

async def more_on_worker():
    await sync_to_async(named)("of somebody else")
    on_worker.set()

def more(): return [more_on_worker()]
"""
HOPS = """
async def answer():
    begun.set()
    while not on_worker.is_set(): await asyncio.sleep(0.01)
    await asyncio.create_task(asyncio.to_thread(time.sleep, 0))
    await sync_to_async(named)("of the answer")
    return await asyncio.get_running_loop().run_in_executor(None, sum, ())
"""


def test_the_recording_of_a_call_holds_nothing_of_what_goes_on_beside_it():
    recordings = []

    async def look(given):
        recordings.append((await given.call("answer")).recording)

    verdict, _ = asyncio.run(checked_beside(BESIDE + NAMED, "import time" + HOPS, look))
    assert verdict.passed, verdict
    [recording] = recordings
    names = [span.name for span in recording.spans]
    assert sorted(names) == ["answer", "named", "of the answer", "sleep", "sum", "to_thread"]
    assert [span.sent is None for span in recording.spans if span.kind == SYNC] == [False] * 3


# A cell further up: `start` leaves a thread that goes on for half a minute.
START = """
import asyncio, contextvars, threading, time
from concurrent.futures import ThreadPoolExecutor
from asgiref.sync import async_to_sync, sync_to_async

def go_on():
    for _ in range(3000): time.sleep(0.01)

def start():
    global started
    started = threading.Thread(target=go_on, daemon=True)
    started.start()

async def start_in_loop(): start()

def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args, daemon=True)
    thread.start()
    thread.join()

older = ThreadPoolExecutor()
older.submit(int).result()
"""
WAYS = {
    "its thread": "def answer(): start()",
    "a fresh context": "def answer(): contextvars.Context().run(start)",
    "a task": "async def answer(): await asyncio.create_task(start_in_loop())",
    "a thread": "def answer(): in_thread(start)",
    "a thread's thread": "def answer(): in_thread(in_thread, start)",
    "a loop in a thread": "def answer(): in_thread(asyncio.run, start_in_loop())",
    "to_thread": "async def answer(): await asyncio.to_thread(start)",
    "an executor": "def answer(): ThreadPoolExecutor().submit(start).result()",
    "an executor that was there": "def answer(): older.submit(start).result()",
    "the shared worker": "async def answer(): await sync_to_async(start)()",
    "async_to_sync": "async def answer(): await asyncio.to_thread(async_to_sync(start_in_loop))",
    "a timer": "async def answer():\n    threading.Timer(0, start).start()\n    time.sleep(0.1)",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_thread_that_the_answer_has_started_is_stopped(way, monkeypatch):
    monkeypatch.setattr(limits, "LEFT", 0.1)
    names = {}
    verdict = verdict_on(WAYS[way], seconds=20, before=START, namespace=names)
    assert (verdict.outcome, verdict.printed) == ("passed", "")
    names["started"].join(5)
    assert not names["started"].is_alive()
    names["older"].shutdown()


def test_a_thread_that_the_answer_starts_on_the_loop_of_the_notebook_is_stopped():
    """There, only the context of the call tells whose code runs."""

    async def main():
        names = {"notebook": asyncio.get_running_loop()}
        source = """
def answer():
    asyncio.run_coroutine_threadsafe(start_in_loop(), notebook).result(5)
"""
        verdict = await graded(source, seconds=20, before=START, namespace=names)
        assert verdict.passed, verdict
        await asyncio.to_thread(names["started"].join, 5)
        names["older"].shutdown()
        return names["started"].is_alive()

    assert not asyncio.run(main())


def test_what_the_answer_leaves_to_an_executor_that_was_there_is_stopped():
    names = {}
    source = "def answer(): names['left'] = older.submit(go_on)"
    assert verdict_on(
        source, seconds=20, before=START + "names = globals()", namespace=names
    ).passed
    assert isinstance(names["left"].exception(timeout=5), limits.Stopped)
    assert names["older"].submit(int).result(timeout=5) == 0
    names["older"].shutdown()


def test_what_the_answer_leaves_in_the_queue_of_a_busy_executor_is_cancelled(monkeypatch):
    monkeypatch.setattr(limits, "LEFT", 0.1)
    busy = "names = globals()\nheld, busy = threading.Event(), ThreadPoolExecutor(1)\n"
    names = {}
    verdict = verdict_on(
        "def answer(): names['left'] = busy.submit(go_on)",
        seconds=20,
        before=f"{START}{busy}busy.submit(held.wait)",
        namespace=names,
    )
    cancelled = names["left"].cancelled()
    names["held"].set()
    assert (verdict.outcome, cancelled) == ("passed", True)
    names["busy"].shutdown()
