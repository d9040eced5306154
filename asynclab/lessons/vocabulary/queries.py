"""What a call asked of the library's database: queries, and the crossings that held them."""

from ...exercises.book import NotYet
from ...exercises.given import Call
from ...recorder.events import QUERY, SYNC, Span
from ...recorder.roles import POOL_WORKER, THREAD_SENSITIVE_WORKER, without_number

AWAITED_QUERYSET = {
    # Python 3.14 words it anew.
    (TypeError, "QuerySet", "await"): NotYet(
        "awaited-queryset",
        "You awaited a queryset. It is a question that nobody has asked yet, so there is nothing "
        "to wait for. What asks it, row by row, without blocking the loop?",
    )
}

_WRITES = "INSERT", "UPDATE", "DELETE", "REPLACE", "DROP", "ALTER"


LIBRARY = "library_"
"""What the names of the library's own tables begin with."""


def queries(call: Call, tables: str = LIBRARY) -> list[Span]:
    """The queries on some tables, in their order.

    Args:
        tables: a part of their names; by default they are the library's own. "" are all.
    """
    spans = call.recording.spans
    return [span for span in spans if span.kind == QUERY and tables in span.name]


def crossings(call: Call) -> list[Span]:
    """The calls on another thread that held queries on the library's tables, in their order."""
    asked = queries(call)
    return [
        span
        for span in call.recording.spans
        if span.kind == SYNC
        and span.sent is not None
        and any(query.lane == span.lane and _within(query, span) for query in asked)
    ]


def in_pool(call: Call, tables: str = LIBRARY) -> bool:
    """Whether one of those queries ran in the default executor."""
    pool = {span.index for span in call.recording.on(POOL_WORKER)}
    return any(query.index in pool for query in queries(call, tables))


def require_query(call: Call, what: str, who_knows: str, after: str = "loan") -> None:
    """Require that the result comes from the database.

    Args:
        what: the result, such as "number".
        who_knows: what only the database knows.
        after: what makes a stored result wrong when the next one comes.

    Raises:
        NotYet: "no-query".
    """
    if not queries(call):
        they = "they" if what.endswith("s") else "it"
        raise NotYet(
            "no-query",
            f"The {what} came without a query, so {they} will be wrong after the next {after}. "
            f"Who knows {who_knows}?",
        )


def require_one_query(call: Call, what: str) -> None:
    """Require that the result comes from a single query.

    Args:
        what: the result, such as "number".

    Raises:
        NotYet: "many-queries".
    """
    number = len(queries(call))
    if number > 1:
        raise NotYet(
            "many-queries",
            f"The {what} is put together from {number} queries. Between two of them somebody may "
            "write, and then they do not belong together. How can one query say it?",
        )


def require_only_reads(call: Call) -> None:
    """Require that a call has left the library's tables as they were.

    Raises:
        NotYet: "writes".
    """
    for query in queries(call):
        if query.detail.lstrip().upper().startswith(_WRITES):
            raise NotYet(
                "writes",
                f"It was only asked, and it wrote: {query.name}. A question leaves the data as it "
                "is. Which of your calls changes something?",
            )


def require_off_the_pool(call: Call, tables: str = LIBRARY) -> None:
    """Require that no query ran where nobody closes its connection.

    Args:
        tables: as for `queries`.

    Raises:
        NotYet: "query-in-pool".
    """
    if in_pool(call, tables):
        raise NotYet(
            "query-in-pool",
            "A query ran on a thread of the pool. Its connection stays open there, and no "
            "request's end will close it. Which thread do queries belong on?",
        )


def require_on_the_worker(call: Call, worker: str = THREAD_SENSITIVE_WORKER) -> None:
    """Require that every query ran on the worker that thread-sensitive calls go to.

    Args:
        worker: its job: in a request it is another one.

    Raises:
        NotYet: "query-in-pool"; "query-elsewhere" for one on any other thread.
    """
    require_off_the_pool(call)
    lanes = call.recording.lanes
    roles = {without_number(lanes[query.lane].role) for query in queries(call)}
    elsewhere = sorted(roles - {worker})
    if elsewhere:
        raise NotYet(
            "query-elsewhere",
            f"A query ran on this thread: {elsewhere[0]}. It has a connection of its own there, "
            "and nobody closes it. What sends a query to the thread-sensitive worker?",
        )


def hops(call: Call) -> list[Span]:
    """The calls that were sent to another thread, with or without a query, in their order."""
    spans = call.recording.spans
    return [span for span in spans if span.kind == SYNC and span.sent is not None]


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and (outer.end is None or inner.start <= outer.end)
