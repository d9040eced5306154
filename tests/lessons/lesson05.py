"""What the tests know of lesson 05."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import compared
from tests.proof.faults.edits import output
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/05_*.ipynb"

ANSWERS = [
    Answer(
        "5.1",
        wrong="someone-else",
        source="""
here = threading.local()

def sign_in(name):
    here.member = name

def current_member():
    return getattr(here, "member", None)
""",
        why="a thread-local keeps requests apart, as it always did",
    ),
    Answer(
        "5.1",
        wrong="someone-else",
        source="""
at_the_desk = None

def sign_in(name):
    global at_the_desk
    at_the_desk = name

def current_member():
    return at_the_desk
""",
        why="one variable for all of the module",
    ),
    Answer(
        "5.1",
        wrong="someone-else",
        source="""
desk = ContextVar("desk", default={})

def sign_in(name):
    desk.get()["member"] = name

def current_member():
    return desk.get().get("member")
""",
        why="a ContextVar makes its default safe too",
    ),
    Answer(
        "5.1",
        wrong="lost-on-the-worker",
        source="""
members = {}

def sign_in(name):
    members[asyncio.current_task()] = name

def current_member():
    return members.get(asyncio.current_task())
""",
        why="one request is one task, so the task is the key",
    ),
    Answer(
        "5.1",
        wrong="lost-on-the-worker",
        source="""
desk = Local(thread_critical=True)

def sign_in(name):
    desk.member = name

def current_member():
    return getattr(desk, "member", None)
""",
        why="a thread-local's successor should be critical about threads",
    ),
    Answer(
        "5.1",
        wrong="forgets",
        source="""
def sign_in(name):
    ContextVar("member").set(name)

def current_member():
    return ContextVar("member", default=None).get()
""",
        why="two variables of one name are one variable",
    ),
    Answer(
        "5.1",
        wrong="nobody",
        source="""
member = ContextVar("member")

def sign_in(name):
    member.set(name)

def current_member():
    return member.get()
""",
        why="somebody has always signed in",
    ),
    Answer(
        "5.1",
        wrong="returned-coroutine",
        source="""
member = ContextVar("member", default=None)

async def sign_in(name):
    member.set(name)

async def current_member():
    return member.get()
""",
        why="async code needs async functions",
    ),
    Answer(
        "5.1",
        right="Local",
        source="""
desk = Local()

def sign_in(name):
    desk.member = name

def current_member():
    return getattr(desk, "member", None)
""",
    ),
    Answer(
        "5.1",
        right="a new dict each time",
        source="""
desk = ContextVar("desk", default={})

def sign_in(name):
    desk.set({**desk.get(), "member": name})

def current_member():
    return desk.get().get("member")
""",
    ),
    Answer(
        "5.1",
        wrong="stays-the-first",
        source="""
member = ContextVar("member", default=None)
def sign_in(name):
    if member.get() is None:
        member.set(name)
def current_member():
    return member.get()
""",
        why="who has signed in stays signed in",
    ),
    Answer(
        "5.1",
        wrong="seen-by-others",
        source="""
member = ContextVar("member", default=None)
last = None
def sign_in(name):
    global last
    last = name
    member.set(name)
def current_member():
    return member.get() or last
""",
        why="whoever signed in last is better than nobody",
    ),
    Answer(
        "5.1",
        wrong="shared-with-a-child",
        source="""
member = ContextVar("member", default=None)
def sign_in(name):
    box = member.get()
    if box is None:
        member.set([name])
    else:
        box[0] = name
def current_member():
    return member.get()[0] if member.get() else None
""",
        why="one list for each request",
    ),
    Answer(
        "5.1",
        right="the variable's own methods",
        source="""
member = ContextVar("member", default=None)
sign_in = member.set
current_member = member.get
""",
    ),
    Answer(
        "5.1",
        right="partials",
        source="""
from functools import partial
member = Local()
sign_in = partial(setattr, member, "name")
current_member = partial(getattr, member, "name", None)
""",
    ),
    Answer(
        "5.1",
        wrong="unset-variable",
        source="""
from types import SimpleNamespace

session = ContextVar("session")
session.set(SimpleNamespace(member=None))

def sign_in(name):
    session.get().member = name

def current_member():
    return session.get().member
""",
        why="what is set when the module is loaded is there for every request",
    ),
    Answer(
        "5.2",
        wrong="lost-in-tasks",
        source="""
total = ContextVar("total", default=0)

async def add_loans(title, count):
    total.set(total.get() + await count(title))

async def total_loans(titles, count):
    await asyncio.gather(*(add_loans(title, count) for title in titles))
    return total.get()
""",
        why="a ContextVar goes wherever the request goes",
    ),
    Answer(
        "5.2",
        wrong="one-by-one",
        source="""
async def total_loans(titles, count):
    limit = asyncio.Semaphore(100)
    async def one(title):
        async with limit:
            return await count(title)
    return sum(await asyncio.gather(*(one(title) for title in titles)))
""",
        why="a hundred lookups at once are enough",
    ),
    Answer(
        "5.2",
        wrong="lost-in-tasks",
        source="""
found = Local()

async def add_loans(title, count):
    found.total = getattr(found, "total", 0) + await count(title)

async def total_loans(titles, count):
    async with asyncio.TaskGroup() as group:
        for title in titles:
            group.create_task(add_loans(title, count))
    return found.total
""",
        why="asgiref's Local, or a task group, brings values back",
    ),
    Answer(
        "5.2",
        wrong="sums-a-future",
        source="""
async def total_loans(titles, count):
    return sum(asyncio.gather(*(count(title) for title in titles)))
""",
        why="gather gives the list of the numbers",
    ),
    Answer(
        "5.2",
        wrong="one-by-one",
        source="""
async def total_loans(titles, count):
    total = 0
    for title in titles:
        total += await count(title)
    return total
""",
        why="takes the gather out again",
    ),
    Answer(
        "5.2",
        wrong="mixed",
        source="""
total = 0

async def add_loans(title, count):
    global total
    number = await count(title)
    total += number

async def total_loans(titles, count):
    await asyncio.gather(*(add_loans(title, count) for title in titles))
    return total
""",
        why="what does not come back by itself is put into a global",
    ),
    Answer(
        "5.2",
        wrong="mixed",
        source="""
here = threading.local()

async def add_loans(title, count):
    number = await count(title)
    here.total += number

async def total_loans(titles, count):
    here.total = 0
    await asyncio.gather(*(add_loans(title, count) for title in titles))
    return here.total
""",
        why="in the table, threading.local was the box that came back",
    ),
    Answer(
        "5.2",
        wrong="lost-update",
        source="""
async def total_loans(titles, count):
    total = 0

    async def add_loans(title):
        nonlocal total
        total += await count(title)

    await asyncio.gather(*(add_loans(title) for title in titles))
    return total
""",
        why="on one thread nobody can get between a read and a write",
    ),
    Answer(
        "5.2",
        wrong="other-total",
        source="""
async def total_loans(titles, count):
    numbers = await asyncio.gather(*(count(title) for title in titles))
    return sum(numbers[1:])
""",
        why="the first one is not counted",
    ),
    Answer(
        "5.2",
        wrong="swallowed",
        source="""
async def total_loans(titles, count):
    try:
        return sum(await asyncio.gather(*(count(title) for title in titles)))
    except Exception:
        return 0
""",
        why="no total is as good as zero",
    ),
    Answer(
        "5.2",
        right="a list of its own in the box",
        source="""
async def total_loans(titles, count):
    numbers = []

    async def add_loans(title):
        numbers.append(await count(title))

    async with asyncio.TaskGroup() as group:
        for title in titles:
            group.create_task(add_loans(title))
    return sum(numbers)
""",
    ),
    Answer(
        "5.2",
        wrong="not-each-counted",
        source="""
async def total_loans(titles, count):
    return sum(await asyncio.gather(*map(count, set(titles))))
""",
        why="a title is looked up once",
    ),
    Answer(
        "5.2",
        wrong="one-by-one",
        source="""
async def total_loans(titles, count):
    ten = asyncio.Semaphore(10)
    async def polite(title):
        async with ten:
            return await count(title)
    return sum(await asyncio.gather(*map(polite, titles)))
""",
        why="ten at a time are polite",
    ),
    Answer(
        "5.2",
        wrong="not-each-counted",
        source="""
async def total_loans(titles, count):
    tasks = [asyncio.create_task(count(title)) for title in titles]
    if not tasks:
        return 0
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return sum(task.result() for task in done)
""",
        why="the first answer ends the wait",
    ),
    Answer(
        "5.2",
        wrong="not-each-counted",
        source="""
async def total_loans(titles, count):
    tasks = [asyncio.create_task(count(title)) for title in titles]
    await asyncio.sleep(0.05)
    return sum(task.result() for task in tasks if task.done())
""",
        why="gives the lookups fifty milliseconds",
    ),
    Answer(
        "5.2",
        wrong="cancel-swallowed",
        source="""
async def total_loans(titles, count):
    tasks = [asyncio.create_task(count(title)) for title in titles]
    try:
        return sum(await asyncio.gather(*tasks))
    except asyncio.CancelledError:
        return 0
""",
        why="no total is as good as zero, also when nobody waits",
    ),
    Answer(
        "5.2",
        right="an object with an async `__call__`",
        source="""
class Total:
    async def __call__(self, titles, count):
        tasks = [asyncio.ensure_future(count(title)) for title in titles]
        return sum([await task for task in tasks])
total_loans = Total()
""",
    ),
    Answer(
        "5.2",
        right="added as they come",
        source="""
async def total_loans(titles, count):
    total = 0
    for each in asyncio.as_completed([count(title) for title in titles]):
        total += await each
    return total
""",
    ),
    Answer(
        "5.2",
        wrong="second-loop",
        source="""
async def total_loans(titles, count):
    def one(title):
        return asyncio.run(count(title))

    return sum(await asyncio.gather(*(asyncio.to_thread(one, title) for title in titles)))
""",
        why="a thread for each lookup, with a loop of its own",
    ),
    Answer(
        "5.2",
        wrong="nothing-given",
        source="""
async def total_loans(titles, count):
    if titles:
        return sum(await asyncio.gather(*(count(title) for title in titles)))
""",
        why="there is always a title",
    ),
    Answer(
        "5.2",
        wrong="changes-the-list",
        source="""
async def total_loans(titles, count):
    asking = []
    while titles:
        asking.append(count(titles.pop()))
    return sum(await asyncio.gather(*asking))
""",
        why="takes one title after the other from the list",
    ),
    Answer(
        "5.3",
        wrong="gives-up",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await asyncio.wait_for(get_response(request), 0.5)
        finally:
            request_id.reset(token)

    return middleware
""",
        why="no reader waits longer",
    ),
    Answer(
        "5.3",
        right="the view in a task of its own",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await asyncio.create_task(get_response(request))
        finally:
            request_id.reset(token)

    return middleware
""",
    ),
    Answer(
        "5.3",
        wrong="two-contexts",
        source="""
class request_id_middleware(MiddlewareMixin):
    def process_request(self, request):
        self.token = request_id.set(request.headers["X-Request-ID"])

    def process_response(self, request, response):
        request_id.reset(self.token)
        return response
""",
        why="a renamed class is an async middleware",
    ),
    Answer(
        "5.3",
        wrong="two-contexts",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = await sync_to_async(request_id.set)(request.headers["X-Request-ID"])
        try:
            return await get_response(request)
        finally:
            request_id.reset(token)

    return middleware
""",
        why="what is sync has to go through sync_to_async",
    ),
    Answer(
        "5.3",
        wrong="shared-token",
        source="""
class request_id_middleware:
    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        self.token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await self.get_response(request)
        finally:
            request_id.reset(self.token)
""",
        why="each request has a middleware object of its own",
    ),
    Answer(
        "5.3",
        wrong="left-behind",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        request_id.set(request.headers["X-Request-ID"])
        return await get_response(request)

    return middleware
""",
        why="the next request sets its own",
    ),
    Answer(
        "5.3",
        wrong="left-after-error",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        response = await get_response(request)
        request_id.reset(token)
        return response

    return middleware
""",
        why="Django turns every exception of a view into a response",
    ),
    Answer(
        "5.3",
        wrong="flattened",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        request_id.set(request.headers["X-Request-ID"])
        try:
            return await get_response(request)
        finally:
            request_id.set("-")

    return middleware
""",
        why="before a request there is never an id",
    ),
    Answer(
        "5.3",
        wrong="returned-coroutine",
        source="""
async def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await get_response(request)
        finally:
            request_id.reset(token)

    return middleware
""",
        why="an async middleware is async from its first line",
    ),
    Answer(
        "5.3",
        wrong="gone-in-the-view",
        source="""
def request_id_middleware(get_response):
    def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return get_response(request)
        finally:
            request_id.reset(token)

    return middleware
""",
        why="calling the view runs it",
    ),
    Answer(
        "5.3",
        wrong="no-response",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            await get_response(request)
        finally:
            request_id.reset(token)

    return middleware
""",
        why="the response finds its way",
    ),
    Answer(
        "5.3",
        wrong="swallowed",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await get_response(request)
        except Exception:
            return None
        finally:
            request_id.reset(token)

    return middleware
""",
        why="a view that fails answers nothing",
    ),
    Answer(
        "5.3",
        right="a class, and a context manager",
        source="""
from contextlib import contextmanager

@contextmanager
def logged_as(number):
    token = request_id.set(number)
    try:
        yield
    finally:
        request_id.reset(token)

class request_id_middleware:
    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        with logged_as(request.headers["X-Request-ID"]):
            return await self.get_response(request)
""",
    ),
    Answer(
        "5.3",
        right="a task of its own",
        source="""
def request_id_middleware(get_response):
    async def named(request):
        request_id.set(request.headers["X-Request-ID"])
        return await get_response(request)

    async def middleware(request):
        return await asyncio.create_task(named(request))

    return middleware
""",
    ),
    Answer(
        "5.3",
        wrong="cancel-swallowed",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await get_response(request)
        except asyncio.CancelledError:
            return None
        finally:
            request_id.reset(token)
    return middleware
""",
        why="a client that went away gets an empty response",
    ),
    Answer(
        "5.3",
        wrong="flattened",
        source="""
def request_id_middleware(get_response):
    before = request_id.get()
    async def middleware(request):
        request_id.set(request.headers["X-Request-ID"])
        try:
            return await get_response(request)
        finally:
            request_id.set(before)
    return middleware
""",
        why="what it was when the server started, it is before each request",
    ),
    Answer(
        "5.3",
        wrong="other-id",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set("r1")
        try:
            return await get_response(request)
        finally:
            request_id.reset(token)
    return middleware
""",
        why="copies the id from the example",
    ),
    Answer(
        "5.3",
        wrong="goes-on",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await asyncio.shield(get_response(request))
        finally:
            request_id.reset(token)
    return middleware
""",
        why="a view must not be torn down",
    ),
    Answer(
        "5.3",
        wrong="called-twice",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            await get_response(request)
            return await get_response(request)
        finally:
            request_id.reset(token)
    return middleware
""",
        why="once for its effects, once for the response",
    ),
    Answer(
        "5.3",
        right="a context of its own, with a task in it",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        context = contextvars.copy_context()
        context.run(request_id.set, request.headers["X-Request-ID"])
        async def view():
            return await get_response(request)
        return await asyncio.create_task(view(), context=context)
    return middleware
""",
    ),
    Answer(
        "5.3",
        wrong="second-loop",
        source="""
def request_id_middleware(get_response):
    async def middleware(request):
        token = request_id.set(request.headers["X-Request-ID"])
        try:
            return await asyncio.to_thread(asyncio.run, get_response(request))
        finally:
            request_id.reset(token)
    return middleware
""",
        why="a view gets a thread, and a thread a loop",
    ),
    Answer(
        "5.4",
        wrong="crossed",
        source="""
async def titles_lent(times):
    cursor = await sync_to_async(connection.cursor)()
    await sync_to_async(cursor.execute)(LENT, [times])
    return [title for (title,) in await sync_to_async(cursor.fetchall)()]
""",
        why="each call that the guard stops gets a sync_to_async of its own",
    ),
    Answer(
        "5.4",
        wrong="crossed",
        source="""
def report(database, times):
    with database.cursor() as cursor:
        cursor.execute(LENT, [times])
        return [title for (title,) in cursor.fetchall()]

async def titles_lent(times):
    return await sync_to_async(report)(connections["default"], times)
""",
        why="a connection is an argument like any other",
    ),
    Answer(
        "5.4",
        wrong="sync-query",
        source="""
async def titles_lent(times):
    with connection.cursor() as cursor:
        await sync_to_async(cursor.execute)(LENT, [times])
        return [title for (title,) in await sync_to_async(cursor.fetchall)()]
""",
        why="to open a cursor is no query yet",
    ),
    Answer(
        "5.4",
        wrong="on-the-loop",
        source="""
def open_report():
    return connection.cursor()

def read_report(cursor, times):
    cursor.execute(LENT, [times])
    return [title for (title,) in cursor.fetchall()]

async def titles_lent(times):
    cursor = await sync_to_async(open_report)()
    return read_report(cursor, times)
""",
        why="no error, so the cursor may be used here",
    ),
    Answer(
        "5.4",
        wrong="in-pieces",
        source="""
def open_report():
    return connection.cursor()

def read_report(cursor, times):
    cursor.execute(LENT, [times])
    return [title for (title,) in cursor.fetchall()]

async def titles_lent(times):
    cursor = await sync_to_async(open_report)()
    return await sync_to_async(read_report)(cursor, times)
""",
        why="both halves run on the same worker, so all is well",
    ),
    Answer(
        "5.4",
        wrong="left-open",
        source="""
def report(times):
    with connection.cursor() as cursor:
        cursor.execute(LENT, [times])
        return [title for (title,) in cursor.fetchall()]

async def titles_lent(times):
    return await sync_to_async(report, thread_sensitive=False)(times)
""",
        why="a report should not hold up the shared worker",
    ),
    Answer(
        "5.4",
        wrong="other-titles",
        source="""
def report(times):
    with connection.cursor() as cursor:
        cursor.execute(LENT, [times + 1])
        return [title for (title,) in cursor.fetchall()]

async def titles_lent(times):
    return await sync_to_async(report)(times)
""",
        why="at least that many times means more often",
    ),
    Answer(
        "5.4",
        wrong="no-query",
        source="""
async def titles_lent(times):
    return ["Frankenstein"]
""",
        why="copies the titles from the example",
    ),
    Answer(
        "5.4",
        wrong="swallowed",
        source="""
async def titles_lent(times):
    def report():
        try:
            with connection.cursor() as cursor:
                cursor.execute(LENT, [times])
                return [title for (title,) in cursor.fetchall()]
        except Exception:
            return []

    return await sync_to_async(report)()
""",
        why="an empty report is better than an error",
    ),
    Answer(
        "5.4",
        right="the proxy as an argument",
        source="""
def report(database, times):
    cursor = database.cursor()
    try:
        cursor.execute(LENT, [times])
        return [row[0] for row in cursor.fetchall()]
    finally:
        cursor.close()

async def titles_lent(times):
    return await sync_to_async(report)(connection, times)
""",
    ),
    Answer(
        "5.4",
        right="a pool thread that closes",
        source="""
def report(times):
    try:
        with connection.cursor() as cursor:
            cursor.execute(LENT, [times])
            return [title for (title,) in cursor.fetchall()]
    finally:
        connection.close()

async def titles_lent(times):
    return await sync_to_async(report, thread_sensitive=False)(times)
""",
    ),
    Answer(
        "5.4",
        wrong="other-sql",
        source="""
from django.db.models import Count
async def titles_lent(times):
    books = Book.objects.annotate(n=Count("loans")).filter(n__gte=times).order_by("title")
    return [book.title async for book in books]
""",
        why="the ORM can say it as well",
    ),
    Answer(
        "5.4",
        wrong="past-django",
        source="""
import sqlite3
from django.conf import settings
def report(times):
    with sqlite3.connect(settings.DATABASES["default"]["NAME"]) as db:
        return [t for (t,) in db.execute(LENT.replace("%s", "?"), [times])]
async def titles_lent(times):
    return await sync_to_async(report)(times)
""",
        why="the file is there, and sqlite3 can read it",
    ),
    Answer(
        "5.4",
        wrong="borrowed-connection",
        source="""
async def titles_lent(times):
    database = connections["default"]
    database.inc_thread_sharing()
    def report():
        with database.cursor() as cursor:
            cursor.execute(LENT, [times])
            return [title for (title,) in cursor.fetchall()]
    try:
        return await sync_to_async(report)()
    finally:
        database.dec_thread_sharing()
""",
        why="a connection may be shared if one says so",
    ),
    Answer(
        "5.4",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor
def report(times):
    try:
        with connection.cursor() as cursor:
            cursor.execute(LENT, [times])
            return [title for (title,) in cursor.fetchall()]
    finally:
        connection.close()
async def titles_lent(times):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(report, times).result()
""",
        why="a pool of its own holds up nobody",
    ),
    Answer(
        "5.4",
        wrong="fetched-elsewhere",
        source="""
def report(times):
    cursor = connection.cursor()
    cursor.execute(LENT, [times])
    return (title for (title,) in cursor)
async def titles_lent(times):
    return list(await sync_to_async(report)(times))
""",
        why="an iterator is as good as a list",
    ),
    Answer(
        "5.4",
        wrong="left-after-error",
        source="""
def report(times):
    with connection.cursor() as cursor:
        cursor.execute(LENT, [times])
        titles = [title for (title,) in cursor.fetchall()]
    connection.close()
    return titles
async def titles_lent(times):
    return await sync_to_async(report, thread_sensitive=False)(times)
""",
        why="a report does not fail",
    ),
    Answer(
        "5.4",
        right="the adapter as a decorator",
        source="""
@sync_to_async
def titles_lent(times):
    with connection.cursor() as cursor:
        cursor.execute(LENT, [times])
        return [title for (title,) in cursor.fetchall()]
""",
    ),
    Answer(
        "5.4",
        right="a thread of its own, and a future",
        source="""
async def titles_lent(times):
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    def run():
        try:
            with connection.cursor() as cursor:
                cursor.execute(LENT, [times])
                outcome = future.set_result, [t for (t,) in cursor.fetchall()]
        except BaseException as error:
            outcome = future.set_exception, error
        finally:
            connection.close()
        loop.call_soon_threadsafe(*outcome)
    threading.Thread(target=run).start()
    return await future
""",
    ),
    Answer(
        "5.4",
        wrong="cancel-swallowed",
        source="""
async def titles_lent(times):
    def report():
        with connection.cursor() as cursor:
            cursor.execute(LENT, [times])
            return [title for (title,) in cursor.fetchall()]

    try:
        return await sync_to_async(report)()
    except asyncio.CancelledError:
        return []
""",
        why="a visitor who left wants no answer",
    ),
    Answer(
        "5.4",
        wrong="cursor-left-open",
        source="""
cursors = []


async def titles_lent(times):
    def report():
        cursors.append(connection.cursor())
        cursors[-1].execute(LENT, [times])
        return [title for (title,) in cursors[-1].fetchall()]

    return await sync_to_async(report)()
""",
        why="a cursor is kept for the next report",
    ),
    Answer(
        "5.4",
        wrong="closed-for-all",
        source="""
async def titles_lent(times):
    def report():
        try:
            with connection.cursor() as cursor:
                cursor.execute(LENT, [times])
                return [title for (title,) in cursor.fetchall()]
        finally:
            connections.close_all()

    return await sync_to_async(report)()
""",
        why="what is open leaks",
    ),
    Answer(
        "5.4",
        wrong="other-titles",
        source="""
async def titles_lent(times):
    def report():
        with connection.cursor() as cursor:
            cursor.execute(LENT, [times])
            return sorted({title for (title,) in cursor.fetchall()})

    return await sync_to_async(report)()
""",
        why="a title is there once",
    ),
    Answer(
        "5.4",
        right="a cursor that ends with its function",
        source="""
async def titles_lent(times):
    def report():
        cursor = connection.cursor()
        cursor.execute(LENT, [times])
        return [title for (title,) in cursor.fetchall()]

    return await sync_to_async(report)()
""",
    ),
    Answer(
        "5.4",
        wrong="in-pieces",
        source="""
async def titles_lent(times):
    cursor = await sync_to_async(lambda: connection.cursor())()
    try:
        await sync_to_async(cursor.execute)(LENT, [times])
        return [title for (title,) in await sync_to_async(cursor.fetchall)()]
    finally:
        await sync_to_async(cursor.close)()
""",
        why="each call that may block goes to the worker",
    ),
    Answer(
        "5.5",
        wrong="read-by-the-listener",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    file.addFilter(RequestId())
    records = queue.SimpleQueue()
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="the filter belongs to the handler that formats",
    ),
    Answer(
        "5.5",
        wrong="children-miss-it",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    logger.addFilter(RequestId())
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="what comes up from a child passes the logger's filters",
    ),
    Answer(
        "5.5",
        wrong="written-by-the-caller",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    file.addFilter(RequestId())
    logger.addHandler(file)
    listener = logging.handlers.QueueListener(queue.SimpleQueue())
    listener.start()
    return listener
""",
        why="without the queue the ids are right, so leave it out",
    ),
    Answer(
        "5.5",
        wrong="nothing-written",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    return logging.handlers.QueueListener(records, file)
""",
        why="a listener listens as soon as it is there",
    ),
    Answer(
        "5.5",
        wrong="no-listener",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    logging.handlers.QueueListener(records, file).start()
""",
        why="a thread looks after itself",
    ),
    Answer(
        "5.5",
        wrong="other-lines",
        source="""
def listen(logger, stream):
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, logging.StreamHandler(stream))
    listener.start()
    return listener
""",
        why="the id is in the record, so it is in the line",
    ),
    Answer(
        "5.5",
        wrong="swallowed",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    if isinstance(logger, logging.Logger):
        logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="without a logger there is nothing to do",
    ),
    Answer(
        "5.5",
        right="a factory of records",
        source="""
def listen(logger, stream):
    make = logging.getLogRecordFactory()

    def with_id(*args, **kwargs):
        record = make(*args, **kwargs)
        record.request_id = request_id.get()
        return record

    logging.setLogRecordFactory(with_id)
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
    ),
    Answer(
        "5.5",
        right="formatted before the queue",
        source="""
def listen(logger, stream):
    records = queue.Queue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    handler.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, logging.StreamHandler(stream))
    listener.start()
    return listener
""",
    ),
    Answer(
        "5.5",
        wrong="took-the-log-away",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.handlers = [handler]
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="one handler is enough for a logger",
    ),
    Answer(
        "5.5",
        wrong="changes-the-level",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="a log should have everything",
    ),
    Answer(
        "5.5",
        wrong="loses-lines",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.Queue(100)
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="a bounded queue saves memory",
    ),
    Answer(
        "5.5",
        wrong="waits-for-the-disk",
        source="""
class Patient(logging.handlers.QueueHandler):
    def enqueue(self, record):
        self.queue.put(record)


def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.Queue(100)
    handler = Patient(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="a full queue should slow the callers down",
    ),
    Answer(
        "5.5",
        wrong="took-the-log-away",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(RequestId())
    logger.addHandler(handler)
    logger.propagate = False
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="each line should be written once",
    ),
    Answer(
        "5.5",
        wrong="other-lines",
        source="""
class OnlyRequests(RequestId):
    def filter(self, record):
        super().filter(record)
        return record.request_id != "-"
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(OnlyRequests())
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="lines without a request are noise",
    ),
    Answer(
        "5.5",
        wrong="children-miss-it",
        source="""
def listen(logger, stream):
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    logger.addFilter(RequestId())
    logger.getChild("desk").addFilter(RequestId())
    records = queue.SimpleQueue()
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="one filter more, for the logger that was missing",
    ),
    Answer(
        "5.5",
        wrong="other-lines",
        source="""
def listen(logger, stream):
    seen = set()
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    def once(record):
        record.request_id = request_id.get()
        known = record.getMessage() in seen
        seen.add(record.getMessage())
        return not known
    handler.addFilter(once)
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="a message need not be written twice",
    ),
    Answer(
        "5.5",
        right="the whole context travels with the record",
        source="""
class Carry(logging.handlers.QueueHandler):
    def prepare(self, record):
        prepared = super().prepare(record)
        prepared.context = contextvars.copy_context()
        return prepared
class InContext(logging.StreamHandler):
    def handle(self, record):
        return record.context.run(super().handle, record)
def listen(logger, stream):
    file = InContext(stream)
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    file.addFilter(RequestId())
    records = queue.SimpleQueue()
    logger.addHandler(Carry(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
    ),
    Answer(
        "5.5",
        wrong="changes-the-record",
        source="""
def listen(logger, stream):
    def stamp(record):
        record.msg = f"[{request_id.get()}] {record.msg}"
        return True

    file, records = logging.StreamHandler(stream), queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(stamp)
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="an id is a part of the text",
    ),
    Answer(
        "5.5",
        wrong="nothing-gets-through",
        source="""
def listen(logger, stream):
    def stamp(record):
        record.request_id = request_id.get()

    file, records = logging.StreamHandler(stream), queue.SimpleQueue()
    file.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(stamp)
    logger.addHandler(handler)
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="a filter only adds something",
    ),
    Answer(
        "5.5",
        wrong="children-miss-it",
        source="""
def listen(logger, stream):
    line = "[%(request_id)s] %(message)s"
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter(line, defaults={"request_id": "-"}))
    records = queue.SimpleQueue()
    logger.addFilter(RequestId())
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="the filter belongs to the logger, and a default keeps the formatter quiet",
    ),
    Answer(
        "5.5",
        wrong="children-miss-it",
        source="""
def listen(logger, stream):
    line = "[%(request_id)s] %(message)s"
    file = logging.StreamHandler(stream)
    file.setFormatter(logging.Formatter(line, defaults={"request_id": "-"}))
    records = queue.SimpleQueue()
    logger.addFilter(RequestId())
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(f"{logger.name}."):
            logging.getLogger(name).addFilter(RequestId())
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, file)
    listener.start()
    return listener
""",
        why="every logger that there is gets the filter",
    ),
    Answer(
        "5.6",
        wrong="gives-up",
        source="""
def order(jobs, job):
    jobs.put_nowait((job, contextvars.copy_context()))


async def deliver(jobs):
    while True:
        job, context = await jobs.get()
        await asyncio.wait_for(asyncio.create_task(job(), context=context), 0.5)
""",
        why="one slow job must not hold up the others",
    ),
    Answer(
        "5.6",
        wrong="first-request",
        source="""
def order(jobs, job):
    jobs.put_nowait(job)

async def deliver(jobs):
    while True:
        job = await jobs.get()
        await asyncio.create_task(job())
""",
        why="a task for each job has the context of its request",
    ),
    Answer(
        "5.6",
        wrong="first-request",
        source="""
def order(jobs, job):
    jobs.put_nowait(job)

async def deliver(jobs):
    while True:
        job = await jobs.get()
        context = contextvars.copy_context()
        await asyncio.create_task(job(), context=context)
""",
        why="copies the context where it is used",
    ),
    Answer(
        "5.6",
        wrong="only-called",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))

async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        await context.run(job)
""",
        why="what context.run starts, runs in the context",
    ),
    Answer(
        "5.6",
        wrong="only-the-id",
        source="""
def order(jobs, job):
    jobs.put_nowait((request_id.get(), job))

async def deliver(jobs):
    while True:
        number, job = await jobs.get()
        token = request_id.set(number)
        try:
            await job()
        finally:
            request_id.reset(token)
""",
        why="the id is all that a request leaves behind",
    ),
    Answer(
        "5.6",
        wrong="not-in-turn",
        source="""
under_way = set()

def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))

async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        under_way.add(asyncio.create_task(job(), context=context))
""",
        why="a task that is kept need not be awaited",
    ),
    Answer(
        "5.6",
        wrong="not-in-turn",
        source="""
under_way = set()

def order(jobs, job):
    under_way.add(asyncio.create_task(job()))

async def deliver(jobs):
    while True:
        await jobs.get()
""",
        why="then no queue is needed at all",
    ),
    Answer(
        "5.6",
        wrong="stopped",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))

async def deliver(jobs):
    context, job = await jobs.get()
    await asyncio.create_task(job(), context=context)
""",
        why="loses the loop while it adds the context",
    ),
    Answer(
        "5.6",
        wrong="never-ran",
        source="""
def order(jobs, job):
    jobs.put((contextvars.copy_context(), job))

async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        await asyncio.create_task(job(), context=context)
""",
        why="put is the opposite of get",
    ),
    Answer(
        "5.6",
        wrong="other-context",
        source="""
latest = None

def order(jobs, job):
    global latest
    latest = contextvars.copy_context()
    jobs.put_nowait(job)

async def deliver(jobs):
    while True:
        job = await jobs.get()
        await asyncio.create_task(job(), context=latest)
""",
        why="the context of the last request will do",
    ),
    Answer(
        "5.6",
        wrong="returned-coroutine",
        source="""
async def order(jobs, job):
    await jobs.put((contextvars.copy_context(), job))

async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        await asyncio.create_task(job(), context=context)
""",
        why="a queue of asyncio has an async put",
    ),
    Answer(
        "5.6",
        wrong="swallowed",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))

async def deliver(jobs):
    try:
        while True:
            context, job = await jobs.get()
            await asyncio.create_task(job(), context=context)
    except Exception:
        pass
""",
        why="one reminder that fails must not be seen",
    ),
    Answer(
        "5.6",
        wrong="second-loop",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))

async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        await asyncio.to_thread(context.run, lambda: asyncio.run(job()))
""",
        why="a context runs plain functions, and `asyncio.run` makes one of a coroutine",
    ),
    Answer(
        "5.6",
        right="the task is made inside the context",
        source="""
def order(jobs, job):
    context = contextvars.copy_context()
    jobs.put_nowait(lambda: context.run(asyncio.ensure_future, job()))

async def deliver(jobs):
    while True:
        start = await jobs.get()
        await start()
""",
    ),
    Answer(
        "5.6",
        wrong="only-some-of-it",
        source="""
from django.utils import translation
def order(jobs, job):
    jobs.put_nowait((request_id.get(), translation.get_language(), job))
async def deliver(jobs):
    while True:
        name, language, job = await jobs.get()
        token = request_id.set(name)
        try:
            with translation.override(language):
                await job()
        finally:
            request_id.reset(token)
""",
        why="id and language are all of it",
    ),
    Answer(
        "5.6",
        wrong="swallowed",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))
async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        try:
            await asyncio.create_task(job(), context=context)
        except Exception:
            pass
""",
        why="one reminder that fails must not stop the others",
    ),
    Answer(
        "5.6",
        wrong="cancel-swallowed",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))
async def deliver(jobs):
    while True:
        try:
            context, job = await jobs.get()
            await asyncio.create_task(job(), context=context)
        except asyncio.CancelledError:
            continue
""",
        why="deliver lives as long as the server, so it must not end",
    ),
    Answer(
        "5.6",
        wrong="swallowed",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))
async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        await asyncio.wait({asyncio.create_task(job(), context=context)})
""",
        why="`asyncio.wait` waits, and raises nothing",
    ),
    Answer(
        "5.6",
        wrong="left-over",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))
async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        for variable, value in context.items():
            variable.set(value)
        await job()
""",
        why="a context can be poured into another one",
    ),
    Answer(
        "5.6",
        wrong="other-context",
        source="""
contexts = {}
def order(jobs, job):
    contexts[job] = contextvars.copy_context()
    jobs.put_nowait(job)
async def deliver(jobs):
    while True:
        job = await jobs.get()
        await asyncio.create_task(job(), context=contexts[job])
""",
        why="the job is the key to its context",
    ),
    Answer(
        "5.6",
        wrong="ran-again",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))
async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        try:
            await asyncio.create_task(job(), context=context)
        except Exception:
            await asyncio.create_task(job(), context=context)
""",
        why="a job that fails deserves another try",
    ),
    Answer(
        "5.6",
        right="a job that fails is logged, and the others go on",
        source="""
def order(jobs, job):
    jobs.put_nowait((contextvars.copy_context(), job))
async def deliver(jobs):
    while True:
        context, job = await jobs.get()
        try:
            await asyncio.create_task(job(), context=context)
        except Exception as error:
            logging.getLogger("library").error("a reminder failed: %s", error)
""",
    ),
    Answer(
        "5.6",
        right="an object, and a lambda",
        source="""
class Deliver:
    async def __call__(self, jobs):
        while True:
            context, job = await jobs.get()
            await asyncio.create_task(job(), context=context, name="reminder")
deliver = Deliver()
order = lambda jobs, job: jobs.put_nowait((contextvars.copy_context(), job))
""",
    ),
    Answer(
        "5.6",
        wrong="other-queue",
        source="""
contexts = []


def order(jobs, job):
    contexts.append(contextvars.copy_context())
    jobs.put_nowait(job)


async def deliver(jobs):
    while True:
        job = await jobs.get()
        await asyncio.create_task(job(), context=contexts.pop(0))
""",
        why="contexts wait in a queue of their own",
    ),
    Answer(
        "5.6",
        wrong="changed-places",
        source="""
contexts = []


def order(jobs, job):
    contexts.append(contextvars.copy_context())
    jobs.put_nowait(job)


async def deliver(jobs):
    contexts.clear()
    while True:
        job = await jobs.get()
        await asyncio.create_task(job(), context=contexts.pop())
""",
        why="the last context is that of the job",
    ),
    Answer(
        "5.6",
        wrong="not-in-turn",
        source="""
def order(jobs, job):
    jobs.put_nowait(asyncio.create_task(job()))


async def deliver(jobs):
    while True:
        await (await jobs.get())
""",
        why="a task can be ordered as it is",
    ),
    Answer(
        "5.7",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(count_and_close, titles))
""",
        why="threads of one's own hold up nobody",
    ),
    Answer(
        "5.7",
        wrong="blocks-for-one",
        source="""
async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        finally:
            connections.close_all()

    if len(titles) == 1:
        return [count(titles[0])]
    in_pool = sync_to_async(count_and_close, thread_sensitive=False)
    return await asyncio.gather(*(in_pool(title) for title in titles))
""",
        why="a single count is not worth a thread",
    ),
    Answer(
        "5.7",
        wrong="left-open",
        source="""
async def stock_take(titles, count):
    in_pool = sync_to_async(count, thread_sensitive=False)
    return await asyncio.gather(*(in_pool(title) for title in titles))
""",
        why="a thread takes its connection along when it ends",
    ),
    Answer(
        "5.7",
        wrong="left-open",
        source="""
async def own(count, title):
    async with ThreadSensitiveContext():
        return await sync_to_async(count)(title)

async def stock_take(titles, count):
    return await asyncio.gather(*(own(count, title) for title in titles))
""",
        why="the end of a context closes what was opened in it",
    ),
    Answer(
        "5.7",
        wrong="closes-elsewhere",
        source="""
async def stock_take(titles, count):
    in_pool = sync_to_async(count, thread_sensitive=False)
    try:
        return await asyncio.gather(*(in_pool(title) for title in titles))
    finally:
        await sync_to_async(connections.close_all)()
""",
        why="close_all closes all",
    ),
    Answer(
        "5.7",
        wrong="closes-elsewhere",
        source="""
async def stock_take(titles, count):
    in_pool = sync_to_async(count, thread_sensitive=False)
    numbers = await asyncio.gather(*(in_pool(title) for title in titles))
    await sync_to_async(connections.close_all, thread_sensitive=False)()
    return numbers
""",
        why="one call in the pool closes the pool's",
    ),
    Answer(
        "5.7",
        wrong="in-turn",
        source="""
async def stock_take(titles, count):
    return [await sync_to_async(count)(title) for title in titles]
""",
        why="one thread, one connection, no leak",
    ),
    Answer(
        "5.7",
        wrong="left-after-error",
        source="""
async def stock_take(titles, count):
    def count_and_close(title):
        number = count(title)
        connections.close_all()
        return number

    in_pool = sync_to_async(count_and_close, thread_sensitive=False)
    return await asyncio.gather(*(in_pool(title) for title in titles))
""",
        why="a count does not fail",
    ),
    Answer(
        "5.7",
        wrong="swallowed",
        source="""
async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        except Exception:
            return 0
        finally:
            connections.close_all()

    in_pool = sync_to_async(count_and_close, thread_sensitive=False)
    return await asyncio.gather(*(in_pool(title) for title in titles))
""",
        why="what failed counts as nothing",
    ),
    Answer(
        "5.7",
        wrong="other-numbers",
        source="""
async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        finally:
            connections.close_all()

    in_pool = sync_to_async(count_and_close, thread_sensitive=False)
    return sum(await asyncio.gather(*(in_pool(title) for title in titles)))
""",
        why="the total is what the report needs",
    ),
    Answer(
        "5.7",
        wrong="cancel-swallowed",
        source="""
async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        finally:
            connection.close()

    try:
        return await asyncio.gather(*(asyncio.to_thread(count_and_close, t) for t in titles))
    except asyncio.CancelledError:
        return []
""",
        why="a job that is stopped ends in good order",
    ),
    Answer(
        "5.7",
        right="a context a branch, closed inside",
        source="""
async def own(count, title):
    async with ThreadSensitiveContext():
        try:
            return await sync_to_async(count)(title)
        finally:
            await sync_to_async(connections.close_all)()

async def stock_take(titles, count):
    return await asyncio.gather(*(own(count, title) for title in titles))
""",
    ),
    Answer(
        "5.7",
        right="close_old_connections in a pool of its own",
        source="""
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections

async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        finally:
            close_old_connections()

    with ThreadPoolExecutor(3) as pool:
        in_pool = sync_to_async(count_and_close, thread_sensitive=False, executor=pool)
        return await asyncio.gather(*(in_pool(title) for title in titles))
""",
    ),
    Answer(
        "5.7",
        wrong="other-numbers",
        source="""
async def stock_take(titles, count):
    def closing(title):
        try:
            return count(title)
        finally:
            connection.close()
    unique = list(dict.fromkeys(titles))
    return await asyncio.gather(*(asyncio.to_thread(closing, title) for title in unique))
""",
        why="a title is counted once",
    ),
    Answer(
        "5.7",
        wrong="nothing-given",
        source="""
from concurrent.futures import ThreadPoolExecutor
async def stock_take(titles, count):
    def closing(title):
        try:
            return count(title)
        finally:
            connection.close()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(titles)) as pool:
        return await asyncio.gather(*(loop.run_in_executor(pool, closing, t) for t in titles))
""",
        why="one thread for each title",
    ),
    Answer(
        "5.7",
        wrong="too-few-at-once",
        source="""
from concurrent.futures import ThreadPoolExecutor
async def stock_take(titles, count):
    def closing(title):
        try:
            return count(title)
        finally:
            connection.close()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        return await asyncio.gather(*(loop.run_in_executor(pool, closing, t) for t in titles))
""",
        why="two at a time are parallel, too",
    ),
    Answer(
        "5.7",
        wrong="on-the-loop",
        source="""
async def stock_take(titles, count):
    return [count(title) for title in titles]
""",
        why="a count is fast enough for the loop",
    ),
    Answer(
        "5.7",
        wrong="other-exception",
        source="""
async def stock_take(titles, count):
    def closing(title):
        try:
            return count(title)
        except Exception as error:
            raise RuntimeError(f"could not count {title}") from error
        finally:
            connection.close()
    return await asyncio.gather(*(asyncio.to_thread(closing, title) for title in titles))
""",
        why="the caller gets a better exception",
    ),
    Answer(
        "5.7",
        wrong="crossed",
        source="""
async def stock_take(titles, count):
    database = connections["default"]
    def closing(title):
        try:
            return count(title)
        finally:
            database.close()
    return await asyncio.gather(*(asyncio.to_thread(closing, title) for title in titles))
""",
        why="a connection can be looked up once and for all",
    ),
    Answer(
        "5.7",
        right="`closing` around the count",
        source="""
from contextlib import closing
def _count(count, title):
    with closing(connection):
        return count(title)
async def stock_take(titles, count):
    tasks = [asyncio.create_task(asyncio.to_thread(_count, count, title)) for title in titles]
    return [await task for task in tasks]
""",
    ),
    Answer(
        "5.7",
        wrong="changes-the-list",
        source="""
async def stock_take(titles, count):
    def closing(title):
        try:
            return count(title)
        finally:
            connections.close_all()
    asking = []
    while titles:
        asking.append(asyncio.to_thread(closing, titles.pop(0)))
    return await asyncio.gather(*asking)
""",
        why="the list is not needed any more",
    ),
    Answer(
        "5.7",
        wrong="closed-for-all",
        source="""
async def stock_take(titles, count):
    def count_and_close(title):
        try:
            return count(title)
        finally:
            connections.close_all()

    in_pool = sync_to_async(count_and_close, thread_sensitive=False)
    try:
        return await asyncio.gather(*(in_pool(title) for title in titles))
    finally:
        await sync_to_async(connections.close_all)()
""",
        why="to be sure, everything is closed everywhere",
    ),
]

EQUIVALENT = [
    Equivalent(
        because="A context variable's name is only seen when it is printed.",
        mutants=("5.1 constant-changed@2",),
    ),
    Equivalent(
        because=(
            "Nothing in this function can raise: `set`, and `get` of a variable with a "
            "default, never do."
        ),
        mutants=("5.1 exception-swallowed@6", "5.1 exception-swallowed@12"),
    ),
    Equivalent(
        because="A sum does not depend on the order in which its numbers come.",
        mutants=("5.2 gather-as-completed@3",),
    ),
    Equivalent(
        because="The function only defines another one and returns it, which cannot raise.",
        mutants=("5.3 exception-swallowed@1",),
    ),
    Equivalent(
        because=(
            "Another right answer, which tests/lessons has, too: the view runs in a task made "
            "after the id was set."
        ),
        mutants=("5.3 task-for-each@6",),
    ),
    Equivalent(
        because="`Queue.get` sets no context variable, and a cancel of `deliver` passes on to it.",
        mutants=("5.6 task-for-each@10",),
    ),
    Equivalent(
        because=(
            "`connections` belongs to no thread: its `close_all`, looked up anywhere, closes "
            "those of the thread that calls it."
        ),
        mutants=("5.7 connection-passed@1#2",),
    ),
]

MAY_DIFFER_TWICE = {
    "worker-count": "the worker has its connection already",
    "pool-count": "the pool's threads have their connections already",
}

MAY_DIFFER_INTERRUPTED = dict.fromkeys(
    ("sync-run", "busy-run", "reveal-background"),
    "the interrupted requests go on and write into the same log",
) | dict.fromkeys(
    (
        *("pool-count", "reveal-pool", "context-count", "context-closed", "plain-count"),
        *("collect", "request-worker", "request-pool", "reveal-request-pool"),
        "closing-pool-count",
    ),
    "it also counts what the interrupted run opened; `clean_start` is a cell of its own",
)

EXAMPLES = {
    "5.1": """\
sign_in("Tomoko Arai")
assert await sync_to_async(current_member)() == "Tomoko Arai"
""",
    "5.2": 'assert await total_loans(["Dracula", "Emma", "Frankenstein"], count_loans) == 5\n',
    "5.3": """\
from django.test import RequestFactory

async def view(request):
    return request_id.get()

request = RequestFactory().get("/", headers={"X-Request-ID": "r1"})
response = await request_id_middleware(view)(request)
assert (response, request_id.get()) == ("r1", "-")
""",
    "5.4": 'assert await titles_lent(2) == ["Frankenstein"]\n',
    "5.5": """\
import io

logger, stream = logging.getLogger("example"), io.StringIO()
logger.propagate = False
listener = listen(logger, stream)
token = request_id.set("r1")
logger.warning("Dracula: asked for")
request_id.reset(token)
listener.stop()
assert stream.getvalue().strip() == "[r1] Dracula: asked for"
""",
    "5.6": """\
from django.utils import translation

jobs, found = asyncio.Queue(), asyncio.get_running_loop().create_future()

async def job():
    found.set_result((request_id.get(), translation.get_language()))

async def in_a_request():
    request_id.set("r2")
    with translation.override("de"):
        order(jobs, job)

delivery = asyncio.create_task(deliver(jobs))
await asyncio.create_task(in_a_request())
assert await asyncio.wait_for(found, 10) == ("r2", "de")
delivery.cancel()
""",
    "5.7": 'assert await stock_take(["Dracula", "Frankenstein"], count_lent) == [1, 3]\n',
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "output-edited-in-05",
        "an output edited",
        output(NOTEBOOK, "sync-run", "[r2] Emma: asked for", "[-] Emma: asked for"),
        compared(
            5,
            *("boot", "models", "thread-local", "middleware-sync", "logging"),
            *("show-log", "sync-view-code", "site-with", "sync-run"),
        ),
        ("[-] Emma: asked for", "[r2] Emma: asked for", "Cell outputs differ"),
    ),
]
