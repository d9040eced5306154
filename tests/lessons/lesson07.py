"""What the tests know of lesson 07."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import compared
from tests.proof.faults.edits import output
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/07_*.ipynb"

# TODO: for each exercise of your own three wrong answers or more, and a right one.
ANSWERS = [
    Answer(
        "7.1",
        wrong="sync-query",
        source="""
async def count_authors():
    return Author.objects.count()
""",
        why="`async def` alone makes a query async",
    ),
    Answer(
        "7.1",
        wrong="no-query",
        source="""
async def count_authors():
    return 18
""",
        why="copies the number from the card",
    ),
    Answer(
        "7.1",
        wrong="other-number",
        source="""
from library.models import Book

async def count_authors():
    return await Book.objects.acount()
""",
        why="counts another model",
    ),
    Answer(
        "7.1",
        right="sync_to_async",
        source="""
from asgiref.sync import sync_to_async

count_authors = sync_to_async(Author.objects.count)
""",
    ),
]

# TODO: what `start.py mutants 7` finds alive, and is right all the same.
EQUIVALENT = [
    Equivalent(
        because="A query sets no context variable, so a task in between changes nothing.",
        mutants=("7.1 task-for-each@3",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

# TODO: the example of each card, word for word, and that it comes true.
EXAMPLES = {
    "7.1": "assert await count_authors() == 18",
}

NAMES_IN_HINTS = {}

# TODO: what is to be planted in this lesson's files, this one at least.
FAULTS = [
    Fault(
        "output-edited-in-07",
        "an output edited",
        output(NOTEBOOK, "first-answer", "18", "19"),
        compared(7, "boot", "models", "first-answer"),
        ("19", "18", "Cell outputs differ"),
    ),
]
