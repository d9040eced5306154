"""What asgiref and asyncio promise, with and without taps: the recorder must not change any of it.

Every scenario says what it observed. It runs plainly, then recorded from outside of its loop, then
recorded from inside, and all three must be what is expected.
"""

import asyncio
import contextvars
import functools
import inspect
import sys
import threading
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref import sync
from asgiref.local import Local
from asgiref.sync import (
    SyncToAsync,
    ThreadSensitiveContext,
    async_to_sync,
    iscoroutinefunction,
    markcoroutinefunction,
    sync_to_async,
)

from asynclab.recorder import taps

SCENARIOS = []
TIMEOUT = 20  # seconds, for what would otherwise hang


def observed(expected, when=True):
    """Register a scenario, a plain or an async function, with what it must observe."""

    def register(scenario):
        if when:
            SCENARIOS.append(pytest.param(scenario, expected, id=scenario.__name__))
        return scenario

    return register


def plainly(scenario):
    return asyncio.run(scenario()) if inspect.iscoroutinefunction(scenario) else scenario()


def recorded_outside(scenario):
    with taps.recording() as recording:
        outcome = plainly(scenario)
    assert recording.events
    return outcome


def recorded_inside(scenario):
    if not inspect.iscoroutinefunction(scenario):
        return recorded_outside(scenario)

    @functools.wraps(scenario)
    async def block():
        with taps.recording() as recording:
            outcome = await scenario()
        assert recording.events
        return outcome

    return plainly(block)


@pytest.mark.parametrize("run", [plainly, recorded_outside, recorded_inside])
@pytest.mark.parametrize(("scenario", "expected"), SCENARIOS)
def test_behaviour(scenario, expected, run):
    # A context of its own: what a scenario sets must not reach the next.
    assert contextvars.Context().run(run, scenario) == expected
    assert not taps.active()


def where():
    """The thread that runs this: what it is, not which."""
    thread = threading.current_thread()
    if thread is threading.main_thread():
        return "main thread"
    pool = thread.name.rpartition("_")[0]
    if pool == SyncToAsync.single_thread_executor._thread_name_prefix:
        return "shared worker"
    return {"asyncio": "default pool"}.get(pool, "another thread")


async def where_async():
    return where()


def message(error):
    return type(error).__name__, str(error)


# Which thread


@observed("shared worker")
async def sync_to_async_works_on_the_shared_worker():
    return await sync_to_async(where)()


@observed("default pool")
async def thread_sensitive_false_works_in_the_default_pool():
    return await sync_to_async(where, thread_sensitive=False)()


@observed((True, "mine"))
async def an_executor_of_ones_own_is_used():
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
        in_mine = sync_to_async(threading.current_thread, thread_sensitive=False, executor=pool)
        first, second = await in_mine(), await in_mine()
        return first is second, first.name.rpartition("_")[0]


@observed(("TypeError", "executor must not be set when thread_sensitive is True"))
async def an_executor_does_not_go_with_thread_sensitive():
    with ThreadPoolExecutor(1) as pool:
        try:
            sync_to_async(where, executor=pool)
        except TypeError as error:
            return message(error)


@observed(("another thread", "main thread"))
def without_a_loop_async_code_moves_and_sync_code_stays():
    async def inner():
        return where(), await sync_to_async(where)()

    return async_to_sync(inner)()


@observed(("main thread", "shared worker", "main thread", "shared worker"))
async def nested_three_deep_each_side_keeps_its_thread():
    async def deepest():
        return where(), await sync_to_async(where)()

    def middle():
        return where(), *async_to_sync(deepest)()

    async def outer():
        return where(), *await sync_to_async(middle)()

    return await outer()


@observed("main thread")
def a_task_made_below_async_to_sync_still_finds_the_caller():
    async def inner():
        return await asyncio.create_task(sync_to_async(where)())

    return async_to_sync(inner)()


@observed((True, False, True))
async def a_thread_sensitive_context_has_a_thread_of_its_own():
    async def two_idents():
        async with ThreadSensitiveContext():
            get = sync_to_async(threading.current_thread)
            return await get(), await get()

    (a, same), (b, _) = await two_idents(), await two_idents()
    shared = await sync_to_async(where)()
    return a is same, a is b, shared == "shared worker"


@observed(True)
async def the_outermost_thread_sensitive_context_counts():
    get = sync_to_async(threading.current_thread)
    async with ThreadSensitiveContext():
        outer = await get()
        async with ThreadSensitiveContext():
            return outer is await get()


@observed(2)
async def two_contexts_work_in_parallel():
    together = threading.Barrier(2, timeout=TIMEOUT)

    async def branch():
        async with ThreadSensitiveContext():
            await sync_to_async(together.wait)()
            return 1

    return sum(await asyncio.gather(branch(), branch()))


@observed((True, False), when=hasattr(sync, "AsyncSingleThreadContext"))
def an_async_single_thread_context_keeps_one_loop_thread():
    async def ident():
        return threading.current_thread()

    with sync.AsyncSingleThreadContext():
        one, two = async_to_sync(ident)(), async_to_sync(ident)()
    return one is two, one is threading.main_thread()


@observed("main thread")
async def from_the_shared_worker_async_code_goes_home():
    return await sync_to_async(async_to_sync(where_async))()


@observed("another thread")
async def force_new_loop_does_not_go_home():
    return await sync_to_async(async_to_sync(where_async, force_new_loop=True))()


# In what order


@observed([0, 1, 2, 3, 4])
async def gathered_calls_queue_in_order():
    seen = []
    await asyncio.gather(*(sync_to_async(seen.append)(number) for number in range(5)))
    return seen


@observed(["call", "loop", "work", "result"])
async def the_loop_goes_on_while_the_worker_works():
    seen, release = ["call"], threading.Event()

    def slow():
        release.wait(TIMEOUT)
        seen.append("work")

    async def meanwhile():
        seen.append("loop")
        release.set()

    await asyncio.gather(sync_to_async(slow)(), meanwhile())
    return [*seen, "result"]


@observed(["a", "b", "a", "b", "a", "b"])
async def tasks_take_turns():
    seen = []

    async def turns(name):
        for _ in range(3):
            seen.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(turns("a"), turns("b"))
    return seen


@observed(["soon", "task", "done"])
async def callbacks_and_steps_keep_their_order():
    seen = []

    async def task():
        seen.append("task")

    asyncio.get_running_loop().call_soon(seen.append, "soon")
    running = asyncio.create_task(task())
    running.add_done_callback(lambda _: seen.append("done"))
    await running
    await asyncio.sleep(0)
    return seen


# Context


@observed(("outer", "inner"))
async def contextvars_go_into_sync_code_and_come_back():
    var = contextvars.ContextVar("var")

    def change():
        before = var.get()
        var.set("inner")
        return before

    var.set("outer")
    return await sync_to_async(change)(), var.get()


@observed(("outer", "inner"))
def contextvars_go_into_async_code_and_come_back():
    var = contextvars.ContextVar("var")

    async def change():
        before = var.get()
        var.set("inner")
        return before

    var.set("outer")
    return async_to_sync(change)(), var.get()


@observed(("inner", "outer"), when="context" in inspect.signature(SyncToAsync).parameters)
async def a_context_of_ones_own_keeps_the_change():
    var = contextvars.ContextVar("var")
    var.set("outer")
    own = contextvars.copy_context()
    await sync_to_async(var.set, context=own)("inner")
    return own[var], var.get()


@observed(("outer", "outer", "chosen"))
async def a_task_changes_a_copy_of_the_context():
    var = contextvars.ContextVar("var")
    var.set("outer")

    async def change(value):
        before = var.get()
        var.set(value)
        return before

    chosen = contextvars.copy_context()
    before = await asyncio.create_task(change("chosen"), context=chosen)
    return before, var.get(), chosen[var]


@observed(("set", "changed", None))
async def a_local_crosses_the_boundary_and_a_threading_local_does_not():
    ours, python = Local(), threading.local()
    ours.value = python.value = "set"

    def change():
        before = ours.value
        ours.value = "changed"
        return before, getattr(python, "value", None)

    before, other = await sync_to_async(change)()
    return before, ours.value, other


@observed((False, True))
async def a_thread_critical_local_does_not_cross():
    local = Local(thread_critical=True)
    local.value = "set"
    return await sync_to_async(hasattr)(local, "value"), hasattr(local, "value")


# Exceptions


class Refused(Exception):
    pass


def refuse():
    raise Refused("no", 42)


async def refuse_async():
    raise Refused("no", 42)


def frames(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@observed((("no", 42), True, None, None))
async def an_exception_comes_back_as_it_was():
    try:
        await sync_to_async(refuse)()
    except Refused as error:
        return error.args, frames(error)[-1] == "refuse", error.__cause__, error.__context__


def frames_of_asgiref():
    """The frames between a caller and a failing function, met once, before any tap."""

    async def met():
        try:
            await sync_to_async(refuse)()
        except Refused as error:
            return frames(error)[1:]

    assert not taps.active()
    return asyncio.run(met())


@observed(frames_of_asgiref())
async def a_traceback_has_the_same_frames():
    try:
        await sync_to_async(refuse)()
    except Refused as error:
        return frames(error)[1:]


@observed((("no", 42), "refuse_async"))
def an_exception_comes_out_of_async_to_sync():
    try:
        async_to_sync(refuse_async)()
    except Refused as error:
        return error.args, frames(error)[-1]


@observed(("KeyError", "ValueError", "Refused"))
async def cause_and_context_are_kept():
    def chain():
        try:
            {}["missing"]
        except KeyError as missing:
            try:
                raise ValueError from missing
            except ValueError:
                refuse()

    try:
        await sync_to_async(chain)()
    except Refused as error:
        context = error.__context__
        return type(context.__cause__).__name__, type(context).__name__, type(error).__name__


@observed(("Refused", None))
async def sys_exc_info_is_that_of_the_caller():
    def current():
        return sys.exc_info()[0]

    try:
        refuse()
    except Refused:
        inside = await sync_to_async(current)()
    return inside.__name__, await sync_to_async(current)()


@observed(("Refused", 42))
def async_to_sync_in_an_except_block_sees_the_exception():
    async def current():
        return sys.exc_info()[0].__name__, 42

    try:
        refuse()
    except Refused:
        return async_to_sync(current)()


@observed(
    (
        "RuntimeError",
        "You cannot use AsyncToSync in the same thread as an async event loop - "
        "just await the async function directly.",
    )
)
async def async_to_sync_refuses_under_a_running_loop():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            async_to_sync(where_async)()
    except RuntimeError as error:
        return message(error)


@observed(("RuntimeError", "Single thread executor already being used, would deadlock"))
async def the_deadlock_guard_speaks():
    def a_loop_of_its_own():
        return asyncio.run(sync_to_async(where)())

    try:
        await sync_to_async(a_loop_of_its_own)()
    except RuntimeError as error:
        return message(error)


@observed("shared worker")
async def the_deadlock_guard_is_reset_by_an_exception():
    with pytest.raises(Refused):
        await sync_to_async(refuse)()
    return await sync_to_async(where)()


@observed(["TypeError"] * 3)
async def sync_to_async_takes_sync_functions_only():
    class Callable:
        async def __call__(self):
            pass

    errors = []
    for wrong in (1, where_async, Callable()):
        try:
            sync_to_async(wrong)
        except TypeError as error:
            errors.append(type(error).__name__)
    return errors


# Cancellation


@observed(("TimeoutError", True))
async def wait_for_gives_up_and_the_thread_runs_on():
    started, release, finished = threading.Event(), threading.Event(), threading.Event()

    def slow():
        started.set()
        release.wait(TIMEOUT)
        finished.set()

    try:
        await asyncio.wait_for(sync_to_async(slow, thread_sensitive=False)(), 0.01)
    except TimeoutError as error:
        name = type(error).__name__
    release.set()
    return name, await asyncio.to_thread(finished.wait, TIMEOUT)


@observed(("CancelledError", True))
async def a_cancelled_await_leaves_the_work_to_its_end():
    started, release, finished = threading.Event(), threading.Event(), threading.Event()

    def slow():
        started.set()
        release.wait(TIMEOUT)
        finished.set()

    task = asyncio.create_task(sync_to_async(slow)())
    await asyncio.to_thread(started.wait, TIMEOUT)
    task.cancel()
    [error] = await asyncio.gather(task, return_exceptions=True)
    release.set()
    return type(error).__name__, await asyncio.to_thread(finished.wait, TIMEOUT)


@observed((["cancelled"], "CancelledError"))
async def cancellation_reaches_async_code_below_sync_code():
    seen, inside = [], asyncio.Event()

    async def inner():
        inside.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.create_task(sync_to_async(async_to_sync(inner))())
    await inside.wait()
    task.cancel()
    [error] = await asyncio.gather(task, return_exceptions=True)
    return seen, type(error).__name__


@observed("finished")
async def a_shielded_task_below_survives_a_cancelled_request():
    inside, go_on, inner_tasks = asyncio.Event(), asyncio.Event(), []

    async def important():
        inside.set()
        await go_on.wait()
        return "finished"

    async def view():
        inner_tasks.append(asyncio.ensure_future(important()))
        await asyncio.shield(inner_tasks[0])

    request = asyncio.create_task(sync_to_async(async_to_sync(view))())
    await inside.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    go_on.set()
    return await inner_tasks[0]


@observed("nothing ran")
async def work_cancelled_in_the_queue_never_runs():
    release, ran = threading.Event(), []
    first = asyncio.create_task(sync_to_async(release.wait)(TIMEOUT))
    await asyncio.sleep(0)
    second = asyncio.create_task(sync_to_async(ran.append)(1))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    await first
    return ran or "nothing ran"


@observed(("TimeoutError", 0))
async def asyncio_timeout_expires_and_uncancels():
    try:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    except TimeoutError as error:
        return type(error).__name__, asyncio.current_task().cancelling()


@observed((["sibling cancelled"], ["Refused"]))
async def a_task_group_cancels_the_siblings():
    seen = []

    async def sibling():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("sibling cancelled")
            raise

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(sibling())
            group.create_task(sync_to_async(refuse)())
    except ExceptionGroup as errors:
        return seen, [type(error).__name__ for error in errors.exceptions]


# Functions, methods, generators


@observed(("self and 2", "self and 2", "doc"))
async def methods_and_decorators_keep_their_self():
    class Shelf:
        name = "self"

        @sync_to_async
        def sync_method(self, number):
            """doc"""
            return f"{self.name} and {number}"

        @async_to_sync
        async def async_method(self, number):
            return f"{self.name} and {number}"

    shelf = Shelf()
    below = await sync_to_async(shelf.async_method)(2)
    return await shelf.sync_method(2), below, shelf.sync_method.__doc__


@observed({"loop": 1, "context": 2, "task_context": 3})
async def keyword_arguments_do_not_collide():
    return await sync_to_async(dict)(loop=1, context=2, task_context=3)


@observed({"context": 1, "awaitable": 2})
def keyword_arguments_do_not_collide_the_other_way():
    async def keep(**kwargs):
        return kwargs

    return async_to_sync(keep)(context=1, awaitable=2)


@observed((True, True))
async def marks_of_coroutine_functions_are_kept():
    class View:
        pass

    view = View()
    markcoroutinefunction(view)
    return iscoroutinefunction(sync_to_async(where)), iscoroutinefunction(view)


@observed([0, 1, 2])
async def a_sync_generator_is_stepped_on_the_worker():
    generator = (number for number in range(3))
    done = object()
    seen = []
    while (number := await sync_to_async(next)(generator, done)) is not done:
        seen.append(number)
    return seen


@observed(([0, 1], "closed"))
async def an_async_generator_is_left_and_closed():
    seen, after = [], []

    async def numbers():
        try:
            for number in range(5):
                yield await sync_to_async(int)(number)
        finally:
            after.append("closed")

    generator = numbers()
    async for number in generator:
        seen.append(number)
        if number == 1:
            break
    await generator.aclose()
    return seen, after[0]


@observed("shared worker", when=sys.version_info >= (3, 12))
async def eager_tasks_hop_too():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    return await asyncio.create_task(sync_to_async(where)())


@observed(["eager", "after"], when=sys.version_info >= (3, 12))
async def an_eager_task_starts_at_once():
    seen = []

    async def task():
        seen.append("eager")

    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    running = asyncio.create_task(task())
    seen.append("after")
    await running
    return seen


@observed((True, True))
async def current_task_and_names_are_as_before():
    async def me():
        return asyncio.current_task()

    task = asyncio.create_task(me(), name="mine")
    return await task is task, task.get_name() == "mine"
