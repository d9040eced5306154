"""What belongs into one transaction, and which queries run outside of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ...exercises.book import NotYet

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
    from django.db.backends.utils import CursorWrapper

    bare = []
    execute = CursorWrapper._execute_with_wrappers

    def note_and_execute(cursor, sql, params, many, executor):
        if "library_" in str(sql) and not cursor.db.in_atomic_block:
            bare.append(str(sql))
        return execute(cursor, sql, params, many, executor)

    with mock.patch.object(CursorWrapper, "_execute_with_wrappers", note_and_execute):
        yield bare
