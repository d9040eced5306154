"""What the tests know of lesson 11."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/11_*.ipynb"

_idle_by_name = in_pieces(
    "def ask():",
    cursor="""
    with connection.cursor() as cursor:
        cursor.execute('''
            SELECT application_name, count(*) FROM pg_stat_activity
""",
    where="""
            WHERE datname = current_database() AND state = 'idle' GROUP BY application_name
        ''')
""",
    result="""
        return dict(cursor.fetchall())
""",
    rest="""

async def idle_by_name():
    return await sync_to_async(ask)()
""",
)

_page = in_pieces(
    "async def page(request, title, ask):",
    look_up="""
    book = await sync_to_async(look_up)(title)
""",
    ask="""
    copies = await ask(book.title)
""",
    rest="""
    loans = await Loan.objects.filter(book=book).acount()
    return HttpResponse(f"{title}: {copies}, {loans} loans")
""",
    function="""

def look_up(title):
    try:
        return Book.objects.get(title=title)
    finally:
        connection.close()
""",
)

_run_jobs = in_pieces(
    "async def run_jobs(jobs):",
    loop="""
    async for job in jobs:
""",
    body="""
        await sync_to_async(close_old_connections)()
        await sync_to_async(in_transaction)(job)
""",
    function="""

def in_transaction(job):
    with transaction.atomic():
        job()
""",
)

_settings = in_pieces(
    "def database_settings(interface, processes, threads, slots):",
    condition="""
    if interface == "wsgi" and processes * threads <= slots:
""",
    kept="""
        return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
""",
    pool="""
    return {"OPTIONS": {"pool": {"min_size": 1, "max_size": slots // processes}}}
""",
)

_check_in = in_pieces(
    "async def check_in(scan, day):",
    hop="""
    return await sync_to_async(take_and_scan)(scan, day)
""",
    atomic="""

@transaction.atomic
def take_and_scan(scan, day):
""",
    find="""
    free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
    loan = free.order_by("pk").first()
    if loan is None:
        return None
""",
    scan="""
    scan(loan)
""",
    save="""
    loan.returned = day
    loan.save()
    return loan.pk
""",
)

_front = in_pieces(
    "async def front(request, titles, ask, note):",
    count="""
    loans = await sync_to_async(count_and_close)(titles)
""",
    ask="""
    copies = await ask()
""",
    note="""
    task = asyncio.create_task(note_and_close(note))
    under_way.add(task)
    task.add_done_callback(under_way.discard)
""",
    answer="""
    return HttpResponse(f"{loans} loans, {copies}")
""",
    count_and_close="""

def count_and_close(titles):
    try:
        return Loan.objects.filter(book__title__in=titles).count()
    finally:
        connection.close()
""",
    note_and_close="""

async def note_and_close(note):
    try:
        await note()
    finally:
        await sync_to_async(connections.close_all)()
""",
    under_way="""

under_way = set()
""",
)

ANSWERS = [
    Answer(
        "11.1",
        wrong="own-role",
        source=_idle_by_name(
            where="""
            WHERE datname = current_database() AND usename = current_user AND state = 'idle'
            GROUP BY application_name
        ''')
"""
        ),
        why="a site logs in as one role",
    ),
    Answer(
        "11.1",
        wrong="remembers",
        source=_idle_by_name(
            result="""
        counted.update(cursor.fetchall())
        return counted
""",
            rest="""

counted = {}


async def idle_by_name():
    return await sync_to_async(ask)()
""",
        ),
        why="a dict is filled anew by each call",
    ),
    Answer(
        "11.1",
        wrong="all-states",
        source=_idle_by_name(
            where="""
            WHERE datname = current_database() GROUP BY application_name
        ''')
"""
        ),
        why="who is connected is idle",
    ),
    Answer(
        "11.1",
        wrong="other-database",
        source=_idle_by_name(
            where="""
            WHERE state = 'idle' GROUP BY application_name
        ''')
"""
        ),
        why="a server is a database",
    ),
    Answer(
        "11.1",
        wrong="in-transaction",
        source=_idle_by_name(
            where="""
            WHERE datname = current_database() AND starts_with(state, 'idle')
            GROUP BY application_name
        ''')
"""
        ),
        why="idle is idle",
    ),
    Answer(
        "11.1",
        wrong="other-numbers",
        source=_idle_by_name(
            cursor="""
    with connection.cursor() as cursor:
        cursor.execute('''
            SELECT DISTINCT application_name, 1 FROM pg_stat_activity
""",
            where="""
            WHERE datname = current_database() AND state = 'idle'
        ''')
""",
        ),
        why="a program is a connection",
    ),
    Answer(
        "11.1",
        wrong="no-dict",
        source=_idle_by_name(
            result="""
        return cursor.fetchall()
"""
        ),
        why="pairs are a dict",
    ),
    Answer(
        "11.1",
        wrong="on-the-loop",
        source=_idle_by_name(
            rest="""

async def idle_by_name():
    return ask()
"""
        ),
        why="`async def` alone makes a query async",
    ),
    Answer(
        "11.1",
        wrong="left-open",
        source=_idle_by_name(
            rest="""

async def idle_by_name():
    return await asyncio.to_thread(ask)
"""
        ),
        why="any thread will do for a sync function",
    ),
    Answer(
        "11.1",
        wrong="second-connection",
        source=_idle_by_name(
            rest="""

def ask():
    mine = connection.copy()
    with mine.cursor() as cursor:
        cursor.execute(
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE datname = %s AND state = 'idle' GROUP BY 1",
            [mine.settings_dict["NAME"]],
        )
        return dict(cursor.fetchall())


async def idle_by_name():
    return await sync_to_async(ask)()
"""
        ),
        why="a copy does not disturb the others, and goes by itself",
    ),
    Answer(
        "11.1",
        wrong="swallowed",
        source=_idle_by_name(
            rest="""

async def idle_by_name():
    try:
        return await sync_to_async(ask)()
    except Exception:
        return {}
"""
        ),
        why="a report should never fail",
    ),
    Answer(
        "11.1",
        wrong="nameless",
        source=_idle_by_name(
            where="""
            WHERE datname = current_database() AND state = 'idle' AND application_name <> ''
            GROUP BY application_name
        ''')
"""
        ),
        why="who says no name is nobody",
    ),
    Answer(
        "11.1",
        wrong="second-connection",
        source=_idle_by_name(
            rest="""

import psycopg

mine = []


async def idle_by_name():
    parameters = await sync_to_async(lambda: connection.get_connection_params())()
    del parameters["cursor_factory"], parameters["context"]
    mine.append(await psycopg.AsyncConnection.connect(**parameters))
    rows = await mine[0].execute(QUERY)
    return dict(await rows.fetchall())


QUERY = '''
    SELECT application_name, count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' GROUP BY application_name
'''
"""
        ),
        why="a connection of one's own costs nothing",
    ),
    Answer(
        "11.1",
        right="the driver's async connection, which ends with its block",
        source="""
import psycopg

QUERY = '''
    SELECT application_name, count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' GROUP BY application_name
'''


async def idle_by_name():
    parameters = await sync_to_async(lambda: connection.get_connection_params())()
    del parameters["cursor_factory"], parameters["context"]
    async with await psycopg.AsyncConnection.connect(**parameters) as mine:
        rows = await mine.execute(QUERY)
        return dict(await rows.fetchall())
""",
    ),
    Answer(
        "11.1",
        right="counted in Python, and closed",
        source="""
def ask():
    found = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT application_name FROM pg_stat_activity WHERE state = %s AND datname = %s",
                ["idle", connection.settings_dict["NAME"]],
            )
            for (name,) in cursor.fetchall():
                found[name] = found.get(name, 0) + 1
    finally:
        connection.close()
    return found


async def idle_by_name():
    return await asyncio.to_thread(ask)
""",
    ),
    Answer(
        "11.2",
        wrong="held",
        source=_page(
            look_up="""
    book = await Book.objects.aget(title=title)
""",
            function="",
        ),
        why="a query gives its connection back",
    ),
    Answer(
        "11.2",
        wrong="other-thread",
        source=_page(
            look_up="""
    book = await Book.objects.aget(title=title)
    await asyncio.to_thread(lambda: connection.close())
""",
            function="",
        ),
        why="any thread will do for a sync function",
    ),
    Answer(
        "11.2",
        wrong="on-the-loop",
        source=_page(
            look_up="""
    book = await Book.objects.aget(title=title)
    connection.close()
""",
            function="",
        ),
        why="there is one connection",
    ),
    Answer(
        "11.2",
        wrong="held",
        source=_page(
            ask="""
    copies = await ask(book.title)
    await sync_to_async(close_old_connections)()
""",
            function="""

def look_up(title):
    return Book.objects.get(title=title)
""",
        ),
        why="first the work, then the cleaning up",
    ),
    Answer(
        "11.2",
        wrong="others-connection",
        source=_page(
            look_up="""
    book = await Book.objects.aget(title=title)
    await sync_to_async(connection.close)()
""",
            function="",
        ),
        why="on the worker, `connection` is the worker's",
    ),
    Answer(
        "11.2",
        wrong="not-given-back",
        source=_page(
            rest="""
    loans = await asyncio.to_thread(Loan.objects.filter(book=book).count)
    return HttpResponse(f"{title}: {copies}, {loans} loans")
"""
        ),
        why="the request closes what it has opened",
    ),
    Answer(
        "11.2",
        wrong="other-text",
        source=_page(
            rest="""
    loans = await Loan.objects.acount()
    return HttpResponse(f"{title}: {copies}, {loans} loans")
"""
        ),
        why="counts all loans",
    ),
    Answer(
        "11.2",
        wrong="hides-the-error",
        source=_page(
            ask="""
    try:
        copies = await ask(book.title)
    except Exception:
        copies = "no copies"
"""
        ),
        why="a page should never fail",
    ),
    Answer(
        "11.2",
        wrong="hides-the-error",
        source=_page(
            ask="""
    try:
        copies = await ask(book.title)
    except OSError:
        copies = "no copies"
"""
        ),
        why="a network may fail, and nothing else",
    ),
    Answer(
        "11.2",
        wrong="hides-no-book",
        source=_page(
            look_up="""
    book = await sync_to_async(look_up)(title)
    if book is None:
        return HttpResponse("no such book")
""",
            function="""

def look_up(title):
    try:
        return Book.objects.filter(title=title).first()
    finally:
        connection.close()
""",
        ),
        why="who has no book has nothing to say",
    ),
    Answer(
        "11.2",
        wrong="other-question",
        source=_page(
            ask="""
    copies = await ask(book)
"""
        ),
        why="a book is its title",
    ),
    Answer(
        "11.2",
        wrong="by-turns",
        source=_page(
            look_up="""
    async with two_at_once:
        return await one_page(title, ask)


two_at_once = asyncio.Semaphore(2)


async def one_page(title, ask):
    book = await sync_to_async(look_up)(title)
""",
        ),
        why="who may not ask needs no connection",
    ),
    Answer(
        "11.2",
        wrong="second-loop",
        source=_page(
            ask="""
    asking = asyncio.run_coroutine_threadsafe(ask(book.title), loop)
    copies = await asyncio.wrap_future(asking)
""",
            function="""

import threading

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def look_up(title):
    try:
        return Book.objects.get(title=title)
    finally:
        connection.close()
""",
        ),
        why="what waits belongs to a loop of its own",
    ),
    Answer(
        "11.2",
        wrong="second-loop",
        source=_page(
            ask="""
    copies = await asyncio.to_thread(asyncio.run, ask(book.title))
"""
        ),
        why="a thread may wait as long as it likes",
    ),
    Answer(
        "11.2",
        wrong="queries-meanwhile",
        source=_page(
            ask="""
    loans = Loan.objects.filter(book=book)
    copies, loans = await asyncio.gather(ask(book.title), loans.acount())
    return HttpResponse(f"{title}: {copies}, {loans} loans")
""",
            rest="",
        ),
        why="what can run at once should",
    ),
    Answer(
        "11.2",
        right="async_to_sync, which asks on the loop that is there",
        source="""
from asgiref.sync import async_to_sync


@sync_to_async
def page(request, title, ask):
    try:
        book = Book.objects.get(title=title)
    finally:
        connection.close()
    copies = async_to_sync(ask)(book.title)
    loans = Loan.objects.filter(book=book).count()
    return HttpResponse(f"{title}: {copies}, {loans} loans")
""",
    ),
    Answer(
        "11.2",
        right="close_old_connections on the worker",
        source=_page(
            look_up="""
    book = await Book.objects.aget(title=title)
    await sync_to_async(close_old_connections)()
""",
            function="",
        ),
    ),
    Answer(
        "11.2",
        wrong="closes-the-pool",
        source="""
async def page(request, title, ask):
    book = await sync_to_async(look_up)(title)
    copies = await ask(book.title)
    loans = await Loan.objects.filter(book=book).acount()
    return HttpResponse(f"{title}: {copies}, {loans} loans")


def look_up(title):
    try:
        return Book.objects.get(title=title)
    finally:
        connection.close_pool()
""",
        why="who closes the pool gives everything back",
    ),
    Answer(
        "11.2",
        wrong="closes-the-pool",
        source="""
async def page(request, title, ask):
    book = await sync_to_async(look_up)(title)
    copies = await ask(book.title)
    loans = await Loan.objects.filter(book=book).acount()
    return HttpResponse(f"{title}: {copies}, {loans} loans")


def look_up(title):
    try:
        return Book.objects.get(title=title)
    finally:
        connection.close()
        connection.close_pool()
""",
        why="better twice than never",
    ),
    Answer(
        "11.2",
        wrong="other-book",
        source="""
async def page(request, title, ask):
    book = await sync_to_async(look_up)(title)
    copies = await ask(book.title)
    loans = await Loan.objects.filter(book=book).acount()
    return HttpResponse(f"{title}: {copies}, 3 loans")


def look_up(title):
    try:
        return Book.objects.get(title=title)
    finally:
        connection.close()
""",
        why="the example is the page",
    ),
    Answer(
        "11.2",
        right="both queries come first; after an error the request closes",
        source="""
async def page(request, title, ask):
    def look_up():
        book = Book.objects.get(title=title)
        loans = Loan.objects.filter(book=book).count()
        connections.close_all()
        return book.title, loans

    found, loans = await sync_to_async(look_up)()
    return HttpResponse(f"{title}: {await ask(found)}, {loans} loans")
""",
    ),
    Answer(
        "11.3",
        wrong="gives-up",
        source=_run_jobs(
            loop="""
    jobs = aiter(jobs)
    while True:
        try:
            job = await asyncio.wait_for(anext(jobs), 60)
        except (StopAsyncIteration, TimeoutError):
            return
""",
        ),
        why="a worker that has nothing to do for a minute may end",
    ),
    Answer(
        "11.3",
        wrong="stale",
        source=_run_jobs(
            body="""
        await sync_to_async(in_transaction)(job)
"""
        ),
        why="a setting checks the connection",
    ),
    Answer(
        "11.3",
        wrong="stale",
        source=_run_jobs(
            body="""
        close_old_connections()
        await sync_to_async(in_transaction)(job)
"""
        ),
        why="what closes connections closes all of them",
    ),
    Answer(
        "11.3",
        wrong="stale",
        source=_run_jobs(
            loop="""
    await sync_to_async(close_old_connections)()
    async for job in jobs:
""",
            body="""
        await sync_to_async(in_transaction)(job)
""",
        ),
        why="once is enough",
    ),
    Answer(
        "11.3",
        wrong="closed-in-atomic",
        source=_run_jobs(
            body="""
        await sync_to_async(in_transaction)(job)
""",
            function="""

def in_transaction(job):
    with transaction.atomic():
        close_old_connections()
        job()
""",
        ),
        why="what belongs to a job belongs into its transaction",
    ),
    Answer(
        "11.3",
        wrong="no-transaction",
        source=_run_jobs(
            body="""
        await sync_to_async(close_old_connections)()
        await sync_to_async(job)()
""",
            function="",
        ),
        why="a job is a transaction",
    ),
    Answer(
        "11.3",
        wrong="async-with",
        source=_run_jobs(
            body="""
        await sync_to_async(close_old_connections)()
        async with transaction.atomic():
            await sync_to_async(job)()
""",
            function="",
        ),
        why="in an async function everything is async",
    ),
    Answer(
        "11.3",
        wrong="on-the-loop",
        source=_run_jobs(
            body="""
        await sync_to_async(close_old_connections)()
        in_transaction(job)
"""
        ),
        why="a worker may block",
    ),
    Answer(
        "11.3",
        wrong="opens-each",
        source=_run_jobs(
            body="""
        await sync_to_async(connections.close_all)()
        await sync_to_async(in_transaction)(job)
"""
        ),
        why="a new connection is a good one",
    ),
    Answer(
        "11.3",
        wrong="twice",
        source=_run_jobs(
            body="""
        try:
            await sync_to_async(in_transaction)(job)
        except OperationalError:
            await sync_to_async(close_old_connections)()
            await sync_to_async(in_transaction)(job)
""",
            function="""

from django.db import OperationalError


def in_transaction(job):
    with transaction.atomic():
        job()
""",
        ),
        why="what failed is tried again",
    ),
    Answer(
        "11.3",
        wrong="collects",
        source=_run_jobs(
            loop="""
    for job in [job async for job in jobs]:
"""
        ),
        why="a list is simpler",
    ),
    Answer(
        "11.3",
        wrong="hides-the-error",
        source=_run_jobs(
            body="""
        await sync_to_async(close_old_connections)()
        try:
            await sync_to_async(in_transaction)(job)
        except Exception:
            pass
"""
        ),
        why="a worker should never stop",
    ),
    Answer(
        "11.3",
        wrong="hides-the-error",
        source=_run_jobs(
            body="""
        await sync_to_async(close_old_connections)()
        await sync_to_async(in_transaction)(job)
""",
            function="""

from django.db import DatabaseError


def in_transaction(job):
    try:
        with transaction.atomic():
            job()
    except DatabaseError:
        pass
""",
        ),
        why="what the database refuses is not written, and that is all",
    ),
    Answer(
        "11.3",
        wrong="autocommit-left-off",
        source=_run_jobs(
            function="""

def in_transaction(job):
    transaction.set_autocommit(False)
    try:
        job()
    except Exception:
        transaction.rollback()
        raise
    transaction.commit()
    transaction.set_autocommit(True)
"""
        ),
        why="a transaction is what lies between two commits",
    ),
    Answer(
        "11.3",
        wrong="autocommit-left-off",
        source=_run_jobs(
            body="""
        await sync_to_async(in_transaction)(job)
""",
            function="""

def in_transaction(job):
    close_old_connections()
    transaction.set_autocommit(False)
    job()
    transaction.commit()
    transaction.set_autocommit(True)
""",
        ),
        why="what is not committed is not there",
    ),
    Answer(
        "11.3",
        right="autocommit off, and on again however the job ends",
        source=_run_jobs(
            function="""

def in_transaction(job):
    transaction.set_autocommit(False)
    try:
        job()
        transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
    finally:
        transaction.set_autocommit(True)
"""
        ),
    ),
    Answer(
        "11.3",
        wrong="left-open",
        source=_run_jobs(
            body="""
        await sync_to_async(in_transaction, thread_sensitive=False)(job)
""",
            function="""

def in_transaction(job):
    close_old_connections()
    with transaction.atomic():
        job()
""",
        ),
        why="a job needs a thread of its own",
    ),
    Answer(
        "11.3",
        wrong="not-written",
        source=_run_jobs(
            body="""
        await sync_to_async(close_old_connections)()
        await sync_to_async(in_transaction)(job)
""",
            function="""

def in_transaction(job):
    with transaction.atomic():
        try:
            job()
        finally:
            connection.close()
""",
        ),
        why="a job closes what it has opened",
    ),
    Answer(
        "11.3",
        wrong="stale",
        source=_run_jobs(
            body="""
        try:
            await sync_to_async(in_transaction)(job)
        finally:
            await sync_to_async(close_old_connections)()
"""
        ),
        why="who tidies up after a job has tidied up before the next one",
    ),
    Answer(
        "11.3",
        wrong="tells-late",
        source=_run_jobs(
            loop="""
    errors = []
    async for job in jobs:
""",
            body="""
        await sync_to_async(close_old_connections)()
        try:
            await sync_to_async(in_transaction)(job)
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
""",
        ),
        why="one bad job should not keep the others waiting",
    ),
    Answer(
        "11.3",
        right="one function",
        source="""
def do(job):
    close_old_connections()
    transaction.atomic(job)()


async def run_jobs(jobs):
    async for job in jobs:
        await sync_to_async(do)(job)
""",
    ),
    Answer(
        "11.4",
        wrong="kept-by-nobody",
        source=_settings(
            condition="""
    if True:
"""
        ),
        why="a deployment keeps its connections",
    ),
    Answer(
        "11.4",
        wrong="pool-and-age",
        source=_settings(
            pool="""
    pool = {"min_size": 1, "max_size": slots // processes}
    return {"CONN_MAX_AGE": 60, "OPTIONS": {"pool": pool}}
"""
        ),
        why="both keep connections, so both together are best",
    ),
    Answer(
        "11.4",
        wrong="min-above-max",
        source=_settings(
            pool="""
    return {"OPTIONS": {"pool": {"max_size": slots // processes}}}
"""
        ),
        why="a maximum is enough",
    ),
    Answer(
        "11.4",
        wrong="too-many",
        source=_settings(
            pool="""
    return {"OPTIONS": {"pool": {"min_size": 1, "max_size": slots}}}
"""
        ),
        why="there is one pool",
    ),
    Answer(
        "11.4",
        wrong="too-many",
        source=_settings(
            pool="""
    return {"OPTIONS": {"pool": True}}
"""
        ),
        why="the default is right for everybody",
    ),
    Answer(
        "11.4",
        wrong="too-few",
        source=_settings(
            pool="""
    return {"OPTIONS": {"pool": {"min_size": 1, "max_size": 2}}}
"""
        ),
        why="two are always enough",
    ),
    Answer(
        "11.4",
        wrong="no-limit",
        source=_settings(
            pool="""
    return {"CONN_MAX_AGE": 0}
"""
        ),
        why="what is closed takes no slot",
    ),
    Answer(
        "11.4",
        wrong="kept-by-nobody",
        source=_settings(
            condition="""
    if interface == "wsgi":
"""
        ),
        why="threads are few",
    ),
    Answer(
        "11.4",
        wrong="opens-each",
        source=_settings(
            kept="""
        return {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
"""
        ),
        why="an age of nothing is no limit",
    ),
    Answer(
        "11.4",
        wrong="other-age",
        source=_settings(
            kept="""
        return {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
"""
        ),
        why="the longer, the better",
    ),
    Answer(
        "11.4",
        wrong="no-health-check",
        source=_settings(
            kept="""
        return {"CONN_MAX_AGE": 60}
"""
        ),
        why="Django looks at what it keeps",
    ),
    Answer(
        "11.4",
        wrong="other-form",
        source=_settings(
            pool="""
    return {"pool": {"min_size": 1, "max_size": slots // processes}}
"""
        ),
        why="a pool is a setting",
    ),
    Answer(
        "11.4",
        wrong="min-above-max",
        source=_settings(
            pool="""
    return {"OPTIONS": {"pool": {"min_size": 2, "max_size": slots // processes}}}
"""
        ),
        why="every process has two slots",
    ),
    Answer(
        "11.4",
        right="a fixed size, the other way round",
        source="""
def database_settings(interface, processes, threads, slots):
    share = slots // processes
    if interface == "asgi" or threads > share:
        return {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"min_size": share, "max_size": share}}}
    return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
""",
    ),
    Answer(
        "11.5",
        wrong="other-loan",
        source=_check_in(
            find="""
    open_loans = Loan.objects.filter(returned=None, borrowed__lte=day)
    loan = open_loans.select_for_update(skip_locked=True).order_by("pk").first()
    if loan is None:
        return None
"""
        ),
        why="what comes back was lent before",
    ),
    Answer(
        "11.5",
        wrong="locks-more-tables",
        source=_check_in(
            find="""
    free = Loan.objects.select_related("book", "member").select_for_update(skip_locked=True)
    loan = free.filter(returned=None).order_by("pk").first()
    if loan is None:
        return None
"""
        ),
        why="a scan shows the book and the member",
    ),
    Answer(
        "11.5",
        wrong="takes-returned",
        source=_check_in(
            find="""
    for pk in Loan.objects.filter(returned=None).order_by("pk").values_list("pk", flat=True):
        loan = Loan.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        if loan is not None:
            break
    else:
        return None
"""
        ),
        why="what was open a moment ago is open",
    ),
    Answer(
        "11.5",
        wrong="hides-the-error",
        source=_check_in(
            scan="""
    try:
        scan(loan)
    except (ValueError, LookupError, OSError):
        return None
"""
        ),
        why="what cannot be read is scanned again",
    ),
    Answer(
        "11.5",
        right="each open loan in turn, asked again when locked; what is joined is not locked",
        source=_check_in(
            find="""
    loans = Loan.objects.select_related("book").order_by("pk")
    for pk in list(loans.filter(returned=None).values_list("pk", flat=True)):
        free = loans.select_for_update(skip_locked=True, of=("self",))
        loan = free.filter(pk=pk, returned=None).first()
        if loan is not None:
            break
    else:
        return None
"""
        ),
    ),
    Answer(
        "11.5",
        wrong="others-returned",
        source="""
async def check_in(scan, day):
    return await sync_to_async(take_and_scan)(scan, day)


@transaction.atomic
def take_and_scan(scan, day):
    free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
    loan = free.order_by("pk").first()
    if loan is None:
        return None
    scan(loan)
    Loan.objects.filter(book=loan.book_id).update(returned=day)
    return loan.pk
""",
        why="a book that is back has no open loan",
    ),
    Answer(
        "11.5",
        wrong="takes-anothers",
        source=_check_in(
            find="""
    loan = Loan.objects.filter(returned=None).order_by("pk").first()
    if loan is None:
        return None
"""
        ),
        why="a transaction keeps others out",
    ),
    Answer(
        "11.5",
        wrong="waits",
        source=_check_in(
            find="""
    loan = Loan.objects.select_for_update().filter(returned=None).order_by("pk").first()
    if loan is None:
        return None
"""
        ),
        why="a lock is a lock",
    ),
    Answer(
        "11.5",
        wrong="refuses",
        source=_check_in(
            find="""
    free = Loan.objects.select_for_update(nowait=True).filter(returned=None)
    loan = free.order_by("pk").first()
    if loan is None:
        return None
"""
        ),
        why="not to wait is to go on",
    ),
    Answer(
        "11.5",
        wrong="no-transaction",
        source=_check_in(
            atomic="""

def take_and_scan(scan, day):
"""
        ),
        why="a lock needs no transaction",
    ),
    Answer(
        "11.5",
        wrong="on-the-loop",
        source=_check_in(
            hop="""
    return take_and_scan(scan, day)
"""
        ),
        why="`async def` alone makes a query async",
    ),
    Answer(
        "11.5",
        wrong="let-go",
        source=_check_in(
            atomic="""

def take_and_scan(scan, day):
""",
            find="""
    with transaction.atomic():
        free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
        loan = free.order_by("pk").first()
    if loan is None:
        return None
""",
        ),
        why="a transaction should be short",
    ),
    Answer(
        "11.5",
        wrong="not-returned",
        source=_check_in(
            save="""
    loan.returned = day
    return loan.pk
"""
        ),
        why="a model writes itself",
    ),
    Answer(
        "11.5",
        wrong="hides-the-error",
        source=_check_in(
            scan="""
    try:
        scan(loan)
    except Exception:
        return None
"""
        ),
        why="a desk should never fail",
    ),
    Answer(
        "11.5",
        wrong="nothing-left",
        source=_check_in(
            find="""
    free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
    loan = free.order_by("pk").first()
    if loan is None:
        return 0
"""
        ),
        why="nothing is 0",
    ),
    Answer(
        "11.5",
        wrong="other-loan",
        source=_check_in(
            find="""
    free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
    loan = free.order_by("pk").last()
    if loan is None:
        return None
"""
        ),
        why="any loan will do",
    ),
    Answer(
        "11.5",
        wrong="refuses",
        source=_check_in(
            hop="""
    try:
        return await sync_to_async(take_and_scan)(scan, day)
    except OperationalError:
        return None


from django.db import OperationalError
""",
            find="""
    free = Loan.objects.select_for_update(nowait=True).filter(returned=None)
    loan = free.order_by("pk").first()
    if loan is None:
        return None
""",
        ),
        why="who gets no loan has nothing to do",
    ),
    Answer(
        "11.5",
        wrong="not-returned",
        source=_check_in(
            save="""
    loan.returned = datetime.date.today()
    loan.save()
    return loan.pk
"""
        ),
        why="a book comes back today",
    ),
    Answer(
        "11.5",
        wrong="other-loan",
        source=_check_in(
            find="""
    loan = Loan.objects.select_for_update(skip_locked=True).filter(returned=None).first()
    if loan is None:
        return None
"""
        ),
        why="loans are in the order of their pk anyway",
    ),
    Answer(
        "11.5",
        wrong="no-pk",
        source=_check_in(
            save="""
    loan.returned = day
    loan.save()
    return loan
"""
        ),
        why="a loan says more than its pk",
    ),
    Answer(
        "11.5",
        wrong="stays-locked",
        source=_check_in(
            hop="""
    block = transaction.atomic()
    await sync_to_async(block.__enter__)()
    pk = await sync_to_async(take_and_scan)(scan, day)
    await sync_to_async(block.__exit__)(None, None, None)
    return pk
""",
            atomic="""

def take_and_scan(scan, day):
""",
        ),
        why="a block is two calls",
    ),
    Answer(
        "11.5",
        wrong="let-go",
        source=_check_in(
            scan="",
            hop="""
    loan = await sync_to_async(take_and_scan)(scan, day)
    if loan is None:
        return None
    try:
        await sync_to_async(scan)(loan)
    except Exception:
        loan.returned = None
        await loan.asave()
        raise
    return loan.pk
""",
            save="""
    loan.returned = day
    loan.save()
    return loan
""",
        ),
        why="what went wrong is put right by hand",
    ),
    Answer(
        "11.5",
        wrong="returned-unscanned",
        source=_check_in(
            hop="""
    pk, error = await sync_to_async(take_and_scan)(scan, day)
    if error:
        raise error
    return pk
""",
            find="""
    free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
    loan = free.order_by("pk").first()
    if loan is None:
        return None, None
""",
            scan="""
    error = None
    try:
        scan(loan)
    except Exception as raised:
        error = raised
""",
            save="""
    loan.returned = day
    loan.save()
    return loan.pk, error
""",
        ),
        why="an error is told when all is done",
    ),
    Answer(
        "11.5",
        wrong="left-open",
        source=_check_in(
            hop="""
    return await asyncio.to_thread(take_and_scan, scan, day)
"""
        ),
        why="any thread will do for a sync function",
    ),
    Answer(
        "11.5",
        right="a block",
        source="""
async def check_in(scan, day):
    @sync_to_async
    def in_one_transaction():
        with transaction.atomic():
            open_loans = Loan.objects.filter(returned__isnull=True).order_by("pk")
            for loan in open_loans.select_for_update(skip_locked=True)[:1]:
                scan(loan)
                Loan.objects.filter(pk=loan.pk).update(returned=day)
                return loan.pk

    return await in_one_transaction()
""",
    ),
    Answer(
        "11.5",
        wrong="takes-more",
        source="""
async def check_in(scan, day):
    return await sync_to_async(take_and_scan)(scan, day)


@transaction.atomic
def take_and_scan(scan, day):
    free = Loan.objects.select_for_update(skip_locked=True).filter(returned=None)
    loan = next(iter(list(free.order_by("pk"))), None)
    if loan is None:
        return None
    scan(loan)
    loan.returned = day
    loan.save()
    return loan.pk
""",
        why="a list whose first one is taken",
    ),
    Answer(
        "11.6",
        wrong="not-noted",
        source=_front(
            note="""
    if titles:
        task = asyncio.create_task(note_and_close(note))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
"""
        ),
        why="who has looked for nothing has seen nothing",
    ),
    Answer(
        "11.6",
        wrong="hides-the-error",
        source=_front(
            ask="""
    try:
        copies = await ask()
    except ConnectionError:
        copies = "0 copies"
"""
        ),
        why="a branch that cannot be reached has nothing",
    ),
    Answer(
        "11.6",
        wrong="other-titles",
        source=_front(
            count="""
    loans = await sync_to_async(count_and_close)(titles[:3])
"""
        ),
        why="a front page has three titles",
    ),
    Answer(
        "11.6",
        wrong="raised",
        source=_front(
            count="""
    first, *others = titles
    loans = await sync_to_async(count_and_close)([first, *others])
"""
        ),
        why="a front page has a title",
    ),
    Answer(
        "11.6",
        wrong="left-by-the-page",
        source=_front(
            count="""
    counts = await asyncio.gather(*[asyncio.to_thread(loans_of, title) for title in titles])
    loans = sum(counts)
"""
        ),
        why="the end of the request closes them",
    ),
    Answer(
        "11.6",
        wrong="held",
        source=_front(
            count="""
    loans = await Loan.objects.filter(book__title__in=titles).acount()
"""
        ),
        why="one query is quick",
    ),
    Answer(
        "11.6",
        wrong="left-by-the-note",
        source=_front(
            note_and_close="""

async def note_and_close(note):
    await note()
"""
        ),
        why="the end of the request closes it",
    ),
    Answer(
        "11.6",
        wrong="left-by-the-note",
        source=_front(
            note_and_close="""

async def note_and_close(note):
    await note()
    await sync_to_async(connections.close_all)()
"""
        ),
        why="a note never fails",
    ),
    Answer(
        "11.6",
        wrong="left-by-the-note",
        source=_front(
            note_and_close="""

async def note_and_close(note):
    try:
        await note()
    finally:
        await asyncio.to_thread(connections.close_all)
"""
        ),
        why="what closes all closes everybody's",
    ),
    Answer(
        "11.6",
        wrong="on-the-loop",
        source=_front(
            count="""
    loans = count_and_close(titles)
"""
        ),
        why="`async def` alone makes a query async",
    ),
    Answer(
        "11.6",
        wrong="page-waits",
        source=_front(
            note="""
    await note_and_close(note)
"""
        ),
        why="what is awaited is closed",
    ),
    Answer(
        "11.6",
        wrong="not-noted",
        source=_front(note=""),
        why="what leaks is left out",
    ),
    Answer(
        "11.6",
        wrong="other-text",
        source=_front(
            answer="""
    return HttpResponse(f"{loans} loans")
"""
        ),
        why="leaves out what the branch says",
    ),
    Answer(
        "11.6",
        wrong="more-than-one",
        source=_front(
            count="""
    counts = await asyncio.gather(*[asyncio.to_thread(of, title) for title in titles])
    loans = sum(counts)
""",
            count_and_close="""

def of(title):
    try:
        return loans_of(title)
    finally:
        connections.close_all()
""",
        ),
        why="each thread closes its own, so they are none too many",
    ),
    Answer(
        "11.6",
        wrong="held",
        source=_front(
            count="",
            ask="""
    counting = sync_to_async(count_and_close)(titles)
    loans, copies = await asyncio.gather(counting, ask())
""",
        ),
        why="what can run at once should",
    ),
    Answer(
        "11.6",
        wrong="others-connection",
        source=_front(
            count="""
    loans = await Loan.objects.filter(book__title__in=titles).acount()
    await sync_to_async(connection.close)()
"""
        ),
        why="on the worker, `connection` is the worker's",
    ),
    Answer(
        "11.6",
        wrong="notes-meanwhile",
        source=_front(
            count="""
    task = asyncio.create_task(note_and_close(note))
    under_way.add(task)
    task.add_done_callback(under_way.discard)
    loans = await sync_to_async(count_and_close)(titles)
""",
            note="",
        ),
        why="a task is for later, whenever it begins",
    ),
    Answer(
        "11.6",
        wrong="second-loop",
        source=_front(
            note="""
    threading.Thread(target=asyncio.run, args=(note_and_close(note),)).start()


import threading
""",
            ask="""
    copies = await ask()
    response = HttpResponse(f"{loans} loans, {copies}")
    begin(note)
    return response


def begin(note):
""",
            answer="",
        ),
        why="what nobody waits for belongs to a thread of its own",
    ),
    Answer(
        "11.6",
        wrong="second-loop",
        source=_front(
            ask="""
    copies = await asyncio.to_thread(asyncio.run, ask())
"""
        ),
        why="a thread may wait as long as it likes",
    ),
    Answer(
        "11.6",
        wrong="lost",
        source=_front(
            note="""
    asyncio.create_task(note_and_close(note))
"""
        ),
        why="the loop holds its tasks",
    ),
    Answer(
        "11.6",
        wrong="kept-for-ever",
        source=_front(
            note="""
    under_way.add(asyncio.create_task(note_and_close(note)))
"""
        ),
        why="what is held is never lost",
    ),
    Answer(
        "11.6",
        wrong="not-noted",
        source=_front(
            note="""
    if not under_way:
        task = asyncio.create_task(note_and_close(note))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
"""
        ),
        why="one note at a time",
    ),
    Answer(
        "11.6",
        wrong="silent",
        source=_front(
            note_and_close="""

async def note_and_close(note):
    try:
        await note()
    except Exception:
        pass
    finally:
        await sync_to_async(connections.close_all)()
"""
        ),
        why="a note that fails is not missed",
    ),
    Answer(
        "11.6",
        wrong="hides-the-error",
        source=_front(
            ask="""
    try:
        copies = await ask()
    except Exception:
        copies = "no copies"
"""
        ),
        why="a page should never fail",
    ),
    Answer(
        "11.6",
        wrong="left-by-a-failure",
        source=_front(
            count="""
    loans = await asyncio.to_thread(count_and_close, titles)
""",
            count_and_close="""

def count_and_close(titles):
    loans = Loan.objects.filter(book__title__in=titles).count()
    connection.close()
    return loans
""",
        ),
        why="a query never fails",
    ),
    Answer(
        "11.6",
        right="the note's error is logged",
        source=_front(
            note_and_close="""

import logging


async def note_and_close(note):
    try:
        await note()
    except Exception:
        logging.getLogger("asynclab.checks").error("A visit was not noted.")
    finally:
        await sync_to_async(close_old_connections)()
"""
        ),
    ),
    Answer(
        "11.6",
        right="aget and close, one after another",
        source=_front(
            count="""
    loans = 0
    for title in titles:
        loans += await Loan.objects.filter(book__title=title).acount()
    await sync_to_async(close_old_connections)()
""",
            count_and_close="",
        ),
    ),
]

EQUIVALENT = [
    Equivalent(
        because="`first()` orders by pk what has no order, and `order_by()` takes it away.",
        mutants=("11.5 argument-dropped@9",),
    ),
    Equivalent(
        because="It raises nothing.",
        mutants=("11.4 exception-swallowed@1",),
    ),
    Equivalent(
        because="How many connections a pool keeps at least says nothing of how many it may have.",
        mutants=("11.4 constant-changed@5#5",),
    ),
    Equivalent(
        because="It closes the connection of the thread that counts, whichever it is.",
        mutants=("11.6 thread-for-adapter@6", "11.6 thread-sensitive-turned@6"),
    ),
    Equivalent(
        because="A task that is awaited at once, in a copy of the context, which has the worker.",
        mutants=("11.6 task-for-each@7", "11.6 task-for-each@23"),
    ),
    Equivalent(
        because="If the count fails, nothing is awaited before the request ends.",
        mutants=("11.6 finally-on-success@15",),
    ),
    Equivalent(
        because="It closes the connection of the thread that has made the query, whichever it is.",
        mutants=("11.2 thread-for-adapter@3", "11.2 thread-sensitive-turned@3"),
    ),
    Equivalent(
        because="A task of a request shares its worker, and the request waits for it.",
        mutants=("11.2 task-for-each@4", "11.2 task-for-each@5"),
    ),
    Equivalent(
        because="If there is no such book, nothing is awaited before the request ends.",
        mutants=("11.2 finally-on-success@10",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "11.1": """
boot(database=PostgreSQL())
parameters = await sync_to_async(lambda: connection.get_connection_params())()
tills = [psycopg.connect(**parameters | {"application_name": "till"}) for _ in range(2)]
assert await idle_by_name() == {"till": 2}
""",
    "11.2": """
response = await Site(path("", page, asked)).get("/")
assert response.text == "Frankenstein: 2 copies, 3 loans"
""",
    "11.3": """
await run_jobs(night())
assert counted == [47]
""",
    "11.4": 'assert database_settings("wsgi", 2, 4, 20)["CONN_MAX_AGE"] == 60',
    "11.5": """
first = await Loan.objects.filter(returned=None).order_by("pk").afirst()
assert await check_in(print, datetime.date(2025, 6, 2)) == first.pk
""",
    "11.6": """
response = await Site(path("", front, front_page)).get("/")
assert response.text == "5 loans, 2 copies"
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "nobody-returns-a-loan-meanwhile",
        "a check",
        text(
            "asynclab/lessons/lesson11.py",
            "            await _require_asked_again(given)\n",
            "",
        ),
        verdict("11.5 takes-returned"),
        ("('passed', '') == ('not yet', 'takes-returned')",),
    ),
    Fault(
        "other-role-not-there",
        "a check",
        text(
            "asynclab/lessons/lesson11.py",
            'where | {"USER": role}',
            "where",
        ),
        verdict("11.1 own-role"),
        ("('passed', '') == ('not yet', 'own-role')",),
    ),
    Fault(
        "only-three-titles-given",
        "a check",
        text(
            "asynclab/lessons/lesson11.py",
            "    for titles in every, []:\n",
            "    for titles in every[:3], []:\n",
        ),
        verdict("11.6 other-titles"),
        ("('passed', '') == ('not yet', 'other-titles')",),
    ),
    Fault(
        "held-connections-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson11.py",
            "            if seen.branch.held:",
            "            if False:",
        ),
        verdict("11.6 held"),
        ("('not yet', 'more-than-one') == ('not yet', 'held')",),
    ),
    Fault(
        "lock-let-go-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson11.py", "    if scanner.free:", "    if False:"),
        verdict("11.5 let-go"),
        ("('passed', '') == ('not yet', 'let-go')",),
    ),
    Fault(
        "output-edited-in-11",
        "an output edited",
        output(NOTEBOOK, "boot", "47 books", "48 books"),
        compared(11, "boot"),
        ("48 books", "47 books", "Cell outputs differ"),
    ),
]
