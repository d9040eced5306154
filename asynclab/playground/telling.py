"""From a recording to the sentence that says what happened, and to what would change it."""

from dataclasses import dataclass

from ..events import CELL, SYNC, TASK, Recording, Span
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
        held: milliseconds that the longest step of the event loop took.
    """

    begun: int
    threads: int
    at_once: int
    in_order: bool
    took: float
    held: float


def facts(recording: Recording, name: str) -> Facts:
    """Read the facts of a recording that has ended.

    Args:
        recording: the recording.
        name: the name of the function that the calls call.
    """
    spans = list(recording.spans)
    calls = [span for span in spans if span.kind == SYNC and span.name == name]
    steps = [run for span in spans if span.kind in (CELL, TASK) for run in span.runs]
    asked = [span.sent.at for span in calls if span.sent is not None]
    return Facts(
        begun=len(calls),
        threads=len({span.lane for span in calls}),
        at_once=_at_once(calls),
        in_order=asked == sorted(asked),
        took=_milliseconds(calls),
        held=max((end - start for start, end in steps), default=0) / 1e6,
    )


def _at_once(calls: list[Span]) -> int:
    # Ends before begins: two calls that only touch did not overlap.
    turns = sorted(turn for span in calls for turn in ((span.start, 1), (span.end, -1)))
    turns.sort(key=lambda turn: (turn[0], turn[1]))
    now = most = 0
    for _, by in turns:
        now += by
        most = max(most, now)
    return most


def _milliseconds(calls: list[Span]) -> float:
    if not calls:
        return 0
    return (max(span.end for span in calls) - min(span.start for span in calls)) / 1e6


def tell(settings: Settings, run: Run) -> tuple[str, str]:
    """Say what a run did, and what would change it; the second may be empty."""
    found = facts(run.recording, run.function)
    if run.error is not None:
        return failed(settings, run.error, run.line)
    if run.interrupted:
        return interrupted(settings, found)
    return happened(settings, found, run.opened), change(settings, found)


def happened(settings: Settings, found: Facts, opened: int) -> str:
    """Say in a sentence what a run did that ended by itself.

    Args:
        settings: what was to be done.
        found: the facts of its recording.
        opened: how many database connections it opened.
    """
    if settings.sensitive is None:
        count = _count(settings.calls, "call")
        return (
            f"{count} ran on the event loop's own thread, which could do nothing else for up to "
            f"{_ms(found.held)} at a stretch: the loop was blocked."
        )
    return f"{_what_ran(found)}: {_why(settings, found)}.{_connections(settings, opened)}"


def _what_ran(found: Facts) -> str:
    calls, took = _count(found.begun, "call"), _ms(found.took)
    if found.begun == 1:
        return f"1 call ran on a worker thread in {took}, and the event loop stayed free"
    if found.at_once > 1:
        threads = _count(found.threads, "thread")
        return f"{calls} ran on {threads}, up to {found.at_once} at once, in {took}"
    order = ", in the order in which they were made," if found.in_order else ""
    threads = _count(found.threads, "thread")
    return f"{calls} ran one after another{order} on {threads} in {took}"


def _why(settings: Settings, found: Facts) -> str:
    if found.begun == 1:
        return "it only awaited the result"
    if not settings.gathered:
        return "each was awaited before the next was made"
    if settings.sensitive and not settings.contexts:
        return "thread-sensitive calls share one worker"
    who = "each context has a worker of its own"
    if not settings.sensitive:
        who = "the loop's pool has so many workers to give"
    if settings.work == "computes":
        return f"{who}, but they hold the GIL in turn"
    return who


def _connections(settings: Settings, opened: int) -> str:
    if settings.work != "queries":
        return ""
    if not opened:
        return " They used connections that were open already."
    verb = "was" if opened == 1 else "were"
    return f" {_count(opened, 'connection')} {verb} opened, and closed after the run."


def change(settings: Settings, found: Facts) -> str:
    """Say what would change what a run did that ended by itself."""
    if settings.sensitive is None:
        return "sync_to_async would move the work to another thread, and the loop would stay free."
    if settings.calls == 1:
        return "With more calls you see whether they share a thread, or overlap."
    if not settings.gathered:
        if settings.sensitive and not settings.contexts:
            return (
                "asyncio.gather alone would only make a queue, since thread-sensitive calls share "
                "one worker; with a ThreadSensitiveContext for each branch they would overlap."
            )
        return "asyncio.gather would make them all at once, and they would overlap."
    if settings.work == "computes" and found.at_once > 1:
        return "More threads compute no faster under the GIL; work that waits gains from them."
    if settings.sensitive and not settings.contexts:
        own = ", each with a connection of its own" if settings.work == "queries" else ""
        return f"A ThreadSensitiveContext for each branch would run them in parallel{own}."
    if settings.sensitive:
        cost = "thread and one connection" if settings.work == "queries" else "thread"
        return f"Without the contexts they would queue on one worker, at the cost of one {cost}."
    if settings.work == "queries":
        return (
            "In a server these connections stay open as long as the pool's threads live. "
            "thread_sensitive=True would use one worker and one connection."
        )
    return "thread_sensitive=True would queue them on one worker."


def interrupted(settings: Settings, found: Facts) -> tuple[str, str]:
    """Say what an interrupted run did, and what an interrupt cannot do."""
    if settings.sensitive is None:
        return "Interrupted: the calls that had not begun were dropped.", ""
    done = f"Interrupted: {found.begun} of {_count(settings.calls, 'call')} had begun."
    return done, "The awaits were cancelled at once; a thread works on until its call ends."


def failed(settings: Settings, error: BaseException, line: int | None) -> tuple[str, str]:
    """Say which exception ended a run, in which line of its code, and what would change it."""
    where = f" in line {line}" if line else ""
    message = str(error).strip().partition("\n")[0]
    said = f"! {type(error).__name__}{where}: {message}".removesuffix(": ")
    if type(error).__name__ == "SynchronousOnlyOperation":
        return (
            said,
            "The guard asks whether a loop runs on this thread; sync_to_async moves off it.",
        )
    return said, ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _ms(length: float) -> str:
    return f"{length:,.0f} ms"
