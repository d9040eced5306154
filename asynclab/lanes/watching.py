"""The connections to a database server during a block: a live table, then a picture and its words.

What is shown is an observation of `servers/`; the notebook's page hears of it from a thread of its
own, so that a blocked event loop does not stop the table.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from .canvas import BAND, INK, QUIET, RED, RULE, WIDTH, Canvas, nice_step, size
from .page import in_notebook, view

SECONDS = 0.1
"""From one state of the live table to the next."""

LEFT, RIGHT, TOP, AXIS, LEGEND = 60, 18, 14, 130, 32
# State: fill and edge; what is at work lies at the bottom.
COLOURS = {
    "active": ("#e3cdf3", "#7b1fa2"),
    "idle in transaction": ("#fde5c0", "#b35c00"),
    "idle": ("#bfdcf8", "#1565c0"),
}
OTHER = ("#dfe3e8", "#5f6b7a")


@contextmanager
def watch(server) -> Iterator:
    """Watch a PostgreSQL's connections while a block runs: `with watch(postgres) as seen:`.

    In a notebook a table of them, by state, stands under the cell meanwhile, and a picture when the
    block has ended. Elsewhere nothing is shown.

    Args:
        server: a `PostgreSQL`.

    Yields:
        What is seen: `opened`, `refused`, `peak` and `left` count connections.
    """
    live, seen = _Table() if in_notebook() else None, server.observe()
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
        display(Connections(seen))


class Connections:
    """An observation as Jupyter shows it: a picture, or else words.

    Args:
        seen: an observation that has ended.
    """

    def __init__(self, seen):
        self._seen = seen

    def _repr_mimebundle_(self, include=None, exclude=None):
        words = str(self._seen.count)
        picture = connections_still(self._seen)
        width, height = size(picture)
        metadata = {"image/png": {"width": width, "height": height, "alt": words}}
        return {"text/plain": words, "image/png": picture}, metadata


class _Table:
    """What the page shows while the block runs."""

    def __init__(self):
        from IPython.display import display
        from ipywidgets import HTML

        self._html = HTML()
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
            _, states = seen.samples[-1]
            self._html.value = table(states, seen.slots)


def table(states, slots: int) -> str:
    """The number of connections in each state, as HTML that takes the page's colours."""
    rows = "".join(
        f'<tr><td style="padding-right:1em">{escape(state)}</td>'
        f'<td style="text-align:right;padding-right:1em">{number}</td>'
        f'<td><div style="height:0.8em;width:{240 * number / slots:.0f}px;'
        f'background:{COLOURS.get(state, OTHER)[1]}"></div></td></tr>'
        for state, number in sorted(states.items())
    )
    total = sum(states.values())
    return (
        '<table role="status" style="color:inherit;line-height:1.5">'
        f"<caption>{total} of {slots} connections</caption>{rows}</table>"
    )


def connections_still(seen) -> bytes:
    """Draw how many connections there were in each state, over time, as a PNG."""
    return _Chart(seen).draw()


class _Chart(Canvas):
    """One drawing of one observation."""

    def __init__(self, seen):
        super().__init__(AXIS + 20 + LEGEND)
        self._seen = seen
        self._samples = seen.samples
        self._end = max(self._samples[-1][0], 0.001)
        self._most = max(seen.peak, 1, *(sum(states.values()) for _, states in self._samples))

    def draw(self) -> bytes:
        self._axes()
        for (start, states), (end, _) in zip(
            self._samples, [*self._samples[1:], (self._end, {})], strict=True
        ):
            self._column(start, end, states)
        self._limit()
        self._legend()
        return self.png(str(self._seen.count))

    def _x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self._end

    def _y(self, number: float) -> float:
        return AXIS - (AXIS - TOP) * number / self._most

    def _axes(self) -> None:
        self._rectangle((LEFT, TOP, WIDTH - RIGHT, AXIS), fill=BAND)
        step = max(1, round(nice_step(self._most / 4)))
        for number in range(0, self._most + 1, step):
            y = self._y(number)
            self._line((LEFT, y, WIDTH - RIGHT, y), RULE)
            self._text((LEFT - 8 - self._width(str(number), 11), y), str(number), 11, QUIET)
        step, at = nice_step(self._end * 1000 / 7), 0.0
        while at <= self._end * 1000:
            x = self._x(at / 1000)
            self._line((x, AXIS, x, AXIS + 4), QUIET)
            if x < WIDTH - 40:
                self._text((x + 3, AXIS + 11), f"{at:g}{' ms' if at == 0 else ''}", 11, QUIET)
            at = round(at + step, 6)

    def _column(self, start: float, end: float, states) -> None:
        below = 0
        for state in _ordered(states):
            fill, edge = COLOURS.get(state, OTHER)
            top = below + states[state]
            left, right = self._x(start), self._x(end)
            self._rectangle((left, self._y(top), right, self._y(below)), fill=fill)
            self._line((left, self._y(top), right, self._y(top)), edge, 1.5)
            below = top

    def _limit(self) -> None:
        """Where the slots end, if they were nearly needed."""
        slots = self._seen.slots
        if slots <= self._most:
            y = self._y(slots)
            self._dashes((LEFT, y), (WIDTH - RIGHT, y), RED)

    def _legend(self) -> None:
        x, y = float(LEFT), AXIS + 20 + LEGEND / 2
        for state in _ordered({state for _, states in self._samples for state in states}):
            fill, edge = COLOURS.get(state, OTHER)
            self._rectangle((x, y - 7, x + 22, y + 7), fill=fill, outline=edge)
            most = max(states.get(state, 0) for _, states in self._samples)
            words = f"{state}, {most} at most"
            self._text((x + 28, y), words, 11.5, QUIET)
            x += 28 + self._width(words, 11.5) + 20
        self._text((x, y), str(self._seen.count), 11.5, INK, room=WIDTH - RIGHT - x)


def _ordered(states) -> list[str]:
    """The states that are there, from the bottom up."""
    return sorted(states, key=lambda state: (state not in COLOURS, [*COLOURS, state].index(state)))
