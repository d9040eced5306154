"""Connections counted from a server's log, and what shows them."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest

from asynclab.lanes.canvas import size
from asynclab.lanes.still import told
from asynclab.lanes.watching import Connections, on_page, watch
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
    assert (crowd.opened, crowd.refused, crowd.peak, crowd.open) == (4, 1, 4, 3)
    assert len(crowd.refusals) == 1
    assert str(crowd.count) == (
        "Connections: 1 open before, 4 opened, 1 refused, 4 open at once at most, "
        "3 open at the end."
    )


def test_what_was_open_when_it_began_counts_for_the_peak_though_nobody_comes():
    server = Server(open_before=[1, 2])
    with server.observe() as seen:
        server.write(GONE, 2)
    assert (seen.opened, seen.peak, seen.open) == (0, 2, 1)


def test_what_comes_after_the_block_is_not_counted():
    server = Server()
    with server.observe() as seen:
        server.write(READY, 2)
        server.write(REFUSED, 3)
        assert (seen.opened, seen.open) == (1, 1)
        assert str(seen) == "Connections so far: 1 opened, 1 refused, 1 open."
    server.write(GONE, 2)
    assert str(seen) == (
        "Connections: 1 opened, 1 refused, 1 open at once at most, 1 open at the end."
    )


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


def drawn(seen):
    """The texts of the picture in the page, and its whole."""
    picture = on_page(seen)
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture), picture


def test_in_the_page_it_takes_the_pages_colours_and_has_words_for_who_cannot_see_it(crowd):
    crowd.samples = [(0.1, Counter({"idle": 2, "<odd>": 1})), (0.2, Counter())]
    texts, picture = drawn(crowd)
    assert f'role="img" aria-label="{crowd.count}"' in picture
    assert "fill:var(--jp-ui-font-color0, #1c2430)" in picture
    assert texts[-2:] == ["idle, 2 at most", "&lt;odd&gt;, 1 at most"]


def test_the_end_of_the_slots_and_the_refused_are_marked(crowd):
    crowd.samples = [(0, Counter()), (0.5, Counter(idle=4)), (1.0, Counter())]
    crowd.refusals = [0.4, 0.4, 0.9]
    texts, _ = drawn(crowd)
    assert {"4 slots", "2 refused", "1 refused", "0 ms"} <= set(texts)


def test_refused_at_nearly_the_same_moment_are_told_together(crowd):
    crowd.samples = [(0, Counter()), (0.5, Counter(idle=4)), (1.0, Counter())]
    crowd.refusals = [0.40, 0.43, 0.43]
    assert "3 refused" in drawn(crowd)[0]


def test_a_server_with_many_slots_has_no_line_for_them(crowd):
    crowd.slots, crowd.samples = 97, [(0, Counter()), (0.5, Counter(idle=4))]
    assert "97 slots" not in drawn(crowd)[0]


def test_the_time_without_connections_is_not_drawn():
    with Server().observe() as seen:
        pass
    seen.samples = [(0, Counter()), (9.0, Counter()), (9.1, Counter(idle=1)), (9.2, Counter())]
    assert times(seen) < 300
    seen.samples.append((13.2, Counter()))
    assert times(seen) < 300
    seen.samples[-2:] = [(13.2, Counter(idle=1))]
    assert times(seen) >= 4000


def times(seen):
    """The last of the milliseconds at the axis."""
    return max(int(text) for text in drawn(seen)[0] if text.isdecimal())


def test_outside_a_notebook_nothing_is_shown(capsys):
    with watch(Server()) as seen:
        pass
    assert seen.opened == 0
    assert capsys.readouterr().out == ""
