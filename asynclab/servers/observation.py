"""What becomes of the connections to a PostgreSQL during a block: counted, and sampled by state."""

import re
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from ..ground.errors import LabError

SECONDS = 0.03
"""From one sample to the next."""
QUIET = 0.05
"""Seconds without news in the log, after which the block's connections are counted."""
PATIENCE = 2
"""Seconds that such a quiet moment is waited for."""

# What a server's process writes once it can take queries, when it ends, and when it must not begin.
READY = re.compile(r"(\d+) library@\S* LOG:  connection ready")
GONE = re.compile(r"(\d+) library@\S* LOG:  disconnection: ")
REFUSED = re.compile(
    r"(\d+) \S+ FATAL:  (remaining connection slots|sorry, too many|too many connections)"
)


@dataclass(frozen=True)
class ConnectionCount:
    """Connections during a block.

    Attributes:
        before: open when it began.
        opened: opened since.
        refused: those for which there was no slot.
        peak: open at once at most, as the server has it: one that a client has closed still takes
            its slot for a moment.
        open: open at the end.
    """

    before: int
    opened: int
    refused: int
    peak: int
    open: int

    def __str__(self) -> str:
        parts = [f"{self.opened} opened", f"{self.peak} open at once at most"]
        if self.before:
            parts.insert(0, f"{self.before} open before")
        if self.refused:
            parts.insert(-1, f"{self.refused} refused")
        return f"Connections: {', '.join(parts)}, {self.open} open at the end."


class Observation:
    """Between the start and the end of a `with` block, watches a PostgreSQL's connections.

    A thread of its own asks for their states every now and then. What is counted comes from the
    server's log, which leaves none out.

    Args:
        server: a `PostgreSQL`.

    Attributes:
        slots: how many connections Django can have at once.
        samples: when each was taken, in seconds since the block began, and how many connections
            were in each state.
        refusals: when each connection was refused, in seconds since the block began, to a sample.
    """

    def __init__(self, server):
        self._server = server
        self.slots = 0
        self.samples: list[tuple[float, Counter[str]]] = []
        self.refusals: list[float] = []
        self._count: ConnectionCount | None = None

    def __enter__(self) -> "Observation":
        self._from = len(self._server.log)
        self.slots = self._server.slots
        sessions = self._server.sessions
        self._before = {str(session.pid) for session in sessions}
        self._began = time.monotonic()
        self.samples.append((0.0, Counter(session.state for session in sessions)))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take_samples, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._wait_for_quiet()
        self._sample()
        self._count = self._counted()

    def __str__(self) -> str:
        now = self.count
        if self._count:
            return str(now)
        refused = f"{now.refused} refused, " if now.refused else ""
        return f"Connections so far: {now.opened} opened, {refused}{now.open} open."

    @property
    def count(self) -> ConnectionCount:
        """What has been counted; during the block, so far."""
        return self._count or self._counted()

    @property
    def opened(self) -> int:
        """How many connections were opened since the block began."""
        return self.count.opened

    @property
    def refused(self) -> int:
        """For how many there was no slot."""
        return self.count.refused

    @property
    def peak(self) -> int:
        """How many were open at once at most."""
        return self.count.peak

    @property
    def open(self) -> int:
        """How many are open; after the block, were open at its end."""
        return self.count.open

    def _take_samples(self) -> None:
        while not self._over.wait(SECONDS):
            self._sample()

    def _sample(self) -> None:
        import psycopg

        now = time.monotonic() - self._began
        self.refusals += [now] * (self._counted().refused - len(self.refusals))
        # A server that restarts meanwhile has no answer.
        with suppress(LabError, psycopg.Error):
            self.samples.append((now, self._server.states))

    def _wait_for_quiet(self) -> None:
        """A connection that was closed as the block ended is to be counted as closed."""
        limit = time.monotonic() + PATIENCE
        seen, since = -1, 0.0
        while time.monotonic() < min(limit, since + QUIET) or seen == -1:
            size = len(self._server.log)
            if size != seen:
                seen, since = size, time.monotonic()
            time.sleep(0.005)

    def _counted(self) -> ConnectionCount:
        open_now = set(self._before)
        opened = refused = 0
        peak = len(open_now)
        for line in self._server.log[self._from :].splitlines():
            if found := READY.match(line):
                open_now.add(found[1])
                opened += 1
                peak = max(peak, len(open_now))
            elif found := GONE.match(line):
                open_now.discard(found[1])
            elif REFUSED.match(line):
                refused += 1
        return ConnectionCount(len(self._before), opened, refused, peak, len(open_now))
