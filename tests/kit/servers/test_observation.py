"""Connections counted from a server's log, and what shows them."""

from collections import Counter
from types import SimpleNamespace

import pytest

from asynclab.lanes.canvas import size
from asynclab.lanes.still import told
from asynclab.lanes.watching import Connections, table, watch
from asynclab.servers.observation import Observation

READY = "{} library@library_3 LOG:  connection ready: setup total=3.1 ms"
GONE = "{} library@library_3 LOG:  disconnection: session time: 0:00:00.034 user=library"
REFUSED = "{} library@library_3 FATAL:  remaining connection slots are reserved for roles"


class Server:
    """As much of a PostgreSQL as an observation asks for."""

    slots = 4

    def __init__(self, open_before=()):
        self.log = READY.format(1) + "\n"
        self.sessions = [SimpleNamespace(pid=pid, state="idle") for pid in open_before]
        self.states = Counter(session.state for session in self.sessions)

    def write(self, line, *pids):
        self.log += "".join(line.format(pid) + "\n" for pid in pids)

    def observe(self):
        return Observation(self)


@pytest.fixture
def crowd():
    """Four that come, two of whom go before a fifth comes; one is refused."""
    server = Server(open_before=[1])
    with server.observe() as seen:
        server.write(READY, 2, 3, 4)
        server.write(REFUSED, 5)
        server.write(GONE, 2, 1)
        server.write(READY, 6)
        server.write("7 postgres@postgres LOG:  connection ready")
        server.write("8 library@library_3 LOG:  statement: SELECT 'connection ready'")
    return seen


def test_connections_are_counted(crowd):
    assert (crowd.opened, crowd.refused, crowd.peak, crowd.left) == (4, 1, 4, 3)
    assert str(crowd.count) == (
        "Connections: 1 open before, 4 opened, 1 refused, 4 open at once at most, 3 left."
    )


def test_what_comes_after_the_block_is_not_counted():
    server = Server()
    with server.observe() as seen:
        server.write(READY, 2)
        assert (seen.opened, seen.left) == (1, 1)
    server.write(GONE, 2)
    assert str(seen.count) == "Connections: 1 opened, 1 open at once at most, 1 left."


def test_a_picture_tells_the_same_in_words(crowd):
    crowd.samples = [(0.1, Counter(idle=2)), (0.2, Counter({"idle in transaction": 4, "odd": 1}))]
    bundle, metadata = Connections(crowd)._repr_mimebundle_()
    picture = bundle["image/png"]
    assert told(picture) == bundle["text/plain"] == str(crowd.count)
    assert metadata["image/png"] == {
        "width": 920,
        "height": size(picture)[1],
        "alt": str(crowd.count),
    }


def test_a_picture_of_nothing_is_drawn():
    with Server().observe() as seen:
        pass
    del seen.samples[1:]
    assert Connections(seen)._repr_mimebundle_()[0]["image/png"].startswith(b"\x89PNG")


def test_the_table_takes_the_pages_colours():
    html = table(Counter({"idle": 2, "<odd>": 1}), slots=4)
    assert "3 of 4 connections" in html
    assert "color:inherit" in html
    assert "&lt;odd&gt;" in html
    assert "width:120px" in html


def test_outside_a_notebook_nothing_is_shown(capsys):
    with watch(Server()) as seen:
        pass
    assert seen.opened == 0
    assert capsys.readouterr().out == ""
