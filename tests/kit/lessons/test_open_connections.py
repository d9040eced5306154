"""Which connections a block opens, which are open after it, and who closes some."""

import threading
from time import sleep

import pytest
from django.db.backends.signals import connection_created
from django.utils.connection import BaseConnectionHandler

from asynclab.lessons.vocabulary.open_connections import Opened, noting_closers
from asynclab.recorder import workers


class Connection:
    def __init__(self, is_open):
        self.connection = object() if is_open else None


def open_one(is_open=True):
    connection = Connection(is_open)
    connection_created.send(sender=None, connection=connection)
    return connection


def test_what_is_open_after_the_block():
    with Opened() as opened:
        open_one()
        open_one(is_open=False)
        workers.shared().submit(open_one).result(5)
    open_one()
    assert (len(opened), opened.left) == (3, 1)
    assert threading.get_ident() in opened.threads
    assert len(opened.threads) == 2


def test_a_connection_that_is_opened_again_is_still_one():
    with Opened() as opened:
        again = open_one()
        connection_created.send(sender=None, connection=again)
    assert (len(opened), opened.left, opened.most) == (2, 1, 1)


def test_most_at_once_counts_what_is_not_closed_yet():
    with Opened() as opened:
        first, second = open_one(), open_one()
        first.connection = second.connection = None
        open_one()
    assert (opened.most, opened.left) == (2, 1)


@pytest.mark.parametrize(("number", "most"), [(2, 2), (1, 1)])
def test_what_is_closed_first_waits_for_one_too_many(number, most):
    def close_first():
        opened._wait(connection)
        connection.connection = None

    with Opened() as opened:
        connection = open_one()
        closing = threading.Thread(target=close_first)
        closing.start()
        while not opened._end_of_grace:
            sleep(0.001)
        for _ in range(1, number):
            open_one()
        closing.join()
    assert opened.most == most


@pytest.mark.parametrize("is_open", [True, False])
def test_whether_the_connection_of_everybodys_worker_is_closed(is_open):
    connection = Connection(is_open)
    with Opened() as opened:
        opened._wait(connection)
        assert not opened.closed_for_all
        workers.shared().submit(opened._wait, connection).result(5)
    assert opened.closed_for_all == is_open


def test_who_goes_through_the_connections_in_order_to_close_them():
    connections = BaseConnectionHandler({})
    with noting_closers() as closers:
        assert closers == set()
        connections.close_all()
    workers.shared().submit(connections.close_all).result(5)
    assert closers == {threading.get_ident()}
