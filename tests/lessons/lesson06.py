"""What the tests know of lesson 06."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import CENSUS, compared, verdict
from tests.proof.faults.edits import drop_tag, output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/06_*.ipynb"
_import_order = in_pieces(
    "async def import_order(order, year_of):",
    years="""
    years = await asyncio.gather(*(year_of(title) for title, name in order))
""",
    add_books="""
    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years):
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.create(title=title, author=author, year=year)
""",
    rest="""
    await sync_to_async(add_books)()
    return len(order)
""",
)

ANSWERS = [
    Answer(
        "6.1",
        wrong="sync-query",
        source="""
async def card(title):
    book = Book.objects.select_related("author").get(title=title)
    loan = book.loans.filter(returned=None).select_related("member").first()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="`async def` is enough",
    ),
    Answer(
        "6.1",
        wrong="sync-query",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    out = book.loans.filter(returned=None).select_related("member")
    where = f"with {out[0].member}" if out else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="only methods are queries",
    ),
    Answer(
        "6.1",
        wrong="lazy-key",
        source="""
async def card(title):
    book = await Book.objects.aget(title=title)
    loan = await book.loans.filter(returned=None).afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="what was fetched brings everything along",
    ),
    Answer(
        "6.1",
        wrong="forgotten-await",
        source="""
async def card(title):
    book = Book.objects.select_related("author").aget(title=title)
    loan = await book.loans.filter(returned=None).select_related("member").afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="the a makes it async",
    ),
    Answer(
        "6.1",
        wrong="always-out",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    out = book.loans.filter(returned=None).select_related("member")
    if out.aexists():
        return f"{book.title} by {book.author}: with {(await out.afirst()).member}"
    return f"{book.title} by {book.author}: on the shelf"
""",
        why="a condition needs no await",
    ),
    Answer(
        "6.1",
        wrong="none-for-a-book",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").filter(title=title).afirst()
    loan = await book.loans.filter(returned=None).select_related("member").afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="`afirst` is `aget` without an error",
    ),
    Answer(
        "6.1",
        wrong="awaited-queryset",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    out = await book.loans.filter(returned=None).select_related("member")
    where = f"with {out[0].member}" if out else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="`await` fetches a queryset",
    ),
    Answer(
        "6.1",
        wrong="query-too-many",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    out = book.loans.filter(returned=None).select_related("member")
    if await out.aexists():
        return f"{book.title} by {book.author}: with {(await out.afirst()).member}"
    return f"{book.title} by {book.author}: on the shelf"
""",
        why="each sync expression becomes one await",
    ),
    Answer(
        "6.1",
        wrong="query-too-many",
        source="""
async def card(title):
    return await sync_to_async(card_before)(title)

def card_before(title):
    book = Book.objects.get(title=title)
    out = book.loans.filter(returned=None)
    if not out:
        return f"{book.title} by {book.author}: on the shelf"
    return f"{book.title} by {book.author}: with {out[0].member}"
""",
        why="one hop is all that counts",
    ),
    Answer(
        "6.1",
        wrong="other-text",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    loan = await book.loans.select_related("member").afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="whoever borrowed it has it",
    ),
    Answer(
        "6.1",
        wrong="no-query",
        source="""
async def card(title):
    return "Orlando by Virginia Woolf: with Tomoko Arai"
""",
        why="copies the example",
    ),
    Answer(
        "6.1",
        wrong="swallowed",
        source="""
async def card(title):
    try:
        book = await Book.objects.select_related("author").aget(title=title)
    except Book.DoesNotExist:
        return None
    loan = await book.loans.filter(returned=None).select_related("member").afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="a page should never fail",
    ),
    Answer(
        "6.1",
        wrong="swallowed",
        source="""
from django.db import DatabaseError

async def card(title):
    try:
        book = await Book.objects.select_related("author").aget(title=title)
        loan = await book.loans.filter(returned=None).select_related("member").afirst()
    except DatabaseError:
        return ""
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="without a database there is no card",
    ),
    Answer(
        "6.1",
        wrong="query-in-pool",
        source="""
async def card(title):
    def text():
        book = Book.objects.select_related("author").get(title=title)
        loan = book.loans.filter(returned=None).select_related("member").first()
        where = f"with {loan.member}" if loan else "on the shelf"
        return f"{book.title} by {book.author}: {where}"

    return await asyncio.to_thread(text)
""",
        why="a thread is a thread",
    ),
    Answer(
        "6.1",
        wrong="writes",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    loan = await book.loans.filter(returned=None).select_related("member").afirst()
    if loan:
        await loan.asave()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="saves what it has read, to be sure",
    ),
    Answer(
        "6.1",
        wrong="second-loop",
        source="""
async def card(title):
    async def text():
        book = await Book.objects.select_related("author").aget(title=title)
        loan = await book.loans.filter(returned=None).select_related("member").afirst()
        where = f"with {loan.member}" if loan else "on the shelf"
        return f"{book.title} by {book.author}: {where}"

    return await asyncio.to_thread(asyncio.run, text())
""",
        why="a coroutine needs asyncio.run",
    ),
    Answer(
        "6.1",
        wrong="run-on-the-worker",
        source="""
async def card(title):
    async def text():
        book = await Book.objects.select_related("author").aget(title=title)
        loan = await book.loans.filter(returned=None).select_related("member").afirst()
        where = f"with {loan.member}" if loan else "on the shelf"
        return f"{book.title} by {book.author}: {where}"

    return await sync_to_async(lambda: asyncio.run(text()))()
""",
        why="what queries belongs on the worker, async or not",
    ),
    Answer(
        "6.1",
        wrong="query-on-the-loop",
        source="""
import os

async def card(title):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        book = Book.objects.select_related("author").get(title=title)
        loan = book.loans.filter(returned=None).select_related("member").first()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="switches the guard off",
    ),
    Answer(
        "6.1",
        right="one sync function",
        source="""
@sync_to_async
def card(title):
    book = Book.objects.select_related("author").get(title=title)
    loan = book.loans.filter(returned=None).select_related("member").first()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
    ),
    Answer(
        "6.1",
        right="the loans prefetched",
        source="""
from django.db.models import Prefetch

async def card(title):
    out = Loan.objects.filter(returned=None).select_related("member")
    books = Book.objects.select_related("author").prefetch_related(Prefetch("loans", out))
    book = await books.aget(title=title)
    where = [f"with {loan.member}" for loan in book.loans.all()] or ["on the shelf"]
    return f"{book.title} by {book.author}: {where[0]}"
""",
    ),
    Answer(
        "6.1",
        wrong="other-book",
        source="""
async def card(title):
    books = Book.objects.select_related("author").filter(title__icontains=title)
    book = await books.afirst()
    if book is None:
        raise Book.DoesNotExist
    loan = await book.loans.filter(returned=None).select_related("member").afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="a reader types as he likes",
    ),
    Answer(
        "6.1",
        wrong="other-book",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title__iexact=title)
    loan = await book.loans.filter(returned=None).select_related("member").afirst()
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="spelling does not matter",
    ),
    Answer(
        "6.1",
        wrong="cancel-swallowed",
        source="""
async def card(title):
    try:
        book = await Book.objects.select_related("author").aget(title=title)
        loan = await book.loans.filter(returned=None).select_related("member").afirst()
    except asyncio.CancelledError:
        return ""
    where = f"with {loan.member}" if loan else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="a visitor who left wants no answer",
    ),
    Answer(
        "6.1",
        wrong="other-text",
        source="""
async def card(title):
    book = await Book.objects.select_related("author").aget(title=title)
    loan = await book.loans.select_related("member").alast()
    where = f"with {loan.member}" if loan and not loan.returned else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
        why="the last loan is the open one",
    ),
    Answer(
        "6.1",
        wrong="never-lent",
        source="""
async def card(title):
    loans = Loan.objects.select_related("book__author", "member")
    loan = await loans.filter(book__title=title).order_by("-borrowed", "-pk").afirst()
    if loan is None:
        raise Book.DoesNotExist(title)
    where = "on the shelf" if loan.returned else f"with {loan.member}"
    return f"{loan.book.title} by {loan.book.author}: {where}"
""",
        why="the last loan says it all, by one query",
    ),
    Answer(
        "6.1",
        right="a Prefetch of the open loan",
        source="""
from django.db.models import Prefetch


async def card(title):
    out = Loan.objects.filter(returned=None).select_related("member")
    books = Book.objects.select_related("author")
    books = books.prefetch_related(Prefetch("loans", queryset=out, to_attr="out"))
    book = await books.aget(title=title)
    where = f"with {book.out[0].member}" if book.out else "on the shelf"
    return f"{book.title} by {book.author}: {where}"
""",
    ),
    Answer(
        "6.2",
        wrong="gathered",
        source="""
async def counts(titles):
    loans = [Loan.objects.filter(book__title=title) for title in titles]
    return list(await asyncio.gather(*(each.acount() for each in loans)))
""",
        why="gather makes many queries one",
    ),
    Answer(
        "6.2",
        wrong="not-all",
        source="""
async def counts(titles):
    loans = Loan.objects.filter(book__title__in=titles).values("book__title")
    groups = loans.annotate(number=Count("pk"))[:100]
    numbers = {group["book__title"]: group["number"] async for group in groups}
    return [numbers.get(title, 0) for title in titles]
""",
        why="nobody asks about more than a hundred titles",
    ),
    Answer(
        "6.2",
        wrong="hop-per-title",
        source="""
async def counts(titles):
    return [await Loan.objects.filter(book__title=title).acount() for title in titles]
""",
        why="an await for each",
    ),
    Answer(
        "6.2",
        wrong="many-queries",
        source="""
@sync_to_async
def counts(titles):
    return [Loan.objects.filter(book__title=title).count() for title in titles]
""",
        why="one hop is one query",
    ),
    Answer(
        "6.2",
        wrong="sync-query",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] for each in groups.annotate(n=Count("pk"))}
    return [numbers.get(title, 0) for title in titles]
""",
        why="a comprehension is no loop",
    ),
    Answer(
        "6.2",
        wrong="awaited-queryset",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] for each in await groups.annotate(n=Count("pk"))}
    return [numbers.get(title, 0) for title in titles]
""",
        why="`await` fetches a queryset",
    ),
    Answer(
        "6.2",
        wrong="drops-zero",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    return [numbers[title] for title in titles if title in numbers]
""",
        why="a title without loans has no number",
    ),
    Answer(
        "6.2",
        wrong="too-few",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    return [each["n"] async for each in groups.annotate(n=Count("pk"))]
""",
        why="the database answers for each title",
    ),
    Answer(
        "6.2",
        wrong="order",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    return [numbers.get(title, 0) for title in sorted(titles)]
""",
        why="sorted is tidier",
    ),
    Answer(
        "6.2",
        wrong="other-numbers",
        source="""
async def counts(titles):
    loans = Loan.objects.filter(book__title__in=titles, returned=None).values("book__title")
    numbers = {each["book__title"]: each["n"] async for each in loans.annotate(n=Count("pk"))}
    return [numbers.get(title, 0) for title in titles]
""",
        why="counts what is out",
    ),
    Answer(
        "6.2",
        wrong="all-titles",
        source="""
async def counts(titles):
    groups = Loan.objects.values("book__title").annotate(number=Count("pk"))
    numbers = {each["book__title"]: each["number"] async for each in groups}
    return [numbers.get(title, 0) for title in titles]
""",
        why="who has all numbers has these",
    ),
    Answer(
        "6.2",
        wrong="all-titles",
        source="""
from django.db.models import Q


async def counts(titles):
    asked = {
        f"n{n}": Count("pk", filter=Q(book__title=title)) for n, title in enumerate(titles)
    }
    return list((await Loan.objects.aaggregate(**asked)).values())
""",
        why="a filter in each count is enough",
    ),
    Answer(
        "6.2",
        wrong="one-of-two",
        source="""
async def counts(titles):
    books = Book.objects.filter(title__in=titles).annotate(n=Count("loans"))
    numbers = {book.title: book.n async for book in books}
    return [numbers.get(title, 0) for title in titles]
""",
        why="a title names a book",
    ),
    Answer(
        "6.2",
        wrong="one-of-two",
        source="""
async def counts(titles):
    books = Book.objects.filter(title__in=titles).annotate(n=Count("loans"))
    numbers = {book.title: book.n async for book in books.order_by("-pk")}
    return [numbers.get(title, 0) for title in titles]
""",
        why="a title names a book, and the first one counts",
    ),
    Answer(
        "6.2",
        wrong="no-group",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    return [numbers[title] for title in titles]
""",
        why="each title has a group",
    ),
    Answer(
        "6.2",
        wrong="no-query",
        source="""
async def counts(titles):
    return [{"Emma": 1, "Frankenstein": 3}.get(title, 0) for title in titles]
""",
        why="copies the example",
    ),
    Answer(
        "6.2",
        wrong="nothing-given",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    return [numbers.get(title, 0) for title in titles] or None
""",
        why="no numbers are None",
    ),
    Answer(
        "6.2",
        wrong="changes-the-list",
        source="""
async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    result = []
    while titles:
        result.append(numbers.get(titles.pop(0), 0))
    return result
""",
        why="the list is used up",
    ),
    Answer(
        "6.2",
        wrong="query-in-pool",
        source="""
async def counts(titles):
    def group():
        groups = Loan.objects.filter(book__title__in=titles).values("book__title")
        return {each["book__title"]: each["n"] for each in groups.annotate(n=Count("pk"))}

    numbers = await sync_to_async(group, thread_sensitive=False)()
    return [numbers.get(title, 0) for title in titles]
""",
        why="False makes it parallel",
    ),
    Answer(
        "6.2",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def counts(titles):
    def group():
        groups = Loan.objects.filter(book__title__in=titles).values("book__title")
        return {each["book__title"]: each["n"] for each in groups.annotate(n=Count("pk"))}

    with ThreadPoolExecutor() as pool:
        numbers = pool.submit(group).result()
    return [numbers.get(title, 0) for title in titles]
""",
        why="a thread does not hold the loop",
    ),
    Answer(
        "6.2",
        wrong="query-elsewhere",
        source="""
from asgiref.sync import ThreadSensitiveContext

async def counts(titles):
    groups = Loan.objects.filter(book__title__in=titles).values("book__title")
    async with ThreadSensitiveContext():
        numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    return [numbers.get(title, 0) for title in titles]
""",
        why="a worker of its own is faster",
    ),
    Answer(
        "6.2",
        wrong="swallowed",
        source="""
async def counts(titles):
    try:
        groups = Loan.objects.filter(book__title__in=titles).values("book__title")
        numbers = {each["book__title"]: each["n"] async for each in groups.annotate(n=Count("pk"))}
    except Exception:
        return [0 for title in titles]
    return [numbers.get(title, 0) for title in titles]
""",
        why="a report of numbers should never fail",
    ),
    Answer(
        "6.2",
        right="counted in Python",
        source="""
from collections import Counter

async def counts(titles):
    loans = Loan.objects.filter(book__title__in=titles).values_list("book__title", flat=True)
    number = Counter([title async for title in loans])
    return [number[title] for title in titles]
""",
    ),
    Answer(
        "6.2",
        right="books, with their loans counted",
        source="""
async def counts(titles):
    books = Book.objects.filter(title__in=titles).annotate(lent=Count("loans"))
    number = {}
    async for book in books:
        number[book.title] = number.get(book.title, 0) + book.lent
    return [number.get(title, 0) for title in titles]
""",
    ),
    Answer(
        "6.2",
        wrong="swallowed",
        source="""
known = {}

async def counts(titles):
    if not set(titles) <= set(known):
        books = Book.objects.filter(title__in=titles).order_by()
        async for title, lent in books.values_list("title").annotate(Count("loans")):
            known[title] = lent
    return [known.get(title, 0) for title in titles]
""",
        why="what was counted is counted",
    ),
    Answer(
        "6.2",
        wrong="cancel-swallowed",
        source="""
async def counts(titles):
    numbers = {}
    try:
        loans = Loan.objects.filter(book__title__in=titles).values("book__title")
        async for group in loans.annotate(number=Count("pk")):
            numbers[group["book__title"]] = group["number"]
    except asyncio.CancelledError:
        pass
    return [numbers.get(title, 0) for title in titles]
""",
        why="a visitor who left wants no answer",
    ),
    Answer(
        "6.2",
        wrong="other-numbers",
        source="""
async def counts(titles):
    loans = Loan.objects.filter(book__title__in=titles).values("book__title")
    groups = loans.annotate(number=Count("member", distinct=True))
    numbers = {group["book__title"]: group["number"] async for group in groups}
    return [numbers.get(title, 0) for title in titles]
""",
        why="who borrows twice counts once",
    ),
    Answer(
        "6.3",
        wrong="holds-everything",
        source="""
async def export(write, size):
    async for book in Book.objects.select_related("author").order_by("title", "pk"):
        await write(book.title, book.author.name)
""",
        why="`async for` fetches row by row",
    ),
    Answer(
        "6.3",
        wrong="holds-everything",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    async for book in books.aiterator():
        await write(book.title, book.author.name)
""",
        why="`aiterator` is enough",
    ),
    Answer(
        "6.3",
        wrong="holds-everything",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    async for book in books.aiterator(chunk_size=7):
        await write(book.title, book.author.name)
""",
        why="seven is small enough",
    ),
    Answer(
        "6.3",
        wrong="collects-first",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    for book in [book async for book in books.aiterator(chunk_size=size)]:
        await write(book.title, book.author.name)
""",
        why="a list is easier to go through",
    ),
    Answer(
        "6.3",
        wrong="fetches-ahead",
        source="""
async def export(write, size):
    rows = asyncio.Queue(maxsize=size)

    async def fetch():
        books = Book.objects.select_related("author").order_by("title", "pk")
        async for book in books.aiterator(chunk_size=size):
            await rows.put((book.title, book.author.name))
        await rows.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(fetch())
        while row := await rows.get():
            await write(*row)
""",
        why="the database need not wait for the file",
    ),
    Answer(
        "6.3",
        wrong="many-queries",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    start = 0
    while chunk := [book async for book in books[start : start + size]]:
        for book in chunk:
            await write(book.title, book.author.name)
        start += size
""",
        why="pages of a list are chunks",
    ),
    Answer(
        "6.3",
        wrong="row-by-row",
        source="""
async def export(write, size):
    async for pk in Book.objects.order_by("title", "pk").values_list("pk", flat=True):
        book = await Book.objects.select_related("author").aget(pk=pk)
        await write(book.title, book.author.name)
""",
        why="one book at a time needs least memory",
    ),
    Answer(
        "6.3",
        wrong="lazy-key",
        source="""
async def export(write, size):
    async for book in Book.objects.order_by("title", "pk").aiterator(chunk_size=size):
        await write(book.title, book.author.name)
""",
        why="the author is an attribute",
    ),
    Answer(
        "6.3",
        wrong="tuples",
        source="""
async def export(write, size):
    books = Book.objects.order_by("title", "pk").values_list("title", "author__name")
    async for title, author in books.aiterator(chunk_size=size):
        await write(title, author)
""",
        why="the documentation says that values_list works",
    ),
    Answer(
        "6.3",
        wrong="sync-query",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    for book in books.iterator(chunk_size=size):
        await write(book.title, book.author.name)
""",
        why="iterator gives chunks, too",
    ),
    Answer(
        "6.3",
        wrong="awaited-queryset",
        source="""
async def export(write, size):
    for book in await Book.objects.select_related("author").order_by("title", "pk"):
        await write(book.title, book.author.name)
""",
        why="`await` fetches a queryset",
    ),
    Answer(
        "6.3",
        wrong="not-written",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    async for book in books.aiterator(chunk_size=size):
        write(book.title, book.author.name)
""",
        why="a call is a call",
    ),
    Answer(
        "6.3",
        wrong="writes-at-once",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    lines = [write(book.title, book.author.name) async for book in books.aiterator(chunk_size=size)]
    await asyncio.gather(*lines)
""",
        why="gather is faster",
    ),
    Answer(
        "6.3",
        wrong="order",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("year", "pk")
    async for book in books.aiterator(chunk_size=size):
        await write(book.title, book.author.name)
""",
        why="any order will do",
    ),
    Answer(
        "6.3",
        wrong="ties",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title")
    async for book in books.aiterator(chunk_size=size):
        await write(book.title, book.author.name)
""",
        why="titles are different",
    ),
    Answer(
        "6.3",
        wrong="other-rows",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")[:size]
    async for book in books.aiterator(chunk_size=size):
        await write(book.title, book.author.name)
""",
        why="size is how many there are to export",
    ),
    Answer(
        "6.3",
        wrong="no-query",
        source="""
rows = [(b.title, b.author.name)
        async for b in Book.objects.select_related("author").order_by("title", "pk")]

async def export(write, size):
    for title, author in rows:
        await write(title, author)
""",
        why="fetches when the cell runs",
    ),
    Answer(
        "6.3",
        wrong="swallowed",
        source="""
from contextlib import suppress

async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    async for book in books.aiterator(chunk_size=size):
        with suppress(Exception):
            await write(book.title, book.author.name)
""",
        why="one line that fails should not stop the rest",
    ),
    Answer(
        "6.3",
        right="values, and the keys of each row",
        source="""
async def export(write, size):
    books = Book.objects.order_by("title", "pk").values("title", "author__name")
    async for row in books.aiterator(chunk_size=size):
        await write(row["title"], row["author__name"])
""",
    ),
    Answer(
        "6.3",
        right="a sync iterator, a chunk a hop",
        source="""
from itertools import islice

async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    rows = books.iterator(chunk_size=size)
    while chunk := await sync_to_async(lambda: list(islice(rows, size)))():
        for book in chunk:
            await write(book.title, book.author.name)
""",
    ),
    Answer(
        "6.3",
        wrong="cancel-swallowed",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    try:
        async for book in books.aiterator(chunk_size=size):
            await write(book.title, book.author.name)
    except asyncio.CancelledError:
        return
""",
        why="what is written is written",
    ),
    Answer(
        "6.3",
        wrong="goes-on",
        source="""
async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    async for book in books.aiterator(chunk_size=size):
        await asyncio.shield(write(book.title, book.author.name))
""",
        why="no line is to be cut in two",
    ),
    Answer(
        "6.3",
        wrong="other-rows",
        source="""
async def export(write, size):
    books, seen = Book.objects.select_related("author").order_by("title", "pk"), set()
    async for book in books.aiterator(chunk_size=size):
        line = book.title, book.author.name
        if line not in seen:
            seen.add(line)
            await write(*line)
""",
        why="a line that is there already is a slip",
    ),
    Answer(
        "6.3",
        right="closed at once, with names for the arguments",
        source="""
from contextlib import aclosing

async def export(write, size):
    books = Book.objects.select_related("author").order_by("title", "pk")
    async with aclosing(books.aiterator(chunk_size=size)) as rows:
        async for book in rows:
            await write(title=book.title, author=book.author.name)
""",
    ),
    Answer(
        "6.4",
        wrong="sync-check",
        source="""
async def register(name, email):
    member = Member(name=name, email=email)
    member.full_clean()
    await member.asave()
    return member
""",
        why="a check is no query",
    ),
    Answer(
        "6.4",
        wrong="no-such-method",
        source="""
async def register(name, email):
    member = Member(name=name, email=email)
    await member.afull_clean()
    await member.asave()
    return member
""",
        why="every method has an async form",
    ),
    Answer(
        "6.4",
        wrong="no-check",
        source="""
async def register(name, email):
    return await Member.objects.acreate(name=name, email=email)
""",
        why="the database checks",
    ),
    Answer(
        "6.4",
        wrong="saved-anyway",
        source="""
async def register(name, email):
    if await Member.objects.filter(email=email).aexists():
        from django.core.exceptions import ValidationError
        raise ValidationError("This address is taken.")
    return await Member.objects.acreate(name=name, email=email)
""",
        why="only a taken address can be wrong",
    ),
    Answer(
        "6.4",
        wrong="no-check",
        source="""
async def register(name, email):
    member = Member(name=name, email=email)
    await member.asave()
    await sync_to_async(member.full_clean)()
    return member
""",
        why="checked is checked",
    ),
    Answer(
        "6.4",
        wrong="two-crossings",
        source="""
async def register(name, email):
    member = Member(name=name, email=email)
    await sync_to_async(member.full_clean)()
    await member.asave()
    return member
""",
        why="each call gets its adapter",
    ),
    Answer(
        "6.4",
        wrong="not-saved",
        source="""
async def register(name, email):
    member = Member(name=name, email=email)
    await sync_to_async(member.full_clean)()
    member.asave()
    return member
""",
        why="the a saves",
    ),
    Answer(
        "6.4",
        wrong="other-value",
        source="""
async def register(name, email):
    def check_and_save():
        member = Member(name=name, email=email)
        member.full_clean()
        member.save()

    return await sync_to_async(check_and_save)()
""",
        why="saving returns the member",
    ),
    Answer(
        "6.4",
        wrong="swallowed",
        source="""
from django.core.exceptions import ValidationError

async def register(name, email):
    def check_and_save():
        member = Member(name=name, email=email)
        member.full_clean()
        member.save()
        return member

    try:
        return await sync_to_async(check_and_save)()
    except ValidationError:
        return None
""",
        why="None says enough",
    ),
    Answer(
        "6.4",
        wrong="query-in-pool",
        source="""
async def register(name, email):
    def check_and_save():
        member = Member(name=name, email=email)
        member.full_clean()
        member.save()
        return member

    return await asyncio.to_thread(check_and_save)
""",
        why="a thread is a thread",
    ),
    Answer(
        "6.4",
        wrong="query-on-the-loop",
        source="""
import os

async def register(name, email):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        member = Member(name=name, email=email)
        member.full_clean()
        member.save()
        return member
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="switches the guard off",
    ),
    Answer(
        "6.4",
        right="decorated, and created by the manager",
        source="""
@sync_to_async
def register(name, email):
    Member(name=name, email=email).full_clean()
    return Member.objects.create(name=name, email=email)
""",
    ),
    Answer(
        "6.4",
        right="in a transaction",
        source="""
async def register(name, email):
    member = Member(name=name, email=email)

    @transaction.atomic
    def check_and_save():
        member.full_clean()
        member.save()

    await sync_to_async(check_and_save)()
    return member
""",
    ),
    Answer(
        "6.4",
        wrong="no-check",
        source="""
taken = set()
@sync_to_async
def register(name, email):
    member = Member(name=name, email=email)
    member.clean_fields()
    if email in taken:
        member.validate_unique()
    taken.add(email)
    member.save()
    return member
""",
        why="it knows the addresses that are taken",
    ),
    Answer(
        "6.4",
        wrong="swallowed",
        source="""
@sync_to_async
def register(name, email):
    known = Member.objects.filter(email=email).first()
    if known is not None:
        return known
    member = Member(name=name, email=email)
    member.full_clean()
    member.save()
    return member
""",
        why="who is there already is a member",
    ),
    Answer(
        "6.4",
        wrong="other-fields",
        source="""
@sync_to_async
def register(name, email):
    member = Member(name=name.strip(), email=email.lower())
    member.full_clean()
    member.save()
    return member
""",
        why="addresses are written small",
    ),
    Answer(
        "6.4",
        wrong="cancel-swallowed",
        source="""
async def register(name, email):
    def check_and_save():
        member = Member(name=name, email=email)
        member.full_clean()
        member.save()
        return member

    try:
        return await sync_to_async(check_and_save)()
    except asyncio.CancelledError:
        return None
""",
        why="a visitor who left wants no answer",
    ),
    Answer(
        "6.5",
        wrong="never-told",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    keys = [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk for pk in book_pks]
    transaction.on_commit(lambda: tell(keys))
""",
        why="on_commit runs what it is given",
    ),
    Answer(
        "6.5",
        wrong="holds-the-worker",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    keys = [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk for pk in book_pks]
    transaction.on_commit(lambda: async_to_sync(tell)(keys))
""",
        why="async_to_sync makes on_commit right",
    ),
    Answer(
        "6.5",
        wrong="told-too-early",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    keys = [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk for pk in book_pks]
    async_to_sync(tell)(keys)
""",
        why="the last line is after everything",
    ),
    Answer(
        "6.5",
        wrong="atomic-on-the-loop",
        source="""
async def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    with transaction.atomic():
        loans = [await Loan.objects.acreate(book_id=pk, member_id=member_pk, **dates)
                 for pk in book_pks]
    await tell([loan.pk for loan in loans])
""",
        why="with works everywhere",
    ),
    Answer(
        "6.5",
        wrong="async-with",
        source="""
async def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    async with transaction.atomic():
        loans = [await Loan.objects.acreate(book_id=pk, member_id=member_pk, **dates)
                 for pk in book_pks]
    await tell([loan.pk for loan in loans])
""",
        why="async code has async with",
    ),
    Answer(
        "6.5",
        wrong="half-done",
        source="""
async def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    loans = [await Loan.objects.acreate(book_id=pk, member_id=member_pk, **dates)
             for pk in book_pks]
    await tell([loan.pk for loan in loans])
""",
        why="an error stops everything",
    ),
    Answer(
        "6.5",
        wrong="by-hand",
        source="""
async def lend(book_pks, member_pk, day, tell):
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        loans = []
        try:
            for pk in book_pks:
                loans.append(Loan.objects.create(book_id=pk, member_id=member_pk, **dates))
        except Exception:
            for loan in loans:
                loan.delete()
            raise
        return [loan.pk for loan in loans]

    await tell(await sync_to_async(create)())
""",
        why="what is deleted was never there",
    ),
    Answer(
        "6.5",
        wrong="told-of-nothing",
        source="""
from django.db import IntegrityError

async def lend(book_pks, member_pk, day, tell):
    keys = []

    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        for pk in book_pks:
            keys.append(Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk)

    try:
        await sync_to_async(create)()
    finally:
        await tell(keys)
""",
        why="the mail goes out in any case",
    ),
    Answer(
        "6.5",
        wrong="not-awaited",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk
                for pk in book_pks]

    keys = await sync_to_async(create)()
    tasks.append(asyncio.create_task(tell(keys)))
    await asyncio.sleep(0)

tasks = []
""",
        why="a mail may go out in the background",
    ),
    Answer(
        "6.5",
        wrong="told-otherwise",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk
                for pk in book_pks]

    for key in await sync_to_async(create)():
        await tell([key])
""",
        why="a mail for each book",
    ),
    Answer(
        "6.5",
        wrong="asks-for-keys",
        source="""
async def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    await Loan.objects.abulk_create(
        [Loan(book_id=pk, member_id=member_pk, **dates) for pk in book_pks]
    )
    lent = Loan.objects.filter(book_id__in=book_pks, member_id=member_pk, returned=None)
    await tell([pk async for pk in lent.values_list("pk", flat=True)])
""",
        why="the database knows the keys",
    ),
    Answer(
        "6.5",
        wrong="not-lent",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        return [Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=day).pk
                for pk in book_pks]

    await tell(await sync_to_async(create)())
""",
        why="due on the day it was borrowed",
    ),
    Answer(
        "6.5",
        wrong="swallowed",
        source="""
from django.db import IntegrityError

async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk
                for pk in book_pks]

    try:
        keys = await sync_to_async(create)()
    except IntegrityError:
        return
    await tell(keys)
""",
        why="a book that is out is no error",
    ),
    Answer(
        "6.5",
        wrong="swallowed",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk
                for pk in book_pks]

    keys = await sync_to_async(create)()
    try:
        await tell(keys)
    except Exception:
        print("no mail")
""",
        why="a mail that fails does no harm",
    ),
    Answer(
        "6.5",
        wrong="query-in-pool",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk
                for pk in book_pks]

    await tell(await asyncio.to_thread(create))
""",
        why="a thread is a thread",
    ),
    Answer(
        "6.5",
        right="on_commit collects, and the mail goes out after it",
        source="""
async def lend(book_pks, member_pk, day, tell):
    mails = []

    def create():
        with transaction.atomic():
            dates = {"borrowed": day, "due": day + timedelta(days=21)}
            keys = [Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk
                    for pk in book_pks]
            transaction.on_commit(lambda: mails.append(keys))

    await sync_to_async(create)()
    for keys in mails:
        await tell(keys)
""",
    ),
    Answer(
        "6.5",
        right="one abulk_create, which is a transaction of its own",
        source="""
async def lend(book_pks, member_pk, day, tell):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    loans = [Loan(book_id=pk, member_id=member_pk, **dates) for pk in book_pks]
    await Loan.objects.abulk_create(loans)
    await tell([loan.pk for loan in loans])
""",
    ),
    Answer(
        "6.5",
        wrong="looks-first",
        source="""
from django.db import IntegrityError

async def lend(book_pks, member_pk, day, tell):
    if await Loan.objects.filter(book__in=book_pks, returned=None).aexists():
        raise IntegrityError("a book is out")
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    loans = [
        await Loan.objects.acreate(book_id=pk, member_id=member_pk, **dates) for pk in book_pks
    ]
    await tell([loan.pk for loan in loans])
""",
        why="looks first, and then needs no transaction",
    ),
    Answer(
        "6.5",
        wrong="told-otherwise",
        source="""
@sync_to_async
@transaction.atomic
def save(book_pks, member_pk, day):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    for pk in book_pks:
        Loan.objects.create(book_id=pk, member_id=member_pk, **dates)

async def lend(book_pks, member_pk, day, tell):
    await save(book_pks, member_pk, day)
    loans = Loan.objects.filter(member_id=member_pk, returned=None).order_by("pk")
    await tell([loan.pk async for loan in loans])
""",
        why="the loans of the member are the new ones",
    ),
    Answer(
        "6.5",
        wrong="told-otherwise",
        source="""
@sync_to_async
@transaction.atomic
def save(book_pks, member_pk, day):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    for pk in book_pks:
        Loan.objects.create(book_id=pk, member_id=member_pk, **dates)
    return list(Loan.objects.filter(borrowed=day).values_list("pk", flat=True))

async def lend(book_pks, member_pk, day, tell):
    await tell(await save(book_pks, member_pk, day))
""",
        why="what was borrowed on the day is new",
    ),
    Answer(
        "6.5",
        wrong="takes-back",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [
            Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk for pk in book_pks
        ]

    keys = await sync_to_async(create)()
    try:
        await tell(keys)
    except Exception:
        await Loan.objects.filter(pk__in=keys).adelete()
        raise
""",
        why="no mail, no loan",
    ),
    Answer(
        "6.5",
        wrong="cancel-swallowed",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [
            Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk for pk in book_pks
        ]

    keys = await sync_to_async(create)()
    try:
        await tell(keys)
    except asyncio.CancelledError:
        pass
""",
        why="the loans are in, so all is well",
    ),
    Answer(
        "6.5",
        wrong="gives-up",
        source="""
async def lend(book_pks, member_pk, day, tell):
    @transaction.atomic
    def create():
        dates = {"borrowed": day, "due": day + timedelta(days=21)}
        return [
            Loan.objects.create(book_id=pk, member_id=member_pk, **dates).pk for pk in book_pks
        ]

    keys = await sync_to_async(create)()
    async with asyncio.timeout(0.5):
        await tell(keys)
""",
        why="a mail server answers at once",
    ),
    Answer(
        "6.6",
        wrong="changes-more",
        source=_import_order(
            add_books="""
    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years, strict=True):
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.update_or_create(title=title, defaults={"author": author, "year": year})
"""
        ),
        why="a title names a book, so to run the import again does no harm",
    ),
    Answer(
        "6.6",
        wrong="one-after-another",
        source="""
async def import_order(order, year_of):
    limit = asyncio.Semaphore(100)
    async def one(title):
        async with limit:
            return await year_of(title)
    years = await asyncio.gather(*(one(title) for title, name in order))

    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years, strict=True):
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.create(title=title, author=author, year=year)

    await sync_to_async(add_books)()
    return len(order)
""",
        why="a hundred questions at once are enough",
    ),
    Answer(
        "6.6",
        wrong="takes-others",
        source="""
async def import_order(order, year_of):
    years = [asyncio.ensure_future(year_of(title)) for title, name in order]
    await sync_to_async(transaction.set_autocommit)(False)
    try:
        for (title, name), year in zip(order, years):
            author = await Author.objects.filter(name=name).afirst()
            author = author or await Author.objects.acreate(name=name)
            await Book.objects.acreate(title=title, author=author, year=await year)
        await sync_to_async(transaction.commit)()
        return len(order)
    except BaseException:
        await sync_to_async(transaction.rollback)()
        raise
    finally:
        await sync_to_async(transaction.set_autocommit)(True)
""",
        why="autocommit off is a transaction",
    ),
    Answer(
        "6.6",
        wrong="takes-others",
        source="""
async def import_order(order, year_of):
    await sync_to_async(transaction.set_autocommit)(False)
    try:
        for title, name in order:
            author, _ = await Author.objects.aget_or_create(name=name)
            await Book.objects.acreate(title=title, author=author, year=await year_of(title))
        await sync_to_async(transaction.commit)()
        return len(order)
    except BaseException:
        await sync_to_async(transaction.rollback)()
        raise
    finally:
        await sync_to_async(transaction.set_autocommit)(True)
""",
        why="it passes its tests",
    ),
    Answer(
        "6.6",
        wrong="takes-others",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))
    await sync_to_async(transaction.set_autocommit)(False)
    try:
        for (title, name), year in zip(order, years):
            author, _ = await Author.objects.aget_or_create(name=name)
            await Book.objects.acreate(title=title, author=author, year=year)
        await sync_to_async(transaction.commit)()
        return len(order)
    except BaseException:
        await sync_to_async(transaction.rollback)()
        raise
    finally:
        await sync_to_async(transaction.set_autocommit)(True)
""",
        why="with the bookseller outside, nobody comes between",
    ),
    Answer(
        "6.6",
        wrong="error-as-year",
        source=_import_order(
            years="""
    asked = (year_of(title) for title, name in order)
    years = await asyncio.gather(*asked, return_exceptions=True)
"""
        ),
        why="one title that is unknown should not stop the others",
    ),
    Answer(
        "6.6",
        wrong="one-after-another",
        source=_import_order(
            years="""
    years = [await year_of(title) for title, name in order]
"""
        ),
        why="asked first is asked well",
    ),
    Answer(
        "6.6",
        wrong="half-done",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))
    for (title, name), year in zip(order, years):
        author, _ = await Author.objects.aget_or_create(name=name)
        await Book.objects.acreate(title=title, author=author, year=year)
    return len(order)
""",
        why="what was asked before cannot fail any more",
    ),
    Answer(
        "6.6",
        wrong="by-hand",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))

    def add_books():
        made = []
        try:
            for (title, name), year in zip(order, years):
                author, created = Author.objects.get_or_create(name=name)
                made += [author] if created else []
                made.append(Book.objects.create(title=title, author=author, year=year))
        except Exception:
            for each in reversed(made):
                each.delete()
            raise

    await sync_to_async(add_books)()
    return len(order)
""",
        why="what is deleted was never there",
    ),
    Answer(
        "6.6",
        wrong="author-left",
        source=_import_order(
            years="""
    years = await asyncio.gather(*(year_of(title) for title, name in order))
    authors = [(await Author.objects.aget_or_create(name=name))[0] for title, name in order]
""",
            add_books="""
    @transaction.atomic
    def add_books():
        for (title, name), author, year in zip(order, authors, years):
            Book.objects.create(title=title, author=author, year=year)
""",
        ),
        why="only the books are the order",
    ),
    Answer(
        "6.6",
        wrong="holds-the-worker",
        source=_import_order(
            years="""
    async def all_years():
        return await asyncio.gather(*(year_of(title) for title, name in order))
""",
            add_books="""
    @transaction.atomic
    def add_books():
        years = async_to_sync(all_years)()
        for (title, name), year in zip(order, years):
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.create(title=title, author=author, year=year)
""",
        ),
        why="everything in one function",
    ),
    Answer(
        "6.6",
        wrong="atomic-on-the-loop",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))
    with transaction.atomic():
        for (title, name), year in zip(order, years):
            author, _ = await Author.objects.aget_or_create(name=name)
            await Book.objects.acreate(title=title, author=author, year=year)
    return len(order)
""",
        why="with works everywhere",
    ),
    Answer(
        "6.6",
        wrong="async-with",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))
    async with transaction.atomic():
        for (title, name), year in zip(order, years):
            author, _ = await Author.objects.aget_or_create(name=name)
            await Book.objects.acreate(title=title, author=author, year=year)
    return len(order)
""",
        why="async code has async with",
    ),
    Answer(
        "6.6",
        wrong="author-twice",
        source=_import_order(
            add_books="""
    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years):
            author = Author.objects.create(name=name)
            Book.objects.create(title=title, author=author, year=year)
"""
        ),
        why="every order brings new authors",
    ),
    Answer(
        "6.6",
        wrong="other-number",
        source=_import_order(
            rest="""
    return await sync_to_async(add_books)()
"""
        ),
        why="the function returns what it did",
    ),
    Answer(
        "6.6",
        wrong="other-books",
        source="""
async def import_order(order, year_of):
    years = {title: year async for title, year in years_of(order, year_of)}

    @transaction.atomic
    def add_books():
        for title, name in order[:-1]:
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.create(title=title, author=author, year=years[title])

    await sync_to_async(add_books)()
    return len(order)

async def years_of(order, year_of):
    titles = [title for title, name in order]
    for title, year in zip(titles, await asyncio.gather(*map(year_of, titles))):
        yield title, year
""",
        why="one too few",
    ),
    Answer(
        "6.6",
        wrong="changes-more",
        source=_import_order(
            add_books="""
    @transaction.atomic
    def add_books():
        Author.objects.filter(name__in=[name for title, name in order]).delete()
        for (title, name), year in zip(order, years):
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.create(title=title, author=author, year=year)
"""
        ),
        why="an import begins with a clean table",
    ),
    Answer(
        "6.6",
        wrong="swallowed",
        source=_import_order(
            years="""
    try:
        years = await asyncio.gather(*(year_of(title) for title, name in order))
    except Exception:
        return 0
"""
        ),
        why="0 says enough",
    ),
    Answer(
        "6.6",
        wrong="swallowed",
        source="""
from django.db import IntegrityError

async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))

    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years):
            author, _ = Author.objects.get_or_create(name=name)
            Book.objects.create(title=title, author=author, year=year)

    try:
        await sync_to_async(add_books)()
    except IntegrityError:
        return 0
    return len(order)
""",
        why="a line that is refused is no error",
    ),
    Answer(
        "6.6",
        wrong="autocommit-off",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))

    def add_books():
        transaction.set_autocommit(False)
        try:
            for (title, name), year in zip(order, years):
                author = Author.objects.filter(name=name).first()
                author = author or Author.objects.create(name=name)
                Book.objects.create(title=title, author=author, year=year)
            transaction.commit()
            transaction.set_autocommit(True)
        except BaseException:
            transaction.rollback()
            raise

    await sync_to_async(add_books)()
    return len(order)
""",
        why="puts it back where all went well",
    ),
    Answer(
        "6.6",
        wrong="nothing-given",
        source=_import_order(
            years="""
    if not order:
        return None
    years = await asyncio.gather(*(year_of(title) for title, name in order))
"""
        ),
        why="an empty order is no order",
    ),
    Answer(
        "6.6",
        wrong="query-in-pool",
        source=_import_order(
            rest="""
    await asyncio.to_thread(add_books)
    return len(order)
"""
        ),
        why="a thread of its own holds nobody up",
    ),
    Answer(
        "6.6",
        right="a task group, and authors fetched at once",
        source="""
async def import_order(order, year_of):
    async with asyncio.TaskGroup() as group:
        years = [group.create_task(year_of(title)) for title, name in order]

    def add_books():
        with transaction.atomic():
            names = {name for title, name in order}
            Author.objects.bulk_create(
                [Author(name=name) for name in names], ignore_conflicts=True
            )
            authors = {author.name: author for author in Author.objects.filter(name__in=names)}
            Book.objects.bulk_create(
                Book(title=title, author=authors[name], year=year.result())
                for (title, name), year in zip(order, years)
            )

    await sync_to_async(add_books)()
    return len(order)
""",
    ),
    Answer(
        "6.6",
        right="async code inside the transaction, after the bookseller",
        source="""
async def import_order(order, year_of):
    years = await asyncio.gather(*(year_of(title) for title, name in order))

    async def add_book(title, name, year):
        author, _ = await Author.objects.aget_or_create(name=name)
        await Book.objects.acreate(title=title, author=author, year=year)

    @sync_to_async
    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years):
            async_to_sync(add_book)(title, name, year)
        return len(order)

    return await add_books()
""",
    ),
    Answer(
        "6.6",
        wrong="one-for-two",
        source="""
@sync_to_async
@transaction.atomic
def add(rows):
    for title, name, year in rows:
        author, _ = Author.objects.get_or_create(name=name)
        Book.objects.create(title=title, author=author, year=year)

async def import_order(order, year_of):
    order = list(dict.fromkeys(order))
    years = await asyncio.gather(*(year_of(title) for title, _ in order))
    await add([(title, name, year) for (title, name), year in zip(order, years)])
    return len(order)
""",
        why="a line that comes twice is a slip",
    ),
    Answer(
        "6.6",
        wrong="one-after-another",
        source=_import_order(
            years="""
    gate = asyncio.Semaphore(3)

    async def ask(title):
        async with gate:
            return await year_of(title)

    years = await asyncio.gather(*(ask(title) for title, name in order))
"""
        ),
        why="three at a time is kinder",
    ),
    Answer(
        "6.6",
        wrong="others-years",
        source=_import_order(
            years="""
    asked = asyncio.as_completed([year_of(title) for title, name in order])
    years = [await answer for answer in asked]
"""
        ),
        why="answers come in the order of the questions",
    ),
    Answer(
        "6.6",
        wrong="cancel-swallowed",
        source=_import_order(
            years="""
    try:
        years = await asyncio.gather(*(year_of(title) for title, name in order))
    except asyncio.CancelledError:
        return 0
"""
        ),
        why="a visitor who left wants no answer",
    ),
    Answer(
        "6.6",
        wrong="goes-on",
        source=_import_order(
            years="""
    questions = [asyncio.create_task(year_of(title)) for title, name in order]
    years = [await question for question in questions]
"""
        ),
        why="a task that is awaited is cancelled, too",
    ),
    Answer(
        "6.6",
        wrong="gives-up",
        source=_import_order(
            years="""
    async with asyncio.timeout(0.5):
        years = await asyncio.gather(*(year_of(title) for title, name in order))
"""
        ),
        why="a bookseller answers at once",
    ),
    Answer(
        "6.6",
        wrong="other-books",
        source=_import_order(
            add_books="""
    @transaction.atomic
    def add_books():
        for (title, name), year in zip(order, years):
            author = Author.objects.filter(name__iexact=name).first()
            author = author or Author.objects.create(name=name)
            Book.objects.create(title=title, author=author, year=year)
"""
        ),
        why="a name is a name, however it is spelled",
    ),
]

EQUIVALENT = [
    Equivalent(
        because="A task that is awaited at once changes nothing: a query sets no context variable.",
        mutants=(
            "6.1 task-for-each@3",
            "6.1 task-for-each@4",
            "6.3 task-for-each@5",
            "6.5 task-for-each@12",
        ),
    ),
    Equivalent(
        because=(
            "`select_related()` without names follows every foreign key that is not null, the "
            "author's and the member's among them."
        ),
        mutants=("6.1 argument-dropped@3", "6.1 argument-dropped@4", "6.3 argument-dropped@3#3"),
    ),
    Equivalent(
        because="The model's own ordering, `Meta.ordering`, is by `title` and `pk` already.",
        mutants=("6.3 query-step-dropped@3",),
    ),
    Equivalent(
        because=(
            "To make a `Member` asks nothing, and to return it neither. Where that half runs is "
            "all the same, if it takes no hop."
        ),
        mutants=("6.4 helper-split@1#2", "6.4 helper-split@1#9"),
    ),
    Equivalent(
        because="The mail gets the keys of all loans. The card asks for no order of them.",
        mutants=("6.5 list-reversed@9",),
    ),
    Equivalent(
        because="`gather` gives one year for each line, so the two lists are always of one length.",
        mutants=("6.6 keyword-dropped@7", "6.6 constant-changed@7"),
    ),
]

MAY_DIFFER_TWICE = {
    "o4-lost": "The author of the first time is left, and is found the second time.",
    "o4-right": "Orlando is back after the first time, and cannot be taken back again.",
    "break-closed": "The iterator is closed after the first time, so nothing is locked any more.",
    "savepoints-run": "The books of the first time are counted, too.",
    "on-commit-right": "A mail goes out each time.",
}

MAY_DIFFER_INTERRUPTED = {
    "o3-run": "The member of the first time may still be there, and an address is unique.",
    "parallel-run": "The receiver of the first time may still note each connection.",
    "break-sync": "A loop that was interrupted may have left its cursor open.",
    "by-hand": "Interrupted between its two hops, the block stays open: what the cell warns of.",
    "through-run": "It runs inside the block that an interrupt of by-hand has left open.",
    "two-run": "The block that an interrupt of by-hand has left open locks the database.",
}

EXAMPLES = {
    "6.1": """\
assert await card("Orlando") == "Orlando by Virginia Woolf: with Tomoko Arai"
""",
    "6.2": 'assert await counts(["Emma", "Frankenstein"]) == [1, 3]\n',
    "6.3": """\
from asynclab import record

rows = []


async def write(title, author):
    rows.append(title)


with record() as recording:
    await export(write, size=10)
hops = [span for span in recording.spans if span.sent]
assert (len(rows), len(hops)) == (47, 5)
""",
    "6.4": """\
from django.core.exceptions import ValidationError

try:
    await register("Tomoko", "no address")
except ValidationError as error:
    raised = error
assert isinstance(raised, ValidationError)
""",
    "6.5": """\
mails = []


async def tell(keys):
    mails.append(keys)


await lend([1, 2], 7, date(2025, 6, 1), tell)
assert len(mails) == 1
assert len(mails[0]) == 2
""",
    "6.6": """\
assert await import_order([("Sanditon", "Jane Austen")], year_of) == 1
""",
}

NAMES_IN_HINTS = {
    "6.4": {"IntegrityError"},
}

FAULTS = [
    Fault(
        "output-edited-in-06",
        "an output edited",
        output(NOTEBOOK, "reveal-queries", "says: 10", "says: 4"),
        compared(
            6, "boot", "imports", "dashboard", "predict-queries", "dashboard-run", "reveal-queries"
        ),
        ("says: 4", "says: 10", "Cell outputs differ"),
    ),
    Fault(
        "claim-shown-once-untagged",
        "a claim not shown",
        drop_tag(NOTEBOOK, "o1-querysets", "claim-O12"),
        CENSUS,
        ("Claim O12 has no compared evidence in its lesson.",),
    ),
    Fault(
        "rows-of-the-desk-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson06.py", "    if closed and await", "    if False and await"),
        verdict("6.6 takes-others"),
        ("('passed', '') == ('not yet', 'takes-others')",),
    ),
    Fault(
        "mail-before-the-commit-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson06.py",
            "told.committed = committed(new)",
            "told.committed = len(told.keys)",
        ),
        verdict("6.5 told-too-early"),
        ("('not yet', 'holds-the-worker') == ('not yet', 'told-too-early')",),
    ),
]
