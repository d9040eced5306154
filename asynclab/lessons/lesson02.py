"""The checks of lesson 02: SynchronousOnlyOperation."""

from datetime import timedelta

from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotYet, exercise
from .vocabulary.causes import behind_a_dot, in_lazy_user, on_line_with, written
from .vocabulary.failing import require_told_of_database
from .vocabulary.library import DAY, lend_out_of_order, open_loan_lines, open_loans
from .vocabulary.queries import (
    AWAITED_QUERYSET,
    crossings,
    queries,
    require_off_the_pool,
    require_query,
)
from .vocabulary.requests import request_of, text_of
from .vocabulary.threads import require_this_loop, require_usual_threads
from .vocabulary.transactions import ASYNC_WITH, noting_bare_queries


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
    errors={
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran under a running loop. `async def` around it changes nothing: "
            "the guard asks about the thread. Which method of the queryset can be awaited?",
        ),
    },
)
async def count_overdue(given):
    from library.models import Loan

    call = await given.call("count_overdue", DAY)
    require_query(call, "number", "how many loans are overdue")
    due = Loan.objects.filter(due__lt=DAY)
    right = await due.filter(returned=None).acount()
    if call.value == right:
        if not any("COUNT(" in query.detail for query in queries(call)):
            raise NotYet(
                "fetches-rows",
                "The number is right, but every loan travelled to Python to be counted here. "
                "A library has a million of them. Who could count instead?",
            )
        require_usual_threads(call)
        await require_told_of_database(given, "count_overdue", DAY)
        return "One query, one hop, one number."
    if call.value == await due.acount():
        raise NotYet(
            "counts-returned",
            "Loans that came back are counted too. What is in `returned` while a book is out?",
        )
    if call.value == await open_loans().filter(due__lte=DAY).acount():
        raise NotYet(
            "counts-due-today",
            "A loan that is due on the day itself is not overdue yet. Which comparison says so?",
        )
    raise NotYet("other-number", f"On {DAY} it returned {call.value!r}, and {right} are overdue.")


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
    errors={
        **AWAITED_QUERYSET,
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The loans came, and then an attribute asked for more: `loan.book` or "
            "`loan.member` is a query behind a dot. How can the first query bring them along?",
        ),
        SynchronousOnlyOperation: NotYet(
            "loops-on-the-loop",
            "The guard stopped a query: your code walks through a queryset with a plain `for`, on "
            "the loop's thread. Which word makes that loop async?",
        ),
    },
)
async def loan_lines(given):
    await lend_out_of_order()
    call = await given.call("loan_lines")
    require_query(call, "lines", "which books are out")
    if call.value != await open_loan_lines():
        raise NotYet(
            "other-lines",
            f"It returned {call.value!r}. Compare with the example: open loans only, a list, "
            "ordered by the day they are due.",
        )
    number = len(queries(call))
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
    require_off_the_pool(call)
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
    errors={
        **ASYNC_WITH,
        (Exception, "UNIQUE"): NotYet(
            "wrong-order",
            "The database allows one open loan a book, and you opened the new one while the "
            "old one was open. Which step comes first?",
        ),
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The loan came, and then `loan.book` was asked for on the loop's thread: it is a "
            "query behind a dot, and the guard stopped it. Which attribute of the loan holds "
            "the book's key already? And what belongs inside one transaction here?",
        ),
        SynchronousOnlyOperation: NotYet(
            "atomic-on-the-loop",
            "The guard fired: `atomic()` or a sync query ran on the loop's thread. Wrapping only "
            "one of the steps does not help. Which function should go over as a whole?",
        ),
    },
)
async def hand_over(given):
    from library.models import Member

    loan, other, *_ = [loan async for loan in open_loans()]
    receiver = await Member.objects.exclude(pk=loan.member_id).afirst()
    with noting_bare_queries() as bare:
        call = await given.call("hand_over", loan.pk, receiver.pk, DAY)
    await _require_handed_over(loan, receiver)
    await _require_all_or_nothing(given, other)
    require_off_the_pool(call)
    if len(crossings(call)) > 1:
        raise NotYet(
            "two-crossings",
            f"Both writes are there, in {len(crossings(call))} crossings. Between two of them "
            "another call may return the book, or hand it over. Which function should go over as "
            "a whole?",
        )
    if bare:
        raise NotYet(
            "reads-outside",
            "The loan was read before the transaction began. What you write back may be older "
            "than what is there by then. What belongs inside `atomic()` beside the two writes?",
        )
    return (
        "Two writes in one transaction and one hop. On this worker no other call runs in between, "
        "and whoever reads finds both writes or neither."
    )


async def _require_handed_over(loan, receiver) -> None:
    new = await open_loans().filter(book=loan.book_id).afirst()
    await loan.arefresh_from_db()
    wanted = (DAY, receiver.pk, DAY, DAY + timedelta(days=21))
    got = (loan.returned, new and new.member_id, new and new.borrowed, new and new.due)
    if got != wanted:
        raise NotYet(
            "not-handed-over",
            "Afterwards the old loan must be returned on the day, and the new member must have an "
            "open one, borrowed that day and due 21 days later. Which of these is missing?",
        )


async def _require_all_or_nothing(given, loan) -> None:
    """Hand the book to a member who does not exist."""
    from library.models import Member

    nobody = 1 + (await Member.objects.alast()).pk + await Member.objects.acount()
    call = await given.call("hand_over", loan.pk, nobody, DAY, expect=Exception)
    await loan.arefresh_from_db()
    if loan.returned is not None:
        raise NotYet(
            "half-done",
            "Handed to a member who does not exist, the book left its old reader and reached no "
            "new one. What makes two writes one: both, or neither?",
        )
    if call.error is None:
        raise NotYet(
            "swallowed",
            "Handed to a member who does not exist, it ended as if all were well. "
            "Who should learn that nothing was written?",
        )


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
    errors={
        (SynchronousOnlyOperation, written("sync_to_async")): NotYet(
            "wrapped-lazy",
            "What came back from the worker was still lazy, as a queryset would be, and it was "
            "opened here, on the loop. Which code makes the query, and where does it run?",
        ),
        SynchronousOnlyOperation: NotYet(
            "lazy-user",
            "`request.user` is lazy: its first attribute loads the session and the user, with "
            "sync queries. What stands beside it for async code?",
        ),
        (TypeError, "await"): NotYet(
            "awaited-user",
            "`request.user` is an object and cannot be awaited. Something beside it is a function "
            "that can be called and awaited. What is it called?",
        ),
        (AttributeError, "coroutine"): NotYet(
            "coroutine-user",
            "`request.auser()` gives a coroutine; a coroutine has no user name. "
            "Where is the `await` missing?",
        ),
    },
)
async def greet(given):
    call = await given.call("greet", await request_of("amara"))
    _require_text(call.value, "Good evening, amara.")
    call = await given.call("greet", await request_of(None))
    require_this_loop(call)
    text = text_of(call.value)
    if text != "Good evening, guest.":
        raise NotYet(
            "forgot-the-guest",
            f"A visitor who is not logged in reads {text!r}. An `AnonymousUser` has an "
            "empty name. How do you find out that it is one?",
        )
    await require_told_of_database(given, "greet", await request_of("amara"))


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
    errors={
        **AWAITED_QUERYSET,
        (SynchronousOnlyOperation, in_lazy_user): NotYet(
            "lazy-user",
            "`request.user` is still there. In the template, `user.username` opens it, with "
            "sync queries. What can be awaited instead?",
        ),
        (SynchronousOnlyOperation, behind_a_dot): NotYet(
            "lazy-key",
            "The loans are fetched; then `loan.book` or `loan.member` asks again. In a template "
            "you see only dots. How does the one query bring both along?",
        ),
        (SynchronousOnlyOperation, on_line_with("render(")): NotYet(
            "lazy-context",
            "The template was given a queryset, and its loop ran the query, on the loop's thread. "
            "What should be in the context instead?",
        ),
        SynchronousOnlyOperation: lambda raised: NotYet(
            "hidden-query",
            f"{raised.text}. That line holds a query without a method's name: `len`, an index, a "
            "`for`. What if the rows were a plain list by then?",
        ),
    },
)
async def dashboard(given):
    await lend_out_of_order()
    call = await given.call("dashboard", await request_of("amara"))
    require_query(call, "page", "which books are out")
    lines = await open_loan_lines()
    first = lines[0].partition(":")[0]
    _require_text(
        call.value, f"Dear amara, {len(lines)} books are out, {first} longest. {'. '.join(lines)}."
    )
    number = len(queries(call))
    if number > 1:
        raise NotYet(
            "many-queries",
            f"It works, with {number} queries on the library's tables. One brings everything. "
            "Which rows do you fetch twice, one by one, or table by table?",
        )
    require_usual_threads(call)
    await require_told_of_database(given, "dashboard", await request_of("amara"))
    return "Everything was fetched before the template began. Nothing in it can ask any more."


def _require_text(response: object, wanted: str) -> None:
    if text_of(response) != wanted:
        raise NotYet(
            "other-text",
            f"It answered {text_of(response) or response!r}, and not {wanted!r}.",
        )
