"""What an answer does with Django's cursors."""

import pytest

from asynclab.lessons.vocabulary.cursors import CursorWatch
from tests.kit.exercises.answers import verdict_on
from tests.kit.recorder.conftest import library

__all__ = ["library"]

TOOLS = """
from asgiref.sync import sync_to_async
from django.db import connection, connections
SQL = "SELECT 1"
def open_cursor():
    cursor = connection.cursor()
    cursor.execute(SQL)
    return cursor
def whole():
    return open_cursor().fetchall()
def lazy():
    return (row for row in open_cursor())
def over(database):
    return database.cursor().execute(SQL).fetchall()
"""

ANSWERS = {
    "one function": ("await sync_to_async(whole)()", (False, False)),
    "a list": ("list(await sync_to_async(lambda: list(lazy()))())", (False, False)),
    "fetched on the loop": ("(await sync_to_async(open_cursor)()).fetchall()", (False, True)),
    "an iterator": ("list(await sync_to_async(lazy)())", (False, True)),
    "a connection that is shared": (
        "database = connections['default']\n database.inc_thread_sharing()\n"
        " await sync_to_async(over)(database)\n database.dec_thread_sharing()",
        (True, False),
    ),
}


@pytest.mark.parametrize(("body", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_cursors_belong_to_one_thread_and_its_connection(library, body, expected):
    seen = []

    async def check(given):
        with CursorWatch(given) as watch:
            await given.call("answer")
        seen.append((watch.borrowed, watch.carried))
        assert watch.asked("SELECT\n  1")
        assert not watch.asked("SELECT 2")

    verdict = verdict_on(f"async def answer():\n {body}", check, before=TOOLS, seconds=5)
    assert verdict.passed, verdict
    assert seen == [expected]


HELD = {
    "kept": ("open_cursor()", 1),
    "kept and closed": ("open_cursor()\n kept.close()", 0),
    "out of its block": ("connection.cursor()\n with kept: kept.execute(SQL)", 0),
    "gone with its function": ("open_cursor().fetchall()", 0),
}


@pytest.mark.parametrize(("body", "expected"), HELD.values(), ids=HELD)
def test_a_cursor_that_is_held_has_to_be_closed(library, body, expected):
    left = []

    async def check(given):
        with CursorWatch(given) as watch:
            await given.call("answer", where="thread")
        left.append(watch.left_open)

    answer = f"def answer():\n global kept\n kept = {body}"
    assert verdict_on(answer, check, before=TOOLS, seconds=5).passed
    assert left == [expected]
