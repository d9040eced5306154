"""The library's data, as checks need it. Each check has a copy of its own: nothing is to be undone.

Django is set up before a check runs, but not yet when its module is loaded.
"""

from datetime import date, timedelta

DAY = date(2025, 5, 27)
"""A day on which two open loans are due, and three are overdue."""


def open_loans():
    """The loans whose books are out, the one that is due first at the top."""
    from library.models import Loan

    return Loan.objects.filter(returned=None).order_by("due", "pk")


def free_books():
    """The books that are on the shelf."""
    from library.models import Book

    return Book.objects.exclude(pk__in=open_loans().values("book")).order_by("pk")


async def open_loan_lines() -> list[str]:
    """ "title: name" for each open loan."""
    joined = open_loans().select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in joined]


async def lend_out_of_order() -> None:
    """Lend two more books, so that the loans' order is neither that of their keys nor of books."""
    from library.models import Loan

    latest = await open_loans().alast()
    rows = {"member_id": latest.member_id, "borrowed": DAY}
    await Loan.objects.acreate(book=await free_books().afirst(), due=latest.due, **rows)
    early = DAY - timedelta(days=90)
    await Loan.objects.acreate(book=await free_books().alast(), due=early, **rows)
