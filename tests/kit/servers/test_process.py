"""Servers in processes of their own: their own settings, counted from outside, nothing left."""

import re

import pytest

from asynclab.ground.errors import LabError
from asynclab.servers import serving
from asynclab.servers.process import ServerProcess

POLLS = '''
write_module("polls", """
import asyncio, os
from django.http import HttpResponse
from django.urls import path
from library.models import Book

async def poll(request):
    await asyncio.sleep(0.01)
    return HttpResponse(f"{os.environ.get('SHELF')} {await Book.objects.acount()}")

urlpatterns = [path("poll/", poll)]
""")
write_module("calm", """
from config.settings import *
ROOT_URLCONF = "polls"
MIDDLEWARE = []
""")
'''

COMMANDS = [
    "uvicorn config.asgi:application",
    "gunicorn config.wsgi --threads 4",
    "hypercorn config.asgi:application",
    "granian --interface asgi config.asgi:application",
    "python manage.py runserver --noreload --skip-checks",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_has_the_settings_of_a_cell_and_the_kernels_data(command, run):
    said = run(
        POLLS
        + f"""

async def main():
    from library.models import Book
    await Book.objects.filter(pk=1).adelete()
    with serving({command!r}, settings="calm", SHELF="7") as server:
        visits = await visit(server.url + "poll/", 4)
        print(dict(visits.statuses), set(visits.texts))
        print(server.processes > 0, server.threads >= server.processes)
        print("asked to stop:", server.stop() in (0, -15))
    print("left:", children(), server.log != "")

await main()
"""
    )
    assert said == [
        "{200: 4} {'7 46'}",
        "True True",
        "asked to stop: True",
        "left: [] True",
    ]


def test_its_connections_are_counted_from_outside(run):
    said = run(
        """
        with serving("gunicorn config.wsgi --threads 2") as server:
            print(server.connections)
            with socket.create_connection(("127.0.0.1", int(server.url[17:-1]))):
                while not server.connections:
                    await asyncio.sleep(0.01)
                print(server.connections)
            while server.connections:
                await asyncio.sleep(0.01)
        """
    )
    assert said == ["0", "1"]


def test_its_threads_and_memory_are_those_of_all_its_processes(run):
    said = run(
        """
        import time
        for workers in (1, 3):
            with serving(f"gunicorn config.wsgi --workers {workers}") as server:
                while server.processes < workers + 1:
                    time.sleep(0.01)
                print(server.threads > workers, server.memory > (workers + 1) * 10_000_000)
        print(server.processes, server.threads, server.memory)
        """
    )
    assert said == ["True True", "True True", "0 0 0"]


def test_its_processor_time_is_that_of_the_workers_too(run):
    said = run(
        """
        with serving("gunicorn config.wsgi") as server:
            await visit(server.url)
            before = server.processor_time
            await visit(server.url, 100)
            print(before > 0, server.processor_time - before > 0.02)
        print(server.processor_time)
        """
    )
    assert said == ["True True", "0"]


@pytest.mark.parametrize(
    "command",
    # Each reads the settings at another time: before it listens, or when a worker starts.
    ["uvicorn config.asgi:application", "gunicorn config.wsgi"],
)
def test_a_server_that_cannot_start_says_why(command, run):
    said = run(
        f"""
        try:
            with serving({command!r}, settings="clam") as server:
                await visit(server.url)
        except Exception as error:
            print(type(error).__name__, str(error).splitlines()[-1])
        print(children())
        """
    )
    assert said == ["LabError ModuleNotFoundError: No module named 'clam'", "[]"]


def test_a_block_that_raises_leaves_nothing_running(run):
    said = run(
        """
        try:
            with serving("gunicorn config.wsgi --workers 2"):
                raise LookupError("Villette")
        except LookupError:
            print(children())
        """
    )
    assert said == ["[]"]


def test_a_server_without_a_project_asks_for_boot(monkeypatch):
    monkeypatch.setattr("sys.path", [])
    server = serving("uvicorn config.asgi:application")
    with pytest.raises(LabError, match=r"Call boot\(\) first"):
        server.__enter__()


@pytest.mark.parametrize("command", ["", "waitress config.wsgi", "python manage.py migrate"])
def test_another_command_is_refused_with_those_that_it_takes(command):
    with pytest.raises(LabError, match="a command of granian, gunicorn, hypercorn, python manage"):
        serving(command)


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("gunicorn config.wsgi --bind 0.0.0.0:80", "--bind"),
        ("gunicorn config.wsgi -b0.0.0.0:80", "-b0.0.0.0:80"),
        ("uvicorn config.asgi:application --host=0.0.0.0", "--host=0.0.0.0"),
        ("python manage.py runserver 0.0.0.0:8000", "0.0.0.0:8000"),
    ],
)
def test_a_server_listens_on_loopback_only(command, own):
    with pytest.raises(LabError, match=re.escape(f"take {own} out of the command")):
        serving(command)


@pytest.mark.parametrize("command", [*COMMANDS, "gunicorn config.wsgi --threads 300 --workers 10"])
def test_a_number_is_no_address(command):
    assert serving(command).processes == 0


def test_of_several_errors_in_a_log_the_last_one_is_told():
    server = ServerProcess([], None, {})
    server._last_log = "KeyError: 'shelf'\n\nDuring handling\nValueError: no shelf\nstopped\n"
    assert server._last_words() == "ValueError: no shelf"


def test_a_server_reads_what_a_cell_has_written_last(run):
    """Also a text of the same length and the same second, which bytecode cannot tell from it."""
    said = run(
        POLLS
        + """
import os

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for word in "one", "two":
    settings = f"import os\\nfrom calm import *\\nos.environ['SHELF'] = '{word}'"
    os.utime(write_module("desk", settings).__file__, (1, 1))
    with serving("uvicorn config.asgi:application", settings="desk") as server:
        [said] = (await visit(server.url + "poll/", 1)).texts
        print(said.split()[0])
"""
    )
    assert said == ["one", "two"]
