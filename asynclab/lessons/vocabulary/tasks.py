"""Tasks: turns of their loop, what is under way at once, what is kept alive, what is lost."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ...exercises.book import NotYet
from ...exercises.lineage import is_beside
from ...recorder import hooks

TURNS = 20
"""Turns of a loop in which every task goes on until it waits."""
SOON = 2
"""Seconds that a call gets to end when its work is done."""
PATIENCE = 2
"""Seconds to wait for something that a right answer does at once."""
STEP = 0.001
CROWD = 128
"""So many at once that nobody has a reason to let in only so many: more than a client's hundred."""
END_OF_SLEEP = "_set_result_unless_cancelled"
"""What a loop calls for a task that sleeps."""


async def turns(number: int = TURNS) -> None:
    """Let the loop go round so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


async def until(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait, on a loop that stays free, until something is true; return whether it came to be.

    Args:
        seconds: how long to wait for it. Not by the loop's clock, which a check may put forward.
    """
    for _ in range(int(seconds / STEP)):
        if true():
            return True
        await asyncio.sleep(STEP)
    return true()


async def all_of(work: Iterable[Awaitable]) -> list:
    """What they return, run side by side, when all of them have ended.

    Raises:
        Exception: what the first of them has raised. Unlike `gather`, nothing goes on after that.
    """
    found = await asyncio.gather(*work, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return found


async def pass_time(seconds: float = 1) -> None:
    """Let the running loop's clock go on at once: whoever waits for less is woken.

    So a check sees, without waiting, what an answer does that gives something only so much time.

    Args:
        seconds: how far the clock goes on.
    """
    loop = asyncio.get_running_loop()
    clock = loop.time
    loop.time = lambda: clock() + seconds
    try:
        await turns()
    finally:
        vars(loop).pop("time", None)


def gives_up(what: str) -> NotYet:
    """What an answer is told that gave work only so much time, which `pass_time` let pass.

    Args:
        what: the work, as the reader knows it.
    """
    return NotYet(
        "gives-up",
        f"{what} took a second, and your code gave it only so much time: nobody asked for that. "
        "Who knows how long it may take?",
    )


@contextmanager
def clock_put_forward() -> Iterator[Callable[[float], None]]:
    """A function that puts the running loop's clock forward: to so many seconds after the start.

    Unlike `pass_time`, it sees what begins to wait between two such moments. After the block the
    clock is right again.
    """
    loop, ahead = asyncio.get_running_loop(), [0.0]
    clock = loop.time
    start = clock()

    def forward(seconds: float) -> None:
        ahead.append(max(0.0, start + seconds - loop.time()))

    loop.time = lambda: clock() + sum(ahead)
    try:
        yield forward
    finally:
        vars(loop).pop("time", None)


class StoppedClock:
    """The running loop's clock stands still in the block, and goes on only when the block says so.

    So what a call does in its seconds is seen at once, and in their order, however busy the machine
    is: `with StoppedClock() as clock:`, and `await clock.go_on(0.4)` in it.
    """

    def __enter__(self) -> "StoppedClock":
        self._loop = asyncio.get_running_loop()
        self._start = self._now = self._loop.time()
        self._loop.time = lambda: self._now
        return self

    def __exit__(self, *_) -> None:
        vars(self._loop).pop("time", None)

    @property
    def seconds(self) -> float:
        """How far it has gone on."""
        return self._now - self._start

    async def go_on(self, seconds: float) -> None:
        """Let so many seconds pass, and wake whoever has waited for less, one after the other."""
        end = self._now + seconds
        await turns()
        while (coming := self._coming()) is not None and coming < end:
            await self._go_to(coming)
        await self._go_to(end)

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something is true, but not so many seconds; return whether it is.

        What no clock ends, such as the work of a thread, is waited for in real time.
        """
        end = self._now + seconds
        await turns()
        while not true() and (coming := self._coming() or self._now) < end:
            await self._go_to(coming)
        return true()

    async def _go_to(self, moment: float) -> None:
        self._now = max(self._now, moment)
        await turns()

    def _coming(self) -> float | None:
        """The next moment that somebody waits for."""
        waited_for = [each.when() for each in self._loop._scheduled if not each.cancelled()]
        return min(waited_for, default=None)


@contextmanager
def noting_deadlines() -> Iterator[list[float]]:
    """Note the seconds of each deadline that a call sets in the block, on any loop.

    Whatever is to be called later is one, but for the end of a sleep, which gives nothing up. A
    deadline that is over at once is none: it needs no clock.
    """
    given = []

    def note(loop, when, callback, *_args, **_options):
        if getattr(callback, "__name__", "") != END_OF_SLEEP and not is_beside():
            given.append(when - loop.time())

    with hooks.before(asyncio.BaseEventLoop, "call_at", note):
        yield given


class Overlap:
    """How many stretches of work are under way at once, on a loop or on threads.

    `with overlap:` stands around each stretch. `now` counts those under way, `most` is the most
    that there were.
    """

    def __init__(self):
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_) -> None:
        with self._lock:
            self.now -= 1


class LastFirst:
    """Answers questions that are asked together in the opposite order.

    It waits until no more come, answers the last one, and waits again. It belongs to the loop of
    the first question, as a client of a real service does.

    Args:
        questions: all of them, in their order.

    `overlap` counts the open ones, `asked` those that were asked, and `answered` those whose answer
    somebody took.
    """

    def __init__(self, questions: Sequence[str]):
        self.overlap = Overlap()
        self.asked = self.answered = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = {each: place for place, each in enumerate(questions)}
        self._open: list[tuple[int, asyncio.Future]] = []
        self._quiet = 0

    async def wait(self, question: str) -> None:
        """Return when it is this question's turn.

        Raises:
            RuntimeError: the question comes from another loop than the first one.
        """
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise RuntimeError("the desk is bound to a different event loop")
        self.asked += 1
        with self.overlap:
            if not self._open:
                loop.call_soon(self._turn)
            answer = loop.create_future()
            self._open.append((self._places[question], answer))
            self._quiet = 0
            await answer
        self.answered += 1

    def _turn(self) -> None:
        self._quiet += 1
        if self._quiet == TURNS:
            last = max(self._open, key=lambda each: each[0])
            self._open.remove(last)
            self._quiet = 0
            if not last[1].done():  # Whoever asked may have been cancelled.
                last[1].set_result(None)
        if self._open:
            self._loop.call_soon(self._turn)


class Gate:
    """Something to wait for, which does not keep alive who waits: it refers to them weakly."""

    def __init__(self):
        self._futures: list[weakref.ref] = []

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._futures.append(weakref.ref(future))
        await future

    @property
    def reached(self) -> int:
        return len(self._futures)

    def open(self) -> bool:
        """Let everybody go on; return whether all of them were still there."""
        gc.collect()
        futures = [reference() for reference in self._futures]
        for future in futures:
            if future is not None and not future.done():
                future.set_result(None)
        return None not in futures


class NewTasks:
    """The tasks that a block starts on the running loop, which are not kept alive by being noted.

    `with NewTasks() as tasks:` stands around a block that does not await.
    """

    def __enter__(self) -> "NewTasks":
        self._before = weakref.WeakSet(asyncio.all_tasks())
        return self

    def __exit__(self, *_) -> None:
        self._made = [weakref.ref(task) for task in asyncio.all_tasks() - set(self._before)]

    @property
    def pending(self) -> int:
        """How many of them are not done."""
        made = [each() for each in self._made]
        return sum(task is not None and not task.done() for task in made)

    @property
    def kept(self) -> int:
        """How many of them somebody still holds."""
        gc.collect()
        return sum(made() is not None for made in self._made)

    def cancel(self) -> list[asyncio.Task]:
        """Cancel all that are left, and return them."""
        left = [task for made in self._made if (task := made()) is not None]
        for task in left:
            task.cancel()
        return left


def forget_frames(errors: Iterable[object]) -> None:
    """Let the exceptions among them hold no frames any more, and so none of the tasks in those."""
    for error in errors:
        if isinstance(error, BaseException):
            error.__traceback__ = None


@contextmanager
def told_to_the_loop() -> Iterator[list[BaseException | None]]:
    """What the running loop is told of in the block: lost exceptions, and None for a lost task."""
    loop, told = asyncio.get_running_loop(), []
    handler = loop.get_exception_handler()
    # The rest of the context holds the task: it would not be lost, had this kept it.
    loop.set_exception_handler(lambda loop, context: told.append(context.get("exception")))
    try:
        yield told
        gc.collect()  # A task whose own error refers to it is lost only then.
    finally:
        loop.set_exception_handler(handler)


def in_good_time(all_done: Callable[[], bool]) -> Callable[..., Awaitable[bool]]:
    """A driver that says whether a call ends soon after its work is done; else it is cancelled.

    Args:
        all_done: whether nothing is left for it to do.
    """

    async def drive(function, *args):
        call = asyncio.ensure_future(function(*args))
        while not (all_done() or call.done()):
            await asyncio.sleep(0.001)
        await asyncio.wait([call], timeout=SOON)
        ended = call.done()
        call.cancel()
        await asyncio.wait([call])
        if ended:
            call.result()
        return ended

    return drive
