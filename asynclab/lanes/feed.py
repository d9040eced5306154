"""A recording as small messages: what the live picture has not been told yet.

A message is a dict that JSON can hold, and can be read by whoever has lost all others: it brings
the texts and the lanes that its rows name. Times in it are whole microseconds since the recording
began, -1 where there is none, and texts are indices into its table:

    number   of the message, from 1 on; where one is left out, something was lost
    part     [which, of how many], from 0 on, of an answer that tells all that the messages up to
             `number` have told; None in a message that tells what is new
    strings  [text, ...]
    lanes    [[index, role, thread, ident, native id], ...]
    rows     [[index, kind, name, lane, row, start, end, error, detail,
               sent lane, sent at, returned lane, returned at, parent,
               from, run, run end, ...], ...]
    now      the recording's clock when the message was made
    behind   how many events were noted but are not in any message yet
    dropped  how many were not noted, past the limit of the recording

A row replaces the one with its index; its runs replace those from number `from` on.
"""

import json
import threading
import zlib
from collections.abc import Iterable, Iterator
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
        self._number = 0
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
        return next(self.whole(most))

    def whole(self, most: int = 2000) -> Iterator[dict]:
        """All that has been told so far, in messages of `most` spans."""
        with self._telling:
            spans, number = list(self.spans.values()), self._number
        starts = range(0, max(len(spans), 1), most)
        for part, start in enumerate(starts):
            with self._telling:
                rows = _Rows((span, 0) for span in spans[start : start + most])
                message = self._dict(number, rows, [part, len(starts)])
            yield message

    def _adapt(self, took: float) -> None:
        """Take more or fewer events next time, so that a message costs what it may."""
        if took > self._budget:
            self._most = max(50, self._most // 2)
        elif took < self._budget / 2 and self.recording.unread:
            self._most = min(20_000, self._most * 2)

    def _message(self, spans: list[Span]) -> dict:
        with self._telling:
            self._number += 1
            return self._dict(self._number, _Rows(map(self._news, spans)))

    def _news(self, span: Span) -> tuple[Span, int]:
        """A span, and how many of its runs have ended and were told."""
        self.spans[span.index] = span
        start = self._closed_runs.get(span.index, 0)
        # Counted before the row is made: a run that ends meanwhile is told once more.
        if span.runs:
            self._closed_runs[span.index] = len(span.runs) - (span.runs[-1][1] is None)
        return span, start

    def _dict(self, number: int, rows: "_Rows", part: list[int] | None = None) -> dict:
        return {
            "number": number,
            "part": part,
            "rows": rows.rows,
            "lanes": self._lanes(rows.lanes),
            "strings": list(rows.strings),
            "now": self._now(),
            "behind": self.recording.unread,
            "dropped": self.recording.dropped,
        }

    def _now(self) -> int:
        ended = self.recording.ended
        return ((perf_counter_ns() if ended is None else ended) - self.recording.began) // 1000

    def _lanes(self, indices: set[int]) -> list:
        lanes = self.recording.lanes
        return [
            [i, lanes[i].role, lanes[i].thread, lanes[i].ident, lanes[i].native_id]
            for i in sorted(indices - {-1})
        ]


class Archive:
    """All that was told of a recording which has ended, in little memory: the recording can go.

    Args:
        messages: what a page is told that comes late.
    """

    def __init__(self, messages: Iterable[dict]):
        self._packed = [zlib.compress(json.dumps(message).encode(), 1) for message in messages]

    def whole(self) -> Iterator[dict]:
        """The messages."""
        for packed in self._packed:
            yield json.loads(zlib.decompress(packed))


class _Rows:
    """The rows of one message, with the texts and the lanes that they name.

    Args:
        spans: each with the number of the run to begin with.
    """

    def __init__(self, spans: Iterable[tuple[Span, int]]):
        self.strings: dict[str, int] = {}
        self.lanes: set[int] = set()
        self.rows = [self._row(span, start) for span, start in spans]

    def _row(self, span: Span, start: int) -> list:
        sent, returned = _moment(span.sent), _moment(span.returned)
        self.lanes |= {span.lane, sent[0], returned[0]}
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
            *sent,
            *returned,
            -1 if span.parent is None else span.parent,
            start,
        ]
        for begin, end in span.runs[start:]:
            row += (begin // 1000, _micro(end))
        return row

    def _string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))


def _micro(at: int | None) -> int:
    return -1 if at is None else at // 1000


def _moment(moment: Moment | None) -> tuple[int, int]:
    return (-1, -1) if moment is None else (moment.lane, moment.at // 1000)
