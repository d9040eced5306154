"""What another process sees of a transaction, and what two desks lock in theirs."""

import pytest

from asynclab.lessons.vocabulary.rivals import Rivals
from asynclab.lessons.vocabulary.transactions import committed, others_can_write
from tests.kit.exercises.answers import verdict_on
from tests.kit.recorder.conftest import library

__all__ = ["library"]


class Full(Exception):
    pass


def test_another_process_sees_what_is_committed(library):
    from django.db import transaction

    closed = library.Loan.objects.filter(pk__in=[9, 10], returned="2025-06-01")
    assert (committed(closed), others_can_write()) == (0, True)
    with transaction.atomic():
        library.Loan.objects.filter(pk__in=[9, 10]).update(returned="2025-06-01")
        assert (closed.count(), committed(closed), others_can_write()) == (2, 0, False)
        transaction.set_rollback(True)
    assert (committed(closed), others_can_write()) == (0, True)
    library.Loan.objects.filter(pk=9).update(returned="2025-06-01")
    assert committed(closed) == 1
    library.Loan.objects.filter(pk=9).update(returned=None)


DESK = """
import asyncio
from datetime import date
from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import F
from library.models import Book, Loan, Member

DAY = date(2025, 5, 27)
def count(): return Loan.objects.filter(member=7, returned=None).count()
def lock(pk=7): return Member.objects.filter(pk=pk).update(name=F("name"))
def out(): return Loan.objects.filter(member=7, returned=None).update(due=F("due"))
def lend(book): Loan.objects.create(member_id=7, book_id=book, borrowed=DAY, due=DAY)
"""


@pytest.mark.parametrize(
    ("steps", "unlocked", "locks"),
    [
        ("lock(); count(); lend(book)", 0, [{7}, {7}]),
        ("lock(); lend(book); count()", 0, [{7}, {7}]),
        ("lock(3); count(); lend(book)", 0, [{3}, {3}]),
        ("lock(0); count(); lend(book)", 0, [set(), set()]),
        ("lend(book); count()", 0, [set(), set()]),
        ("out(); lend(book)", 0, [set(), set()]),
        ("lock(); out(); lend(book); lend(book + 2)", 0, [{7}, {7}]),
        ("out(); lock(); lend(book)", 0, [set(), set()]),
        ("out(); lock(); count(); lend(book)", 0, [{7}, {7}]),
    ],
)
def test_what_a_desk_has_locked_when_it_counts(library, steps, unlocked, locks):
    seen = []

    async def look(given):
        desks = Rivals(Full, counted="library_loan", shared="library_member")
        await given.call("answer", (1,), (2,), driver=desks.serve)
        seen.append((desks.unlocked, desks.locks))

    source = f"@sync_to_async\n@transaction.atomic\ndef answer(book): {steps}"
    verdict = verdict_on(source, look, before=DESK, seconds=10)
    assert verdict.passed, verdict
    assert seen == [(unlocked, locks)]
