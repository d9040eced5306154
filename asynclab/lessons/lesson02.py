"""The checks of lesson 02: SynchronousOnlyOperation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotYet, Raised, exercise
from .vocabulary.failing import require_told_of_database
from .vocabulary.recorded import crossings, in_pool, queries, query_in_pool, require_this_loop
from .vocabulary.transactions import noting_bare_queries

DAY = date(2025, 5, 27)
"""A day on which two open loans are due, and three are overdue."""


@exercise(
    "2.1",
    title="count what is overdue",
    names=("count_overdue",),
    why=(
        "The database counts, and only the number comes back. `acount()` can be awaited, so the "
        "loop is free meanwhile."
    ),
    hints=(
        "Which loans are overdue on a day? Two things must be true of them.",
        "The database can count. What is the async twin of `count()`?",
        "Does it end with `.filter(returned=None, due__lt=day).acount()`, and is it awaited?",
    ),
)
async def count_overdue(given):
    from library.models import Loan

    try:
        result = await given.call("count_overdue", DAY)
    except Raised as stop:
        if not isinstance(stop.error, SynchronousOnlyOperation):
            raise
        raise NotYet(
            "sync-query",
            "A sync query ran under a running loop. `async def` around it changes nothing: "
            "the guard asks about the thread. Which method of the queryset can be awaited?",
        ) from None
    if not queries(given):
        raise NotYet(
            "no-query",
            "The number came without a query, so it will be wrong after the next loan. "
            "Who knows how many loans are overdue?",
        )
    due = Loan.objects.filter(due__lt=DAY)
    right = await due.filter(returned=None).acount()
    if result == right:
        if not any("COUNT(" in span.detail for span in queries(given)):
            raise NotYet(
                "fetches-rows",
                "The number is right, but every loan travelled to Python to be counted here. "
                "A library has a million of them. Who could count instead?",
            )
        if in_pool(given):
            raise query_in_pool()
        require_this_loop(given)
        await require_told_of_database(given, "count_overdue", DAY)
        return "One query, one hop, one number."
    if result == await due.acount():
        raise NotYet(
            "counts-returned",
            "Loans that came back are counted too. What is in `returned` while a book is out?",
        )
    if result == await Loan.objects.filter(due__lte=DAY, returned=None).acount():
        raise NotYet(
            "counts-due-today",
            "A loan that is due on the day itself is not overdue yet. Which comparison says so?",
        )
    raise NotYet("other-number", f"On {DAY} it returned {result!r}, and {right} are overdue.")


@exercise(
    "2.2",
    title="who has which book",
    names=("loan_lines",),
    why=(
        "`select_related` joins both tables in the one query, so `loan.book` and `loan.member` "
        "have nothing left to ask."
    ),
    hints=(
        "How many queries does your code need? Which of them hides behind a dot?",
        "`loan.book` and `loan.member` are lazy foreign keys. Which method of the queryset lets "
        "the same query bring both?",
        'Is it `async for loan in Loan.objects.filter(...).select_related("book", "member")`?',
    ),
)
async def loan_lines(given):
    await _lend_out_of_order()
    try:
        result = await given.call("loan_lines")
    except Raised as stop:
        if stop.awaited_queryset:
            raise awaited_queryset() from None
        if not isinstance(stop.error, SynchronousOnlyOperation):
            raise
        if stop.behind_a_dot:
            raise NotYet(
                "lazy-key",
                "The loans came, and then an attribute asked for more: `loan.book` or "
                "`loan.member` is a query behind a dot. How can the first query bring them along?",
            ) from None
        raise NotYet(
            "loops-on-the-loop",
            "The guard stopped a query: your code walks through a queryset with a plain `for`, on "
            "the loop's thread. Which word makes that loop async?",
        ) from None
    number = len(queries(given))
    if number == 0:
        raise NotYet(
            "no-query",
            "The lines came without a query, so they will be wrong after the next loan. "
            "Who knows which books are out?",
        )
    if result != await _expected_lines():
        raise NotYet(
            "other-lines",
            f"It returned {result!r}. Compare with the example: open loans only, a list, "
            "ordered by the day they are due.",
        )
    if 1 < number <= 3:
        raise NotYet(
            "query-per-table",
            f"The lines are right, and took {number} queries, one for each table; Python puts them "
            "together. That is what `prefetch_related` does. A loan has one book and one "
            "member. Which method lets the database join them?",
        )
    if number > 1:
        raise NotYet(
            "query-per-loan",
            f"The lines are right, and took {number} queries: the lazy foreign keys still ask, "
            "one by one, where no guard stops them. How can one query bring everything?",
        )
    if in_pool(given):
        raise query_in_pool()
    await require_told_of_database(given, "loan_lines")
    return "One query with two joins, however many loans there are."


@exercise(
    "2.3",
    title="hand a book over",
    names=("hand_over",),
    why=(
        "The read and both writes are one sync function in one transaction, and the worker runs "
        "it as a whole. Two requests have two workers: there the model's constraint, or SQLite's "
        "lock, refuses the second loan."
    ),
    hints=(
        "What is left in the database if the second step fails?",
        "`atomic()` needs a thread without a loop, and both steps inside it. Which fix of the "
        "lesson sends several queries over in one piece?",
        "Can you write both steps as one sync function with `with transaction.atomic():`, and "
        "await `sync_to_async(that_function)()`?",
    ),
)
async def hand_over(given):
    from library.models import Loan, Member

    loan = await Loan.objects.filter(returned=None).afirst()
    receiver = await Member.objects.exclude(pk=loan.member_id).afirst()
    nobody = 1 + (await Member.objects.alast()).pk + await Member.objects.acount()
    known = {pk async for pk in Loan.objects.values_list("pk", flat=True)}
    try:
        with noting_bare_queries() as bare:
            await _hand_over(given, loan, receiver.pk)
        await _require_handed_over(loan, receiver)
        await _undo(loan, known)
        await _require_all_or_nothing(given, loan, nobody)
        await _undo(loan, known)
        await _require_one_piece(given, loan, receiver, bare)
    finally:
        await _undo(loan, known)
    return (
        "Two writes in one transaction and one hop. On this worker no other call runs in between, "
        "and whoever reads finds both writes or neither."
    )


async def _hand_over(given, loan, member_pk: int) -> None:
    try:
        await given.call("hand_over", loan.pk, member_pk, DAY)
    except Raised as stop:
        if "asynchronous context manager" in str(stop.error):
            raise NotYet(
                "async-with",
                "`atomic()` has no async form: Django's transactions are sync only. "
                "Where could the whole block run as sync code?",
            ) from None
        if "UNIQUE" in str(stop.error):
            raise NotYet(
                "wrong-order",
                "The database allows one open loan a book, and you opened the new one while the "
                "old one was open. Which step comes first?",
            ) from None
        if not isinstance(stop.error, SynchronousOnlyOperation):
            raise
        if stop.behind_a_dot:
            raise NotYet(
                "lazy-key",
                "The loan came, and then `loan.book` was asked for on the loop's thread: it is a "
                "query behind a dot, and the guard stopped it. Which attribute of the loan holds "
                "the book's key already? And what belongs inside one transaction here?",
            ) from None
        raise NotYet(
            "atomic-on-the-loop",
            "The guard fired: `atomic()` or a sync query ran on the loop's thread. Wrapping only "
            "one of the steps does not help. Which function should go over as a whole?",
        ) from None


async def _require_handed_over(loan, receiver) -> None:
    from library.models import Loan

    old = await Loan.objects.aget(pk=loan.pk)
    new = await Loan.objects.filter(book=loan.book_id, returned=None).afirst()
    wanted = (DAY, receiver.pk, DAY, DAY + timedelta(days=21))
    got = (old.returned, new and new.member_id, new and new.borrowed, new and new.due)
    if got != wanted:
        raise NotYet(
            "not-handed-over",
            "Afterwards the old loan must be returned on the day, and the new member must have an "
            "open one, borrowed that day and due 21 days later. Which of these is missing?",
        )


async def _require_all_or_nothing(given, loan, nobody: int) -> None:
    """Hand the book to a member who does not exist."""
    from library.models import Loan

    try:
        await given.call("hand_over", loan.pk, nobody, DAY)
        told = False
    except Raised:
        told = True
    old = await Loan.objects.aget(pk=loan.pk)
    if old.returned is not None:
        raise NotYet(
            "half-done",
            "Handed to a member who does not exist, the book left its old reader and reached no "
            "new one. What makes two writes one: both, or neither?",
        )
    if not told:
        raise NotYet(
            "swallowed",
            "Handed to a member who does not exist, it ended as if all were well. "
            "Who should learn that nothing was written?",
        )


async def _require_one_piece(given, loan, receiver, bare: list[str]) -> None:
    await _hand_over(given, loan, receiver.pk)
    if in_pool(given):
        raise query_in_pool()
    if len(crossings(given)) > 1:
        raise NotYet(
            "two-crossings",
            f"Both writes are there, in {len(crossings(given))} crossings. Between two of them "
            "another call may return the book, or hand it over. Which function should go over as "
            "a whole?",
        )
    if bare:
        raise NotYet(
            "reads-outside",
            "The loan was read before the transaction began. What you write back may be older "
            "than what is there by then. What belongs inside `atomic()` beside the two writes?",
        )


async def _undo(loan, known: set[int]) -> None:
    from library.models import Loan

    await Loan.objects.exclude(pk__in=known).adelete()
    await loan.asave()


@exercise(
    "2.4",
    title="greet the reader",
    names=("greet",),
    why=(
        "`request.auser()` loads the session and the user with queries that can be awaited, and "
        "`is_authenticated` tells a user from a guest."
    ),
    hints=(
        "What does `request.user` hold before anyone has looked at it?",
        "The middleware puts an awaitable twin beside it. Its name begins with `a`.",
        "After `user = await request.auser()`: which attribute tells a guest from a member?",
    ),
)
async def greet(given):
    source = given.source("greet") or ""
    async with _request("amara") as request:
        try:
            response = await given.call("greet", request)
        except Raised as stop:
            raise _user_trouble(stop, source) from None
    _require_text(response, "Good evening, amara.")
    async with _request(None) as request:
        response = await given.call("greet", request)
    require_this_loop(given)
    if _text(response) != "Good evening, guest.":
        raise NotYet(
            "forgot-the-guest",
            f"A visitor who is not logged in reads {_text(response)!r}. An `AnonymousUser` has an "
            "empty name. How do you find out that it is one?",
        )
    async with _request("amara") as request:
        await require_told_of_database(given, "greet", request)


def _user_trouble(stop: Raised, source: str) -> NotYet:
    if isinstance(stop.error, SynchronousOnlyOperation):
        if "sync_to_async" in source:
            return NotYet(
                "wrapped-lazy",
                "What came back from the worker was still lazy, as a queryset would be, and it was "
                "opened here, on the loop. Which code makes the query, and where does it run?",
            )
        return NotYet(
            "lazy-user",
            "`request.user` is lazy: its first attribute loads the session and the user, with "
            "sync queries. What stands beside it for async code?",
        )
    if isinstance(stop.error, TypeError) and "await" in str(stop.error):
        return NotYet(
            "awaited-user",
            "`request.user` is an object and cannot be awaited. Something beside it is a function "
            "that can be called and awaited. What is it called?",
        )
    if isinstance(stop.error, AttributeError) and "coroutine" in str(stop.error):
        return NotYet(
            "coroutine-user",
            "`request.auser()` gives a coroutine; a coroutine has no user name. "
            "Where is the `await` missing?",
        )
    return stop


@exercise(
    "2.5",
    title="repair the dashboard",
    names=("dashboard",),
    why=(
        "The user and the rows are fetched before the template begins, so no line of it asks "
        "the database."
    ),
    hints=(
        "Mark every place in `dashboard_before` that reaches the database. Are there four?",
        "`len`, an index and the template all need the same rows. What if they were in a list "
        "before all that, with their books and members?",
        "User: `await request.auser()`. Rows: a list by `async for` over the queryset with "
        "`select_related`. Does anything after these two lines still ask the database?",
    ),
)
async def dashboard(given):
    await _lend_out_of_order()
    async with _request("amara") as request:
        try:
            response = await given.call("dashboard", request)
        except Raised as stop:
            raise _dashboard_trouble(stop) from None
    number = len(queries(given))
    if number == 0:
        raise NotYet(
            "no-query",
            "The page came without a query, so it will be wrong after the next loan. "
            "Who knows which books are out?",
        )
    lines = await _expected_lines()
    first = lines[0].partition(":")[0]
    _require_text(
        response, f"Dear amara, {len(lines)} books are out, {first} longest. {'. '.join(lines)}."
    )
    if number > 1:
        raise NotYet(
            "many-queries",
            f"It works, with {number} queries on the library's tables. One brings everything. "
            "Which rows do you fetch twice, one by one, or table by table?",
        )
    if in_pool(given):
        raise query_in_pool()
    require_this_loop(given)
    async with _request("amara") as request:
        await require_told_of_database(given, "dashboard", request)
    return "Everything was fetched before the template began. Nothing in it can ask any more."


def _dashboard_trouble(stop: Raised) -> NotYet:
    if stop.awaited_queryset:
        return awaited_queryset()
    if not isinstance(stop.error, SynchronousOnlyOperation):
        return stop
    if stop.in_lazy_user:
        return NotYet(
            "lazy-user",
            "`request.user` is still there. In the template, `user.username` opens it, with "
            "sync queries. What can be awaited instead?",
        )
    if stop.behind_a_dot:
        return NotYet(
            "lazy-key",
            "The loans are fetched; then `loan.book` or `loan.member` asks again. In a template "
            "you see only dots. How does the one query bring both along?",
        )
    if "render(" in stop.text:
        return NotYet(
            "lazy-context",
            "The template was given a queryset, and its loop ran the query, on the loop's thread. "
            "What should be in the context instead?",
        )
    return NotYet(
        "hidden-query",
        f"{stop.text}. That line holds a query without a method's name: `len`, an index, a `for`. "
        "What if the rows were a plain list by then?",
    )


def awaited_queryset() -> NotYet:
    """Say that a queryset is nothing to wait for."""
    return NotYet(
        "awaited-queryset",
        "You awaited a queryset. It is a question that nobody has asked yet, so there is nothing "
        "to wait for. What asks it, row by row, without blocking the loop?",
    )


async def _expected_lines() -> list[str]:
    from library.models import Loan

    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in joined]


async def _lend_out_of_order() -> None:
    """Lend two more books, so that the loans' order is neither that of their keys nor of books."""
    from library.models import Book, Loan

    out = Loan.objects.filter(returned=None)
    latest = await out.order_by("due", "pk").alast()
    free = Book.objects.exclude(pk__in=out.values("book")).order_by("pk")
    book = await free.afirst()
    rows = {"member_id": latest.member_id, "borrowed": DAY}
    await Loan.objects.acreate(book=book, due=latest.due, **rows)
    await Loan.objects.acreate(book=await free.alast(), due=DAY - timedelta(days=90), **rows)


def _text(response: object) -> str:
    return getattr(response, "content", b"").decode()


def _require_text(response: object, wanted: str) -> None:
    if _text(response) != wanted:
        raise NotYet(
            "other-text",
            f"It answered {_text(response) or response!r}, and not {wanted!r}.",
        )


@asynccontextmanager
async def _request(username: str | None) -> AsyncIterator[object]:
    """A request as AuthenticationMiddleware hands it on: of that user, or of a guest."""
    from django.conf import settings
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import AsyncClient, AsyncRequestFactory

    client, user, created = AsyncClient(), None, False
    if username is not None:
        user, created = await User.objects.aget_or_create(username=username)
        await client.aforce_login(user)
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    request = AsyncRequestFactory().get("/")
    request.session = SessionStore(cookie.value if cookie else None)
    AuthenticationMiddleware(lambda request: None).process_request(request)
    try:
        yield request
    finally:
        await SessionStore(cookie.value).adelete() if cookie else None
        if created:
            await user.adelete()
