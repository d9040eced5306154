"""The checks of lesson 01: concurrency, blocking, background tasks, and the loop that is there."""

import asyncio
import inspect
import threading
import time
import warnings
from contextvars import ContextVar, copy_context
from itertools import permutations
from types import SimpleNamespace
from typing import NamedTuple

from ..exercises.book import NotYet, exercise
from .vocabulary.edges import require_of_nothing, require_unchanged
from .vocabulary.failing import (
    Outage,
    fail,
    fail_in_many_ways,
    require_cancellable,
    require_cancellable_on_thread,
    require_told,
    require_told_of_no_loop,
)
from .vocabulary.loops import LoopWatch, noting_new_loops, require_free_for_one
from .vocabulary.tasks import (
    CROWD,
    Gate,
    LastFirst,
    NewTasks,
    forget_frames,
    gives_up,
    pass_time,
    told_to_the_loop,
    turns,
)
from .vocabulary.threads import OTHER_LOOP, leaves_loop, require_this_loop
from .vocabulary.values import is_rearranged, same, shorten

BRANCHES = ("Whitby", "Bath", "Haworth", "London", "Nantucket")
MANY_BRANCHES = (*[f"{letter}{number}" for letter in "abcdefgh" for number in range(16)], "a0", "-")
"""More than any limit that somebody may set, such as the hundred connections of a client."""
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
        **OTHER_LOOP,
        TimeoutError: gives_up("A branch"),
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
    await _ask_five(given)
    asked = await _ask_many(given)
    await _ask_from_afar(given)
    await require_of_nothing(given, "stock_report", fail, [], what="no branch")

    async def closed(branch):
        if branch == BRANCHES[2]:
            raise Outage
        return branch

    await require_told(given, "stock_report", closed, list(BRANCHES), what="One branch")
    await require_cancellable(given, "stock_report", list(BRANCHES))
    return f"All {asked} questions were out before the first answer came."


async def _ask_five(given) -> None:
    desk = LastFirst(BRANCHES)

    async def ask(branch):
        await desk.wait(branch)
        if desk.answered == 1:
            await pass_time()
        return f"{branch}: {len(branch)} copies"

    branches = list(BRANCHES)
    call = await given.call("stock_report", ask, branches)
    result, expected = call.value, [f"{branch}: {len(branch)} copies" for branch in BRANCHES]
    if isinstance(result, list | tuple | set) and any(map(inspect.isawaitable, result)):
        raise NotYet(
            "tasks-not-answers",
            "It returned what you would wait for, not the answers. Who awaits the tasks?",
        )
    if not is_rearranged(result, expected):
        raise NotYet(
            "other-answers",
            f"It returned {result!r}. Is there one line for each branch, and are they in a list?",
        )
    if desk.overlap.most == 1:
        raise NotYet(
            "sequential",
            "You awaited each answer before you asked the next branch: the lanes would show five "
            "questions one after another. What would start them all before the first `await`?",
        )
    if not same(result, expected):
        raise NotYet(
            "order",
            "Every answer is there, in the order in which they came in. "
            "Which call waits for all and keeps the order of the questions?",
        )
    require_unchanged(branches, list(BRANCHES))
    require_this_loop(call)


async def _ask_many(given) -> int:
    """Ask many branches, one of them listed twice; return how many questions that were."""
    desk = LastFirst(MANY_BRANCHES)

    async def ask(branch):
        await desk.wait(branch)
        return branch[1:]

    result = await given.result_of("stock_report", ask, list(MANY_BRANCHES))
    many, most = len(MANY_BRANCHES), desk.overlap.most
    if not same(result, [branch[1:] for branch in MANY_BRANCHES]):
        returned = f"{len(result)} lines" if isinstance(result, list) else shorten(repr(result))
        raise NotYet(
            "loses-a-line",
            f"Asked about {many} branches, among them one twice and one whose line is empty, it "
            f"returned {returned}. Is there a line for each of them, in their order and whatever "
            "it says?",
        )
    if desk.asked > many:
        raise NotYet(
            "asks-twice",
            f"Of {many} branches {desk.asked} questions were asked. Who asks for a second time?",
        )
    if most < desk.asked:
        raise NotYet(
            "some-wait",
            f"Of {many} questions no more than {most} were out at once: the others waited for an "
            "answer first. Which branch is asked only when another one has answered?",
        )
    return desk.asked


async def _ask_from_afar(given) -> None:
    """Ask branches that answer from a thread, which looks at the loop meanwhile."""
    free = []

    async def ask(branch):
        free.append(await asyncio.to_thread(given.loop_is_free))
        return branch

    await given.result_of("stock_report", ask, list(BRANCHES[:2]))
    if len(free) < 2:
        raise NotYet(
            "old-lines",
            "Asked once more about two branches, it returned lines, and did not ask them. What it "
            "knows from an earlier call may have changed since. How long is a line true?",
        )
    if not all(free):
        raise NotYet(
            "holds-the-loop",
            "While the branches looked for their answers, something was at work on the loop's "
            "thread all the time, and nobody else was served. Which way to wait for tasks leaves "
            "the loop to others?",
        )


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
        "Which function of asyncio runs `make_card` on another thread, and can be awaited?",
        "`asyncio.to_thread` takes the function and its arguments, with a comma between. "
        "Did you call the function yourself?",
    ),
)
async def issue_cards(given):
    names = ["Mina", "Jonathan", "Lucy"]
    desk = _CardMaker(given, names)
    own = list(names)

    def make_card(name):
        return desk.make(name)

    call = await given.call("issue_cards", make_card, own, expect=TypeError)
    if call.error and desk.watch.home:
        raise NotYet(
            "called-too-soon",
            "`make_card(name)`, with brackets, ran at once, on the loop, and only its result "
            "was handed on. What do you hand over if the other thread is to make the call?",
        )
    _require_free_loop(given, desk.watch, call.value)
    if not same(call.value, desk.cards):
        raise NotYet(
            "other-cards",
            f"It returned {call.value!r}. Is there one card for each name, in a list and in the "
            "order of the names?",
        )
    if len(desk.made) > len(names):
        raise NotYet(
            "made-twice",
            f"For {len(names)} names {len(desk.made)} cards were made. Who makes one again?",
        )
    require_unchanged(own, names)
    require_this_loop(call)
    await require_of_nothing(given, "issue_cards", str, [], what="no name")
    await require_free_for_one(given, "issue_cards", "Mina", "`make_card`")
    await _require_odd_cards(given)

    def make_none(name):
        raise Outage

    await require_told(given, "issue_cards", make_none, names, what="`make_card`")
    await require_cancellable_on_thread(given, "issue_cards", names[:2])
    return "No card was made on the loop's thread, and the loop was free while each was made."


class _CardMaker:
    """Makes cards, and looks at the loop meanwhile.

    Args:
        given: whose call is under way.
        names: the names on the cards. The first card is ready only after the last one, if somebody
            makes several at once.
    """

    PATIENCE = 0.05
    """Seconds to wait for somebody who makes another card."""

    def __init__(self, given, names: list[str]):
        self.watch, self.made = LoopWatch(given), []
        self.cards = [f"card of {name}" for name in names]
        self._names = names
        self._others, self._last = threading.Event(), threading.Event()

    def make(self, name: str) -> str:
        self.made.append(name)
        self.watch.look()
        if name != self._names[0]:
            self._others.set()
        elif not self.watch.home and self._others.wait(self.PATIENCE):
            self._last.wait(1)
            time.sleep(self.PATIENCE)  # for somebody who waits a little, and not for the card
        if name == self._names[-1]:
            self._last.set()
        return f"card of {name}"


def _require_free_loop(given, watch: LoopWatch, result: object) -> None:
    source = given.source("issue_cards") or ""
    if watch.home and ("create_task" in source or source.count("async def") > 1):
        raise NotYet(
            "async-def-is-no-thread",
            "The call sits in a coroutine or a task now, but that runs on the loop's own thread, "
            "and blocks it just the same. What takes a call to another thread?",
        )
    if watch.home:
        raise NotYet(
            "blocks",
            "`make_card` ran on the loop's own thread: nobody else was served meanwhile. "
            "Where else could it run?",
        )
    if isinstance(result, list) and any(map(inspect.isawaitable, result)):
        raise NotYet("tasks-not-cards", "It returned what you would wait for. Where is `await`?")
    if watch.held:
        raise NotYet(
            "waits-on-the-loop",
            "The cards were made on other threads, and the loop's own thread stood still until "
            "they were there: it waited without an `await`. Which call sends work to a thread and "
            "can be awaited?",
        )


async def _require_odd_cards(given) -> None:
    """A name that two members have, and a card with nothing on it."""
    names = ["Lucy", "Lucy", ""]
    result = await given.result_of("issue_cards", str, list(names))
    if not same(result, names):
        raise NotYet(
            "loses-a-card",
            f"A `make_card` that makes of each of the names {names!r} a card like it, left "
            f"{result!r}. Is there a card for each name, whatever it looks like?",
        )


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
    call = await given.call("in_background", driver=_post_letters)
    fact = call.value
    if fact.coroutine:
        raise NotYet(
            "nobody-awaits",
            "Your `async def` only made a coroutine, and its caller, a plain function, cannot "
            "await it. What must `in_background` be, so that a plain call is enough?",
        )
    if leaves_loop(call):
        raise NotYet(
            "second-loop",
            "The letters were written on loops of their own, on other threads. What belongs to the "
            "loop that is running here fails there. Which call starts a coroutine on this one?",
        )
    if not fact.started:
        raise NotYet("not-started", "The letter was never begun. What starts a coroutine?")
    if fact.gave_up:
        raise gives_up("A letter")
    if not fact.alive:
        raise NotYet(
            "no-reference",
            "A letter vanished while it waited for the mail server: the loop refers to its tasks "
            "weakly. Who could hold on to every one of them?",
        )
    if fact.handler:
        raise NotYet(
            "takes-the-handler",
            "It put a handler of its own on the loop, which everybody on the loop shares, and "
            "which hears of an error only when its task is gone. What tells you of this one task?",
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
            "Three letters failed, and `problems` is empty. Who looks at a task when it is done?",
        )
    if any(isinstance(problem, str) for problem in fact.problems):
        raise NotYet(
            "text-not-exception",
            f"`problems` holds {fact.problems!r}: texts, which have lost their type and their "
            "traceback. What is there to append before you make a text of it?",
        )
    if not fact.right:
        raise NotYet(
            "other-problems",
            f"`problems` holds {fact.problems!r}. Is there one entry for each letter that failed, "
            "its own exception, in the list that came with it?",
        )
    if fact.kept:
        raise NotYet(
            "keeps-for-ever",
            f"All letters are done, the next one is under way, and {fact.kept} of their tasks are "
            "still held. A server writes letters for months. Who lets go of a task when it is "
            "done?",
        )
    if fact.cancel_noted:
        raise NotYet(
            "cancel-is-no-failure",
            "A letter was cancelled, as it happens when a server stops, and your code made "
            "something else of it: a problem, or a task that ended well. Which exceptions are "
            "failures of a letter, and which one should go on?",
        )
    if fact.tripped:
        raise NotYet(
            "trips-over-cancel",
            "A letter was cancelled, as it happens when a server stops, and your callback raised: "
            "asked for its exception, a cancelled task raises. What can be asked first?",
        )
    await require_told_of_no_loop(given, "in_background", driver=_post_without_loop)
    return "Four letters were under way at once, and all three failures came to light."


async def _post_letters(start) -> SimpleNamespace:
    gate, handler = Gate(), asyncio.get_running_loop().get_exception_handler()
    mail, address, stamp = (
        ConnectionError("no mail server"),
        LookupError("no such address"),
        ValueError("no stamp"),
    )

    gave_up = []

    async def letter(error=None):
        try:
            await gate.wait()
        except asyncio.CancelledError:
            gave_up.append(error)
            raise
        if error is not None:
            raise error

    async def torn():
        raise stamp

    earlier = LookupError(*address.args)  # last week's letter went the same way
    ours, theirs = [], [earlier]
    letters = [(letter(mail), ours), (letter(), ours), (letter(address), theirs), (torn(), theirs)]
    with NewTasks() as tasks:
        returned = [start(each, problems) for each, problems in letters]
    fact = SimpleNamespace(coroutine=inspect.iscoroutine(returned[0]))
    for coroutine in filter(inspect.iscoroutine, returned):
        coroutine.close()
    # Else what waits would be kept alive by this very function.
    del returned, letters
    await turns()
    await pass_time()
    await _all_begun(gate)
    fact.started, fact.gave_up = gate.reached == 3, bool(gave_up)
    fact.alive = gate.open()
    await turns()
    forget_frames([mail, address, stamp])
    fact.handler = asyncio.get_running_loop().get_exception_handler() is not handler
    fact.problems = [problem for problem in ours + theirs if problem is not earlier]
    right = mail, earlier, stamp, address
    fact.right = [*map(id, ours + theirs)] == [*map(id, right)]
    await _cancel_letter(start, letter(), fact)
    fact.kept = tasks.kept
    return fact


async def _all_begun(gate: Gate) -> None:
    """Wait for the letters, which another thread may begin, for a second at the most."""
    for _ in range(100):
        if gate.reached == 3:
            return
        await asyncio.sleep(0.01)


def _post_without_loop(start) -> None:
    async def letter():
        pass

    coroutine = letter()
    # Nothing can await what the reader's code makes of it; Python need not say so.
    with warnings.catch_warnings(action="ignore"):
        try:
            start(coroutine, [])
        except RuntimeError as error:
            raise error.with_traceback(None) from None
        finally:
            coroutine.close()


async def _cancel_letter(start, coroutine, fact: SimpleNamespace) -> None:
    """Cancel a letter while it waits; note what came of that."""
    problems = []
    with told_to_the_loop() as told:
        with NewTasks() as tasks:
            start(coroutine, problems)
        await turns()
        done = tasks.cancel()
        await turns()
    fact.tripped = bool(told)
    fact.cancel_noted = bool(problems) or not all(task.cancelled() for task in done)


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
    call = await given.call("start", driver=_in_cell, expect=RuntimeError)
    if call.error:
        raise NotYet(
            "always-runs",
            "Called from a cell, it tried to run a loop while one is running. "
            "What could it return there, for the cell to `await`?",
        )
    in_cell = call.value
    if isinstance(in_cell, type):
        raise NotYet(
            "not-awaitable",
            f"Called from a cell, it came back at once, with an object of type {in_cell.__name__}, "
            "and `await` refuses that. Which function of asyncio gives one that it takes?",
        )
    if in_cell is None:
        raise NotYet(
            "blocks-the-loop",
            "Called from a cell, it came back only when all was done, and blocked the loop until "
            "then. What could it return at once, for the cell to `await`?",
        )
    with noting_new_loops() as loops:
        in_script = await given.result_of("start", driver=_in_script, where="thread")
    if in_script is None:
        raise NotYet(
            "nobody-runs-it",
            "Called from a script, it gave back something to await, and nobody can await it "
            "there. Who has to start a loop there?",
        )
    if isinstance(in_script[0].what, RuntimeError):
        raise NotYet(
            "always-a-task",
            "Called where no loop is running, on a thread such as a script has, it wanted a "
            "running one. What tells your code that there is none, and who has to start one there?",
        )
    if any(isinstance(end.what, TimeoutError) for end in (*in_cell, *in_script)):
        raise gives_up("A coroutine")
    for wanted, *got in zip(_ends(), in_cell, in_script[:-1], strict=True):
        _require_end(wanted, *got)
    _require_end(_INTERRUPTED, _INTERRUPTED, in_script[-1])
    require_this_loop(call)
    _require_closed(loops)
    await _require_started_in_callback(given)
    return "Both ways give the result, and both let errors through."


async def _require_started_in_callback(given) -> None:
    """Call it where a loop is running, and no task: in a callback, such as a button's."""
    call = await given.call("start", driver=_in_callback, expect=RuntimeError)
    if call.error is not None or not same(call.value, 47):
        raise NotYet(
            "asks-for-a-task",
            "Called from a callback, as a button's is, where a loop is running and no task, it "
            "gave nothing to await. Which question asks for the loop itself?",
        )


async def _in_callback(start) -> object:
    loop = asyncio.get_running_loop()
    returned = loop.create_future()
    coroutine = _ending(_ends()[0], [])

    def call_back():
        try:
            returned.set_result(start(coroutine))
        except RuntimeError as error:
            coroutine.close()
            returned.set_exception(error)

    loop.call_soon(call_back)
    started = await returned
    return await started if inspect.isawaitable(started) else None


def _require_closed(loops: list[asyncio.AbstractEventLoop]) -> None:
    left = [loop for loop in loops if not loop.is_closed()]
    for loop in left:
        loop.close()
    if left:
        raise NotYet(
            "leaves-a-loop",
            f"Called from a script {len(loops)} times, it made {len(loops)} loops, and left "
            f"{len(left)} of them open, each with its sockets and whatever still runs on it. "
            "Which function of asyncio makes a loop, runs a coroutine on it, and closes it?",
        )


class _End(NamedTuple):
    """How a call ends, or what it gives back to await: `how` is "returned" or "raised"."""

    how: str
    what: object

    def is_like(self, wanted: "_End") -> bool:
        if self.how != wanted.how:
            return False
        if wanted.how == "returned":
            return same(self.what, wanted.what)
        # A task makes a new `CancelledError`, which has lost its text.
        known = wanted.what if isinstance(wanted.what, Exception) else ""
        return type(self.what) is type(wanted.what) and str(known) in str(self.what)


def _ends() -> list[_End]:
    """How the coroutines end, one after another."""
    errors = RuntimeError("the disk is full"), LookupError("no such book"), asyncio.CancelledError()
    return [
        *[_End("returned", each) for each in (47, 0, None)],
        *[_End("raised", e) for e in errors],
    ]


_INTERRUPTED = _End("raised", KeyboardInterrupt())
"""How it ends for a script that is stopped with Ctrl+C; for a cell, Jupyter sees to that."""


def _require_end(wanted: _End, in_cell: _End, in_script: _End) -> None:
    if wanted.how == "returned" and not (in_cell.is_like(wanted) and in_script.is_like(wanted)):
        raise NotYet(
            "lost-result",
            f"A coroutine that returns {wanted.what!r} gave {in_cell.what!r} in a cell and "
            f"{in_script.what!r} in a script. Does every way out of your function return "
            "something?",
        )
    only_in_script = in_cell.is_like(wanted) and not in_script.is_like(wanted)
    if isinstance(wanted.what, RuntimeError) and only_in_script:
        raise NotYet(
            "swallows",
            f"In a script the coroutine raised `RuntimeError: the disk is full`, and your function "
            f"{in_script.how} `{in_script.what!r}`: an `except` of yours caught it. Which single "
            "line should stand in a `try`?",
        )
    for place, got in ("a cell", in_cell), ("a script", in_script):
        if not got.is_like(wanted):
            raise NotYet(
                "other-end",
                f"In {place} the coroutine raised `{wanted.what!r}`, and your function {got.how} "
                f"`{got.what!r}`. Who is waiting for that exception?",
            )


async def _in_cell(start) -> list[_End] | type | None:
    """How each coroutine ends for a cell that awaits it.

    None if it has ended before `start` returns, the type of what is returned if none can await it.
    """
    ended, ends = [], []
    for end in _ends():
        returned = start(_ending(end, ended))
        if not ended and returned is not None and not inspect.isawaitable(returned):
            await turns()
            return type(returned)
        if ended or returned is None:
            return None
        try:
            ends.append(_End("returned", await returned))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is looked at
            ends.append(_End("raised", error))
        ended.clear()
    return ends


def _in_script(start) -> list[_End] | None:
    """How each coroutine ends where no loop is running; None if the first is given back."""
    ends = []
    for end in (*_ends(), _INTERRUPTED):
        coroutine = _ending(end, [])
        try:
            ends.append(_End("returned", start(coroutine)))
        except (Exception, asyncio.CancelledError, KeyboardInterrupt) as error:  # noqa: BLE001 - it is looked at
            ends.append(_End("raised", error))
        finally:
            coroutine.close()
        if inspect.iscoroutine(ends[-1].what):
            ends[-1].what.close()
        if inspect.isawaitable(ends[0].what):
            return None
    return ends


async def _ending(end: _End, ended: list) -> object:
    """A coroutine that ends like that, and notes it."""
    await pass_time()
    ended.append(end)
    if end.how == "raised":
        raise end.what
    return end.what


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
    errors={**OTHER_LOOP, TimeoutError: gives_up("A request")},
)
async def serve(given):
    _language.set("cy")
    await _serve_three(given)
    await _serve_many(given)
    await _serve_one(given)
    await require_of_nothing(given, "serve", [], fail, what="no request")
    numbers = ["r-1811", "r-1847"]
    await require_told(given, "serve", list(numbers), fail_in_many_ways, what="`handle`")
    await require_cancellable(given, "serve", numbers, last=True)
    return "Each request carried its own number, and all of them were in flight together."


_language = ContextVar("language", default="-")
_first_here = ContextVar("first_here", default=None)


async def _serve_three(given) -> None:
    request_id = given.value("request_id")
    requests = ["r-1811", "r-1847", "r-1897"]
    desk, log, shared, languages, elsewhere = LastFirst(requests), {}, [], set(), set()

    async def handle(request):
        elsewhere.update(var for var, value in copy_context().items() if value is request)
        if _first_here.get() is None:
            _first_here.set(request)
        else:
            shared.append(request)
        await desk.wait(request)
        if desk.answered == 1:
            await pass_time()
        log[request] = request_id.get()
        languages.add(_language.get())
        return f"{request} served"

    own = list(requests)
    call = await given.call("serve", own, handle)
    if set(log) != set(requests):
        raise NotYet(
            "not-served",
            f"When it returned, of {requests} only {sorted(log)} had been handled. "
            "Does it wait for every request?",
        )
    if desk.overlap.most == 1:
        raise NotYet(
            "sequential",
            "One request waits for another: while the first was handled, no other one had begun. "
            "Is each a task of its own, and what does the second one wait for?",
        )
    if any(log[request] != request for request in requests):
        raise _wrong_number(log, requests, shared, elsewhere - {request_id, _first_here})
    if not same(call.value, [f"{request} served" for request in requests]):
        raise NotYet(
            "other-results",
            f"It returned {call.value!r}. What does `handle` return, and in which order were the "
            "requests given?",
        )
    if languages != {"cy"}:
        raise NotYet(
            "empty-context",
            "The numbers are right, and every other context variable is gone: the language that "
            "was set before, say. A new `Context()` is empty. What makes a copy of this one?",
        )
    require_unchanged(own, requests)
    require_this_loop(call)


def _wrong_number(log: dict, requests: list[str], shared: list[str], elsewhere: set) -> NotYet:
    if shared:
        return NotYet(
            "shared-context",
            f"The log says {log}. All requests were handled in one and the same context, so each "
            "number took the place of the one before. Who makes a copy for each of them?",
        )
    if set(log.values()) == {requests[-1]}:
        return NotYet(
            "last-number",
            "Every line of the log carries the last number. The coroutines became tasks only "
            "after your loop had ended, and copied what was set then. When must a task be made?",
        )
    if elsewhere:
        return NotYet(
            "other-variable",
            f"The log says {log}. Each number was set in a context variable of your own, and the "
            "log reads another one: its name says nothing to it. Which object does the log ask?",
        )
    if set(log.values()) <= {"-", *requests}:
        return NotYet(
            "too-late",
            f"The log says {log}: where `handle` reads it, `request_id` was not set yet, not any "
            "more, or in another context. A task copies the context in which it is made, and later "
            "changes do not reach it. Where is the number set, and where is the task made?",
        )
    return NotYet(
        "other-number",
        f"The log says {log}. Which value does your code set for each request?",
    )


async def _serve_many(given) -> None:
    requests = [f"r-{number}" for number in (*range(CROWD), 7)]
    desk, twice = LastFirst(requests), []

    async def handle(request):
        await desk.wait(request)
        if request != requests[-1]:
            return None
        twice.append(f"{request}, answer {len(twice) + 1}")
        return twice[-1]

    result = await given.result_of("serve", list(requests), handle)
    pairs = permutations(twice) if len(twice) == 2 else ()
    between = [None] * (CROWD - 8)
    right = [[None] * 7 + [first] + between + [last] for first, last in pairs]
    if desk.answered != len(requests) or not any(same(result, each) for each in right):
        raise NotYet(
            "loses-a-request",
            f"Given {len(requests)} requests, two of them with the same number, it returned "
            f"{shorten(repr(result))}, and {desk.answered} were handled to their end. Is each of "
            "them handled once, and waited for, whatever `handle` returns?",
        )
    if desk.overlap.most < len(requests):
        raise NotYet(
            "some-wait",
            f"Of {len(requests)} requests no more than {desk.overlap.most} were in flight at once. "
            "Which one waits for another to end?",
        )


async def _serve_one(given) -> None:
    """A single request, where the caller has a number already: that of another request."""
    request_id = given.value("request_id")
    logged, in_task = await given.result_of("serve", request_id, driver=_serve_below)
    if logged != "r-1811":
        raise NotYet(
            "callers-number",
            "`serve` was called in a task that had a number already, 'r-1790', and the log of "
            f"'r-1811' says {logged!r}. Whose number does a request carry, whoever calls?",
        )
    if not in_task:
        raise NotYet(
            "callers-task",
            "Given a single request, `handle` ran in the task of its caller, which carries that "
            "number from then on. What is each request handled in?",
        )


async def _serve_below(serve, request_id: ContextVar) -> tuple[str, bool]:
    """What the log says of a request, and whether it was handled in a task of its own."""
    seen, caller = [], asyncio.current_task()

    async def handle(request):
        seen.append((request_id.get(), asyncio.current_task() is not caller))

    request_id.set("r-1790")
    await serve(["r-1811"], handle)
    return seen[0]


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
    outcomes = (
        ("Emma 7.20, Dracula 8.90", " Emma 7.50", ""),
        (OSError("the shop is closed"), ConnectionError("the shop has moved"), OSError()),
        (LookupError("no such price"),) * 3,
    )
    good, bad, odd = [
        await given.result_of("make_refresh", each, driver=_click) for each in outcomes
    ]
    if not good.callback:
        raise NotYet(
            "no-callback",
            "What `make_refresh` returned is nothing that a click can call. What does a plain "
            "function return, that the button is to call later?",
        )
    if good.coroutine:
        raise NotYet(
            "nobody-awaits",
            "The button calls your `async def`, gets a coroutine, and drops it: ipywidgets awaits "
            "nothing. What can a plain callback do with a coroutine?",
        )
    if good.early:
        raise NotYet(
            "fetches-too-soon",
            "`fetch` was called when the callback was made, before any click. A coroutine can be "
            "awaited once. Where does every click get a new one?",
        )
    if not good.fetching:
        raise NotYet("no-fetch", "After a click `fetch` was not called. What starts a coroutine?")
    if good.gave_up:
        raise gives_up("The shop")
    # A task that vanishes may enable its button on the way.
    if not good.disabled or (good.alive and not good.disabled_meanwhile):
        raise NotYet(
            "double-click",
            "The button could be pressed again when the callback had returned, or while the prices "
            "were on their way. A task begins later than the callback ends. What belongs before "
            "the task, and what behind the prices?",
        )
    if not good.alive:
        raise NotYet(
            "no-reference",
            "Of two refreshes at once, each with a button of its own, a task vanished while it "
            "waited for the shop: nothing but the loop referred to it, and that only weakly. Who "
            "could hold on to each of them?",
        )
    if outcomes[0][0] not in good.shown[0]:
        raise NotYet("not-shown", f"The label reads {good.shown[0]!r}. What did `fetch` return?")
    if not good.again or not bad.again:
        raise NotYet(
            "only-once",
            "The first click fetches, and the next one, when the button is enabled again, does "
            "not. What is left over from the first?",
        )
    if good.shown != list(outcomes[0]):
        raise NotYet(
            "other-line",
            f"`fetch` returned {list(outcomes[0])!r}, one click after another, and the label read "
            f"{good.shown!r}. What should it show of each?",
        )
    if not all(str(error) in shown for error, shown in zip(outcomes[1], bad.shown, strict=True)):
        raise NotYet(
            "lost-error",
            f"`fetch` raised `{outcomes[1][0]!r}`, then `{outcomes[1][1]!r}`, and the label read "
            f"{bad.shown[:2]!r}. Who tells the person who clicked what went wrong this time?",
        )
    if bad.shown != [f"failed: {error}" for error in outcomes[1]]:
        raise NotYet(
            "other-label",
            f"`fetch` raised {list(outcomes[1])!r}, one click after another, and the label read "
            f"{bad.shown!r}. What does it read in the example on the card?",
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
            "The prices are shown, and the task that fetched them is still held. Who lets go of a "
            "task when it is done?",
        )
    if not odd.told:
        raise NotYet(
            "swallowed",
            "`fetch` raised a `LookupError`, which nobody expects, and it is neither on the label "
            "nor in a log. Which errors are yours to catch, and where do the others go?",
        )
    await _require_two_buttons(given)
    await _require_refresh_cancelled(given)
    await require_told_of_no_loop(given, "make_refresh", driver=_click_without_loop)
    return (
        "Every callback was back before its prices were there, and so was every button after them."
    )


class _Button:
    """A widget, as far as an answer knows one. Unlike a SimpleNamespace it may be a dict's key."""

    disabled = False


async def _click(make_refresh, outcomes) -> SimpleNamespace:
    """Click, and click another button meanwhile; then click the first one twice more."""
    gate, calls = Gate(), []
    button, label = _Button(), SimpleNamespace(value="")
    fact = SimpleNamespace(coroutine=False, shown=[])

    gave_up = []

    async def wait_for_shop(outcome):
        try:
            await gate.wait()
        except asyncio.CancelledError:
            gave_up.append(outcome)
            raise
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def fetch():
        calls.append(outcomes[min(len(calls), 2)])
        return wait_for_shop(calls[-1])

    on_click = make_refresh(fetch, label)
    fact.early, fact.callback = bool(calls), callable(on_click)
    if not fact.callback:
        _drop(on_click)
        return fact
    with told_to_the_loop() as told:
        with NewTasks() as tasks:
            fact.coroutine = _drop(on_click(button))
            fact.disabled = button.disabled
            fact.elsewhere = _click_elsewhere(make_refresh, gate)
        if fact.coroutine:
            return fact
        await turns()
        await pass_time()
        fact.disabled_meanwhile, fact.gave_up = button.disabled, bool(gave_up)
        fact.fetching = gate.reached == 2
        fact.alive = gate.open()
        await turns()
        fact.kept, fact.stuck = tasks.kept, button.disabled
        fact.shown.append(str(label.value))
        for clicks in (2, 3):
            on_click(button)
            await turns()
            fact.again = len(calls) == clicks
            gate.open()
            await turns()
            fact.shown.append(str(label.value))
        forget_frames(outcomes)
    fact.told = all(str(each) in "".join(fact.shown) or each in told for each in outcomes)
    return fact


def _click_elsewhere(make_refresh, gate: Gate) -> object:
    """A click on somebody else's button, which holds its callback, but no task."""

    async def fetch():
        await gate.wait()
        return ""

    button, label = _Button(), SimpleNamespace(value="")
    button.on_click = make_refresh(fetch, label)
    _drop(button.on_click(button))
    return button


def _drop(returned: object) -> bool:
    """Whether a callback gave its caller a coroutine, which nobody is going to await."""
    if inspect.iscoroutine(returned):
        returned.close()
        return True
    return False


async def _require_two_buttons(given) -> None:
    """Click two buttons that share a callback; the first one's prices come first."""
    fact = await given.result_of("make_refresh", driver=_click_two)
    if not (fact.fetching and fact.disabled):
        raise NotYet(
            "one-at-a-time",
            "One callback stands behind two buttons. While the first one's prices were on their "
            "way, the second one was clicked, and it was not disabled, or nothing was fetched for "
            "it. Which clicks does your callback not answer?",
        )
    if not fact.alive:
        raise NotYet(
            "no-reference",
            "One callback stands behind two buttons. When one refresh was over, or the other one "
            "began, the task of the other was let go or cancelled while it waited. Which task does "
            "each of them end?",
        )
    if fact.stuck or fact.shown != ["Emma 7.20", "Emma 7.50"]:
        raise NotYet(
            "other-button",
            "One callback stands behind two buttons. Both were clicked, the prices came, and the "
            f"label read {fact.shown!r}; enabled again were {2 - fact.stuck} of the two. Which "
            "button does each refresh belong to?",
        )


async def _click_two(make_refresh) -> SimpleNamespace:
    gates, lines, shown = [Gate(), Gate()], ["Emma 7.20", "Emma 7.50"], []
    buttons = [_Button() for _ in gates]
    label, calls, gave_up = SimpleNamespace(value=""), [], []

    async def fetch():
        calls.append(None)
        number = len(calls) - 1
        try:
            await gates[number].wait()
        except asyncio.CancelledError:
            gave_up.append(number)
            raise
        return lines[number]

    fact, on_click = SimpleNamespace(shown=shown), make_refresh(fetch, label)
    for button in buttons:
        on_click(button)
        await turns()
    fact.fetching = [gate.reached for gate in gates] == [1, 1]
    fact.disabled = buttons[1].disabled
    alive = []
    for gate in gates:
        alive.append(gate.open())
        await turns()
        shown.append(str(label.value))
    fact.alive = all(alive) and not gave_up
    fact.stuck = sum(button.disabled for button in buttons)
    return fact


async def _require_refresh_cancelled(given) -> None:
    cancelled, disabled, shown = await given.result_of("make_refresh", driver=_cancel_refresh)
    if disabled:
        raise NotYet(
            "stays-disabled",
            "A refresh was cancelled while it waited for the shop, and the button is still "
            "disabled. Which part of a `try` runs on every way out?",
        )
    if shown or not cancelled:
        raise NotYet(
            "cancel-is-no-failure",
            "A refresh was cancelled while it waited for the shop, and your code made something "
            f"else of it: the label reads {shown!r}, and its task ended as "
            f"{'cancelled' if cancelled else 'if all were well'}. Which exceptions tell of the "
            "shop, and which one should go on?",
        )


async def _cancel_refresh(make_refresh) -> tuple[bool, bool, str]:
    """Whether its tasks end as cancelled, whether the button is disabled then, and the label."""
    gate = Gate()
    button, label = _Button(), SimpleNamespace(value="")
    on_click = make_refresh(gate.wait, label)
    with NewTasks() as tasks:
        on_click(button)
    await turns()
    done = tasks.cancel()
    await turns()
    return all(task.cancelled() for task in done), button.disabled, str(label.value)


def _click_without_loop(make_refresh) -> None:
    async def fetch():
        return ""

    button, label = _Button(), SimpleNamespace(value="")
    # Nothing can await the coroutine that the reader's code makes; Python need not say so.
    with warnings.catch_warnings(action="ignore"):
        try:
            make_refresh(fetch, label)(button)
        except RuntimeError as error:
            raise error.with_traceback(None) from None
