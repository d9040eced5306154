"""What a check refuses, notes or ends while a call is under way is the call's alone."""

import queue
import threading
from logging.handlers import QueueListener

import pytest
from django.db import OperationalError
from django.db.backends.signals import connection_created
from django.utils.connection import BaseConnectionHandler

from asynclab.exercises.lineage import Lineage
from asynclab.lessons.vocabulary.failing import database_away
from asynclab.lessons.vocabulary.logs import logger_of_its_own
from asynclab.lessons.vocabulary.open_connections import Opened, noting_closers
from asynclab.lessons.vocabulary.transactions import noting_bare_queries
from tests.kit.recorder.conftest import library

__all__ = ["library"]


@pytest.fixture
def call():
    """A call is under way, and this thread is somebody else's: `call(work)` runs it as the call."""
    lineage = Lineage()

    def run(work):
        thread = lineage.thread(work)
        thread.start()
        thread.join()
        return thread.ident

    with lineage.followed():
        yield run


def refused(library):
    try:
        library.Book.objects.count()
    except OperationalError:
        return True
    return False


def test_a_database_that_is_away_is_there_for_others(library, call):
    answers = []
    with database_away():
        call(lambda: answers.append(refused(library)))
        assert (answers, refused(library)) == ([True], False)
    assert not refused(library)


def test_queries_of_others_are_not_noted(library, call):
    with noting_bare_queries() as bare:
        library.Author.objects.count()
        call(library.Book.objects.count)
    assert ["library_book" in statement for statement in bare] == [True]


class Connection:
    connection = "open"


def open_one():
    connection_created.send(sender=None, connection=Connection())


def test_connections_of_others_are_not_counted(call):
    with Opened() as opened:
        open_one()
        call(open_one)
    assert (len(opened), opened.left) == (1, 1)


def test_who_else_closes_connections_is_not_noted(call):
    connections = BaseConnectionHandler({})
    with noting_closers() as closers:
        connections.close_all()
        ident = call(connections.close_all)
    assert closers == {ident} and ident != threading.get_ident()


def test_a_queue_listener_of_others_runs_on(call):
    mine, calls = (QueueListener(queue.SimpleQueue()) for _ in range(2))
    with logger_of_its_own():
        mine.start()
        call(calls.start)
    assert (mine._thread is not None, calls._thread) == (True, None)
    mine.stop()
