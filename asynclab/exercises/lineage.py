"""What one call has started, and what somebody else has: told by who began it, not by when."""

import concurrent.futures
import contextvars
import functools
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..recorder import hooks
from ..recorder.taps import PoolItem

_followed: tuple["Lineage", ...] = ()
_call: contextvars.ContextVar["Lineage | None"] = contextvars.ContextVar("call", default=None)


def is_beside() -> bool:
    """Whether a call is under way, and the code that asks is somebody else's."""
    calls = _followed
    return bool(calls) and not any(call.is_here() for call in calls)


class Lineage:
    """The threads that a call has started, and the work that it has handed to executors.

    A check is one, too: its calls belong to it, and all that they start.

    A thread is the call's if code of the call has started it. Code is the call's if it has its
    context, as tasks and callbacks have on whichever loop; or else if an executor runs it that code
    of the call has asked for it; or else if its thread is the call's.
    """

    def __init__(self):
        self._within = _call.get()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._items: weakref.WeakSet[PoolItem] = weakref.WeakSet()
        self._waiting: set[PoolItem] = set()
        # By the thread that an item is run on: whether it is the call's.
        self._in_hand: dict[threading.Thread, bool] = {}

    def thread(self, target: Callable, *args) -> threading.Thread:
        """A new daemon, not yet started, that is the call's, with the context variables of here."""
        context = contextvars.copy_context()
        context.run(_call.set, self)
        thread = threading.Thread(target=context.run, args=(target, *args), daemon=True)
        self._threads.add(thread)
        return thread

    def context(self) -> contextvars.Context:
        """A new one, for code of the call.

        There is nothing in it that somebody else has set: no language, no thread-sensitive context.
        """
        context = contextvars.Context()
        context.run(_call.set, self)
        return context

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Notice, until the block ends, what is started and what is handed to executors."""
        global _followed
        with (
            hooks.before(threading.Thread, "start", self._note_thread),
            hooks.before(PoolItem, "__init__", self._note_item),
            hooks.around(PoolItem, "run", self._run_item),
        ):
            _followed += (self,)
            try:
                yield
            finally:
                _followed = tuple(other for other in _followed if other is not self)

    def threads(self) -> set[threading.Thread]:
        """The threads that are the call's, or that an executor of others lends to it just now."""
        return {thread for thread in threading.enumerate() if self.has(thread)}

    def has(self, thread: threading.Thread) -> bool:
        """Whether what a thread does now is the call's."""
        return self._in_hand.get(thread, thread in self._threads)

    def is_at_work_on(self, thread: threading.Thread) -> bool:
        """Whether an executor runs something that the call has asked for on that thread now."""
        return self._in_hand.get(thread, False)

    def waiting(self) -> list[concurrent.futures.Future]:
        """What the call has asked executors for, and none of them has begun."""
        futures = [item.future for item in list(self._waiting) if hasattr(item, "future")]
        return [future for future in futures if not future.done()]

    def is_here(self) -> bool:
        """Whether the code that asks is the call's."""
        return self._has_begun(_call.get()) or self.has(threading.current_thread())

    def _has_begun(self, call: "Lineage | None") -> bool:
        while call is not None and call is not self:
            call = call._within
        return call is self

    def _note_thread(self, thread: threading.Thread) -> None:
        if self.is_here():
            self._threads.add(thread)

    def _note_item(self, item: PoolItem, *args, **kwargs) -> None:
        if self.is_here():
            self._items.add(item)
            self._waiting.add(item)

    def _run_item(self, run: Callable) -> Callable:
        @functools.wraps(run)
        def _run(item, *args):
            thread = threading.current_thread()
            self._in_hand[thread] = item in self._items
            self._waiting.discard(item)
            try:
                return run(item, *args)
            finally:
                self._in_hand.pop(thread, None)
                # The future's exception refers to this frame: together they would never be freed.
                item = None

        return _run
