"""The check of lesson 00: one exercise, to learn how exercises work."""

from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotYet, Raised, exercise
from ..recorder.events import QUERY
from .vocabulary.failing import require_told_of_database
from .vocabulary.queries import require_off_the_pool
from .vocabulary.threads import require_this_loop


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
)
async def count_books(given):
    from library.models import Book

    try:
        result = await given.result_of("count_books")
    except Raised as stop:
        if not isinstance(stop.error, SynchronousOnlyOperation):
            raise
        raise NotYet(
            "sync-query",
            "A sync query ran while an event loop was running, and Django's guard stopped it. "
            "Which method of the queryset can be awaited?",
        ) from None
    if not any(span.kind == QUERY for span in given.recording.spans):
        raise NotYet(
            "no-query",
            "The number came without a query, so it will be wrong after the next new book. "
            "Who knows how many books there are?",
        )
    if result != await Book.objects.acount():
        raise NotYet("other-number", f"It returned {result!r}. Which model does it count?")
    require_off_the_pool(given)
    require_this_loop(given)
    await require_told_of_database(given, "count_books")
    return "The lanes would show one query, on the thread-sensitive worker."
