"""What the tests know of lesson 04."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import CENSUS, compared
from tests.proof.faults.edits import exempt_all, notebook, output
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/04_*.ipynb"

ANSWERS = [
    Answer(
        "4.1",
        wrong="not-delivered",
        source="""
def on_return(sender, title, notify, **kwargs):
    notify(title)
""",
        why="a call is a call",
    ),
    Answer(
        "4.1",
        wrong="not-delivered",
        source="""
def on_return(sender, title, notify, **kwargs):
    async_to_sync(notify)
""",
        why="wrapping is calling",
    ),
    Answer(
        "4.1",
        wrong="wrapped-the-coroutine",
        source="""
def on_return(sender, title, notify, **kwargs):
    async_to_sync(notify(title))()
""",
        why="the adapter takes what is to be awaited",
    ),
    Answer(
        "4.1",
        wrong="no-loop-here",
        source="""
def on_return(sender, title, notify, **kwargs):
    asyncio.create_task(notify(title))
""",
        why="a receiver starts the work, somebody else waits for it",
    ),
    Answer(
        "4.1",
        wrong="own-loop",
        source="""
def on_return(sender, title, notify, **kwargs):
    asyncio.run(notify(title))
""",
        why="it works in the command, so it works",
    ),
    Answer(
        "4.1",
        wrong="own-loop",
        source="""
def on_return(sender, title, notify, **kwargs):
    async_to_sync(notify, force_new_loop=True)(title)
""",
        why="a loop of its own is safer",
    ),
    Answer(
        "4.1",
        wrong="other-notices",
        source="""
def on_return(sender, title, notify, **kwargs):
    async_to_sync(notify)(title)
    async_to_sync(notify)(title)
""",
        why="once for the command, once for the view",
    ),
    Answer(
        "4.1",
        wrong="swallowed",
        source="""
def on_return(sender, title, notify, **kwargs):
    try:
        async_to_sync(notify)(title)
    except Exception:
        pass
""",
        why="a receiver must not fail",
    ),
    Answer(
        "4.1",
        right="an async receiver, which Django wraps itself",
        source="""
async def on_return(sender, title, notify, **kwargs):
    await notify(title)
""",
    ),
    Answer(
        "4.1",
        wrong="no-signature",
        source="""
@async_to_sync
async def on_return(sender, title, notify, **kwargs):
    await notify(title)
""",
        why="the decorator makes a receiver like any other",
    ),
    Answer(
        "4.1",
        wrong="other-notices",
        source="""
def on_return(sender, title, notify, **kwargs):
    async_to_sync(notify)("Emma")
""",
        why="copies the title from the example",
    ),
    Answer(
        "4.1",
        wrong="after-commit",
        source="""
def on_return(sender, title, notify, **kwargs):
    transaction.on_commit(lambda: async_to_sync(notify)(title))
""",
        why="what a transaction does is told when it is committed",
    ),
    Answer(
        "4.1",
        wrong="notebooks-loop",
        source="""
LOOP = asyncio.get_running_loop() if True else None
def on_return(sender, title, notify, **kwargs):
    asyncio.run_coroutine_threadsafe(notify(title), LOOP).result()
""",
        why="there is a loop, and other threads may send it work",
    ),
    Answer(
        "4.1",
        wrong="not-delivered",
        source="""
def on_return(sender, title, notify, **kwargs):
    async def tell():
        try:
            await asyncio.wait_for(notify(title), 0.02)
        except TimeoutError:
            pass
    async_to_sync(tell)()
""",
        why="a notice that takes long is not worth waiting for",
    ),
    Answer(
        "4.1",
        right="for one sender alone",
        source="""
def on_return(sender, title, notify, **kwargs):
    if sender is not Loan:
        return
    async_to_sync(notify)(title)
""",
    ),
    Answer(
        "4.1",
        right="with a limit of time",
        source="""
def on_return(sender, title, notify, **kwargs):
    async_to_sync(asyncio.wait_for)(notify(title), 30)
""",
    ),
    Answer(
        "4.1",
        wrong="own-loop",
        source="""
import threading
BACKGROUND = asyncio.new_event_loop()
threading.Thread(target=BACKGROUND.run_forever, daemon=True).start()
def on_return(sender, title, notify, **kwargs):
    asyncio.run_coroutine_threadsafe(notify(title), BACKGROUND).result()
""",
        why="a loop of one's own, on a thread that stays",
    ),
    Answer(
        "4.2",
        wrong="blocks-itself",
        source="""
async def stock_line(ask, title):
    return f"{title}: {async_to_sync(ask)(title)} copies"
""",
        why="`async def` is all that was missing",
    ),
    Answer(
        "4.2",
        wrong="second-loop",
        source="""
async def stock_line(ask, title):
    return f"{title}: {asyncio.run(ask(title))} copies"
""",
        why="the adapter is the problem, so take another",
    ),
    Answer(
        "4.2",
        wrong="second-loop",
        source="""
async def stock_line(ask, title):
    loop = asyncio.get_event_loop()
    return f"{title}: {loop.run_until_complete(ask(title))} copies"
""",
        why="there is a loop, so run it",
    ),
    Answer(
        "4.2",
        wrong="there-and-back",
        source="""
async def stock_line(ask, title):
    return f"{title}: {await sync_to_async(async_to_sync(ask))(title)} copies"
""",
        why="the error says that the adapter needs another thread",
    ),
    Answer(
        "4.2",
        wrong="other-loop",
        source="""
async def stock_line(ask, title):
    copies = await asyncio.to_thread(lambda: asyncio.run(ask(title)))
    return f"{title}: {copies} copies"
""",
        why="a thread without a loop may run one",
    ),
    Answer(
        "4.2",
        wrong="not-awaited",
        source="""
async def stock_line(ask, title):
    return f"{title}: {ask(title)} copies"
""",
        why="take the adapter away, and all is well",
    ),
    Answer(
        "4.2",
        wrong="other-text",
        source="""
async def stock_line(ask, title):
    return await ask(title)
""",
        why="returns what was asked, not the line",
    ),
    Answer(
        "4.2",
        wrong="swallowed",
        source="""
async def stock_line(ask, title):
    try:
        return f"{title}: {await ask(title)} copies"
    except Exception:
        return f"{title}: 0 copies"
""",
        why="no answer means no copies",
    ),
    Answer(
        "4.2",
        right="a task",
        source="""
async def stock_line(ask, title):
    asking = asyncio.create_task(ask(title))
    return f"{title}: {await asking} copies"
""",
    ),
    Answer(
        "4.2",
        wrong="second-loop",
        source="""
async def stock_line(ask, title):
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    asyncio.tasks._leave_task(loop, task)
    asyncio.events._set_running_loop(None)
    try:
        return f"{title}: {asyncio.run(ask(title))} copies"
    finally:
        asyncio.events._set_running_loop(loop)
        asyncio.tasks._enter_task(loop, task)
""",
        why="without a running loop and task the guards are content, those of Python 3.14 too",
    ),
    Answer(
        "4.2",
        wrong="asked-twice",
        source="""
async def stock_line(ask, title):
    if await ask(title) is not None:
        return f"{title}: {await ask(title)} copies"
""",
        why="asks once whether there is an answer, and once for it",
    ),
    Answer(
        "4.2",
        wrong="other-text",
        source="""
async def stock_line(ask, title):
    return f"{title}: {await ask(title) or 'no'} copies"
""",
        why="no copies reads better than 0 copies",
    ),
    Answer(
        "4.2",
        wrong="cancel-swallowed",
        source="""
async def stock_line(ask, title):
    try:
        copies = await ask(title)
    except asyncio.CancelledError:
        copies = 0
    return f"{title}: {copies} copies"
""",
        why="who goes away gets a line, too",
    ),
    Answer(
        "4.2",
        wrong="goes-on",
        source="""
async def stock_line(ask, title):
    return f"{title}: {await asyncio.shield(ask(title))} copies"
""",
        why="a question that is out must not be taken back",
    ),
    Answer(
        "4.2",
        right="an object with an async `__call__`",
        source="""
class StockLine:
    async def __call__(self, ask, title):
        return "%s: %s copies" % (title, await ask(title))
stock_line = StockLine()
""",
    ),
    Answer(
        "4.2",
        right="a partial",
        source="""
import functools
async def line(text, ask, title):
    return text.format(title, await ask(title))
stock_line = functools.partial(line, "{}: {} copies")
""",
    ),
    Answer(
        "4.2",
        right="a plain function that returns a coroutine",
        source="""
def stock_line(ask, title):
    async def line():
        return f"{title}: {await ask(title)} copies"
    return line()
""",
    ),
    Answer(
        "4.2",
        wrong="notebooks-loop",
        source="""
LOOP = asyncio.get_running_loop()

async def stock_line(ask, title):
    copies = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(title), LOOP))
    return f"{title}: {copies} copies"
""",
        why="one loop is there already",
    ),
    Answer(
        "4.2",
        wrong="there-and-back",
        source="""
import threading
async def stock_line(ask, title):
    threading.Timer(0, print).start()
    return f"{title}: {await ask(title)} copies"
""",
        why="a thread that nobody waits for does no harm",
    ),
    Answer(
        "4.2",
        right="from an async generator",
        source="""
async def stock_line(ask, title):
    parts = [part async for part in _parts(ask, title)]
    return "".join(parts)
async def _parts(ask, title):
    yield f"{title}: "
    yield f"{await ask(title)} copies"
""",
    ),
    Answer(
        "4.2",
        wrong="asked-again",
        source="""
async def stock_line(ask, title):
    for _ in range(3):
        try:
            return f"{title}: {await ask(title)} copies"
        except Exception as error:
            last = error
    raise last
""",
        why="a network that fails once may answer the second time",
    ),
    Answer(
        "4.3",
        wrong="keeps-a-loop",
        source="""
loop = asyncio.new_event_loop()


def stock_report(ask, branches):
    async def ask_all():
        return await asyncio.gather(*map(ask, branches))

    return loop.run_until_complete(ask_all())
""",
        why="a loop for each report is one too many",
    ),
    Answer(
        "4.3",
        wrong="sequential",
        source="""
def stock_report(ask, branches):
    async def ask_all():
        limit = asyncio.Semaphore(100)
        async def one(branch):
            async with limit:
                return await ask(branch)
        return await asyncio.gather(*[one(branch) for branch in branches])

    return async_to_sync(ask_all)()
""",
        why="a hundred questions at once are enough",
    ),
    Answer(
        "4.3",
        wrong="crossing-for-each",
        source="""
def stock_report(ask, branches):
    return [async_to_sync(ask)(branch) for branch in branches]
""",
        why="one call, one adapter",
    ),
    Answer(
        "4.3",
        wrong="crossing-for-each",
        source="""
from concurrent.futures import ThreadPoolExecutor

def stock_report(ask, branches):
    with ThreadPoolExecutor() as pool:
        return list(pool.map(async_to_sync(ask), branches))
""",
        why="threads make it concurrent",
    ),
    Answer(
        "4.3",
        wrong="crossing-for-each",
        source="""
from asgiref.sync import AsyncSingleThreadContext

def stock_report(ask, branches):
    with AsyncSingleThreadContext():
        return [async_to_sync(ask)(branch) for branch in branches]
""",
        why="one thread is one loop",
    ),
    Answer(
        "4.3",
        wrong="sequential",
        source="""
def stock_report(ask, branches):
    async def ask_all():
        return [await ask(branch) for branch in branches]

    return async_to_sync(ask_all)()
""",
        why="inside one crossing everything is concurrent",
    ),
    Answer(
        "4.3",
        wrong="gathered-too-soon",
        source="""
def stock_report(ask, branches):
    return async_to_sync(asyncio.gather)(*[ask(branch) for branch in branches])
""",
        why="`gather` is what has to be awaited, so it is what has to be wrapped",
    ),
    Answer(
        "4.3",
        wrong="other-answers",
        source="""
def stock_report(ask, branches):
    async def ask_all():
        return {branch: await ask(branch) for branch in branches}

    return async_to_sync(ask_all)()
""",
        why="a dict is as good as a list",
    ),
    Answer(
        "4.3",
        wrong="swallowed",
        source="""
def stock_report(ask, branches):
    async def ask_all():
        return await asyncio.gather(*[ask(b) for b in branches], return_exceptions=True)

    return async_to_sync(ask_all)()
""",
        why="one branch that fails should not cost the others' answers",
    ),
    Answer(
        "4.3",
        wrong="other-answers",
        source="""
def stock_report(ask, branches):
    async def report():
        return [line for line in await asyncio.gather(*map(ask, branches)) if line]

    return async_to_sync(report)()
""",
        why="a branch that says nothing has no line",
    ),
    Answer(
        "4.3",
        right="a task group",
        source="""
@async_to_sync
async def stock_report(ask, branches):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(branch)) for branch in branches]
    return [task.result() for task in tasks]
""",
    ),
    Answer(
        "4.3",
        wrong="sequential",
        source="""
def stock_report(ask, branches):
    async def main():
        five = asyncio.Semaphore(5)
        async def polite(branch):
            async with five:
                return await ask(branch)
        return await asyncio.gather(*map(polite, branches))
    return async_to_sync(main)()
""",
        why="five at a time are enough for five branches",
    ),
    Answer(
        "4.3",
        wrong="other-answers",
        source="""
def stock_report(ask, branches):
    async def main():
        tasks = {branch: asyncio.create_task(ask(branch)) for branch in branches}
        return [await task for task in tasks.values()]
    return async_to_sync(main)()
""",
        why="a branch is asked once",
    ),
    Answer(
        "4.3",
        wrong="other-answers",
        source="""
def stock_report(ask, branches):
    async def main():
        tasks = [asyncio.create_task(ask(branch)) for branch in branches]
        if tasks:
            await asyncio.wait(tasks, timeout=0.05)
        return [task.result() for task in tasks if task.done()]
    return async_to_sync(main)()
""",
        why="takes the answers that are there",
    ),
    Answer(
        "4.3",
        wrong="nothing-given",
        source="""
def stock_report(ask, branches):
    async def main():
        tasks = [asyncio.create_task(ask(branch)) for branch in branches]
        await asyncio.wait(tasks)
        return [task.result() for task in tasks]
    return async_to_sync(main)()
""",
        why="there is always a branch",
    ),
    Answer(
        "4.3",
        wrong="crossing-for-each",
        source="""
def stock_report(ask, branches):
    async_to_sync(asyncio.sleep)(0)
    async def main():
        return await asyncio.gather(*map(ask, branches))
    return async_to_sync(main)()
""",
        why="warms the loop up",
    ),
    Answer(
        "4.3",
        wrong="notebooks-loop",
        source="""
LOOP = asyncio.get_running_loop()
def stock_report(ask, branches):
    async def main():
        return await asyncio.gather(*map(ask, branches))
    return asyncio.run_coroutine_threadsafe(main(), LOOP).result()
""",
        why="one loop is there already",
    ),
    Answer(
        "4.3",
        right="a runner of asyncio",
        source="""
def stock_report(ask, branches):
    async def main():
        return await asyncio.gather(*map(ask, branches))
    with asyncio.Runner() as runner:
        return runner.run(main())
""",
    ),
    Answer(
        "4.3",
        right="tasks, awaited in their order",
        source="""
def stock_report(ask, branches):
    async def main():
        tasks = [asyncio.ensure_future(ask(branch)) for branch in branches]
        return [await task for task in tasks]
    return async_to_sync(main)()
""",
    ),
    Answer(
        "4.3",
        wrong="changes-the-list",
        source="""
def stock_report(ask, branches):
    branches.sort()
    async def main():
        return await asyncio.gather(*map(ask, branches))
    return async_to_sync(main)()
""",
        why="puts the branches in order first",
    ),
    Answer(
        "4.4",
        wrong="returned-coroutine",
        source="""
@transaction.atomic
async def add_author(name, enrich):
    author = await Author.objects.acreate(name=name)
    await enrich(author.pk)
""",
        why="`atomic` decorates every kind of function",
    ),
    Answer(
        "4.4",
        wrong="other-connection",
        source="""
def add_author(name, enrich):
    with transaction.atomic():
        author = Author.objects.create(name=name)
        asyncio.run(enrich(author.pk))
""",
        why="the loop does not matter to the database",
    ),
    Answer(
        "4.4",
        wrong="half-done",
        source="""
def add_author(name, enrich):
    with transaction.atomic():
        author = Author.objects.create(name=name)
    async_to_sync(enrich)(author.pk)
""",
        why="the author must be committed before `enrich` can see it",
    ),
    Answer(
        "4.4",
        wrong="half-done",
        source="""
def add_author(name, enrich):
    author = Author.objects.create(name=name)
    asyncio.run(enrich(author.pk))
""",
        why="without the transaction `enrich` finds the author, so the transaction was the fault",
    ),
    Answer(
        "4.4",
        wrong="atomic-on-the-loop",
        source="""
@async_to_sync
async def add_author(name, enrich):
    with transaction.atomic():
        author = await Author.objects.acreate(name=name)
        await enrich(author.pk)
""",
        why="everything into the one crossing",
    ),
    Answer(
        "4.4",
        wrong="swallowed",
        source="""
def add_author(name, enrich):
    try:
        with transaction.atomic():
            author = Author.objects.create(name=name)
            async_to_sync(enrich)(author.pk)
    except ConnectionError:
        print("The catalogue is closed.")
""",
        why="nothing was written, so nothing happened",
    ),
    Answer(
        "4.4",
        wrong="not-added",
        source="""
def add_author(name, enrich):
    with transaction.atomic():
        author = Author.objects.create(name=name)
        async_to_sync(enrich)
""",
        why="wrapping is calling",
    ),
    Answer(
        "4.4",
        wrong="returned-coroutine",
        source="""
async def add_author(name, enrich):
    author = await Author.objects.acreate(name=name)
    await enrich(author.pk)
""",
        why="the function that calls async code becomes async",
    ),
    Answer(
        "4.4",
        right="the decorator",
        source="""
@transaction.atomic
def add_author(name, enrich):
    async_to_sync(enrich)(Author.objects.create(name=name).pk)
""",
    ),
    Answer(
        "4.4",
        wrong="repaired-by-hand",
        source="""
def add_author(name, enrich):
    author = Author.objects.create(name=name)
    try:
        async_to_sync(enrich)(author.pk)
    except Exception:
        author.delete()
        raise
""",
        why="takes back what it has written",
    ),
    Answer(
        "4.4",
        wrong="other-exception",
        source="""
def add_author(name, enrich):
    try:
        with transaction.atomic():
            author = Author.objects.create(name=name)
            async_to_sync(enrich)(author.pk)
    except Exception as error:
        raise RuntimeError(f"could not add {name}") from error
""",
        why="the caller gets a better exception",
    ),
    Answer(
        "4.4",
        wrong="asked-again",
        source="""
def add_author(name, enrich):
    for attempt in (1, 2):
        try:
            with transaction.atomic():
                author = Author.objects.create(name=name)
                async_to_sync(enrich)(author.pk)
            return
        except Exception:
            if attempt == 2:
                raise
""",
        why="a catalogue that fails once may answer the second time",
    ),
    Answer(
        "4.4",
        right="a transaction without `atomic`",
        source="""
def add_author(name, enrich):
    transaction.set_autocommit(False)
    try:
        author = Author.objects.create(name=name)
        async_to_sync(enrich)(author.pk)
    except BaseException:
        transaction.rollback()
        raise
    else:
        transaction.commit()
    finally:
        transaction.set_autocommit(True)
""",
    ),
    Answer(
        "4.4",
        right="the author is created in the async part",
        source="""
def add_author(name, enrich):
    async def both():
        author = await Author.objects.acreate(name=name)
        await enrich(author.pk)
        return author.pk
    with transaction.atomic():
        return async_to_sync(both)()
""",
    ),
    Answer(
        "4.4",
        wrong="not-added",
        source="""
def add_author(name, enrich):
    with transaction.atomic():
        found = Author.objects.filter(name="Currer Bell").first()
        author = found or Author.objects.create(name="Currer Bell")
        async_to_sync(enrich)(author.pk)
""",
        why="the name of the example is the name",
    ),
    Answer(
        "4.4",
        wrong="autocommit-off",
        source="""
def add_author(name, enrich):
    transaction.set_autocommit(False)
    try:
        author = Author.objects.create(name=name)
        async_to_sync(enrich)(author.pk)
        transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
""",
        why="commit and rollback are all that a transaction needs",
    ),
    Answer(
        "4.4",
        wrong="half-done-on-cancel",
        source="""
def add_author(name, enrich):
    transaction.set_autocommit(False)
    try:
        author = Author.objects.create(name=name)
        async_to_sync(enrich)(author.pk)
        transaction.commit()
    except Exception:
        transaction.rollback()
        raise
    finally:
        transaction.set_autocommit(True)
""",
        why="an error is an `Exception`",
    ),
    Answer(
        "4.4",
        wrong="cancel-swallowed",
        source="""
def add_author(name, enrich):
    with transaction.atomic():
        author = Author.objects.create(name=name)
        try:
            async_to_sync(enrich)(author.pk)
        except asyncio.CancelledError:
            transaction.set_rollback(True)
""",
        why="nothing is left behind, so nobody needs to know",
    ),
    Answer(
        "4.5",
        wrong="left-inside",
        source="""
def greet(log_in, token):
    asyncio.run(log_in(token))
    return f"Good evening, {current_member.get()}."
""",
        why="a context variable is global",
    ),
    Answer(
        "4.5",
        wrong="left-inside",
        source="""
def greet(log_in, token):
    asyncio.run(log_in(token))
    return f"Good evening, {current_member.get('guest')}."
""",
        why="a default repairs the LookupError",
    ),
    Answer(
        "4.5",
        wrong="stays-inside",
        source="""
def greet(log_in, token):
    async def log_in_and_greet():
        await log_in(token)
        return f"Good evening, {current_member.get()}."

    return asyncio.run(log_in_and_greet())
""",
        why="reads the variable where it is set",
    ),
    Answer(
        "4.5",
        wrong="child-task",
        source="""
def greet(log_in, token):
    async def log_in_all():
        await asyncio.gather(log_in(token))

    async_to_sync(log_in_all)()
    return f"Good evening, {current_member.get()}."
""",
        why="one crossing with gather inside, as in 4.3",
    ),
    Answer(
        "4.5",
        wrong="other-thread",
        source="""
from concurrent.futures import ThreadPoolExecutor

def greet(log_in, token):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(async_to_sync(log_in), token).result()
    return f"Good evening, {current_member.get()}."
""",
        why="async code needs a thread of its own",
    ),
    Answer(
        "4.5",
        wrong="other-text",
        source="""
def greet(log_in, token):
    async_to_sync(log_in)(token)
    return f"Good evening, {token}."
""",
        why="greets the token",
    ),
    Answer(
        "4.5",
        wrong="swallowed",
        source="""
def greet(log_in, token):
    try:
        async_to_sync(log_in)(token)
    except Exception:
        return "Good evening, guest."
    return f"Good evening, {current_member.get()}."
""",
        why="who cannot log in is a guest",
    ),
    Answer(
        "4.5",
        right="greets inside, and lets the variable out",
        source="""
@async_to_sync
async def greet(log_in, token):
    await log_in(token)
    return f"Good evening, {current_member.get()}."
""",
    ),
    Answer(
        "4.5",
        wrong="other-member",
        source="""
def greet(log_in, token):
    try:
        current_member.get()
    except LookupError:
        async_to_sync(log_in)(token)
    return f"Good evening, {current_member.get()}."
""",
        why="who is logged in stays logged in",
    ),
    Answer(
        "4.5",
        wrong="asked-otherwise",
        source="""
def greet(log_in, token):
    async_to_sync(log_in)(token)
    async def name():
        await log_in(token)
        return current_member.get()
    return f"Good evening, {async_to_sync(name)()}."
""",
        why="once for the variable, once for the greeting",
    ),
    Answer(
        "4.5",
        wrong="notebooks-loop",
        source="""
LOOP = asyncio.get_running_loop()
def greet(log_in, token):
    async def both():
        await log_in(token)
        return current_member.get()
    name = asyncio.run_coroutine_threadsafe(both(), LOOP).result()
    current_member.set(name)
    return f"Good evening, {name}."
""",
        why="the notebook's loop, and the variable set by hand",
    ),
    Answer(
        "4.5",
        wrong="returned-coroutine",
        source="""
async def greet(log_in, token):
    await log_in(token)
    return f"Good evening, {current_member.get()}."
""",
        why="an async function may await",
    ),
    Answer(
        "4.5",
        right="the value returned, and set again",
        source="""
def greet(log_in, token):
    async def both():
        await log_in(token)
        return current_member.get()
    current_member.set(asyncio.run(both()))
    return f"Good evening, {current_member.get()}."
""",
    ),
    Answer(
        "4.6",
        wrong="never-ran",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def test_service(self):
        self.assertTrue(self.service(date(2025, 5, 27)))
""",
        why="what is green is tested",
    ),
    Answer(
        "4.6",
        wrong="never-called",
        source="""
import unittest

class OverdueTest(unittest.TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        self.assertIn("Orlando", await self.service(date(2025, 5, 27)))
        self.assertNotIn("Emma", await self.service(date(2025, 5, 27)))
""",
        why="every TestCase runs an async method",
    ),
    Answer(
        "4.6",
        wrong="sync-in-async",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        emma, tomoko = Book.objects.get(title="Emma"), Member.objects.get(pk=7)
        Loan.objects.create(book=emma, member=tomoko, borrowed="2025-05-01", due="2025-05-22")
        self.assertIn("Emma", await self.service(date(2025, 5, 27)))
""",
        why="`async def` before the test, and `await` before the service, is all",
    ),
    Answer(
        "4.6",
        wrong="other-connection",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def test_service(self):
        emma, tomoko = Book.objects.get(title="Emma"), Member.objects.get(pk=7)
        Loan.objects.create(book=emma, member=tomoko, borrowed="2025-05-01", due="2025-05-22")
        self.assertIn("Emma", asyncio.run(self.service(date(2025, 5, 27))))
""",
        why="`asyncio.run` runs async code in a sync test",
    ),
    Answer(
        "4.6",
        wrong="leaves-rows",
        source="""
import unittest

class OverdueTest(unittest.IsolatedAsyncioTestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        emma, tomoko = await Book.objects.aget(title="Emma"), await Member.objects.aget(pk=7)
        rows = {"book": emma, "member": tomoko, "borrowed": "2025-05-01", "due": "2025-05-22"}
        await Loan.objects.acreate(**rows)
        self.assertIn("Emma", await self.service(date(2025, 5, 27)))
""",
        why="an async test needs unittest's async test case",
    ),
    Answer(
        "4.6",
        wrong="passes-on-nothing",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        self.assertIsInstance(await self.service(date(2025, 5, 27)), list)
        self.assertNotIn("Emma", await self.service(date(2025, 5, 27)))
""",
        why="a list of the right kind is the right list",
    ),
    Answer(
        "4.6",
        wrong="forgets-returned",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        self.assertIn("Orlando", await self.service(date(2025, 5, 27)))
""",
        why="tests what must be there, and not what must not",
    ),
    Answer(
        "4.6",
        wrong="no-tests",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def service_names_what_is_out(self):
        self.assertIn("Orlando", await self.service(date(2025, 5, 27)))
""",
        why="a good name needs no prefix",
    ),
    Answer(
        "4.6",
        wrong="no-test-case",
        source="""
class OverdueTest:
    service = staticmethod(overdue)

    async def test_service(self):
        assert "Orlando" in await self.service(date(2025, 5, 27))
""",
        why="a plain class is enough, as in pytest",
    ),
    Answer(
        "4.6",
        wrong="fails-on-right",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        self.assertEqual(await self.service(date(2025, 5, 27)), ["Emma"])
""",
        why="forgets what the library has lent already",
    ),
    Answer(
        "4.6",
        wrong="lost-service",
        source="""
class OverdueTest(TestCase):
    service = overdue

    def setUp(self):
        late, today = date(2025, 5, 26), date(2025, 5, 27)
        loans = ("Emma", late, None), ("Jane Eyre", today, None), ("Dracula", late, late)
        for title, due, returned in loans:
            Loan.objects.create(
                book=Book.objects.get(title=title),
                member=Member.objects.get(name="Tomoko Arai"),
                borrowed=date(2025, 5, 1),
                due=due,
                returned=returned,
            )

    async def test_service(self):
        titles = await self.service(date(2025, 5, 27))
        self.assertIn("Emma", titles)
        self.assertNotIn("Jane Eyre", titles)
        self.assertNotIn("Dracula", titles)
""",
        why="a function is the same as an attribute of a class",
    ),
    Answer(
        "4.6",
        wrong="second-loop",
        source="""
import asyncio


class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def setUp(self):
        for title, returned in ("Emma", None), ("Dracula", date(2025, 5, 20)):
            Loan.objects.create(
                book=Book.objects.get(title=title),
                member=Member.objects.get(name="Tomoko Arai"),
                borrowed=date(2025, 5, 1),
                due=date(2025, 5, 22),
                returned=returned,
            )

    async def test_names_what_is_out(self):
        self.assertIn("Emma", await self.service(date(2025, 5, 27)))

    async def test_leaves_out_what_came_back(self):
        titles = await asyncio.to_thread(lambda: asyncio.run(self.service(date(2025, 5, 27))))
        self.assertNotIn("Dracula", titles)
""",
        why="a service needs a loop of its own",
    ),
    Answer(
        "4.6",
        right="async_to_sync, and the library's own loans",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def test_service(self):
        for day in date(2025, 5, 26), date(2025, 5, 27):
            book = Book.objects.exclude(loans__returned=None).first()
            Loan.objects.create(book=book, member_id=1, borrowed="2025-05-01", due=day)
        late = Loan.objects.filter(returned=None, due__lt="2025-05-27")
        titles = [loan.book.title for loan in late.select_related("book")]
        self.assertEqual(async_to_sync(self.service)(date(2025, 5, 27)), titles)
""",
    ),
    Answer(
        "4.6",
        right="a-methods in an async test",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        emma, tomoko = await Book.objects.aget(title="Emma"), await Member.objects.aget(pk=7)
        rows = {"book": emma, "member": tomoko, "borrowed": "2025-05-01", "due": "2025-05-26"}
        loan = await Loan.objects.acreate(**rows)
        self.assertIn("Emma", await self.service(date(2025, 5, 27)))
        self.assertNotIn("Emma", await self.service(date(2025, 5, 26)))
        loan.returned = "2025-05-20"
        await loan.asave()
        self.assertNotIn("Emma", await self.service(date(2025, 5, 27)))
""",
    ),
    Answer(
        "4.6",
        wrong="never-called",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)
    async def test_service(self):
        self.skipTest("later")
        self.assertEqual(await self.service(date(2025, 5, 27)), ["late"])
""",
        why="a test that is skipped is not red",
    ),
    Answer(
        "4.6",
        wrong="names-the-wrong-ones",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)
    async def test_service(self):
        await Loan.objects.all().adelete()
        m = await Member.objects.acreate(name="A", email="a@example.org")
        a = await Author.objects.acreate(name="X Y")
        titles = "late", "today", "out", "back"
        books = [await Book.objects.acreate(title=t, author=a, year=1900) for t in titles]
        day = date(2025, 5, 27)
        old, new = date(2025, 1, 1), date(2025, 9, 1)
        await Loan.objects.acreate(book=books[0], member=m, borrowed=old, due=old)
        await Loan.objects.acreate(book=books[1], member=m, borrowed=old, due=day)
        await Loan.objects.acreate(book=books[2], member=m, borrowed=old, due=new)
        await Loan.objects.acreate(book=books[3], member=m, borrowed=old, due=old, returned=old)
        self.assertEqual(len(await self.service(day)), 1)
""",
        why="one late loan, one title",
    ),
    Answer(
        "4.6",
        wrong="compares-with-itself",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        day = date(2025, 5, 27)
        self.assertEqual(await self.service(day), await overdue(day))
""",
        why="the function knows best which books are late",
    ),
    Answer(
        "4.6",
        wrong="compares-with-itself",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        day = date(2025, 5, 27)
        expected = await overdue(day)
        self.assertTrue(expected)
        self.assertEqual(await self.service(day), expected)
""",
        why="asks the function first, and makes sure that something is late",
    ),
    Answer(
        "4.6",
        wrong="titles-unread",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        emma, tomoko = await Book.objects.aget(title="Emma"), await Member.objects.aget(pk=7)
        rows = {"book": emma, "member": tomoko, "borrowed": "2025-05-01", "due": "2025-05-22"}
        number = len(await self.service(date(2025, 5, 27)))
        loan = await Loan.objects.acreate(**rows)
        self.assertEqual(len(await self.service(date(2025, 5, 27))), number + 1)
        loan.returned = "2025-05-20"
        await loan.asave()
        self.assertEqual(len(await self.service(date(2025, 5, 27))), number)
""",
        why="one more, and one less: the number says it all",
    ),
    Answer(
        "4.6",
        wrong="compares-with-itself",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def test_service(self):
        day = date(2025, 5, 27)
        self.assertEqual(await self.service(day), await OverdueTest.service(day))
""",
        why="the class has the right service",
    ),
    Answer(
        "4.6",
        wrong="forgets-the-day",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def setUp(self):
        for title, due, returned in (
            ("Emma", date(2025, 5, 26), None),
            ("Dracula", date(2025, 5, 22), date(2025, 5, 23)),
        ):
            Loan.objects.create(
                book=Book.objects.get(title=title),
                member=Member.objects.get(name="Tomoko Arai"),
                borrowed=date(2025, 5, 1),
                due=due,
                returned=returned,
            )

    async def test_service(self):
        titles = await self.service(date(2025, 5, 27))
        self.assertIn("Emma", titles)
        self.assertNotIn("Dracula", titles)
""",
        why="what is out is late",
    ),
    Answer(
        "4.6",
        wrong="late-too-soon",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def setUp(self):
        for title, due, returned in (
            ("Emma", date(2025, 5, 26), None),
            ("Jane Eyre", date(2025, 6, 22), None),
            ("Dracula", date(2025, 5, 22), date(2025, 5, 23)),
        ):
            Loan.objects.create(
                book=Book.objects.get(title=title),
                member=Member.objects.get(name="Tomoko Arai"),
                borrowed=date(2025, 5, 1),
                due=due,
                returned=returned,
            )

    async def test_service(self):
        titles = await self.service(date(2025, 5, 27))
        self.assertIn("Emma", titles)
        self.assertNotIn("Dracula", titles)
        self.assertNotIn("Jane Eyre", titles)
""",
        why="days far from the day will do",
    ),
    Answer(
        "4.6",
        wrong="late-too-late",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def setUp(self):
        for title, due, returned in (
            ("Emma", date(2025, 5, 22), None),
            ("Jane Eyre", date(2025, 5, 27), None),
            ("Dracula", date(2025, 5, 22), date(2025, 5, 23)),
        ):
            Loan.objects.create(
                book=Book.objects.get(title=title),
                member=Member.objects.get(name="Tomoko Arai"),
                borrowed=date(2025, 5, 1),
                due=due,
                returned=returned,
            )

    async def test_service(self):
        titles = await self.service(date(2025, 5, 27))
        self.assertIn("Emma", titles)
        self.assertNotIn("Dracula", titles)
        self.assertNotIn("Jane Eyre", titles)
""",
        why="late is long ago",
    ),
    Answer(
        "4.6",
        wrong="fails-on-right",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    def setUp(self):
        for title, due, returned in (
            ("Emma", date(2025, 5, 27), None),
            ("Dracula", date(2025, 5, 22), date(2025, 5, 23)),
        ):
            Loan.objects.create(
                book=Book.objects.get(title=title),
                member=Member.objects.get(name="Tomoko Arai"),
                borrowed=date(2025, 5, 1),
                due=due,
                returned=returned,
            )

    async def test_service(self):
        titles = await self.service(date(2025, 5, 27))
        self.assertIn("Emma", titles)
        self.assertNotIn("Dracula", titles)
""",
        why="on its due date a book is late",
    ),
    Answer(
        "4.6",
        wrong="fails-on-right",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    @classmethod
    def setUpTestData(cls):
        cls.book = Book.objects.get(title="Persuasion")

    async def test_service(self):
        self.assertNotIn(self.book.title, await self.service(date(2025, 5, 27)))
""",
        why="the library has every book",
    ),
    Answer(
        "4.6",
        wrong="set-up-not-awaited",
        source="""
class OverdueTest(TestCase):
    service = staticmethod(overdue)

    async def setUp(self):
        await Loan.objects.acreate(
            book=await Book.objects.aget(title="Kidnapped"),
            member=await Member.objects.aget(pk=7),
            borrowed=date(2025, 5, 1),
            due=date(2025, 5, 26),
        )

    async def test_service(self):
        titles = await self.service(date(2025, 5, 27))
        self.assertIn("Kidnapped", titles)
        self.assertNotIn("Emma", titles)
""",
        why="where the tests are async, their setUp is too",
    ),
    Answer(
        "4.7",
        wrong="no-command",
        source="""
@async_to_sync
async def Command(*texts):
    client = await CommandBefore.connect()
    for text in texts:
        await client.send(text)
    await client.close()
""",
        why="a function that sends is all it takes",
    ),
    Answer(
        "4.7",
        wrong="loop-for-each",
        source="""
class Command(CommandBefore):
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        for loan in late.select_related("book", "member"):
            async_to_sync(self.remind)(f"{loan.member.email}: {loan.book}")
        self.stdout.write(f"{len(late)} reminders sent")
""",
        why="`async_to_sync` in its place, and all is well",
    ),
    Answer(
        "4.7",
        wrong="loop-for-each",
        source="""
class Command(CommandBefore):
    pass
""",
        why="the command is right, the post office is not",
    ),
    Answer(
        "4.7",
        wrong="same-thread",
        source="""
from asgiref.sync import AsyncSingleThreadContext

class Command(CommandBefore):
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        with AsyncSingleThreadContext():
            for loan in late.select_related("book", "member"):
                async_to_sync(self.remind)(f"{loan.member.email}: {loan.book}")
        self.stdout.write(f"{len(late)} reminders sent")
""",
        why="one thread is one loop",
    ),
    Answer(
        "4.7",
        wrong="connection-for-each",
        source="""
class Command(CommandBefore):
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        for loan in late.select_related("book", "member"):
            async_to_sync(self.remind)(f"{loan.member.email}: {loan.book}")
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, text):
        client = await self.connect()
        await client.send(text)
        await client.close()
""",
        why="what is not kept is not lost",
    ),
    Answer(
        "4.7",
        wrong="would-deadlock",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        asyncio.run(self.remind([f"{loan.member.email}: {loan.book}" for loan in late]))
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        finally:
            await client.close()
""",
        why="one `asyncio.run` for all is one crossing",
    ),
    Answer(
        "4.7",
        wrong="async-handle",
        source="""
class Command(BaseCommand):
    connect = None

    async def handle(self, *args, **options):
        client = await self.connect()
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        async for loan in late.select_related("book", "member"):
            await client.send(f"{loan.member.email}: {loan.book}")
        await client.close()
        self.stdout.write("3 reminders sent")
""",
        why="Django is async, so its commands are",
    ),
    Answer(
        "4.7",
        wrong="sync-query",
        source="""
class Command(BaseCommand):
    connect = None

    @async_to_sync
    async def handle(self, *args, **options):
        client = await self.connect()
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        for loan in late.select_related("book", "member"):
            await client.send(f"{loan.member.email}: {loan.book}")
        await client.close()
        self.stdout.write(f"{len(late)} reminders sent")
""",
        why="the decorator makes the rest of `handle` right as it is",
    ),
    Answer(
        "4.7",
        wrong="lazy-key",
        source="""
class Command(BaseCommand):
    connect = None

    @async_to_sync
    async def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        client, number = await self.connect(), 0
        try:
            async for loan in late:
                await client.send(f"{loan.member.email}: {loan.book}")
                number += 1
        finally:
            await client.close()
        self.stdout.write(f"{number} reminders sent")
""",
        why="`async for` makes everything in its body async",
    ),
    Answer(
        "4.7",
        wrong="left-open",
        source="""
class Command(CommandBefore):
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind_all)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind_all(self, texts):
        for text in texts:
            await self.remind(text)
""",
        why="the loop that ends takes its connections along",
    ),
    Answer(
        "4.7",
        wrong="left-open-on-error",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        for text in texts:
            await client.send(text)
        await client.close()
""",
        why="the last line is always reached",
    ),
    Answer(
        "4.7",
        wrong="swallowed",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        except ConnectionError as error:
            self.stderr.write(str(error))
        finally:
            await client.close()
""",
        why="a message is enough",
    ),
    Answer(
        "4.7",
        wrong="other-letters",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        for text in texts:
            asyncio.create_task(client.send(text))
        await client.close()
""",
        why="a task that is started gets done",
    ),
    Answer(
        "4.7",
        wrong="other-output",
        source="""
class Command(BaseCommand):
    connect = None

    @async_to_sync
    async def handle(self, *args, **options):
        client = await self.connect()
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        try:
            async for loan in late.select_related("book", "member"):
                await client.send(f"{loan.member.email}: {loan.book}")
        finally:
            await client.close()
        print("3 reminders sent")
""",
        why="`print` is as good as `self.stdout`",
    ),
    Answer(
        "4.7",
        right="handle behind the decorator",
        source="""
class Command(BaseCommand):
    connect = None

    @async_to_sync
    async def handle(self, *args, **options):
        sent, client = 0, await self.connect()
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        try:
            async for loan in late.select_related("book", "member"):
                await client.send(f"{loan.member.email}: {loan.book}")
                sent += 1
        finally:
            await client.close()
        self.stdout.write(f"{sent} reminders sent")
""",
    ),
    Answer(
        "4.7",
        right="all letters gathered",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        try:
            await asyncio.gather(*map(client.send, texts))
        finally:
            await client.close()
""",
    ),
    Answer(
        "4.7",
        wrong="other-output",
        source="""
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        if not texts:
            return
        async_to_sync(self.remind)(texts)
        self.stdout.write(f"{len(texts)} reminders sent")
    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        finally:
            await client.close()
""",
        why="no letters, no words",
    ),
    Answer(
        "4.7",
        wrong="other-exception",
        source="""
from django.core.management import CommandError
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        try:
            async_to_sync(self.remind)(texts)
        except Exception as error:
            raise CommandError("a letter was refused") from error
        self.stdout.write(f"{len(texts)} reminders sent")
    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        finally:
            await client.close()
""",
        why="a command raises CommandError",
    ),
    Answer(
        "4.7",
        wrong="other-letters",
        source="""
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = {f"{loan.member.email}: {loan.book}" for loan in late}
        async_to_sync(self.remind)(texts)
        self.stdout.write(f"{len(texts)} reminders sent")
    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        finally:
            await client.close()
""",
        why="the same letter need not go twice",
    ),
    Answer(
        "4.7",
        wrong="other-exception",
        source="""
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        async_to_sync(self.remind)(texts)
        self.stdout.write(f"{len(texts)} reminders sent")
    async def remind(self, texts):
        client = None
        try:
            client = await self.connect()
            for text in texts:
                await client.send(text)
        finally:
            await client.close()
""",
        why="`finally` closes whatever there is",
    ),
    Answer(
        "4.7",
        wrong="told-too-early",
        source="""
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        self.stdout.write(f"{len(texts)} reminders sent")
        async_to_sync(self.remind)(texts)
    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        finally:
            await client.close()
""",
        why="tells the number as soon as it is known",
    ),
    Answer(
        "4.7",
        right="an exit stack, and the output returned",
        source="""
from contextlib import AsyncExitStack
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        async_to_sync(self.remind)(texts)
        return f"{len(texts)} reminders sent"
    async def remind(self, texts):
        async with AsyncExitStack() as stack:
            client = await self.connect()
            stack.push_async_callback(client.close)
            for text in texts:
                await client.send(text)
""",
    ),
    Answer(
        "4.7",
        wrong="cancel-swallowed",
        source="""
class Command(BaseCommand):
    connect = None
    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        async_to_sync(self.remind)(texts)
        self.stdout.write(f"{len(texts)} reminders sent")
    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        except asyncio.CancelledError:
            self.stderr.write("stopped")
        finally:
            await client.close()
""",
        why="a stop that was asked for is no failure",
    ),
    Answer(
        "4.7",
        wrong="kept-for-the-next",
        source="""
class Command(BaseCommand):
    connect = None
    client = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        async_to_sync(self.remind)(texts)
        self.stdout.write(f"{len(texts)} reminders sent")

    async def remind(self, texts):
        if self.client is None:
            self.client = await self.connect()
        try:
            for text in texts:
                await self.client.send(text)
        finally:
            await self.client.close()
""",
        why="one connection is enough for every run",
    ),
    Answer(
        "4.7",
        wrong="shared-client",
        source="""
class Command(BaseCommand):
    connect = None
    client = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        texts = [f"{loan.member.email}: {loan.book}" for loan in late]
        async_to_sync(self.remind)(texts)
        self.stdout.write(f"{len(texts)} reminders sent")

    async def remind(self, texts):
        Command.client = await self.connect()
        try:
            for text in texts:
                await Command.client.send(text)
        finally:
            await Command.client.close()
""",
        why="there is one command, so there is one client",
    ),
    Answer(
        "4.7",
        wrong="left-open-on-cancel",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        except Exception:
            await client.close()
            raise
        await client.close()
""",
        why="an error is an `Exception`",
    ),
    Answer(
        "4.7",
        wrong="left-open",
        source="""
class Command(BaseCommand):
    connect = None

    def handle(self, *args, **options):
        late = Loan.objects.filter(returned=None, due__lt=date(2025, 5, 27))
        late = late.select_related("book", "member")
        async_to_sync(self.remind)([f"{loan.member.email}: {loan.book}" for loan in late])
        self.stdout.write(f"{len(late)} reminders sent")

    async def remind(self, texts):
        client = await self.connect()
        try:
            for text in texts:
                await client.send(text)
        finally:
            asyncio.create_task(client.close())
""",
        why="nobody needs to wait for the end of a connection",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "Another right answer, which tests/lessons has, too: a task of its own stays on "
            "the same loop."
        ),
        mutants=("4.2 task-for-each@3",),
    ),
    Equivalent(
        because=(
            "A management command has no loop around it, so `asyncio.run` makes the one loop "
            "as well."
        ),
        mutants=("4.3 run-for-adapter@6",),
    ),
    Equivalent(
        because="Without the late loan a test fails, whether or not the error was swallowed.",
        mutants=("4.6 exception-swallowed@6",),
    ),
    Equivalent(
        because="No book is late or in time by the day on which it was borrowed.",
        mutants=(
            "4.6 constant-changed@13",
            "4.6 constant-changed@13#2",
            "4.6 constant-changed@13#3",
            "4.6 constant-changed@13#4",
            "4.6 constant-changed@13#5",
        ),
    ),
    Equivalent(
        because=(
            "A test, or a command, reads no context variable after what it awaits; a result, "
            "an exception and a cancel pass through the task."
        ),
        mutants=(
            "4.6 task-for-each@19",
            "4.6 task-for-each@22",
            "4.6 task-for-each@25",
            "4.7 task-for-each@12",
            "4.7 task-for-each@15",
            "4.7 task-for-each@17",
        ),
    ),
    Equivalent(
        because=(
            "The placeholder is never read: whoever runs the command puts its `connect` there."
        ),
        mutants=("4.7 statement-deleted@3",),
    ),
    Equivalent(
        because=(
            "In sync code a foreign key is fetched when it is asked for. The card limits no "
            "queries, and letters and output are the same."
        ),
        mutants=(
            "4.7 statement-deleted@7",
            "4.7 query-step-dropped@7",
            "4.7 argument-dropped@7",
            "4.7 argument-dropped@7#2",
            "4.7 arguments-exchanged@7",
        ),
    ),
    Equivalent(
        because=(
            "Another right answer, which tests/lessons has, too: one client sends the letters "
            "one at a time itself."
        ),
        mutants=("4.7 sequential-gathered@14",),
    ),
]

MAY_DIFFER_TWICE = {
    "client-twice-run": "it keeps the connection of a loop that is closed, as told there",
    "client-close": "a connection can be hung up once",
    "catalogue-stop": "a loop can be closed once",
}

MAY_DIFFER_INTERRUPTED = {
    "client-single": "it keeps the interrupted run's connection, of a loop that is closed",
    "client-parent": "the same: the clients of this section are there to show it",
}

EXAMPLES = {
    "4.1": """\
from django.dispatch import Signal

async def notify(title):
    told.append(title)

signal, told = Signal(), []
signal.connect(on_return)
await asyncio.to_thread(lambda: signal.send(sender=Loan, title="Emma", notify=notify))
assert told == ["Emma"]
""",
    "4.2": """\
async def ask(title):
    return 4

assert await stock_line(ask, "Emma") == "Emma: 4 copies"
""",
    "4.3": """\
async def ask(branch):
    return {"Whitby": "Whitby: 6 copies", "Bath": "Bath: 4 copies"}[branch]

told = await asyncio.to_thread(lambda: stock_report(ask, ["Whitby", "Bath"]))
assert told == ["Whitby: 6 copies", "Bath: 4 copies"]
""",
    "4.4": """\
async def enrich(pk):
    await Book.objects.acreate(title="Poems", author_id=pk, year=1846)

authors = await Author.objects.acount()
await sync_to_async(lambda: add_author("Currer Bell", enrich))()
assert await Author.objects.acount() == authors + 1
assert await Book.objects.filter(author__name="Currer Bell").acount() == 1
""",
    "4.5": """\
async def log_in(token):
    current_member.set({"t-7": "Tomoko Arai"}[token])

said = await asyncio.to_thread(lambda: greet(log_in, "t-7"))
assert said == "Good evening, Tomoko Arai."
""",
    "4.6": """\
import io
import unittest

async def nothing(day):
    return []

def passes(service):
    OverdueTest.service = staticmethod(service)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(OverdueTest)
    return unittest.TextTestRunner(io.StringIO()).run(tests).wasSuccessful()

assert await sync_to_async(passes)(overdue)
assert not await sync_to_async(passes)(nothing)
""",
    "4.7": """\
import io
from types import SimpleNamespace

letters, out = [], io.StringIO()

async def send(text):
    letters.append(text)

async def close():
    pass

async def connect():
    return SimpleNamespace(send=send, close=close)

command = Command(stdout=out)
command.connect = connect
await sync_to_async(command.handle)()
assert len(letters) == 3
assert out.getvalue().strip() == "3 reminders sent"
""",
}

NAMES_IN_HINTS = {
    "4.1": {"connect"},
    "4.6": {"test_"},
    "4.7": {"send_all"},
}

FAULTS = [
    Fault(
        "output-edited-in-04",
        "an output edited",
        output(NOTEBOOK, "by-call-run", "overdue (task)", "overdue x2 (tasks)"),
        compared(4, "boot", "imports", "overdue", "by-call-run"),
        ("overdue x2 (tasks)", "overdue (task)", "Cell outputs differ"),
    ),
    Fault(
        "exempt-is-a-whole-lesson",
        "an exemption",
        notebook(NOTEBOOK, exempt_all),
        CENSUS,
        ("code cells are exempt; at most 10% may be",),
    ),
]
