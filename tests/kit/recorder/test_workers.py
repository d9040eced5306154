"""asgiref's private parts, one by one: a failure here names what a new asgiref has changed."""

import asyncio
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from asgiref import current_thread_executor
from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext
from asgiref.sync import async_to_sync as in_loop
from asgiref.sync import sync_to_async as on_thread

from asynclab.recorder import workers

CHECKOUT = Path(__file__).parents[3]


def changed(what):
    """The message of a failure: which asgiref it was, and which ones the kit is made for."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [accepted] = [each for each in project["dependencies"] if each.startswith("asgiref")]
    return f"asgiref {version('asgiref')}: {what} (pyproject.toml accepts {accepted})"


def require(place, owner, name):
    assert hasattr(owner, name), changed(f"{place} has no {name}")


def work():
    pass


async def awork():
    pass


def on_shared():
    return workers.on_shared(), threading.current_thread()


def is_shared(found):
    """Whether both ways of telling say so. A new worker is listed a moment after it begins."""
    by_name, thread = found
    assert by_name == (thread in workers.shared_threads()), changed("threads have other names")
    return by_name


def codes():
    """The code of every function that the calling thread is in."""
    frame, found = sys._getframe(), []
    while frame is not None:
        found.append(frame.f_code)
        frame = frame.f_back
    return found


# What is there


PARTS = {
    "SyncToAsync": (SyncToAsync, ("single_thread_executor",)),
    "a SyncToAsync": (on_thread(work), ("_thread_sensitive", "func")),
    "AsyncToSync": (AsyncToSync, ("main_wrap",)),
    "an AsyncToSync": (in_loop(awork), ("awaitable",)),
    "current_thread_executor": (current_thread_executor, ("_WorkItem", "CurrentThreadExecutor")),
    "CurrentThreadExecutor": (current_thread_executor.CurrentThreadExecutor, ("run_until_future",)),
    "SyncToAsync.single_thread_executor": (
        getattr(SyncToAsync, "single_thread_executor", None),
        ("_threads", "_thread_name_prefix"),
    ),
}


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place, (_, names) in PARTS.items() for name in names]
)
def test_asgiref_has(place, name):
    require(place, PARTS[place][0], name)


def test_what_is_missing_is_named_with_the_versions():
    with pytest.raises(AssertionError) as raised:
        require("SyncToAsync", SyncToAsync, "_gone")
    said = rf"asgiref {version('asgiref')}: SyncToAsync has no _gone"
    assert str(raised.value).startswith(f"{said} (pyproject.toml accepts asgiref>=")


# The shared worker


def test_thread_sensitive_calls_share_a_worker():
    found = asyncio.run(on_thread(on_shared)())
    assert is_shared(found), changed("single_thread_executor does not run the call")


def test_other_threads_are_not_the_shared_worker():
    async def elsewhere():
        async with ThreadSensitiveContext():
            in_context = await on_thread(on_shared)()
        return in_context, await on_thread(on_shared, thread_sensitive=False)()

    assert not is_shared(on_shared())
    in_context, in_pool = asyncio.run(elsewhere())
    assert not is_shared(in_context), changed("a context shares single_thread_executor")
    assert not is_shared(in_pool), changed("the pool is single_thread_executor")


def test_the_shared_worker_can_be_replaced(monkeypatch):
    old = workers.shared()
    monkeypatch.setattr(SyncToAsync, "single_thread_executor", old)  # Puts it back afterwards.
    workers.replace_shared()
    assert workers.shared() is not old
    assert workers.shared_threads() == frozenset()
    found = asyncio.run(on_thread(on_shared)())
    assert is_shared(found), changed("a call does not ask for single_thread_executor")
    workers.shared().shutdown()


# What an executor is asked to run


class Listening(ThreadPoolExecutor):
    """Keeps what it was asked to run."""

    def __init__(self):
        super().__init__(1)
        self.asked = []

    def submit(self, function, /, *args, **kwargs):
        self.asked.append(function)
        return super().submit(function, *args, **kwargs)


@pytest.fixture
def pool():
    with Listening() as listening:
        yield listening


def test_a_thread_sensitive_call_tells_its_adapter(pool, monkeypatch):
    monkeypatch.setattr(SyncToAsync, "single_thread_executor", pool)
    adapter = on_thread(work)
    asyncio.run(adapter())
    [asked] = pool.asked
    assert workers.adapter_of(asked) is adapter, changed("the call is no partial of its method")
    assert workers.is_thread_sensitive(asked), changed("SyncToAsync._thread_sensitive is false")


def test_a_call_that_is_not_thread_sensitive_tells_its_adapter(pool):
    adapter = on_thread(work, thread_sensitive=False, executor=pool)
    asyncio.run(adapter())
    [asked] = pool.asked
    assert workers.adapter_of(asked) is adapter, changed("the call is no partial of its method")
    assert not workers.is_thread_sensitive(asked), changed("SyncToAsync._thread_sensitive is true")


@pytest.mark.parametrize("function", [work, partial(work), partial([].append, 1)])
def test_other_work_has_no_adapter(function):
    assert workers.adapter_of(function) is None
    assert not workers.is_thread_sensitive(function)


def test_a_caller_that_waits_is_asked_to_run_a_waiting_item():
    async def inner():
        return await on_thread(codes)()

    found = in_loop(inner)()
    run, (owner, name) = workers.WaitingItem.run.__code__, workers.WAIT_FOR
    wait = vars(owner)[name].__code__
    assert run in found, changed("async_to_sync's caller runs no current_thread_executor._WorkItem")
    assert wait in found, changed(f"async_to_sync does not wait in {owner.__name__}.{name}")


def test_async_to_sync_asks_an_executor_for_a_loop_of_its_own(monkeypatch):
    asked, submit = [], ThreadPoolExecutor.submit

    def note(self, function, /, *args, **kwargs):
        asked.append(function)
        return submit(self, function, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", note)
    in_loop(awork)()
    assert list(map(workers.is_new_loop, asked)) == [True], changed("the loop is no asyncio.run")


# The coroutines around a learner's own


def test_a_call_of_sync_to_async_is_known_by_its_coroutine():
    adapter = on_thread(work)
    coroutine = adapter()
    found = workers.calling(coroutine)
    coroutine.close()
    assert found is adapter, changed("the coroutine is no SyncToAsync.__call__ with a local self")
    assert workers.calling(coroutine) is None  # It has ended: nothing is known of it any more.


def test_a_coroutine_of_async_to_sync_is_known_in_a_loop_of_its_own():
    assert in_loop(wrapped)() is wrapped, changed(
        "a new loop's task is no AsyncToSync.__call__.<locals>.new_loop_wrap around main_wrap"
    )


def test_a_coroutine_of_async_to_sync_is_known_in_the_loop_of_the_caller():
    found = asyncio.run(on_thread(in_loop(wrapped))())
    assert found is wrapped, changed("the task in a running loop is no AsyncToSync.main_wrap")


async def wrapped():
    """The function that this task runs for async_to_sync."""
    wrapper = workers.wrapping(asyncio.current_task().get_coro())
    return workers.wrapped_by(wrapper) if wrapper is not None else None


def test_other_coroutines_are_not_asgirefs():
    coroutine = awork()
    assert (workers.calling(coroutine), workers.wrapping(coroutine)) == (None, None)
    coroutine.close()


def test_own_worker_serves_while_the_usual_one_is_held():
    usual, let_go, ended_on = workers.shared(), threading.Event(), []
    mine = threading.local()
    mine.here = True
    held = usual.submit(let_go.wait, 20)
    with workers.own_shared(
        lambda: hasattr(mine, "here"), lambda: ended_on.append(threading.current_thread())
    ):
        assert workers.shared().submit(workers.on_shared).result(5) is True
        [own] = workers.shared_threads()
        with ThreadPoolExecutor() as others:
            asked = others.submit(workers.shared().submit, threading.current_thread).result(5)
        assert not asked.done()
        let_go.set()
        assert asked.result(5) is not own and held.result(5)
    own.join(5)
    assert (workers.shared(), ended_on, own.is_alive()) == (usual, [own], False)


def test_own_worker_that_is_stuck_is_replaced_and_the_usual_one_comes_back():
    usual, let_go = workers.shared(), threading.Event()
    with workers.own_shared(lambda: True, work):
        workers.shared().submit(let_go.wait, 20)
        workers.replace_shared()
        assert workers.shared().submit(int).result(5) == 0
    assert workers.shared() is usual
    let_go.set()
