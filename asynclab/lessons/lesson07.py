"""The checks of lesson 07: async views."""

from django.core.exceptions import SynchronousOnlyOperation

from ..exercises.book import NotYet, exercise
from .vocabulary.failing import require_told_of_database
from .vocabulary.queries import require_off_the_pool, require_query
from .vocabulary.threads import require_this_loop


# TODO: the checks of your own exercises in the place of this example.
@exercise(
    "7.1",
    title="count the authors",
    names=("count_authors",),
    why="`acount()` makes one query, and the loop is free while the database counts.",
    hints=(
        "`Author.objects.count()` asks the database. What is its async twin called?",
        "`acount()` only makes a coroutine. Which word runs it and gives the number?",
        "Does your function end with `return await Author.objects.acount()`?",
    ),
    errors={
        SynchronousOnlyOperation: NotYet(
            "sync-query",
            "A sync query ran while an event loop was running. Which method can be awaited?",
        ),
    },
)
async def count_authors(given):
    from library.models import Author

    call = await given.call("count_authors")
    require_query(call, "number", "how many authors there are", after="author")
    if call.value != await Author.objects.acount():
        raise NotYet("other-number", f"It returned {call.value!r}. What does it count?")
    require_off_the_pool(call)
    require_this_loop(call)
    await require_told_of_database(given, "count_authors")
