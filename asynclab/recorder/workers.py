"""All that the kit knows of asgiref's private parts.

asgiref promises none of it. Where a new version differs, the tests of this module say what it
changed, and only this module has to follow.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import CoroutineType

from asgiref.current_thread_executor import CurrentThreadExecutor, _WorkItem
from asgiref.sync import AsyncToSync, SyncToAsync

# Work for a thread that waits in async_to_sync.
WaitingItem = _WorkItem
# Methods to listen to: async_to_sync wraps a coroutine with the first, and waits in the second.
WRAP = (AsyncToSync, "main_wrap")
WAIT_FOR = (CurrentThreadExecutor, "run_until_future")


def shared() -> ThreadPoolExecutor:
    """The executor whose one thread runs every thread-sensitive call outside of a context."""
    return SyncToAsync.single_thread_executor


def shared_threads() -> frozenset[threading.Thread]:
    """The shared executor's one thread, or none before its first call."""
    return frozenset(shared()._threads)


def replace_shared() -> None:
    """Let a new executor take the place of the shared one, whose thread is stuck."""
    SyncToAsync.single_thread_executor = ThreadPoolExecutor(max_workers=1)


def on_shared() -> bool:
    """Whether this is called on the shared executor's thread."""
    # By name: a new worker runs before its executor lists it among its threads.
    pool = threading.current_thread().name.rpartition("_")[0]
    return pool == shared()._thread_name_prefix


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
