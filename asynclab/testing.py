"""Assertions on a recording, for the test suite of any project: pytest's, unittest's, Django's.

No notebook is needed, and nothing of Jupyter is imported.
"""

from collections import Counter
from collections.abc import Iterator

from .ground.errors import LabError
from .lanes.text import text
from .recorder import taps
from .recorder.events import TASK, Recording

__all__ = ["assert_at_most"]

MOST_STATEMENTS = 10
"""How many different statements of SQL a failure shows."""

# unittest leaves the frames of such a module out of a failure's traceback.
__unittest = True


class assert_at_most:
    """Pin what a block may cost: `with assert_at_most(hops=2, queries=3) as recording:`.

    A plain `with`, in a sync and in an async test; it is no decorator. Every thread counts,
    whichever connection it uses: what a client, middleware or signals do on the way to a view, the
    two hops of `async_to_sync`, and also a thread or a task that is at work beside the test, so
    with one of those a limit is met by chance. A server in another process is not seen.

    Args:
        hops: how many calls may leave one thread to run on another; None for any number.
        queries: how many queries Django may send; None for any number.

    Returns:
        On entering, the `Recording`. Its `hops` and `queries` are lists of spans; the `detail` of a
        query is its SQL, and `recording.lanes[query.lane].role` says where it ran.

    Raises:
        AssertionError: on leaving, there were more. It says who ran what where, which hops are none
            of the view's, and the SQL of the queries past the limit. An exception of the block
            itself goes on instead.
        LabError: there is no limit, or one is not a whole number from 0 on.
    """

    def __init__(self, *, hops: int | None = None, queries: int | None = None):
        limits = {"hops": hops, "queries": queries}
        self._limits = {what: most for what, most in limits.items() if most is not None}
        if not self._limits:
            raise LabError("assert_at_most() needs a limit: hops=, queries=, or both.")
        for what, most in self._limits.items():
            if type(most) is not int or most < 0:
                raise LabError(f"{what} takes a whole number from 0 on; got {most!r}.")

    def __enter__(self) -> Recording:
        self._recording = taps.recording(name="the block")
        self._seen = self._recording.__enter__()
        return self._seen

    def __exit__(self, kind, error, traceback) -> None:
        __tracebackhide__ = True  # pytest shows the line of the test
        self._recording.__exit__(kind, error, traceback)
        if error is None and (excess := list(self._excess())):
            past = self._seen.queries[self._limits.get("queries", len(self._seen.queries)) :]
            lines = [f"{'; '.join(excess)}.", text(self._seen), *_statements(past)]
            raise AssertionError("\n".join(lines))

    def _excess(self) -> Iterator[str]:
        for what, most in self._limits.items():
            number = len(getattr(self._seen, what))
            if number > most:
                aside = _not_of_the_view(self._seen) if what == "hops" else ""
                yield f"too many {what}: {number}, at most {most} allowed{aside}"
        if self._seen.dropped:
            yield "more happened than a recording holds"


def _not_of_the_view(seen: Recording) -> str:
    """Which hops a client or a handler makes for each request, and which `async_to_sync` makes."""
    names = Counter(span.name for span in seen.hops)
    requests = names["HttpResponseBase.close"]
    signals = min(names["sync_send"], requests)
    loops = names["asyncio.run"] + sum(span.kind == TASK for span in seen.hops)
    told = []
    if requests:
        around = ["sync_send"] * bool(signals) + ["HttpResponseBase.close"]
        told.append(f"{signals + requests} before and after the view: {', '.join(around)}")
    if loops:
        told.append(f"{loops} of async_to_sync")
    return f" ({'; '.join(told)})" if told else ""


def _statements(queries: list) -> Iterator[str]:
    """The SQL of queries, each statement once, with how often it was sent."""
    number = Counter(query.detail for query in queries)
    if number:
        yield "queries past the limit:"
    for sql, times in list(number.items())[:MOST_STATEMENTS]:
        yield f"    {sql} x{times}" if times > 1 else f"    {sql}"
    if len(number) > MOST_STATEMENTS:
        yield f"    and {len(number) - MOST_STATEMENTS} more"
