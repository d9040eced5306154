"""A recording as a live picture in the page: an anywidget, fed by a thread of its own."""

import queue
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import thread_time

import anywidget
import traitlets

from ..recorder.events import Recording
from .feed import Archive, Feed
from .text import text

HERE = Path(__file__).parent
# What comes after a quiet moment is sent at once. Then the thread that sends, which takes the GIL
# from the cell, rests so many times as long as it took, and at least so many seconds.
REST, LEAST_REST = 25, 0.02
# After how many messages the page's model is told everything once more. Messages that were sent
# before it was ready are lost to it, and it cannot ask: a running cell keeps the kernel busy.
ONCE_MORE = {2, 5, 12, 25, 50}
FIRST_SPANS = 400
# Between the messages of a long rest: a Jupyter server drops what exceeds 1 MB a second.
REST_PERIOD = 0.08  # seconds
MANY_ROWS = 500
REPLAY = ("small.js", "moments.js", "replay.js", "player.js")
STYLES = ("live.css", "player.css")


def _joined(*names: str) -> str:
    """Files of this folder as one text: anywidget takes one module and one style sheet a widget.

    As a text, because anywidget ties each instance to a path that it is given, and none would be
    freed.
    """
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


class LiveLanes(anywidget.AnyWidget):
    """The live picture of one recording.

    Make it, display it and `begin`; only then begin the recording and let it `follow`. So none of
    that is part of what is recorded. `finish` when the recording has ended.

    `least` is the least time that the picture shows, in microseconds: pictures that share it, and
    last no longer, are drawn on one scale. Pictures of one `group` are played again together, by
    the `Player` of that group.

    Args:
        recording: a recording that has ended, to be drawn as it is.
        group: the name of its group; without one it has controls of its own.
    """

    _esm = _joined(*REPLAY, "live.js")
    _css = _joined(*STYLES)
    group = traitlets.Unicode("").tag(sync=True)
    early = traitlets.Dict().tag(sync=True)
    ended = traitlets.Bool(False).tag(sync=True)
    least = traitlets.Int(0).tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)

    def __init__(self, recording: Recording | None = None, group: str = ""):
        super().__init__(group=group)
        self.on_msg(self._answer)
        self.feed: Feed | None = None
        self._archive: Archive | None = None
        self._answering: threading.Thread | None = None
        self._stop = False
        # Where the thread waits: it is woken by `follow`, by the recording and by `finish`.
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="lanes", daemon=True)
        if recording is not None:
            self.feed = Feed(recording)
            self._send_rest()

    def begin(self) -> None:
        """Start the thread that will send; it waits until there is a recording to follow."""
        self._thread.start()

    def follow(self, recording: Recording) -> None:
        """Send what is new in `recording` from now on, until `finish`."""
        self.feed = Feed(recording)
        self._woken.put(None)

    def finish(self) -> None:
        """Send the rest of a recording that has ended. A long rest goes on in the background."""
        self._stop = True
        self._woken.put(None)
        self._thread.join(timeout=0.5)

    def _run(self) -> None:
        self._woken.get()
        sent = 0
        while not self._stop:
            began = thread_time()
            sent += self._send_news(sent + 1)
            rest = max(LEAST_REST, REST * (thread_time() - began))
            with suppress(queue.Empty):
                self._woken.get(timeout=rest)
            self._wait_for_news()
        self._send_rest()

    def _send_news(self, number: int) -> bool:
        """Send what is new, if anything is; `number` counts the messages."""
        message = self.feed.next()
        if message is not None:
            self.send(message)
            if number in ONCE_MORE:
                self.early = self.feed.first(FIRST_SPANS)
        return message is not None

    def _wait_for_news(self) -> None:
        recording = self.feed.recording
        if not recording.unread and not self._stop:
            recording.tell_next(self._woken.put)
            # What was noted, or ended, just before has told nobody.
            if not recording.unread and not self._stop and recording.ended is None:
                self._woken.get()

    def _send_rest(self) -> None:
        feed = self.feed
        self._send_all(feed.rest())
        with self.hold_sync():
            self.early = feed.first(FIRST_SPANS)
            self.summary = text(feed.recording)
            self.ended = True
        # A picture stays in the page, and its widget in the kernel, for as long as the notebook is
        # open. The recording need not.
        self._archive, self.feed = Archive(feed.whole()), None

    def _send_all(self, messages: Iterable[dict]) -> None:
        for message in messages:
            self.send(message)
            if len(message["rows"]) > MANY_ROWS:
                time.sleep(REST_PERIOD)

    def _answer(self, _widget, content, _buffers) -> None:
        """The page lacks something: it was loaded again, came late, or a message was lost."""
        if content == "whole" and not (self._answering and self._answering.is_alive()):
            # On a thread, because the pauses between many messages would block the loop.
            told = (self._archive or self.feed).whole()
            self._answering = threading.Thread(
                target=self._send_all, args=[told], name="lanes", daemon=True
            )
            self._answering.start()


class Player(anywidget.AnyWidget):
    """The controls that play the pictures of a group again.

    Args:
        group: the name of the group.
    """

    _esm = _joined(*REPLAY, "together.js")
    _css = _joined(*STYLES)
    group = traitlets.Unicode().tag(sync=True)
