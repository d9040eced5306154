"""What the tests know of lesson 00."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import CENSUS, compared, rules
from tests.proof.faults.edits import (
    both,
    cell,
    drop_alt,
    drop_reason,
    leave_path,
    leave_state,
    leave_view,
    notebook,
    output,
    source,
)
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/00_*.ipynb"

ANSWERS = [
    Answer(
        "0.1",
        wrong="sync-query",
        source="""
async def count_books():
    return Book.objects.count()
""",
        why="`async def` alone makes a query async",
    ),
    Answer(
        "0.1",
        wrong="sync-query",
        source="""
def count_books():
    return Book.objects.count()
""",
        why="it works in a view, so it works here",
    ),
    Answer(
        "0.1",
        wrong="returned-coroutine",
        source="""
async def count_books():
    return Book.objects.acount()
""",
        why="the a-method alone runs the query",
    ),
    Answer(
        "0.1",
        wrong="no-query",
        source="""
async def count_books():
    return 47
""",
        why="copies the number from boot's line",
    ),
    Answer(
        "0.1",
        wrong="generator",
        source="""
async def count_books():
    yield await Book.objects.acount()
""",
        why="`yield` gives the number, too",
    ),
    Answer(
        "0.1",
        wrong="not-callable",
        source="""
class count_books:
    async def number(self):
        return await Book.objects.acount()
""",
        why="a class holds the method that counts",
    ),
    Answer(
        "0.1",
        wrong="other-number",
        source="""
from library.models import Author

async def count_books():
    return await Author.objects.acount()
""",
        why="counts the wrong model",
    ),
    Answer(
        "0.1",
        wrong="query-in-pool",
        source="""
import asyncio

async def count_books():
    return await asyncio.to_thread(Book.objects.count)
""",
        why="any thread will do for a query",
    ),
    Answer(
        "0.1",
        wrong="second-loop",
        source="""
import asyncio

async def count_books():
    return await asyncio.to_thread(lambda: asyncio.run(Book.objects.acount()))
""",
        why="a coroutine needs `asyncio.run`, and that needs a thread without a loop",
    ),
    Answer(
        "0.1",
        wrong="swallowed",
        source="""
async def count_books():
    try:
        return await Book.objects.acount()
    except Exception:
        return None
""",
        why="a page should never fail",
    ),
    Answer(
        "0.1",
        right="sync_to_async",
        source="""
from asgiref.sync import sync_to_async

count_books = sync_to_async(Book.objects.count)
""",
    ),
    Answer(
        "0.1",
        right="async for",
        source="""
async def count_books():
    return len([book async for book in Book.objects.all()])
""",
    ),
    Answer(
        "0.1",
        wrong="query-on-the-loop",
        source="""
import os

async def count_books():
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        return Book.objects.count()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="without the guard there is no error, so all is well",
    ),
    Answer(
        "0.1",
        wrong="waits-on-the-loop",
        source="""
import threading

async def count_books():
    numbers = []
    thread = threading.Thread(target=lambda: numbers.append(Book.objects.count()))
    thread.start()
    thread.join()
    return numbers[0]
""",
        why="what runs on another thread holds up nobody",
    ),
    Answer(
        "0.1",
        wrong="writes",
        source="""
async def count_books():
    number, _ = await Book.objects.all().adelete()
    return await Book.objects.acount()
""",
        why="whatever is right afterwards is right",
    ),
    Answer(
        "0.1",
        wrong="other-number",
        source="""
async def count_books():
    return (await Book.objects.order_by("pk").alast()).pk
""",
        why="the keys of a table have no gaps",
    ),
    Answer(
        "0.1",
        wrong="other-number",
        source="""
async def count_books():
    return await Book.objects.values("title").distinct().acount()
""",
        why="no two books have the same title",
    ),
    Answer(
        "0.1",
        wrong="other-number",
        source="""
class Right:
    def __eq__(self, other):
        return True

async def count_books():
    await Book.objects.acount()
    return Right()
""",
        why="what is equal to everything is right",
    ),
    Answer(
        "0.1",
        wrong="many-queries",
        source="""
from library.models import Author

async def count_books():
    return sum([await author.books.acount() async for author in Author.objects.all()])
""",
        why="a number is a sum, whoever adds it up",
    ),
    Answer(
        "0.1",
        right="an aggregate",
        source="""
from django.db.models import Count

async def count_books():
    return (await Book.objects.aaggregate(number=Count("pk")))["number"]
""",
    ),
    Answer(
        "0.1",
        wrong="cancel-swallowed",
        source="""
import asyncio

async def count_books():
    try:
        return await Book.objects.acount()
    except asyncio.CancelledError:
        return 0
""",
        why="a function that returns a number always returns one",
    ),
    Answer(
        "0.1",
        wrong="returned-function",
        source="""
from asgiref.sync import sync_to_async

@sync_to_async
def count_books():
    return Book.objects.count
""",
        why="the adapter calls what it is given, whatever that is",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "Only a query, a session or a user is awaited here. None of them sets a context "
            "variable, so a task in between changes nothing; a result, an exception and a "
            "cancel pass through it."
        ),
        mutants=("0.1 task-for-each@3",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "0.1": """\
await Book.objects.filter(pk__gt=3).adelete()
assert await count_books() == 3
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "output-edited-in-00",
        "an output edited",
        output(NOTEBOOK, "boot", "47 books", "48 books"),
        compared(0, "boot"),
        ("48 books", "47 books", "Cell outputs differ"),
        fast=True,
    ),
    # The lesson's own code, spoilt: what its cells show no longer bears the prose out.
    Fault(
        "async-view-waits-in-turn",
        "a lesson's code",
        source(
            NOTEBOOK,
            "bother-async-view",
            "await asyncio.gather(*[ask(name) for name in services])",
            "[await ask(name) for name in services]",
        ),
        compared(
            0,
            *("boot", "bother-services", "bother-sync-view", "bother-site"),
            *("bother-sync-run", "bother-async-view", "bother-async-run", "bother-at-once"),
        ),
        ("requests at once, async view: 3", "Cell outputs differ"),
    ),
    Fault(
        "exempt-without-a-reason",
        "an exemption",
        cell(NOTEBOOK, "progress", drop_reason),
        CENSUS,
        ("is exempt (nbval-ignore-output) without a reason in its metadata",),
    ),
    Fault(
        "widget-view-left",
        "traces of a machine",
        cell(NOTEBOOK, "predict", leave_view),
        rules("notebooks/00_start_here"),
        ("cell predict: holds a widget view, which no other kernel can show",),
    ),
    Fault(
        "widget-state-left",
        "traces of a machine",
        notebook(NOTEBOOK, leave_state),
        rules("notebooks/00_start_here"),
        ("holds the state of widgets",),
    ),
    Fault(
        "path-of-a-machine-left",
        "traces of a machine",
        cell(NOTEBOOK, "first-query", leave_path),
        rules("notebooks/00_start_here"),
        ("cell first-query: holds something of one machine: /home/a",),
    ),
    Fault(
        "alt-text-of-a-picture-removed",
        "alt text removed",
        cell(NOTEBOOK, "lanes", drop_alt),
        rules("notebooks/00_start_here"),
        ("cell lanes: a picture that it shows has no alt text",),
    ),
    Fault(
        "answer-revealed-with-its-question",
        "a prediction",
        source(NOTEBOOK, "predict", "\nwhere", '\nwhere.reveal("MainThread")'),
        rules("notebooks/00_start_here"),
        ("cell predict: where is revealed before it can be predicted",),
    ),
    Fault(
        "second-run-adds-to-the-first",
        "a second run differs",
        both(
            source(NOTEBOOK, "first-books", "[book", 'shown = globals().get("shown", []) + [book'),
            source(NOTEBOOK, "first-books", "[:3]]", "[:3]]\nshown"),
        ),
        ("notebooks/00_start_here.ipynb",),
        ("Cell 10, again", "Sense and Sensibility"),
    ),
]
