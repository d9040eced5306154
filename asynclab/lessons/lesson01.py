"""The checks of lesson 01: concurrency, blocking, background tasks, and the loop that is there."""

import asyncio
import inspect
import warnings
from types import SimpleNamespace

from ..exercises.book import NotYet, exercise
from ..exercises.given import Call
from ..recorder.roles import EVENT_LOOP
from .vocabulary.failing import Mishap, require_told, require_told_of_no_loop
from .vocabulary.tasks import Gate, LastFirst, NewTasks, told_to_the_loop, turns
from .vocabulary.threads import place, require_this_loop

BRANCHES = ("Whitby", "Bath", "Haworth", "London", "Nantucket")
RUNS_A_LOOP = RuntimeError, "running event loop"


@exercise(
    "1.1",
    title="ask all branches",
    names=("stock_report",),
    why=(
        "`gather` makes a task of each coroutine before it waits, so all questions are out at "
        "once. It gives the answers in the order of the questions."
    ),
    hints=(
        "In your function, when does the second branch hear its question?",
        "A coroutine starts when it is awaited or made a task. Which call makes several tasks?",
        "What does `await asyncio.gather(*[ask(branch) for branch in branches])` return?",
    ),
    errors={
        (TypeError, "unhashable"): NotYet(
            "list-to-gather",
            "`gather` was given one list. It takes the coroutines as arguments, one by one. "
            "Which sign before a list makes arguments of what is in it?",
        ),
        (TypeError, "awaitable is required"): NotYet(
            "awaited-too-soon",
            "`await ask(branch)` waits for the line, so the questions went out one after another, "
            "and `gather` was given lines. What does it need in their place?",
        ),
    },
)
async def stock_report(given):
    desk = LastFirst(BRANCHES)

    async def ask(branch):
        await desk.wait(branch)
        return f"{branch}: {len(branch)} copies"

    result = await given.result_of("stock_report", ask, BRANCHES)
    expected = [f"{branch}: {len(branch)} copies" for branch in BRANCHES]
    if isinstance(result, list | tuple | set) and any(map(inspect.isawaitable, result)):
        raise NotYet(
            "tasks-not-answers",
            "It returned what you would wait for, not the answers. Who awaits the tasks?",
        )
    if not isinstance(result, list | tuple) or sorted(result) != sorted(expected):
        raise NotYet("other-answers", f"It returned {result!r}. Is there one line for each branch?")
    if desk.overlap.most == 1:
        raise NotYet(
            "sequential",
            "You awaited each answer before you asked the next branch: the lanes would show five "
            "questions one after another. What would start them all before the first `await`?",
        )
    if list(result) != expected:
        raise NotYet(
            "order",
            "Every answer is there, in the order in which they came in. "
            "Which call waits for all and keeps the order of the questions?",
        )

    async def closed(branch):
        if branch == BRANCHES[2]:
            raise Mishap
        return branch

    await require_told(given, "stock_report", closed, BRANCHES, what="One branch")
    return "All five questions were out before the first answer came."


@exercise(
    "1.2",
    title="free the loop",
    names=("issue_cards",),
    why=(
        "`asyncio.to_thread` calls `make_card` on another thread, and the loop serves others "
        "until the card is there."
    ),
    hints=(
        "`make_card` never awaits. On which thread does it run, and who else lives there?",
        "Which function of asyncio runs a sync function on another thread, and can be awaited?",
        "`asyncio.to_thread` takes the function and its arguments, with a comma between. "
        "Did you call the function yourself?",
    ),
)
async def issue_cards(given):
    places, free = [], []

    def make_card(name):
        places.append(place())
        free.append(places[-1] == EVENT_LOOP or given.loop_is_free())
        return f"card of {name}"

    names = ["Mina", "Jonathan", "Lucy"]
    call = await given.call("issue_cards", make_card, names, expect=TypeError)
    if call.error and EVENT_LOOP in places:
        raise NotYet(
            "called-too-soon",
            "`make_card(name)`, with brackets, ran at once, on the loop, and only its result "
            "was handed on. What do you hand over if the other thread is to make the call?",
        )
    result, source = call.value, given.source("issue_cards") or ""
    if EVENT_LOOP in places and ("create_task" in source or source.count("async def") > 1):
        raise NotYet(
            "async-def-is-no-thread",
            "The call sits in a coroutine or a task now, but that runs on the loop's own thread, "
            "and blocks it just the same. What takes a call to another thread?",
        )
    if EVENT_LOOP in places:
        raise NotYet(
            "blocks",
            "`make_card` ran on the loop's own thread: nobody else was served meanwhile. "
            "Where else could it run?",
        )
    if isinstance(result, list) and any(map(inspect.isawaitable, result)):
        raise NotYet("tasks-not-cards", "It returned what you would wait for. Where is `await`?")
    if not all(free):
        raise NotYet(
            "waits-on-the-loop",
            "The cards were made on other threads, and the loop's own thread stood still until "
            "they were there: it waited without an `await`. Which call sends work to a thread and "
            "can be awaited?",
        )
    if result != [f"card of {name}" for name in names]:
        raise NotYet("other-cards", f"It returned {result!r}. Is there one card for each name?")
    require_this_loop(call)

    def make_none(name):
        raise Mishap

    await require_told(given, "issue_cards", make_none, names, what="`make_card`")
    return "No card was made on the loop's thread."


@exercise(
    "1.3",
    title="send it later",
    names=("in_background",),
    why=(
        "The set holds each task until its callback runs, and the callback reads the error that "
        "nobody awaits."
    ),
    hints=(
        "Who keeps the task alive after your function has returned?",
        "A set outside of the function can. And who is told when the task is done?",
        "`task.add_done_callback(...)` calls you with the task. What does `task.exception()` give "
        "when the letter was sent?",
    ),
    errors={
        RUNS_A_LOOP: NotYet(
            "runs-a-loop",
            "A loop is running on this thread already, and a thread runs one at a time. "
            "Which call starts a coroutine on the loop that is there?",
        ),
    },
)
async def in_background(given):
    fact = await given.result_of("in_background", driver=_post_letters)
    if fact.coroutine:
        raise NotYet(
            "nobody-awaits",
            "Your `async def` only made a coroutine, and its caller, a plain function, cannot "
            "await it. What must `in_background` be, so that a plain call is enough?",
        )
    if not fact.started:
        raise NotYet("not-started", "The letter was never begun. What starts a coroutine?")
    if not fact.alive:
        raise NotYet(
            "no-reference",
            "A letter vanished while it waited for the mail server: the loop refers to its tasks "
            "weakly. Who could hold on to every one of them?",
        )
    if None in fact.problems:
        raise NotYet(
            "success-reported",
            "A letter that was sent left `None` among the problems. "
            "What does `task.exception()` give when nothing went wrong?",
        )
    if not fact.problems:
        raise NotYet(
            "lost-error",
            "Two letters failed, and `problems` is empty. Who looks at a task when it is done?",
        )
    if {str(problem) for problem in fact.problems} != {"no mail server", "no such address"}:
        raise NotYet(
            "other-problems",
            f"`problems` holds {fact.problems!r}. Is there one entry for each letter that failed?",
        )
    if fact.kept:
        raise NotYet(
            "keeps-for-ever",
            f"All letters are done, and {fact.kept} of their tasks are still held. A server writes "
            "letters for months. Who lets go of a task when it is done?",
        )
    if fact.tripped:
        raise NotYet(
            "trips-over-cancel",
            "A letter was cancelled, as it happens when a server stops, and your callback raised: "
            "asked for its exception, a cancelled task raises. What can be asked first?",
        )
    await require_told_of_no_loop(given, "in_background", driver=_post_without_loop)
    return "Three letters under way at once, and both failures came to light."


async def _post_letters(start) -> SimpleNamespace:
    gate, problems = Gate(), []

    async def letter(error=None):
        await gate.wait()
        if error is not None:
            raise error

    letters = [
        letter(ConnectionError("no mail server")),
        letter(),
        letter(LookupError("no such address")),
    ]
    with NewTasks() as tasks:
        returned = [start(each, problems) for each in letters]
    fact = SimpleNamespace(coroutine=inspect.iscoroutine(returned[0]), problems=problems)
    for coroutine in filter(inspect.iscoroutine, returned):
        coroutine.close()
    # Else what waits would be kept alive by this very function.
    del returned, letters
    await turns()
    fact.started = gate.reached == 3
    fact.alive = gate.open()
    await turns()
    fact.kept = tasks.kept
    fact.tripped = bool(await _cancelled_letter(start, letter(), problems))
    return fact


def _post_without_loop(start) -> None:
    async def letter():
        pass

    coroutine = letter()
    try:
        start(coroutine, [])
    finally:
        coroutine.close()


async def _cancelled_letter(start, coroutine, problems: list) -> list[BaseException | None]:
    """Cancel a letter while it waits; return what the loop was told of it."""
    with told_to_the_loop() as told:
        with NewTasks() as tasks:
            start(coroutine, problems)
        await turns()
        tasks.cancel()
        await turns()
    return told


@exercise(
    "1.4",
    title="one function, script and notebook",
    names=("start",),
    why=(
        "Only the question whether a loop is running stands in the `try`, so no error of the "
        "coroutine can be taken for its answer."
    ),
    hints=(
        "Which question tells a script from a cell?",
        "`asyncio.get_running_loop()` raises `RuntimeError` in a script. Which line, and only "
        "which, should stand in the `try`?",
        "What does `asyncio.create_task(coroutine)` give back, that a cell can `await`?",
    ),
)
async def start(given):
    async def count(error=None):
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return 47

    call = await given.call("start", count(), driver=_await_it, expect=RuntimeError)
    if call.error:
        raise NotYet(
            "always-runs",
            "Called from a cell, it tried to run a loop while one is running. "
            "What could it return there, for the cell to `await`?",
        )
    awaited, in_cell = call.value
    if not awaited:
        raise NotYet(
            "blocks-the-loop",
            "Called from a cell, it came back only when all was done, and blocked the loop until "
            "then. What could it return at once, for the cell to `await`?",
        )
    call = await _call_in_script(given, count())
    if call is None:
        raise NotYet(
            "nobody-runs-it",
            "Called from a script, it gave the coroutine back, and nobody can await it there. "
            "Who has to start a loop there?",
        )
    if call.error:
        raise NotYet(
            "always-a-task",
            "Called from a script, it looked for a running loop, and there is none. "
            "Who has to start one there?",
        )
    in_script = call.value
    if (in_cell, in_script) != (47, 47):
        raise NotYet(
            "lost-result",
            f"A coroutine that returns 47 gave {in_cell!r} in a cell and {in_script!r} in a "
            "script. Does every way out of your function return something?",
        )
    call = await _call_in_script(given, count(RuntimeError("the disk is full")))
    if call is None or "the disk is full" not in str(call.error):
        raise NotYet(
            "swallows",
            "In a script the coroutine raised `RuntimeError: the disk is full`, and your `except` "
            "took it for the missing loop. Which single line should stand in the `try`?",
        )
    return "Both ways give the result, and both let errors through."


async def _await_it(start, coroutine) -> tuple[bool, object]:
    """Whether a cell has something to await, and what that gives."""
    returned = start(coroutine)
    awaited = inspect.isawaitable(returned)
    return awaited, await returned if awaited else returned


async def _call_in_script(given, coroutine) -> Call | None:
    """A call where no loop is running; None if a plain `def` leaves the awaiting to others."""
    try:
        return await given.call("start", coroutine, where="thread", expect=RuntimeError)
    except NotYet as stop:
        left = stop.diagnosis in ("returned-coroutine", "returned-future")
        if not left or inspect.iscoroutinefunction(given.value("start")):
            raise
        return None


@exercise(
    "1.5",
    title="the log with the wrong number",
    names=("serve",),
    why=(
        "`gather` makes a task of each call, and each task has a copy of the context, so what "
        "it sets reaches nobody else."
    ),
    hints=(
        "When is the context copied: when a coroutine is made, or when it becomes a task?",
        "`asyncio.create_task` copies the context as it is at that moment. What should be set "
        "just before?",
        "Or could a small `async def` set the number first and then `await handle(request)`, in "
        "a task of its own?",
    ),
)
async def serve(given):
    request_id = given.value("request_id")
    requests = ["r-1811", "r-1847", "r-1897"]
    desk, log = LastFirst(requests), {}

    async def handle(request):
        await desk.wait(request)
        log[request] = request_id.get()
        return f"{request} served"

    result = await given.result_of("serve", requests, handle)
    if set(log) != set(requests):
        raise NotYet(
            "not-served",
            f"When it returned, of {requests} only {sorted(log)} had been handled. "
            "Does it wait for every request?",
        )
    if desk.overlap.most == 1:
        raise NotYet(
            "sequential",
            "The numbers are right, but one request waits for another. "
            "Which call makes each request a task of its own?",
        )
    if set(log.values()) == {requests[-1]}:
        raise NotYet(
            "last-number",
            "Every line of the log carries the last number. The coroutines became tasks only "
            "after your loop had ended, and copied what was set then. When must a task be made?",
        )
    if any(log[request] != request for request in requests):
        raise NotYet(
            "too-late",
            f"The log says {log}. A task copies the context when it is made, and later changes "
            "do not reach it. Which comes first, `set` or `create_task`?",
        )
    if list(result or ()) != [f"{request} served" for request in requests]:
        raise NotYet("other-results", f"It returned {result!r}. What does `handle` return?")

    async def fail(request):
        raise Mishap

    await require_told(given, "serve", requests, fail, what="`handle`")
    return "Each request carries its own number, all of them in flight together."


@exercise(
    "1.6",
    title="refresh prices",
    names=("make_refresh",),
    why=(
        "The callback returns at once. The set holds the task that it has started, and "
        "`finally` enables the button on every way out."
    ),
    hints=(
        "A click calls a plain function on the loop. What may it do with a coroutine?",
        "Write an inner `async def` that does the work, and start it as a task. Who keeps the "
        "task, and what happens to the button before and after?",
        "`try`, `except OSError as error`, `finally`: which of the three enables the button?",
    ),
    errors={
        RUNS_A_LOOP: NotYet(
            "runs-a-loop",
            "The click was handled on a running loop, and a thread runs one at a time. "
            "What may a callback start, that goes on after it has returned?",
        ),
    },
)
async def make_refresh(given):
    outcomes = None, OSError("the shop is closed"), LookupError("no such price")
    good, bad, odd = [
        await given.result_of("make_refresh", outcome, driver=_click) for outcome in outcomes
    ]
    if good.coroutine:
        raise NotYet(
            "nobody-awaits",
            "The button calls your `async def`, gets a coroutine, and drops it: ipywidgets awaits "
            "nothing. What can a plain callback do with a coroutine?",
        )
    if not good.fetching:
        raise NotYet("no-fetch", "After a click `fetch` was not called. What starts a coroutine?")
    if not good.disabled:
        raise NotYet(
            "double-click",
            "While the prices are on their way the button can be pressed again. "
            "What should the callback do before it starts the task?",
        )
    if not good.alive:
        raise NotYet(
            "no-reference",
            "The task vanished while it waited for the shop: nothing but the loop referred to it, "
            "and that only weakly. Who could hold on to it?",
        )
    if "Emma 7.20" not in good.shown:
        raise NotYet("not-shown", f"The label reads {good.shown!r}. What did `fetch` return?")
    if "the shop is closed" not in bad.shown:
        raise NotYet(
            "lost-error",
            f"`fetch` raised `OSError: the shop is closed`, and the label reads {bad.shown!r}. "
            "Who tells the person who clicked?",
        )
    if bad.shown != "failed: the shop is closed":
        raise NotYet(
            "other-label",
            f"`fetch` raised `OSError: the shop is closed`, and the label reads {bad.shown!r}. "
            "What does it read in the example on the card?",
        )
    if good.stuck or bad.stuck or odd.stuck:
        raise NotYet(
            "stays-disabled",
            "After a refresh, perhaps one that failed, the button is still disabled. "
            "Which part of a `try` runs on every way out?",
        )
    if good.kept:
        raise NotYet(
            "keeps-for-ever",
            "The prices are shown, and the task that fetched them is still held, as that of every "
            "click will be. Who lets go of a task when it is done?",
        )
    if not odd.told:
        raise NotYet(
            "swallowed",
            "`fetch` raised a `LookupError`, which nobody expects, and it is neither on the label "
            "nor in a log. Which errors are yours to catch, and where do the others go?",
        )
    await require_told_of_no_loop(given, "make_refresh", driver=_click_without_loop)
    return "It starts, shows, fails and recovers without ever blocking the loop."


async def _click(make_refresh, error) -> SimpleNamespace:
    gate = Gate()
    button, label = SimpleNamespace(disabled=False), SimpleNamespace(value="")

    async def fetch():
        await gate.wait()
        if error is not None:
            raise error
        return "Emma 7.20, Dracula 8.90"

    on_click = make_refresh(fetch, label)
    with NewTasks() as tasks:
        returned = on_click(button)
    if inspect.iscoroutine(returned):
        returned.close()
        return SimpleNamespace(coroutine=True)
    del returned
    await turns()
    fact = SimpleNamespace(coroutine=False, fetching=gate.reached == 1, disabled=button.disabled)
    with told_to_the_loop() as told:
        fact.alive = gate.open()
        await turns()
        fact.kept = tasks.kept
    fact.shown, fact.stuck = str(label.value), button.disabled
    fact.told = str(error) in fact.shown or error in told
    return fact


def _click_without_loop(make_refresh) -> None:
    async def fetch():
        return ""

    button, label = SimpleNamespace(disabled=False), SimpleNamespace(value="")
    # Nothing can await the coroutine that the reader's code makes; Python need not say so.
    with warnings.catch_warnings(action="ignore"):
        try:
            make_refresh(fetch, label)(button)
        except RuntimeError as error:
            raise error.with_traceback(None) from None
