"""The sources of events: asyncio, executors, asgiref's waits and Django's queries.

A tap is put around one method of a class while something is being recorded, so that it also sees
objects that existed before; `hooks` does that. Each method is chosen so that no frame of the kit
stands between a learner's function and its caller. Tasks and work items catch what the function
raises before it reaches the tap, and a traceback reads as it would without the taps. The query tap
is the one exception.
"""

import asyncio
import asyncio.events
import concurrent.futures.thread
import functools
import inspect
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures._base import CANCELLED
from contextlib import ExitStack, contextmanager
from contextvars import Context
from functools import partial
from typing import NamedTuple

from asgiref.sync import SyncToAsync

from ..ground.interrupts import held
from . import hooks, roles, workers
from .events import BEGIN, CELL, END, PAUSE, QUERY, SPAN, SUBMIT, SYNC, TASK, WAIT, Recording

# Work for the thread of an executor.
PoolItem = concurrent.futures.thread._WorkItem

# Modules whose tasks run the notebook itself or close a loop. They share the learner's loop, but
# they are not part of what a lesson shows.
PLUMBING = re.compile(
    r"(IPython|asynclab\.magics|comm|debugpy|ipykernel|ipywidgets|jupyter_client|tornado|zmq"
    r"|asyncio\.base_events)\b"
)

# What can be scheduled of a task, other than a step of it: loop.call_later(1, task.cancel).
TASK_METHODS = frozenset(dir(asyncio.Task))


class Known(NamedTuple):
    """A task that has been seen. `key` is None if its steps are not to be recorded."""

    ref: weakref.ref
    key: object
    kind: str = ""
    name: str = ""


_recordings: tuple[Recording, ...] = ()
_switch = threading.RLock()
_installed: ExitStack | None = None
_tasks: dict[int, Known] = {}
# By thread: the recording that began in the step which that thread's loop is in.
_first_steps: dict[int, Recording] = {}
_here = threading.local()


@contextmanager
def recording(
    limit: int = 200_000, name: str = "this cell", of: Callable[[], bool] | None = None
) -> Iterator[Recording]:
    """Record what happens, in every thread, until the block ends.

    Args:
        limit, of: how many events are kept, and which; see `Recording`.
        name: what the span of the block itself is called.

    Yields:
        The recording. It has ended when the block is left, however it is left.
    """
    begun = None
    try:
        with held():
            begun = start(limit, name, of)
        yield begun
    except BaseException as error:
        if begun is not None:
            stop(begun, error)
        raise
    stop(begun)


def start(
    limit: int = 200_000, name: str = "this cell", of: Callable[[], bool] | None = None
) -> Recording:
    """Put the taps on and begin a recording, as `recording` does. `stop` must follow.

    Call it in a block of `interrupts.held`, or an interrupt may come before its result arrives.
    """
    global _recordings
    recording = Recording(limit, of)
    with held(), _switch:
        if not _recordings:
            _tasks.clear()
            _put_on()
        _recordings += (recording,)
        _route()
        _begin_block(recording, name)
    return recording


def stop(recording: Recording, error: BaseException | None = None) -> None:
    """End `recording`; the last recording to end takes the taps off. A second call changes nothing.

    Args:
        error: what ended the recorded block, if an exception did.
    """
    global _recordings
    with held(), _switch:
        if error is not None:
            recording.note(END, recording.block, detail=type(error).__name__)
        recording.end()
        _recordings = tuple(other for other in _recordings if other is not recording)
        _route()
        # A copy in one piece: the loops and the garbage collector change the original meanwhile.
        for task, known in _tasks.copy().items():
            if known.key is recording:
                del _tasks[task]
        if not _recordings:
            _take_off()


def active() -> bool:
    """Whether the taps are on."""
    return _installed is not None


class span:
    """Name a stretch of code in the lanes: `with span("fetch"):`, or `@span` on a function.

    Outside a recording it does nothing. On an `async def` the span lasts from call to return.

    Args:
        what: the name to show, or the function to wrap under its own name.
    """

    def __new__(cls, what: str | Callable):
        if callable(what):
            return cls._wrap(what)
        return super().__new__(cls)

    def __init__(self, what: str):
        self.name = what

    def __enter__(self):
        # The keys form a stack, so that one span object can be entered again while it is open.
        self._keys = (*getattr(self, "_keys", ()), object())
        _note(BEGIN, self._keys[-1], SPAN, self.name, role=_loop_role)
        return self

    def __exit__(self, kind, error, traceback):
        *rest, key = self._keys
        self._keys = tuple(rest)
        _note(END, key, detail=kind.__name__ if kind else "")

    @classmethod
    def _wrap(cls, function: Callable) -> Callable:
        name = _label(function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args, **kwargs):
                with cls(name):
                    return await function(*args, **kwargs)
        else:

            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                with cls(name):
                    return function(*args, **kwargs)

        return wrapper


def _note_in_all(op, key, kind="", name="", detail="", role=None) -> None:
    for recording in _recordings:
        recording.note(op, key, kind, name, detail, role)


_note = _note_in_all


def _route() -> None:
    """Send notes straight to the recording if there is only one: each hop makes five notes."""
    global _note
    _note = _recordings[0].note if len(_recordings) == 1 else _note_in_all


def _begin_block(recording: Recording, name: str) -> None:
    """Begin the span of the recorded block: the rest of this step, and the task's later steps."""
    task = _current_task()
    known = _tasks.get(id(task))
    if known is not None and known.key is not None:
        # Another recording follows this task already. A task has the same key in every recording.
        recording.block = known.key
    recording.note(BEGIN, recording.block, CELL, name, "", _loop_role)
    if task is None or recording.block is not recording:
        return
    _tasks[id(task)] = Known(weakref.ref(task, _forget(task)), recording, CELL, name)
    # The current step began before the taps were on, so no tap will see its end. Whatever the loop
    # runs next marks it, and the callback below makes sure that something will run.
    _first_steps[threading.get_ident()] = recording
    asyncio.get_running_loop().call_soon(_end_first_step)


def _end_first_step() -> None:
    recording = _first_steps.pop(threading.get_ident(), None)
    if recording is not None:
        recording.note(PAUSE, recording)


def _current_task() -> asyncio.Task | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _forget(task: asyncio.Task) -> Callable:
    """Return what to call once the task is gone, because another may then get its id."""
    number = id(task)
    return lambda ref: _tasks.pop(number, None)


def _loop_role() -> str:
    running = asyncio.events._get_running_loop() is not None
    main = threading.current_thread() is threading.main_thread()
    if running:
        return roles.EVENT_LOOP
    return roles.MAIN_THREAD if main else roles.PLAIN_THREAD


# --- asyncio: the steps of a task -------------------------------------------------------------


def _tap_handle(run: Callable) -> Callable:
    """`Handle._run` runs each callback of a loop; a task's step is one of them."""
    Task = asyncio.Task

    def _run(handle):
        if _first_steps:
            _end_first_step()
        callback = handle._callback
        task = getattr(callback, "__self__", None)
        if not isinstance(task, Task) or getattr(callback, "__name__", "") in TASK_METHODS:
            return run(handle)
        known = _tasks.get(id(task)) or _meet(task)
        key = known.key
        if key is None:
            return run(handle)
        # For a recording that has seen the task before, this begins one more step.
        _note(BEGIN, key, known.kind, known.name, "", _loop_role)
        _here.step = key
        try:
            return run(handle)
        finally:
            _here.step = None
            if task.done():
                _tasks.pop(id(task), None)
                _note(END, key, "", "", _task_error(task))
            else:
                _note(PAUSE, key)
            # The task's exception refers to this frame: together they would never be freed.
            handle = callback = task = known = None

    return _run


def _meet(task: asyncio.Task) -> Known:
    coroutine = task.get_coro()
    ref = weakref.ref(task, _forget(task))
    if is_plumbing(coroutine):
        known = Known(ref, None)
    else:
        known = Known(ref, _task_key(coroutine), TASK, _task_name(coroutine))
    _tasks[id(task)] = known
    return known


def _task_error(task: asyncio.Task) -> str:
    # Not task.exception(): asking marks the exception as retrieved, and asyncio would no longer
    # report the ones that nobody awaited.
    return "CancelledError" if task.cancelled() else _name_of(task._exception)


def _name_of(error: BaseException | None) -> str:
    return "" if error is None else type(error).__name__


def is_plumbing(coroutine) -> bool:
    """Whether a coroutine belongs to what runs the notebook, and not to the notebook's code."""
    frame = getattr(coroutine, "cr_frame", None)
    module = frame.f_globals.get("__name__", "") if frame is not None else ""
    return PLUMBING.match(module) is not None


def _task_key(coroutine) -> object:
    # Its id is used only where a tap that cannot know the task has to name it: see _tap_main_wrap.
    wrapper = workers.wrapping(coroutine)
    return object() if wrapper is None else id(wrapper)


def _task_name(coroutine) -> str:
    wrapper = workers.wrapping(coroutine)
    if wrapper is not None:
        return _label(workers.wrapped_by(wrapper))
    adapter = workers.calling(coroutine)
    if adapter is not None:
        return f"sync_to_async({_label(adapter)})"
    return _label(coroutine)


# --- executors: the hop to another thread -----------------------------------------------------


def _tap_work_item_init(init: Callable) -> Callable:
    """Note who asks: both kinds of work item are made on the thread of their caller."""

    def __init__(item, *args, **kwargs):
        init(item, *args, **kwargs)
        _note(SUBMIT, id(item), "", "", _asker(), _loop_role)

    return __init__


def _tap_work_item_run(run: Callable) -> Callable:
    """Note who does the work. What the function raises goes into the future."""

    def _run(item, *args):
        future, key = item.future, id(item)
        # Here and below, the future's methods would take its lock four times.
        if future._state == CANCELLED:
            return run(item, *args)
        function = _work(item)
        _note(BEGIN, key, SYNC, _label(function), "", partial(_worker_role, item))
        # Before any other callback: the end is noted before whoever awaits the result goes on.
        future._done_callbacks.insert(0, partial(_work_ends, key))
        try:
            return run(item, *args)
        finally:
            # The future's exception refers to this frame: together they would never be freed.
            item = future = function = None

    return _run


def _work_ends(key: object, future) -> None:
    _note(END, key, "", "", _name_of(future._exception))


def _asker() -> object:
    """The key of the task or block that is running here, if it is known."""
    step = getattr(_here, "step", None)
    if step is not None:
        return step
    known = _tasks.get(id(_current_task()))
    return known.key if known is not None else None


def _work(item) -> Callable:
    # Python 3.14 keeps the call as a tuple.
    return item.fn if hasattr(item, "fn") else item.task[0]


def _worker_role(item) -> str:
    """The job of the thread that is about to run `item`, from how it was asked to."""
    function = _work(item)
    if workers.is_new_loop(function):
        return roles.TEMPORARY_EVENT_LOOP
    if not workers.is_thread_sensitive(function):
        return roles.POOL_WORKER
    if workers.on_shared():
        return roles.THREAD_SENSITIVE_WORKER
    # Otherwise a caller that waits in async_to_sync runs it, or a ThreadSensitiveContext's worker.
    waits = isinstance(item, workers.WaitingItem)
    return _loop_role() if waits else roles.CONTEXT_WORKER


# --- asgiref: a thread that waits for async code ----------------------------------------------


def _tap_main_wrap(main_wrap: Callable) -> Callable:
    """`AsyncToSync.__call__` makes this coroutine, then waits for it in `run_until_future`."""

    @functools.wraps(main_wrap)
    def _main_wrap(self, *args, **kwargs):
        coroutine = main_wrap(self, *args, **kwargs)
        wait = object()
        _here.waits = (*getattr(_here, "waits", ()), wait)
        _note(BEGIN, wait, WAIT, f"async_to_sync({_label(self.awaitable)})", role=_loop_role)
        _note(SUBMIT, id(coroutine), detail=wait)
        return coroutine

    return _main_wrap


def _tap_run_until_future(run_until_future: Callable) -> Callable:
    def _run_until_future(self, future):
        try:
            return run_until_future(self, future)
        finally:
            # There is no wait if the taps came on between the two calls.
            *rest, wait = getattr(_here, "waits", ()) or (None,)
            _here.waits = tuple(rest)
            _note(END, wait)

    return _run_until_future


# --- Django: queries --------------------------------------------------------------------------


def _tap_execute(execute: Callable) -> Callable:
    """Note each statement: all connections run them here, with DEBUG on or off."""

    @functools.wraps(execute)
    def _execute_with_wrappers(self, sql, params, many, executor):
        key = object()
        _note(BEGIN, key, QUERY, _statement(sql), str(sql)[:300], role=_loop_role)
        try:
            result = execute(self, sql, params, many, executor)
        except BaseException as error:
            _note(END, key, detail=type(error).__name__)
            raise
        _note(END, key)
        return result

    return _execute_with_wrappers


_TABLE = re.compile(r'(?:FROM|INTO|UPDATE|TABLE)\s+["`]?(\w+)', re.IGNORECASE)


def _statement(sql: object) -> str:
    """A statement in two words: 'SELECT library_book'."""
    text = str(sql).lstrip()
    verb = text.split(None, 1)[0].upper() if text else ""
    table = _TABLE.search(text)
    return f"{verb} {table[1]}" if table else verb


# --- on and off -------------------------------------------------------------------------------


def _targets() -> list[tuple[type, str, Callable]]:
    targets = [
        (asyncio.events.Handle, "_run", _tap_handle),
        (PoolItem, "__init__", _tap_work_item_init),
        (PoolItem, "run", _tap_work_item_run),
        (workers.WaitingItem, "__init__", _tap_work_item_init),
        (workers.WaitingItem, "run", _tap_work_item_run),
        (*workers.WAIT_FOR, _tap_run_until_future),
        (*workers.WRAP, _tap_main_wrap),
    ]
    # A notebook without Django can be recorded too.
    queries = hooks.query_method()
    if queries is not None:
        targets.append((*queries, _tap_execute))
    return targets


def _put_on() -> None:
    global _installed
    with ExitStack() as stack:
        for owner, name, tap in _targets():
            stack.enter_context(hooks.around(owner, name, tap))
        _installed = stack.pop_all()


def _take_off() -> None:
    global _installed
    if _installed is not None:
        _installed.close()
        _installed = None


def _label(function: object) -> str:
    """The name of a function, coroutine, partial or adapter, as its author wrote it."""
    if isinstance(function, partial):
        adapter = workers.adapter_of(function)
        if adapter is not None:
            return _label(adapter.func)
        # asyncio.to_thread asks for Context.run(function, ...).
        runs_in_context = isinstance(getattr(function.func, "__self__", None), Context)
        return _label(function.args[0] if runs_in_context else function.func)
    if isinstance(function, SyncToAsync):
        return _label(function.func)
    if function is asyncio.run:
        return "asyncio.run"
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return name.rpartition("<locals>.")[2] if "<" in name else name
