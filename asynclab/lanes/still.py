"""A recording as a still picture: a PNG for GitHub, nbviewer and a notebook that was not run."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..recorder.events import CELL, QUERY, SPAN, SYNC, TASK, WAIT, Moment, Recording, Span
from .canvas import (
    BAND,
    DESCRIPTION,
    FAINT,
    INK,
    PAPER,
    QUIET,
    RED,
    RULE,
    WIDTH,
    Canvas,
    nice_step,
)
from .text import text

LABELS = 196
RIGHT = 18
AXIS = 26
LEGEND = 34
ROW, GAP = 22, 3
LANE_PAD, LANE_MIN = 9, 50
LANE_ROWS = 220
MOST_LANES = 24
LEAST = 3
TURN = 9
MANY_HOPS = 12
# Kind: fill, edge.
COLOURS = {
    CELL: ("#dfe3e8", "#5f6b7a"),
    TASK: ("#bfdcf8", "#1565c0"),
    SYNC: ("#c6e8c9", "#2e7d32"),
    WAIT: ("#fde5c0", "#b35c00"),
    QUERY: ("#e3cdf3", "#7b1fa2"),
    SPAN: ("#d3eef0", "#00707c"),
}
WORDS = {
    CELL: "cell",
    TASK: "task",
    SYNC: "sync function",
    WAIT: "async_to_sync waits",
    QUERY: "query",
    SPAN: "named span",
}


def still(recording: Recording) -> bytes:
    """Draw a recording.

    Args:
        recording: a recording; spans that are still open are drawn up to the latest moment known.

    Returns:
        A PNG, `WIDTH` CSS pixels wide at `SCALE` device pixels each, on paper of its own, so that
        it reads the same on a light and on a dark page. It holds the recording's words, too, so
        that a picture can be told from that of another recording; see `told`.
    """
    picture = Picture(recording)
    picture.draw()
    return picture.png(text(recording))


def told(png: bytes) -> str | None:
    """Return the words of the recording that a still shows; None if there are none in it."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png)) as image:
            return image.text.get(DESCRIPTION)
    except UnidentifiedImageError:
        return None


@dataclass
class Band:
    """Where one lane lies: its top, height and the height of each of its rows, in CSS pixels."""

    top: float
    height: float
    row: float


class Picture(Canvas):
    """One drawing of one recording."""

    def __init__(self, recording: Recording):
        self.spans = list(recording.spans)
        used = {span.lane for span in self.spans}
        lanes = [lane for lane in recording.lanes if lane.index in used]
        self.lanes, self.hidden = lanes[:MOST_LANES], len(lanes[MOST_LANES:])
        self.length = max([*_moments(self.spans), 1_000_000])
        self.bands = self._bands()
        self.foot = AXIS + sum(band.height for band in self.bands.values())
        super().__init__(self.foot + LEGEND + (18 if self.hidden else 0))

    def _bands(self) -> dict[int, Band]:
        rows = {lane.index: 1 for lane in self.lanes}
        for span in self.spans:
            if span.lane in rows:
                rows[span.lane] = max(rows[span.lane], span.row + 1)
        bands, top = {}, AXIS
        for lane in self.lanes:
            row = min(ROW, LANE_ROWS / rows[lane.index])
            height = max(LANE_MIN, rows[lane.index] * row + 2 * LANE_PAD)
            bands[lane.index] = Band(top, height, row)
            top += height
        return bands

    def draw(self) -> None:
        """Draw everything."""
        self._lanes()
        self._axis()
        for span in self._worth_drawing():
            self._span(span)
        ways = list(self._worth_an_arrow())
        for span in ways:
            self._hop(span, FAINT if len(ways) > MANY_HOPS else INK)
        for span in self.spans:
            if span.error and span.lane in self.bands:
                self._error(span)
        self._legend()

    def x(self, at: int) -> float:
        """Where a moment (nanoseconds since the recording began) lies."""
        return LABELS + (WIDTH - LABELS - RIGHT) * at / self.length

    def _box(self, span: Span) -> tuple[float, float, float, float]:
        band = self.bands[span.lane]
        top = band.top + LANE_PAD + span.row * band.row
        bottom = top + max(1, band.row - GAP)
        if span.kind == QUERY and band.row > 8:
            top, bottom = top + 4, bottom - 4
        left = self.x(span.start)
        right = self.x(self.length if span.end is None else span.end)
        return left, top, max(right, left + LEAST), bottom

    def _worth_drawing(self) -> Iterator[Span]:
        """Every span but those that would lie wholly on a neighbour of their row."""
        right: dict[tuple[int, int], float] = {}
        for span in self.spans:
            if span.lane not in self.bands:
                continue
            _, top, end, _ = self._box(span)
            place = span.lane, round(top)
            if end > right.get(place, 0) + 0.5:
                right[place] = end
                yield span

    def _worth_an_arrow(self) -> Iterator[Span]:
        seen = set()
        for span in self.spans:
            if span.sent is None or span.sent.lane == span.lane:
                continue
            if not {span.lane, span.sent.lane} <= self.bands.keys():
                continue
            place = span.lane, span.sent.lane, round(self.x(span.start) / 4)
            if place not in seen:
                seen.add(place)
                yield span

    def _lanes(self) -> None:
        for number, lane in enumerate(self.lanes):
            band = self.bands[lane.index]
            bottom = band.top + band.height
            if number % 2 == 0:
                self._rectangle((0, band.top, WIDTH, bottom), fill=BAND)
            self._line((0, bottom, WIDTH, bottom), RULE)
            middle = band.top + band.height / 2
            self._text((14, middle - 9), lane.role, 13, room=LABELS - 24, bold=True)
            self._text((14, middle + 9), lane.thread, 11.5, QUIET, room=LABELS - 24)
        self._line((0, AXIS, WIDTH, AXIS), RULE)
        self._line((LABELS, 0, LABELS, self.foot), RULE)
        if self.hidden:
            self._text(
                (14, self.foot + LEGEND + 4),
                f"and {self.hidden} more lanes",
                11.5,
                QUIET,
            )

    def _axis(self) -> None:
        step = nice_step(self.length / 1e6 / 7)
        at = 0.0
        while at * 1e6 <= self.length:
            x = self.x(at * 1e6)
            self._line((x, AXIS - 4, x, self.foot), RULE)
            unit = " ms" if at == 0 else ""
            if x < WIDTH - 30:
                self._text((x + 3, AXIS / 2), f"{at:g}{unit}", 11, QUIET)
            at = round(at + step, 6)

    def _span(self, span: Span) -> None:
        box = self._box(span)
        left, top, right, bottom = box
        fill, edge = COLOURS[span.kind]
        if span.kind in (TASK, CELL):
            self._rectangle(box, fill=PAPER, outline=edge)
            self._hatch(box, edge)
            for start, end in span.runs:
                a, b = self.x(start), self.x(self.length if end is None else end)
                self._rectangle((a, top, max(b, a + 1.5), bottom), fill=edge)
        elif span.kind == WAIT:
            self._rectangle(box, fill=fill, outline=edge)
            self._hatch(box, edge)
        elif span.kind == SPAN:
            self._rectangle(box, fill=fill)
            self._line((left, bottom, right, bottom), edge, 1.5)
            self._line((left, top, left, bottom), edge, 1.5)
            self._line((right, top, right, bottom), edge, 1.5)
        else:
            self._rectangle(box, fill=fill, outline=edge)
        self._label(span, box)

    def _label(self, span: Span, box: tuple[float, float, float, float]) -> None:
        """The span's name, on a plate of paper where the bar below it has a pattern."""
        left, top, right, bottom = box
        height = bottom - top
        if height < 10 or right - left < 26:
            return
        points = 11.5 if height > 13 else 9.5
        name = self._fit(span.name, points, right - left - 14)
        if not name:
            return
        middle = (top + bottom) / 2
        if span.runs and span.runs[0][1] is not None:
            left = self.x(span.runs[0][1])
            name = self._fit(name, points, right - left - 14)
        if span.kind in (TASK, CELL, WAIT):
            end = left + 10 + self._width(name, points)
            self._rectangle((left + 4, middle - 7, end, middle + 7), fill=PAPER)
        self._text((left + 7, middle), name, points)

    def _hop(self, span: Span, colour: str) -> None:
        """The way there: from where the call was made to where it runs. And the way back.

        Both go straight up or down, and turn just beside the call: so the ways of gathered calls
        lie on each other, and not on the bars between.
        """
        left, top, right, bottom = self._box(span)
        down = self.bands[span.lane].top > self.bands[span.sent.lane].top
        here, turn = (top, top - TURN) if down else (bottom, bottom + TURN)
        sent = self._caller(span, span.sent, down, colour)
        self._arrow([sent, (sent[0], turn), (left, here)], colour)
        if span.returned is not None and span.returned.lane in self.bands:
            back = self._caller(span, span.returned, down, colour)
            self._arrow([(right, here), (back[0], turn), back], colour, back=True)

    def _caller(self, span: Span, moment: Moment, below: bool, colour: str) -> tuple[float, float]:
        """Where the caller's bar is at a moment: its side towards the call.

        Who called is not always known: then it is what lay open on that lane last, or else a dot,
        for code that is not drawn.
        """
        x = self.x(moment.at)
        parent = None if span.parent is None else self.spans[span.parent]
        if parent is None or parent.lane != moment.lane:
            parent = max(self._open(moment), key=lambda span: span.start, default=None)
        if parent is not None:
            _, top, _, bottom = self._box(parent)
            return x, bottom if below else top
        band = self.bands[moment.lane]
        y = band.top + band.height / 2
        self.pen.ellipse(self._device((x - 3, y - 3, x + 3, y + 3)), colour)
        return x, y

    def _open(self, moment: Moment) -> Iterator[Span]:
        for span in self.spans:
            end = self.length if span.end is None else span.end
            if span.lane == moment.lane and span.start <= moment.at < end:
                yield span

    def _arrow(self, points, colour, back: bool = False) -> None:
        for start, end in pairwise(points):
            if back:
                self._dashes(start, end, colour)
            else:
                self._line((*start, *end), colour, 0.75)
        (_, y0), (x1, y1) = points[0], points[-1]
        tip = 5 if y1 > y0 else -5
        self._polygon([(x1, y1), (x1 - 3, y1 - tip), (x1 + 3, y1 - tip)], colour)

    def _error(self, span: Span) -> None:
        _, top, right, bottom = self._box(span)
        self._mark(min(right, WIDTH - 10), (top + bottom) / 2)

    def _mark(self, x: float, y: float) -> None:
        self._polygon([(x - 7, y + 6), (x + 7, y + 6), (x, y - 8)], RED)
        self._text((x - 1.6, y + 0.5), "!", 10.5, PAPER, bold=True)

    def _legend(self) -> None:
        x, y = 14.0, self.foot + LEGEND / 2
        kinds = {span.kind for span in self.spans}
        for kind, word in WORDS.items():
            if kind in kinds:
                self._swatch(kind, x, y)
                x = self._word(x + 28, y, word)
        if any(len(span.runs) > 1 for span in self.spans):
            self._rectangle((x, y - 7, x + 22, y + 7), fill=PAPER, outline=QUIET)
            self._hatch((x, y - 7, x + 22, y + 7), QUIET)
            x = self._word(x + 28, y, "awaiting")
        if any(span.sent for span in self.spans):
            self._arrow([(x + 4, y - 8), (x + 4, y + 7)], INK)
            self._arrow([(x + 14, y + 8), (x + 14, y - 7)], INK, back=True)
            x = self._word(x + 24, y, "hop, and back")
        if any(span.error for span in self.spans):
            self._mark(x + 8, y)
            self._word(x + 20, y, "exception")

    def _swatch(self, kind: str, x: float, y: float) -> None:
        fill, edge = COLOURS[kind]
        half = 4 if kind == QUERY else 7
        box = x, y - half, x + 22, y + half
        self._rectangle(box, fill=edge if kind in (TASK, CELL) else fill, outline=edge)
        if kind == WAIT:
            self._hatch(box, edge)

    def _word(self, x: float, y: float, word: str) -> float:
        self._text((x, y), word, 11.5, QUIET)
        return x + self._width(word, 11.5) + 20


def _moments(spans: list[Span]) -> Iterator[int]:
    for span in spans:
        yield span.start if span.end is None else span.end
        yield from (run[1] or run[0] for run in span.runs[-1:])
