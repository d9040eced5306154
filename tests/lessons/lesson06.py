"""What the tests know of lesson 06."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import compared
from tests.proof.faults.edits import output
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/06_*.ipynb"

# TODO: for each exercise of your own three wrong answers or more, and a right one.
ANSWERS = [
    Answer(
        "6.1",
        wrong="sync-query",
        source="""
async def count_authors():
    return Author.objects.count()
""",
        why="`async def` alone makes a query async",
    ),
    Answer(
        "6.1",
        wrong="no-query",
        source="""
async def count_authors():
    return 18
""",
        why="copies the number from the card",
    ),
    Answer(
        "6.1",
        wrong="other-number",
        source="""
from library.models import Book

async def count_authors():
    return await Book.objects.acount()
""",
        why="counts another model",
    ),
    Answer(
        "6.1",
        right="sync_to_async",
        source="""
from asgiref.sync import sync_to_async

count_authors = sync_to_async(Author.objects.count)
""",
    ),
]

# TODO: what `start.py mutants 6` finds alive, and is right all the same.
EQUIVALENT = [
    Equivalent(
        because="A query sets no context variable, so a task in between changes nothing.",
        mutants=("6.1 task-for-each@3",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

# TODO: what is to be planted in this lesson's files, this one at least.
FAULTS = [
    Fault(
        "output-edited-in-06",
        "an output edited",
        output(NOTEBOOK, "first-answer", "18", "19"),
        compared(6, "boot", "models", "first-answer"),
        ("19", "18", "Cell outputs differ"),
    ),
]
