"""All that the kit knows of asgiref's private parts.

asgiref promises none of it. Where a new version differs, the tests of this module say what it
changed, and only this module has to follow.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import CoroutineType

from asgiref.current_thread_executor import CurrentThreadExecutor, _WorkItem
from asgiref.sync import AsyncToSync, SyncToAsync

# Work for a thread that waits in async_to_sync.
WaitingItem = _WorkItem
# Methods to listen to: async_to_sync wraps a coroutine with the first, and waits in the second.
WRAP = (AsyncToSync, "main_wrap")
WAIT_FOR = (CurrentThreadExecutor, "run_until_future")
SHARED = "asgiref.sync.SyncToAsync.single_thread_executor"
"""The name of the executor that `shared` gives."""


def shared() -> ThreadPoolExecutor:
    """The executor whose one thread runs every thread-sensitive call outside of a context."""
    return SyncToAsync.single_thread_executor


def shared_threads() -> frozenset[threading.Thread]:
    """The shared executor's one thread, or none before its first call."""
    return frozenset(shared()._threads)


def replace_shared() -> None:
    """Let a new executor take the place of the shared one, whose thread is stuck."""
    stuck = shared()
    new = stuck.anew() if isinstance(stuck, _Own) else ThreadPoolExecutor(max_workers=1)
    SyncToAsync.single_thread_executor = new


@contextmanager
def own_shared(of: Callable[[], bool], at_end: Callable[[], None]) -> Iterator[None]:
    """Give the code that `of` speaks for a shared worker of its own for one block.

    Everybody else goes on with the usual one, however busy that is.

    Args:
        of: asked by whoever hands work over.
        at_end: called on the worker when the block ends, unless it is stuck.
    """
    usual = shared()
    if not isinstance(usual, ThreadPoolExecutor):
        replace_shared()  # Nobody could use it.
        usual = shared()
    SyncToAsync.single_thread_executor = _Own(usual, of)
    try:
        yield
    finally:
        own = shared()
        SyncToAsync.single_thread_executor = usual
        if isinstance(own, _Own):
            own.end(at_end)


class _Own(ThreadPoolExecutor):
    PATIENCE = 1
    """Seconds to wait for the end of its thread."""

    def __init__(self, usual: ThreadPoolExecutor, of: Callable[[], bool]):
        super().__init__(max_workers=1)
        self.usual = usual
        self._of = of

    def submit(self, function: Callable, /, *args, **kwargs) -> Future:
        submit = super().submit if self._of() else self.usual.submit
        return submit(function, *args, **kwargs)

    def anew(self) -> "_Own":
        return _Own(self.usual, self._of)

    def end(self, last: Callable[[], None]) -> None:
        if not self._threads:
            return
        ended = super().submit(last)
        self.shutdown(wait=False)
        with suppress(TimeoutError):
            ended.result(self.PATIENCE)


def put_back_shared(executor: ThreadPoolExecutor) -> None:
    """Let `executor` be the shared one, unless it does no more work; then a new one is."""
    SyncToAsync.single_thread_executor = executor
    if not _works(executor):
        replace_shared()


def _works(executor: object) -> bool:
    if not isinstance(executor, ThreadPoolExecutor) or executor._shutdown:
        return False
    return all(thread.is_alive() for thread in executor._threads)


def on_shared() -> bool:
    """Whether this is called on the shared executor's thread."""
    # By name: a new worker runs before its executor lists it among its threads.
    pool = threading.current_thread().name.rpartition("_")[0]
    return pool in {each._thread_name_prefix for each in _all_shared()}


def _all_shared() -> list[ThreadPoolExecutor]:
    return [shared(), *([shared().usual] if isinstance(shared(), _Own) else [])]


def is_thread_sensitive(function: Callable) -> bool:
    """Whether what an executor is asked to run is a thread-sensitive call of sync_to_async."""
    adapter = adapter_of(function)
    return adapter is not None and adapter._thread_sensitive


def adapter_of(function: Callable) -> SyncToAsync | None:
    """The sync_to_async adapter that asks an executor to run `function`, if one does."""
    # It asks for partial(adapter.thread_handler, ...).
    adapter = getattr(getattr(function, "func", None), "__self__", None)
    return adapter if isinstance(adapter, SyncToAsync) else None


def asked(function: Callable) -> Callable:
    """What a caller has asked for when an executor is asked to run `function`."""
    adapter = getattr(getattr(function, "func", None), "__self__", None)
    return adapter.func if isinstance(adapter, SyncToAsync) else function


def is_new_loop(function: Callable) -> bool:
    """Whether an executor is asked to run an event loop, as async_to_sync does if it has none."""
    return function is asyncio.run


def calling(coroutine: CoroutineType) -> SyncToAsync | None:
    """The adapter that a coroutine is a call of, if it is one of sync_to_async."""
    return _local(coroutine, "SyncToAsync.__call__", "self")


def wrapping(coroutine: CoroutineType) -> CoroutineType | None:
    """The coroutine that `WRAP` made, inside a task that async_to_sync started, or None."""
    inner = _local(coroutine, "AsyncToSync.__call__.<locals>.new_loop_wrap", "awaitable")
    coroutine = coroutine if inner is None else inner
    adapter = _local(coroutine, "AsyncToSync.main_wrap", "self")
    return None if adapter is None else coroutine


def wrapped_by(coroutine: CoroutineType) -> Callable:
    """The async function that a coroutine of `WRAP` calls."""
    return coroutine.cr_frame.f_locals["self"].awaitable


def _local(coroutine: object, function: str, name: str):
    """A local variable of a coroutine, if it is one of the function so named and has not ended."""
    frame = getattr(coroutine, "cr_frame", None)
    if frame is None or coroutine.__qualname__ != function:
        return None
    return frame.f_locals[name]
