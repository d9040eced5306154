"""One owner of each replaced method: listeners come and go in any order, and none is left."""

import gc
import logging
import logging.handlers
import queue
import signal
import sys
import threading
import weakref
from contextlib import ExitStack
from itertools import permutations
from unittest import mock

import pytest

from asynclab import boot
from asynclab.ground.errors import LabError
from asynclab.lessons.vocabulary.failing import database_away
from asynclab.lessons.vocabulary.transactions import noting_bare_queries
from asynclab.recorder import hooks, taps
from asynclab.recorder.events import QUERY


class Desk:
    """Foreign code: it tells what it was asked, in the order of `told`."""

    def __init__(self, told):
        self.told = told

    def lend(self, book, *, days=7):
        self.told.append(book)
        return days


ORIGINAL = Desk.lend


@pytest.fixture(autouse=True)
def original():
    yield
    assert Desk.lend is ORIGINAL


def telling(told, name):
    """Something to put around `lend`: tells when a call begins and when it ends."""

    def wrap(method):
        def lend(self, *args, **kwargs):
            told.append(f"{name} (")
            try:
                return method(self, *args, **kwargs)
            finally:
                told.append(f") {name}")

        return lend

    return wrap


def queries(recording):
    return [(span.name, span.error) for span in recording.spans if span.kind == QUERY]


# A method and its listeners


def test_a_listener_gets_the_arguments_and_the_caller_the_result():
    calls = []
    desk = Desk([])
    with hooks.before(Desk, "lend", lambda *args, **kwargs: calls.append((args, kwargs))):
        assert desk.lend("Emma", days=3) == 3
        assert hooks.replaced() == ["Desk.lend"]
    assert desk.lend("Persuasion") == 7
    assert calls == [((desk, "Emma"), {"days": 3})]


def test_nothing_of_the_kit_stands_between_a_caller_and_what_is_around():
    def lend(self, book):
        return sys._getframe(1).f_code

    with hooks.around(Desk, "lend", lambda method: lend):
        found = Desk([]).lend("Emma")
    assert found is sys._getframe().f_code


def test_what_a_listener_raises_reaches_the_caller_and_whatever_is_around():
    told = []

    def refuse(desk, book):
        raise LookupError(book)

    with hooks.around(Desk, "lend", telling(told, "around")):
        with hooks.before(Desk, "lend", refuse), pytest.raises(LookupError, match="Emma"):
            Desk(told).lend("Emma")
        Desk(told).lend("Persuasion")
    assert told == ["around (", ") around", "around (", "Persuasion", ") around"]


def test_listeners_are_inside_of_what_is_around_whichever_came_first():
    for first in ("before", "around"):
        told, stack = [], ExitStack()
        listen = hooks.before(Desk, "lend", lambda desk, book, told=told: told.append("before"))
        wrap = hooks.around(Desk, "lend", telling(told, "around"))
        with stack:
            for each in (listen, wrap) if first == "before" else (wrap, listen):
                stack.enter_context(each)
            Desk(told).lend("Emma")
        assert told == ["around (", "before", "Emma", ") around"]


@pytest.mark.parametrize("leaving", [*permutations("abc")], ids="".join)
def test_listeners_leave_in_any_order(leaving):
    told = []
    open_blocks = {name: hooks.around(Desk, "lend", telling(told, name)) for name in "abc"}
    for block in open_blocks.values():
        block.__enter__()
    left = set("abc")
    for name in leaving:
        Desk(told).lend("Emma")
        assert {each[0] for each in told if each.endswith("(")} == left
        open_blocks[name].__exit__(None, None, None)
        left.remove(name)
        told.clear()
    Desk(told).lend("Emma")
    assert told == ["Emma"]


def test_what_stood_in_a_methods_place_is_let_go():
    with hooks.around(Desk, "lend", telling([], "outer")):
        replacement = weakref.ref(Desk.lend)
    gc.collect()
    assert replacement() is None


def test_the_same_listener_twice_is_two_listeners():
    told = []
    wrap = telling(told, "a")
    with hooks.around(Desk, "lend", wrap):
        with hooks.around(Desk, "lend", wrap):
            Desk(told).lend("Emma")
        Desk(told).lend("Emma")
    assert told.count("a (") == 3


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_original_is_back_when_the_block_raises(error):
    with pytest.raises(error), hooks.before(Desk, "lend", print):
        raise error
    assert Desk.lend is ORIGINAL


@pytest.mark.parametrize("place", ["_add", "_remove"])
def test_the_original_is_back_when_an_interrupt_comes_as_a_listener_comes_or_goes(
    place, monkeypatch
):
    whole = getattr(hooks, place)

    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)
        whole(*args, **kwargs)

    monkeypatch.setattr(hooks, place, interrupted)
    with pytest.raises(KeyboardInterrupt), hooks.before(Desk, "lend", print):
        pass
    assert hooks.replaced() == []


class Interrupted(type):
    """A class in which something comes up just after each of its methods is replaced."""

    at = None

    def __setattr__(cls, name, value):
        super().__setattr__(name, value)
        if cls.at is not None:
            raise cls.at


def test_the_original_is_back_when_something_comes_up_just_after_it_was_replaced():
    class Counter(Desk, metaclass=Interrupted):
        def lend(self, book):
            return book

    original = Counter.lend
    type.__setattr__(Counter, "at", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), hooks.before(Counter, "lend", print):
        pass
    assert Counter.lend is original
    assert hooks.replaced() == []


def test_a_wrapper_that_cannot_be_made_leaves_the_others_in_place():
    told = []
    with hooks.around(Desk, "lend", telling(told, "a")):
        with pytest.raises(ZeroDivisionError), hooks.around(Desk, "lend", lambda _: 1 / 0):
            pass
        Desk(told).lend("Emma")
    assert told == ["a (", "Emma", ") a"]


def test_a_method_that_is_not_there_is_an_error_and_leaves_nothing():
    with pytest.raises(AttributeError, match="borrow"), hooks.before(Desk, "borrow", print):
        pass
    assert hooks.replaced() == []


def test_threads_come_and_go_at_once():
    calls, start = [], threading.Barrier(8, timeout=20)

    def come_and_go():
        start.wait()
        for _ in range(200):
            with hooks.before(Desk, "lend", lambda *_: calls.append(1)):
                Desk([]).lend("Emma")

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) >= 8 * 200


def test_a_patch_of_somebody_else_that_puts_a_replacement_back_doubles_nothing():
    told = []
    with hooks.around(Desk, "lend", telling(told, "a")):
        theirs = mock.patch.object(Desk, "lend", print)
        theirs.start()
    theirs.stop()
    with hooks.around(Desk, "lend", telling(told, "b")):
        Desk(told).lend("Emma")
    assert told == ["b (", "Emma", ") b"]


def test_a_patch_of_somebody_else_that_was_there_before_stays():
    with mock.patch.object(Desk, "lend", lambda *_: "theirs"):
        with hooks.before(Desk, "lend", lambda *_: None):
            assert Desk([]).lend("Emma") == "theirs"
        assert Desk([]).lend("Emma") == "theirs"


def test_a_method_of_the_standard_library():
    listener, started = logging.handlers.QueueListener(queue.SimpleQueue()), []
    with hooks.before(logging.handlers.QueueListener, "start", started.append):
        listener.start()
    listener.stop()
    assert started == [listener]


# Queries


def test_a_listener_to_queries_sees_those_of_every_thread(library):
    seen = []

    def count():
        library.Book.objects.count()

    with hooks.before_queries(lambda cursor, sql: seen.append((cursor.db.alias, sql))):
        count()
        thread = threading.Thread(target=count)
        thread.start()
        thread.join()
    assert seen == [("default", 'SELECT COUNT(*) AS "__count" FROM "library_book"')] * 2


def test_without_django_there_are_no_queries_to_listen_to(monkeypatch):
    monkeypatch.delitem(sys.modules, "django.db.backends.utils", raising=False)
    with pytest.raises(LabError, match="boot"), hooks.before_queries(print):
        pass


# Checks and recordings


def test_a_recording_that_outlives_a_check_leaves_the_database_back(library):
    with database_away():
        recording = taps.start()
    taps.stop(recording)
    assert library.Book.objects.count() == 47
    boot()
    assert library.Book.objects.count() == 47


def test_a_check_that_outlives_a_recording_leaves_each_query_counted_once(library):
    recording = taps.start()
    with noting_bare_queries() as bare:
        taps.stop(recording)
        library.Book.objects.count()
    with taps.recording() as later:
        library.Book.objects.count()
    assert (len(bare), queries(later)) == (1, [("SELECT library_book", "")])


@pytest.mark.parametrize("first", ["recording", "check"])
def test_a_recording_shows_the_queries_that_a_check_refuses(library, first):
    from django.db import OperationalError

    blocks = {"recording": taps.recording(), "check": database_away()}
    with ExitStack() as stack:
        recording = None
        for name in (first, *(blocks.keys() - {first})):
            recording = stack.enter_context(blocks[name]) or recording
        with pytest.raises(OperationalError, match="the database is away"):
            library.Book.objects.count()
    assert queries(recording) == [("SELECT library_book", "OperationalError")]
