"""What the tests know of lesson 01."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import CENSUS, compared
from tests.proof.faults.edits import notebook, output, source, strip_outputs
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/01_*.ipynb"

_make_refresh = in_pieces(
    "def make_refresh(fetch, label):",
    tasks="""
    tasks = set()
""",
    refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False
""",
    on_click="""
    def on_click(button):
        button.disabled = True
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
""",
    rest="""
    return on_click
""",
)

ANSWERS = [
    Answer(
        "1.1",
        wrong="sequential",
        source="""
async def stock_report(ask, branches):
    return [await ask(branch) for branch in branches]
""",
        why="an async comprehension runs its steps together",
    ),
    Answer(
        "1.1",
        wrong="sequential",
        source="""
async def stock_report(ask, branches):
    lines = []
    for branch in branches:
        task = asyncio.create_task(ask(branch))
        lines.append(await task)
    return lines
""",
        why="a task makes it concurrent, wherever it is awaited",
    ),
    Answer(
        "1.1",
        wrong="list-to-gather",
        source="""
async def stock_report(ask, branches):
    return await asyncio.gather([ask(branch) for branch in branches])
""",
        why="gather takes a list of coroutines",
    ),
    Answer(
        "1.1",
        wrong="awaited-too-soon",
        source="""
async def stock_report(ask, branches):
    return await asyncio.gather(*[await ask(branch) for branch in branches])
""",
        why="each call of an async function wants an `await`",
    ),
    Answer(
        "1.1",
        wrong="tasks-not-answers",
        source="""
async def stock_report(ask, branches):
    return [asyncio.create_task(ask(branch)) for branch in branches]
""",
        why="a task is its result",
    ),
    Answer(
        "1.1",
        wrong="order",
        source="""
async def stock_report(ask, branches):
    jobs = asyncio.as_completed([ask(branch) for branch in branches])
    return [await job for job in jobs]
""",
        why="as_completed keeps the order of the questions",
    ),
    Answer(
        "1.1",
        wrong="order",
        source="""
async def stock_report(ask, branches):
    jobs = [asyncio.create_task(ask(branch)) for branch in reversed(branches)]
    return [await job for job in asyncio.as_completed(jobs)]
""",
        why="whoever is asked first answers last",
    ),
    Answer(
        "1.1",
        wrong="other-answers",
        source="""
async def stock_report(ask, branches):
    done, pending = await asyncio.wait([asyncio.create_task(ask(b)) for b in branches])
    return "".join(task.result() for task in done)
""",
        why="one text is as good as a list of lines",
    ),
    Answer(
        "1.1",
        wrong="returned-future",
        source="""
async def stock_report(ask, branches):
    return asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="gather waits by itself",
    ),
    Answer(
        "1.1",
        wrong="returned-future",
        source="""
def stock_report(ask, branches):
    return asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="whoever awaits the answers gets them, whichever kind of function this is",
    ),
    Answer(
        "1.1",
        wrong="swallowed",
        source="""
async def stock_report(ask, branches):
    return await asyncio.gather(*[ask(branch) for branch in branches], return_exceptions=True)
""",
        why="one branch that fails must not spoil the report",
    ),
    Answer(
        "1.1",
        wrong="gives-up",
        source="""
async def stock_report(ask, branches):
    async with asyncio.timeout(0.1):
        return await asyncio.gather(*map(ask, branches))
""",
        why="a branch answers within a moment, or not at all",
    ),
    Answer(
        "1.1",
        wrong="holds-the-loop",
        source="""
async def stock_report(ask, branches):
    jobs = [asyncio.create_task(ask(branch)) for branch in branches]
    while not all(job.done() for job in jobs):
        time.sleep(0.001)
        await asyncio.sleep(0)
    return [job.result() for job in jobs]
""",
        why="a millisecond is no time",
    ),
    Answer(
        "1.1",
        right="looks every millisecond, and leaves the loop to others between",
        source="""
async def stock_report(ask, branches):
    jobs = [asyncio.create_task(ask(branch)) for branch in branches]
    try:
        while not all(job.done() for job in jobs):
            await asyncio.sleep(0.001)
        return [job.result() for job in jobs]
    finally:
        for job in jobs:
            job.cancel()
""",
    ),
    Answer(
        "1.1",
        right="a task group",
        source="""
async def stock_report(ask, branches):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(branch)) for branch in branches]
    return [task.result() for task in tasks]
""",
    ),
    Answer(
        "1.1",
        right="tasks first, awaits later",
        source="""
async def stock_report(ask, branches):
    tasks = [asyncio.create_task(ask(branch)) for branch in branches]
    return [await task for task in tasks]
""",
    ),
    Answer(
        "1.1",
        wrong="some-wait",
        source="""
async def stock_report(ask, branches):
    two = asyncio.Semaphore(2)

    async def ask_one(branch):
        async with two:
            return await ask(branch)

    return await asyncio.gather(*[ask_one(branch) for branch in branches])
""",
        why="two at a time are concurrent, too",
    ),
    Answer(
        "1.1",
        wrong="some-wait",
        source="""
async def stock_report(ask, branches):
    lines = []
    for start in range(0, len(branches), 10):
        lines += await asyncio.gather(*map(ask, branches[start : start + 10]))
    return lines
""",
        why="nobody has more than ten branches",
    ),
    Answer(
        "1.1",
        wrong="nothing-given",
        source="""
async def stock_report(ask, branches):
    tasks = [asyncio.create_task(ask(branch)) for branch in branches]
    await asyncio.wait(tasks)
    return [task.result() for task in tasks]
""",
        why="there is always a branch",
    ),
    Answer(
        "1.1",
        wrong="loses-a-line",
        source="""
async def stock_report(ask, branches):
    lines = {}

    async def note(branch):
        lines[branch] = await ask(branch)

    await asyncio.gather(*[note(branch) for branch in set(branches)])
    return [lines[branch] for branch in dict.fromkeys(branches)]
""",
        why="nobody asks a branch twice",
    ),
    Answer(
        "1.1",
        wrong="loses-a-line",
        source="""
async def stock_report(ask, branches):
    lines = await asyncio.gather(*[ask(branch) for branch in branches])
    return [line for line in lines if line]
""",
        why="an empty line says nothing",
    ),
    Answer(
        "1.1",
        wrong="asks-twice",
        source="""
async def stock_report(ask, branches):
    await asyncio.gather(*[ask(branch) for branch in branches])
    return await asyncio.gather(*[ask(branch) for branch in branches])
""",
        why="the first `gather` waits, the second one collects",
    ),
    Answer(
        "1.1",
        wrong="changes-the-list",
        source="""
async def stock_report(ask, branches):
    tasks = []
    while branches:
        tasks.append(asyncio.create_task(ask(branches.pop(0))))
    return [await task for task in tasks]
""",
        why="a list that I am given is mine",
    ),
    Answer(
        "1.1",
        wrong="other-answers",
        source="""
async def stock_report(ask, branches):
    return tuple(await asyncio.gather(*[ask(branch) for branch in branches]))
""",
        why="a tuple is a list that does not change",
    ),
    Answer(
        "1.1",
        wrong="second-loop",
        source="""
async def stock_report(ask, branches):
    async def ask_all():
        return await asyncio.gather(*[ask(branch) for branch in branches])

    return await asyncio.to_thread(asyncio.run, ask_all())
""",
        why="a loop of one's own disturbs nobody",
    ),
    Answer(
        "1.1",
        wrong="second-loop",
        source="""
async def stock_report(ask, branches):
    threads = [asyncio.to_thread(lambda b=branch: asyncio.run(ask(b))) for branch in branches]
    return await asyncio.gather(*threads)
""",
        why="what is to run together needs a thread each",
    ),
    Answer(
        "1.1",
        wrong="cancel-swallowed",
        source="""
async def stock_report(ask, branches):
    try:
        return await asyncio.gather(*[ask(branch) for branch in branches])
    except asyncio.CancelledError:
        return []
""",
        why="a report that is cancelled is an empty one",
    ),
    Answer(
        "1.1",
        right="each writes into its place",
        source="""
async def stock_report(ask, branches):
    lines = [None] * len(branches)

    async def ask_one(place, branch):
        lines[place] = await ask(branch)

    for job in asyncio.as_completed([ask_one(*each) for each in enumerate(branches)]):
        await job
    return lines
""",
    ),
    Answer(
        "1.1",
        wrong="swallowed",
        source="""
async def stock_report(ask, branches):
    async def ask_one(branch):
        try:
            return await ask(branch)
        except OSError:
            return f"{branch}: closed"

    return await asyncio.gather(*[ask_one(branch) for branch in branches])
""",
        why="a branch that does not answer is closed",
    ),
    Answer(
        "1.1",
        right="an error of one's own, with the branch's behind it",
        source="""
async def stock_report(ask, branches):
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(branch)) for branch in branches]
    except* Exception as errors:
        raise RuntimeError("a branch has failed") from errors
    return [task.result() for task in tasks]
""",
    ),
    Answer(
        "1.1",
        wrong="some-wait",
        source="""
async def stock_report(ask, branches):
    lines = await asyncio.gather(*[ask(branch) for branch in branches[:-1]])
    return [*lines, *[await ask(branch) for branch in branches[-1:]]]
""",
        why="one that waits is no harm",
    ),
    Answer(
        "1.1",
        right="an object that can be called",
        source="""
class Report:
    async def __call__(self, ask, branches):
        return await asyncio.gather(*map(ask, branches))

stock_report = Report()
""",
    ),
    Answer(
        "1.2",
        wrong="blocks",
        source="""
async def issue_cards(make_card, names):
    return [make_card(name) for name in names]
""",
        why="`async def` makes everything inside it async",
    ),
    Answer(
        "1.2",
        wrong="async-def-is-no-thread",
        source="""
async def issue_cards(make_card, names):
    async def make(name):
        return make_card(name)

    return await asyncio.gather(*[make(name) for name in names])
""",
        why="gather runs its coroutines in parallel",
    ),
    Answer(
        "1.2",
        wrong="called-too-soon",
        source="""
async def issue_cards(make_card, names):
    return [await asyncio.to_thread(make_card(name)) for name in names]
""",
        why="to_thread takes a call",
    ),
    Answer(
        "1.2",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def issue_cards(make_card, names):
    with ThreadPoolExecutor() as pool:
        return list(pool.map(make_card, names))
""",
        why="other threads do the work, so the loop is free",
    ),
    Answer(
        "1.2",
        wrong="tasks-not-cards",
        source="""
async def issue_cards(make_card, names):
    loop = asyncio.get_running_loop()
    return [loop.run_in_executor(None, make_card, name) for name in names]
""",
        why="a call on another thread gives its result at once",
    ),
    Answer(
        "1.2",
        wrong="other-cards",
        source="""
async def issue_cards(make_card, names):
    return await asyncio.to_thread(lambda: {name: make_card(name) for name in names})
""",
        why="a dict is as good as a list",
    ),
    Answer(
        "1.2",
        wrong="second-loop",
        source="""
async def issue_cards(make_card, names):
    async def make_all():
        return [await asyncio.to_thread(make_card, name) for name in names]

    return await asyncio.to_thread(lambda: asyncio.run(make_all()))
""",
        why="a thread needs a loop to await in",
    ),
    Answer(
        "1.2",
        wrong="swallowed",
        source="""
async def issue_cards(make_card, names):
    try:
        return [await asyncio.to_thread(make_card, name) for name in names]
    except Exception:
        return None
""",
        why="a card that cannot be drawn is left empty",
    ),
    Answer(
        "1.2",
        right="all at once, in the pool",
        source="""
async def issue_cards(make_card, names):
    return await asyncio.gather(*[asyncio.to_thread(make_card, name) for name in names])
""",
    ),
    Answer(
        "1.2",
        right="sync_to_async",
        source="""
from asgiref.sync import sync_to_async

async def issue_cards(make_card, names):
    return [await sync_to_async(make_card, thread_sensitive=False)(name) for name in names]
""",
    ),
    Answer(
        "1.2",
        wrong="waits-on-the-loop",
        source="""
import threading

async def issue_cards(make_card, names):
    cards = {}
    for place, name in enumerate(names):
        work = lambda: cards.update({place: make_card(name)})
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    return [cards[place] for place in range(len(names))]
""",
        why="a thread frees the loop, whoever waits for it",
    ),
    Answer(
        "1.2",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor, wait

async def issue_cards(make_card, names):
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(make_card, name) for name in names]
        await asyncio.sleep(0)
        wait(jobs)
    return [job.result() for job in jobs]
""",
        why="an `await` before it is enough",
    ),
    Answer(
        "1.2",
        wrong="waits-on-the-loop",
        source="""
import threading

async def issue_cards(make_card, names):
    cards = []

    async def make_all():
        cards.extend([make_card(name) for name in names])

    thread = threading.Thread(target=asyncio.run, args=[make_all()])
    thread.start()
    thread.join()
    return cards
""",
        why="a loop on another thread is free for it",
    ),
    Answer(
        "1.2",
        wrong="waits-on-the-loop",
        source="""
async def issue_cards(make_card, names):
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(None, make_card, name) for name in names]
    while not all(job.done() for job in jobs):
        time.sleep(0.05)
        await asyncio.sleep(0)
    return [job.result() for job in jobs]
""",
        why="a `sleep(0)` in each round keeps the loop going",
    ),
    Answer(
        "1.2",
        wrong="nothing-given",
        source="""
async def issue_cards(make_card, names):
    first = asyncio.to_thread(make_card, names[0])
    rest = [asyncio.to_thread(make_card, name) for name in names[1:]]
    return list(await asyncio.gather(first, *rest))
""",
        why="there is always a member",
    ),
    Answer(
        "1.2",
        wrong="loses-a-card",
        source="""
async def issue_cards(make_card, names):
    cards = {name: await asyncio.to_thread(make_card, name) for name in names}
    return list(cards.values())
""",
        why="every member has a name of her own",
    ),
    Answer(
        "1.2",
        wrong="made-twice",
        source="""
async def issue_cards(make_card, names):
    await asyncio.gather(*[asyncio.to_thread(make_card, name) for name in names])
    return [await asyncio.to_thread(make_card, name) for name in names]
""",
        why="the first round makes them, the second one fetches them",
    ),
    Answer(
        "1.2",
        wrong="other-cards",
        source="""
async def issue_cards(make_card, names):
    jobs = asyncio.as_completed([asyncio.to_thread(make_card, name) for name in names])
    return [await job for job in jobs]
""",
        why="as_completed keeps the order of the names",
    ),
    Answer(
        "1.2",
        right="a thread of one's own, and a future",
        source="""
import threading

async def issue_cards(make_card, names):
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def work():
        try:
            cards = [make_card(name) for name in names]
        except Exception as error:
            loop.call_soon_threadsafe(done.set_exception, error)
        else:
            loop.call_soon_threadsafe(done.set_result, cards)

    threading.Thread(target=work).start()
    return await done
""",
    ),
    Answer(
        "1.2",
        wrong="changes-the-list",
        source="""
async def issue_cards(make_card, names):
    cards = []
    while names:
        cards.append(await asyncio.to_thread(make_card, names.pop(0)))
    return cards
""",
        why="a list that I am given is mine",
    ),
    Answer(
        "1.2",
        wrong="swallowed",
        source="""
async def issue_cards(make_card, names):
    cards = []
    for name in names:
        try:
            cards.append(await asyncio.to_thread(make_card, name))
        except OSError:
            continue
    return cards
""",
        why="a card that cannot be drawn is left out",
    ),
    Answer(
        "1.2",
        wrong="other-cards",
        source="""
async def issue_cards(make_card, names):
    tasks = [asyncio.create_task(asyncio.to_thread(make_card, name)) for name in names]
    await asyncio.sleep(0.01)
    return [task.result() if task.done() else None for task in tasks]
""",
        why="a card takes no longer than that",
    ),
    Answer(
        "1.3",
        wrong="gives-up",
        source="""
background = set()


def in_background(coroutine, problems):
    async def send():
        try:
            await asyncio.wait_for(coroutine, 0.1)
        except Exception as error:
            problems.append(error)

    task = asyncio.create_task(send())
    background.add(task)
    task.add_done_callback(background.discard)
""",
        why="a mail server that takes longer is away",
    ),
    Answer(
        "1.3",
        wrong="runs-a-loop",
        source="""
def in_background(coroutine, problems):
    try:
        asyncio.run(coroutine)
    except OSError as error:
        problems.append(error)
""",
        why="asyncio.run is how a plain function runs a coroutine",
    ),
    Answer(
        "1.3",
        wrong="nobody-awaits",
        source="""
async def in_background(coroutine, problems):
    try:
        await coroutine
    except Exception as error:
        problems.append(error)
""",
        why="an async def runs when it is called",
    ),
    Answer(
        "1.3",
        wrong="not-started",
        source="""
letters = []

def in_background(coroutine, problems):
    letters.append(coroutine)
""",
        why="a coroutine runs by itself",
    ),
    Answer(
        "1.3",
        wrong="no-reference",
        source="""
def in_background(coroutine, problems):
    def look(task):
        if task.exception():
            problems.append(task.exception())

    asyncio.create_task(coroutine).add_done_callback(look)
""",
        why="the loop keeps its tasks alive",
    ),
    Answer(
        "1.3",
        wrong="no-reference",
        source="""
async def guarded(coroutine, problems):
    try:
        await coroutine
    except Exception as error:
        problems.append(error)

def in_background(coroutine, problems):
    global task
    task = asyncio.create_task(guarded(coroutine, problems))
""",
        why="one name is enough for all tasks",
    ),
    Answer(
        "1.3",
        wrong="lost-error",
        source="""
background = set()

def in_background(coroutine, problems):
    try:
        background.add(asyncio.create_task(coroutine))
    except Exception as error:
        problems.append(error)
""",
        why="create_task raises what the coroutine raises",
    ),
    Answer(
        "1.3",
        wrong="success-reported",
        source="""
background = set()

def in_background(coroutine, problems):
    task = asyncio.create_task(coroutine)
    background.add(task)
    task.add_done_callback(lambda task: problems.append(task.exception()))
""",
        why="a done callback is an error callback",
    ),
    Answer(
        "1.3",
        wrong="other-problems",
        source="""
background = set()

def in_background(coroutine, problems):
    def look(task):
        if not problems and task.exception():
            problems.append(task.exception())

    task = asyncio.create_task(coroutine)
    background.add(task)
    task.add_done_callback(look)
""",
        why="the first failure says it all",
    ),
    Answer(
        "1.3",
        wrong="keeps-for-ever",
        source="""
background = set()

def in_background(coroutine, problems):
    def look(task):
        if not task.cancelled() and task.exception():
            problems.append(task.exception())

    task = asyncio.create_task(coroutine)
    background.add(task)
    task.add_done_callback(look)
""",
        why="a set that holds the tasks is all there is to it",
    ),
    Answer(
        "1.3",
        wrong="trips-over-cancel",
        source="""
background = set()

def in_background(coroutine, problems):
    def look(task):
        background.discard(task)
        if task.exception():
            problems.append(task.exception())

    task = asyncio.create_task(coroutine)
    background.add(task)
    task.add_done_callback(look)
""",
        why="a task that is done has sent its letter, or has an exception",
    ),
    Answer(
        "1.3",
        wrong="swallowed",
        source="""
background = set()

def in_background(coroutine, problems):
    def look(task):
        background.discard(task)
        if not task.cancelled() and task.exception():
            problems.append(task.exception())

    try:
        task = asyncio.create_task(coroutine)
    except RuntimeError:
        return
    background.add(task)
    task.add_done_callback(look)
""",
        why="the desk must not see an error",
    ),
    Answer(
        "1.3",
        wrong="second-loop",
        source="""
import threading

def in_background(coroutine, problems):
    def run():
        try:
            asyncio.run(coroutine)
        except Exception as error:
            problems.append(error)

    threading.Thread(target=run).start()
""",
        why="what must not disturb the loop gets a loop of its own",
    ),
    Answer(
        "1.3",
        wrong="other-problems",
        source="""
def in_background(coroutine, problems):
    async def send():
        try:
            await coroutine
        except Exception as error:
            if repr(error) not in map(repr, problems):
                problems.append(error)

    task = asyncio.create_task(send())
    background.add(task)
    task.add_done_callback(background.discard)
""",
        why="the same problem need not be told twice",
    ),
    Answer(
        "1.3",
        right="a coroutine around the letter",
        source="""
background = set()

def in_background(coroutine, problems):
    async def guarded():
        try:
            await coroutine
        except Exception as error:
            problems.append(error)

    task = asyncio.get_running_loop().create_task(guarded())
    background.add(task)
    task.add_done_callback(background.discard)
    return task
""",
    ),
    Answer(
        "1.3",
        wrong="text-not-exception",
        source="""
background = set()

def in_background(coroutine, problems):
    async def send():
        try:
            await coroutine
        except Exception as error:
            problems.append(str(error))

    task = asyncio.create_task(send())
    background.add(task)
    task.add_done_callback(background.discard)
""",
        why="what matters of an error is its text",
    ),
    Answer(
        "1.3",
        wrong="takes-the-handler",
        source="""
background = set()

def in_background(coroutine, problems):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, what: problems.append(what["exception"]))
    task = loop.create_task(coroutine)
    background.add(task)
    task.add_done_callback(background.discard)
""",
        why="the loop hears of every error",
    ),
    Answer(
        "1.3",
        wrong="other-problems",
        source="""
background = set()

def in_background(coroutine, problems):
    async def send():
        try:
            await coroutine
        except Exception as error:
            problems.append(error)
            raise

    def look(task):
        background.discard(task)
        if not task.cancelled() and task.exception():
            problems.append(task.exception())

    task = asyncio.create_task(send())
    background.add(task)
    task.add_done_callback(look)
""",
        why="better twice than not at all",
    ),
    Answer(
        "1.3",
        wrong="other-problems",
        source="""
background = set()

def in_background(coroutine, problems):
    async def send():
        problems.clear()
        try:
            await coroutine
        except Exception as error:
            problems.append(error)

    task = asyncio.create_task(send())
    background.add(task)
    task.add_done_callback(background.discard)
""",
        why="a new letter has no problems yet",
    ),
    Answer(
        "1.3",
        wrong="cancel-is-no-failure",
        source="""
background = set()

def in_background(coroutine, problems):
    async def send():
        try:
            await coroutine
        except BaseException as error:
            problems.append(error)

    task = asyncio.create_task(send())
    background.add(task)
    task.add_done_callback(background.discard)
""",
        why="whatever comes out of a letter is its failure",
    ),
    Answer(
        "1.3",
        right="the result, asked for in the callback",
        source="""
background = set()

def in_background(coroutine, problems):
    def look(task):
        background.discard(task)
        try:
            task.result()
        except asyncio.CancelledError:
            pass
        except Exception as error:
            problems.append(error)

    task = asyncio.create_task(coroutine)
    background.add(task)
    task.add_done_callback(look)
""",
    ),
    Answer(
        "1.4",
        wrong="gives-up",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(asyncio.wait_for(coroutine, 0.1))
    return coroutine
""",
        why="no script should wait for ever",
    ),
    Answer(
        "1.4",
        wrong="always-runs",
        source="""
def start(coroutine):
    return asyncio.run(coroutine)
""",
        why="a notebook is a script",
    ),
    Answer(
        "1.4",
        wrong="always-a-task",
        source="""
def start(coroutine):
    return asyncio.create_task(coroutine)
""",
        why="a script is a notebook",
    ),
    Answer(
        "1.4",
        wrong="nobody-runs-it",
        source="""
def start(coroutine):
    return coroutine
""",
        why="whoever calls it can await it",
    ),
    Answer(
        "1.4",
        wrong="swallows",
        source="""
def start(coroutine):
    try:
        return asyncio.run(coroutine)
    except RuntimeError:
        return asyncio.create_task(coroutine)
""",
        why="the only RuntimeError is the one about the loop",
    ),
    Answer(
        "1.4",
        wrong="swallows",
        source="""
def start(coroutine):
    try:
        return asyncio.run(coroutine)
    except RuntimeError:
        return coroutine
""",
        why="a cell can await the coroutine itself",
    ),
    Answer(
        "1.4",
        wrong="blocks-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

def start(coroutine):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
""",
        why="on another thread it cannot disturb the loop",
    ),
    Answer(
        "1.4",
        wrong="lost-result",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
    else:
        return asyncio.create_task(coroutine)
""",
        why="in a script nobody looks at the result",
    ),
    Answer(
        "1.4",
        wrong="other-end",
        source="""
def start(coroutine):
    async def safe():
        try:
            return await coroutine
        except Exception as error:
            print("failed:", error)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(safe())
    return asyncio.create_task(safe())
""",
        why="an error that is printed is told",
    ),
    Answer(
        "1.4",
        wrong="lost-result",
        source="""
def start(coroutine):
    async def result():
        return await coroutine or None

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(result())
    return asyncio.create_task(result())
""",
        why="nothing is nothing",
    ),
    Answer(
        "1.4",
        right="the coroutine itself, for the cell to await",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        return coroutine
    with asyncio.Runner() as runner:
        return runner.run(coroutine)
""",
    ),
    Answer(
        "1.4",
        wrong="second-loop",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return asyncio.to_thread(asyncio.run, coroutine)
""",
        why="what calls asyncio.run goes to a thread",
    ),
    Answer(
        "1.4",
        wrong="other-end",
        source="""
def start(coroutine):
    async def tell():
        try:
            return await coroutine
        except LookupError as error:
            return f"failed: {error}"

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(tell())
    return tell()
""",
        why="a text is as good as an exception",
    ),
    Answer(
        "1.4",
        wrong="other-end",
        source="""
def start(coroutine):
    async def quietly():
        try:
            return await coroutine
        except asyncio.CancelledError:
            return None

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(quietly())
    return asyncio.create_task(quietly())
""",
        why="a cancelled coroutine has no result",
    ),
    Answer(
        "1.4",
        wrong="lost-result",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine) or 0
    return asyncio.create_task(coroutine)
""",
        why="`None` is no result",
    ),
    Answer(
        "1.4",
        wrong="blocks-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

def start(coroutine):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor() as pool:
        job = pool.submit(asyncio.run, coroutine)
    return asyncio.wrap_future(job)
""",
        why="a future that is done can be awaited, too",
    ),
    Answer(
        "1.4",
        right="a runner, and a shield",
        source="""
def start(coroutine):
    if asyncio._get_running_loop() is None:
        with asyncio.Runner() as runner:
            return runner.run(coroutine)
    return asyncio.shield(coroutine)
""",
    ),
    Answer(
        "1.4",
        wrong="always-a-task",
        source="""
def start(coroutine):
    try:
        get_ipython()
    except NameError:
        return asyncio.run(coroutine)
    return asyncio.ensure_future(coroutine)
""",
        why="in a notebook a loop is running",
    ),
    Answer(
        "1.4",
        wrong="swallows",
        source="""
def start(coroutine):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        try:
            return asyncio.run(coroutine)
        except Exception as error:
            print("failed:", error)
            return None
    return loop.create_task(coroutine)
""",
        why="a script prints its errors",
    ),
    Answer(
        "1.5",
        wrong="gives-up",
        source="""
async def serve(requests, handle):
    async def one(request):
        request_id.set(request)
        return await asyncio.wait_for(handle(request), 0.1)

    return list(await asyncio.gather(*map(one, requests)))
""",
        why="whoever waits longer has gone away",
    ),
    Answer(
        "1.5",
        wrong="last-number",
        source="""
async def serve(requests, handle):
    jobs = []
    for request in requests:
        request_id.set(request)
        jobs.append(handle(request))
    return await asyncio.gather(*jobs)
""",
        why="a coroutine copies the context when it is made",
    ),
    Answer(
        "1.5",
        wrong="too-late",
        source="""
async def serve(requests, handle):
    tasks = []
    for request in requests:
        tasks.append(asyncio.create_task(handle(request)))
        request_id.set(request)
    return await asyncio.gather(*tasks)
""",
        why="a task sees what is set after it was made",
    ),
    Answer(
        "1.5",
        wrong="sequential",
        source="""
async def serve(requests, handle):
    results = []
    for request in requests:
        request_id.set(request)
        results.append(await handle(request))
    return results
""",
        why="right numbers are enough",
    ),
    Answer(
        "1.5",
        wrong="not-served",
        source="""
import threading

async def serve(requests, handle):
    def serve_one(request):
        request_id.set(request)
        asyncio.run(handle(request))

    for request in requests:
        threading.Thread(target=serve_one, args=(request,)).start()
""",
        why="a thread for each request keeps the numbers apart",
    ),
    Answer(
        "1.5",
        wrong="not-served",
        source="""
async def serve(requests, handle):
    for request in requests:
        request_id.set(request)
        asyncio.create_task(handle(request))
""",
        why="a task that was started will end",
    ),
    Answer(
        "1.5",
        wrong="other-results",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        await handle(request)

    return await asyncio.gather(*[handle_one(request) for request in requests])
""",
        why="gather finds the inner results",
    ),
    Answer(
        "1.5",
        wrong="swallowed",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    jobs = [handle_one(request) for request in requests]
    return await asyncio.gather(*jobs, return_exceptions=True)
""",
        why="one request that fails must not stop the others",
    ),
    Answer(
        "1.5",
        wrong="other-variable",
        source="""
async def serve(requests, handle):
    number_of = ContextVar("request_id", default="-")

    async def one(number):
        number_of.set(number)
        return await handle(number)

    return await asyncio.gather(*map(one, requests))
""",
        why="a variable of the same name is the same variable",
    ),
    Answer(
        "1.5",
        right="set, then make the task",
        source="""
async def serve(requests, handle):
    tasks = []
    for request in requests:
        request_id.set(request)
        tasks.append(asyncio.create_task(handle(request)))
    return await asyncio.gather(*tasks)
""",
    ),
    Answer(
        "1.5",
        right="a context for each task",
        source="""
from contextvars import copy_context

async def serve(requests, handle):
    async with asyncio.TaskGroup() as group:
        tasks = []
        for request in requests:
            context = copy_context()
            context.run(request_id.set, request)
            tasks.append(group.create_task(handle(request), context=context))
    return [task.result() for task in tasks]
""",
    ),
    Answer(
        "1.5",
        wrong="shared-context",
        source="""
from contextvars import copy_context

async def serve(requests, handle):
    context, tasks = copy_context(), []
    for request in requests:
        context.run(request_id.set, request)
        tasks.append(asyncio.create_task(handle(request), context=context))
    return await asyncio.gather(*tasks)
""",
        why="one copy of the context is enough",
    ),
    Answer(
        "1.5",
        wrong="shared-context",
        source="""
from contextvars import copy_context

async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    context = copy_context()
    tasks = [asyncio.create_task(handle_one(each), context=context) for each in requests]
    return [await task for task in tasks]
""",
        why="a task that sets the number itself cannot be wrong",
    ),
    Answer(
        "1.5",
        wrong="empty-context",
        source="""
from contextvars import Context

async def serve(requests, handle):
    tasks = []
    for request in requests:
        context = Context()
        context.run(request_id.set, request)
        tasks.append(asyncio.create_task(handle(request), context=context))
    return await asyncio.gather(*tasks)
""",
        why="a request needs a context, and this is one",
    ),
    Answer(
        "1.5",
        wrong="other-number",
        source="""
async def serve(requests, handle):
    async def handle_one(number, request):
        request_id.set(number)
        return await handle(request)

    return await asyncio.gather(*[handle_one(*each) for each in enumerate(requests)])
""",
        why="a number counts from zero",
    ),
    Answer(
        "1.5",
        wrong="some-wait",
        source="""
async def serve(requests, handle):
    few = asyncio.Semaphore(4)

    async def handle_one(request):
        async with few:
            request_id.set(request)
            return await handle(request)

    return await asyncio.gather(*[handle_one(request) for request in requests])
""",
        why="four at a time are concurrent, too",
    ),
    Answer(
        "1.5",
        wrong="nothing-given",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    tasks = [asyncio.create_task(handle_one(request)) for request in requests]
    await asyncio.wait(tasks)
    return [task.result() for task in tasks]
""",
        why="there is always a request",
    ),
    Answer(
        "1.5",
        wrong="loses-a-request",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    tasks = {request: asyncio.create_task(handle_one(request)) for request in set(requests)}
    return [await tasks[request] for request in requests]
""",
        why="no two requests have the same number",
    ),
    Answer(
        "1.5",
        wrong="cancel-swallowed",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        try:
            return await handle(request)
        except asyncio.CancelledError:
            return "cancelled"

    return [await task for task in [asyncio.create_task(handle_one(each)) for each in requests]]
""",
        why="a request that is cancelled has an answer, too",
    ),
    Answer(
        "1.5",
        wrong="second-loop",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    async def handle_all():
        return await asyncio.gather(*[handle_one(request) for request in requests])

    return await asyncio.to_thread(asyncio.run, handle_all())
""",
        why="a loop of one's own disturbs nobody",
    ),
    Answer(
        "1.5",
        wrong="changes-the-list",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    tasks = []
    while requests:
        tasks.append(asyncio.create_task(handle_one(requests.pop(0))))
    return [await task for task in tasks]
""",
        why="a list that I am given is mine",
    ),
    Answer(
        "1.5",
        wrong="loses-a-request",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        await handle(request)
        return await handle(request)

    return await asyncio.gather(*[handle_one(request) for request in requests])
""",
        why="the first call handles, the second one gives the result",
    ),
    Answer(
        "1.5",
        wrong="sequential",
        source="""
async def serve(requests, handle):
    lock = asyncio.Lock()

    async def handle_one(request):
        async with lock:
            token = request_id.set(request)
            try:
                return await handle(request)
            finally:
                request_id.reset(token)

    return await asyncio.gather(*[handle_one(request) for request in requests])
""",
        why="a lock keeps the others from the variable",
    ),
    Answer(
        "1.6",
        wrong="gives-up",
        source="""
def make_refresh(fetch, label):
    tasks = set()

    async def refresh(button):
        try:
            label.value = await asyncio.wait_for(fetch(), 0.1)
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False

    def click(button):
        button.disabled = True
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return click
""",
        why="a shop that takes longer is closed",
    ),
    Answer(
        "1.6",
        wrong="runs-a-loop",
        source="""
def make_refresh(fetch, label):
    def on_click(button):
        button.disabled = True
        label.value = asyncio.run(fetch())
        button.disabled = False

    return on_click
""",
        why="asyncio.run is how a callback runs a coroutine",
    ),
    Answer(
        "1.6",
        wrong="nobody-awaits",
        source="""
def make_refresh(fetch, label):
    async def on_click(button):
        button.disabled = True
        try:
            label.value = await fetch()
        except Exception as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False

    return on_click
""",
        why="a button awaits its callback",
    ),
    Answer(
        "1.6",
        wrong="no-fetch",
        source="""
def make_refresh(fetch, label):
    def on_click(button):
        button.disabled = True
        label.value = fetch()

    return on_click
""",
        why="a call of an async function runs it",
    ),
    Answer(
        "1.6",
        wrong="double-click",
        source="""
tasks = set()

def make_refresh(fetch, label):
    async def refresh():
        try:
            label.value = await fetch()
        except Exception as error:
            label.value = f"failed: {error}"

    return lambda button: tasks.add(asyncio.create_task(refresh()))
""",
        why="nobody clicks twice",
    ),
    Answer(
        "1.6",
        wrong="no-reference",
        source="""
def make_refresh(fetch, label):
    async def refresh(button):
        try:
            label.value = await fetch()
        except Exception as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False

    def on_click(button):
        button.disabled = True
        asyncio.create_task(refresh(button))

    return on_click
""",
        why="the loop keeps its tasks alive",
    ),
    Answer(
        "1.6",
        wrong="not-shown",
        source="""
tasks = set()

def make_refresh(fetch, label):
    async def refresh(button):
        try:
            await fetch()
            label.value = "refreshed"
        except Exception as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False

    def on_click(button):
        button.disabled = True
        tasks.add(asyncio.create_task(refresh(button)))

    return on_click
""",
        why="that it worked is all one wants to know",
    ),
    Answer(
        "1.6",
        wrong="lost-error",
        source="""
tasks = set()

def make_refresh(fetch, label):
    async def refresh(button):
        label.value = await fetch()

    def on_click(button):
        def done(task):
            button.disabled = False

        button.disabled = True
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(done)

    return on_click
""",
        why="asyncio's log is where a user looks",
    ),
    Answer(
        "1.6",
        wrong="other-label",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = str(error)
        finally:
            button.disabled = False
"""
        ),
        why="the error's own words are enough",
    ),
    Answer(
        "1.6",
        wrong="stays-disabled",
        source="""
tasks = set()

def make_refresh(fetch, label):
    async def refresh(button):
        try:
            label.value = await fetch()
            button.disabled = False
        except Exception as error:
            label.value = f"failed: {error}"

    def on_click(button):
        button.disabled = True
        tasks.add(asyncio.create_task(refresh(button)))

    return on_click
""",
        why="what comes last in the try runs last in any case",
    ),
    Answer(
        "1.6",
        wrong="stays-disabled",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        button.disabled = False
"""
        ),
        why="after the `except` comes everything that has to be done",
    ),
    Answer(
        "1.6",
        wrong="keeps-for-ever",
        source=_make_refresh(
            on_click="""
    def on_click(button):
        button.disabled = True
        tasks.add(asyncio.create_task(refresh(button)))
"""
        ),
        why="a set that holds the tasks is all there is to it",
    ),
    Answer(
        "1.6",
        wrong="swallowed",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        except Exception:
            pass
        finally:
            button.disabled = False
"""
        ),
        why="a button must never show a traceback",
    ),
    Answer(
        "1.6",
        right="a done callback",
        source="""
tasks = set()

def make_refresh(fetch, label):
    def on_click(button):
        def done(task):
            tasks.discard(task)
            button.disabled = False
            if not task.cancelled():
                error = task.exception()
                label.value = f"failed: {error}" if error else task.result()

        button.disabled = True
        task = asyncio.ensure_future(fetch())
        tasks.add(task)
        task.add_done_callback(done)

    return on_click
""",
    ),
    Answer(
        "1.6",
        wrong="fetches-too-soon",
        source=_make_refresh(
            tasks="""
    tasks, prices = set(), fetch()
""",
            refresh="""
    async def refresh(button):
        try:
            label.value = await prices
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False
""",
        ),
        why="the prices can be fetched once, and shown at every click",
    ),
    Answer(
        "1.6",
        wrong="double-click",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        button.disabled = True
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False
""",
            on_click="""
    def on_click(button):
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
""",
        ),
        why="a task begins when it is made",
    ),
    Answer(
        "1.6",
        wrong="no-reference",
        source="""
task = None

def make_refresh(fetch, label):
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False

    def on_click(button):
        global task
        button.disabled = True
        task = asyncio.create_task(refresh(button))

    return on_click
""",
        why="there is one button, so one name is enough",
    ),
    Answer(
        "1.6",
        wrong="only-once",
        source=_make_refresh(
            tasks="""
    tasks = []
""",
            on_click="""
    def on_click(button):
        if not tasks:
            button.disabled = True
            tasks.append(asyncio.create_task(refresh(button)))
            tasks[0].add_done_callback(lambda task: tasks.__setitem__(0, None))
""",
        ),
        why="a task that is there need not be made again",
    ),
    Answer(
        "1.6",
        wrong="other-line",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value += await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False
"""
        ),
        why="what is new comes after what is there",
    ),
    Answer(
        "1.6",
        wrong="lost-error",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError:
            label.value = "failed: the shop is closed"
        finally:
            button.disabled = False
"""
        ),
        why="there is one thing that can go wrong",
    ),
    Answer(
        "1.6",
        right="an object with a method",
        source="""
class Refresh:
    def __init__(self, fetch, label):
        self.fetch, self.label, self.tasks = fetch, label, []

    def click(self, button):
        button.disabled = True
        self.tasks.append(asyncio.create_task(self.refresh(button)))

    async def refresh(self, button):
        try:
            self.label.value = await self.fetch()
        except OSError as error:
            self.label.value = f"failed: {error}"
        finally:
            button.disabled = False
            self.tasks.remove(asyncio.current_task())

def make_refresh(fetch, label):
    return Refresh(fetch, label).click
""",
    ),
    Answer(
        "1.6",
        wrong="double-click",
        source=_make_refresh(
            refresh="""
    async def refresh():
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
""",
            on_click="""
    def on_click(button):
        button.disabled = True
        task = asyncio.create_task(refresh())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        asyncio.get_running_loop().call_soon(setattr, button, "disabled", False)
""",
        ),
        why="after a turn of the loop the click is over",
    ),
    Answer(
        "1.6",
        wrong="no-callback",
        source="""
async def make_refresh(fetch, label):
    try:
        label.value = await fetch()
    except OSError as error:
        label.value = f"failed: {error}"
""",
        why="the function that is written is the callback",
    ),
    Answer(
        "1.6",
        right="a task that its own coroutine takes out",
        source="""
def make_refresh(fetch, label):
    pending = []

    def on_click(button):
        button.disabled = True

        async def refresh():
            try:
                label.value = await fetch()
            except OSError as error:
                label.value = f"failed: {error}"
            finally:
                button.disabled = False
                pending.remove(task)

        task = asyncio.create_task(refresh())
        pending.append(task)

    return on_click
""",
    ),
    Answer(
        "1.1",
        right="each branch once",
        source="""
async def stock_report(ask, branches):
    tasks = {branch: asyncio.create_task(ask(branch)) for branch in set(branches)}
    return [await tasks[branch] for branch in branches]
""",
    ),
    Answer(
        "1.2",
        wrong="cancel-swallowed",
        source="""
async def issue_cards(make_card, names):
    cards = []
    try:
        for name in names:
            cards.append(await asyncio.to_thread(make_card, name))
    except asyncio.CancelledError:
        pass
    return cards
""",
        why="some cards are better than none",
    ),
    Answer(
        "1.4",
        wrong="leaves-a-loop",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.new_event_loop().run_until_complete(coroutine)
    return asyncio.create_task(coroutine)
""",
        why="no loop, so make one",
    ),
    Answer(
        "1.4",
        wrong="other-end",
        source="""
def start(coroutine):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            return asyncio.run(coroutine)
        except KeyboardInterrupt:
            return None
    return asyncio.create_task(coroutine)
""",
        why="a script that is stopped should not show a traceback",
    ),
    Answer(
        "1.4",
        right="a runner",
        source="""
def start(coroutine):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        with asyncio.Runner() as runner:
            return runner.run(coroutine)
    return loop.create_task(coroutine)
""",
    ),
    Answer(
        "1.5",
        wrong="loses-a-request",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    tasks = {request: asyncio.create_task(handle_one(request)) for request in requests}
    return [await tasks[request] for request in requests]
""",
        why="a dict of tasks finds each result by its request",
    ),
    Answer(
        "1.6",
        wrong="one-at-a-time",
        source=_make_refresh(
            on_click="""
    def on_click(button):
        if tasks:
            return
        button.disabled = True
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
"""
        ),
        why="a second click while the prices are on their way is a double one",
    ),
    Answer(
        "1.6",
        wrong="no-reference",
        source=_make_refresh(
            on_click="""
    def on_click(button):
        for task in tasks:
            task.cancel()
        button.disabled = True
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
"""
        ),
        why="the newest prices are enough",
    ),
    Answer(
        "1.6",
        wrong="no-reference",
        source=_make_refresh(
            on_click="""
    def on_click(button):
        button.disabled = True
        task = asyncio.create_task(refresh(button))
        tasks.add(task)
        task.add_done_callback(lambda task: tasks.clear())
"""
        ),
        why="when a task is done, the set can be emptied",
    ),
    Answer(
        "1.6",
        wrong="other-button",
        source=_make_refresh(
            tasks="""
    tasks = set()
    waiting = []
""",
            refresh="""
    async def refresh():
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            waiting.pop().disabled = False
""",
            on_click="""
    def on_click(button):
        button.disabled = True
        waiting[:] = [button, *waiting[:0]]
        task = asyncio.create_task(refresh())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
""",
        ),
        why="there is one button, so the callback may keep it",
    ),
    Answer(
        "1.6",
        wrong="cancel-is-no-failure",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except BaseException as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False
"""
        ),
        why="whatever went wrong belongs on the label",
    ),
    Answer(
        "1.6",
        wrong="cancel-is-no-failure",
        source=_make_refresh(
            refresh="""
    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        except asyncio.CancelledError:
            pass
        finally:
            button.disabled = False
"""
        ),
        why="nobody awaits the task, so nobody misses the cancellation",
    ),
    Answer(
        "1.6",
        wrong="stays-disabled",
        source="""
tasks = set()

def make_refresh(fetch, label):
    def on_click(button):
        def done(task):
            tasks.discard(task)
            error = task.exception()
            label.value = f"failed: {error}" if error else task.result()
            button.disabled = False

        button.disabled = True
        task = asyncio.ensure_future(fetch())
        tasks.add(task)
        task.add_done_callback(done)

    return on_click
""",
        why="a task that is done has a result or an exception",
    ),
    Answer(
        "1.1",
        wrong="some-wait",
        source="""
async def stock_report(ask, branches):
    limit = asyncio.Semaphore(100)

    async def one(branch):
        async with limit:
            return await ask(branch)

    return await asyncio.gather(*[one(branch) for branch in branches])
""",
        why="a client opens a hundred connections, and no list is that long",
    ),
    Answer(
        "1.1",
        wrong="old-lines",
        source="""
known = {}

async def stock_report(ask, branches):
    new = [branch for branch in branches if branch not in known]
    known.update(zip(new, await asyncio.gather(*map(ask, new))))
    return [known[branch] for branch in branches]
""",
        why="a line that is known need not be asked for again",
    ),
    Answer(
        "1.2",
        wrong="blocks-for-one",
        source="""
async def issue_cards(make_card, names):
    if len(names) <= 1:
        return [make_card(name) for name in names]
    return await asyncio.gather(*[asyncio.to_thread(make_card, name) for name in names])
""",
        why="a single card is not worth a thread",
    ),
    Answer(
        "1.2",
        right="a pool of two, ended in the middle of an error",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def issue_cards(make_card, names):
    with ThreadPoolExecutor(2) as pool:
        futures = [asyncio.wrap_future(pool.submit(make_card, name)) for name in names]
        return [await future for future in futures]
""",
    ),
    Answer(
        "1.3",
        right="a list that is swept at each call",
        source="""
from functools import partial

background = []


def note(problems, task):
    if not task.cancelled() and (error := task.exception()) is not None:
        problems.append(error)


def in_background(coroutine, problems):
    background[:] = [task for task in background if not task.done()]
    background.append(asyncio.get_running_loop().create_task(coroutine))
    background[-1].add_done_callback(partial(note, problems))
""",
    ),
    Answer(
        "1.4",
        wrong="asks-for-a-task",
        source="""
def start(coroutine):
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is None:
        return asyncio.run(coroutine)
    return asyncio.create_task(coroutine)
""",
        why="whoever runs on a loop is a task",
    ),
    Answer(
        "1.4",
        wrong="not-awaitable",
        source="""
def start(coroutine):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return asyncio.run_coroutine_threadsafe(coroutine, loop)
""",
        why="a future is a future",
    ),
    Answer(
        "1.5",
        wrong="some-wait",
        source="""
async def serve(requests, handle):
    limit = asyncio.Semaphore(100)

    async def handle_one(request):
        request_id.set(request)
        async with limit:
            return await handle(request)

    return await asyncio.gather(*map(handle_one, requests))
""",
        why="a limit that is never reached costs nothing",
    ),
    Answer(
        "1.5",
        wrong="callers-number",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        if request_id.get() == "-":
            request_id.set(request)
        return await handle(request)

    return await asyncio.gather(*map(handle_one, requests))
""",
        why="who has a number keeps it",
    ),
    Answer(
        "1.5",
        wrong="callers-task",
        source="""
async def serve(requests, handle):
    async def handle_one(request):
        request_id.set(request)
        return await handle(request)

    if len(requests) == 1:
        return [await handle_one(requests[0])]
    return await asyncio.gather(*map(handle_one, requests))
""",
        why="one request has nobody to be kept apart from",
    ),
    Answer(
        "1.6",
        right="a dict from each button to its task",
        source="""
import logging

def make_refresh(fetch, label):
    tasks = {}

    async def refresh(button):
        try:
            label.value = await fetch()
        except OSError as error:
            label.value = f"failed: {error}"
        finally:
            button.disabled = False
            tasks.pop(button, None)

    def on_click(button):
        button.disabled = True
        tasks[button] = asyncio.create_task(refresh(button))

    return on_click
""",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "The card asks for the cards' order and a free loop. Cards made beside one "
            "another keep both, and so does the thread-sensitive worker, on which nothing "
            "else waits in this lesson."
        ),
        mutants=("1.2 sequential-gathered@3", "1.2 adapter-for-thread@3"),
    ),
    Equivalent(
        because=(
            "What is awaited sets no context variable that anybody reads afterwards, so a "
            "task in between changes nothing; a result, an exception and a cancel pass "
            "through it."
        ),
        mutants=("1.2 task-for-each@3", "1.5 task-for-each@5", "1.6 task-for-each@7"),
    ),
    Equivalent(
        because=(
            "Nothing in this function can raise: it discards, asks a task that is done and "
            "not cancelled, and appends; or it only defines functions."
        ),
        mutants=("1.3 exception-swallowed@6", "1.6 exception-swallowed@1"),
    ),
    Equivalent(
        because="`get_running_loop` raises `RuntimeError`, and nothing else.",
        mutants=("1.4 handler-widened@5",),
    ),
    Equivalent(
        because=(
            "The card asks for something that a cell can await, and the coroutine itself is that."
        ),
        mutants=("1.4 task-removed@7",),
    ),
    Equivalent(
        because=(
            "The card names one error of `fetch`, `OSError`. Any other one is told to whoever "
            "clicked instead of to the log, and the button is enabled again all the same."
        ),
        mutants=("1.6 handler-widened@8",),
    ),
]

MAY_DIFFER_TWICE = {
    "run-await": "a coroutine can be awaited once",
    "background-silent": "the second run frees the first one's task: it is heard of at once",
    "background-heard": "two tasks failed; and the name that it deletes is gone",
    "background-reset": "it counts what was heard of",
    "hang-look": "the tasks of the first run still hang",
    "widget-task-run": "the label shows the count of the first run before the click",
}

MAY_DIFFER_INTERRUPTED = {
    "background-reset": "it counts what was heard of: a task of an interrupted cell, too",
}

EXAMPLES = {
    "1.1": """\
async def ask(branch):
    return {"Bath": "Bath: 3", "Whitby": "Whitby: 9"}[branch]

assert await stock_report(ask, ["Bath", "Whitby"]) == ["Bath: 3", "Whitby: 9"]
""",
    "1.2": """\
make_card = "card of {}".format
assert await issue_cards(make_card, ["Mina", "Lucy"]) == ["card of Mina", "card of Lucy"]
""",
    "1.3": """\
async def letter(name):
    if closed:
        raise ConnectionError("no mail server")

for closed, expected in (False, []), (True, [ConnectionError("no mail server")]):
    problems = []
    in_background(letter("Ada"), problems)
    await asyncio.sleep(0.01)
    assert repr(problems) == repr(expected)
""",
    "1.4": """\
from library.models import Book

async def main():
    return await Book.objects.acount()

assert await asyncio.to_thread(lambda: start(main())) == 47
assert await start(main()) == 47
""",
    "1.5": """\
async def handle(request):
    log.append((request, request_id.get()))

log = []
await serve(["r-1", "r-2"], handle)
assert log == [("r-1", "r-1"), ("r-2", "r-2")]
""",
    "1.6": """\
import ipywidgets

async def fetch():
    raise OSError("the shop is closed")

button, label = ipywidgets.Button(), ipywidgets.Label()
button.on_click(make_refresh(fetch, label))
button.click()
await asyncio.sleep(0.01)
assert label.value == "failed: the shop is closed"
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "output-edited-in-01",
        "an output edited",
        output(NOTEBOOK, "loop-reveal", "says: yes", "says: no"),
        compared(1, "boot", "loop-predict", "loop-ask", "loop-reveal"),
        ("The machine says: no.", "The machine says: yes.", "Cell outputs differ"),
    ),
    Fault(
        "books-reserved-in-one-order",
        "a lesson's code",
        source(NOTEBOOK, "hang-start", "reserve(dracula, emma)", "reserve(emma, dracula)"),
        compared(1, "boot", "loop-ask", "hang-code", "hang-start"),
        ("tasks that are done: 0", "tasks that are done: 2", "Cell outputs differ"),
    ),
    Fault(
        "outputs-stripped",
        "a notebook stripped",
        notebook(NOTEBOOK, strip_outputs),
        CENSUS,
        ("who-started-it has a tag for U3 but no compared output",),
    ),
]
