"""What the recording of an answer's last call shows: queries, crossings, and loops of its own."""

from ...exercises.book import NotYet
from ...exercises.given import Given
from ...recorder.events import CELL, QUERY, SYNC, TASK, Span


def queries(given: Given) -> list[Span]:
    """The queries on the library's own tables during the last call."""
    return [
        span for span in given.recording.spans if span.kind == QUERY and "library_" in span.name
    ]


def in_pool(given: Given) -> bool:
    """Whether one of those queries ran in the default executor."""
    pool = {span.index for span in given.recording.on("pool worker")}
    return any(query.index in pool for query in queries(given))


def crossings(given: Given) -> list[Span]:
    """The calls on another thread that held queries on the library's tables, in their order."""
    asked = queries(given)
    return [
        call
        for call in given.recording.spans
        if call.kind == SYNC
        and call.sent is not None
        and any(query.lane == call.lane and _within(query, call) for query in asked)
    ]


def require_this_loop(given: Given) -> None:
    """Require that the last call, which came from a loop, ran every task on that loop.

    Raises:
        NotYet: "second-loop".
    """
    spans = given.recording.spans
    home = next(span.lane for span in spans if span.kind == CELL)
    if any(span.kind == TASK and span.lane != home for span in spans):
        raise NotYet(
            "second-loop",
            "It works, by way of a second event loop on another thread, made for this one call. "
            "What is bound to your loop would fail there. You are in an `async def`: what can "
            "you do with a coroutine right here?",
        )


def query_in_pool() -> NotYet:
    """Say that a query ran where nobody closes its connection."""
    return NotYet(
        "query-in-pool",
        "A query ran on a thread of the pool. Its connection stays open there, and no request's "
        "end will close it. Which thread do queries belong on?",
    )


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and (outer.end is None or inner.start <= outer.end)
