"""Assertions on a recording, for the test suite of any project: pytest's, unittest's, Django's.

No notebook is needed, and nothing of Jupyter is imported.
"""

from .ground.errors import LabError
from .lanes.text import text
from .recorder import taps
from .recorder.events import Recording

__all__ = ["assert_at_most"]

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
        AssertionError: on leaving, there were more. It says who ran what where. An exception of the
            block itself goes on instead.
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
            raise AssertionError(f"{'; '.join(excess)}.\n{text(self._seen)}")

    def _excess(self):
        for what, most in self._limits.items():
            number = len(getattr(self._seen, what))
            if number > most:
                yield f"too many {what}: {number}, at most {most} allowed"
        if self._seen.dropped:
            yield "more happened than a recording holds"
