"""What the tests know of lesson 02."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import CENSUS, compared, complete, rules, verdict
from tests.proof.faults.edits import (
    both,
    drop_answers,
    drop_cell,
    notebook,
    output,
    rename,
    source,
    swap,
    text,
)
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/02_*.ipynb"
SOLUTIONS = "solutions/02_*.ipynb"
CHECKS = "asynclab/lessons/lesson02.py"
OVERDUE = "return await Loan.objects.filter(returned=None, due__lt=day).acount()"

ANSWERS = [
    Answer(
        "2.1",
        wrong="borrowed-connection",
        source="""
from django.db import connections

async def count_overdue(day):
    loops = connections["default"]
    loops.inc_thread_sharing()

    def work():
        own = connections["default"]
        connections["default"] = loops
        try:
            return Loan.objects.filter(returned=None, due__lt=day).count()
        finally:
            connections["default"] = own

    return await sync_to_async(work)()
""",
        why="one connection for all threads saves the others",
    ),
    Answer(
        "2.1",
        wrong="borrowed-connection",
        source="""
from django.db import connections

async def count_overdue(day):
    loops = connections["default"]
    loops.inc_thread_sharing()

    def work():
        with loops.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM library_loan WHERE returned IS NULL AND due < %s", [day]
            )
            return cursor.fetchone()[0]

    return await sync_to_async(work)()
""",
        why="a cursor comes from the connection that I have",
    ),
    Answer(
        "2.1",
        wrong="sync-query",
        source="""
async def count_overdue(day):
    return Loan.objects.filter(returned=None, due__lt=day).count()
""",
        why="`async def` alone makes a query async",
    ),
    Answer(
        "2.1",
        wrong="returned-coroutine",
        source="""
def count_overdue(day):
    return Loan.objects.filter(returned=None, due__lt=day).acount()
""",
        why="the a-method alone runs the query",
    ),
    Answer(
        "2.1",
        wrong="fetches-rows",
        source="""
async def count_overdue(day):
    loans = Loan.objects.filter(returned=None, due__lt=day)
    return len([loan async for loan in loans])
""",
        why="`len` does not work on a queryset, so fetch the rows and count those",
    ),
    Answer(
        "2.1",
        wrong="counts-returned",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(due__lt=day).acount()
""",
        why="overdue is a matter of `due` alone",
    ),
    Answer(
        "2.1",
        wrong="counts-due-today",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(returned=None, due__lte=day).acount()
""",
        why="due today is overdue",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(returned=None).acount()
""",
        why="forgets the day",
    ),
    Answer(
        "2.1",
        wrong="no-query",
        source="""
async def count_overdue(day):
    return 3
""",
        why="copies the number from the example",
    ),
    Answer(
        "2.1",
        wrong="query-in-pool",
        source="""
import asyncio

async def count_overdue(day):
    late = Loan.objects.filter(returned=None, due__lt=day)
    return await asyncio.to_thread(late.count)
""",
        why="`to_thread` is what asyncio has for sync code",
    ),
    Answer(
        "2.1",
        wrong="second-loop",
        source="""
import asyncio

async def count_overdue(day):
    late = Loan.objects.filter(returned=None, due__lt=day)
    return await asyncio.to_thread(lambda: asyncio.run(late.acount()))
""",
        why="`asyncio.run` works where no loop is, so on another thread",
    ),
    Answer(
        "2.1",
        wrong="swallowed",
        source="""
async def count_overdue(day):
    try:
        return await Loan.objects.filter(returned=None, due__lt=day).acount()
    except Exception:
        return 0
""",
        why="no number is as good as zero",
    ),
    Answer(
        "2.1",
        right="sync_to_async",
        source="""
@sync_to_async
def count_overdue(day):
    return Loan.objects.filter(returned__isnull=True, due__lt=day).count()
""",
    ),
    Answer(
        "2.1",
        right="aggregate",
        source="""
from django.db.models import Count

async def count_overdue(day):
    loans = Loan.objects.filter(returned=None).exclude(due__gte=day)
    return (await loans.aaggregate(number=Count("pk")))["number"]
""",
    ),
    Answer(
        "2.1",
        wrong="query-on-the-loop",
        source="""
import os

async def count_overdue(day):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        return Loan.objects.filter(returned=None, due__lt=day).count()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="without the guard there is no error, so all is well",
    ),
    Answer(
        "2.1",
        wrong="query-on-the-loop",
        source="""
import asyncio

async def count_overdue(day):
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return Loan.objects.filter(returned=None, due__lt=day).count()
    finally:
        asyncio._set_running_loop(loop)
""",
        why="the guard asks one question, and this is the answer that it wants",
    ),
    Answer(
        "2.1",
        wrong="waits-on-the-loop",
        source="""
import threading

async def count_overdue(day):
    numbers = []
    loans = Loan.objects.filter(returned=None, due__lt=day)
    thread = threading.Thread(target=lambda: numbers.append(loans.count()))
    thread.start()
    thread.join()
    return numbers[0]
""",
        why="what runs on another thread holds up nobody",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27)).acount()
""",
        why="the example is the exercise",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(returned=None, due__lt=day - timedelta(days=1)).acount()
""",
        why="before the day is until the eve of the eve",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    long_ago = day - timedelta(days=21)
    return await Loan.objects.filter(returned=None, borrowed__lt=long_ago).acount()
""",
        why="every loan is for 21 days",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    number = await Loan.objects.filter(returned=None, due__lt=day).acount()
    return number or None
""",
        why="where nothing is overdue there is no number",
    ),
    Answer(
        "2.1",
        wrong="writes",
        source="""
async def count_overdue(day):
    await Loan.objects.exclude(returned=None).adelete()
    return await Loan.objects.filter(due__lt=day).acount()
""",
        why="what came back need not be kept",
    ),
    Answer(
        "2.1",
        wrong="many-queries",
        source="""
async def count_overdue(day):
    out = Loan.objects.filter(returned=None)
    return await out.acount() - await out.filter(due__gte=day).acount()
""",
        why="what is out and not due later is overdue",
    ),
    Answer(
        "2.1",
        right="SQL",
        source="""
from django.db import connection

@sync_to_async
def count_overdue(day):
    with connection.cursor() as cursor:
        sql = "select count(*) from library_loan where returned is null and due < %s"
        cursor.execute(sql, [day])
        return cursor.fetchone()[0]
""",
    ),
    Answer(
        "2.1",
        wrong="fetches-rows",
        source="""
from django.db.models import Count

async def count_overdue(day):
    loans = Loan.objects.filter(returned=None, due__lt=day).annotate(Count("book"))
    return len([loan async for loan in loans])
""",
        why="where `COUNT` stands in the query, the database counts",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    until = min(day, date.today())
    return await Loan.objects.filter(returned=None, due__lt=until).acount()
""",
        why="nothing is overdue before its day has come",
    ),
    Answer(
        "2.2",
        wrong="loops-on-the-loop",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).select_related("book", "member")
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="select_related is the fix, so the loop may stay",
    ),
    Answer(
        "2.2",
        wrong="awaited-queryset",
        source="""
async def loan_lines():
    loans = await Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="`await` in front of a query makes it async",
    ),
    Answer(
        "2.2",
        wrong="no-query",
        source="""
loans = Loan.objects.filter(returned=None).order_by("due", "pk").select_related("book", "member")
lines = [f"{loan.book}: {loan.member}" async for loan in loans]

async def loan_lines():
    return lines
""",
        why="the list is there already, so give it",
    ),
    Answer(
        "2.2",
        wrong="generator",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    async for loan in loans.select_related("book", "member"):
        yield f"{loan.book}: {loan.member}"
""",
        why="the caller may loop over the lines",
    ),
    Answer(
        "2.2",
        wrong="loops-on-the-loop",
        source="""
async def loan_lines():
    loans = await sync_to_async(Loan.objects.filter)(returned=None)
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="sends the building of the queryset, not its asking",
    ),
    Answer(
        "2.2",
        wrong="lazy-key",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" async for loan in loans]
""",
        why="`async for` is all it takes",
    ),
    Answer(
        "2.2",
        wrong="lazy-key",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk").select_related("book")
    return [f"{loan.book}: {loan.member}" async for loan in loans]
""",
        why="joins one of the two keys",
    ),
    Answer(
        "2.2",
        wrong="query-per-loan",
        source="""
@sync_to_async
def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="no error, so no problem",
    ),
    Answer(
        "2.2",
        wrong="query-per-loan",
        source="""
async def loan_lines():
    lines = []
    async for loan in Loan.objects.filter(returned=None).order_by("due", "pk"):
        book = await Book.objects.aget(pk=loan.book_id)
        member = await Member.objects.aget(pk=loan.member_id)
        lines.append(f"{book}: {member}")
    return lines
""",
        why="each lazy key gets an a-method of its own",
    ),
    Answer(
        "2.2",
        wrong="query-per-table",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    fetched = loans.prefetch_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in fetched]
""",
        why="prefetch_related is select_related for async code",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.order_by("due", "pk").select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in loans]
""",
        why="lists the returned ones too",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("pk")
    return [f"{loan.book}: {loan.member}" async for loan in loans.select_related("book", "member")]
""",
        why="loans come in the order of their keys anyway",
    ),
    Answer(
        "2.2",
        wrong="query-in-pool",
        source="""
import asyncio

async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    return [f"{loan.book}: {loan.member}" for loan in await asyncio.to_thread(list, joined)]
""",
        why="`list` belongs on any other thread",
    ),
    Answer(
        "2.2",
        wrong="swallowed",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    try:
        joined = loans.select_related("book", "member")
        return [f"{loan.book}: {loan.member}" async for loan in joined]
    except Exception:
        return []
""",
        why="an empty list is better than an error",
    ),
    Answer(
        "2.2",
        wrong="no-query",
        source="""
_lines = []

async def loan_lines():
    if not _lines:
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        loans = loans.select_related("book", "member")
        _lines.extend([f"{loan.book}: {loan.member}" async for loan in loans])
    return _lines
""",
        why="what was asked once need not be asked again",
    ),
    Answer(
        "2.2",
        right="values",
        source="""
async def loan_lines():
    rows = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = rows.values_list("book__title", "member__name")
    return [f"{title}: {name}" async for title, name in rows]
""",
    ),
    Answer(
        "2.2",
        right="one sync function",
        source="""
@sync_to_async
def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" for loan in loans.select_related("book", "member")]
""",
    ),
    Answer(
        "2.2",
        wrong="query-on-the-loop",
        source="""
import os

async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        return [f"{loan.book}: {loan.member}" for loan in loans.select_related("book", "member")]
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="without the guard there is no error, so all is well",
    ),
    Answer(
        "2.2",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def loan_lines():
    def work():
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        return [f"{loan.book}: {loan.member}" for loan in loans.select_related("book", "member")]

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()
""",
        why="what runs on another thread holds up nobody",
    ),
    Answer(
        "2.2",
        wrong="second-loop",
        source="""
import asyncio

async def loan_lines():
    async def work():
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        joined = loans.select_related("book", "member")
        return [f"{loan.book}: {loan.member}" async for loan in joined]

    return await asyncio.to_thread(asyncio.run, work())
""",
        why="a loop of one's own disturbs nobody",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    lines = [f"{loan.book}: {loan.member}" async for loan in joined]
    return list(dict.fromkeys(lines))
""",
        why="no line comes twice",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    return [str(loan).replace(" to ", ": ") async for loan in joined]
""",
        why="a loan says nearly the same of itself",
    ),
    Answer(
        "2.2",
        wrong="many-queries",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    if not await loans.aexists():
        return []
    return [f"{loan.book}: {loan.member}" async for loan in loans.select_related("book", "member")]
""",
        why="one has to look first whether there is anything",
    ),
    Answer(
        "2.2",
        wrong="nothing-given",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in joined] or ["No book is out."]
""",
        why="an empty list says nothing",
    ),
    Answer(
        "2.2",
        wrong="writes",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    lines = [f"{loan.book}: {loan.member}" async for loan in joined]
    await Loan.objects.exclude(returned=None).adelete()
    return lines
""",
        why="what came back need not be kept",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "borrowed", "pk")
    joined = loans.select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in joined]
""",
        why="of two that are due on a day, the older loan comes first",
    ),
    Answer(
        "2.3",
        wrong="borrowed-connection",
        source="""
from django.db import connections

async def hand_over(loan_pk, member_pk, day):
    loops = connections["default"]
    loops.inc_thread_sharing()

    def work():
        own = connections["default"]
        connections["default"] = loops
        try:
            with transaction.atomic():
                loan = Loan.objects.get(pk=loan_pk)
                loan.returned = day
                loan.save()
                due = day + timedelta(days=21)
                loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)
        finally:
            connections["default"] = own

    await sync_to_async(work)()
""",
        why="one connection for all threads saves the others",
    ),
    Answer(
        "2.3",
        wrong="half-done",
        source="""
async def hand_over(loan_pk, member_pk, day):
    loan = await Loan.objects.aget(pk=loan_pk)
    loan.returned = day
    await loan.asave()
    await Loan.objects.acreate(
        book_id=loan.book_id, member_id=member_pk, borrowed=day, due=day + timedelta(days=21)
    )
""",
        why="two a-methods are as good as a transaction",
    ),
    Answer(
        "2.3",
        wrong="async-with",
        source="""
async def hand_over(loan_pk, member_pk, day):
    async with transaction.atomic():
        loan = await Loan.objects.aget(pk=loan_pk)
        loan.returned = day
        await loan.asave()
        await Loan.objects.acreate(
            book_id=loan.book_id, member_id=member_pk, borrowed=day, due=day + timedelta(days=21)
        )
""",
        why="everything has an async form",
    ),
    Answer(
        "2.3",
        wrong="atomic-on-the-loop",
        source="""
async def hand_over(loan_pk, member_pk, day):
    with transaction.atomic():
        loan = await Loan.objects.aget(pk=loan_pk)
        loan.returned = day
        await loan.asave()
        await Loan.objects.acreate(
            book_id=loan.book_id, member_id=member_pk, borrowed=day, due=day + timedelta(days=21)
        )
""",
        why="`atomic()` outside, a-methods inside",
    ),
    Answer(
        "2.3",
        wrong="lazy-key",
        source="""
async def hand_over(loan_pk, member_pk, day):
    loan = await Loan.objects.aget(pk=loan_pk)
    loan.returned = day
    await loan.asave()
    due = day + timedelta(days=21)
    await Loan.objects.acreate(book=loan.book, member_id=member_pk, borrowed=day, due=due)
""",
        why="every step has an a-method, so nothing is sync",
    ),
    Answer(
        "2.3",
        wrong="wrong-order",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    loan = Loan.objects.get(pk=loan_pk)
    due = day + timedelta(days=21)
    Loan.objects.create(book=loan.book, member_id=member_pk, borrowed=day, due=due)
    loan.returned = day
    loan.save()
""",
        why="in a transaction two loans may be open for a moment",
    ),
    Answer(
        "2.3",
        wrong="swallowed",
        source="""
@sync_to_async
def hand_over(loan_pk, member_pk, day):
    try:
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            Loan.objects.create(book=loan.book, member_id=member_pk, borrowed=day, due=due)
    except Exception:
        print("It did not work.")
""",
        why="the data is safe, so the error is dealt with",
    ),
    Answer(
        "2.3",
        wrong="not-handed-over",
        source="""
async def hand_over(loan_pk, member_pk, day):
    await Loan.objects.filter(pk=loan_pk).aupdate(member_id=member_pk, due=day)
""",
        why="changes the old loan, and its history with it",
    ),
    Answer(
        "2.3",
        wrong="two-crossings",
        source="""
async def hand_over(loan_pk, member_pk, day):
    loan = await Loan.objects.aget(pk=loan_pk)

    def close_and_open():
        with transaction.atomic():
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await sync_to_async(close_and_open)()
""",
        why="the read needs no transaction, so it can go first",
    ),
    Answer(
        "2.3",
        wrong="reads-outside",
        source="""
async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        with transaction.atomic():
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await sync_to_async(close_and_open)()
""",
        why="only what writes belongs into a transaction",
    ),
    Answer(
        "2.3",
        wrong="query-in-pool",
        source="""
import asyncio

async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await asyncio.to_thread(close_and_open)
""",
        why="a transaction needs a thread without a loop, whichever",
    ),
    Answer(
        "2.3",
        right="decorators",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    loan = Loan.objects.select_for_update().get(pk=loan_pk)
    Loan.objects.filter(pk=loan_pk).update(returned=day)
    due = day + timedelta(days=21)
    Loan.objects.create(book_id=loan.book_id, member_id=member_pk, borrowed=day, due=due)
""",
    ),
    Answer(
        "2.3",
        wrong="half-done",
        source="""
@sync_to_async
def hand_over(loan_pk, member_pk, day):
    member = Member.objects.get(pk=member_pk)
    loan = Loan.objects.get(pk=loan_pk)
    loan.returned = day
    loan.save()
    try:
        member.loans.create(book=loan.book, borrowed=day, due=day + timedelta(days=21))
    except Exception:
        loan.returned = None
        loan.save()
        raise
""",
        why="what went wrong can be put right by hand",
    ),
    Answer(
        "2.3",
        wrong="half-done",
        source="""
@sync_to_async
def close(loan_pk, member_pk, day):
    with transaction.atomic():
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        loan.save()
        member = Member.objects.filter(pk=member_pk).first()
        if member is not None:
            due = day + timedelta(days=21)
            member.loans.create(book=loan.book, borrowed=day, due=due)
        return member

async def hand_over(loan_pk, member_pk, day):
    if await close(loan_pk, member_pk, day) is None:
        raise Member.DoesNotExist(member_pk)
""",
        why="whoever calls gets an exception, from wherever it comes",
    ),
    Answer(
        "2.3",
        wrong="swallowed",
        source="""
@sync_to_async
def hand_over(loan_pk, member_pk, day):
    member = Member.objects.filter(pk=member_pk).first()
    if member is None:
        return False
    with transaction.atomic():
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        loan.save()
        member.loans.create(book=loan.book, borrowed=day, due=day + timedelta(days=21))
    return True
""",
        why="`False` says that it failed",
    ),
    Answer(
        "2.3",
        wrong="changes-more",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    loan = Loan.objects.get(pk=loan_pk)
    Loan.objects.filter(member=loan.member, returned=None).update(returned=day)
    due = day + timedelta(days=21)
    loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)
""",
        why="a member has one book at a time",
    ),
    Answer(
        "2.3",
        wrong="not-handed-over",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    orlando, due = Book.objects.get(title="Orlando"), day + timedelta(days=21)
    Loan.objects.filter(pk=loan_pk).update(returned=day)
    Loan.objects.create(book=orlando, member_id=member_pk, borrowed=day, due=due)
""",
        why="the book in the example is the book",
    ),
    Answer(
        "2.3",
        wrong="query-on-the-loop",
        source="""
import os

async def hand_over(loan_pk, member_pk, day):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="without the guard, `atomic` works in an `async def`",
    ),
    Answer(
        "2.3",
        right="the member is looked up before",
        source="""
class NoSuchMember(Exception):
    pass

@sync_to_async
def hand_over(loan_pk, member_pk, day):
    if not Member.objects.filter(pk=member_pk).exists():
        raise NoSuchMember(member_pk)
    with transaction.atomic():
        Loan.objects.filter(pk=loan_pk).update(returned=day)
        book = Book.objects.get(loans__pk=loan_pk)
        due = day + timedelta(days=21)
        Loan.objects.create(book=book, member_id=member_pk, borrowed=day, due=due)
""",
    ),
    Answer(
        "2.3",
        wrong="not-handed-over",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    loan = Loan.objects.get(pk=loan_pk)
    loan.returned = loan.due = day
    loan.save()
    due = day + timedelta(days=21)
    loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)
""",
        why="what is returned is no longer due",
    ),
    Answer(
        "2.3",
        right="autocommit off, commit and rollback by hand",
        source="""
@sync_to_async
def hand_over(loan_pk, member_pk, day):
    transaction.set_autocommit(False)
    try:
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        loan.save()
        due = day + timedelta(days=21)
        loan.book.loans.create(member=Member.objects.get(pk=member_pk), borrowed=day, due=due)
        transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
    finally:
        transaction.set_autocommit(True)
""",
    ),
    Answer(
        "2.3",
        wrong="changes-more",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    book = Loan.objects.get(pk=loan_pk).book
    book.loans.update(returned=day)
    book.loans.create(member_id=member_pk, borrowed=day, due=day + timedelta(days=21))
""",
        why="a book has one loan",
    ),
    Answer(
        "2.4",
        wrong="borrowed-connection",
        source="""
from django.db import connections

async def greet(request):
    loops = connections["default"]
    loops.inc_thread_sharing()

    def work():
        own = connections["default"]
        connections["default"] = loops
        try:
            user = request.user
            return user.username if user.is_authenticated else "guest"
        finally:
            connections["default"] = own

    return HttpResponse(f"Good evening, {await sync_to_async(work)()}.")
""",
        why="one connection for all threads saves the others",
    ),
    Answer(
        "2.4",
        wrong="lazy-user",
        source="""
async def greet(request):
    name = request.user.username or "guest"
    return HttpResponse(f"Good evening, {name}.")
""",
        why="an attribute is no query",
    ),
    Answer(
        "2.4",
        wrong="awaited-user",
        source="""
async def greet(request):
    user = await request.user
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="`await` makes anything async",
    ),
    Answer(
        "2.4",
        wrong="coroutine-user",
        source="""
async def greet(request):
    user = request.auser()
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="the a-method alone gives the user",
    ),
    Answer(
        "2.4",
        wrong="wrapped-lazy",
        source="""
async def greet(request):
    user = await sync_to_async(lambda: request.user)()
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="what went through sync_to_async is loaded",
    ),
    Answer(
        "2.4",
        wrong="forgot-the-guest",
        source="""
async def greet(request):
    user = await request.auser()
    return HttpResponse(f"Good evening, {user.username}.")
""",
        why="everybody is logged in",
    ),
    Answer(
        "2.4",
        wrong="other-text",
        source="""
async def greet(request):
    user = await request.auser()
    return HttpResponse(f"Good evening, {user}")
""",
        why="loses the full stop",
    ),
    Answer(
        "2.4",
        wrong="second-loop",
        source="""
import asyncio

async def greet(request):
    user = await asyncio.to_thread(lambda: asyncio.run(request.auser()))
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="`auser` needs a loop, so it gets one",
    ),
    Answer(
        "2.4",
        wrong="swallowed",
        source="""
async def greet(request):
    try:
        name = (await request.auser()).username or "guest"
    except Exception:
        name = "guest"
    return HttpResponse(f"Good evening, {name}.")
""",
        why="who cannot be found is a guest",
    ),
    Answer(
        "2.4",
        wrong="trusts-the-session",
        source="""
from django.contrib.auth.models import User

async def greet(request):
    key = await request.session.aget("_auth_user_id")
    user = await User.objects.filter(pk=key).afirst() if key else None
    return HttpResponse(f"Good evening, {user.username if user else 'guest'}.")
""",
        why="the session knows who is logged in",
    ),
    Answer(
        "2.4",
        right="sync_to_async",
        source="""
async def greet(request):
    name = await sync_to_async(lambda: request.user.username)()
    return HttpResponse(f"Good evening, {name or 'guest'}.")
""",
    ),
    Answer(
        "2.4",
        wrong="query-on-the-loop",
        source="""
import os

async def greet(request):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        return HttpResponse(f"Good evening, {request.user.username or 'guest'}.")
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="without the guard there is no error, so all is well",
    ),
    Answer(
        "2.4",
        wrong="waits-on-the-loop",
        source="""
import threading

async def greet(request):
    names = []
    thread = threading.Thread(target=lambda: names.append(request.user.username))
    thread.start()
    thread.join()
    return HttpResponse(f"Good evening, {names[0] or 'guest'}.")
""",
        why="what runs on another thread holds up nobody",
    ),
    Answer(
        "2.4",
        wrong="no-response",
        source="""
async def greet(request):
    user = await request.auser()
    return f"Good evening, {user.username or 'guest'}."
""",
        why="a view returns its page",
    ),
    Answer(
        "2.4",
        wrong="other-status",
        source="""
async def greet(request):
    user = await request.auser()
    status = 200 if user.is_authenticated else 403
    return HttpResponse(f"Good evening, {user.username or 'guest'}.", status=status)
""",
        why="a visitor without a login has done something wrong",
    ),
    Answer(
        "2.4",
        wrong="other-text",
        source="""
async def greet(request):
    user = await request.auser()
    return HttpResponse(f"Good evening, {'amara' if user.is_authenticated else 'guest'}.")
""",
        why="the example is the exercise",
    ),
    Answer(
        "2.4",
        wrong="other-text",
        source="""
users = []

async def greet(request):
    if not users:
        users.append(await request.auser())
    return HttpResponse(f"Good evening, {users[0].username or 'guest'}.")
""",
        why="what was fetched once need not be fetched again",
    ),
    Answer(
        "2.4",
        right="a template's response",
        source="""
from django.template.response import TemplateResponse

async def greet(request):
    user = await request.auser()
    page = engines["django"].from_string("Good evening, {{ name|default:'guest' }}.")
    return TemplateResponse(request, page, {"name": user.username})
""",
    ),
    Answer(
        "2.4",
        wrong="other-text",
        source="""
from django.contrib.auth.models import User

async def greet(request):
    user = await request.auser()
    if user.is_authenticated:
        user = await User.objects.order_by("pk").alast()
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="whoever came last is here",
    ),
    Answer(
        "2.5",
        wrong="no-query",
        source="""
loans = Loan.objects.filter(returned=None).order_by("due", "pk").select_related("book", "member")
loans = [loan async for loan in loans]

async def dashboard(request):
    user = await request.auser()
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="fetches once, when the module is imported",
    ),
    Answer(
        "2.5",
        wrong="awaited-queryset",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = await open_loans.select_related("book", "member")
    context = {"user": await request.auser(), "loans": loans, "count": len(loans)}
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="`await` in front of a query makes it async",
    ),
    Answer(
        "2.5",
        wrong="lazy-user",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans.select_related("book", "member")]
    context = {"user": request.user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="repairs what has a query in its name",
    ),
    Answer(
        "2.5",
        wrong="hidden-query",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    context = {"user": await request.auser(), "loans": loans}
    context["count"] = len(loans)
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="only the user was the problem",
    ),
    Answer(
        "2.5",
        wrong="hidden-query",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = loans.select_related("book", "member")
    context = {"user": await request.auser(), "loans": loans}
    context["count"] = await loans.acount()
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="a count by an a-method brings the rows",
    ),
    Answer(
        "2.5",
        wrong="lazy-context",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = loans.select_related("book", "member")
    context = {"user": await request.auser(), "loans": loans, "count": 6, "first": "Orlando"}
    return HttpResponse(page.render(context))
""",
        why="a queryset in a context is data",
    ),
    Answer(
        "2.5",
        wrong="lazy-key",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans]
    context = {"user": await request.auser(), "loans": loans, "count": len(loans)}
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="rows that are fetched are complete",
    ),
    Answer(
        "2.5",
        wrong="many-queries",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    open_loans = open_loans.select_related("book", "member")
    context = {
        "user": await request.auser(),
        "count": await open_loans.acount(),
        "first": (await open_loans.afirst()).book,
        "loans": [loan async for loan in open_loans],
    }
    return HttpResponse(page.render(context))
""",
        why="an a-method for each trap",
    ),
    Answer(
        "2.5",
        wrong="other-text",
        source="""
async def dashboard(request):
    loans = [loan async for loan in Loan.objects.select_related("book", "member")]
    context = {"user": await request.auser(), "loans": loans}
    context |= {"count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="lists the returned ones too",
    ),
    Answer(
        "2.5",
        wrong="query-in-pool",
        source="""
import asyncio

async def dashboard(request):
    user = await request.auser()
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = await asyncio.to_thread(list, open_loans.select_related("book", "member"))
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="`list` belongs on any other thread",
    ),
    Answer(
        "2.5",
        wrong="second-loop",
        source="""
import asyncio

async def dashboard(request):
    user = await asyncio.to_thread(lambda: asyncio.run(request.auser()))
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans.select_related("book", "member")]
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="`auser` needs a loop, so it gets one",
    ),
    Answer(
        "2.5",
        wrong="swallowed",
        source="""
async def dashboard(request):
    try:
        user = await request.auser()
        open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        loans = [loan async for loan in open_loans.select_related("book", "member")]
        context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
        return HttpResponse(page.render(context))
    except Exception:
        return HttpResponse("Nothing to show.")
""",
        why="an empty page is better than an error",
    ),
    Answer(
        "2.5",
        right="the whole view on the worker",
        source="""
@sync_to_async
def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = list(open_loans.select_related("book", "member"))
    context = {"user": request.user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
    ),
    Answer(
        "2.5",
        wrong="query-on-the-loop",
        source="""
import os

async def dashboard(request):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        loans = list(loans.select_related("book", "member"))
        context = {"user": request.user, "loans": loans}
        context |= {"count": len(loans), "first": loans[0].book}
        return HttpResponse(page.render(context))
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="without the guard there is no error, so all is well",
    ),
    Answer(
        "2.5",
        wrong="waits-on-the-loop",
        source="""
import threading

async def dashboard(request):
    pages = []

    def work():
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        loans = list(loans.select_related("book", "member"))
        context = {"user": request.user, "loans": loans}
        context |= {"count": len(loans), "first": loans[0].book}
        pages.append(HttpResponse(page.render(context)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return pages[0]
""",
        why="what runs on another thread holds up nobody",
    ),
    Answer(
        "2.5",
        wrong="other-text",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in loans.select_related("book", "member")]
    context = {"user": {"username": "amara"}, "loans": loans}
    context |= {"count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="the example is the exercise",
    ),
    Answer(
        "2.5",
        wrong="other-text",
        source="""
async def dashboard(request):
    user = await request.auser()
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in loans.select_related("book", "member")]
    text = f"Dear {user.username}, {len(loans)} books are out, {loans[0].book} longest."
    return HttpResponse(text + "".join([f" {loan.book}: {loan.member}." for loan in loans]))
""",
        why="a template is a text with holes",
    ),
    Answer(
        "2.5",
        wrong="no-query",
        source="""
pages = []

async def dashboard(request):
    if not pages:
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        loans = [loan async for loan in loans.select_related("book", "member")]
        context = {"user": await request.auser(), "loans": loans}
        context |= {"count": len(loans), "first": loans[0].book}
        pages.append(page.render(context))
    return HttpResponse(pages[0])
""",
        why="a page that was made once need not be made again",
    ),
    Answer(
        "2.5",
        wrong="other-text",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in loans.select_related("book", "member")]
    context = {"user": await request.auser(), "loans": loans, "count": len(loans)}
    context["first"] = min(loan.book.title for loan in loans)
    return HttpResponse(page.render(context))
""",
        why="the first one is the first in the alphabet",
    ),
    Answer(
        "2.1",
        wrong="cancel-swallowed",
        source="""
import asyncio

async def count_overdue(day):
    try:
        return await Loan.objects.filter(returned=None, due__lt=day).acount()
    except asyncio.CancelledError:
        return 0
""",
        why="a number on a page must never fail",
    ),
    Answer(
        "2.1",
        wrong="cancel-swallowed",
        source="""
import asyncio

async def count_overdue(day):
    late = Loan.objects.filter(returned=None, due__lt=day)
    task = asyncio.create_task(late.acount())
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            pass
    return task.result()
""",
        why="a query that has begun had better end",
    ),
    Answer(
        "2.2",
        wrong="cancel-swallowed",
        source="""
import asyncio

async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    lines = []
    try:
        async for loan in loans.select_related("book", "member"):
            lines.append(f"{loan.book}: {loan.member}")
    except asyncio.CancelledError:
        pass
    return lines
""",
        why="what has come so far is worth having",
    ),
    Answer(
        "2.2",
        wrong="borrowed-connection",
        source="""
from django.db import connections

async def loan_lines():
    loops = connections["default"]
    loops.inc_thread_sharing()

    def work():
        own = connections["default"]
        connections["default"] = loops
        try:
            loans = Loan.objects.filter(returned=None).order_by("due", "pk")
            joined = loans.select_related("book", "member")
            return [f"{loan.book}: {loan.member}" for loan in joined]
        finally:
            connections["default"] = own

    return await sync_to_async(work)()
""",
        why="one connection for all threads saves the others",
    ),
    Answer(
        "2.3",
        wrong="swallowed",
        source="""
async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            try:
                loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)
            except Exception as error:
                print(error)

    await sync_to_async(close_and_open)()
""",
        why="the transaction is rolled back anyway",
    ),
    Answer(
        "2.3",
        wrong="swallowed",
        source="""
async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        with transaction.atomic():
            loan = Loan.objects.filter(pk=loan_pk).first()
            if loan is None:
                return
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await sync_to_async(close_and_open)()
""",
        why="where no loan is, there is nothing to do",
    ),
    Answer(
        "2.3",
        wrong="cancel-swallowed",
        source="""
import asyncio
from contextlib import suppress

async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    with suppress(asyncio.CancelledError):
        await sync_to_async(close_and_open)()
""",
        why="the worker ends its job all the same",
    ),
    Answer(
        "2.3",
        right="shielded",
        source="""
import asyncio

async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await asyncio.shield(sync_to_async(close_and_open)())
""",
    ),
    Answer(
        "2.4",
        wrong="cancel-swallowed",
        source="""
import asyncio

async def greet(request):
    try:
        user = await request.auser()
    except asyncio.CancelledError:
        return HttpResponse("Good evening, guest.")
    name = user.username if user.is_authenticated else "guest"
    return HttpResponse(f"Good evening, {name}.")
""",
        why="whoever is not known is a guest",
    ),
    Answer(
        "2.5",
        wrong="cancel-swallowed",
        source="""
import asyncio

async def dashboard(request):
    user = await request.auser()
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = []
    try:
        async for loan in open_loans.select_related("book", "member"):
            loans.append(loan)
    except asyncio.CancelledError:
        return HttpResponse("Try again later.")
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="a view always answers",
    ),
    Answer(
        "2.5",
        wrong="borrowed-connection",
        source="""
from django.db import connections

async def dashboard(request):
    loops = connections["default"]
    loops.inc_thread_sharing()

    def work():
        own = connections["default"]
        connections["default"] = loops
        try:
            open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
            loans = list(open_loans.select_related("book", "member"))
            context = {"user": request.user, "loans": loans, "count": len(loans)}
            return HttpResponse(page.render(context | {"first": loans[0].book}))
        finally:
            connections["default"] = own

    return await sync_to_async(work)()
""",
        why="one connection for all threads saves the others",
    ),
    Answer(
        "2.2",
        wrong="not-all",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")[:100]
    joined = loans.select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in joined]
""",
        why="no list is longer than a hundred lines",
    ),
    Answer(
        "2.2",
        wrong="no-query",
        source="""
open_loans = Loan.objects.filter(returned=None).select_related("book", "member")
open_loans = open_loans.order_by("due", "pk")

async def loan_lines():
    return [f"{loan.book}: {loan.member}" async for loan in open_loans]
""",
        why="a queryset is a question, and asks anew each time",
    ),
    Answer(
        "2.3",
        wrong="not-refused",
        source="""
async def hand_over(loan_pk, member_pk, day):
    @transaction.atomic
    def close_and_open():
        loan = Loan.objects.get(pk=loan_pk)
        member = Member.objects.get(pk=member_pk)
        loan.returned = day
        loan.save(update_fields=["returned"])
        Loan.objects.get_or_create(
            book=loan.book,
            returned=None,
            defaults={"member": member, "borrowed": day, "due": day + timedelta(days=21)},
        )

    await sync_to_async(close_and_open)()
""",
        why="`get_or_create` opens a loan if there is none",
    ),
    Answer(
        "2.3",
        wrong="not-refused",
        source="""
async def hand_over(loan_pk, member_pk, day):
    @transaction.atomic
    def close_and_open():
        loan = Loan.objects.select_related("book").get(pk=loan_pk)
        Member.objects.get(pk=member_pk)
        loan.returned = day
        loan.save()
        new = Loan(book=loan.book, member_id=member_pk, borrowed=day, due=day + timedelta(days=21))
        Loan.objects.bulk_create([new], ignore_conflicts=True)

    await sync_to_async(close_and_open)()
""",
        why="a constraint that is ignored does no harm",
    ),
    Answer(
        "2.3",
        wrong="not-refused",
        source="""
async def hand_over(loan_pk, member_pk, day):
    @transaction.atomic
    def close_and_open():
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        loan.save()
        Loan.objects.update_or_create(
            book=loan.book,
            returned=None,
            defaults={"member_id": member_pk, "borrowed": day, "due": day + timedelta(days=21)},
        )

    await sync_to_async(close_and_open)()
""",
        why="whoever gives a book straight to the next must only change the open loan",
    ),
    Answer(
        "2.3",
        wrong="not-handed-over",
        source="""
async def hand_over(loan_pk, member_pk, day):
    @transaction.atomic
    def close_and_open():
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        loan.save()
        due = max(loan.due, day + timedelta(days=21))
        Loan.objects.create(book=loan.book, member_id=member_pk, borrowed=day, due=due)

    await sync_to_async(close_and_open)()
""",
        why="nobody should have a book for a shorter time",
    ),
    Answer(
        "2.4",
        wrong="forgot-the-guest",
        source="""
from django.conf import settings

async def greet(request):
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        user = await request.auser()
        return HttpResponse(f"Good evening, {user.username}.")
    return HttpResponse("Good evening, guest.")
""",
        why="who has a session's cookie is logged in",
    ),
    Answer(
        "2.4",
        wrong="other-text",
        source="""
async def greet(request):
    user = await request.auser()
    name = (user.get_full_name() or user.username) if user.is_authenticated else "guest"
    return HttpResponse(f"Good evening, {name}.")
""",
        why="a user is greeted by the name that people use",
    ),
    Answer(
        "2.4",
        right="no lookup without a cookie",
        source="""
from django.conf import settings

async def greet(request):
    name = "guest"
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        user = await request.auser()
        if user.is_authenticated:
            name = user.username
    return HttpResponse(f"Good evening, {name}.")
""",
    ),
    Answer(
        "2.5",
        wrong="not-all",
        source="""
async def dashboard(request):
    user = await request.auser()
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans.select_related("book", "member")[:100]]
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="no page is longer than a hundred lines",
    ),
    Answer(
        "2.5",
        wrong="mixes-requests",
        source="""
context = {}

async def dashboard(request):
    context["user"] = await request.auser()
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    context["loans"] = [loan async for loan in open_loans.select_related("book", "member")]
    context["count"] = len(context["loans"])
    context["first"] = context["loans"][0].book
    return HttpResponse(page.render(context))
""",
        why="a context is a place that every request fills anew",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "Only a query, a session or a user is awaited here. None of them sets a context "
            "variable, so a task in between changes nothing; a result, an exception and a "
            "cancel pass through it."
        ),
        mutants=("2.1 task-for-each@3", "2.4 task-for-each@3", "2.5 task-for-each@3"),
    ),
    Equivalent(
        because="The model's own ordering, `Meta.ordering`, is by `due` and `pk` already.",
        mutants=("2.2 query-step-dropped@3", "2.5 query-step-dropped@4"),
    ),
    Equivalent(
        because="The order of the foreign keys in `select_related` means nothing.",
        mutants=("2.2 arguments-exchanged@4", "2.5 arguments-exchanged@5"),
    ),
]

MAY_DIFFER_TWICE = {
    "u2-right-jobs": "a loan can be closed once",
}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "2.1": "assert await count_overdue(date(2025, 5, 27)) == 3\n",
    "2.2": 'assert (await loan_lines())[0] == "Orlando: Tomoko Arai"\n',
    "2.3": """\
await hand_over(9, 6, date(2025, 6, 1))
loan = await Loan.objects.select_related("book", "member").alatest("pk")
assert (loan.book.title, loan.member.name) == ("Orlando", "Priya Nair")
assert loan.due == date(2025, 6, 22)
""",
    "2.4": """\
from types import SimpleNamespace

from django.contrib.auth.models import AnonymousUser, User

def request_of(user):
    return SimpleNamespace(auser=sync_to_async(lambda: user))

amara, visitor = request_of(User(username="amara")), request_of(AnonymousUser())
assert (await greet(amara)).text == "Good evening, amara."
assert (await greet(visitor)).text == "Good evening, guest."
""",
    "2.5": """\
from types import SimpleNamespace

from django.contrib.auth.models import User

amara = SimpleNamespace(auser=sync_to_async(lambda: User(username="amara")))
text = "Dear amara, 6 books are out, Orlando longest. Orlando: Tomoko Arai. Treasure Island: ..."
assert (await dashboard(amara)).text.startswith(text.removesuffix("..."))
""",
}

NAMES_IN_HINTS = {"2.4": {"AnonymousUser"}}

FAULTS = [
    Fault(
        "lent-connection-of-two-writes-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson02.py",
            'call = await call_on_own_connections(given, "hand_over"',
            'call = await given.call("hand_over"',
        ),
        verdict("2.3 borrowed-connection"),
        ("('passed', '') == ('not yet', 'borrowed-connection')",),
    ),
    Fault(
        "output-edited-in-02",
        "an output edited",
        output(NOTEBOOK, "first-error", "use a thread or sync_to_async.", "use a thread."),
        compared(2, "boot", "models", "first-error"),
        ("use a thread.", "use a thread or sync_to_async.", "Cell outputs differ"),
    ),
    Fault(
        "claims-cell-deleted",
        "a claim not shown",
        drop_cell(NOTEBOOK, "u5-variable"),
        CENSUS,
        ("Claim U5 has no compared evidence in its lesson.",),
        fast=True,
    ),
    Fault(
        "quotation-with-another-word",
        "a quotation",
        text("notebooks/claims.yml", "a thread where there is", "a task where there is"),
        ("tests/lessons/test_quotations.py::test_the_documentation_says_so[U1-0-6.1]",),
        ("Not below the heading 'Async safety' on topics/async of 6.1: If you try",),
    ),
    Fault(
        "box-says-otherwise",
        "a quotation",
        source(NOTEBOOK, "u1-box", "exactly right", "exactly wrong"),
        ("tests/lessons/test_claims.py::test_the_boxes_of_the_course",),
        ("cell u1-box is not what `authoring boxes` writes",),
    ),
    Fault(
        "error-that-no-cell-shows",
        "a rule of style",
        source(NOTEBOOK, "errors", "object is not iterable", "object is not callable"),
        rules("notebooks/02_synchronous_only_operation"),
        ("no cell of it shows the error TypeError: 'SyncToAsync' object is not callable",),
    ),
    Fault(
        "minutes-understated",
        "a rule of style",
        notebook(NOTEBOOK, lambda found: rename(found, "Time: 45 minutes", "Time: 10 minutes")),
        rules("notebooks/02_synchronous_only_operation"),
        ("states 10 core minutes;",),
    ),
    Fault(
        "stub-already-solved",
        "a stub",
        both(
            source(SOLUTIONS, "exercise-2-1", "    ### BEGIN SOLUTION\n", ""),
            source(SOLUTIONS, "exercise-2-1", "\n    ### END SOLUTION", ""),
        ),
        verdict("2.1 stub"),
        ("('passed', '') == ('not attempted', '')",),
    ),
    Fault(
        "exercise-without-its-cell",
        "a stub",
        drop_cell(SOLUTIONS, "exercise-2-4"),
        ("tests/lessons/test_gate.py::test_every_solution_cell_has_an_exercise[2]",),
        ("'2.4'",),
    ),
    Fault(
        "solution-wrong",
        "an answer",
        source(SOLUTIONS, "exercise-2-1", "due__lt=day", "due__lte=day"),
        verdict("2.1 solution"),
        ("('not yet', 'counts-due-today') == ('passed', '')",),
    ),
    Fault(
        "right-answer-refused",
        "an answer",
        text(
            CHECKS,
            "right):\n        if not any(map(_counts,",
            "right) and False:\n        if not any(map(_counts,",
        ),
        verdict("2.1 aggregate"),
        ("('not yet', 'other-number') == ('passed', '')",),
    ),
    Fault(
        "wrong-answer-forgotten",
        "an answer",
        drop_answers("tests/lessons/lesson02.py", "2.1", "counts-due-today"),
        ("tests/lessons/test_gate.py::test_no_diagnosis_is_dead",),
        ("no wrong answer in tests/lessons earns ['counts-due-today']",),
    ),
    Fault(
        "wrong-answer-to-a-shared-word-forgotten",
        "an answer",
        drop_answers("tests/lessons/lesson02.py", "2.2", "no-query"),
        complete("2.2"),
        ("no answer earns ['no-query']",),
    ),
    Fault(
        "check-accepts-everything",
        "a check",
        text(
            CHECKS,
            "async def loan_lines(given):\n",
            'async def loan_lines(given):\n    return "Well done."\n',
        ),
        verdict("2.2 no-query"),
        ("('passed', '') == ('not yet', 'no-query')",),
    ),
    Fault(
        "diagnoses-swapped",
        "a check",
        swap(CHECKS, '"counts-returned"', '"counts-due-today"'),
        verdict("2.1 counts-returned"),
        ("('not yet', 'counts-due-today') == ('not yet', 'counts-returned')",),
    ),
    Fault(
        "diagnosis-that-nobody-earns",
        "a check",
        text(
            CHECKS,
            "async def loan_lines(given):\n",
            "async def loan_lines(given):\n"
            '    if given is None:\n        raise NotYet("no-reader", "Who are you?")\n',
        ),
        ("tests/lessons/test_gate.py::test_no_diagnosis_is_dead",),
        ("no wrong answer in tests/lessons earns ['no-reader']",),
    ),
    Fault(
        "verdict-gives-the-answer-away",
        "a verdict",
        text(CHECKS, '"how many loans are overdue"', f'"how to write {OVERDUE}"'),
        verdict("2.1 no-query"),
        (f"['{OVERDUE}'] == []",),
    ),
    Fault(
        "hint-removed",
        "a hint",
        text(
            CHECKS,
            '        "Which loans are overdue on a day? Two things must be true of them.",\n',
            "",
        ),
        complete("2.1"),
        ("fewer than three hints",),
    ),
]
