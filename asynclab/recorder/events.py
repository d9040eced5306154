"""Recorded events as plain data.

A `Recording` takes events from any thread and groups them into spans, with one lane for each
thread. It knows nothing about Django, asyncio or Jupyter; `taps` feeds it and `lanes` draws it.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from time import perf_counter_ns
from typing import NamedTuple

from .roles import MANY, PLAIN_THREAD, without_number

BEGIN, PAUSE, END, SUBMIT = "begin", "pause", "end", "submit"

# Of a name.
MOST_LETTERS = 200

CELL, TASK, SYNC, WAIT, QUERY, SPAN = "cell", "task", "sync", "wait", "query", "span"


# One thing that happened on one thread is so many items in `Recording.events`:
#
#     at      nanoseconds on the `time.perf_counter_ns` clock
#     op      BEGIN of a span, or of its next run if it is open; PAUSE of its run; its END; SUBMIT,
#             the request for it, which comes before its BEGIN or soon after
#     lane    an index into `Recording.lanes`
#     key     says which span it belongs to while that span is open
#     kind    CELL, TASK, SYNC, WAIT, QUERY or SPAN; for BEGIN only
#     name    what to call the span; for BEGIN only
#     detail  for BEGIN more about the span, for END the name of the exception that ended it, for
#             SUBMIT the key of the span that asked
SIZE = 7


@dataclass(slots=True)
class Lane:
    """An OS thread that something happened on.

    `role` is its job, one of `roles` and perhaps a number ("pool worker 2"), `thread` the name
    Python gave it, `ident` and `native_id` what `threading` says of it.
    """

    index: int
    role: str
    thread: str
    ident: int
    native_id: int


class Moment(NamedTuple):
    """A point on a lane: the lane's index, and nanoseconds since the recording began."""

    lane: int
    at: int


@dataclass(slots=True)
class Span:
    """Something that began on a lane and, in most cases, ended there.

    Times are nanoseconds since the recording began; `end` is None while the span is open.
    `runs` are the stretches in which a task or a cell really ran, as [start, end]; a span of
    another kind runs from start to end. `row` is a place in the lane where nothing else is open.
    `sent` is where the call came from, `returned` where its result was taken up. `error` is the
    name of the exception that ended it. `parent` is the index of the span that asked for it.
    """

    index: int
    kind: str
    name: str
    lane: int
    row: int
    start: int
    end: int | None = None
    runs: list[list[int | None]] = field(default_factory=list)
    error: str = ""
    detail: str = ""
    sent: Moment | None = None
    returned: Moment | None = None
    parent: int | None = None


class Recording:
    """Events from every thread, in the order in which they were noted.

    Args:
        limit: how many events are kept. What comes after is counted in `dropped`.
        of: says, on the thread that it is called on, whether what runs there is to be recorded: a
            span is if it begins there, or was asked for there. Without it, everything is.

    `unseen` names the classes of event loops whose tasks could not be recorded.

    `note(op, key, kind, name, detail, role)` adds one event of the calling thread; nothing is kept
    once the recording has ended. `role` is called, if this is the thread's first event, for the job
    to name its lane after. `block` is the key of the span of the recorded block itself.
    """

    def __init__(self, limit: int = 200_000, of: Callable[[], bool] | None = None):
        self.limit = limit
        self.began = perf_counter_ns()
        self.ended: int | None = None
        self.dropped = 0
        self.unseen: tuple[str, ...] = ()
        # One after the other, SIZE items each: a list of tuples would keep the collector busy.
        self.events: list = []
        self.lanes: list[Lane] = []
        self.block: object = object()
        self._here = threading.local()
        # The garbage collector may run code that makes a note while a lane is being opened.
        self._new_lane = threading.RLock()
        self._waiting: list[Callable[[None], None]] = []
        self._timeline = Timeline(self.began)
        self._reading = threading.Lock()
        self.note = self._make_note() if of is None else _only(of, self._make_note())

    def __repr__(self) -> str:
        spans, lanes = len(self.spans), len(self.lanes)
        return f"Recording: {_counted(spans, 'span')} on {_counted(lanes, 'lane')}"

    def _make_note(self) -> Callable[..., None]:
        """Return `note`: a closure, because each hop makes five notes and a method is slower."""
        events, extend, here, waiting = self.events, self.events.extend, self._here, self._waiting
        most = self.limit * SIZE

        def note(op, key, kind="", name="", detail="", role=None, *about) -> None:
            if len(events) >= most:
                self.dropped += 1
                return
            try:
                lane = here.lane
            except AttributeError:
                if op in (PAUSE, END):
                    return  # of something that began before the recording did
                lane = here.lane = self._open_lane(role, *about)
            # In one piece, whatever other threads do meanwhile.
            extend((perf_counter_ns(), op, lane, key, kind, name, detail))
            if waiting:
                self._wake()

        return note

    def tell_next(self, hear: Callable[[None], None]) -> None:
        """Call `hear(None)` once: after the next event is noted, or when the recording ends.

        Args:
            hear: something that may be called at any point of any code, as `SimpleQueue.put`.
        """
        self._waiting.append(hear)

    def _wake(self) -> None:
        # Several threads may come here at once.
        with suppress(IndexError):
            while True:
                self._waiting.pop()(None)

    def _open_lane(self, role: Callable[..., str] | None, *about) -> int:
        thread = threading.current_thread()
        job = role(*about) if role else PLAIN_THREAD
        with self._new_lane:
            lane = Lane(0, self._numbered(job), thread.name, thread.ident, thread.native_id)
            # Counted last: such code may have opened another lane meanwhile.
            lane.index = len(self.lanes)
            self.lanes.append(lane)
        return lane.index

    def _numbered(self, role: str) -> str:
        earlier = sum(without_number(lane.role) == role for lane in self.lanes)
        many = role in MANY or earlier
        return f"{role} {earlier + 1}" if many else role

    def end(self) -> None:
        """Close the recording; whatever is still open ends now. A second call changes nothing."""
        if self.ended is None:
            self.ended = perf_counter_ns()
            # Not a method: the recording and its closure would keep each other alive.
            self.note = _note_nothing
            self._wake()

    def read(self, most: int | None = None) -> list[Span]:
        """The spans that are new or have changed since the last call, each once.

        Args:
            most: how many events are taken into account now; the rest waits for the next call.
        """
        with self._reading:
            changed = self._timeline.read(self.events, most=most)
            if self.ended is not None and not self.unread:
                changed = {**changed, **self._timeline.close(self.ended)}
            return list(changed.values())

    @property
    def unread(self) -> int:
        """How many events `read` has not yet taken into account."""
        return len(self.events) // SIZE - self._timeline.taken

    @property
    def spans(self) -> list[Span]:
        """Every span so far, in the order in which they began; more join while it is open."""
        with self._reading:
            self._timeline.read(self.events, remember=True)
            if self.ended is not None:
                self._timeline.close(self.ended, remember=True)
            return self._timeline.spans

    @property
    def queries(self) -> list[Span]:
        """The spans of Django's queries, of every thread, in the order in which they began."""
        return [span for span in self.spans if span.kind == QUERY]

    @property
    def hops(self) -> list[Span]:
        """The spans of what was asked for on one thread and ran on another, in the same order."""
        return [
            span for span in self.spans if span.sent is not None and span.sent.lane != span.lane
        ]

    def on(self, role: str) -> list[Span]:
        """The spans on every lane with the job `role`, numbered or not."""
        wanted = {lane.index for lane in self.lanes if without_number(lane.role) == role}
        return [span for span in self.spans if span.lane in wanted]


def _only(of: Callable[[], bool], note: Callable[..., None]) -> Callable[..., None]:
    """Return a `note` that leaves out the spans which do not begin, and are not asked for, `of`."""
    wanted = set()

    def note_if_wanted(op, key, *details, **more) -> None:
        if op in (BEGIN, SUBMIT) and of():
            wanted.add(key)
        elif op == SUBMIT:
            wanted.discard(key)  # It may be the id of something that is gone.
        if key in wanted:
            note(op, key, *details, **more)
        if op == END:
            wanted.discard(key)

    return note_if_wanted


def _note_nothing(*_event, **_details) -> None:
    """What `note` is once a recording has ended."""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _one_line(name: str) -> str:
    """A name as it can stand in a picture and among other words: in one line, and not too long."""
    if len(name) <= MOST_LETTERS and name.isprintable():
        return name
    cut = name[:MOST_LETTERS]
    words = "".join(letter if letter.isprintable() else " " for letter in cut).split()
    return " ".join(words) + ("…" if cut != name else "")


class Timeline:
    """Turns events into spans, a few at a time.

    Args:
        began: nanoseconds on the `time.perf_counter_ns` clock that all times count from.
    """

    def __init__(self, began: int):
        self.began = began
        self.spans: list[Span] = []
        self.taken = 0
        self._open: dict[object, Span] = {}
        # By lane: the rows that are free below the highest in use, as a heap, and how many there
        # are. So many spans at once cost no more than a few.
        self._free: dict[int, list[int]] = {}
        self._rows: dict[int, int] = {}
        self._sent: dict[object, tuple[Moment, object]] = {}
        # The key of who asked for an open span; and by that key, what has ended and waits for it.
        self._askers: dict[object, object] = {}
        self._results: dict[object, list[Span]] = {}
        self._changed: dict[int, Span] = {}

    def read(self, events: list, remember: bool = False, most: int | None = None) -> dict:
        """Take the events that came since the last call; return the spans they changed by index.

        With `remember`, the changes are kept for the next call that returns them. `most` bounds
        how many events are taken.
        """
        last = None if most is None else (self.taken + most) * SIZE
        apply = {
            BEGIN: self._begin,
            SUBMIT: self._submit,
            PAUSE: self._pause,
            END: self._end,
        }
        items, began = iter(events[self.taken * SIZE : last]), self.began
        for at, op, lane, key, kind, name, detail in zip(*[items] * SIZE, strict=True):
            # Counted first, so that a reader that is interrupted does not report an event twice.
            self.taken += 1
            apply[op](at - began, lane, key, kind, name, detail)
        return {} if remember else self._take_changes()

    def close(self, ended: int, remember: bool = False) -> dict[int, Span]:
        """End every open span at `ended`, without an error."""
        for key, span in list(self._open.items()):
            # Another thread may have begun it just after the end.
            self._finish(key, span, max(ended - self.began, span.start))
        return {} if remember else self._take_changes()

    def _take_changes(self) -> dict[int, Span]:
        changed, self._changed = self._changed, {}
        return changed

    def _begin(self, at, lane, key, kind, name, detail) -> None:
        known = self._open.get(key)
        if known is not None:
            self._begin_run(known, key, at)
            return
        span = Span(len(self.spans), kind, _one_line(name), lane, self._take_row(lane), at)
        if detail:
            span.detail = str(detail)
        if kind in (TASK, CELL):
            span.runs.append([at, None])
        self.spans.append(span)
        self._open[key] = span
        self._changed[span.index] = span
        sent = self._sent.pop(key, None)
        if sent is not None:
            self._link(span, key, *sent)

    def _take_row(self, lane: int) -> int:
        free = self._free.get(lane)
        if free:
            return heappop(free)
        row = self._rows.get(lane, 0)
        self._rows[lane] = row + 1
        return row

    def _submit(self, at, lane, key, _kind, _name, asker) -> None:
        span = self._open.get(key)
        if span is not None and span.sent is None and span.lane != lane:
            self._link(span, key, Moment(lane, at), asker)
        else:
            self._sent[key] = Moment(lane, at), asker

    def _link(self, span: Span, key: object, sent: Moment, asker: object) -> None:
        span.sent = sent
        parent = self._open.get(asker)
        if parent is not None:
            span.parent = parent.index
            self._askers[key] = asker
        self._changed[span.index] = span

    def _pause(self, at, _lane, key, _kind, _name, _detail) -> None:
        span = self._open.get(key)
        if span is not None and span.runs and span.runs[-1][1] is None:
            span.runs[-1][1] = at
            self._changed[span.index] = span

    def _begin_run(self, span: Span, key: object, at: int) -> None:
        span.runs.append([at, None])
        self._changed[span.index] = span
        self._take_up(span, key, at)

    def _take_up(self, span: Span, key: object, at: int) -> None:
        for result in self._results.pop(key, ()):
            result.returned = Moment(span.lane, at)
            self._changed[result.index] = result

    def _end(self, at, _lane, key, _kind, _name, error) -> None:
        span = self._open.get(key)
        if span is not None:
            span.error = _one_line(error)
            self._finish(key, span, at)

    def _finish(self, key: object, span: Span, at: int) -> None:
        span.end = at
        if span.runs and span.runs[-1][1] is None:
            span.runs[-1][1] = at
        del self._open[key]
        heappush(self._free.setdefault(span.lane, []), span.row)
        self._take_up(span, key, at)
        self._changed[span.index] = span
        asker = self._askers.pop(key, None)
        # What asked may have ended, and its key may be another's now.
        if asker is not None and getattr(self._open.get(asker), "index", None) == span.parent:
            self._results.setdefault(asker, []).append(span)
