"""Whatever an answer replaces, turns off or leaves: the next right answer passes, in one kernel."""

import ast
import asyncio
import inspect
import pkgutil

import pytest

from asynclab.exercises.surroundings import for_checked_code
from tests.harness import cells
from tests.harness.gate import Kernel

# What an answer does in its call, and what has to be afterwards as it was before. One row a place.
PLACES = {
    "print": ("builtins.print = lambda *a, **k: None", "print"),
    "open": ("builtins.open = None", "open"),
    "len": ("builtins.len = lambda each: 3", "len"),
    "isinstance": ("builtins.isinstance = lambda *a: True", "isinstance"),
    "sum": ("builtins.sum = lambda *a: 0", "sum"),
    "a builtin deleted": ("del builtins.range", "range"),
    "import": ("builtins.__import__ = None", "builtins.__import__"),
    "asyncio.sleep": ("asyncio.sleep = None", "asyncio.sleep"),
    "asyncio.gather": ("asyncio.gather = None", "asyncio.gather"),
    "asyncio.wait": ("asyncio.wait = None", "asyncio.wait"),
    "asyncio.run": ("asyncio.run = None", "asyncio.run"),
    "asyncio.to_thread": ("asyncio.to_thread = None", "asyncio.to_thread"),
    "sync_to_async": ("SyncToAsync.__call__ = None", "SyncToAsync.__call__"),
    "async_to_sync": ("AsyncToSync.__call__ = None", "AsyncToSync.__call__"),
    "shared worker": (
        "SyncToAsync.single_thread_executor.shutdown(wait=False)",
        "await sync_to_async(int)()",
    ),
    "no shared worker": (
        "SyncToAsync.single_thread_executor = 3",
        "await sync_to_async(int)()",
    ),
    "Thread": ("threading.Thread = None", "threading.Thread"),
    "Thread.start": ("threading.Thread.start = None", "threading.Thread.start"),
    "pool": ("ThreadPoolExecutor.submit = None", "ThreadPoolExecutor.submit"),
    "time.sleep": ("time.sleep = None", "time.sleep"),
    "time.monotonic": ("time.monotonic = lambda: 0.0", "time.monotonic"),
    "inspect": ("inspect.isawaitable = bool", "inspect.isawaitable"),
    "json": ("json.dumps = None", "json.dumps"),
    "logging.disable": ("logging.disable(logging.CRITICAL)", "logging.root.manager.disable"),
    "root logger": (
        "logging.root.setLevel(99), logging.root.handlers.append(None)",
        "logging.root.level, [*logging.root.handlers]",
    ),
    "trace": ("threading.settrace(print)", "threading.gettrace()"),
    "profile": ("threading.setprofile(int)", "threading.getprofile()"),
    "DEBUG": ("settings.DEBUG = 'perhaps'", "settings.DEBUG"),
    "DATABASES": ("settings.DATABASES = {}", "[*settings.DATABASES]"),
    "setting deleted": ("del settings.DATABASES", "[*settings.DATABASES]"),
    "new setting": ("settings.SHELF = 3", "hasattr(settings, 'SHELF')"),
    "CACHES": ("settings.CACHES = {}", "[*settings.CACHES]"),
    "in a setting": (
        "settings.DATABASES['default']['ENGINE'] = 'none'",
        "settings.DATABASES['default']['ENGINE']",
    ),
    "no settings": ("vars(settings)['_wrapped'] = None", "settings.DEBUG"),
    "a setting's list": ("settings.MIDDLEWARE.append('none')", "settings.MIDDLEWARE[-1]"),
    "a model added": ("add_review()", "related(Book)"),
    "an order of rows": ("Book._meta.ordering = ['-title']", "Book._meta.ordering"),
    "routers": ("router.routers = [None]", "router.routers"),
    "database's name": ("connections.settings['default']['NAME'] = '/none/x'", "NAME()"),
    "environment": ("os.environ.clear()", "dict(os.environ)"),
    "os.environ": ("os.environ = {}", "type(os.environ), dict(os.environ)"),
    "folder": ("os.chdir('/')", "os.getcwd()"),
    "folder that is gone": (
        "folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder)",
        "os.getcwd()",
    ),
    "sys.path": ("sys.path.clear()", "[*sys.path]"),
    "modules": ("sys.modules.pop('asynclab'), sys.modules.pop('django')", "len(sys.modules) > 99"),
    "stdout": ("sys.stdout = sys.stderr = None", "sys.stdout"),
    "stdout closed": ("sys.stdout.close()", "sys.stdout.closed"),
    "locale": ("locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_ALL)"),
    "warnings": ("warnings.simplefilter('error')", "[*warnings.filters]"),
    "gc": ("gc.disable(), gc.set_threshold(1)", "gc.isenabled(), gc.get_threshold()"),
    "recursion limit": ("sys.setrecursionlimit(200)", "sys.getrecursionlimit()"),
    "switch interval": ("sys.setswitchinterval(9)", "sys.getswitchinterval()"),
    "socket timeout": ("socket.setdefaulttimeout(1e-9)", "socket.getdefaulttimeout()"),
    "hooks of sys": ("sys.excepthook = sys.unraisablehook = None", "sys.excepthook"),
    "manager": ("Book.objects = None", "Book.objects"),
    "manager's method": ("Book.objects.acount = None", "Book.objects.acount.__name__"),
    "model's method": ("Book.save = None", "Book.save"),
    "queryset": ("QuerySet.acount = QuerySet.count = None", "QuerySet.acount, QuerySet.count"),
    "cursor": ("CursorWrapper.execute = None", "CursorWrapper.execute"),
    "receiver gone": (
        "connection_created.receivers.clear()",
        "len(connection_created.receivers)",
    ),
    "receiver added": ("post_init.connect(print, weak=False)", "len(post_init.receivers)"),
    "atomic block": ("await sync_to_async(atomic().__enter__)()", "await writes()"),
    "transaction": ("await sync_to_async(begin)()", "await writes()"),
    "query wrapper": (
        "await sync_to_async(lambda: connection.execute_wrappers.append(None))()",
        "await writes()",
    ),
    "tables": ("await sync_to_async(drop)()", "await writes()"),
    "notebook's names": ("globals().clear()", "asyncio, Book, check, get_ipython"),
    "exit": ("get_ipython().ask_exit()", "'ask_exit' in vars(get_ipython())"),
    "displayhook": ("sys.displayhook = print", "sys.displayhook"),
    "umask": ("os.umask(0o077)", "umask()"),
    "alarm": (
        "signal.setitimer(signal.ITIMER_REAL, 99)",
        "signal.getitimer(signal.ITIMER_REAL)",
    ),
    "Django's logger": (
        "logging.getLogger('django').disabled = True",
        "logging.getLogger('django').disabled",
    ),
    "a list for a coroutine": (
        "builtins.isinstance = lambda *a: True; asyncio.iscoroutine([])",
        "asyncio.iscoroutine([])",
    ),
    "loop's debug mode": ("kernel.set_debug(True)", "kernel.get_debug()"),
    "loop's factory": ("kernel.set_task_factory(None)", "kernel.get_task_factory()"),
    "loop's handler": (
        "kernel.set_exception_handler(print)",
        "kernel.get_exception_handler()",
    ),
    "loop's executor": ("kernel._default_executor = 3", "await asyncio.to_thread(int)"),
}

PROCESSES = {
    "Popen": "subprocess.Popen(['sleep', '77'])",
    "a shell": "subprocess.Popen('sleep 77; true', shell=True, start_new_session=True)",
    "fork": "os.fork() or time.sleep(77)",
    "a fork that goes on": "os.fork()",
    "a fork that fails": "os.fork() or 1 / 0",
    "multiprocessing": "forking.Process(target=time.sleep, args=[77]).start()",
}

PRELUDE = """
import asyncio, builtins, gc, inspect, json, locale, logging, multiprocessing, os, socket, sqlite3
import signal, subprocess, sys, tempfile, threading, time, warnings
import psutil
from asgiref.sync import AsyncToSync, SyncToAsync, sync_to_async
from concurrent.futures import ThreadPoolExecutor
from django.conf import settings
from django.db import connection, connections, router
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from django.db.models import CASCADE, ForeignKey, Model, QuerySet
from django.db.models.signals import post_init
from django.db.transaction import atomic
from library.models import Author, Book

kernel = asyncio.get_running_loop()
forking = multiprocessing.get_context("fork")

def NAME():
    return os.path.exists(connections.settings["default"]["NAME"])

def umask():
    found = os.umask(0)
    os.umask(found)
    return found

def begin():
    connection.cursor().execute("BEGIN EXCLUSIVE")

def drop():
    connection.cursor().execute("DROP TABLE library_loan")

def add_review():
    book = ForeignKey("library.Book", CASCADE, related_name="reviews")
    return type("Review", (Model,), {"__module__": "library.models", "book": book})

def related(model):
    return [each.name for each in model._meta.related_objects]

async def writes():
    await Author.objects.acreate(name="Ann")
    return await Author.objects.filter(name="Ann").adelete()

async def outcome(source):
    exec(source, globals())
    verdict = await check("0.1")
    return verdict.outcome, str(verdict)
"""

AFTER = """
async def seen():
    return {probe}
before = await seen()
said = (await outcome({source!r}))[1]
after = await seen()
right = await outcome(RIGHT)
later = await seen()
left = [each.status() for each in psutil.Process().children(recursive=True)]
left = [status for status in left if status != psutil.STATUS_ZOMBIE]
"""

RIGHT = "async def count_books():\n    return await Book.objects.acount()"


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel(0)
    kernel.run(f"RIGHT = {RIGHT!r}\n{PRELUDE}")
    yield kernel
    kernel.close()


def aftermath(kernel, deed, probe="None"):
    """What is said of an answer that does `deed`, and of the right one after it."""
    source = f"async def count_books():\n    {deed}\n    return await Book.objects.acount()"
    code = AFTER.format(probe=probe, source=source)
    same = "repr(before) == repr(after) == repr(later)"
    expressions = {"said": "said", "right": "right", "same": same}
    said = kernel.run(code, **expressions, left="left")
    return {name: ast.literal_eval(text) for name, text in said.items()}


@pytest.mark.parametrize("place", PLACES)
def test_what_an_answer_changes_is_as_it_was(kernel, place):
    found = aftermath(kernel, *PLACES[place])
    assert found["right"][0] == "passed", found
    assert found["same"], found


@pytest.mark.parametrize("kind", PROCESSES)
def test_a_process_ends_with_the_call(kernel, kind):
    found = aftermath(kernel, PROCESSES[kind])
    assert found["right"][0] == "passed", found
    assert found["left"] == [], found


# What a cell does before a check: the name that is told, and whose it is afterwards.
REPLACED = {
    "asyncio.sleep": "asyncio.sleep = mine",
    "builtins.sum": "builtins.sum = mine",
    "time.monotonic": "time.monotonic = mine",
    "asgiref.sync.SyncToAsync.__call__": "SyncToAsync.__call__ = mine",
    "threading.Thread.start": "threading.Thread.start = mine",
    "django.db.models.query.QuerySet.acount": "QuerySet.acount = mine",
    "Book.save": "Book.save = mine",
    "Book.objects.acount": "Book.objects.acount = mine",
}


# The same of what is no name of a module or a class: a cell, what it brings about for the reader
# and not for the check, and a cell that undoes it.
OF_THE_PROJECT = {
    "settings.MIDDLEWARE": (
        "settings.MIDDLEWARE.append('none')",
        "settings.MIDDLEWARE[-1] == 'none'",
        "settings.MIDDLEWARE.pop()",
    ),
    "settings.ROOT_URLCONF": (
        "kept = settings.ROOT_URLCONF\nsettings.ROOT_URLCONF = 'none'",
        "settings.ROOT_URLCONF == 'none'",
        "settings.ROOT_URLCONF = kept",
    ),
    "settings.LANGUAGE_CODE": (
        "from django.test import override_settings\n"
        "kept = override_settings(LANGUAGE_CODE='de')\nkept.enable()",
        "settings.LANGUAGE_CODE == 'de'",
        "kept.disable()",
    ),
    "os.environ.DJANGO_SETTINGS_MODULE": (
        "kept = os.environ['DJANGO_SETTINGS_MODULE']\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'",
        "os.environ['DJANGO_SETTINGS_MODULE'] == 'mysite.settings'",
        "os.environ['DJANGO_SETTINGS_MODULE'] = kept",
    ),
    "models.library.review": (
        "review = add_review()",
        "'reviews' in related(Book)",
        "from django.apps import apps\ndel apps.all_models['library']['review']\n"
        "apps.clear_cache()\ndel Book.reviews",
    ),
    "Book._meta.ordering": (
        "kept = Book._meta.ordering\nBook._meta.ordering = ['-title']",
        "Book._meta.ordering == ['-title']",
        "Book._meta.ordering = kept",
    ),
    "django.db.router.routers": (
        "kept = router.routers\nrouter.routers = [None]",
        "router.routers == [None]",
        "router.routers = kept",
    ),
}


@pytest.mark.parametrize("name", OF_THE_PROJECT)
def test_what_a_cell_has_changed_of_the_project_is_named_and_stays_the_readers(kernel, name):
    before, stays, after = OF_THE_PROJECT[name]
    looks = RIGHT.replace("    return", f"    assert not ({stays})\n    return")
    kernel.run(before)
    said = kernel.run(f"right = await outcome({looks!r})", right="right", stays=stays)
    kernel.run(after)
    outcome, text = ast.literal_eval(said["right"])
    assert (outcome, said["stays"]) == ("passed", "True"), text
    assert f"`{name}`" in text.partition("Replaced in this kernel: ")[2]


# What the kernel itself calls from cell to cell.
OF_THE_KERNEL = {"builtins.sum", "time.monotonic"}
PASSES_ON = """\
import time
def mine(*args, _real=(sum, time.monotonic), **more):
    return _real[not args](*args, **more)
"""


@pytest.mark.parametrize("name", REPLACED)
def test_what_a_cell_has_replaced_is_named_and_stays_the_readers(kernel, name):
    place = REPLACED[name].removesuffix(" = mine")
    kernel.run(PASSES_ON if name in OF_THE_KERNEL else "def mine(*_, **__):\n    return 0")
    kernel.run(f"here = vars({place.rpartition('.')[0]})\nbefore = dict(here)\n{REPLACED[name]}")
    kernel.run(f"right = await outcome(RIGHT)\nstays = here[{name.rpartition('.')[2]!r}] is mine\n")
    kernel.run(
        "owner = {place}\n".format(place=place.rpartition(".")[0])
        + "for each in set(here) - set(before): delattr(owner, each)\n"
        "for each in before:\n"
        "    if here[each] is not before[each]: setattr(owner, each, before[each])"
    )
    said = kernel.run("", right="right", stays="stays")
    outcome, text = ast.literal_eval(said["right"])
    assert (outcome, said["stays"]) == ("passed", "True"), text
    assert f"Replaced in this kernel: `{name}`. The check ran with the original;" in text


def test_nothing_is_named_in_a_kernel_as_it_was(kernel):
    assert "Replaced" not in aftermath(kernel, "pass")["right"][1]


def test_threads_that_cannot_be_stopped_are_told(kernel):
    deed = "[threading.Thread(target=end.wait, daemon=True).start() for _ in range(50)]"
    kernel.run("end = threading.Event()")
    found = aftermath(kernel, deed)
    kernel.run("end.set()")
    assert "50 threads go on after the call, and cannot be stopped." in found["said"]
    assert found["right"][0] == "passed"


# What a cell does before a check that would let no code of the check begin.
IN_THE_WAY = {
    "a trace hook that raises": (
        "def fail(*_): raise OSError('traced')\nthreading.settrace(fail)",
        "threading.settrace(None)",
    ),
    "a profile hook that raises": (
        "def fail(*_): raise OSError('profiled')\nthreading.setprofile(fail)",
        "threading.setprofile(None)",
    ),
    "no shared worker": ("SyncToAsync.single_thread_executor = None", ""),
    "no working folder's name": ("getcwd = os.getcwd\nos.getcwd = None", "os.getcwd = getcwd"),
    "no sorted": ("kept = sorted\ndel builtins.sorted", "builtins.sorted = kept"),
}


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_a_check_begins_whatever_a_cell_has_put_in_its_way(kernel, kind):
    before, after = IN_THE_WAY[kind]
    kernel.run(before)
    kernel.run("right = await outcome(RIGHT)")
    kernel.run(after)
    assert ast.literal_eval(kernel.run("", right="right")["right"])[0] == "passed"


def test_what_is_replaced_before_the_first_check_is_named(tmp_path):
    kernel = cells.Kernel(tmp_path)
    kernel.run("from asynclab import boot, check\nboot()\nfrom library.models import Book")
    kernel.run("async def count_books():\n    return await Book.objects.acount()")
    kernel.run("Book.objects = None")
    said = kernel.run("print(await check('0.1'))").printed
    kernel.stop()
    assert "passed" in said
    assert "Replaced in this kernel: `Book.objects`." in said


GUARD_OFF = """
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
wrong = await outcome("async def count_books():\\n    return Book.objects.count()")
stays = os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
"""


def test_a_query_on_the_loop_is_refused_where_the_reader_has_switched_the_guard_off(kernel):
    said = kernel.run(GUARD_OFF, text="wrong[1]", stays="stays")
    assert "Django's guard stopped it." in ast.literal_eval(said["text"])
    assert said["stays"] == "'1'"


BESIDE = """
from asynclab import boot
counted, over = set(), threading.Event()

def count_on():
    while not over.is_set():
        counted.add(Book.objects.count())
    connections.close_all()

await Book.objects.filter(pk__gt=40).adelete()
beside = threading.Thread(target=count_on)
beside.start()
right = await outcome(RIGHT)
over.set()
await asyncio.to_thread(beside.join)
boot()
"""


def test_a_thread_beside_a_check_goes_on_with_the_readers_books(kernel):
    said = kernel.run(BESIDE, outcome="right[0]", counted="counted")
    assert (said["outcome"], said["counted"]) == ("'passed'", "{40}")


OF_CLASSES = (
    *("asyncio.Event.set", "asyncio.Lock.acquire", "asyncio.Queue.get", "asyncio.Runner.run"),
    *("asyncio.Semaphore.acquire", "asyncio.TaskGroup.create_task", "asyncio.Timeout.when"),
    *("concurrent.futures.Executor.map", "concurrent.futures.Future.result"),
    *("logging.Formatter.format", "logging.Handler.handle", "logging.Logger.info"),
    *("logging.LogRecord.getMessage", "logging.StreamHandler.emit"),
    *("logging.handlers.QueueHandler.emit", "logging.handlers.QueueListener.start"),
    *("threading.Condition.notify", "threading.Event.set", "threading.Thread.join"),
    *("asgiref.local.Local.__getattr__", "asgiref.sync.ThreadSensitiveContext.__aenter__"),
)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_method_is_put_back(name, monkeypatch):
    owner, _, method = name.rpartition(".")
    owner = pkgutil.resolve_name(owner)
    original = vars(owner)[method]
    with for_checked_code():
        monkeypatch.setattr(owner, method, None)
    assert vars(owner)[method] is original


OF_ASYNCIO = ("gather", "sleep", "timeout", "to_thread", "wait_for", "Event", "Lock", "Queue")


@pytest.mark.parametrize("name", OF_ASYNCIO)
def test_a_name_is_put_back_where_it_was_written(name, monkeypatch):
    """asyncio itself takes it from there, as `asyncio.wait_for` takes `timeout`."""
    module = inspect.getmodule(getattr(asyncio, name))
    assert module is not asyncio
    original = vars(module)[name]
    with for_checked_code():
        monkeypatch.setattr(module, name, None)
    assert vars(module)[name] is original
