"""A recording as small messages: what the live picture has not been told yet.

A message is a dict that JSON can hold. Times in it are whole microseconds since the recording
began, -1 where there is none, and texts are indices into a table that is sent as it grows:

    strings  [from, text, ...]                      the table's new entries
    lanes    [from, [role, thread, ident, native id], ...]
    rows     [[index, kind, name, lane, row, start, end, error, detail,
               sent lane, sent at, returned lane, returned at, parent,
               from, run, run end, ...], ...]
    now      the recording's clock when the message was made
    behind   how many events were noted but are not in any message yet

A row replaces the one with its index; its runs replace those from number `from` on.
"""

import threading
from collections.abc import Iterator
from itertools import islice
from time import perf_counter_ns, thread_time

from ..recorder.events import Moment, Recording, Span


class Feed:
    """What one reader has been told of a recording.

    Args:
        recording: where spans come from.
        budget: seconds of processor time that one message may take to make. The thread that
            makes it takes the GIL from the code that is being recorded.
    """

    def __init__(self, recording: Recording, budget: float = 0.0008):
        self.recording = recording
        self.spans: dict[int, Span] = {}
        self._budget = budget
        self._most = 200
        self._closed_runs: dict[int, int] = {}
        self._strings: dict[str, int] = {}
        self._strings_sent = 0
        self._lanes_sent = 0
        self._complete = False
        # A page that comes late is told everything while the rest is still on its way.
        self._telling = threading.Lock()

    def next(self) -> dict | None:
        """A message with what is new, or None if nothing is."""
        began = thread_time()
        spans = self.recording.read(self._most)
        message = self._message(spans) if spans else None
        self._adapt(thread_time() - began)
        return message

    def rest(self, most: int = 2000) -> Iterator[dict]:
        """What is left to tell of a recording that has ended, in messages of `most` spans."""
        while self.recording.unread or not self._complete:
            spans = self.recording.read(2 * most)
            self._complete = not self.recording.unread
            for start in range(0, len(spans), most):
                yield self._message(spans[start : start + most])

    def first(self, most: int) -> dict:
        """All that has been told so far of the first `most` spans, for a page that comes late."""
        return self._whole(list(islice(self.spans.values(), most)))

    def whole(self, most: int = 2000) -> Iterator[dict]:
        """All that has been told so far, in messages of `most` spans."""
        spans = list(self.spans.values())
        for start in range(0, max(len(spans), 1), most):
            yield self._whole(spans[start : start + most])

    def _adapt(self, took: float) -> None:
        """Take more or fewer events next time, so that a message costs what it may."""
        if took > self._budget:
            self._most = max(50, self._most // 2)
        elif took < self._budget / 2 and self.recording.unread:
            self._most = min(20_000, self._most * 2)

    def _message(self, spans: list[Span]) -> dict:
        with self._telling:
            rows = [self._new_row(span) for span in spans]
            lanes = self._lanes(self._lanes_sent)
            message = self._dict(rows, lanes, self._table(self._strings_sent))
            self._lanes_sent += len(lanes) - 1
            self._strings_sent = len(self._strings)
            return message

    def _new_row(self, span: Span) -> list:
        """The row of a span without the runs that have ended and were told."""
        self.spans[span.index] = span
        start = self._closed_runs.get(span.index, 0)
        # Counted before the row is made: a run that ends meanwhile is told once more.
        if span.runs:
            self._closed_runs[span.index] = len(span.runs) - (span.runs[-1][1] is None)
        return self._row(span, start)

    def _whole(self, spans: list[Span]) -> dict:
        with self._telling:
            rows = [self._row(span, 0) for span in spans]
            return self._dict(rows, self._lanes(0), self._table(0))

    def _dict(self, rows: list, lanes: list, strings: list) -> dict:
        return {
            "rows": rows,
            "lanes": lanes,
            "strings": strings,
            "now": self._now(),
            "behind": self.recording.unread,
        }

    def _now(self) -> int:
        ended = self.recording.ended
        return ((perf_counter_ns() if ended is None else ended) - self.recording.began) // 1000

    def _lanes(self, start: int) -> list:
        lanes = self.recording.lanes[start:]
        return [start, *([lane.role, lane.thread, lane.ident, lane.native_id] for lane in lanes)]

    def _table(self, start: int) -> list:
        return [start, *islice(self._strings, start, None)]

    def _row(self, span: Span, start: int) -> list:
        row = [
            span.index,
            self._string(span.kind),
            self._string(span.name),
            span.lane,
            span.row,
            span.start // 1000,
            _micro(span.end),
            self._string(span.error),
            self._string(span.detail),
            *_moment(span.sent),
            *_moment(span.returned),
            -1 if span.parent is None else span.parent,
            start,
        ]
        for begin, end in span.runs[start:]:
            row += (begin // 1000, _micro(end))
        return row

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


def _micro(at: int | None) -> int:
    return -1 if at is None else at // 1000


def _moment(moment: Moment | None) -> tuple[int, int]:
    return (-1, -1) if moment is None else (moment.lane, moment.at // 1000)
