"""From a recording to the sentence that says what happened, and to what would change it."""

from dataclasses import dataclass

from ..recorder.events import CELL, SYNC, TASK, Recording, Span
from .plan import Settings
from .running import Run


@dataclass(frozen=True)
class Facts:
    """What a recording says of the calls that the playground made.

    Args:
        begun: how many calls began to work.
        threads: on how many threads.
        at_once: how many of them were at work at the same time, at most.
        in_order: whether they began in the order in which they were asked for.
        took: milliseconds from the first call's begin to the last one's end.
        held: milliseconds that the event loop was busy in one step, at most.
    """

    begun: int
    threads: int
    at_once: int
    in_order: bool
    took: float
    held: float


def facts(recording: Recording, function: str) -> Facts:
    """Read the facts of a recording that has ended.

    Args:
        recording: the recording.
        function: the name of the function that the calls call.
    """
    spans = list(recording.spans)
    calls = [span for span in spans if span.kind == SYNC and span.name == function]
    steps = [run for span in spans if span.kind in (CELL, TASK) for run in span.runs]
    asked = [span.sent.at for span in calls if span.sent is not None]
    return Facts(
        begun=len(calls),
        threads=len({span.lane for span in calls}),
        at_once=_at_once(calls),
        in_order=asked == sorted(asked),
        took=_extent(calls) / 1e6,
        held=max((end - start for start, end in steps), default=0) / 1e6,
    )


def _at_once(calls: list[Span]) -> int:
    # Ends sort before begins: two calls that only touch do not overlap.
    turns = sorted(turn for span in calls for turn in ((span.start, 1), (span.end, -1)))
    now = most = 0
    for _, by in turns:
        now += by
        most = max(most, now)
    return most


def _extent(calls: list[Span]) -> int:
    if not calls:
        return 0
    return max(span.end for span in calls) - min(span.start for span in calls)


def tell(settings: Settings, run: Run) -> tuple[str, str]:
    """Say what a run did, and what would change it; the second may be empty."""
    found = facts(run.recording, run.function)
    if run.error is not None:
        return failed(run.error, run.line)
    if run.interrupted:
        return interrupted(settings, found)
    return happened(settings, found, run.opened), change(settings, found)


# --- what happened


def happened(settings: Settings, found: Facts, opened: int) -> str:
    """Say what a run did that ended by itself.

    Args:
        settings: what was to be done.
        found: the facts of its recording.
        opened: how many database connections it opened.
    """
    if settings.sensitive is None:
        return (
            f"{_count(settings.calls, 'call')} ran on the event loop's own thread, which was "
            f"blocked for up to {_ms(found.held)} at a stretch: nothing else could run."
        )
    parts = [_what_ran(found)]
    if settings.gathered and found.begun > 1 and found.at_once == 1 and found.in_order:
        parts.append("in the order in which they were made")
    if settings.work == "queries":
        parts.append(_connections(opened, found.threads))
    parts.append(_loop(settings, found))
    told = f"{', '.join(parts)}: {_why(settings, found)}."
    if found.begun > settings.calls:
        told += " A cell made calls of the same name meanwhile; they are counted, too."
    return told


def _what_ran(found: Facts) -> str:
    calls, on = _count(found.begun, "call"), f"on {_count(found.threads, 'thread')}"
    took = f"in {_ms(found.took)}"
    if found.at_once > 1:
        return f"{calls} ran {on} {took}, up to {found.at_once} at once"
    after = "one after another " if found.begun > 1 else ""
    return f"{calls} ran {after}{on} {took}"


def _why(settings: Settings, found: Facts) -> str:
    if not settings.gathered and found.begun > 1:
        return "each was awaited before the next was made"
    if not settings.sensitive:
        why = "the loop's thread pool lends its workers"
    elif settings.contexts:
        why = "each context has a worker of its own"
    else:
        why = "thread-sensitive calls share one worker"
    return f"{why}, and they hold the GIL in turn" if _gil_bound(settings, found) else why


def _gil_bound(settings: Settings, found: Facts) -> bool:
    """Whether calls that overlapped computed no faster than one after another."""
    alone = found.begun * settings.length
    return settings.work == "computes" and found.at_once > 1 and found.took > 0.7 * alone


def _connections(opened: int, threads: int) -> str:
    # Each thread has one connection to the default database.
    kept = threads - opened
    if not opened:
        return f"over {_count(kept, 'connection')} open already"
    also = f" and {kept} open already" if kept > 0 else ""
    return f"over {_count(opened, 'new connection')}{also}"


def _loop(settings: Settings, found: Facts) -> str:
    if found.held < settings.length / 2:
        return "while the event loop stayed free"
    why = ", since it needs the GIL, too" if settings.work == "computes" else ""
    return f"while the event loop was held up for {_ms(found.held)}{why}"


# --- what would change it


def change(settings: Settings, found: Facts) -> str:
    """Say what would change what a run did that ended by itself."""
    if settings.sensitive is None:
        return "sync_to_async would move the work to another thread, and the loop would stay free."
    if settings.calls == 1:
        return "With more calls you see whether they share a thread, or overlap."
    faster = ", but compute no faster under the GIL" if settings.work == "computes" else ""
    queue = settings.sensitive and not settings.contexts
    if not settings.gathered and queue:
        return (
            "asyncio.gather alone would make a queue, since thread-sensitive calls share one "
            f"worker. With a ThreadSensitiveContext for each branch they would overlap{faster}."
        )
    if not settings.gathered:
        return f"asyncio.gather would start them all at once: they would overlap{faster}."
    if queue:
        own = ", each with a connection of its own" if settings.work == "queries" else ""
        return f"A ThreadSensitiveContext for each branch would run them in parallel{own}{faster}."
    if _gil_bound(settings, found):
        return "More threads compute no faster under the GIL; calls that wait gain from them."
    if settings.sensitive:
        return f"Without the contexts they would queue on one worker{_one(settings, found)}."
    return f"thread_sensitive=True would queue them on one worker{_one(settings, found)}."


def _one(settings: Settings, found: Facts) -> str:
    both = "one thread and one connection" if settings.work == "queries" else "one thread"
    return f": {both} in place of {found.threads}" if found.threads > 1 else ""


# --- how else it may end


def interrupted(settings: Settings, found: Facts) -> tuple[str, str]:
    """Say what an interrupted run did, and what an interrupt cannot do."""
    if settings.sensitive is None:
        return "Interrupted: the calls that had not begun by then never ran.", ""
    done = f"Interrupted: {found.begun} of {_count(settings.calls, 'call')} had begun by then."
    return done, "An await is cancelled at once. A thread is not: a call in it goes on to its end."


def failed(error: BaseException, line: int | None) -> tuple[str, str]:
    """Say which exception ended a run, in which line of its code, and what to think of."""
    name, where = type(error).__name__, f" in line {line}" if line else ""
    message = str(error).strip().partition("\n")[0]
    said = f"✗ {name}{where}: {message}" if message else f"✗ {name}{where}."
    if name == "SynchronousOnlyOperation":
        return said, "The guard asks if a loop runs on this thread; sync_to_async goes to another."
    return said, ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _ms(length: float) -> str:
    return f"{length:,.0f} ms"
