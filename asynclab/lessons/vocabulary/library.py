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


async def every_row() -> dict[str, set[tuple]]:
    """All that the library's tables hold, by the model's name."""
    from django.apps import apps

    return {
        model.__name__: {row async for row in model.objects.values_list()}
        for model in apps.get_app_config("library").get_models()
    }


async def open_loan_lines() -> list[str]:
    """ "title: name" for each open loan."""
    joined = open_loans().select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in joined]


async def lend_out_of_order() -> None:
    """Lend two more books, so that only the due day and then the key give the loans' order.

    Two are due on the same day, and the one with the later key was borrowed earlier, by a member,
    and is of a book, that comes before the other one's.
    """
    from library.models import Loan, Member

    latest, member = await open_loans().alast(), await Member.objects.afirst()
    rows = {"due": latest.due, "borrowed": latest.borrowed - timedelta(days=10)}
    await Loan.objects.acreate(book=await free_books().afirst(), member=member, **rows)
    rows = {"due": DAY - timedelta(days=90), "borrowed": DAY, "member_id": latest.member_id}
    await Loan.objects.acreate(book=await free_books().alast(), **rows)


async def lend_two_copies() -> None:
    """Lend one member two new copies of a book, whose title holds what text may trip over.

    They are due long after every other book.
    """
    from library.models import Author, Book, Loan, Member

    author, member = await Author.objects.afirst(), await Member.objects.afirst()
    rows = {"member": member, "borrowed": DAY, "due": DAY + timedelta(days=8000)}
    for _ in range(2):
        copy = await Book.objects.acreate(
            title="Letters to & from <Bath>: 868", author=author, year=868
        )
        await Loan.objects.acreate(book=copy, **rows)


async def lend_many(number: int = 120) -> list[str]:
    """Lend one member so many new books: more than a page shows, or a fetch brings, by default.

    They are due on the same day, long after every other book.

    Returns:
        their titles.
    """
    from library.models import Author, Book, Loan, Member

    author = await Author.objects.acreate(name="Many Hands")
    titles = [f"Folio {volume}" for volume in range(number)]
    await Book.objects.abulk_create(Book(title=each, author=author, year=1623) for each in titles)
    rows = {"member": await Member.objects.afirst(), "borrowed": DAY}
    rows["due"] = DAY + timedelta(days=9000)
    books = [book async for book in author.books.order_by("pk")]
    await Loan.objects.abulk_create(Loan(book=book, **rows) for book in books)
    return titles


async def lend_oddly() -> None:
    """Lend books so that no day of a loan follows from another one.

    One was due on the eve of `DAY`, and was borrowed later than others that are due later. One came
    back after `DAY`, and was due before it.
    """
    from library.models import Loan, Member

    member, eve = await Member.objects.afirst(), DAY - timedelta(days=1)
    first, second = [book async for book in free_books()[:2]]
    await Loan.objects.acreate(book=first, member=member, borrowed=eve, due=eve)
    late = {"due": eve, "returned": DAY + timedelta(days=3)}
    await Loan.objects.acreate(book=second, member=member, borrowed=eve, **late)


async def no_books() -> None:
    """Take every book, and with it every loan, out of the library."""
    from library.models import Book

    await Book.objects.all().adelete()
