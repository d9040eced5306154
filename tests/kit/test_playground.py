"""The playground: settings and their code, recordings and their words, and runs in a real kernel.

How it looks and is operated in a page is tested in test_browser_playground.py.
"""

import ast
import json
import re
import subprocess
import sys
import time
from itertools import product
from queue import Empty

import pytest

from asynclab import playground
from asynclab.ground.errors import LabError
from asynclab.playground import plan, telling
from asynclab.playground.plan import Settings
from asynclab.recorder.events import BEGIN, CELL, END, PAUSE, SYNC
from tests.harness.cells import Kernel
from tests.kit.lanes.test_lanes import by_hand

COMBINATIONS = [
    {"work": work, "sensitive": sensitive, "contexts": contexts, "gathered": gathered}
    for work, sensitive, contexts, gathered in product(
        plan.CHOICES["work"], plan.CHOICES["sensitive"], (False, True), (True, False)
    )
]

# --- settings and code


def test_settings_have_words():
    assert str(Settings()) == "10 calls, sleeping 50 ms, thread_sensitive=True, gathered"
    other = Settings(1, 20, "queries", None, True, False)
    assert str(other) == "1 call, querying 20 ms, no adapter, a context each, one by one"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"call": 3}, "has no 'call'; it has calls, length, work, sensitive, contexts, gathered"),
        ({"calls": 0}, "calls as a whole number from 1 to 40; got 0"),
        ({"calls": 41}, "from 1 to 40; got 41"),
        ({"calls": True}, "from 1 to 40; got True"),
        ({"length": 12.5}, "length as a whole number from 5 to 200; got 12.5"),
        ({"work": "blocks"}, "work as one of 'computes', 'sleeps', 'queries'; got 'blocks'"),
        ({"sensitive": 1}, "sensitive as one of True, False, None; got 1"),
        ({"gathered": "no"}, "gathered as one of True, False; got 'no'"),
    ],
)
def test_mistakes_are_told_in_a_line(chosen, message):
    with pytest.raises(LabError, match=re.escape(message)) as caught:
        playground(**chosen)
    assert "\n" not in str(caught.value)


def test_without_a_loop_it_says_where_it_belongs():
    with pytest.raises(LabError, match="belongs into a cell of a Jupyter notebook"):
        playground()


def test_the_code_reads_like_a_cell():
    assert plan.code(Settings(work="queries", contexts=True), library=True) == (
        "import asyncio\n"
        "import time\n"
        "\n"
        "from asgiref.sync import ThreadSensitiveContext, sync_to_async\n"
        "from library.models import Book\n"
        "\n\n"
        "def count_books():\n"
        "    Book.objects.count()\n"
        "    time.sleep(0.05)  # a database far away\n"
        "\n\n"
        "async def branch():\n"
        "    async with ThreadSensitiveContext():\n"
        "        await sync_to_async(count_books, thread_sensitive=True)()\n"
        "\n\n"
        "await asyncio.gather(*(branch() for _ in range(10)))"
    )


@pytest.mark.parametrize("library", [True, False])
@pytest.mark.parametrize("chosen", COMBINATIONS)
def test_each_combination_has_code_that_compiles_and_needs_each_import(chosen, library):
    code = plan.code(Settings(**chosen), library)
    tree = ast.parse(code)
    compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    imported = {alias.name for node in ast.walk(tree) for alias in getattr(node, "names", ())}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used
    assert max(map(len, code.splitlines())) <= 80


@pytest.mark.parametrize(
    ("chosen", "note"),
    [
        ({"work": "queries"}, "Queries need Django: call boot()"),
        ({"sensitive": False, "contexts": True}, "steers thread-sensitive calls only"),
        ({"sensitive": None, "contexts": True}, "steers thread-sensitive calls only"),
        ({"contexts": True, "gathered": False}, "One context ends before the next begins"),
        ({"sensitive": None}, "gives the others no turn"),
        ({"sensitive": None, "work": "queries"}, "refuses a query on the loop's thread"),
        ({"calls": 1}, "nothing to overlap with"),
    ],
)
def test_what_makes_no_sense_is_explained(chosen, note):
    assert any(note in each for each in plan.notes(Settings(**chosen), django=False))


@pytest.mark.parametrize("chosen", [{}, {"contexts": True}, {"sensitive": False}])
def test_what_makes_sense_is_not(chosen):
    assert plan.notes(Settings(**chosen), django=True) == []


# --- words


def calls(*spans, roles=("event loop", "worker", "worker 2")):
    """A recording with a cell and calls of `work`: (lane, begin, end), in milliseconds."""
    events = [(0, 0, BEGIN, "cell", CELL, "this run"), (0, 1, PAUSE, "cell", "", "")]
    for number, (lane, begin, end) in enumerate(spans):
        events.append((lane, begin, BEGIN, number, SYNC, "work"))
        events.append((lane, end, END, number, "", ""))
    return by_hand(*sorted(events, key=lambda event: (event[1], event[2] == BEGIN)), roles=roles)


def facts(*spans):
    return telling.facts(calls(*spans), "work")


def test_facts_of_a_queue():
    found = facts((1, 2, 10), (1, 10, 20), (1, 20, 32))
    assert (found.begun, found.threads, found.at_once, found.took) == (3, 1, 1, 30)
    assert found.held == 1


def test_facts_of_what_overlaps():
    found = facts((1, 2, 10), (2, 4, 12), (1, 11, 20))
    assert (found.begun, found.threads, found.at_once, found.took) == (3, 2, 2, 18)


def test_facts_of_nothing():
    found = facts()
    assert (found.begun, found.threads, found.at_once, found.took) == (0, 0, 0, 0)


def words(chosen, *spans, opened=0):
    settings, found = Settings(**{"calls": 2, "length": 10, **chosen}), facts(*spans)
    return telling.happened(settings, found, opened), telling.change(settings, found)


QUEUE = (1, 2, 12), (1, 12, 22)
OVERLAP = (1, 2, 12), (2, 3, 13)


def test_a_queue_is_told():
    assert words({}, *QUEUE) == (
        "2 calls ran one after another on 1 thread in 20 ms, in the order in which they were made, "
        "while the event loop stayed free: thread-sensitive calls share one worker.",
        "A ThreadSensitiveContext for each branch would run them in parallel.",
    )


def test_contexts_are_told_with_their_connections():
    assert words({"contexts": True, "work": "queries"}, *OVERLAP, opened=2) == (
        "2 calls ran on 2 threads in 11 ms, up to 2 at once, over 2 new connections, while the "
        "event loop stayed free: each context has a worker of its own.",
        "Without the contexts they would queue on one worker: one thread and one connection in "
        "place of 2.",
    )


def test_connections_that_were_there_are_told():
    assert "over 1 connection open already," in words({"work": "queries"}, *QUEUE)[0]
    both = words({"work": "queries", "contexts": True}, *OVERLAP, opened=1)[0]
    assert "over 1 new connection and 1 open already," in both
    assert "over 1 new connection," in words({"work": "queries"}, *QUEUE, opened=1)[0]


def test_the_pool_is_told():
    happened, change = words({"sensitive": False}, *OVERLAP)
    assert happened.endswith("the loop's thread pool lends its workers.")
    assert (
        change == "thread_sensitive=True would queue them on one worker: one thread in place of 2."
    )


def test_the_gil_is_told_if_it_was_felt():
    slow = (1, 2, 20), (2, 3, 22)
    happened, change = words({"sensitive": False, "work": "computes"}, *slow)
    assert happened.endswith("and they hold the GIL in turn.")
    assert change.startswith("More threads compute no faster under the GIL")
    quick, _ = words({"sensitive": False, "work": "computes"}, *OVERLAP)
    assert "GIL" not in quick


def test_one_by_one_is_told():
    happened, change = words({"gathered": False}, *QUEUE)
    assert happened.endswith("each was awaited before the next was made.")
    assert "gather alone would make a queue" in change
    assert words({"gathered": False, "contexts": True}, *QUEUE)[1].startswith("asyncio.gather")


def test_a_loop_that_was_held_up_is_told():
    recording = by_hand(
        (0, 0, BEGIN, "cell", CELL, "this run"),
        (0, 40, PAUSE, "cell", "", ""),
        (1, 41, BEGIN, "a", SYNC, "work"),
        (1, 51, END, "a", "", ""),
        roles=("event loop", "worker"),
    )
    found = telling.facts(recording, "work")
    told = telling.happened(Settings(calls=1, length=50), found, 0)
    assert "while the event loop was held up for 40 ms:" in told
    computes = telling.happened(Settings(calls=1, length=50, work="computes"), found, 0)
    assert "held up for 40 ms, since it needs the GIL, too:" in computes
    direct = telling.happened(Settings(calls=1, sensitive=None), found, 0)
    assert "blocked for up to 40 ms at a stretch" in direct


def test_calls_of_somebody_else_are_told():
    assert "A cell made calls of the same name" in words({"calls": 1}, *QUEUE)[0]


def test_errors_are_told_with_their_line():
    said, _ = telling.failed(ValueError("no\nmore"), 9)
    assert said == "✗ ValueError in line 9: no"
    assert telling.failed(ValueError(), None)[0] == "✗ ValueError."


# --- what it costs those who do not use it


def test_importing_the_kit_imports_no_widgets():
    ask = "import sys, asynclab; print(*{'ipywidgets', 'anywidget', 'PIL'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


# --- in a real kernel

SET_UP = """\
%load_ext asynclab
import asyncio, gc, json, threading, time
import ipywidgets
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from asynclab import boot, lanes, playground
from asynclab.recorder import taps
from asynclab.recorder.events import Recording
from asynclab.playground.panel import Playground
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

def connections():
    wrappers = [o for o in gc.get_objects() if isinstance(o, BaseDatabaseWrapper)]
    return [wrapper for wrapper in wrappers if wrapper.connection is not None]

def close_all():
    for connection in connections():
        connection.inc_thread_sharing()
        connection.close()
        connection.dec_thread_sharing()

def report(panel):
    run = panel.runs[-1]
    text = lanes.text(run.recording).replace("this run", "this cell")
    calls = [s for s in run.recording.spans if s.kind == "sync" and s.name == run.function]
    print(json.dumps({
        "status": panel._controls.status, "spoken": panel._controls.spoken,
        "shown": panel._controls.shown, "code": run.code, "text": text,
        "runs": panel._controls.runs, "opened": run.opened,
        "words": panel._figures[-1]._words.value,
        "error": type(run.error).__name__ if run.error else None,
        "interrupted": run.interrupted,
        "roles": sorted({run.recording.lanes[s.lane].role for s in calls}),
        "calls": sorted([s.lane, s.start, s.end] for s in calls),
        "taps": taps.active(),
    }))
"""


class Panel:
    """A playground in a kernel, operated by the messages that its page would send.

    Args:
        kernel: the kernel.
        name: what the panel is called there.
        arguments: those of playground().
    """

    def __init__(self, kernel, name="panel", arguments=""):
        self.kernel, self.name, self.runs = kernel, name, 0
        outcome = kernel.run(f"{name} = playground({arguments})\nprint({name}._controls.model_id)")
        assert outcome.status == "ok", outcome.traceback
        self.comm = outcome.printed.strip()

    def say(self, data):
        client = self.kernel.client
        message = client.session.msg("comm_msg", {"comm_id": self.comm, "data": data})
        client.shell_channel.send(message)

    def choose(self, **settings):
        state = {"settings": Settings(**settings).as_dict()}
        self.say({"method": "update", "state": state, "buffer_paths": []})

    def click(self, seen=None, **settings):
        settings = Settings(**settings).as_dict()
        content = {"do": "run", "settings": settings, "seen": self.runs if seen is None else seen}
        self.say({"method": "custom", "content": content})

    def heard(self, timeout=30):
        """The changes that the kernel tells the page, one after another; nothing may be printed."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                message = self.kernel.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            content = message["content"]
            assert message["msg_type"] not in ("stream", "error"), content
            if message["msg_type"] == "comm_msg" and content["comm_id"] == self.comm:
                yield content["data"].get("state", {})
        raise AssertionError("the kernel says nothing more")

    def wait(self, **state):
        """Wait until the kernel tells the page that something is so."""
        for heard in self.heard():
            if heard.items() >= state.items():
                break
        return heard

    def run(self, **settings):
        """Press Run, wait for the end, and return what there is to know of the run."""
        self.click(**settings)
        self.runs += 1
        self.wait(state="ready")
        return self.report()

    def report(self):
        outcome = self.kernel.run(f"report({self.name})")
        assert outcome.status == "ok", outcome.traceback
        return json.loads(outcome.printed)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("playground"))
    try:
        assert kernel.run(SET_UP).status == "ok"
        yield kernel
    finally:
        kernel.stop()


@pytest.fixture(scope="module")
def early(kernel):
    """What a panel says to a click on queries before Django is set up, and to one after it."""
    panel = Panel(kernel, "early")
    panel.click(work="queries")
    refused = panel.wait(refused=1)
    assert kernel.run("boot()").status == "ok"
    return refused, panel.run(calls=2, work="queries")


def test_queries_without_django_say_what_to_do_and_work_after_it(early):
    refused, report = early
    assert refused["status"] == plan.SET_UP
    assert report["opened"] == 1
    assert "count_books" in report["code"]


@pytest.fixture
def panel(kernel, early):
    yield Panel(kernel)
    assert kernel.run("taps.active(), Playground._busy").value == "(False, None)"


@pytest.fixture(scope="module")
def shared(kernel, early):
    """One panel for many runs."""
    return Panel(kernel, "shared")


def name_of(chosen):
    return "-".join(map(str, chosen.values()))


@pytest.mark.parametrize("chosen", COMBINATIONS, ids=name_of)
def test_a_run_is_what_its_words_and_its_code_say(kernel, shared, chosen):
    report = shared.run(calls=3, length=5, **chosen)
    assert report["code"] == report["shown"]["code"]
    if chosen["sensitive"] is None:
        assert report["calls"] == []
        refused = chosen["work"] == "queries"
        assert report["error"] == ("SynchronousOnlyOperation" if refused else None)
        assert ("ran on the event loop's own thread" in report["spoken"]) is not refused
    else:
        agree(chosen, report)
    pasted = kernel.run("%%lanes\n" + report["code"])
    assert pasted.lanes == report["text"].splitlines()
    # A cell leaves its connections open, and the next run would find them.
    assert kernel.run("await asyncio.to_thread(close_all)").status == "ok"


def agree(chosen, report):
    """Hold the words to the recorded threads and times."""
    assert (report["error"], len(report["calls"])) == (None, 3)
    jobs = {re.sub(r" \d+$", "", role) for role in report["roles"]}
    if not chosen["sensitive"]:
        assert jobs == {"pool worker"}
    else:
        assert jobs == {"context worker" if chosen["contexts"] else "thread-sensitive worker"}
    threads = len(report["roles"])
    assert re.search(rf"on {threads} threads? in", report["spoken"])
    begins = [begin for _, begin, _ in report["calls"]]
    at_once = max(sum(b <= at < e for _, b, e in report["calls"]) for at in begins)
    assert ("one after another" in report["spoken"]) == (at_once == 1)
    assert (f"up to {at_once} at once" in report["spoken"]) == (at_once > 1)
    if chosen["work"] == "queries":
        assert report["opened"] == threads
        assert f"over {threads} new connection" in report["spoken"]


def test_what_is_shown_without_a_page_is_the_same_every_time(kernel, panel):
    value = kernel.run("panel").value
    assert value == f"Playground: {Settings()}. Run this cell to have its controls."
    chosen = kernel.run("playground(calls=3, sensitive=None, gathered=False)").value
    assert "3 calls, sleeping 50 ms, no adapter, one by one" in chosen
    views = "sorted(panel._repr_mimebundle_())"
    assert kernel.run(views).value == "['application/vnd.jupyter.widget-view+json', 'text/plain']"


def test_a_mistake_in_a_cell_is_one_line(kernel, panel):
    outcome = kernel.run("playground(calls=99)")
    assert outcome.traceback.startswith("LabError: playground() takes calls as a whole number")
    assert "\n" not in outcome.traceback


# Impatience


@pytest.mark.parametrize("chosen", [{}, {"sensitive": None, "gathered": False}])
def test_five_clicks_are_one_run(panel, chosen):
    for _ in range(5):
        panel.click(calls=3, length=20, **chosen)
    changes = []
    for change in panel.heard():
        changes.append(change)
        merged = {key: value for each in changes for key, value in each.items()}
        if merged.get("refused") == 4 and merged.get("state") == "ready":
            break
    assert sum(change.get("state") == "running" for change in changes) == 1
    assert panel.report()["runs"] == 1
    panel.runs = 1
    assert panel.run(calls=3, length=20, **chosen)["runs"] == 2


def test_a_click_during_a_run_is_answered(panel):
    panel.click(calls=5, length=100)
    panel.wait(state="running")
    panel.click(seen=1)
    assert panel.wait(refused=1)["status"] == "One run at a time: it is still on."
    panel.wait(state="ready")
    assert panel.report()["status"] == "Run 1 is over."


def test_a_slider_moved_during_a_run_is_for_the_next(panel):
    panel.click(calls=4, length=50)
    panel.wait(state="running")
    panel.choose(calls=7)
    for heard in panel.heard():
        assert heard.get("state") != "ready"
        if "shown" in heard:
            break
    assert "range(7)" in heard["shown"]["code"]
    panel.wait(state="ready")
    report = panel.report()
    assert len(report["calls"]) == 4
    assert "range(4)" in report["code"]
    assert "range(7)" in report["shown"]["code"]


def test_what_no_control_says_is_ignored(panel):
    panel.say({"method": "custom", "content": {"do": "run", "settings": {"calls": 99}, "seen": 0}})
    panel.wait(refused=1)
    panel.say({"method": "custom", "content": ["run"]})
    panel.say({"method": "update", "state": {"settings": {"calls": 0}}, "buffer_paths": []})
    assert panel.run(calls=1, length=5)["runs"] == 1


# The kernel's interrupt

INTERRUPTED = [
    {"sensitive": True},
    {"sensitive": True, "gathered": False},
    {"sensitive": True, "contexts": True, "gathered": False},
    {"sensitive": False, "work": "queries"},
    {"sensitive": None, "gathered": False},
    {"sensitive": None, "work": "computes"},
]


@pytest.mark.parametrize("chosen", INTERRUPTED, ids=name_of)
def test_an_interrupt_ends_the_run_and_nothing_else(kernel, panel, chosen):
    panel.click(calls=40, length=200, **chosen)
    panel.wait(state="running")
    time.sleep(0.1)  # somewhere in the run, as a learner's interrupt is
    kernel.manager.interrupt_kernel()
    panel.wait(state="ready")
    report = panel.report()
    assert (report["interrupted"], report["error"], report["taps"]) == (True, None, False)
    assert report["status"] == "Run 1 was interrupted."
    assert "Run 1. Interrupted: " in report["spoken"]
    begun = len(report["calls"])
    if chosen["sensitive"] is not None:
        assert 1 <= begun < 40
        assert f"Interrupted: {begun} of 40 calls had begun by then." in report["spoken"]
        # What had begun is in the picture to its end.
        assert all(end - begin > 190e6 for _, begin, end in report["calls"])
    panel.runs = 1
    assert panel.run(calls=2, length=5)["status"] == "Run 2 is over."


HOLD = """\
from django.db import connection
from library.models import Book
gate = threading.Event()
Book.objects.count = lambda: (connection.ensure_connection(), gate.wait(60))
"""


def test_a_second_interrupt_leaves_threads_and_their_connections_alone(kernel, panel):
    assert kernel.run(HOLD).status == "ok"
    try:
        panel.click(calls=2, length=5, work="queries", sensitive=False)
        panel.wait(state="running")
        while kernel.run("len(connections())").value != "2":
            time.sleep(0.02)
        kernel.manager.interrupt_kernel()
        panel.wait(status="Interrupted: calls that have begun go on to their end.")
        kernel.manager.interrupt_kernel()
        panel.wait(state="ready")
        assert panel.report()["taps"] is False
        assert kernel.run("len(connections())").value == "2"
    finally:
        kernel.run("gate.set()\ndel Book.objects.count\nawait asyncio.sleep(0.1)")
        kernel.run("await asyncio.to_thread(close_all)")


def test_an_interrupted_cell_leaves_the_run_alone(kernel, panel):
    panel.click(calls=10, length=50)
    panel.wait(state="running")
    outcome = kernel.interrupt("print('here', flush=True)\ntime.sleep(60)")
    assert outcome.error.startswith("KeyboardInterrupt")
    while kernel.run("panel._controls.state").value != "'ready'":
        time.sleep(0.05)
    assert panel.report()["status"] == "Run 1 is over."


def test_an_interrupt_reaches_a_cell_that_awaits_and_the_run(kernel, panel):
    panel.click(calls=40, length=100)
    panel.wait(state="running")
    source = "await asyncio.sleep(0.3)\nprint('here', flush=True)\nawait asyncio.sleep(60)"
    assert kernel.interrupt(source).error.startswith("CancelledError")
    while kernel.run("panel._controls.state").value != "'ready'":
        time.sleep(0.05)
    assert panel.report()["interrupted"]


def test_an_interrupt_after_a_run_is_the_kernel_s_own_affair(kernel, panel):
    panel.run(calls=2, length=5)
    kernel.manager.interrupt_kernel()
    assert kernel.run("1 + 1").value == "2"
    assert kernel.interrupt("print('here', flush=True)\ntime.sleep(60)").error.startswith("Keyb")


# Beside others


def test_a_cell_run_again_gives_a_fresh_panel_and_the_old_one_works(kernel, panel):
    panel.run(calls=2, length=5)
    fresh = Panel(kernel, "fresh")
    assert fresh.run(calls=3, length=5)["runs"] == 1
    assert panel.run(calls=4, length=5)["runs"] == 2
    assert len(fresh.report()["calls"]) == 3


def test_two_panels_take_turns(kernel, panel):
    other = Panel(kernel, "other")
    panel.click(calls=4, length=50)
    panel.wait(state="running")
    other.click(calls=2, length=5)
    refused = other.wait(refused=1)["status"]
    assert refused == "The run of another playground is on. Press Run again when it is over."
    while kernel.run("panel._controls.state").value != "'ready'":
        time.sleep(0.05)
    assert len(panel.report()["calls"]) == 4
    assert len(other.run(calls=2, length=5)["calls"]) == 2


CLICK = """\
asyncio.get_running_loop().set_debug(True)  # it then refuses what comes from another thread
content = {{"do": "run", "settings": {settings}, "seen": panel._controls.runs}}
await asyncio.to_thread(panel._click, None, content, [])  # as on ipykernel's subshell
while panel._controls.runs == 0 or panel._controls.state != "ready":
    await asyncio.sleep(0.02)
asyncio.get_running_loop().set_debug(False)
"""


def test_a_run_while_a_cell_records(kernel, panel):
    settings = Settings(calls=3, length=20).as_dict()
    outcome = kernel.run("%%lanes\n" + CLICK.format(settings=settings))
    assert outcome.status == "ok", outcome.traceback
    [text] = outcome.shown
    assert "playground (task)" in text
    assert "sleep x3" in text
    assert "_run" not in text
    report = panel.report()
    assert len(report["calls"]) == 3
    assert report["status"] == "Run 1 is over."


def test_calls_of_the_same_name_in_a_cell_are_told(kernel, panel):
    panel.click(calls=3, length=100)
    panel.wait(state="running")
    source = "def sleep(): time.sleep(0.01)\nawait sync_to_async(sleep, thread_sensitive=False)()"
    assert kernel.run(source).status == "ok"
    while kernel.run("panel._controls.state").value != "'ready'":
        time.sleep(0.05)
    assert "A cell made calls of the same name meanwhile" in panel.report()["spoken"]


def test_what_a_cell_has_left_in_its_context_does_not_reach_the_run(kernel, panel):
    leave = (
        "tokens = SyncToAsync.thread_sensitive_context.set(left := ThreadSensitiveContext()),"
        "SyncToAsync.deadlock_context.set(True)"
    )
    assert kernel.run(leave).status == "ok"
    try:
        assert kernel.run("SyncToAsync.thread_sensitive_context.get(None) is left").value == "True"
        report = panel.run(calls=2, length=5)
    finally:
        kernel.run("SyncToAsync.thread_sensitive_context.set(None)")
        kernel.run("SyncToAsync.deadlock_context.set(False)")
    assert (report["error"], report["roles"]) == (None, ["thread-sensitive worker"])


def test_a_run_has_a_namespace_of_its_own(kernel, panel):
    kernel.run("from asynclab.playground import running\nbranch = 'mine'")
    panel.run(calls=1, length=5)
    assert kernel.run("branch, hasattr(running, 'branch')").value == "('mine', False)"


# Errors, and what is left behind


def test_an_error_of_the_run_is_shown_with_its_line(kernel, panel):
    raises = "def count(): raise ValueError('<b>no</b>')"
    breaks = f"from library.models import Book\n{raises}\nBook.objects.count = count"
    assert kernel.run(breaks).status == "ok"
    try:
        report = panel.run(calls=3, work="queries", contexts=True)
    finally:
        kernel.run("del Book.objects.count")
    assert report["status"] == "Run 1 has failed."
    assert report["spoken"].startswith("Run 1. ✗ ValueError in line 9: <b>no</b>")
    assert report["words"].endswith("✗ ValueError in line 9: &lt;b&gt;no&lt;/b&gt;</p>")
    assert report["code"].splitlines()[8].strip() == "Book.objects.count()"
    # All three branches were waited for.
    assert len(report["calls"]) == 3


def test_an_error_of_the_playground_itself_is_shown(kernel, panel):
    kernel.run("from asynclab.playground import telling\ntell = telling.tell\ndel telling.tell")
    try:
        panel.click(calls=1, length=5)
        status = panel.wait(state="ready")["status"]
    finally:
        kernel.run("telling.tell = tell")
    assert status.startswith("The playground itself has failed: AttributeError")
    panel.runs = 1
    assert panel.run(calls=1, length=5)["status"] == "Run 2 is over."


COUNT = """\
def count():
    gc.collect()
    names = [thread.name for thread in threading.enumerate()]
    print(json.dumps({
        "connections": len(connections()),
        "threads": sum(name.startswith(("ThreadPool", "lanes")) for name in names),
        "widgets": len(ipywidgets.widgets.widget._instances),
        "tasks": len(asyncio.all_tasks()),
        "receivers": len(connection_created.receivers),
        "recordings": sum(type(each) is Recording for each in gc.get_objects()),
    }))
"""


def test_twenty_runs_leave_nothing_behind(kernel, panel):
    kernel.run(COUNT)
    ways = [{"contexts": True}, {}, {"sensitive": None}, {"contexts": True, "gathered": False}]

    def five():
        for way in ways:
            panel.run(calls=4, length=5, work="queries", **way)
        panel.run(calls=4, length=5)
        return json.loads(kernel.run("count()").printed)

    before = five()
    assert before["connections"] == 0
    assert [five() for _ in range(3)] == [before] * 3


def test_connections_that_were_open_before_stay_open(kernel, panel):
    opening = "await sync_to_async(lambda: connection.ensure_connection())()"
    assert kernel.run(f"from django.db import connection\n{opening}").status == "ok"
    report = panel.run(calls=2, length=5, work="queries")
    assert report["opened"] == 0
    assert "over 1 connection open already" in report["spoken"]
    still = "await sync_to_async(lambda: connection.connection is not None)()"
    assert kernel.run(still).value == "True"
    kernel.run("await asyncio.to_thread(close_all)")


def test_a_project_without_books_is_queried_too(tmp_path):
    settings = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'empty'}}"
    (tmp_path / "mine.py").write_text(settings)
    kernel = Kernel(tmp_path)
    try:
        kernel.run(SET_UP)
        assert kernel.run("import sys; sys.path.insert(0, '.')\nboot('mine')").error == ""
        report = Panel(kernel).run(calls=3, length=5, work="queries", contexts=True)
    finally:
        kernel.stop()
    assert (report["error"], report["opened"]) == (None, 3)
    assert "connection.introspection.table_names()" in report["code"]
    assert "3 queries: SELECT sqlite_master x3" in report["text"]
