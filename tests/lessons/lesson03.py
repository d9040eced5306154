"""What the tests know of lesson 03."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import CENSUS, compared, rules, verdict
from tests.proof.faults.edits import drop_tag, notebook, output, rename, source, strip_counts, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/03_*.ipynb"
ANSWERS = [
    Answer(
        "3.1",
        wrong="called-too-soon",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter(member_pk, day=day))
    except LookupError:
        return None
""",
        why="sync_to_async takes a call",
    ),
    Answer(
        "3.1",
        wrong="called-too-soon",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter(member_pk, day=day))()
    except LookupError:
        return None
""",
        why="the arguments go where the function is, and the second pair of brackets stays empty",
    ),
    Answer(
        "3.1",
        wrong="on-the-loop",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return letter(member_pk, day=day)
    except LookupError:
        return None
""",
        why="`async def` makes what is inside it async",
    ),
    Answer(
        "3.1",
        wrong="query-in-pool",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await asyncio.to_thread(letter, member_pk, day=day)
    except LookupError:
        return None
""",
        why="a thread is a thread",
    ),
    Answer(
        "3.1",
        wrong="lost-error",
        source="""
async def reminder(letter, member_pk, day):
    try:
        text = sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        return None
    return await text
""",
        why="the error rises where the call is written",
    ),
    Answer(
        "3.1",
        wrong="swallows",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except Exception:
        return None
""",
        why="whatever goes wrong means: no reminder",
    ),
    Answer(
        "3.1",
        wrong="other-text",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except LookupError as error:
        return str(error)
""",
        why="the reason is as good as None",
    ),
    Answer(
        "3.1",
        wrong="returned-coroutine",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        return None
""",
        why="the second pair of brackets runs it",
    ),
    Answer(
        "3.1",
        wrong="other-text",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return "Dear reader, " + await sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        return None
""",
        why="a little politeness does no harm",
    ),
    Answer(
        "3.1",
        wrong="not-called",
        source="""
async def reminder(letter, member_pk, day):
    loans = Loan.objects.filter(member=member_pk, returned=None, due__lt=day)
    titles = [title async for title in loans.values_list("book__title", flat=True)]
    return f"Please bring back {', '.join(titles)}." if titles else None
""",
        why="what is async already needs no adapter, so write it again",
    ),
    Answer(
        "3.1",
        wrong="other-text",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=date(2025, 5, 27))
    except LookupError:
        return None
""",
        why="the day of the example is as good as any",
    ),
    Answer(
        "3.1",
        wrong="swallows",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except (LookupError, ValueError):
        return None
""",
        why="a value that is not there",
    ),
    Answer(
        "3.1",
        wrong="swallows",
        source="""
from django.core.exceptions import ObjectDoesNotExist

async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except (LookupError, ObjectDoesNotExist):
        return None
""",
        why="no row, no letter",
    ),
    Answer(
        "3.1",
        wrong="swallows",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        return None
    except Exception as error:
        return f"No letter: {error}"
""",
        why="the text of an error is an answer too",
    ),
    Answer(
        "3.1",
        wrong="cancel-swallowed",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except (LookupError, asyncio.CancelledError):
        return None
""",
        why="whoever is cancelled needs no letter",
    ),
    Answer(
        "3.1",
        wrong="called-twice",
        source="""
async def reminder(letter, member_pk, day):
    try:
        await sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        return None
    return await sync_to_async(letter)(member_pk, day=day)
""",
        why="look before you leap",
    ),
    Answer(
        "3.1",
        wrong="not-called",
        source="""
letters = {}

async def reminder(letter, member_pk, day):
    if (member_pk, day) not in letters:
        try:
            letters[member_pk, day] = await sync_to_async(letter)(member_pk, day=day)
        except LookupError:
            return None
    return letters[member_pk, day]
""",
        why="what was asked once need not be asked again",
    ),
    Answer(
        "3.1",
        wrong="second-loop",
        source="""
async def reminder(letter, member_pk, day):
    async def ask():
        return await sync_to_async(letter)(member_pk, day=day)

    try:
        return await asyncio.to_thread(asyncio.run, ask())
    except LookupError:
        return None
""",
        why="a thread needs a loop of its own",
    ),
    Answer(
        "3.1",
        wrong="on-the-loop",
        source="""
import os

async def reminder(letter, member_pk, day):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        return letter(member_pk, day=day)
    except LookupError:
        return None
""",
        why="a guard that is off guards nothing",
    ),
    Answer(
        "3.1",
        wrong="called-twice",
        source="""
async def reminder(letter, member_pk, day):
    for attempt in range(3):
        try:
            return await sync_to_async(letter)(member_pk, day=day)
        except LookupError:
            return None
        except OSError as error:
            last = error
    raise last
""",
        why="whoever asks again gets an answer in the end",
    ),
    Answer(
        "3.1",
        wrong="not-called",
        source="""
async def reminder(letter, member_pk, day):
    if not await Member.objects.filter(pk=member_pk).aexists():
        return None
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        return None
""",
        why="who is no member has nothing",
    ),
    Answer(
        "3.1",
        wrong="in-a-group",
        source="""
async def reminder(letter, member_pk, day):
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(sync_to_async(letter)(member_pk, day=day))
    except* LookupError:
        task = None
    return task and task.result()
""",
        why="except* is an except for tasks",
    ),
    Answer(
        "3.1",
        wrong="other-text",
        source="""
async def reminder(letter, member_pk, day):
    try:
        text = await sync_to_async(letter)(member_pk, day=day)
    except LookupError:
        text = ""
    return text or None
""",
        why="a letter without a text is no letter",
    ),
    Answer(
        "3.1",
        right="a decorated function inside",
        source="""
async def reminder(letter, member_pk, day):
    @sync_to_async
    def text_or_none():
        try:
            return letter(member_pk, day=day)
        except LookupError:
            return None

    return await text_or_none()
""",
    ),
    Answer(
        "3.1",
        right="the error as a value",
        source="""
from functools import partial

async def reminder(letter, member_pk, day):
    call = sync_to_async(partial(letter, member_pk, day=day))()
    (found,) = await asyncio.gather(call, return_exceptions=True)
    if isinstance(found, BaseException) and not isinstance(found, LookupError):
        raise found
    return None if isinstance(found, LookupError) else found
""",
    ),
    Answer(
        "3.2",
        wrong="many-queries",
        source="""
async def export(make_csv):
    rows = []
    async for loan in Loan.objects.filter(returned=None).order_by("due", "pk"):
        book = await Book.objects.aget(pk=loan.book_id)
        member = await Member.objects.aget(pk=loan.member_id)
        rows.append((book.title, member.name))
    return await asyncio.to_thread(make_csv, rows)
""",
        why="each row asks for what it needs",
    ),
    Answer(
        "3.2",
        wrong="blocks",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return make_csv(rows)
""",
        why="only queries have to leave the loop",
    ),
    Answer(
        "3.2",
        wrong="blocks",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return await asyncio.to_thread(make_csv(rows))
""",
        why="to_thread takes a call",
    ),
    Answer(
        "3.2",
        wrong="holds-the-worker",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return await sync_to_async(make_csv)(rows)
""",
        why="off the loop is off the loop",
    ),
    Answer(
        "3.2",
        wrong="holds-the-worker",
        source="""
@sync_to_async
def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return make_csv(list(loans.values_list("book__title", "member__name")))
""",
        why="one crossing for everything is best",
    ),
    Answer(
        "3.2",
        wrong="query-in-pool",
        source="""
async def export(make_csv):
    def read_and_make():
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        return make_csv(list(loans.values_list("book__title", "member__name")))

    return await sync_to_async(read_and_make, thread_sensitive=False)()
""",
        why="the whole job may go into the pool",
    ),
    Answer(
        "3.2",
        wrong="lazy-rows",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = loans.values_list("book__title", "member__name")
    return await sync_to_async(make_csv, thread_sensitive=False)(rows)
""",
        why="`values_list` has read the rows",
    ),
    Answer(
        "3.2",
        wrong="sync-query",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = list(loans.values_list("book__title", "member__name"))
    return await sync_to_async(make_csv, thread_sensitive=False)(rows)
""",
        why="a list, so it is read, wherever",
    ),
    Answer(
        "3.2",
        wrong="lazy-key",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [(loan.book.title, loan.member.name) async for loan in loans]
    return await sync_to_async(make_csv, thread_sensitive=False)(rows)
""",
        why="`async for` makes everything in its comprehension async",
    ),
    Answer(
        "3.2",
        wrong="other-rows",
        source="""
async def export(make_csv):
    rows = [row async for row in Loan.objects.values_list("book__title", "member__name")]
    return await sync_to_async(make_csv, thread_sensitive=False)(rows)
""",
        why="exports the returned ones too",
    ),
    Answer(
        "3.2",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    with ThreadPoolExecutor() as pool:
        return pool.submit(make_csv, rows).result()
""",
        why="on a thread of its own it holds up nobody",
    ),
    Answer(
        "3.2",
        wrong="lost-file",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    await asyncio.to_thread(make_csv, rows)
""",
        why="what ran on another thread has its result there",
    ),
    Answer(
        "3.2",
        wrong="not-called",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return "\\n".join(",".join(row) for row in rows)
""",
        why="joins the rows itself",
    ),
    Answer(
        "3.2",
        wrong="swallowed",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    try:
        return await sync_to_async(make_csv, thread_sensitive=False)(rows)
    except Exception:
        return None
""",
        why="an export that fails is an empty export",
    ),
    Answer(
        "3.2",
        wrong="other-rows",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return await sync_to_async(make_csv, thread_sensitive=False)(rows)
""",
        why="one column is order enough",
    ),
    Answer(
        "3.2",
        wrong="holds-the-worker",
        source="""
from concurrent.futures import ThreadPoolExecutor

@sync_to_async
def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = list(loans.values_list("book__title", "member__name"))
    with ThreadPoolExecutor() as pool:
        return pool.submit(make_csv, rows).result()
""",
        why="the pool computes, so the worker is free",
    ),
    Answer(
        "3.2",
        wrong="query-on-the-loop",
        source="""
import os

async def export(make_csv):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = list(loans.values_list("book__title", "member__name"))
    return await asyncio.to_thread(make_csv, rows)
""",
        why="one little query hurts nobody",
    ),
    Answer(
        "3.2",
        wrong="query-elsewhere",
        source="""
async def export(make_csv):
    async def read():
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        return [row async for row in loans.values_list("book__title", "member__name")]

    async with ThreadSensitiveContext():
        rows = await read()
    return await asyncio.to_thread(make_csv, rows)
""",
        why="a thread of its own is as good as the worker",
    ),
    Answer(
        "3.2",
        wrong="made-twice",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    await asyncio.to_thread(make_csv, rows)
    return await asyncio.to_thread(make_csv, rows)
""",
        why="a first run warms it up",
    ),
    Answer(
        "3.2",
        wrong="no-list",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = loans.values_list("book__title", "member__name")
    await sync_to_async(len)(rows)
    return await asyncio.to_thread(make_csv, rows)
""",
        why="a queryset that has asked is a list",
    ),
    Answer(
        "3.2",
        wrong="other-rows",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return await asyncio.to_thread(make_csv, list(dict.fromkeys(rows)))
""",
        why="a title is out once",
    ),
    Answer(
        "3.2",
        wrong="other-rows",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None, due__lt=date(2026, 1, 1)).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return await asyncio.to_thread(make_csv, rows)
""",
        why="what is due later need not be on the list",
    ),
    Answer(
        "3.2",
        wrong="no-query",
        source="""
rows = []

async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    if not rows:
        rows.extend([row async for row in loans.values_list("book__title", "member__name")])
    return await asyncio.to_thread(make_csv, rows)
""",
        why="reads the rows once",
    ),
    Answer(
        "3.2",
        wrong="swallowed",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    try:
        return await asyncio.to_thread(make_csv, rows)
    except Exception as error:
        return f"error: {error}"
""",
        why="the text of an error is a file too",
    ),
    Answer(
        "3.2",
        wrong="writes",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    await Loan.objects.exclude(returned=None).adelete()
    return await asyncio.to_thread(make_csv, rows)
""",
        why="who exports may tidy up",
    ),
    Answer(
        "3.2",
        wrong="holds-the-worker",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    async with ThreadSensitiveContext():
        return await sync_to_async(make_csv)(rows)
""",
        why="a context gives the export a worker of its own",
    ),
    Answer(
        "3.2",
        wrong="cancel-swallowed",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    try:
        return await asyncio.to_thread(make_csv, rows)
    except asyncio.CancelledError:
        return ""
""",
        why="whoever left needs no file",
    ),
    Answer(
        "3.2",
        wrong="not-called",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    if not rows:
        return ""
    return await asyncio.to_thread(make_csv, rows)
""",
        why="no rows, no file",
    ),
    Answer(
        "3.2",
        wrong="swallowed",
        source="""
from django.db import DatabaseError
async def export(make_csv):
    try:
        loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        rows = [row async for row in loans.values_list("book__title", "member__name")]
    except DatabaseError:
        rows = []
    return await asyncio.to_thread(make_csv, rows)
""",
        why="a database that is away has no rows",
    ),
    Answer(
        "3.2",
        wrong="lost-file",
        source="""
async def export(make_csv):
    pairs = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in pairs.values_list("book__title", "member__name")]
    return await asyncio.to_thread(make_csv, rows) or None
""",
        why="an empty file is no file",
    ),
    Answer(
        "3.2",
        wrong="swallowed",
        source="""
async def export(make_csv):
    pairs = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in pairs.values_list("book__title", "member__name")]
    try:
        return await asyncio.to_thread(make_csv, rows)
    except ValueError:
        return ""
""",
        why="a value that cannot be written makes an empty file",
    ),
    Answer(
        "3.2",
        right="to_thread, and a list fetched by sync_to_async",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = await sync_to_async(list)(loans.values_list("book__title", "member__name"))
    return await asyncio.to_thread(make_csv, rows)
""",
    ),
    Answer(
        "3.2",
        right="a thread of its own, and a future of the loop",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    loop = asyncio.get_running_loop()
    file = loop.create_future()

    def work():
        try:
            loop.call_soon_threadsafe(file.set_result, make_csv(rows))
        except Exception as error:
            loop.call_soon_threadsafe(file.set_exception, error)

    threading.Thread(target=work).start()
    return await file
""",
    ),
    Answer(
        "3.3",
        wrong="database-locked",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="one crossing, one transaction: nothing can come between",
    ),
    Answer(
        "3.3",
        wrong="check-then-act",
        source="""
async def lend(book_pks, member_pk, day):
    out = await Loan.objects.filter(member=member_pk, returned=None).acount()
    if out + len(book_pks) > 3:
        raise LimitReached

    @sync_to_async
    @transaction.atomic
    def create():
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)

    await create()
""",
        why="what was counted a moment ago still holds",
    ),
    Answer(
        "3.3",
        wrong="check-then-act",
        source="""
@sync_to_async
def lend(book_pks, member_pk, day):
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    with transaction.atomic():
        Member.objects.filter(pk=member_pk).update(name=F("name"))
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="the lock is taken where the writing begins",
    ),
    Answer(
        "3.3",
        wrong="check-then-act",
        source="""
@sync_to_async
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    with transaction.atomic():
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="an update locks the row for as long as the function runs",
    ),
    Answer(
        "3.3",
        wrong="no-such-lock",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.select_for_update().get(pk=member_pk)
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="select_for_update locks the row, whatever the database is",
    ),
    Answer(
        "3.3",
        wrong="database-locked",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    member = Member.objects.get(pk=member_pk)
    member.save()
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a row that is saved is locked from the moment it was read",
    ),
    Answer(
        "3.3",
        wrong="one-process",
        source="""
desk = threading.Lock()

@sync_to_async
def lend(book_pks, member_pk, day):
    with desk, transaction.atomic():
        out = Loan.objects.filter(member=member_pk, returned=None).count()
        if out + len(book_pks) > 3:
            raise LimitReached
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a lock of threading keeps the workers apart",
    ),
    Answer(
        "3.3",
        wrong="one-process",
        source="""
desk = asyncio.Lock()

async def lend(book_pks, member_pk, day):
    @transaction.atomic
    def create():
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)

    async with desk:
        out = await Loan.objects.filter(member=member_pk, returned=None).acount()
        if out + len(book_pks) > 3:
            raise LimitReached
        await sync_to_async(create)()
""",
        why="a lock of asyncio around it keeps the desks apart",
    ),
    Answer(
        "3.3",
        wrong="only-on-sqlite",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    loans = [Loan(book_id=pk, member_id=member_pk, **dates) for pk in book_pks]
    Loan.objects.bulk_create(loans)
    if Loan.objects.filter(member=member_pk, returned=None).count() > 3:
        raise LimitReached
""",
        why="whoever writes first and counts afterwards is safe",
    ),
    Answer(
        "3.3",
        wrong="locks-everybody",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.update(name=F("name"))
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a lock is a lock",
    ),
    Answer(
        "3.3",
        wrong="half-done",
        source="""
@sync_to_async
def lend(book_pks, member_pk, day):
    with transaction.atomic():
        Member.objects.filter(pk=member_pk).update(name=F("name"))
        out = Loan.objects.filter(member=member_pk, returned=None).count()
        if out + len(book_pks) > 3:
            raise LimitReached
        first, *others = book_pks
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=first, member_id=member_pk, borrowed=day, due=due)
    for pk in others:
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="what belongs together is a matter of one crossing",
    ),
    Answer(
        "3.3",
        wrong="swallowed",
        source="""
from django.db import IntegrityError

@sync_to_async
def lend(book_pks, member_pk, day):
    try:
        with transaction.atomic():
            Member.objects.filter(pk=member_pk).update(name=F("name"))
            out = Loan.objects.filter(member=member_pk, returned=None).count()
            if out + len(book_pks) > 3:
                raise LimitReached
            for pk in book_pks:
                due = day + timedelta(days=21)
                Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
    except IntegrityError:
        pass
""",
        why="nothing was written, so nothing has to be said",
    ),
    Answer(
        "3.3",
        wrong="no-limit",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    if len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="the limit is for one visit",
    ),
    Answer(
        "3.3",
        wrong="no-limit",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 4:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="the limit is passed when there are more than three before",
    ),
    Answer(
        "3.3",
        wrong="too-strict",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    if Loan.objects.filter(member=member_pk, returned=None).count() + len(book_pks) >= 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="three are too many",
    ),
    Answer(
        "3.3",
        wrong="async-with",
        source="""
async def lend(book_pks, member_pk, day):
    async with transaction.atomic():
        out = await Loan.objects.filter(member=member_pk, returned=None).acount()
        if out + len(book_pks) > 3:
            raise LimitReached
        for pk in book_pks:
            due = day + timedelta(days=21)
            await Loan.objects.acreate(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="everything has an async form",
    ),
    Answer(
        "3.3",
        wrong="atomic-on-the-loop",
        source="""
async def lend(book_pks, member_pk, day):
    with transaction.atomic():
        out = await Loan.objects.filter(member=member_pk, returned=None).acount()
        if out + len(book_pks) > 3:
            raise LimitReached
        for pk in book_pks:
            due = day + timedelta(days=21)
            await Loan.objects.acreate(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="`atomic()` outside, a-methods inside",
    ),
    Answer(
        "3.3",
        wrong="query-in-pool",
        source="""
@sync_to_async(thread_sensitive=False)
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a transaction is safe on any thread",
    ),
    Answer(
        "3.3",
        wrong="not-lent",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=day)
""",
        why="forgets the 21 days",
    ),
    Answer(
        "3.3",
        wrong="silent",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    if Loan.objects.filter(member=member_pk, returned=None).count() + len(book_pks) > 3:
        return False
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a bool says it as well",
    ),
    Answer(
        "3.3",
        wrong="no-limit",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    if Loan.objects.filter(member=member_pk, returned=None).count() >= 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="whoever has less than three may borrow",
    ),
    Answer(
        "3.3",
        wrong="too-strict",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    if Loan.objects.filter(member=member_pk).count() + len(book_pks) > 1:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="whoever has borrowed three books has had three",
    ),
    Answer(
        "3.3",
        wrong="only-on-sqlite",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=7).update(name=F("name"))
    if Loan.objects.filter(member=member_pk, returned=None).count() + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="any row will do",
    ),
    Answer(
        "3.3",
        wrong="changes-the-member",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name="at the desk")
    if Loan.objects.filter(member=member_pk, returned=None).count() + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a lock has to be visible",
    ),
    Answer(
        "3.3",
        wrong="other-error",
        source="""
from django.db import IntegrityError

@sync_to_async
def lend(book_pks, member_pk, day):
    try:
        with transaction.atomic():
            Member.objects.filter(pk=member_pk).update(name=F("name"))
            out = Loan.objects.filter(member=member_pk, returned=None).count()
            if out + len(book_pks) > 3:
                raise LimitReached
            for pk in book_pks:
                due = day + timedelta(days=21)
                Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
    except IntegrityError:
        raise LimitReached
""",
        why="whatever cannot be lent is beyond the limit",
    ),
    Answer(
        "3.3",
        wrong="query-on-the-loop",
        source="""
import os

async def lend(book_pks, member_pk, day):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with transaction.atomic():
        Member.objects.filter(pk=member_pk).update(name=F("name"))
        out = Loan.objects.filter(member=member_pk, returned=None).count()
        if out + len(book_pks) > 3:
            raise LimitReached
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="a transaction has to be on the thread that asks for it",
    ),
    Answer(
        "3.3",
        wrong="no-limit",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    loans = Loan.objects.filter(member=member_pk, returned=None, due__gte=day)
    if loans.count() + len(book_pks) > 3:
        raise LimitReached
    for pk in book_pks:
        due = day + timedelta(days=21)
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="what is overdue is not out",
    ),
    Answer(
        "3.3",
        wrong="silent",
        source="""
from contextlib import suppress
@sync_to_async
def lend(book_pks, member_pk, day):
    with suppress(LimitReached), transaction.atomic():
        Member.objects.filter(pk=member_pk).update(name=F("name"))
        out = Loan.objects.filter(member=member_pk, returned=None).count()
        if out + len(book_pks) > 3:
            raise LimitReached
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="nothing was lent, so nothing has to be said",
    ),
    Answer(
        "3.3",
        wrong="swallowed",
        source="""
from django.db import DatabaseError, IntegrityError

@sync_to_async
def lend(book_pks, member_pk, day):
    try:
        with transaction.atomic():
            Member.objects.filter(pk=member_pk).update(name=F("name"))
            out = Loan.objects.filter(member=member_pk, returned=None).count()
            if out + len(book_pks) > 3:
                raise LimitReached
            for pk in book_pks:
                due = day + timedelta(days=21)
                Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
    except IntegrityError:
        raise
    except DatabaseError:
        return False
""",
        why="whatever the database says, nothing was lent",
    ),
    Answer(
        "3.3",
        wrong="too-strict",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(name=F("name"))
    out = Loan.objects.filter(member=member_pk, returned=None).count()
    if out + max(len(book_pks), 1) > 3:
        raise LimitReached
    due = day + timedelta(days=21)
    for pk in book_pks:
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="whoever has three books has nothing to look for at the desk",
    ),
    Answer(
        "3.3",
        right="decorators, another column, and bulk_create",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    Member.objects.filter(pk=member_pk).update(email=F("email"))
    if Loan.objects.filter(member=member_pk, returned=None).count() > 3 - len(book_pks):
        raise LimitReached
    dates = {"borrowed": day, "due": day + timedelta(days=21)}
    loans = [Loan(book_id=pk, member_id=member_pk, **dates) for pk in book_pks]
    Loan.objects.bulk_create(loans)
""",
    ),
    Answer(
        "3.3",
        right="a look at the member first, outside of the transaction",
        source="""
@sync_to_async
def lend(book_pks, member_pk, day):
    member = Member.objects.get(pk=member_pk)
    with transaction.atomic():
        member.save()
        if member.loans.filter(returned=None).count() + len(book_pks) > 3:
            raise LimitReached
        for pk in book_pks:
            member.loans.create(book_id=pk, borrowed=day, due=day + timedelta(days=21))
""",
    ),
    Answer(
        "3.3",
        right="SQL, books lent before they are counted, and set_rollback",
        source="""
async def lend(book_pks, member_pk, day):
    def work():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("update library_member set name = name where id = %s", [member_pk])
            for pk in book_pks:
                due = day + timedelta(days=21)
                Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
            fits = Loan.objects.filter(member=member_pk, returned=None).count() <= 3
            transaction.set_rollback(not fits)
        if not fits:
            raise LimitReached

    await sync_to_async(work)()
""",
    ),
    Answer(
        "3.3",
        right="a count before the lock, and one that counts",
        source="""
@sync_to_async
def lend(book_pks, member_pk, day):
    def full():
        out = Loan.objects.filter(member=member_pk, returned=None).count()
        return out + len(book_pks) > 3

    if full():
        raise LimitReached
    with transaction.atomic():
        Member.objects.filter(pk=member_pk).update(name=F("name"))
        if full():
            raise LimitReached
        for pk in book_pks:
            due = day + timedelta(days=21)
            Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
    ),
    Answer(
        "3.3",
        wrong="only-on-sqlite",
        source="""
@sync_to_async
@transaction.atomic
def lend(book_pks, member_pk, day):
    out = Loan.objects.filter(member=member_pk, returned=None).update(due=F("due"))
    if out + len(book_pks) > 3:
        raise LimitReached
    due = day + timedelta(days=21)
    for pk in book_pks:
        Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)
""",
        why="an update of the open loans locks them, and tells how many they are",
    ),
    Answer(
        "3.4",
        wrong="queue",
        source="""
async def stock(count, branches):
    return await asyncio.gather(*[sync_to_async(count)(branch) for branch in branches])
""",
        why="gather runs its calls in parallel",
    ),
    Answer(
        "3.4",
        wrong="one-context",
        source="""
async def stock(count, branches):
    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async with ThreadSensitiveContext():
        calls = [sync_to_async(count_and_close)(branch) for branch in branches]
        return await asyncio.gather(*calls)
""",
        why="a context makes what is inside it parallel",
    ),
    Answer(
        "3.4",
        wrong="unbounded",
        source="""
async def stock(count, branches):
    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="the more at once, the better",
    ),
    Answer(
        "3.4",
        wrong="unbounded",
        source="""
async def stock(count, branches):
    async def ask(branch):
        async with asyncio.Semaphore(3), ThreadSensitiveContext():
            return await sync_to_async(count)(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="a semaphore for each branch bounds them all",
    ),
    Answer(
        "3.4",
        wrong="leaves-open",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            return await sync_to_async(count)(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="the context closes what was opened in it",
    ),
    Answer(
        "3.4",
        wrong="closes-elsewhere",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            number = await sync_to_async(count)(branch)
        await sync_to_async(connection.close)()
        return number

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="`connection` is the same everywhere",
    ),
    Answer(
        "3.4",
        wrong="leaves-open",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def close():
        connection.close()

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            number = await sync_to_async(count)(branch)
        await sync_to_async(close)()
        return number

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="closes after the context, and so on another thread",
    ),
    Answer(
        "3.4",
        wrong="fewer",
        source="""
async def stock(count, branches):
    two = asyncio.Semaphore(2)

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with two, ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="the loop's thread counts as the third",
    ),
    Answer(
        "3.4",
        wrong="order",
        source="""
async def stock(count, branches):
    three, counts = asyncio.Semaphore(3), []

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            counts.insert(0, await sync_to_async(count_and_close)(branch))

    await asyncio.gather(*[ask(branch) for branch in branches])
    return counts
""",
        why="collects the answers as they come",
    ),
    Answer(
        "3.4",
        wrong="other-counts",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    return sum(await asyncio.gather(*[ask(branch) for branch in branches]))
""",
        why="the sum is what is needed in the end",
    ),
    Answer(
        "3.4",
        wrong="on-the-loop",
        source="""
async def stock(count, branches):
    async def ask(branch):
        async with ThreadSensitiveContext():
            return count(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="inside a context a function runs on the context's thread",
    ),
    Answer(
        "3.4",
        wrong="not-called",
        source="""
async def stock(count, branches):
    return [await Book.objects.acount() for branch in branches]
""",
        why="counts the books that are at hand",
    ),
    Answer(
        "3.4",
        wrong="swallowed",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches], return_exceptions=True)
""",
        why="one branch that fails must not spoil the list",
    ),
    Answer(
        "3.4",
        wrong="open-after-error",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        number = count(branch)
        connection.close()
        return number

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="the connection is closed when the count is done",
    ),
    Answer(
        "3.4",
        wrong="one-by-one",
        source="""
async def stock(count, branches):
    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    return [await asyncio.to_thread(count_and_close, branch) for branch in branches]
""",
        why="to_thread is parallel",
    ),
    Answer(
        "3.4",
        wrong="one-by-one",
        source="""
async def stock(count, branches):
    return [await sync_to_async(count)(branch) for branch in branches]
""",
        why="the loop goes on, so the branches do",
    ),
    Answer(
        "3.4",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def stock(count, branches):
    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(count_and_close, branches))
""",
        why="a pool of three asks three at a time",
    ),
    Answer(
        "3.4",
        wrong="unbounded",
        source="""
async def stock(count, branches):
    three = threading.Semaphore(3)

    def count_and_close(branch):
        try:
            with three:
                return count(branch)
        finally:
            connection.close()

    return await asyncio.gather(*[asyncio.to_thread(count_and_close, each) for each in branches])
""",
        why="three count at a time, and closing is no counting",
    ),
    Answer(
        "3.4",
        wrong="other-counts",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with three:
            return await asyncio.to_thread(count_and_close, branch)

    return await asyncio.gather(*[ask(branch) for branch in dict.fromkeys(branches)])
""",
        why="a branch is asked once",
    ),
    Answer(
        "3.4",
        wrong="nothing-given",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def stock(count, branches):
    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    with ThreadPoolExecutor(min(3, len(branches))) as pool:
        ask = sync_to_async(count_and_close, thread_sensitive=False, executor=pool)
        return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="no more threads than branches",
    ),
    Answer(
        "3.4",
        wrong="asked-twice",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)
    def ask(branch):
        try:
            count(branch)
            return count(branch)
        finally:
            connection.close()
    async def one(branch):
        async with three:
            return await asyncio.to_thread(ask, branch)
    return await asyncio.gather(*[one(b) for b in branches])
""",
        why="the first answer may be stale",
    ),
    Answer(
        "3.4",
        wrong="cancel-swallowed",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)
    def ask(branch):
        try:
            return count(branch)
        finally:
            connection.close()
    async def one(branch):
        async with three:
            return await asyncio.to_thread(ask, branch)
    try:
        return await asyncio.gather(*[one(b) for b in branches])
    except asyncio.CancelledError:
        return []
""",
        why="whoever stops the night's work wants what there is",
    ),
    Answer(
        "3.4",
        wrong="unbounded",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)
    def close():
        connection.close()
    async def one(branch):
        async with ThreadSensitiveContext():
            try:
                async with three:
                    return await sync_to_async(count)(branch)
            finally:
                await sync_to_async(close)()
    return await asyncio.gather(*[one(b) for b in branches])
""",
        why="what has answered is done",
    ),
    # The card asks for three at the same time, and never more; not for a third in each moment.
    Answer(
        "3.4",
        wrong="swallowed",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def ask(branch):
        try:
            return count(branch)
        except OSError:
            return 0
        finally:
            connection.close()

    async def one(branch):
        async with three:
            return await asyncio.to_thread(ask, branch)

    return await asyncio.gather(*map(one, branches))
""",
        why="a branch that cannot be reached has no books",
    ),
    Answer(
        "3.4",
        wrong="other-counts",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def ask(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def one(branch):
        async with three:
            return await asyncio.to_thread(ask, branch)

    return [number for number in await asyncio.gather(*map(one, branches)) if number]
""",
        why="no number, no answer",
    ),
    Answer(
        "3.4",
        wrong="in-batches",
        source="""
async def stock(count, branches):
    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    counts, ask = [], sync_to_async(count_and_close, thread_sensitive=False)
    for start in range(0, len(branches), 3):
        counts += await asyncio.gather(*[ask(each) for each in branches[start : start + 3]])
    return counts
""",
        why="a batch of three is three at a time",
    ),
    Answer(
        "3.4",
        right="three that take the next branch, in a pool of three",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def stock(count, branches):
    loop = asyncio.get_running_loop()
    counts, left = [None] * len(branches), iter(enumerate(branches))

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask_on(pool):
        for place, branch in left:
            counts[place] = await loop.run_in_executor(pool, count_and_close, branch)

    with ThreadPoolExecutor(3) as pool:
        await asyncio.gather(ask_on(pool), ask_on(pool), ask_on(pool))
    return counts
""",
    ),
    Answer(
        "3.4",
        right="one semaphore for the module",
        source="""
_three = asyncio.Semaphore(3)
async def stock(count, branches):
    def ask(branch):
        try:
            return count(branch)
        finally:
            connection.close()
    async def one(branch):
        async with _three:
            return await asyncio.to_thread(ask, branch)
    return await asyncio.gather(*[one(b) for b in branches])
""",
    ),
    Answer(
        "3.4",
        wrong="open-after-error",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        number = count(branch)
        connection.close()
        return number

    async def ask(branch):
        async with three:
            return await sync_to_async(count_and_close, thread_sensitive=False)(branch)

    return await asyncio.gather(*map(ask, branches))
""",
        why="close when you have the number",
    ),
    Answer(
        "3.5",
        wrong="goes-on",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                take_back(pk, day)

    await asyncio.wait_for(sync_to_async(all_or_none)(), seconds)
""",
        why="wait_for stops what it waits for",
    ),
    Answer(
        "3.5",
        wrong="goes-on",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)

    async with asyncio.timeout(seconds):
        await all_or_none()
""",
        why="asyncio.timeout rolls the transaction back",
    ),
    Answer(
        "3.5",
        wrong="half-done",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    async with asyncio.timeout(seconds):
        for pk in loan_pks:
            await sync_to_async(take_back)(pk, day)
""",
        why="a crossing for each book can be stopped between two",
    ),
    Answer(
        "3.5",
        wrong="half-done",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def until_stopped():
        for pk in loan_pks:
            if stop.is_set():
                raise TimeoutError
            take_back(pk, day)

    job = asyncio.create_task(sync_to_async(until_stopped)())
    await asyncio.wait([job], timeout=seconds)
    stop.set()
    await job
""",
        why="what is stopped has done nothing",
    ),
    Answer(
        "3.5",
        wrong="not-awaited",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                if stop.is_set():
                    raise TimeoutError
                take_back(pk, day)

    try:
        await asyncio.wait_for(sync_to_async(all_or_none)(), seconds)
    except TimeoutError:
        stop.set()
        raise
""",
        why="a flag that is set has been seen",
    ),
    Answer(
        "3.5",
        wrong="no-timeout",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)

    await all_or_none()
""",
        why="all or none, whenever",
    ),
    Answer(
        "3.5",
        wrong="no-timeout",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                if stop.is_set():
                    transaction.set_rollback(True)
                    return
                take_back(pk, day)

    job = asyncio.create_task(sync_to_async(all_or_none)())
    await asyncio.wait([job], timeout=seconds)
    stop.set()
    await job
""",
        why="the caller sees for himself that nothing was done",
    ),
    Answer(
        "3.5",
        wrong="query-in-pool",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                take_back(pk, day)

    await asyncio.wait_for(asyncio.to_thread(all_or_none), seconds)
""",
        why="a thread of the pool can be stopped",
    ),
    Answer(
        "3.5",
        wrong="atomic-on-the-loop",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    async with asyncio.timeout(seconds):
        with transaction.atomic():
            for pk in loan_pks:
                await sync_to_async(take_back)(pk, day)
""",
        why="the timeout leaves `atomic()`, and that undoes everything",
    ),
    Answer(
        "3.5",
        wrong="not-taken-back",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    @sync_to_async
    @transaction.atomic
    def all_or_none():
        take_back(loan_pks[0], day)

    await asyncio.wait_for(all_or_none(), seconds)
""",
        why="begins with the first book",
    ),
    Answer(
        "3.5",
        wrong="second-loop",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                if stop.is_set():
                    raise TimeoutError
                take_back(pk, day)

    async def wait_and_stop():
        await asyncio.sleep(0)

    job = asyncio.create_task(sync_to_async(all_or_none)())
    await asyncio.to_thread(lambda: asyncio.run(wait_and_stop()))
    await asyncio.wait([job], timeout=seconds)
    stop.set()
    await job
""",
        why="waiting for the job belongs on another thread",
    ),
    Answer(
        "3.5",
        wrong="not-after-the-last",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            if monotonic() > deadline:
                raise TimeoutError
            take_back(pk, day)

    await all_or_none()
""",
        why="who looks before each book has looked at all of them",
    ),
    Answer(
        "3.5",
        wrong="not-called",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        Loan.objects.filter(pk__in=loan_pks).update(returned=day)
        if monotonic() > deadline:
            raise TimeoutError

    await all_or_none()
""",
        why="closing a loan is an update",
    ),
    Answer(
        "3.5",
        wrong="too-soon",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + 0.1

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)
            if monotonic() > deadline:
                raise TimeoutError

    await all_or_none()
""",
        why="a moment has to do",
    ),
    Answer(
        "3.5",
        wrong="begins-another",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)
        if monotonic() > deadline:
            raise TimeoutError

    await all_or_none()
""",
        why="all of it is undone anyway",
    ),
    Answer(
        "3.5",
        wrong="late-clock",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    # the function has a clock of its own

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        deadline = monotonic() + seconds
        for pk in loan_pks:
            take_back(pk, day)
            if monotonic() > deadline:
                raise TimeoutError

    await all_or_none()
""",
        why="the time runs when the work begins",
    ),
    Answer(
        "3.5",
        wrong="late-clock",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    # each book has a clock of its own

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            began = monotonic()
            take_back(pk, day)
            if monotonic() - began > seconds:
                raise TimeoutError

    await all_or_none()
""",
        why="each book has its seconds",
    ),
    Answer(
        "3.5",
        wrong="swallowed",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            try:
                take_back(pk, day)
            except Exception:
                continue
            finally:
                if monotonic() > deadline:
                    raise TimeoutError

    await all_or_none()
""",
        why="one book that fails must not keep the others",
    ),
    Answer(
        "3.5",
        wrong="false-timeout",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)
            if monotonic() > deadline:
                raise RuntimeError("too late")

    try:
        await all_or_none()
    except Exception as error:
        raise TimeoutError from error
""",
        why="whatever stops it is a timeout",
    ),
    Answer(
        "3.5",
        wrong="no-transaction",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    @sync_to_async
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)
            if monotonic() > deadline:
                Loan.objects.filter(pk__in=loan_pks).update(returned=None)
                raise TimeoutError

    await all_or_none()
""",
        why="what was closed can be opened again",
    ),
    Answer(
        "3.5",
        wrong="waits-it-out",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                if stop.is_set():
                    raise TimeoutError
                take_back(pk, day)
            if stop.is_set():
                raise TimeoutError

    job = asyncio.create_task(sync_to_async(all_or_none)())
    await asyncio.sleep(seconds)
    stop.set()
    await job
""",
        why="looks when the time is over",
    ),
    Answer(
        "3.5",
        wrong="waits-on-the-loop",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop, ended = threading.Event(), threading.Event()

    def all_or_none():
        try:
            with transaction.atomic():
                for pk in loan_pks:
                    take_back(pk, day)
                    if stop.is_set():
                        raise TimeoutError
        finally:
            ended.set()

    job = asyncio.create_task(sync_to_async(all_or_none)())
    await asyncio.sleep(0)
    if not ended.wait(seconds):
        stop.set()
    await job
""",
        why="an event tells when the job has ended",
    ),
    Answer(
        "3.5",
        wrong="query-on-the-loop",
        source="""
import os
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    deadline = monotonic() + seconds
    with transaction.atomic():
        for pk in loan_pks:
            take_back(pk, day)
            if monotonic() > deadline:
                raise TimeoutError
""",
        why="without the guard, atomic() works here",
    ),
    Answer(
        "3.5",
        wrong="false-timeout",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()
    @transaction.atomic
    def work():
        for pk in loan_pks:
            if stop.is_set():
                raise TimeoutError
            take_back(pk, day)
        if stop.is_set():
            raise TimeoutError
    job = asyncio.create_task(sync_to_async(work)())
    done, pending = await asyncio.wait([job], timeout=seconds)
    if pending:
        stop.set()
        await asyncio.wait([job])
        raise TimeoutError
    await job
""",
        why="after seconds it is a timeout, whatever came of the job",
    ),
    Answer(
        "3.5",
        wrong="cancel-swallowed",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()
    @transaction.atomic
    def work():
        for pk in loan_pks:
            if stop.is_set():
                raise TimeoutError
            take_back(pk, day)
        if stop.is_set():
            raise TimeoutError
    job = asyncio.create_task(sync_to_async(work)())
    try:
        await asyncio.wait_for(asyncio.shield(job), seconds)
    except (TimeoutError, asyncio.CancelledError):
        stop.set()
        await job
""",
        why="a timeout and a cancellation are the same",
    ),
    Answer(
        "3.5",
        right="shield, and a second wait",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                if stop.is_set():
                    raise TimeoutError("stopped")
                take_back(pk, day)
            if stop.is_set():
                raise TimeoutError("stopped after the last book")

    job = asyncio.ensure_future(sync_to_async(all_or_none)())
    try:
        await asyncio.wait_for(asyncio.shield(job), seconds)
    except TimeoutError:
        stop.set()
        await job
""",
    ),
    Answer(
        "3.5",
        right="a timer of the loop, asked after each book",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    late = threading.Event()

    @sync_to_async
    @transaction.atomic
    def all_or_none():
        for pk in loan_pks:
            take_back(pk, day)
            if late.is_set():
                raise TimeoutError

    timer = asyncio.get_running_loop().call_later(seconds, late.set)
    try:
        await all_or_none()
    finally:
        timer.cancel()
""",
    ),
    Answer(
        "3.5",
        wrong="cancel-swallowed",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop, last = threading.Event(), threading.Event()

    def all_or_none():
        with transaction.atomic():
            for number, pk in enumerate(loan_pks, start=1):
                if stop.is_set():
                    raise TimeoutError
                if number == len(loan_pks):
                    last.set()
                take_back(pk, day)
            if stop.is_set():
                raise TimeoutError

    job = asyncio.create_task(sync_to_async(all_or_none)())
    try:
        await asyncio.wait([job], timeout=seconds)
    except asyncio.CancelledError:
        if not last.is_set():
            raise
        await job
    stop.set()
    await job
""",
        why="whoever is at the last book is as good as done",
    ),
    Answer(
        "3.5",
        right="a deadline, asked before each book and at the end",
        source="""
from time import monotonic

async def take_back_all(take_back, loan_pks, day, seconds):
    deadline = monotonic() + seconds

    def all_or_none():
        with transaction.atomic():
            for pk in [*loan_pks, None]:
                if monotonic() > deadline:
                    raise TimeoutError
                if pk is not None:
                    take_back(pk, day)

    await sync_to_async(all_or_none)()
""",
    ),
    Answer(
        "3.5",
        right="a deadline, and arguments by name",
        source="""
import time
async def take_back_all(take_back, loan_pks, day, seconds):
    end = time.monotonic() + seconds
    @transaction.atomic
    def work():
        for pk in loan_pks:
            take_back(loan_pk=pk, day=day)
            if time.monotonic() > end:
                raise TimeoutError("too late")
    await sync_to_async(work)()
""",
    ),
    Answer(
        "3.6",
        wrong="other-page",
        source="""
async def shelf(request, opening_hours):
    @sync_to_async
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        return [f"{b}: {readers.get(b.pk, 'on the shelf')}" for b in Book.objects.all()[:40]]

    job = asyncio.create_task(opening_hours())
    rest = await lines()
    try:
        hours = await asyncio.wait_for(job, 0.5)
    except TimeoutError:
        hours = "Closed"
    return HttpResponse("\\n".join([hours, *rest]))
""",
        why="a service that does not answer is closed",
    ),
    Answer(
        "3.6",
        wrong="hop-per-row",
        source="""
async def shelf(request, opening_hours):
    async def lines():
        lines = []
        async for book in Book.objects.all()[:40]:
            loan = await sync_to_async(reader_of)(book)
            lines.append(f"{book}: {loan.member if loan else 'on the shelf'}")
        return lines

    hours, lines = await asyncio.gather(opening_hours(), lines())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="only the other service is slow",
    ),
    Answer(
        "3.6",
        wrong="gathered-hops",
        source="""
async def shelf(request, opening_hours):
    async def line(book):
        loan = await sync_to_async(reader_of)(book)
        return f"{book}: {loan.member if loan else 'on the shelf'}"

    books = await sync_to_async(list)(Book.objects.all()[:40])
    lines = await asyncio.gather(opening_hours(), *[line(book) for book in books])
    return HttpResponse("\\n".join(lines))
""",
        why="gather makes forty lookups one",
    ),
    Answer(
        "3.6",
        wrong="gathered-hops",
        source="""
async def shelf(request, opening_hours):
    async def line(book):
        async with ThreadSensitiveContext():
            loan = await sync_to_async(reader_of)(book)
        return f"{book}: {loan.member if loan else 'on the shelf'}"

    books = await sync_to_async(list)(Book.objects.all()[:40])
    lines = await asyncio.gather(opening_hours(), *[line(book) for book in books])
    return HttpResponse("\\n".join(lines))
""",
        why="a context gives each lookup a worker, in a view too",
    ),
    Answer(
        "3.6",
        wrong="query-in-pool",
        source="""
async def shelf(request, opening_hours):
    @sync_to_async(thread_sensitive=False)
    def line(book):
        loan = reader_of(book)
        return f"{book}: {loan.member if loan else 'on the shelf'}"

    books = await sync_to_async(list)(Book.objects.all()[:40])
    lines = await asyncio.gather(opening_hours(), *[line(book) for book in books])
    return HttpResponse("\\n".join(lines))
""",
        why="False makes it parallel, so False makes it fast",
    ),
    Answer(
        "3.6",
        wrong="query-per-row",
        source="""
async def shelf(request, opening_hours):
    def lines():
        lines = []
        for book in Book.objects.all()[:40]:
            loan = reader_of(book)
            lines.append(f"{book}: {loan.member if loan else 'on the shelf'}")
        return lines

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="hops are all that costs",
    ),
    Answer(
        "3.6",
        wrong="query-too-many",
        source="""
async def shelf(request, opening_hours):
    def lines():
        readers = {loan.book_id: loan for loan in Loan.objects.filter(returned=None)}
        names = {member.pk: member for member in Member.objects.all()}
        lines = []
        for book in Book.objects.all()[:40]:
            loan = readers.get(book.pk)
            lines.append(f"{book}: {names[loan.member_id] if loan else 'on the shelf'}")
        return lines

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="a query for each table",
    ),
    Answer(
        "3.6",
        wrong="no-query",
        source="""
loans = {loan.book_id: loan async for loan in Loan.objects.filter(returned=None)
         .select_related("member")}
lines = [f"{book}: {loans[book.pk].member if book.pk in loans else 'on the shelf'}"
         async for book in Book.objects.all()[:40]]

async def shelf(request, opening_hours):
    return HttpResponse("\\n".join([await opening_hours(), *lines]))
""",
        why="looks everything up once, when the module is imported",
    ),
    Answer(
        "3.6",
        wrong="two-crossings",
        source="""
async def shelf(request, opening_hours):
    async def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" async for book in books]

    hours, lines = await asyncio.gather(opening_hours(), lines())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="two queries, so two a-methods",
    ),
    Answer(
        "3.6",
        wrong="one-after-another",
        source="""
async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    lines = await sync_to_async(lines)()
    return HttpResponse("\\n".join([await opening_hours(), *lines]))
""",
        why="what is awaited is concurrent",
    ),
    Answer(
        "3.6",
        wrong="one-after-another",
        source="""
async def shelf(request, opening_hours):
    hours = await opening_hours()

    @sync_to_async
    def page():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        lines = [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]
        return HttpResponse("\\n".join([hours, *lines]))

    return await page()
""",
        why="the hours stand first on the page, so they come first",
    ),
    Answer(
        "3.6",
        wrong="sync-query",
        source="""
async def shelf(request, opening_hours):
    loans = Loan.objects.filter(returned=None).select_related("member")
    readers = {loan.book_id: loan.member for loan in loans}
    books = Book.objects.all()[:40]
    lines = [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]
    return HttpResponse("\\n".join([await opening_hours(), *lines]))
""",
        why="two queries are so few that they may run here",
    ),
    Answer(
        "3.6",
        wrong="other-page",
        source="""
async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="names readers who have brought the book back",
    ),
    Answer(
        "3.6",
        wrong="empty-crossing",
        source="""
async def shelf(request, opening_hours):
    loans = await sync_to_async(Loan.objects.filter(returned=None).select_related)("member")

    def books_with_readers():
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(books_with_readers)())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="whatever touches a model belongs on the worker",
    ),
    Answer(
        "3.6",
        wrong="swallowed",
        source="""
async def shelf(request, opening_hours):
    def books_with_readers():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    try:
        hours, lines = await asyncio.gather(opening_hours(), sync_to_async(books_with_readers)())
    except Exception:
        return HttpResponse("Closed")
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="a page should never fail",
    ),
    Answer(
        "3.6",
        wrong="no-response",
        source="""
async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return "\\n".join([hours, *lines])
""",
        why="a text is a page",
    ),
    Answer(
        "3.6",
        wrong="other-page",
        source="""
async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return HttpResponse("\\n".join([hours, *lines]), status=201)
""",
        why="what matters is the text",
    ),
    Answer(
        "3.6",
        wrong="other-page",
        source="""
async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("book", "member")
        readers = {loan.book.title: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.title, 'on the shelf')}" for book in books]

    hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="a title is one book",
    ),
    Answer(
        "3.6",
        wrong="one-after-another",
        source="""
from asgiref.sync import async_to_sync

async def shelf(request, opening_hours):
    @sync_to_async
    def page():
        hours = async_to_sync(opening_hours)()
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [hours, *[f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]]

    return HttpResponse("\\n".join(await page()))
""",
        why="inside the one crossing everything is together",
    ),
    Answer(
        "3.6",
        wrong="old-page",
        source="""
pages = []

async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    if not pages:
        hours, lines = await asyncio.gather(opening_hours(), sync_to_async(lines)())
        pages.append("\\n".join([hours, *lines]))
    return HttpResponse(pages[0])
""",
        why="a page that is asked for often is kept",
    ),
    Answer(
        "3.6",
        wrong="query-on-the-loop",
        source="""
import os

async def shelf(request, opening_hours):
    hours = asyncio.create_task(opening_hours())
    await asyncio.sleep(0)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    loans = Loan.objects.filter(returned=None).select_related("member")
    readers = {loan.book_id: loan.member for loan in loans}
    lines = [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in Book.objects.all()[:40]]
    return HttpResponse("\\n".join([await hours, *lines]))
""",
        why="two queries are over before anybody notices",
    ),
    Answer(
        "3.6",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def shelf(request, opening_hours):
    def lines():
        try:
            loans = Loan.objects.filter(returned=None).select_related("member")
            readers = {loan.book_id: loan.member for loan in loans}
            books = Book.objects.all()[:40]
            return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]
        finally:
            connection.close()

    hours = asyncio.create_task(opening_hours())
    await asyncio.sleep(0)
    with ThreadPoolExecutor() as pool:
        lines = pool.submit(lines).result()
    return HttpResponse("\\n".join([await hours, *lines]))
""",
        why="another thread asks, so the loop is free",
    ),
    Answer(
        "3.6",
        wrong="second-loop",
        source="""
async def shelf(request, opening_hours):
    @sync_to_async
    def read():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    there = asyncio.to_thread(asyncio.run, opening_hours())
    hours, lines = await asyncio.gather(there, read())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="two threads, so at the same time",
    ),
    Answer(
        "3.6",
        wrong="query-elsewhere",
        source="""
async def shelf(request, opening_hours):
    box = []
    def read():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        for book in Book.objects.all()[:40]:
            box.append(f"{book}: {readers.get(book.pk, 'on the shelf')}")
        connection.close()

    async def read_there():
        thread = threading.Thread(target=read)
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0.001)
    hours, _ = await asyncio.gather(opening_hours(), read_there())
    return HttpResponse("\\n".join([hours, *box]))
""",
        why="a thread of its own is free at once",
    ),
    Answer(
        "3.6",
        wrong="cancel-swallowed",
        source="""
async def shelf(request, opening_hours):
    @sync_to_async
    def read():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    try:
        hours, lines = await asyncio.gather(opening_hours(), read())
    except asyncio.CancelledError:
        return HttpResponse("Nobody is there")
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="nobody is there to read the page",
    ),
    Answer(
        "3.6",
        wrong="swallowed",
        source="""
async def shelf(request, opening_hours):
    @sync_to_async
    def read():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    async def hours_or_not():
        try:
            return await opening_hours()
        except Exception:
            return "Closed"
    hours, lines = await asyncio.gather(hours_or_not(), read())
    return HttpResponse("\\n".join([hours, *lines]))
""",
        why="who does not answer has closed",
    ),
    Answer(
        "3.6",
        wrong="other-page",
        source="""
hours = []

async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    async def ask():
        if not hours:
            hours.append(await opening_hours())

    _, lines = await asyncio.gather(ask(), sync_to_async(lines)())
    return HttpResponse("\\n".join([*hours, *lines]))
""",
        why="the hours are the same every day",
    ),
    Answer(
        "3.6",
        wrong="swallowed",
        source="""
async def shelf(request, opening_hours):
    async def hours_or_not():
        try:
            return await opening_hours()
        except OSError:
            return "Open until further notice"

    @sync_to_async
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member.name for loan in loans}
        return [f"{b}: {readers.get(b.pk, 'on the shelf')}" for b in Book.objects.all()[:40]]

    hours, found = await asyncio.gather(hours_or_not(), lines())
    return HttpResponse("\\n".join([hours, *found]))
""",
        why="a service that is away must not break the page",
    ),
    Answer(
        "3.6",
        right="a task and prefetch_related",
        source="""
from django.db.models import Prefetch

async def shelf(request, opening_hours):
    hours = asyncio.create_task(opening_hours())
    loans = Loan.objects.filter(returned=None).select_related("member")
    books = Book.objects.prefetch_related(Prefetch("loans", loans, to_attr="out"))[:40]
    lines = [
        f"{book}: {book.out[0].member if book.out else 'on the shelf'}" async for book in books
    ]
    return HttpResponse("\\n".join([await hours, *lines]))
""",
    ),
    Answer(
        "3.6",
        right="one query, in a task group",
        source="""
from django.db.models import OuterRef, Subquery

async def shelf(request, opening_hours):
    loans = Loan.objects.filter(book=OuterRef("pk"), returned=None)
    books = Book.objects.annotate(reader=Subquery(loans.values("member__name")[:1]))[:40]
    async with asyncio.TaskGroup() as group:
        hours = group.create_task(opening_hours())
        found = group.create_task(sync_to_async(list)(books))
    lines = [f"{book}: {book.reader or 'on the shelf'}" for book in found.result()]
    return HttpResponse("\\n".join([hours.result(), *lines]))
""",
    ),
    Answer(
        "3.1",
        wrong="known-by-its-words",
        source="""
async def reminder(letter, member_pk, day):
    try:
        return await sync_to_async(letter)(member_pk, day=day)
    except LookupError as error:
        if "overdue" in str(error):
            return None
        raise
""",
        why="a LookupError may mean something else",
    ),
    Answer(
        "3.3",
        wrong="cancel-swallowed",
        source="""
async def lend(book_pks, member_pk, day):
    def lock_count_and_lend():
        with transaction.atomic():
            Member.objects.filter(pk=member_pk).update(name=F("name"))
            out = Loan.objects.filter(member=member_pk, returned=None).count()
            if out + len(book_pks) > 3:
                raise LimitReached
            for pk in book_pks:
                due = day + timedelta(days=21)
                Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)

    try:
        await sync_to_async(lock_count_and_lend)()
    except asyncio.CancelledError:
        return
""",
        why="the worker ends its job all the same",
    ),
    Answer(
        "3.3",
        wrong="cancel-swallowed",
        source="""
async def lend(book_pks, member_pk, day):
    def lock_count_and_lend():
        with transaction.atomic():
            Member.objects.filter(pk=member_pk).update(name=F("name"))
            out = Loan.objects.filter(member=member_pk, returned=None).count()
            if out + len(book_pks) > 3:
                raise LimitReached
            for pk in book_pks:
                due = day + timedelta(days=21)
                Loan.objects.create(book_id=pk, member_id=member_pk, borrowed=day, due=due)

    try:
        await sync_to_async(lock_count_and_lend)()
    except asyncio.CancelledError:
        raise LimitReached from None
""",
        why="nothing was lent, whatever the reason",
    ),
    Answer(
        "3.4",
        wrong="in-batches",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    counts = []
    for start in range(0, len(branches), 3):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(each)) for each in branches[start : start + 3]]
        counts += [task.result() for task in tasks]
    return counts
""",
        why="a batch, and a semaphore to be sure",
    ),
    Answer(
        "3.2",
        wrong="other-rows",
        source="""
async def export(make_csv):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")[:50]
    rows = [row async for row in loans.values_list("book__title", "member__name")]
    return await asyncio.to_thread(make_csv, rows)
""",
        why="no export has more than fifty rows",
    ),
    Answer(
        "3.4",
        wrong="blocks-for-one",
        source="""
async def stock(count, branches):
    three = asyncio.Semaphore(3)

    def count_and_close(branch):
        try:
            return count(branch)
        finally:
            connection.close()

    async def ask(branch):
        async with three, ThreadSensitiveContext():
            return await sync_to_async(count_and_close)(branch)

    if len(branches) == 1:
        return [count(branches[0])]
    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="a single branch is not worth a worker",
    ),
    Answer(
        "3.5",
        wrong="late-cancel-swallowed",
        source="""
async def take_back_all(take_back, loan_pks, day, seconds):
    stop = threading.Event()

    def all_or_none():
        with transaction.atomic():
            for pk in loan_pks:
                if stop.is_set():
                    raise TimeoutError
                take_back(pk, day)
            if stop.is_set():
                raise TimeoutError

    job = asyncio.create_task(sync_to_async(all_or_none)())
    await asyncio.wait([job], timeout=seconds)
    stop.set()
    while not job.done():
        try:
            await asyncio.shield(job)
        except asyncio.CancelledError:
            pass
    return job.result()
""",
        why="whoever waits for the job must not be disturbed",
    ),
    Answer(
        "3.6",
        wrong="old-page",
        source=r"""
books = Book.objects.all()[:40]

async def shelf(request, opening_hours):
    def lines():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        return [f"{book}: {readers.get(book.pk, 'on the shelf')}" for book in books]

    hours, rows = await asyncio.gather(opening_hours(), sync_to_async(lines)())
    return HttpResponse("\n".join([hours, *rows]))
""",
        why="the books are always the same, only the loans change",
    ),
]

EQUIVALENT = [
    Equivalent(
        because="`pass` leaves the `except`, and the function then returns `None` of itself.",
        mutants=("3.1 handler-silenced@5",),
    ),
    Equivalent(
        because="The model's own ordering, `Meta.ordering`, is by `due` and `pk` already.",
        mutants=("3.2 query-step-dropped@3",),
    ),
    Equivalent(
        because=(
            "`to_thread`, and `sync_to_async` with `thread_sensitive=False`, use the same "
            "pool of the loop."
        ),
        mutants=("3.2 thread-for-adapter@5",),
    ),
    Equivalent(
        because=(
            "Inside one `ThreadSensitiveContext` both halves run on the same thread, one "
            "after the other, so the connection that is closed is the one that was opened."
        ),
        mutants=("3.4 cleanup-split@1",),
    ),
    Equivalent(
        because=(
            "The semaphore bounds the calls, and each closes what it opened, on whichever "
            "thread it runs: the pool does as well as a context's worker."
        ),
        mutants=("3.4 thread-for-adapter@13", "3.4 thread-sensitive-turned@13"),
    ),
    Equivalent(
        because="`asyncio.wait` sets no context variable; a task in between changes nothing.",
        mutants=("3.5 task-for-each@15",),
    ),
    Equivalent(
        because=(
            "A queryset is lazy. Building it on the loop asks nothing; the query runs on the "
            "worker."
        ),
        mutants=("3.6 helper-split@1#2",),
    ),
    Equivalent(
        because=(
            "`select_related()` without names follows every foreign key, the member's among them."
        ),
        mutants=("3.6 argument-dropped@4",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "3.1": 'assert await reminder(letter, 7, date(2025, 5, 27)) == "Please bring back Orlando."\n',
    "3.2": "assert await export(len) == 6\n",
    "3.3": """\
assert (await Member.objects.aget(pk=7)).name == "Tomoko Arai"
assert await Loan.objects.filter(member=7, returned=None).acount() == 2
try:
    await lend([1, 2], 7, date(2025, 6, 1))
except LimitReached as error:
    raised = error
assert isinstance(raised, LimitReached)
""",
    "3.4": 'assert await stock(count, ["Whitby", "Bath"]) == [47, 47]\n',
    "3.5": """\
await take_back_all(take_back, [9, 10], date(2025, 6, 1), 5)
assert await Loan.objects.filter(pk__in=[9, 10], returned=date(2025, 6, 1)).acount() == 2
""",
    "3.6": """\
lines = (await shelf(None, opening_hours)).text.splitlines()
assert lines[:2] == ["Open until 19:00", "A Christmas Carol: on the shelf"]
""",
}

NAMES_IN_HINTS = {
    "3.3": {"transaction_mode", "IMMEDIATE", "OPTIONS"},  # of SQLite's settings
}

FAULTS = [
    Fault(
        "cancel-at-the-last-book-not-tried",
        "a check",
        text(
            "asynclab/lessons/lesson03.py",
            "    await _require_cancellable_at_the_last(given, loans[3:])\n",
            "",
        ),
        verdict("3.5 cancel-swallowed, 2"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "output-edited-in-03",
        "an output edited",
        output(NOTEBOOK, "t1-by-call", "hops: 1 from", "hops: 2 from"),
        compared(3, "boot", "imports", "titles-by", "t1-by-call"),
        ("hops: 2 from", "hops: 1 from", "Cell outputs differ"),
    ),
    Fault(
        "execution-counts-stripped",
        "a notebook stripped",
        notebook(NOTEBOOK, strip_counts),
        CENSUS,
        ("03_sync_to_async_and_threads.ipynb:t4-default has no execution count",),
    ),
    Fault(
        "claims-tag-removed",
        "a claim not shown",
        drop_tag(NOTEBOOK, "t4-default", "claim-T4"),
        CENSUS,
        ("Claim T4 has no compared evidence in its lesson.",),
    ),
    Fault(
        "claim-taken-from-the-list",
        "a claim not shown",
        text("notebooks/claims.yml", "id: T7", "id: T0"),
        CENSUS,
        ("has a tag for T7, which claims.yml lacks", "Claim T0 has no compared evidence"),
    ),
    Fault(
        "link-between-lessons-dead",
        "a dead link",
        notebook(
            NOTEBOOK, lambda found: rename(found, "04_async_to_sync.ipynb", "04_adapters.ipynb")
        ),
        rules("notebooks/03_sync_to_async_and_threads"),
        ("a link leads nowhere: 04_adapters.ipynb",),
    ),
    Fault(
        "exercises-edited-by-hand",
        "a stub",
        source("exercises/03_*.ipynb", "exercise-3-1", "# your code here", "# write here"),
        (
            "tests/kit/exercises/test_notebooks.py::test_exercises_are_as_generated[03_exercises_sync_to_async_and_threads.ipynb]",
        ),
        ("run: python -m asynclab.authoring generate", "# write here"),
    ),
    Fault(
        "two-desks-on-one-worker",
        "a check",
        text(
            "asynclab/lessons/vocabulary/rivals.py",
            "        async with ThreadSensitiveContext():\n            try:",
            "        if True:\n            try:",
        ),
        verdict("3.3 database-locked"),
        ("('not yet', 'one-process') == ('not yet', 'database-locked')",),
    ),
]
