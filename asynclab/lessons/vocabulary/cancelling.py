"""Cancel a call while it awaits a check's own function: both have to end as cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

from ...exercises.book import NotYet
from ...exercises.given import Given
from .failing import require_cancelled
from .tasks import turns


class Stalled:
    """Work that never ends by itself: `stalled.work` is given to an answer as an async function.

    `begun` counts how often it was awaited.
    """

    def __init__(self):
        self.begun = self._ended = 0

    @property
    def cancelled(self) -> bool:
        """Whether all of it that had begun was told to end."""
        return 0 < self.begun == self._ended

    async def work(self, *_args, **_kwargs) -> None:
        self.begun += 1
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self._ended += 1
            raise


async def require_cancelled_with(
    given: Given,
    name: str,
    stalled: Stalled,
    start: Callable[[Callable], Awaitable],
    what: str,
) -> bool:
    """Cancel a call that has come to `stalled`: it must end as cancelled.

    Args:
        start: makes the call, given the reader's function; what it returns is awaited.
        what: the work, as the reader knows it.

    Returns:
        Whether the work has ended with it.

    Raises:
        NotYet: "cancel-swallowed", or what `Given.call` raises.
    """
    call_ended, work_ended = await given.result_of(name, driver=_cancelling(stalled, start))
    require_cancelled(name, call_ended)
    return work_ended


async def require_cancel_passed_on(given: Given, name: str, *args, what: str) -> None:
    """The same, and the work must end at once: all that was begun, if there was more than one.

    Raises:
        NotYet: "cancel-swallowed", "goes-on", or what `Given.call` raises.
    """
    if not await require_cancelled_with(given, name, *args, what=what):
        raise NotYet(
            "goes-on",
            f"`{name}` was cancelled, and {what} went on, where nobody waits for it any more or "
            "hears of its errors. What passes a cancellation on?",
        )


async def awaiting(awaitable: Awaitable) -> object:
    """A coroutine that awaits anything that can be awaited: what a task is made of."""
    return await awaitable


async def end(task: asyncio.Task) -> None:
    """Cancel a task; one that goes on in spite of it has its coroutine closed."""
    task.cancel()
    await turns()
    if not task.done():
        task.get_coro().close()
        task.cancel()
        await turns()
    if task.done() and not task.cancelled():
        task.exception()  # Or asyncio would tell of it as lost.


def _cancelling(stalled: Stalled, start: Callable) -> Callable[[Callable], Awaitable[tuple]]:
    """A driver that tells whether the call ended as cancelled, and whether the work did."""

    async def cancel(function):
        job = asyncio.create_task(awaiting(start(function)))
        while not (stalled.begun or job.done()):
            await asyncio.sleep(0.001)
        if job.done():
            job.result()  # What went wrong before there was anything to cancel is no cancellation.
        await turns()  # Work that was started together has begun by then.
        job.cancel()
        await turns()
        ended = job.done() and job.cancelled(), stalled.cancelled
        await end(job)
        return ended

    return cancel
