"""Which connections a block opens, which are open after it, and who closes some."""

import threading

from django.db.backends.signals import connection_created
from django.utils.connection import BaseConnectionHandler

from asynclab.lessons.vocabulary.open_connections import Opened, noting_closers
from asynclab.recorder import workers


class Connection:
    def __init__(self, is_open):
        self.connection = object() if is_open else None


def open_one(is_open=True):
    connection_created.send(sender=None, connection=Connection(is_open))


def test_what_is_open_after_the_block():
    with Opened() as opened:
        open_one()
        open_one(is_open=False)
        workers.shared().submit(open_one).result(5)
    open_one()
    assert (len(opened), opened.left) == (3, 1)


def test_who_goes_through_the_connections_in_order_to_close_them():
    connections = BaseConnectionHandler({})
    with noting_closers() as closers:
        assert closers == set()
        connections.close_all()
    workers.shared().submit(connections.close_all).result(5)
    assert closers == {threading.get_ident()}
