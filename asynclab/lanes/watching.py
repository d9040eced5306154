"""The connections to a database server during a block: a picture that grows and stays, and words.

What is shown is an observation of `servers/`; the notebook's page hears of it from a thread of its
own, so that a blocked event loop does not stop the picture.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby, pairwise

from .canvas import BAND, INK, QUIET, RED, WIDTH, Canvas, nice_step, size
from .page import in_notebook, view
from .svg import SvgSheet

SECONDS = 0.1
"""From one state of the live picture to the next."""

LEFT, RIGHT, TOP, FOOT, HEIGHT = 48, 84, 40, 164, 226
TEXT = 15
"""The height of a letter: in a column of usual width that of the lanes."""
BEFORE, AFTER = 0.06, 0.08
"""Seconds, and a share of the whole, that are drawn before the first connection and after the last
change."""
FULL = 0.7
"""From which share of the slots on the picture shows where they end."""
# State: fill and edge; what is at work lies at the bottom.
COLOURS = {
    "active": ("#e3cdf3", "#7b1fa2"),
    "idle in transaction": ("#fde5c0", "#b35c00"),
    "idle": ("#bfdcf8", "#1565c0"),
}
OTHER = ("#dfe3e8", "#5f6b7a")
# The same as the lanes have in the theme's colours.
THEME = {
    "#7b1fa2": "--jp-mirror-editor-operator-color",
    "#b35c00": "--jp-warn-color1",
    "#1565c0": "--jp-brand-color1",
    "#5f6b7a": "--jp-ui-font-color2",
}
TINTS = dict([*COLOURS.values(), OTHER])
"""Of which edge's colour a fill is a tint."""


@contextmanager
def watch(server) -> Iterator:
    """Watch a PostgreSQL's connections while a block runs: `with watch(postgres) as seen:`.

    In a notebook a picture of them, by state, grows under the cell meanwhile, and stays. Elsewhere
    nothing is shown.

    Args:
        server: a `PostgreSQL`.

    Yields:
        What is seen: `opened`, `refused`, `peak` and `open` count connections.

    Raises:
        LabError: Django's database is another one.
    """
    seen = server.observe()
    live = _Live() if in_notebook() else None
    try:
        with seen:
            if live:
                live.follow(seen)
            yield seen
    finally:
        if live:
            live.finish()
            _show(seen)


def _show(seen) -> None:
    from IPython.display import display

    if seen.samples:  # else the server could not be asked
        display(Connections(seen, _html(on_page(seen))))


def _html(value: str = ""):
    from ipywidgets import HTML

    return HTML(value, layout={"width": "100%"})


class Connections:
    """An observation as Jupyter shows it: a picture, or else words.

    Args:
        seen: an observation that has ended.
        widget: what shows it in the colours of the page, where there is one.
    """

    def __init__(self, seen, widget=None):
        self._seen = seen
        self._widget = widget

    def _repr_mimebundle_(self, include=None, exclude=None):
        words = str(self._seen)
        picture = connections_still(self._seen)
        width, height = size(picture)
        bundle = {"text/plain": words, "image/png": picture}
        if self._widget is not None:
            bundle |= view(self._widget)
        return bundle, {"image/png": {"width": width, "height": height, "alt": words}}


class _Live:
    """What the page shows while the block runs."""

    def __init__(self):
        from IPython.display import display

        self._html = _html()
        display(view(self._html), raw=True)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, seen) -> None:
        self._thread = threading.Thread(target=self._follow, args=[seen], name="watch", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()
        self._html.close()

    def _follow(self, seen) -> None:
        while not self._over.wait(SECONDS):
            self._html.value = on_page(seen)


def connections_still(seen) -> bytes:
    """Draw how many connections there were in each state, over time, as a PNG."""
    picture = _Still(seen)
    picture.draw()
    return picture.png(str(seen))


def on_page(seen) -> str:
    """Draw the same as SVG, in the colours of the page; also while the block runs."""
    picture = _OnPage(seen)
    picture.draw()
    return picture.svg(str(seen))


class _Chart:
    """One drawing of one observation, on the sheet that a subclass brings."""

    def observe(self, seen) -> None:
        self._words, self._slots = str(seen), seen.slots
        samples, self._refusals = list(seen.samples), Counter(seen.refusals)
        self._states = sorted({state for _, states in samples for state in states}, key=_place)
        self._most_of = Counter()
        for _, states in samples:
            self._most_of |= states
        self._from, self._end = _what_is_worth_drawing(samples, [*self._refusals])
        self._runs = [*_runs(samples, self._from, self._end)]
        most = max(seen.peak, 1, *(sum(states.values()) for _, states in samples))
        self._is_full = most >= FULL * self._slots
        self._most = max(most, self._slots) if self._is_full else most

    def draw(self) -> None:
        self._text((LEFT, 18), self._words, TEXT, INK, bold=True)
        self._rectangle((LEFT, TOP, WIDTH - RIGHT, FOOT), fill=BAND)
        for start, end, states in self._runs:
            self._column(start, end, states)
        self._numbers()
        self._times()
        if self._is_full:
            self._limit()
        self._refused()
        self._legend()

    def _x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (seconds - self._from) / (self._end - self._from)

    def _y(self, number: float) -> float:
        room = 26 if self._refusals else 6
        return FOOT - (FOOT - TOP - room) * number / self._most

    def _column(self, start: float, end: float, states) -> None:
        below, left, right = 0, self._x(start), self._x(end)
        for state in sorted(states, key=_place):
            fill, edge = COLOURS.get(state, OTHER)
            top = below + states[state]
            self._rectangle((left, self._y(top), right, self._y(below)), fill=fill)
            self._line((left, self._y(top), right, self._y(top)), edge, 2)
            below = top

    def _numbers(self) -> None:
        step = max(1, round(nice_step(self._most / 4)))
        for number in range(0, self._most + 1, step):
            y = self._y(number)
            self._line((LEFT - 4, y, LEFT, y), QUIET)
            words = str(number)
            self._text((LEFT - 9 - self._width(words, TEXT), y), words, TEXT, QUIET)

    def _times(self) -> None:
        self._line((LEFT, FOOT, WIDTH - RIGHT, FOOT), QUIET)
        step, at = nice_step((self._end - self._from) * 1000 / 7), 0.0
        while at <= (self._end - self._from) * 1000:
            x = self._x(self._from + at / 1000)
            self._line((x, FOOT, x, FOOT + 5), QUIET)
            words = f"{at:g}" if at else "0 ms"
            self._text((x - self._width(words, TEXT) / 2, FOOT + 17), words, TEXT, QUIET)
            at = round(at + step, 6)

    def _limit(self) -> None:
        """Where the slots end."""
        y = self._y(self._slots)
        self._line((LEFT, y, WIDTH - RIGHT, y), RED, 1.5)
        self._text((WIDTH - RIGHT + 8, y), f"{self._slots} slots", TEXT, RED, bold=True)

    def _refused(self) -> None:
        """A cross above the limit for each moment, and how many there were, where there is room."""
        y, told = TOP + 12, 0
        marks = [(max(self._x(at), LEFT + 6), n) for at, n in sorted(self._refusals.items())]
        for (x, number), (following, _) in pairwise([*marks, (WIDTH, 0)]):
            self._line((x - 5, y - 5, x + 5, y + 5), RED, 2.5)
            self._line((x - 5, y + 5, x + 5, y - 5), RED, 2.5)
            told += number
            words = f"{told} refused"
            if following - x > 24 + self._width(words, TEXT):
                self._text((x + 10, y), words, TEXT, RED)
                told = 0

    def _legend(self) -> None:
        x, y = float(LEFT), HEIGHT - 16
        self._text((x, y), "connections:", TEXT, QUIET)
        x += self._width("connections:", TEXT) + 14
        for state in self._states:
            fill, edge = COLOURS.get(state, OTHER)
            self._rectangle((x, y - 7, x + 22, y + 7), fill=fill, outline=edge)
            words = f"{state}, {self._most_of[state]} at most"
            self._text((x + 29, y), words, TEXT, QUIET)
            x += 29 + self._width(words, TEXT) + 22


class _Still(_Chart, Canvas):
    """On a canvas."""

    def __init__(self, seen):
        super().__init__(HEIGHT)
        self.observe(seen)


class _OnPage(_Chart, SvgSheet):
    """In the page."""

    def __init__(self, seen):
        super().__init__(HEIGHT, THEME, TINTS)
        self.observe(seen)


def _what_is_worth_drawing(samples, moments) -> tuple[float, float]:
    """From when to when something changed, in seconds, with a little room on both sides."""
    changes = [now for (_, before), (now, after) in pairwise(samples) if before != after]
    changes += moments
    start = max(min(changes, default=0) - BEFORE, 0) if not samples[0][1] else 0
    end = max(changes, default=samples[-1][0])
    if samples[-1][1]:  # what is open at the end has been open until then
        end = max(end, samples[-1][0])
    return start, end + max(AFTER * (end - start), BEFORE)


def _runs(samples, start: float, end: float) -> Iterator[tuple[float, float, Counter]]:
    """From when to when there was nothing new, and the connections by state meanwhile."""
    same = [next(run) for _, run in groupby(samples, lambda sample: sample[1])]
    for (begin, states), (until, _) in pairwise([*same, (end, None)]):
        begin, until = max(begin, start), min(until, end)
        if begin < until:
            yield begin, until, states


def _place(state: str) -> tuple[bool, int | str]:
    """Where a state lies, from the bottom up: what is at work first, unknown ones last."""
    return (True, 0, state) if state not in COLOURS else (False, [*COLOURS].index(state), "")
