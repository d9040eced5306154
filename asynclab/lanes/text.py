"""A recording in words: who ran what, and where. The same words for the same code, every time.

No times, no idents, no counts of threads: nothing that a busy machine or another version changes.
What may race (which pool worker took what, and when) is merged into one line.
"""

from collections import Counter
from collections.abc import Iterable

from ..recorder import roles
from ..recorder.events import CELL, QUERY, SPAN, SYNC, TASK, WAIT, Recording, Span

ORDER = (
    roles.EVENT_LOOP,
    roles.MAIN_THREAD,
    roles.SERVER_LOOP,
    roles.PLAIN_THREAD,
    roles.THREAD_SENSITIVE_WORKER,
)

# Of what one line tells: the rest is counted.
MOST_NAMES = 20

# Several threads do the same job; which of them got a call, and when, is a race.
POOLS = {
    roles.POOL_WORKER: "thread pool",
    roles.CONTEXT_WORKER: "context workers",
    roles.REQUEST_THREAD: "request threads",
}


def text(recording: Recording) -> str:
    """Say who ran what where, one line a lane, then hops, errors and what was dropped.

    Args:
        recording: a recording; one that is still open is described as far as it got.

    Returns:
        Lines without times, idents and thread counts.
    """
    spans = list(recording.spans)
    place = places(recording)
    lines = []
    for name in sorted(set(place.values()), key=_rank):
        lines += _lane(name, [span for span in spans if place[span.lane] == name])
    lines += _hops(spans, place, _length(recording))
    lines += _errors(spans, place)
    if recording.unseen:
        lines.append(f"not seen: tasks of {', '.join(recording.unseen)}, which came up meanwhile")
    if recording.dropped:
        lines.append(f"dropped: {recording.dropped} events, past the limit of {recording.limit}")
    return "\n".join(lines) or "nothing was recorded"


def places(recording: Recording) -> dict[int, str]:
    """The name under which each lane (by index) is told: threads of one job share a name."""
    jobs = {lane.index: roles.without_number(lane.role) for lane in recording.lanes}
    count = Counter(jobs.values())
    return {
        index: POOLS.get(job) or (f"{job}s" if count[job] > 1 else job)
        for index, job in jobs.items()
    }


def _rank(name: str) -> tuple[int, str]:
    singular = name.removesuffix("s")
    return (ORDER.index(singular) if singular in ORDER else len(ORDER)), name


def _races(name: str) -> bool:
    return name in POOLS.values() or name.endswith("s")


def _lane(name: str, spans: list[Span]) -> list[str]:
    """The line of one lane, and below it the line of its queries."""
    calls = _grouped([span for span in spans if span.kind != QUERY], _races(name))
    queries = _grouped([span for span in spans if span.kind == QUERY], _races(name))
    told = _listed([_group(group, _races(name)) for group in calls], "; ")
    lines = [f"{name}: {told}" if told else f"{name}:"]
    if queries:
        number = sum(map(len, queries))
        what = _listed([_times(group[0].name, len(group)) for group in queries], ", ")
        lines.append(f"    {number} {_plural('query', number)}: {what}")
    return lines


def _grouped(spans: Iterable[Span], races: bool) -> list[list[Span]]:
    """Spans of one kind and name together, in the order in which the first of each began."""
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.kind, span.name), []).append(span)
    ordered = sorted(groups) if races else groups
    return [groups[key] for key in ordered]


def _group(group: list[Span], races: bool) -> str:
    kind, name = group[0].kind, group[0].name
    remarks = []
    if kind == TASK:
        remarks.append(_plural("task", len(group)))
    if len(group) > 1 and not races and kind in (TASK, SYNC, SPAN):
        remarks.append("interleaved" if _interleaved(group) else "one after another")
    if kind == WAIT:
        return f"waits in {_times(name, len(group))}"
    if kind == TASK:
        return f"{_times(name, len(group))} ({', '.join(remarks)})"
    return ", ".join([_times(name, len(group)), *remarks])


def _interleaved(group: list[Span]) -> bool:
    """Whether one of them began while an earlier one was open."""
    latest = 0
    for span in group:
        if span.start < latest:
            return True
        latest = max(latest, span.end if span.end is not None else span.start + 1)
    return False


def _length(recording: Recording) -> float:
    """Nanoseconds that the recording lasted; infinite while it is open."""
    return float("inf") if recording.ended is None else recording.ended - recording.began


def _hops(spans: list[Span], place: dict[int, str], length: float) -> list[str]:
    """How many calls left one lane to run on another, and how many were done there in time.

    When the answer is taken up is left to the picture: on a busy machine it may be after the end.
    """
    sent: Counter[tuple[str, str]] = Counter()
    back: Counter[tuple[str, str]] = Counter()
    for span in spans:
        if span.sent is not None and span.sent.lane != span.lane:
            way = place[span.sent.lane], place[span.lane]
            sent[way] += 1
            back[way] += span.end is not None and span.end < length
    told = []
    for way in sorted(sent, key=lambda way: (_rank(way[0]), _rank(way[1]))):
        origin, goal = way
        again = {sent[way]: " and back", 0: ""}.get(back[way], f", {back[way]} came back")
        told.append(f"{sent[way]} from the {origin} to the {goal}{again}")
    return [f"hops: {'; '.join(told)}"] if told else []


def _errors(spans: list[Span], place: dict[int, str]) -> list[str]:
    """Which exceptions ended what, where each rose first."""
    failed = [span for span in spans if span.error]
    if any(_races(place[span.lane]) for span in failed):
        failed.sort(key=lambda span: (span.error, span.kind == CELL, span.name))
    else:
        failed.sort(key=lambda span: (span.end, -span.index))
    groups: dict[str, Counter[str]] = {}
    for span in failed:
        groups.setdefault(span.error, Counter())[span.name] += 1
    told = [
        f"{error} in {_listed([_times(*each) for each in names.items()], ', then ')}"
        for error, names in groups.items()
    ]
    return [f"errors: {_listed(told, '; ')}"] if told else []


def _listed(told: list[str], between: str) -> str:
    """The first of them, and how many more there are."""
    more = len(told) - MOST_NAMES
    last = [f"and {more:,} more {_plural('name', more)}"] if more > 0 else []
    return between.join(told[:MOST_NAMES] + last)


def _times(name: str, count: int) -> str:
    return f"{name} x{count}" if count > 1 else name


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
