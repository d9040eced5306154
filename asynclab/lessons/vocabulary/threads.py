"""Threads: which kind of thread something ran on, and what runs on several at once."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ...exercises.book import NotYet
from ...exercises.given import Call
from ...exercises.lineage import is_beside
from ...recorder import hooks, workers
from ...recorder.events import CELL, TASK
from ...recorder.roles import EVENT_LOOP, THREAD_SENSITIVE_WORKER
from .causes import on_other_loop
from .queries import require_off_the_pool

ELSEWHERE = "elsewhere"

SECOND_LOOP = NotYet(
    "second-loop",
    "It works, by way of a second event loop on another thread, made for this one call. What is "
    "bound to your loop would fail there. You are in an `async def`: what can you do with a "
    "coroutine right here?",
)

OTHER_LOOP = {
    (RuntimeError, on_other_loop): NotYet(
        "second-loop",
        "Something was asked on a second event loop that belongs to yours, and refused to work "
        "there. A thread with a loop of its own is no task. You are in an `async def`: what can "
        "you do with a coroutine right here?",
    )
}


def place() -> str:
    """What kind of thread this is called on.

    It is EVENT_LOOP, THREAD_SENSITIVE_WORKER, which everybody shares, or ELSEWHERE.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return THREAD_SENSITIVE_WORKER if workers.on_shared() else ELSEWHERE
    return EVENT_LOOP


class Meeting:
    """Where calls on threads of their own wait for one another: `with meeting:`.

    A call goes on when enough of them are inside, or all that are still to come. If they do not
    come for PATIENCE seconds, nobody waits any more.

    Args:
        calls: how many there will be.
        together: how many should be inside at the same time.

    `most` is the most that there were.
    """

    PATIENCE = 2
    GRACE = 0.15
    """Seconds to wait for one too many."""

    def __init__(self, calls: int, together: int):
        self.most = 0
        self._left, self._together = calls, together
        self._inside = 0
        self._hurry = False
        self._change = threading.Condition()

    def __enter__(self) -> None:
        with self._change:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._change.notify_all()
            self._hurry = not self._change.wait_for(self._enough, self.PATIENCE) or self._hurry
            if not self._hurry:
                self._change.wait_for(lambda: self._inside > self._together, self.GRACE)

    def __exit__(self, *_) -> None:
        with self._change:
            self._inside -= 1
            self._left -= 1
            self._change.notify_all()

    def _enough(self) -> bool:
        return self._hurry or self._inside >= min(self._together, self._left)


class Encounter:
    """Whether a thread and the loop are at work at the same time: each waits for the other.

    `await wait_on_loop()` stands in what the loop does, `wait_on_thread()` in what a thread does.
    Each goes on when the other one has begun, or after PATIENCE seconds. `met` says whether both
    were still there.
    """

    PATIENCE = 1
    STEP = 0.001

    def __init__(self):
        self._loop, self._thread = threading.Event(), threading.Event()
        self._in_vain = False

    @property
    def met(self) -> bool:
        return self._loop.is_set() and self._thread.is_set() and not self._in_vain

    async def wait_on_loop(self) -> None:
        """Wait on the loop, which stays free, for the thread."""
        self._loop.set()
        steps = iter(range(int(self.PATIENCE / self.STEP)))
        while not self._thread.is_set():
            if next(steps, None) is None:
                self._in_vain = True
                return
            await asyncio.sleep(self.STEP)

    def wait_on_thread(self) -> None:
        """Wait on a thread for the loop."""
        self._thread.set()
        if not self._loop.wait(self.PATIENCE):
            self._in_vain = True


@contextmanager
def noting_new_threads() -> Iterator[list[str]]:
    """Note the names of the threads that a call starts in the block, beside its own."""
    started, check = [], threading.current_thread()

    def note(thread):
        if not is_beside() and threading.current_thread() is not check:
            started.append(thread.name)

    with hooks.before(threading.Thread, "start", note):
        yield started


def require_this_loop(call: Call) -> None:
    """Require that a call which came from a loop ran every task on that loop.

    Raises:
        NotYet: "second-loop".
    """
    if leaves_loop(call):
        raise SECOND_LOOP.again()


def require_usual_threads(call: Call) -> None:
    """Require that queries ran off the pool, and tasks on the loop that the call came from.

    Raises:
        NotYet: "query-in-pool" or "second-loop".
    """
    require_off_the_pool(call)
    require_this_loop(call)


def leaves_loop(call: Call) -> bool:
    """Whether a task ran on another thread than the one that the call came from."""
    here = home(call)
    return any(span.kind == TASK and span.lane != here for span in call.recording.spans)


def home(call: Call) -> int:
    """The lane that the call came from."""
    return next(span.lane for span in call.recording.spans if span.kind == CELL)
