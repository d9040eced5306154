"""One run in the page: what it was, its lanes, and what they say."""

import html
from collections.abc import Iterable
from time import perf_counter_ns

import ipywidgets

from ..lanes.live import LiveLanes
from .running import Run


class Figure(ipywidgets.VBox):
    """A picture with a heading and, once the run is over, words below it.

    Args:
        number: the run's number.
        settings: what it was told to do, in words.
        group: the pictures with which this one is played again.
    """

    def __init__(self, number: int, settings: str, group: str = ""):
        title = f"<strong>Run {number}:</strong> {html.escape(settings)}"
        self.lanes = LiveLanes(group=group)
        self._words = ipywidgets.HTML()
        super().__init__([ipywidgets.HTML(title), self._words, self.lanes])
        self.add_class("asynclab-playground-run")

    def say(self, happened: str, change: str) -> None:
        """Show what happened, and what would change it."""
        paragraphs = [happened, change]
        self._words.value = "".join(f"<p>{html.escape(each)}</p>" for each in paragraphs if each)

    def close(self) -> None:
        """Take the picture and its parts out of the kernel and the page."""
        for part in (*self.children, self):
            part.layout.close()
            if isinstance(part, ipywidgets.HTML):
                part.style.close()
            if part is not self:
                part.close()
        super().close()


def longest(runs: Iterable[Run]) -> int:
    """Microseconds that the longest of some runs lasted, or has lasted by now."""
    recordings = [run.recording for run in runs if run.recording is not None]
    now = perf_counter_ns()
    lengths = [
        (now if recording.ended is None else recording.ended) - recording.began
        for recording in recordings
    ]
    return max(lengths, default=0) // 1000
