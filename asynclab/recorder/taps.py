"""The sources of events: asyncio, executors, asgiref's waits and Django's queries.

A tap is put around one method of a class while something is being recorded, so that it also sees
objects that existed before; `hooks` does that. Each method is chosen so that no frame of the kit
stands between a learner's function and its caller. Tasks and work items catch what the function
raises before it reaches the tap, and a traceback reads as it would without the taps. The taps of
queries and of `create_task` are the exceptions.
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
from contextvars import Context, ContextVar
from dataclasses import dataclass
from functools import partial

import asgiref.sync
from asgiref.sync import SyncToAsync

from ..ground.errors import LabError
from ..ground.interrupts import held
from . import hooks, roles, workers
from .events import BEGIN, CELL, END, PAUSE, QUERY, SPAN, SUBMIT, SYNC, TASK, WAIT, Recording

# Work for the thread of an executor.
PoolItem = concurrent.futures.thread._WorkItem

# Modules whose tasks run the notebook itself, close a loop, or open a server's door. They share the
# learner's loop, but they are not part of what a lesson shows.
PLUMBING = re.compile(
    r"(IPython|asynclab\.magics|comm|debugpy|ipykernel|ipywidgets|jupyter_client|tornado|zmq"
    r"|asyncio\.(base|selector)_events|uvicorn\.(lifespan|server))\b"
)

# The code of `asyncio.eager_task_factory`, and of any other that `create_eager_task_factory` makes;
# None before Python 3.12.
EAGER = getattr(getattr(asyncio, "eager_task_factory", None), "__code__", None)

# What can be scheduled of a task, other than a step of it: loop.call_later(1, task.cancel).
TASK_METHODS = frozenset(dir(asyncio.Task))


@dataclass(slots=True)
class Known:
    """A task that has been seen.

    `key` is None if its steps are not to be recorded. `blocks` are the recordings which record the
    task's steps although they are plumbing, because their block is in it.
    """

    ref: weakref.ref
    key: object
    name: str = ""
    blocks: tuple[Recording, ...] = ()

    def noting(self) -> Callable[..., None]:
        """What notes a step of the task in each recording that follows it."""
        return self._note_in_blocks if self.blocks else _note

    def _note_in_blocks(self, *event) -> None:
        for recording in self.blocks:
            recording.note(*event)


_recordings: tuple[Recording, ...] = ()
_switch = threading.RLock()
_installed: ExitStack | None = None
# The classes of loops of others that are tapped as well.
_followed: set[type] = set()
_tasks: dict[int, Known] = {}
# By thread: the task that a recording began in, during the step which that thread's loop is in.
_first_steps: dict[int, Known] = {}
_here = threading.local()
_only: ContextVar[Callable[[], bool] | None] = ContextVar("_only", default=None)


@contextmanager
def only(of: Callable[[], bool]) -> Iterator[None]:
    """Narrow each recording that code of the block begins.

    Args:
        of: which events are kept; see `Recording`.
    """
    token = _only.set(of)
    try:
        yield
    finally:
        _only.reset(token)


@contextmanager
def recording(
    limit: int = 200_000, name: str = "this cell", of: Callable[[], bool] | None = None
) -> Iterator[Recording]:
    """Record what happens, in every thread, until the block ends.

    Args:
        limit, of: how many events are kept, and which; see `Recording`. Without `of`, `only` says.
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
    recording = Recording(limit, of or _only.get())
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
        _recordings = tuple(other for other in _recordings if other is not recording)
        # First: a note that comes between is nobody's, and none comes after the end.
        _route()
        recording.end()
        recording.unseen = tuple(
            sorted(_full_name(loop) for loop in _loops_of_others() - _followed)
        )
        # A copy in one piece: the loops and the garbage collector change the original meanwhile.
        for known in _tasks.copy().values():
            if recording in known.blocks:
                known.blocks = tuple(other for other in known.blocks if other is not recording)
                known.key = known.key if known.blocks else None
        if not _recordings:
            _take_off()


def active() -> bool:
    """Whether the taps are on."""
    return _installed is not None


class span:
    """Name a stretch of code in the lanes: `with span("fetch"):`, or `@span` on a function.

    Outside a recording it does nothing. On an `async def` the span lasts from call to return. One
    object may be entered again while it is open, by other tasks and threads too.

    Args:
        what: the name to show, or the function to wrap under its own name.

    Raises:
        LabError: `what` is a generator, whose code does not run from call to return.
    """

    def __new__(cls, what: str | Callable):
        if callable(what):
            return cls._wrap(what)
        return super().__new__(cls)

    def __init__(self, what: str):
        self.name = str(what)
        # By thread and task: the keys of the spans that it has open there, the last one innermost.
        self._open: dict[tuple[int, int], list[object]] = {}

    def __enter__(self):
        key = object()
        self._open.setdefault(_place(), []).append(key)
        _note(BEGIN, key, SPAN, self.name, role=_loop_role)
        return self

    def __exit__(self, kind, error, traceback):
        place = _place()
        if place not in self._open:
            # A generator that was given up is closed by whoever finds it, somewhere else.
            place = next(iter(self._open), None)
        keys = self._open.get(place, [None])
        _note(END, keys.pop(), detail=kind.__name__ if kind else "")
        if not keys:
            self._open.pop(place, None)

    @classmethod
    def _wrap(cls, function: Callable) -> Callable:
        name = _label(function)
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise LabError(
                f"{name} is a generator: it runs piece by piece, after the call has returned. "
                f'Write `with span("{name}"):` inside of it.'
            )
        if _is_async(function):

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


def _is_async(function: Callable) -> bool:
    """Whether a function is an `async def`, or an object that is called like one."""
    call = type(function).__call__
    return asgiref.sync.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _place() -> tuple[int, int]:
    """Where code runs: the idents of its thread and of its task."""
    return threading.get_ident(), id(_current_task())


def _note_in_all(*event, **details) -> None:
    for recording in _recordings:
        recording.note(*event, **details)


_note = _note_in_all


def _route() -> None:
    """Send notes straight to the recording if there is only one: each hop makes five notes."""
    global _note
    _note = _recordings[0].note if len(_recordings) == 1 else _note_in_all


def _begin_block(recording: Recording, name: str) -> None:
    """Begin the span of the recorded block: the rest of this step, and the task's later steps."""
    task = _current_task()
    known = _tasks.get(id(task))
    if task is not None and known is None:
        known = _meet(task)
        step = getattr(_here, "step", None)
        if step is not None and known.key is not None:
            known.key = step  # the first step of an eager task, which is not known before its end
        else:
            # The current step began before the taps were on, so no tap will see its end. Whatever
            # the loop runs next marks it, and the callback makes sure that something will run.
            _first_steps[threading.get_ident()] = known
            asyncio.get_running_loop().call_soon(_end_first_step)
    if known is not None:
        if known.key is None:
            known.key = object()
            known.blocks = (recording,)
        elif known.blocks:
            known.blocks += (recording,)
        # A task has the same key in every recording.
        recording.block = known.key
    recording.note(BEGIN, recording.block, CELL, name, "", _loop_role)


def _end_first_step() -> None:
    known = _first_steps.pop(threading.get_ident(), None)
    if known is not None:
        known.noting()(PAUSE, known.key)


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
    name = threading.current_thread().name
    if name in roles.NAMED:
        return name
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
        known.noting()(BEGIN, key, TASK, known.name, "", _loop_role)
        _here.step = key
        try:
            return run(handle)
        finally:
            _here.step = None
            if task.done():
                _tasks.pop(id(task), None)
                known.noting()(END, key, "", "", _task_error(task))
            else:
                # Asked again: in this step another recording may have begun.
                known.noting()(PAUSE, key)
            # The task's exception refers to this frame: together they would never be freed.
            handle = callback = task = known = None

    return _run


def _tap_call_soon(call_soon: Callable) -> Callable:
    """A loop of others has no Handle, but it is asked like asyncio's to run a step of a task."""
    run = _tap_handle(lambda soon: soon._callback(*soon._args))

    @functools.wraps(call_soon)
    def _call_soon(loop, callback, *args, **options):
        if isinstance(getattr(callback, "__self__", None), asyncio.Task):
            callback, args = partial(run, _Soon(callback, args)), ()
        return call_soon(loop, callback, *args, **options)

    return _call_soon


@dataclass(slots=True)
class _Soon:
    """What a loop was asked to run, with the names that a Handle has for it."""

    _callback: Callable
    _args: tuple


def _tap_create_task(create_task: Callable) -> Callable:
    """An eager task takes its first step in here, before anything schedules it."""

    @functools.wraps(create_task)
    def _create_task(loop, coroutine, **options):
        __tracebackhide__ = True
        if not _is_eager(loop, **options) or is_plumbing(coroutine):
            return create_task(loop, coroutine, **options)
        key, name = _task_key(coroutine), _task_name(coroutine)
        outer = getattr(_here, "step", None)
        _note(BEGIN, key, TASK, name, "", _loop_role)
        _here.step = key
        try:
            task = create_task(loop, coroutine, **options)
        except BaseException as error:
            _note(END, key, detail=_name_of(error))
            raise
        finally:
            _here.step = outer
        if task.done():
            _note(END, key, detail=_task_error(task))
        else:
            # A recording that began in this step knows it already.
            _tasks.setdefault(id(task), Known(weakref.ref(task, _forget(task)), key, name))
            _note(PAUSE, key)
        return task

    return _create_task


def _is_eager(loop, eager_start=None, **_options) -> bool:
    """Whether a loop lets a task take its first step at once."""
    if eager_start is None:
        eager_start = getattr(loop.get_task_factory(), "__code__", None) is EAGER
    return bool(eager_start) and EAGER is not None and loop.is_running()


def _meet(task: asyncio.Task) -> Known:
    coroutine = task.get_coro()
    ref = weakref.ref(task, _forget(task))
    if is_plumbing(coroutine):
        known = Known(ref, None)
    else:
        known = Known(ref, _task_key(coroutine), _task_name(coroutine))
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

    def __init__(item, future, *args, **kwargs):
        init(item, future, *args, **kwargs)
        asker = getattr(_here, "step", None) or _current_key()
        _note(SUBMIT, id(future), "", "", asker, _loop_role)

    return __init__


def _tap_work_item_run(run: Callable) -> Callable:
    """Note who does the work. What the function raises goes into the future."""

    def _run(item, *args):
        future = item.future
        # Here and below, the future's methods would take its lock four times.
        if future._state == CANCELLED:
            return run(item, *args)
        function = _work(item)
        _note(BEGIN, id(future), SYNC, _label(workers.asked(function)), "", _worker_role, item)
        # Before any other callback: the end is noted before whoever awaits the result goes on.
        future._done_callbacks.insert(0, _work_ends)
        try:
            return run(item, *args)
        finally:
            # The future's exception refers to this frame: together they would never be freed.
            item = future = function = None

    return _run


def _work_ends(future) -> None:
    _note(END, id(future), "", "", _name_of(future._exception))


def _current_key() -> object:
    """The key of the task or block whose step began before the taps were on, if it is known."""
    known = _tasks.get(id(_current_task()))
    return known.key if known is not None else None


def _work(item) -> Callable:
    try:
        return item.fn
    except AttributeError:
        return item.task[0]  # Python 3.14 keeps the call as a tuple.


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
        (asyncio.BaseEventLoop, "create_task", _tap_create_task),
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


def _loops_of_others() -> set[type]:
    """The classes of loops that are not made with asyncio's own, as uvloop's.

    What runs the notebook may bring one: tornado's only wraps a loop, which makes the tasks.
    """
    kinds = {*asyncio.AbstractEventLoop.__subclasses__()} - {asyncio.BaseEventLoop}
    return {kind for kind in kinds if not PLUMBING.match(kind.__module__)}


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _put_on() -> None:
    global _installed
    with ExitStack() as stack:
        for owner, name, tap in _targets():
            stack.enter_context(hooks.around(owner, name, tap))
        # Code that is recorded may import such a loop before it runs it.
        stack.enter_context(hooks.before(asyncio.Runner, "__enter__", _follow_loops_of_others))
        _installed = stack.pop_all()
    _follow_loops_of_others()


def _follow_loops_of_others(*_args, **_options) -> None:
    with held(), _switch:
        for loop in _loops_of_others() - _followed if _installed is not None else ():
            _followed.add(loop)
            for name, tap in (("call_soon", _tap_call_soon), ("create_task", _tap_create_task)):
                _installed.enter_context(hooks.around(loop, name, tap))


def _take_off() -> None:
    global _installed
    if _installed is not None:
        _installed.close()
        _installed = None
        _followed.clear()


def _label(function: object) -> str:
    """The name of a function, coroutine, partial or adapter, as its author wrote it."""
    name = getattr(function, "__qualname__", None)
    if name is None:
        return _label_of_object(function)
    if "<" in name:
        return name.rpartition("<locals>.")[2]
    return "asyncio.run" if function is asyncio.run else name


def _label_of_object(function: object) -> str:
    if isinstance(function, SyncToAsync):
        return _label(function.func)
    if isinstance(function, partial):
        # asyncio.to_thread asks for Context.run(function, ...).
        runs_in_context = isinstance(getattr(function.func, "__self__", None), Context)
        asked = function.args[0] if runs_in_context else workers.asked(function)
        return _label(function.func if asked is function else asked)
    return type(function).__name__
