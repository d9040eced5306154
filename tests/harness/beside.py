"""What a reader may have done to a kernel before a check, and what may go on beside one."""

from dataclasses import dataclass
from itertools import count

BARE = "{check}"

_numbers = count()


@dataclass(frozen=True)
class Beside:
    """Cells that a reader runs before a check.

    Args:
        before: it comes before the check.
        after: it undoes that.
        around: the check's own cell, with `{check}` where the check stands.
        mixes: whether all who do can be there at once, so that one round tries them all.
    """

    before: str = ""
    after: str = ""
    around: str = BARE
    mixes: bool = True


def task(body: str, after: str = "", mixes: bool = True) -> Beside:
    """A task that goes on: `body` is what it does, again and again."""
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    before = f"async def _go_on():\n    while True:\n{lines}\n        await asyncio.sleep(0.02)\n"
    name = f"_task_{next(_numbers)}"
    end = f"{name}.cancel()\nawait asyncio.wait([{name}])\n{after}"
    return Beside(
        f"import asyncio\n{before}{name} = asyncio.create_task(_go_on())", end, BARE, mixes
    )


def thread(body: str, after: str = "", mixes: bool = True) -> Beside:
    """A thread that goes on, the same."""
    lines = "\n".join(f"            {line}" for line in body.strip().splitlines())
    name = f"_thread_{next(_numbers)}"
    before = f"""
import threading
from django.db import Error, connections
{name}_end = threading.Event()
def _go_on(end={name}_end):
    while not end.wait(0.02):
        try:
{lines}
        except Error:
            pass
    connections.close_all()
{name} = threading.Thread(target=_go_on)
{name}.start()
"""
    return Beside(before, f"{name}_end.set()\n{name}.join()\n{after}", BARE, mixes)


def put(name: str, value: str, imports: str = "", mixes: bool = True) -> Beside:
    """Another value in the place of `name`, which the value may call `found`."""
    kept = f"_found_{name.replace('.', '_')}"
    before = f"{imports}\nfound = {kept} = {name}\n{name} = {value}\ndel found"
    return Beside(before, f"{name} = {kept}", BARE, mixes)


def switch(before: str, after: str, mixes: bool = True) -> Beside:
    """A switch of the process."""
    return Beside(before, after, BARE, mixes)


def around(cell: str) -> Beside:
    """Something that the check's cell does around it."""
    return Beside(around=cell)


MODELS = "from library.models import Author, Book, Loan, Member\n"

GOES_ON = {
    "a ticker": task("pass"),
    "tasks that come and go": task(
        "await asyncio.gather(*[asyncio.sleep(0) for _ in range(5)])\n"
        "asyncio.create_task(asyncio.sleep(0.001))"
    ),
    "tasks that fail": task("asyncio.ensure_future(asyncio.sleep('soon'))", mixes=False),
    "a task that holds the loop": task("__import__('time').sleep(0.03)", mixes=False),
    "queries on the worker": task(f"{MODELS}[book async for book in Book.objects.all()[:3]]"),
    "queries in a thread": thread(f"{MODELS}Loan.objects.count()"),
    "queries in the pool": task(f"{MODELS}await asyncio.to_thread(Loan.objects.exists)"),
    "queries on a loop in a thread": thread(
        f"{MODELS}__import__('asyncio').run(Loan.objects.acount())"
    ),
    "a view that async_to_sync calls": thread(
        f"from asgiref.sync import async_to_sync\n{MODELS}async_to_sync(Loan.objects.acount)()"
    ),
    "rows that are written on the worker": task(
        f"{MODELS}await Loan.objects.filter(returned=None).aupdate(due='2025-01-01')\n"
        "await Book.objects.acreate(title='Ulysses', year=1922, author_id=1)",
        mixes=False,
    ),
    "rows that are deleted in a thread": thread(f"{MODELS}Loan.objects.all().delete()"),
    "a write lock held in a thread": thread(
        f"{MODELS}from django.db import transaction\n"
        "with transaction.atomic():\n    Loan.objects.update(due='2025-01-01')\n    end.wait(0.5)",
        mixes=False,
    ),
    "transactions begun and undone on the worker": task(
        "from asgiref.sync import sync_to_async\nfrom django.db import transaction\n"
        "block = transaction.atomic()\nawait sync_to_async(block.__enter__)()\n"
        "await asyncio.sleep(0.02)\n"
        "await sync_to_async(block.__exit__)(ValueError, ValueError(), None)",
        mixes=False,
    ),
    "a worker whose connections are closed": task(
        "from asgiref.sync import sync_to_async\nfrom django.db import connections\n"
        "await sync_to_async(connections.close_all)()",
        mixes=False,
    ),
    "threads that come and go": thread("threading.Thread(target=int).start()"),
    "recordings that come and go": task(
        "from asynclab.recorder import taps\nwith taps.recording():\n    await asyncio.sleep(0)",
        mixes=False,
    ),
    "prints": task("print('tick')", mixes=False),
    "garbage that is collected": thread("__import__('gc').collect()", mixes=False),
    # Last, for it lets nobody else use the worker.
    "a worker at work": Beside(
        "import asyncio, threading\nfrom asgiref.sync import sync_to_async\n"
        "_let_go = threading.Event()\n"
        "_held = asyncio.ensure_future(sync_to_async(_let_go.wait)(100))\n"
        "await asyncio.sleep(0)",
        "_let_go.set()\nawait _held",
    ),
}

DONE_BEFORE = {
    "nothing": Beside(),
    "data that is gone": Beside(
        f"{MODELS}await Loan.objects.all().adelete()\n"
        "await Book.objects.all().adelete()\nawait Member.objects.all().adelete()",
    ),
    "other loans": Beside(
        f"{MODELS}await Member.objects.all().aupdate(name='Nemo')\n"
        "await Loan.objects.filter(returned=None).aupdate(due='2031-01-01')",
        mixes=False,
    ),
    "a table that is gone": Beside(
        "from asgiref.sync import sync_to_async\nfrom django.db import connection\n"
        "await sync_to_async(lambda: connection.cursor().execute('DROP TABLE library_loan'))()",
        mixes=False,
    ),
    "a transaction left open on the worker": Beside(
        "from asgiref.sync import sync_to_async\nfrom django.db import transaction\n"
        f"{MODELS}_block = transaction.atomic()\n"
        "await sync_to_async(_block.__enter__)()\nawait Loan.objects.aupdate(due='2031-01-01')",
        "await sync_to_async(_block.__exit__)(None, None, None)",
        mixes=False,
    ),
    "a worker that was shut down": Beside(
        "import concurrent.futures\nfrom asgiref.sync import SyncToAsync\n"
        "SyncToAsync.single_thread_executor.shutdown()",
        "SyncToAsync.single_thread_executor = concurrent.futures.ThreadPoolExecutor(1)",
        mixes=False,
    ),
    "a worker that has a loop": Beside(
        "import asyncio\nfrom asgiref.sync import sync_to_async\n_loop = asyncio.new_event_loop()\n"
        "await sync_to_async(asyncio._set_running_loop)(_loop)",
        "await sync_to_async(asyncio._set_running_loop)(None)\n_loop.close()",
        mixes=False,
    ),
    "asyncio's debug mode": switch(
        "import asyncio, os\nasyncio.get_running_loop().set_debug(True)\n"
        "os.environ['PYTHONASYNCIODEBUG'] = '1'",
        "asyncio.get_running_loop().set_debug(False)\ndel os.environ['PYTHONASYNCIODEBUG']",
    ),
    "a pool of one, at work": Beside(
        "import asyncio, threading\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "_go = threading.Event()\n_pool = ThreadPoolExecutor(1)\n_pool.submit(_go.wait, 100)\n"
        "asyncio.get_running_loop().set_default_executor(_pool)",
        "_go.set()\nasyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())",
        mixes=False,
    ),
    "a task factory": switch(
        "import asyncio\n_eager = getattr(asyncio, 'eager_task_factory', None)\n"
        "asyncio.get_running_loop().set_task_factory(\n"
        "    _eager or (lambda loop, coro, **how: asyncio.Task(coro, loop=loop, **how))\n)",
        "asyncio.get_running_loop().set_task_factory(None)",
    ),
    "an exception handler that raises": switch(
        "import asyncio\nasyncio.get_running_loop().set_exception_handler(lambda *_: 1 / 0)",
        "asyncio.get_running_loop().set_exception_handler(None)",
    ),
    "asyncio.run replaced": put("asyncio.run", "lambda main, **_: main.close()", "import asyncio"),
    "asyncio.to_thread counted": put(
        "asyncio.to_thread", "(lambda f: lambda *args: f(*args))(found)", "import asyncio"
    ),
    "logging off": switch("import logging\nlogging.disable()", "logging.disable(logging.NOTSET)"),
    "every query logged": switch(
        "import io, logging.config\nfrom django.conf import settings\nsettings.DEBUG = True\n"
        "_loggers = {name: {'level': 'DEBUG'} for name in ('', 'asyncio', 'django.db.backends')}\n"
        "logging.config.dictConfig({'version': 1, 'loggers': _loggers})",
        "settings.DEBUG = False\n"
        "for name in _loggers:\n    logging.getLogger(name).setLevel('WARNING')\n"
        "for each in logging.root.manager.loggerDict.values():\n    each.disabled = False",
        mixes=False,
    ),
    "a log handler that raises": switch(
        "import logging\nclass _Handler(logging.Handler):\n"
        "    def emit(self, record):\n        1 / 0\n"
        "_handler = _Handler()\nlogging.root.addHandler(_handler)\nlogging.root.setLevel('DEBUG')",
        "logging.root.removeHandler(_handler)\nlogging.root.setLevel('WARNING')",
        mixes=False,
    ),
    "another time zone": switch(
        "import os, time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()",
        "del os.environ['TZ']\ntime.tzset()",
    ),
    "settings without middleware": put(
        "settings.MIDDLEWARE", "[]", "from django.conf import settings", mixes=False
    ),
    "settings changed": switch(
        "from django.test import override_settings\n"
        "_settings = override_settings(LANGUAGE_CODE='de', USE_TZ=False, TIME_ZONE='Asia/Tokyo')\n"
        "_settings.enable()",
        "_settings.disable()",
    ),
    "the guard off": switch(
        "import os\nos.environ['DJANGO_ALLOW_ASYNC_UNSAFE'] = '1'",
        "del os.environ['DJANGO_ALLOW_ASYNC_UNSAFE']",
    ),
    "a recording": switch(
        "from asynclab.recorder import taps\n_recording = taps.start()", "taps.stop(_recording)"
    ),
    "no garbage collector": switch("import gc\ngc.disable()", "gc.enable()"),
    "a garbage collector in a hurry": switch(
        "import gc\n_every = gc.get_threshold()\ngc.set_threshold(10)",
        "gc.set_threshold(*_every)",
        False,
    ),
    "a small recursion limit": switch(
        "import sys\n_depth = sys.getrecursionlimit()\nsys.setrecursionlimit(400)",
        "sys.setrecursionlimit(_depth)",
        mixes=False,
    ),
    "threads in a hurry": switch(
        "import sys\nsys.setswitchinterval(1e-6)", "sys.setswitchinterval(0.005)", mixes=False
    ),
    "a trace hook": switch(
        "import sys, threading\ndef _trace(*_):\n    return _trace\n"
        "sys.settrace(_trace)\nthreading.settrace(_trace)",
        "sys.settrace(None)\nthreading.settrace(None)",
        mixes=False,
    ),
    "a profile hook": switch(
        "import sys, threading\nthreading.setprofile(lambda *_: None)",
        "threading.setprofile(None)",
        False,
    ),
    "tracemalloc": switch("import tracemalloc\ntracemalloc.start()", "tracemalloc.stop()", False),
    "small stacks": switch(
        "import threading\nthreading.stack_size(2**18)", "threading.stack_size(0)", mixes=False
    ),
    "hooks that raise": switch(
        "import sys, threading\n_hooks = threading.excepthook, sys.unraisablehook\n"
        "threading.excepthook = sys.unraisablehook = lambda *_: 1 / 0",
        "threading.excepthook, sys.unraisablehook = _hooks",
        mixes=False,
    ),
    "print replaced": put("builtins.print", "lambda *_, **__: None", "import builtins"),
    "another working folder": switch(
        "import os\n_folder = os.getcwd()\nos.chdir('/')", "os.chdir(_folder)"
    ),
    "a socket timeout": switch(
        "import socket\nsocket.setdefaulttimeout(0.001)", "socket.setdefaulttimeout(None)"
    ),
    "queries counted": put(
        "QuerySet.acount",
        "(lambda f: lambda self: f(self))(found)",
        "from django.db.models import QuerySet",
    ),
    "threads counted": put(
        "threading.Thread.start", "(lambda f: lambda self: f(self))(found)", "import threading"
    ),
    "connections open in threads": Beside(
        f"import threading\n{MODELS}from django.db import connections\n"
        "_close = threading.Event()\n"
        "def _open():\n    Loan.objects.count()\n    _close.wait(100)\n"
        "    connections.close_all()\n"
        "_open_in = [threading.Thread(target=_open) for _ in range(3)]\n"
        "for each in _open_in:\n    each.start()",
        "_close.set()\nfor each in _open_in:\n    each.join()",
    ),
    "connections that are kept": switch(
        "from django.db import connections\nconnections.settings['default']['CONN_MAX_AGE'] = 600",
        "connections.settings['default']['CONN_MAX_AGE'] = 0",
    ),
    "a receiver that raises": switch(
        "from django.db.backends.signals import connection_created\n"
        "from django.db.models.signals import post_save\ndef _receive(**_):\n    1 / 0\n"
        "post_save.connect(_receive)\nconnection_created.connect(_receive)",
        "post_save.disconnect(_receive)\nconnection_created.disconnect(_receive)",
        mixes=False,
    ),
    "a receiver that writes": switch(
        "from django.db.models.signals import post_save\nfrom library.models import Loan, Member\n"
        "def _write(sender, **_):\n    Member.objects.update(name='Nemo')\n"
        "post_save.connect(_write, sender=Loan)",
        "post_save.disconnect(_write, sender=Loan)",
    ),
    "a cursor left open": Beside(
        "from asgiref.sync import sync_to_async\n"
        f"{MODELS}_rows = iter(())\ndef _begin():\n    global _rows\n"
        "    _rows = Book.objects.iterator(chunk_size=2)\n    next(_rows)\n"
        "await sync_to_async(_begin)()",
        "del _rows",
        mixes=False,
    ),
    # Last of those that mix: the cells of the others may warn.
    "warnings as errors": switch(
        "import warnings\n_filters = warnings.filters[:]\nwarnings.simplefilter('error')",
        "warnings.resetwarnings()\nwarnings.filters[:] = _filters",
    ),
}

IN_ITS_CELL = {
    "a language": around(
        "from django.utils import translation\nwith translation.override('de'):\n    {check}"
    ),
    "a thread-sensitive context": around(
        "from asgiref.sync import ThreadSensitiveContext\n"
        "async with ThreadSensitiveContext():\n    {check}"
    ),
    "context variables": around(
        "import contextvars\nfor each in list(globals().values()):\n"
        "    if isinstance(each, contextvars.ContextVar):\n        each.set('mine')\n{check}"
    ),
    "decimals": around("import decimal\nwith decimal.localcontext(prec=1):\n    {check}"),
    "a timeout": around("import asyncio\nasync with asyncio.timeout(100):\n    {check}"),
    "a time zone": around(
        "from django.utils import timezone\nwith timezone.override('Asia/Tokyo'):\n    {check}"
    ),
    "another loop": around(
        "import asyncio\nasync def _check():\n    global gate_verdict\n    {check}\n"
        "await asyncio.to_thread(asyncio.run, _check())"
    ),
    "another check": around(
        "import asyncio\nasync def _check():\n    global gate_verdict\n    {check}\n"
        "await asyncio.gather(_check(), _check())"
    ),
    "%%capture": around("%%capture\n{check}"),
}

EVERY = {**GOES_ON, **DONE_BEFORE, **IN_ITS_CELL}


def mixture() -> Beside:
    """All that mix, at once."""
    mixed = [each for each in (*DONE_BEFORE.values(), *GOES_ON.values()) if each.mixes]
    cell = BARE
    for name in ("a language", "a thread-sensitive context", "a time zone", "context variables"):
        cell = _within(cell, IN_ITS_CELL[name].around)
    return Beside(
        "\n".join(each.before for each in mixed),
        "\n".join(each.after for each in reversed(mixed)),
        cell,
    )


def _within(cell: str, outer: str) -> str:
    line = next(line for line in outer.splitlines() if BARE in line)
    margin = line.removesuffix(BARE)
    return outer.replace(line, "\n".join(margin + each for each in cell.splitlines()))
