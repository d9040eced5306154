"""A check closes what the answer has left, and nothing that belongs to somebody else."""

import asyncio
import gc
import inspect

import pytest

from asynclab.exercises import leftovers
from asynclab.exercises.leftovers import settled


async def one():
    return 1


def test_a_coroutine_that_the_block_has_left_is_closed():
    with settled():
        left = one()
    assert inspect.getcoroutinestate(left) == inspect.CORO_CLOSED


def test_a_coroutine_from_before_the_block_is_left_alone():
    mine = one()
    with settled():
        gc.collect()
    assert inspect.getcoroutinestate(mine) == inspect.CORO_CREATED
    mine.close()


def test_what_the_process_had_frozen_stays_frozen():
    """A process that forks, for instance, freezes what it has loaded."""
    with settled():
        pass
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        with settled():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_is_frozen_for_good_is_not_counted(monkeypatch):
    """To count half a million objects took longer than many a check."""
    monkeypatch.setattr(leftovers, "_frozen_for_good", False)
    monkeypatch.setattr(gc, "get_freeze_count", Counted(gc.get_freeze_count))
    leftovers.freeze_for_good()
    try:
        with settled():
            pass
        assert (leftovers.is_frozen(), gc.get_freeze_count.calls) == (True, 0)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self):
        self.calls += 1
        return self.function()


def test_a_task_that_has_not_begun_is_left_alone():
    """Under Run All the kernel has such tasks: the cells that wait."""

    async def kernel():
        with settled():
            waiting = asyncio.get_running_loop().create_task(one())
        return await waiting

    assert asyncio.run(kernel()) == 1


def test_a_coroutine_that_somebody_is_about_to_start_is_left_alone(monkeypatch):
    async def kernel():
        started = []
        start = asyncio.get_running_loop().create_task
        monkeypatch.setattr(leftovers, "sleep", lambda seconds: started.append(start(waiting)))
        with settled():
            waiting = one()
        return await started[0]

    assert asyncio.run(kernel()) == 1


def test_a_task_that_another_thread_is_making_is_left_alone():
    with settled():
        half = asyncio.Task.__new__(asyncio.Task)
    assert not half.done()


@pytest.mark.parametrize("module", ["ipykernel.kernelbase", "tornado.ioloop", "zmq.asyncio"])
def test_a_coroutine_of_the_kernel_is_left_alone(module):
    """On its way to the loop from another thread it has no task yet."""
    names = {"__name__": module}
    exec("async def next_cell():\n    return 2", names)
    with settled():
        waiting = names["next_cell"]()
    assert asyncio.run(waiting) == 2
