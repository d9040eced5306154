"""The verdict on an answer, what a check puts back whatever the answer does, and who cancels it."""

import asyncio
import dataclasses
import gc
import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from asgiref.sync import SyncToAsync
from django.utils.functional import SimpleLazyObject

from asynclab.exercises import book, check
from asynclab.exercises.book import NotYet
from asynclab.exercises.checking import NO_DJANGO, grade
from asynclab.exercises.verdicts import NOT_YET, PASSED
from asynclab.recorder import taps
from tests.kit.exercises.answers import call_it, graded, verdict_on

ONE_LINE = ["The check was interrupted. It left nothing behind."]


@pytest.fixture
def called(monkeypatch):
    """An event that is set once exercise 0.1 is under way; its answer then waits for good."""
    under_way = threading.Event()

    async def answer():
        under_way.set()
        await asyncio.Event().wait()

    async def call_it(given):
        given._namespace["answer"] = answer
        await given.call("answer")

    endless = dataclasses.replace(book.find("0.1"), names=(), seconds=60, grade=call_it)
    monkeypatch.setitem(book._exercises, "0.1", endless)
    SyncToAsync.single_thread_executor.submit(int).result()  # Now the shared worker is there.
    before = set(threading.enumerate())
    yield under_way
    gc.collect()
    assert (set(threading.enumerate()) - before, taps.active()) == (set(), False)


def one_line_of(error):
    """What IPython shows of it in place of a traceback."""
    return error._render_traceback_()


def test_time_limit_around_a_check_is_a_timeout(called):
    async def main():
        async with asyncio.timeout(0.2):
            await check("0.1")

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert called.is_set()


def test_wait_for_around_a_check_is_a_timeout(called):
    async def main():
        await asyncio.wait_for(check("0.1"), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert called.is_set()


def test_task_group_around_a_check_says_what_failed_and_no_more(called):
    async def fail():
        await asyncio.to_thread(called.wait, 10)
        raise OSError("the shop is closed")

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await check("0.1")

    with pytest.raises(BaseExceptionGroup) as group:
        asyncio.run(main())
    assert [repr(error) for error in group.value.exceptions] == ["OSError('the shop is closed')"]


def test_interrupted_check_is_one_line(called):
    async def main():
        task = asyncio.ensure_future(check("0.1"))
        await asyncio.to_thread(called.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value

    assert one_line_of(asyncio.run(main())) == ONE_LINE


def test_check_interrupted_while_another_one_runs_is_one_line(called):
    async def main():
        first, second = (asyncio.ensure_future(check("0.1")) for _ in range(2))
        await asyncio.to_thread(called.wait, 10)
        second.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await second
        assert not first.done()
        first.cancel()
        await asyncio.wait([first])
        return caught.value

    assert one_line_of(asyncio.run(main())) == ONE_LINE


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


def test_thread_that_cancels_itself_is_told():
    source = """
def answer():
    def work(): raise asyncio.CancelledError
    thread = threading.Thread(target=work, name="letters")
    thread.start()
    thread.join()
"""
    said = verdict_on(source, before="import asyncio, threading").printed
    assert said == "Exception in letters: CancelledError"


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

    verdict = verdict_on(source, in_thread, before=before)
    assert verdict.printed == "Task exception was never retrieved: OSError: gone"
    assert (caplog.messages, logging.getLogger("asyncio").filters) == ([], [])


def test_what_is_printed_beside_an_answer_is_not_told_with_it(capsys):
    begun, printed = threading.Event(), threading.Event()

    def beside():
        begun.wait(20)
        print("tick")
        printed.set()

    thread = threading.Thread(target=beside)
    thread.start()
    source = "def answer():\n    begun.set()\n    printed.wait(20)\n    print('mine')"
    names = {"begun": begun, "printed": printed}
    verdict = asyncio.run(graded(source, seconds=20, namespace=names))
    thread.join()
    assert (verdict.printed, capsys.readouterr().out) == ("mine", "tick\n")


def test_asyncio_run_is_the_original_for_an_answer_and_stays_replaced(monkeypatch):
    def mine(main, **_):
        main.close()
        return "the reader's own"

    run = asyncio.run
    monkeypatch.setattr(asyncio, "run", mine)
    monkeypatch.setattr(asyncio, "_nest_patched", True, raising=False)
    returned = []

    async def look(given):
        returned.append((await given.call("answer", where="thread")).value)

    source = "def answer(): return asyncio.run(asyncio.sleep(0, 'the original'))"
    run(graded(source, look))
    assert (returned, asyncio.run) == (["the original"], mine)


SHARED = """
two, queue, opened = asyncio.Semaphore(2), asyncio.Queue(), asyncio.Event()
async def visit():
    async with two:
        await asyncio.sleep(0)
    queue.put_nowait("in")
async def answer():
    asyncio.get_running_loop().call_later(0.01, opened.set)
    await asyncio.gather(opened.wait(), *[queue.get() for _ in range(3)], *[visit() for _ in "abc"])
    opened.clear()
"""


def test_what_belongs_to_the_notebooks_loop_serves_every_check():
    async def main():
        names = {"lazy": SimpleLazyObject(pytest.fail)}
        verdict = await graded(SHARED, namespace=names)
        exercise = book.Exercise("9.1", "a title", ("answer",), ("?", "?"), 1.0, call_it)
        await names["answer"]()
        own = [names[name]._loop for name in ("two", "queue", "opened")]
        return verdict, await grade(exercise, names), own, names

    first, again, own, names = asyncio.run(main())
    assert (first.passed, again.passed) == (True, True), again
    assert own == [names[name]._loop for name in ("two", "queue", "opened")] != [None] * 3


def test_what_somebody_waits_for_is_left_to_them():
    async def main():
        names = {"shared": asyncio.Semaphore(0)}
        waiter = asyncio.create_task(names["shared"].acquire())
        await asyncio.sleep(0)
        verdict = await graded("async def answer(): await shared.acquire()", namespace=names)
        names["shared"].release()
        return verdict, await waiter

    verdict, acquired = asyncio.run(main())
    assert "is bound to a different event loop" in verdict.text
    assert acquired


def test_thousand_lines_are_shortened():
    verdict = verdict_on("def answer():\n    for n in range(1000): print('line', n)")
    assert verdict.printed.splitlines()[0] == "line 0"
    assert verdict.printed.splitlines()[-1] == "... and 995 more lines"
    assert len(repr(verdict).splitlines()) == 8


def test_one_endless_line_is_shortened():
    verdict = verdict_on("def answer():\n    for n in range(100_000): print(n, end=' ')")
    assert len(verdict.printed) < 1000


def test_check_without_await_says_so(recwarn):
    shown = repr(check("0.1"))
    gc.collect()
    assert 'await check("0.1")' in shown
    assert not recwarn.list


def test_checks_that_are_awaited_together_run_one_after_another(monkeypatch, own_score):
    """Each has the output, the environment and the library to itself."""
    under_way, most, both = 0, [], threading.Barrier(2)

    async def grade(given):
        nonlocal under_way
        under_way += 1
        with suppress(threading.BrokenBarrierError):  # Two at a time would meet here.
            both.wait(0.1)
        most.append(under_way)
        under_way -= 1

    for number in ("0.1", "1.1"):
        tried = dataclasses.replace(book.find(number), names=(), grade=grade)
        monkeypatch.setitem(book._exercises, number, tried)

    async def main():
        return await asyncio.gather(check("0.1"), check("1.1"))

    assert [verdict.outcome for verdict in asyncio.run(main())] == [PASSED, PASSED]
    assert most == [1, 1]
    # And once more, on another loop.
    assert [verdict.outcome for verdict in asyncio.run(main())] == [PASSED, PASSED]


def test_a_log_handler_that_raises_is_not_told_of_the_loop_of_a_check(monkeypatch):
    class Broken(logging.Handler):
        def emit(self, record):
            raise ZeroDivisionError(record.getMessage())

    logger = logging.getLogger("asyncio")

    async def main():
        monkeypatch.setattr(logging.root, "handlers", [Broken()])
        logger.setLevel("DEBUG")
        try:
            return await graded("def answer(): pass")
        finally:
            logger.setLevel("NOTSET")
            monkeypatch.undo()

    verdict = asyncio.run(main())
    assert verdict.passed, verdict
