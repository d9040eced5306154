"""Which kind of thread something ran on."""

import asyncio

from ...exercises.book import NotYet
from ...exercises.given import Call
from ...recorder import workers
from ...recorder.events import CELL, TASK

LOOP, SENSITIVE, ELSEWHERE = "loop", "sensitive", "elsewhere"


def place() -> str:
    """What kind of thread this is called on: LOOP, SENSITIVE (the shared worker) or ELSEWHERE."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return SENSITIVE if workers.on_shared() else ELSEWHERE
    return LOOP


def require_this_loop(call: Call) -> None:
    """Require that a call which came from a loop ran every task on that loop.

    Raises:
        NotYet: "second-loop".
    """
    if leaves_loop(call):
        raise NotYet(
            "second-loop",
            "It works, by way of a second event loop on another thread, made for this one call. "
            "What is bound to your loop would fail there. You are in an `async def`: what can "
            "you do with a coroutine right here?",
        )


def leaves_loop(call: Call) -> bool:
    """Whether a task ran on another thread than the one that the call came from."""
    here = home(call)
    return any(span.kind == TASK and span.lane != here for span in call.recording.spans)


def home(call: Call) -> int:
    """The lane that the call came from."""
    return next(span.lane for span in call.recording.spans if span.kind == CELL)
