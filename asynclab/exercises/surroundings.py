"""What all code of the process shares: its names and switches, as they were before a call.

Whatever checked code replaces or turns off, a snapshot puts back: the next answer must not suffer
from it, nor the kernel.
"""

import asyncio
import builtins
import functools
import gc
import locale
import logging
import operator
import os
import pkgutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

from ..boot import when_set_up
from ..recorder import hooks, workers
from .of_project import ABSENT, NameOfSettings, ProjectModels, ProjectSettings
from .receivers import SIGNALS

MODULES = (
    "asyncio",
    "asyncio.tasks",
    "asyncio.locks",
    "asyncio.queues",
    "asyncio.threads",
    "asyncio.timeouts",
    "asgiref.sync",
    "collections",
    "concurrent.futures",
    "contextlib",
    "contextvars",
    "copy",
    "datetime",
    "functools",
    "gc",
    "inspect",
    "io",
    "itertools",
    "json",
    "logging",
    "logging.handlers",
    "operator",
    "os",
    "os.path",
    "queue",
    "random",
    "re",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "string",
    "subprocess",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "uuid",
    "warnings",
    "weakref",
)
"""Their public functions and classes are put back."""

CLASSES = (
    "asgiref.local.Local",
    "asgiref.sync.AsyncToSync",
    "asgiref.sync.SyncToAsync",
    "asgiref.sync.ThreadSensitiveContext",
    "asyncio.base_events.BaseEventLoop",
    "asyncio.events.Handle",
    "asyncio.locks.Event",
    "asyncio.locks.Lock",
    "asyncio.locks.Semaphore",
    "asyncio.queues.Queue",
    "asyncio.runners.Runner",
    "asyncio.taskgroups.TaskGroup",
    "asyncio.timeouts.Timeout",
    "concurrent.futures._base.Executor",
    "concurrent.futures._base.Future",
    "concurrent.futures.thread.ThreadPoolExecutor",
    "logging.Formatter",
    "logging.Handler",
    "logging.Logger",
    "logging.LogRecord",
    "logging.StreamHandler",
    "logging.handlers.QueueHandler",
    "logging.handlers.QueueListener",
    "threading.Condition",
    "threading.Event",
    "threading.Thread",
)

OF_DJANGO = (
    "django.conf.LazySettings",
    "django.core.management.base.BaseCommand",
    "django.db.backends.base.base.BaseDatabaseWrapper",
    "django.db.backends.sqlite3.base.DatabaseWrapper",
    "django.db.backends.sqlite3.base.SQLiteCursorWrapper",
    "django.db.backends.utils.CursorWrapper",
    "django.db.models.base.Model",
    "django.db.models.manager.BaseManager",
    "django.db.models.manager.Manager",
    "django.db.models.query.QuerySet",
    "django.db.transaction.Atomic",
    "django.dispatch.dispatcher.Signal",
    "django.http.request.HttpRequest",
    "django.http.response.HttpResponse",
    "django.test.client.AsyncClient",
    "django.test.client.Client",
    "django.test.testcases.TestCase",
    "django.utils.connection.BaseConnectionHandler",
    "django.db",
    "django.db.models",
    "django.db.transaction",
    "django.http",
    "django.utils.timezone",
)
"""Its classes, and its modules."""

STREAMS_AND_PATHS = (
    "displayhook",
    "excepthook",
    "meta_path",
    "modules",
    "path",
    "path_hooks",
    "stderr",
    "stdin",
    "stdout",
    "unraisablehook",
)
"""Names of `sys` that come and go with a cell, too."""

LOOP = ("_debug", "_default_executor", "_exception_handler", "_task_factory")

LOGGERS = ("", "asyncio", "concurrent.futures", "django")

SPECIAL = frozenset(
    {
        *("__await__", "__bool__", "__call__", "__eq__", "__format__", "__getattr__"),
        *("__getattribute__", "__hash__", "__init__", "__iter__", "__len__", "__new__"),
        *("__repr__", "__setattr__", "__str__"),
    }
)
"""Methods that a class may get anew, and that then hide those of its base."""

HOOKS = {
    *("builtins.input", "threading.excepthook", "warnings.showwarning"),
    "inspect.isgenerator",  # by each module that an older Cython has made, as it is imported
}
"""What is there to be replaced, and may be at any time."""

MANAGERS = "django.db.models.manager.BaseManager.creation_counter"
"""Counts the managers that have been made, those of a migration as well."""

OF_META = ("db_table", "get_latest_by", "managed", "ordering")
"""What of a model's `Meta` may be set otherwise later."""
REMADE = ("managers", "managers_map")
"""What Django makes anew of each model's `Meta` when a model is added: that has no news."""

_REMADE = tuple(f"._meta.{name}" for name in REMADE)

NEST_ASYNCIO = {"Future", "Task", "get_event_loop", "run"}
"""What `nest_asyncio.apply()` changes together with much else: half of it would work for nobody."""


class Namespace:
    """The names of a module, a class or an object; what they stand for is told by identity.

    Args:
        label: what the reader calls it.
        names: those that count; None for all, or a module's public functions and classes.
    """

    def __init__(self, label: str, owner: object, names: tuple[str, ...] | None = None):
        self.label = label
        self._owner = owner
        self._names = names
        self._is_class = isinstance(owner, type)
        # A module may get new names at any time, and a name of one class hides its base's.
        self._grows = names is not None or isinstance(owner, ModuleType)

    def read(self) -> dict[str, object]:
        """What each name stands for."""
        found = self._owner.__dict__
        if self._names is None:
            return dict(found)
        return {name: found[name] for name in self._names if name in found}

    def changed(self, before: dict[str, object]) -> dict[str, object]:
        """What those names stood for that count, and stand for something else now."""
        now = self._owner.__dict__
        # A check asks thousands of names a dozen times, and nearly always nothing was done.
        if len(now) == len(before) and _all_are(now, before):
            return {}
        old = {name: value for name, value in before.items() if now.get(name, ABSENT) is not value}
        if not self._grows:
            new = now.keys() - before.keys()
            old |= {name: ABSENT for name in new if name[:2] != "__" or name in SPECIAL}
        return {name: value for name, value in old.items() if self._counts(name, value)}

    def put_back(self, before: dict[str, object], but: Iterable[str] = ()) -> None:
        """Let each name stand for what it stood for, `but` for these."""
        for name, value in self.changed(before).items():
            if name in but:
                continue
            if self._is_class and value is ABSENT:
                type.__delattr__(self._owner, name)
            elif self._is_class:
                type.__setattr__(self._owner, name, value)
            elif value is ABSENT:
                del self._owner.__dict__[name]
            else:
                self._owner.__dict__[name] = value

    def _counts(self, name: str, old: object) -> bool:
        if self._names is None and isinstance(self._owner, ModuleType):
            public = name[:1] != "_" and callable(old)
            return public and not self._is_ours(name, old)
        return not self._is_ours(name, old)

    def _is_ours(self, name: str, old: object) -> bool:
        # The kit itself replaces the one, and each manager that is made the other.
        if f"{self.label}.{name}" in (workers.SHARED, MANAGERS):
            return True
        if self.label == "asyncio" and name in NEST_ASYNCIO:
            return "_nest_patched" in self._owner.__dict__
        now = self._owner.__dict__.get(name)
        return hooks.is_replacement(old) or hooks.is_replacement(now)


def _all_are(some: Mapping, others: Mapping) -> bool:
    """Whether both have the same objects in the same order: a loop in C."""
    values = map(operator.is_, some.values(), others.values())
    return all(values) and all(map(operator.is_, some, others))


class Switch(NamedTuple):
    """A state of the process: how to read it, and how to bring it about."""

    read: Callable[[], object]
    write: Callable[[object], object]


SWITCHES = [
    Switch(gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    Switch(gc.get_threshold, lambda levels: gc.set_threshold(*levels)),
    Switch(gc.get_debug, gc.set_debug),
    Switch(sys.getrecursionlimit, sys.setrecursionlimit),
    Switch(sys.getswitchinterval, sys.setswitchinterval),
    Switch(threading.gettrace, threading.settrace),
    Switch(threading.getprofile, threading.setprofile),
    Switch(socket.getdefaulttimeout, socket.setdefaulttimeout),
    Switch(
        lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)
    ),
    Switch(lambda: logging.root.manager.disable, logging.disable),
    Switch(threading.stack_size, threading.stack_size),
]

if os.name == "posix":
    import resource

    def _umask() -> int:
        found = os.umask(0o022)
        os.umask(found)
        return found

    def _limit(kind: int) -> Switch:
        return Switch(lambda: resource.getrlimit(kind), lambda pair: resource.setrlimit(kind, pair))

    SWITCHES += [
        Switch(_umask, os.umask),
        Switch(
            # Whether an alarm is set: how long it still has to go changes by itself.
            lambda: signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0),
            lambda on: None if on else signal.setitimer(signal.ITIMER_REAL, 0),
        ),
        *map(_limit, [resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE]),
    ]


class Contents:
    """What lists and dictionaries hold, one in another. They themselves stay the same objects."""

    def __init__(self, value: object):
        self._value = value
        if type(value) is dict:
            self._held = {key: Contents(each) for key, each in value.items()}
        elif type(value) is list:
            self._held = [Contents(each) for each in value]
        elif type(value) is set:
            self._held = set(value)
        else:
            self._held = None

    def put_back(self) -> object:
        """Let it hold what it held, and return it."""
        if type(self._held) is dict:
            held = {key: each.put_back() for key, each in self._held.items()}
            if not _same(held, self._value):
                self._value.clear()
                self._value.update(held)
        elif type(self._held) is set:
            self._value.intersection_update(self._held)
        elif self._held is not None:
            held = [each.put_back() for each in self._held]
            if not _same(dict(enumerate(held)), dict(enumerate(self._value))):
                self._value[:] = held
        return self._value


def _same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(one[key] is other[key] for key in one)


class _Names:
    """What the names of all namespaces stand for now."""

    def __init__(self):
        self._builtins = dict(builtins.__dict__)
        self._modules = dict(sys.modules)
        passing = [*_PASSING, *_of_running_loop()]
        self._namespaces = [(each, each.read()) for each in [*passing, *namespaces()]]

    def put_back(self) -> None:
        # By itself, and with nothing but a dictionary's own methods: any name may be gone.
        builtins.__dict__.update(self._builtins)
        sys.modules.update(self._modules)
        for namespace, before in self._namespaces:
            namespace.put_back(before)


class Snapshot:
    """All of it as it is now. `put_back` makes it so again; once is enough, and twice no harm."""

    def __init__(self):
        self._names = _Names()
        self._switches = [(each, each.read()) for each in SWITCHES]
        self._contents = [Contents(each) for each in _containers()]
        self._environment, self._folder = dict(os.environ), folder()

    def put_back(self) -> None:
        """Undo what was changed meanwhile. Names first: what comes later calls them."""
        self._names.put_back()
        for each in self._contents:
            each.put_back()
        _forget_receivers()
        for switch, before in self._switches:
            if switch.read() != before:
                switch.write(before)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        if self._folder is not None and folder() != self._folder:
            os.chdir(self._folder)


@contextmanager
def with_builtins() -> Iterator[None]:
    """Put every builtin back at once that the block replaces, on whichever thread.

    Without `len` or `isinstance` no event loop goes on, that of the kernel no more than others. So
    another thread looks after them, which needs nothing but a lock and two dictionaries.
    """
    found, before, ended = builtins.__dict__, dict(builtins.__dict__), threading.Lock()

    def watch() -> None:
        while not ended.acquire(timeout=0.005):
            found.update(before)

    watcher = threading.Thread(target=watch, name="builtins", daemon=True)
    ended.acquire()
    watcher.start()
    try:
        yield
    finally:
        ended.release()
        watcher.join()


def folder() -> str | None:
    """The working folder; None if it is gone."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def namespaces() -> list:
    """Those of Python and asgiref, and if Django is set up those of Django and of its models."""
    found = [_BUILTINS, *_loaded(*MODULES, *CLASSES)]
    if _django_is_ready():
        found += [*_loaded(*OF_DJANGO), *_of_project(), *_of_models()]
    return found


_BUILTINS = Namespace("builtins", builtins)
_PASSING = [Namespace("sys", sys, STREAMS_AND_PATHS), Namespace("os", os, ("environ",))]


def _of_running_loop() -> Iterator[Namespace]:
    """What can be set of the running loop, if it is written in Python."""
    loop = asyncio._get_running_loop()
    if isinstance(loop, asyncio.BaseEventLoop):
        # It makes its executor when that is needed first.
        names = [name for name in LOOP if name != "_default_executor" or vars(loop)[name]]
        yield Namespace("the event loop", loop, tuple(names))


def _loaded(*dotted: str) -> Iterator[Namespace]:
    """Those that are there: nothing is imported for this."""
    for name in dotted:
        module, _, last = name.rpartition(".")
        owner = sys.modules.get(name) or getattr(sys.modules.get(module), last, None)
        if owner is not None:
            yield Namespace(name, owner)


@functools.cache
def _of_models() -> list[Namespace]:
    from django.apps import apps

    models = apps.get_models()
    managers = {
        id(manager): manager for model in models for manager in model._meta.managers_map.values()
    }
    return [
        *(Namespace(model.__name__, model) for model in models),
        *(Namespace(f"{model.__name__}._meta", model._meta, OF_META + REMADE) for model in models),
        *(Namespace(f"{each.model.__name__}.{each.name}", each) for each in managers.values()),
    ]


@functools.cache
def _of_project() -> list:
    from django.db import router

    router.routers  # noqa: B018 - made when they are first asked for
    routers = Namespace("django.db.router", router, ("routers",))
    return [NameOfSettings(), ProjectSettings(), ProjectModels(), routers]


def _containers() -> Iterator[object]:
    """Lists and dictionaries that everybody shares."""
    yield from (sys.path, sys.meta_path, sys.path_hooks, warnings.filters)
    # With another `isinstance`, asyncio may have taken a list for a coroutine.
    yield getattr(asyncio.coroutines, "_iscoroutine_typecache", None)
    if _django_is_ready():
        from django.conf import settings
        from django.db import connections

        yield from (settings.__dict__, settings._wrapped.__dict__, connections.settings)
        yield from (each.receivers for each in _signals())


@functools.cache
def _signals() -> list:
    from django.dispatch import Signal

    found = [vars(pkgutil.resolve_name(name)).values() for name in SIGNALS if name in sys.modules]
    return [each for values in found for each in values if isinstance(each, Signal)]


def _forget_receivers() -> None:
    """What a signal with a cache has gathered for a sender may be out of date."""
    for each in _signals() if _django_is_ready() else ():
        each.sender_receivers_cache.clear()


def _django_is_ready() -> bool:
    apps = getattr(sys.modules.get("django.apps"), "apps", None)
    return apps is not None and apps.ready


def _logger(name: str) -> Switch:
    logger = logging.getLogger(name)

    def read() -> tuple:
        lists = [*logger.handlers], [*logger.filters]
        return logger.level, logger.disabled, logger.propagate, *lists

    def write(state: tuple) -> None:
        level, logger.disabled, logger.propagate, logger.handlers[:], logger.filters[:] = state
        logger.setLevel(level)

    return Switch(read, write)


SWITCHES += map(_logger, LOGGERS)


class _Baseline:
    """What each name stood for when it was met: when the kit was imported, or Django set up."""

    def __init__(self):
        self._known: dict[str, tuple[Namespace, dict]] = {}
        self.meet()

    def replaced(self) -> list[str]:
        """The names that stand for something else by now: ["builtins.len"]."""
        self.meet()
        changed = [
            f"{each.label}.{name}"
            for each, before in self._known.values()
            for name in each.changed(before)
        ]
        return [name for name in changed if name not in HOOKS and not name.endswith(_REMADE)]

    def put_back(self) -> None:
        for each, before in self._known.values():
            each.put_back(before, but=_hooks_of(each.label))

    def meet(self) -> None:
        """Remember what is there now of namespaces that are new."""
        for each in namespaces():
            if each.label not in self._known:
                self._known[each.label] = each, each.read()


@functools.cache
def _hooks_of(label: str) -> set[str]:
    """The names of a namespace that are there to be replaced."""
    places = [hook.rpartition(".") for hook in HOOKS]
    return {name for owner, _, name in places if owner == label}


_baseline = _Baseline()
when_set_up.append(_baseline.meet)


@contextmanager
def as_imported() -> Iterator[list[str]]:
    """Let the block, the kit's own code, have all names as they were when the kit was imported.

    Then they are again as they were before.

    Yields:
        The names that stand for something else outside of the block.
    """
    replaced = _baseline.replaced()
    if not replaced:
        yield replaced
        return
    names = _Names()
    try:
        _baseline.put_back()
        yield replaced
    finally:
        names.put_back()


@contextmanager
def for_checked_code() -> Iterator[list[str]]:
    """As `as_imported`, for a block that runs code which may replace anything."""
    with as_imported() as replaced:
        here = Snapshot()
        try:
            # A hook that raises would end every thread of the check as it begins.
            threading.settrace(None)
            threading.setprofile(None)
            yield replaced
        finally:
            here.put_back()
