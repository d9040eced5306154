"""The check of lesson 00: one exercise, to learn how exercises work."""

from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotYet, exercise
from .vocabulary.failing import require_cancellable_query, require_told_of_database
from .vocabulary.library import free_books, lend_two_copies, no_books
from .vocabulary.loops import call_off_the_loop
from .vocabulary.queries import require_one_query, require_only_reads, require_query
from .vocabulary.threads import require_usual_threads
from .vocabulary.values import same


@exercise(
    "0.1",
    title="count the books",
    names=("count_books",),
    why=(
        "`acount()` is the async twin of `count()`: it makes one query, and the loop is free "
        "while the database counts."
    ),
    hints=(
        "`Book.objects.count()` asks the database. What is its async twin called?",
        "`Book.objects.acount()` only makes a coroutine. Which word runs it and gives the number?",
        "Does your function end with `return await Book.objects.acount()`?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran while an event loop was running, and Django's guard stopped it. "
            "Which method of the queryset can be awaited?",
        ),
    },
)
async def count_books(given):
    await _require_number(given)
    await lend_two_copies()
    await (await free_books().afirst()).adelete()
    await _require_number(given)
    await no_books()
    await _require_number(given)
    await require_told_of_database(given, "count_books")
    await require_cancellable_query(given, "count_books")
    return "Each time it took one query, off the loop, and the number was that of the moment."


async def _require_number(given) -> None:
    from library.models import Book

    right = await Book.objects.acount()
    call = await call_off_the_loop(given, "count_books")
    if callable(call.value):
        raise NotYet(
            "returned-function",
            "It returned a function or a method, which nobody has called, and no number. Which "
            "signs behind its name call it?",
        )
    require_query(call, "number", "how many books there are", after="new book")
    require_only_reads(call)
    if not same(call.value, right):
        raise NotYet(
            "other-number",
            f"It returned {call.value!r}, and there are {right} books. Which model does it count, "
            "and what type has a number?",
        )
    require_one_query(call, "number")
    require_usual_threads(call)
