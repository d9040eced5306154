"""Answers to the exercise of lesson 00."""

from tests.lessons import Answer

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
]
