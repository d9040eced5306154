"""What belongs into one transaction, and which queries run outside of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...exercises.book import NotYet
from ...exercises.lineage import is_beside
from ...recorder.hooks import before_queries

ASYNC_WITH = {
    (Exception, "asynchronous context manager"): NotYet(
        "async-with",
        "`atomic()` has no async form: Django's transactions are sync only. "
        "Where could the whole block run as sync code?",
    )
}


@contextmanager
def noting_bare_queries() -> Iterator[list[str]]:
    """Note the statements on the library's tables that run outside of a transaction."""
    bare = []

    def note(cursor, sql):
        if "library_" in sql and not cursor.db.in_atomic_block and not is_beside():
            bare.append(sql)

    with before_queries(note):
        yield bare
