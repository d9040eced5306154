"""The check of lesson 00: one exercise, to learn how exercises work."""

from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotYet, exercise
from .vocabulary.failing import require_told_of_database
from .vocabulary.queries import require_query
from .vocabulary.threads import require_usual_threads


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
    from library.models import Book

    call = await given.call("count_books")
    require_query(call, "number", "how many books there are", after="new book")
    if call.value != await Book.objects.acount():
        raise NotYet("other-number", f"It returned {call.value!r}. Which model does it count?")
    require_usual_threads(call)
    await require_told_of_database(given, "count_books")
    return "The lanes would show one query, on the thread-sensitive worker."
