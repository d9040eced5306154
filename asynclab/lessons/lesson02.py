"""The checks of lesson 02: SynchronousOnlyOperation."""

import re
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.utils.html import escape

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..recorder.events import Span
from .vocabulary.causes import behind_a_dot, in_lazy_user, on_line_with, written
from .vocabulary.edges import require_of_nothing
from .vocabulary.failing import (
    database_lost_at,
    require_cancellable_query,
    require_told_of_database,
)
from .vocabulary.library import (
    DAY,
    lend_many,
    lend_oddly,
    lend_out_of_order,
    lend_two_copies,
    no_books,
    open_loan_lines,
    open_loans,
)
from .vocabulary.loops import call_on_own_connections
from .vocabulary.queries import (
    AWAITED_QUERYSET,
    crossings,
    queries,
    require_off_the_pool,
    require_one_query,
    require_only_reads,
    require_query,
)
from .vocabulary.requests import request_of, require_response, text_of
from .vocabulary.tasks import all_of
from .vocabulary.threads import require_this_loop, require_usual_threads
from .vocabulary.transactions import ASYNC_WITH, noting_bare_queries
from .vocabulary.values import same, shorten


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
        "The database can count the overdue loans. What is the async twin of `count()`?",
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
    await _require_overdue(given, DAY)
    await lend_oddly()
    await lend_two_copies()
    for days in 0, 5, -9000, 9000:
        call = await _require_overdue(given, DAY + timedelta(days=days))
    await require_told_of_database(given, "count_overdue", DAY)
    await require_cancellable_query(given, "count_overdue", DAY)
    return f"One query and one number{_in_one_hop(call)}."


async def _require_overdue(given, day) -> Call:
    from library.models import Loan

    due = Loan.objects.filter(due__lt=day)
    right, all_due = await due.filter(returned=None).acount(), await due.acount()
    due_by_then = await open_loans().filter(due__lte=day).acount()
    call = await call_on_own_connections(given, "count_overdue", day)
    require_query(call, "number", "how many loans are overdue")
    require_only_reads(call)
    if same(call.value, right):
        if not any(map(_counts, queries(call))):
            raise NotYet(
                "fetches-rows",
                "The number is right, but every loan travelled to Python to be counted here. "
                "A library has a million of them. Who could count instead?",
            )
        require_one_query(call, "number")
        require_usual_threads(call)
        return call
    if same(call.value, all_due):
        raise NotYet(
            "counts-returned",
            "Loans that came back are counted too. What is in `returned` while a book is out?",
        )
    if same(call.value, due_by_then):
        raise NotYet(
            "counts-due-today",
            "A loan that is due on the day itself is not overdue yet. Which comparison says so?",
        )
    raise NotYet(
        "other-number",
        f"On {day} it returned {call.value!r}, and {right} are overdue: out at this moment, and "
        "due before that day. Which loans does it count?",
    )


_COUNTED = re.compile(r"SELECT\W+(?:\w+\(\s*)*(?:SELECT\s+)?(?:COUNT|SUM|TOTAL)\(", re.IGNORECASE)


def _counts(query: Span) -> bool:
    """Whether the first thing that is selected is a number for all rows."""
    sql = query.detail.lstrip()
    return bool(_COUNTED.match(sql)) or sql[:4].upper() == "WITH"


def _in_one_hop(call: Call) -> str:
    return ", in one hop" if len(crossings(call)) == 1 else ""


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
    await lend_two_copies()
    lines = await open_loan_lines()
    call = await call_on_own_connections(given, "loan_lines")
    require_query(call, "lines", "which books are out")
    require_only_reads(call)
    if not same(call.value, lines):
        raise NotYet(
            "other-lines",
            f"It returned {call.value!r}. Compare with the example: a line for each open loan and "
            "for no other, in a list, ordered by the day they are due.",
        )
    number = len(queries(call))
    if 1 < number <= 3 and any("library_loan" not in query.name for query in queries(call)):
        raise NotYet(
            "query-per-table",
            f"The lines are right, and took {number} queries, one for each table; Python puts them "
            "together. That is what `prefetch_related` does. A loan has one book and one "
            "member. Which method lets the database join them?",
        )
    if number > 3:
        raise NotYet(
            "query-per-loan",
            f"The lines are right, and took {number} queries: the lazy foreign keys still ask, "
            "one by one, where no guard stops them. How can one query bring everything?",
        )
    require_one_query(call, "list")
    require_usual_threads(call)
    await _require_all_lines(given)
    await no_books()
    await require_of_nothing(given, "loan_lines", what="no loan")
    await require_told_of_database(given, "loan_lines")
    await require_cancellable_query(given, "loan_lines")
    return f"One query for {len(lines)} loans, their books and their members."


async def _require_all_lines(given) -> None:
    await lend_many()
    lines = await open_loan_lines()
    call = await call_on_own_connections(given, "loan_lines")
    require_query(call, "lines", "which books are out")
    if not same(call.value, lines):
        raise NotYet(
            "not-all",
            f"{len(lines)} books were out, many of them due on one day, and of their lines it "
            f"returned {len(call.value)}, or not in the order of the keys. Who said how many there "
            "may be?",
        )


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
    example, *_, fourth, loan, other, third = [loan async for loan in open_loans()]
    await open_loans().filter(pk=example.pk).aupdate(returned=DAY)
    call = await _require_handed_over(given, loan, DAY)
    other.due = DAY + timedelta(days=200)
    await other.asave()
    await _require_handed_over(given, other, DAY + timedelta(days=17))
    await _require_all_or_nothing(given, third)
    await _require_refused(given, loan)
    require_off_the_pool(call)
    if len(crossings(call)) > 1:
        raise NotYet(
            "two-crossings",
            f"Both writes are there, in {len(crossings(call))} crossings. Between two of them "
            "another call may return the book, or hand it over. Which function should go over as "
            "a whole?",
        )
    await _require_read_inside(given, third)
    await require_cancellable_query(given, "hand_over", fourth.pk, loan.member_id, DAY)
    hop = _in_one_hop(call)
    on_worker = " On this worker no other call runs in between." if hop else ""
    return f"Two writes in one transaction{hop}: whoever reads finds both or neither.{on_worker}"


async def _require_handed_over(given, loan, day) -> Call:
    from library.models import Loan, Member

    receiver = await Member.objects.exclude(pk=loan.member_id).afirst()
    long_ago = {"borrowed": DAY - timedelta(days=99), "due": DAY - timedelta(days=78)}
    long_ago |= {"book_id": loan.book_id, "member": receiver}
    await Loan.objects.acreate(returned=DAY - timedelta(days=80), **long_ago)
    before = await _rows()
    call = await call_on_own_connections(given, "hand_over", loan.pk, receiver.pk, day)
    new = await open_loans().filter(book=loan.book_id).afirst()
    old = await Loan.objects.filter(pk=loan.pk).afirst()
    loan.returned = day
    wanted = (_row(loan), receiver.pk, day, day + timedelta(days=21))
    got = (old and _row(old), new and new.member_id, new and new.borrowed, new and new.due)
    if got != wanted:
        raise NotYet(
            "not-handed-over",
            f"Handed over on {day}, the old loan must be returned on that day, with all else as it "
            "was, and the new member must have an open one, borrowed that day and due 21 days "
            "later. Which of these is missing?",
        )
    both = {("loan", loan.pk), ("loan", new.pk)}
    if {key for key, _ in before ^ await _rows()} != both:
        raise NotYet(
            "changes-more",
            "The book is handed over, and beside these two loans something else is not what it "
            "was. Which of your statements says too little about the row that it means?",
        )
    return call


def _row(loan) -> tuple:
    return loan.book_id, loan.member_id, loan.borrowed, loan.due, loan.returned


async def _rows() -> set[tuple[tuple[str, int], tuple]]:
    """All loans, books and members, each with its key."""
    from library.models import Book, Loan, Member

    models = {"loan": Loan, "book": Book, "member": Member}
    return {
        ((name, row[0]), row)
        for name, model in models.items()
        async for row in model.objects.order_by("pk").values_list()
    }


async def _require_refused(given, loan) -> None:
    """Hand over what Priya has by now from Tomoko's closed loan: no second one can be opened."""
    from library.models import Member

    before = await _rows()
    receiver = await Member.objects.exclude(pk=loan.member_id).alast()
    call = await given.call("hand_over", loan.pk, receiver.pk, DAY, expect=Exception)
    changed = await _rows() != before
    if changed or call.error is None:
        raise NotYet(
            "not-refused",
            "A loan that had come back was handed over once more, and somebody else had its book. "
            "There may be only one open loan of each book, so no new one could be opened; "
            + ("something was written" if changed else "nothing was written")
            + (", and it ended as if all were well" if call.error is None else "")
            + ". What opens a loan, or says that it cannot?",
        )


async def _require_read_inside(given, loan) -> None:
    from library.models import Member

    receiver = await Member.objects.exclude(pk=loan.member_id).afirst()
    with noting_bare_queries() as bare:
        await given.call("hand_over", loan.pk, receiver.pk, DAY)
    if any(sql.startswith("SELECT") and "library_loan" in sql for sql in bare):
        raise NotYet(
            "reads-outside",
            "The loan was read before the transaction began. By the time you write, it may be "
            "another one, or gone. What belongs inside `atomic()` beside the two writes?",
        )


async def _member_who_left() -> int:
    """The key of nobody, between the keys of others."""
    from library.models import Member

    left, _ = [
        await Member.objects.acreate(name=name, email=f"{name}@example.org")
        for name in ("left", "stayed")
    ]
    key = left.pk
    await left.adelete()
    return key


NO_LOAN = 10**6
"""A key that no loan has."""


async def _require_all_or_nothing(given, loan) -> None:
    """Hand the book to nobody, then hand over no book, then lose the database in the middle."""
    from django.db import DatabaseError
    from library.models import Member

    nobody = await _member_who_left()
    before = await _rows()
    call = await given.call("hand_over", loan.pk, nobody, DAY, expect=Exception)
    if await _rows() != before:
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
    receiver = await Member.objects.exclude(pk=loan.member_id).afirst()
    call = await given.call("hand_over", NO_LOAN, receiver.pk, DAY, expect=Exception)
    if call.error is None:
        raise NotYet(
            "swallowed",
            "Called for a loan that does not exist, it ended as if all were well. "
            "Who should learn that no book was handed over?",
        )
    with database_lost_at("INSERT"):
        lost = await given.call("hand_over", loan.pk, receiver.pk, DAY, expect=DatabaseError)
    if await _rows() != before:
        raise NotYet(
            "half-done",
            "The connection broke down between the two writes, and the first one stayed. Nobody "
            "was left to take it back by hand. What makes two writes one: both, or neither?",
        )
    if lost.error is None:
        raise NotYet(
            "swallowed",
            "The connection broke down between the two writes, and it ended as if all were well. "
            "Who should learn that the book was not handed over?",
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
        "Beside `request.user` there is an awaitable twin. Its name begins with `a`.",
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
    requests = {name: await request_of(name) for name in ("amara", "d.weiss")}
    for name, request in requests.items():
        call = await call_on_own_connections(given, "greet", request)
        await _require_text("greet", call.value, f"Good evening, {name}.")
        require_this_loop(call)
    call = await call_on_own_connections(given, "greet", await request_of(None))
    text = await _text(call.value)
    if text in ("Good evening, .", "Good evening, AnonymousUser.", "Good evening, None."):
        raise NotYet(
            "forgot-the-guest",
            f"A visitor who is not logged in reads {text!r}. An `AnonymousUser` has an "
            "empty name. How do you find out that it is one?",
        )
    await _require_text("greet", call.value, "Good evening, guest.")
    await _require_logged_out(given)
    await _require_apart(given, "greet", "Good evening, {user}.")
    await require_told_of_database(given, "greet", await request_of("amara"))
    await require_cancellable_query(given, "greet", await request_of("amara"))
    return "A member is greeted by name, another one by hers, and a visitor as guest."


async def _require_logged_out(given) -> None:
    """Greet a member whose session ended when the password was changed elsewhere."""
    from django.contrib.auth.models import User

    request = await request_of("m.herrera")
    await User.objects.filter(username="m.herrera").aupdate(password="another one")
    text = await _text(await given.result_of("greet", request))
    if text == "Good evening, m.herrera.":
        raise NotYet(
            "trusts-the-session",
            "A member had changed the password, which logs out every older session, and was "
            f"greeted in one of those: {text!r}. A session holds a key, and something to check it "
            "by. What checks both and gives you the user?",
        )
    if text != "Good evening, guest.":
        raise NotYet(
            "forgot-the-guest",
            "A member had changed the password, which logs out every older session. In one of "
            f"those, whose cookie is still there, the answer was {text!r}. Who is asked whether a "
            "session still holds?",
        )


async def _require_apart(given, name: str, wanted: str) -> None:
    """Require that two requests at once get an answer each.

    Args:
        wanted: what the answer holds, with a `{user}` in it.
    """
    users = "amara", "d.weiss"
    requests = [await request_of(user) for user in users]

    async def both(view):
        return await all_of(map(view, requests))

    texts = [await _text(each) for each in await given.result_of(name, driver=both)]
    if any(wanted.format(user=user) not in text for user, text in zip(users, texts, strict=True)):
        raise NotYet(
            "mixes-requests",
            f"Two users came at once, {' and '.join(users)}, and were answered "
            f"{' and '.join(shorten(text, 40) for text in texts)}. "
            "While one request awaits, another one goes on. What do they share in your code?",
        )


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
    await _require_page(given, "amara")
    await lend_two_copies()
    longest = await open_loans().afirst()
    await open_loans().filter(pk=longest.pk).aupdate(returned=DAY)
    await _require_page(given, "d.weiss")
    loans = await _require_page(given, None)
    await _require_apart(given, "dashboard", "Dear {user},")
    await _require_all_loans(given)
    await require_told_of_database(given, "dashboard", await request_of("amara"))
    for table in "auth_user", "library_loan":
        request = await request_of("amara")
        await require_cancellable_query(given, "dashboard", request, at=table)
    return f"One query for {loans} loans, and none on the thread of the loop."


async def _require_all_loans(given) -> None:
    await lend_many()
    lines = [escape(line) for line in await open_loan_lines()]
    text = await _text(await given.result_of("dashboard", await request_of("amara")))
    there = sum(f" {line}." in text for line in lines)
    if there < len(lines) or f" {len(lines)} books are out" not in text:
        raise NotYet(
            "not-all",
            f"{len(lines)} books were out, and the page knew of {there}. Who said how many there "
            "may be?",
        )


async def _require_page(given, username: str | None) -> int:
    """Require the right page for that user; return how many loans are on it."""
    lines = [escape(line) for line in await open_loan_lines()]
    first = lines[0].partition(": ")[0]
    request = await request_of(username)
    call = await call_on_own_connections(given, "dashboard", request)
    require_query(call, "page", "which books are out")
    require_only_reads(call)
    await _require_text(
        "dashboard",
        call.value,
        f"Dear {username or ''}, {len(lines)} books are out, {first} longest. {'. '.join(lines)}.",
    )
    number = len(queries(call))
    if number > 1:
        raise NotYet(
            "many-queries",
            f"It works, with {number} queries on the library's tables. One brings everything. "
            "Which rows do you fetch twice, one by one, or table by table?",
        )
    require_usual_threads(call)
    return len(lines)


async def _require_text(name: str, response: object, wanted: str) -> None:
    require_response(name, response)
    text, status = await _text(response), response.status_code
    if text == wanted and status != 200:
        raise NotYet("other-status", f"The text is right, and the status is {status}. Why?")
    if text != wanted:
        raise NotYet("other-text", f"It answered {text or response!r}, and not {wanted!r}.")


async def _text(response: object) -> str:
    """The text of a response, as it is when Django sends it."""
    if not getattr(response, "is_rendered", True):
        await sync_to_async(response.render)()
    return text_of(response)
