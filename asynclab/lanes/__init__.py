"""A recording as a picture: live while the cell runs, then a still, and the same in words."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..ground.interrupts import held
from ..recorder import taps
from ..recorder.events import Recording
from .canvas import size
from .page import in_notebook, view
from .still import still
from .text import text
from .watching import watch

__all__ = ["Lanes", "end", "record", "show", "start", "still", "stop", "text", "watch"]


class Lanes:
    """A recording as Jupyter shows it: live where it can, else a picture, else words.

    Args:
        recording: what to show.
        live: the live picture of the same recording, if there is one.
    """

    def __init__(self, recording: Recording, live=None):
        self.recording = recording
        self.live = live

    def _repr_mimebundle_(self, include=None, exclude=None):
        words = text(self.recording)
        picture = still(self.recording)
        width, height = size(picture)
        bundle = {"text/plain": words, "image/png": picture}
        if self.live is not None:
            bundle |= view(self.live)
        return bundle, {"image/png": {"width": width, "height": height, "alt": words}}

    def __repr__(self) -> str:
        return text(self.recording)


class Showing:
    """A recording under way, and what shows it in the page, if anything can.

    Args:
        recording: the recording.
        live: its live picture; None outside a notebook.
    """

    def __init__(self, recording: Recording, live=None):
        self.recording = recording
        self.live = live


@contextmanager
def record(draw: bool = True) -> Iterator[Recording]:
    """Record and draw what runs in the block: `with record() as recording:`.

    Args:
        draw: False for a recording that is only counted, as one of many is.

    Yields:
        The recording. In a notebook its live picture stands under the cell while the block runs,
        and the final one, however the block is left. Elsewhere nothing is shown.
    """
    if not draw:
        with taps.recording() as recording:
            yield recording
        return
    showing = None
    try:
        with held():
            showing = start()
        yield showing.recording
    except BaseException as error:
        if showing is not None:
            stop(showing, error)
        raise
    stop(showing)


def start() -> Showing:
    """Begin to record, and to draw live if this is a notebook. `stop` must follow.

    Call it in a block of `interrupts.held`: half done, it would leave a thread.
    """
    if not in_notebook():
        return Showing(taps.start())
    from IPython.display import display

    from .live import LiveLanes

    live = LiveLanes()
    display(view(live), raw=True)
    live.begin()
    # Wait until the kernel's own thread has sent all that: it would take the GIL from the cell.
    sys.stdout.flush()
    recording = taps.start()
    live.follow(recording)
    return Showing(recording, live)


def stop(showing: Showing, error: BaseException | None = None) -> None:
    """Stop recording, and show the result in a notebook.

    Args:
        showing: what `start` returned.
        error: what ended the recorded code, if an exception did.
    """
    end(showing, error)
    show(showing)


def end(showing: Showing, error: BaseException | None = None) -> None:
    """The part of `stop` that has to happen; no interrupt leaves it half done."""
    with held():
        taps.stop(showing.recording, error)
        if showing.live is not None:
            showing.live.finish()


def show(showing: Showing) -> None:
    """The part of `stop` that may take a while: a long recording is drawn."""
    if showing.live is None:
        return
    from IPython.display import display

    display(Lanes(showing.recording, showing.live))


def __getattr__(name: str):
    """`LiveLanes`, when asked for: anywidget takes a while to import."""
    if name == "LiveLanes":
        from .live import LiveLanes

        return LiveLanes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
