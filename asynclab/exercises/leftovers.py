"""What checked code leaves behind: told with the verdict, or never, but not in a later cell."""

import asyncio
import gc
import inspect
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep

from ..recorder import taps

MOMENT = 0.01
"""Seconds between the two looks at a coroutine that nobody seems to await."""

_frozen_for_good = False


def freeze_for_good() -> None:
    """Set aside for good what is there: for a process in which one check follows another.

    To ask whether anything is frozen is to count it, half a million objects in a kernel that has
    called `gc.freeze()` itself. After this no check asks.
    """
    global _frozen_for_good
    gc.collect()
    gc.freeze()
    _frozen_for_good = True


def is_frozen() -> bool:
    """Whether the process has set objects aside that are to stay so."""
    return _frozen_for_good or gc.get_freeze_count() > 0


@contextmanager
def settled() -> Iterator[None]:
    """Let nothing that the block has made be reported after the block.

    Python reports a coroutine that nobody awaited, and asyncio an error that nobody asked for, when
    the object goes. Garbage goes at the end of the block. What a name of the reader's still holds
    would go in a later cell, so its coroutines are closed here and its errors asked for. Not those
    of the kernel: under Run All, they are the cells that wait.
    """
    # Sets aside what is there: half a million objects in a kernel, where a check makes hundreds.
    frozen_before = is_frozen()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        made = gc.get_objects()
        left = _unawaited(made)
        if left:
            # Another thread may have been about to hand one to its loop.
            sleep(MOMENT)
            left = [
                each for each in _unawaited(gc.get_objects()) if any(each is one for one in left)
            ]
        if not frozen_before:
            gc.unfreeze()
        for coroutine in left:
            coroutine.close()
        for future in _of_kind(asyncio.Future, made):
            _ask_for_error(future)


def _unawaited(made: list) -> list[types.CoroutineType]:
    """The coroutines that have not begun, and that no task and no kernel is going to begin."""
    # Another thread may be about to make a task: its methods would fail, or crash the process.
    tasks = [task for task in _of_kind(asyncio.Task, made) if getattr(task, "_loop", None)]
    scheduled = {id(task._coro) for task in tasks if not task._loop.is_closed()}
    return [
        each
        for each in _of_kind(types.CoroutineType, made)
        if inspect.getcoroutinestate(each) == inspect.CORO_CREATED
        and id(each) not in scheduled
        and not taps.is_plumbing(each)
    ]


def _ask_for_error(future: asyncio.Future) -> None:
    """Ask for the error of a future whose loop has ended; asyncio then takes it for known."""
    if future.done() and future.get_loop().is_closed():
        with suppress(asyncio.CancelledError):
            future.exception()


def _of_kind(kind: type, objects: list) -> list:
    # By their type: `isinstance` asks a lazy object of Django for its class, which may query.
    kinds = {each for each in set(map(type, objects)) if issubclass(each, kind)}
    return [each for each in objects if type(each) in kinds]
