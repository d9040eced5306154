"""What belongs into one transaction, and which queries run outside of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connections

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
    """Note the statements on the library's tables that run outside of a transaction.

    One that was begun with `set_autocommit(False)` is a transaction, too.
    """
    bare = []

    def note(cursor, sql):
        db = cursor.db
        # With autocommit off, whoever switched it off commits, or rolls back.
        inside = db.in_atomic_block or not db.autocommit
        if "library_" in sql and not inside and not is_beside():
            bare.append(sql)

    with before_queries(note):
        yield bare


def others_can_write() -> bool:
    """Whether another process could begin to write into the library at this moment: into SQLite."""
    with closing(as_another_process()) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True


def committed(rows) -> int:
    """How many of the rows of a queryset another process sees at this moment.

    What a transaction that is still open has written is not among them.
    """
    sql, values = rows.order_by().values("pk").query.sql_with_params()
    with closing(as_another_process()) as other:
        if isinstance(other, sqlite3.Connection):
            sql = sql.replace("%s", "?")
        return len(other.execute(sql, values).fetchall())


def as_another_process(timeout: float = 0):
    """A connection to the library that belongs to no thread of Django's, as the driver makes it.

    Args:
        timeout: how many seconds it waits for a lock in SQLite.
    """
    django = connections["default"]
    where = django.settings_dict
    if django.vendor == "sqlite":
        return sqlite3.connect(where["NAME"], timeout=timeout)
    return django.Database.connect(
        host=where["HOST"], port=where["PORT"], user=where["USER"], dbname=where["NAME"]
    )
