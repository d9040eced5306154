"""`await check()` in a program that cancels it: by a time limit, a task group, or an interrupt."""

import asyncio
import dataclasses
import gc
import threading

import pytest
from asgiref.sync import SyncToAsync

from asynclab.exercises import book, check
from asynclab.recorder import taps

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
