"""%%lanes, %%thread and %%module in a real Jupyter kernel, and %%lanes in terminal IPython."""

import re
import subprocess
import sys

import nbformat
import pytest

from tests.harness.cells import TIMEOUT, Kernel

SET_UP = """\
%load_ext asynclab
import asyncio, sys, threading, time
from asgiref.sync import sync_to_async
from asynclab import boot, record
from asynclab.recorder import taps
boot()
from library.models import Author, Book
def work(): return 42
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    try:
        assert kernel.run(SET_UP).status == "ok"
        yield kernel
    finally:
        kernel.stop()


@pytest.fixture
def run(kernel):
    """Run a cell; after the test the taps must be off and the next cell be an ordinary one."""
    yield kernel.run
    after = kernel.run("taps.active(), len(taps._recordings)")
    assert (after.value, after.shown) == ("(False, 0)", [])


# %%lanes


def test_lanes_records_a_cell_with_await(run):
    outcome = run("%%lanes\nvalue = await sync_to_async(work)()\nvalue")
    assert (outcome.status, outcome.value, outcome.views) == ("ok", "42", 1)
    assert any(line.startswith("event loop") for line in outcome.lanes)
    assert any(line.startswith("thread-sensitive worker") for line in outcome.lanes)


def test_lanes_records_a_cell_without_await(run):
    outcome = run("%%lanes\nwith __import__('asynclab').span('chew'): work()")
    assert outcome.status == "ok"
    assert "chew" in outcome.shown[0]


def test_lanes_draws_first_and_shows_the_words_last(run):
    outcome = run("%%lanes\nprint('in between')")
    assert (outcome.views, outcome.printed, len(outcome.shown)) == (1, "in between\n", 1)


def test_lanes_leaves_strings_and_magics_of_the_cell_alone(run):
    outcome = run('\n%%lanes\ntext = """\n%%lanes\n  two"""\n%pwd\n!true\ntext')
    assert (outcome.status, outcome.value) == ("ok", repr("\n%%lanes\n  two"))


def test_lines_are_counted_as_if_lanes_were_not_there(run):
    outcome = run("%%lanes\nx = 1\n1 / 0")
    assert "line 2" in outcome.traceback or "----> 2 1 / 0" in outcome.traceback


def test_a_cell_that_fails_still_shows_its_recording(run):
    outcome = run("%%lanes\ndef broken(): raise ValueError('no')\nawait sync_to_async(broken)()")
    assert (outcome.status, outcome.error) == ("error", "ValueError: no")
    assert any("ValueError in broken" in line for line in outcome.lanes)
    assert "taps.py" not in outcome.traceback


@pytest.mark.parametrize("line", ["x = = 1", "return 1", "if True:", "x = '"])
def test_a_cell_that_cannot_compile_is_reported_and_draws_nothing(run, line):
    outcome = run(f"%%lanes\n{line}")
    # By several names: SyntaxError, or one of its subclasses, which differ between versions.
    assert "Error: " in outcome.error
    assert (outcome.shown, outcome.views) == ([], 0)


def test_await_with_autoawait_off_draws_nothing(run):
    run("%autoawait off")
    try:
        outcome = run("%%lanes\nawait asyncio.sleep(0)")
    finally:
        run("%autoawait on")
    assert outcome.error.startswith("SyntaxError")
    assert (outcome.shown, outcome.views) == ([], 0)


def test_the_feed_is_up_before_the_clock_starts(run):
    noting = (
        "start, up = taps.start, []\n"
        "def note(*args):\n"
        "    up.append(sum(thread.name == 'lanes' for thread in threading.enumerate()))\n"
        "    return start(*args)\n"
        "taps.start = note"
    )
    assert run(noting).status == "ok"
    run("%%lanes\nawait sync_to_async(work)()")
    assert run("taps.start = start\nup").value == "[1]"


def test_something_after_lanes_is_refused_and_nothing_runs(run):
    outcome = run("ran = False")
    outcome = run("%%lanes extra\nran = True")
    assert outcome.status == "error"
    assert "%%lanes takes nothing after it: write it alone on the first line." in outcome.error
    assert (outcome.shown, outcome.views) == ([], 0)
    assert run("ran").value == "False"


@pytest.mark.parametrize(
    ("magic", "says"),
    [
        ("lanes", "which thread runs what"),
        ("thread", "a plain thread with no event loop"),
        ("module", "as a project has it in a file"),
    ],
)
def test_a_question_mark_gives_help_with_an_example(run, magic, says):
    outcome = run(f"%%{magic}?")
    assert (outcome.status, outcome.printed, outcome.views) == ("ok", "", 0)
    assert says in outcome.help
    assert re.search(rf"%%{magic}( polls)?\n", outcome.help)
    assert "Raises" not in outcome.help


def test_lanes_called_by_other_code_says_where_to_write_it(run):
    outcome = run("get_ipython().run_cell_magic('lanes', '', 'work()')")
    assert outcome.status == "error"
    assert outcome.printed == "UsageError: Write %%lanes on the cell's first line.\n"


@pytest.mark.parametrize("magic", ["lanes", "thread"])
@pytest.mark.parametrize("cell", ["ran = True\n%%{0}", "ran = True\nif ran:\n    %%{0}\n    1"])
def test_a_magic_below_other_code_is_refused_and_nothing_runs(run, cell, magic):
    run("ran = False")
    outcome = run(cell.format(magic))
    assert outcome.error.startswith(f"SyntaxError: Write %%{magic} on the cell's first line.")
    assert (outcome.shown, outcome.views) == ([], 0)
    assert run("ran").value == "False"


def test_lanes_twice_is_refused(run):
    outcome = run("%%lanes\n\n%%lanes\n1")
    assert "%%lanes is there twice: write it once, on the cell's first line." in outcome.error
    assert (outcome.shown, outcome.views) == ([], 0)


def test_a_comment_may_stand_above_lanes(run):
    outcome = run("# Who counts?\n\n%%lanes\nawait sync_to_async(work)()")
    assert (outcome.value, outcome.views, len(outcome.shown)) == ("42", 1, 1)
    assert run("# Here too\n%%lanes\n%%thread\nwork()").value == "42"


def test_lanes_interrupted_while_it_awaits(kernel, run):
    # In steps: an interrupt does not wake ipykernel's loop, it counts from the next time it wakes.
    source = "%%lanes\nprint('here', flush=True)\nwhile True: await asyncio.sleep(0.05)"
    outcome = kernel.interrupt(source)
    assert outcome.error.startswith("CancelledError")
    assert len(outcome.shown) == 1


def test_lanes_interrupted_while_it_blocks(kernel, run):
    outcome = kernel.interrupt("%%lanes\nprint('here', flush=True)\ntime.sleep(60)")
    assert outcome.error.startswith("KeyboardInterrupt")
    assert "KeyboardInterrupt" in outcome.shown[0]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "print('here', flush=True)\nwhile True:\n    await asyncio.sleep(0.05)",
            "CancelledError: you interrupted this cell, in line 3: await asyncio.sleep(0.05).",
        ),
        (
            "seconds = 60\nprint('here', flush=True); time.sleep(seconds)",
            "KeyboardInterrupt: you interrupted this cell, in line 2: "
            "print('here', flush=True); time.sleep(seconds).",
        ),
    ],
)
def test_an_interrupted_cell_says_so_in_one_line(kernel, run, source, told):
    assert kernel.interrupt(source).traceback == told


def test_an_interrupted_cell_names_its_own_line(kernel, run):
    run("def wait():\n    seconds = 60\n    print('here', flush=True); time.sleep(seconds)")
    told = "KeyboardInterrupt: you interrupted this cell, in line 1: wait()."
    assert kernel.interrupt("wait()").traceback == told


def test_a_task_that_was_cancelled_is_an_error_like_any_other(run):
    outcome = run("task = asyncio.create_task(asyncio.sleep(9))\ntask.cancel()\nawait task")
    assert "----> 3 await task" in outcome.traceback


@pytest.mark.parametrize("cell", ["%%lanes\nx = 1", "with record():\n    x = 1"])
@pytest.mark.parametrize("place", ["taps._put_on", "taps._take_off", "LiveLanes.finish"])
def test_an_interrupt_while_the_recording_begins_or_ends(run, cell, place):
    run("import signal\nfrom asynclab.lanes import LiveLanes")
    run(
        f"whole = {place}\n"
        "def interrupted(*args):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    whole(*args)\n"
        f"{place} = interrupted"
    )
    outcome = run(cell)
    run(f"{place} = whole")
    assert "Error in callback" not in outcome.printed
    feeds = "[each for each in threading.enumerate() if each.name == 'lanes']"
    run(f"for feed in {feeds}: feed.join(timeout=5)")
    assert run(f"taps.active(), {feeds}").value == "(False, [])"


def test_the_traceback_of_another_extension_stays_in_place(run):
    run("shell = get_ipython()\nown = lambda *a, **k: print('own traceback')")
    run("shell.showtraceback = own")
    outcome = run("%%lanes\n1 / 0")
    assert outcome.printed == "own traceback\n"
    assert "ZeroDivisionError" in outcome.shown[0]
    assert run("shell.showtraceback is own").value == "True"
    run("del shell.showtraceback")


def test_loading_twice_records_once_and_reload_works(run):
    for again in ("%load_ext asynclab", "%reload_ext asynclab"):
        assert run(again).error == ""
        outcome = run("%%lanes\nlen(taps._recordings)")
        assert (outcome.value, len(outcome.shown)) == ("1", 1)


def test_record_is_the_same_as_lanes(run):
    lanes = run("%%lanes\nawait sync_to_async(work)()")
    block = run("with record():\n    await sync_to_async(work)()")
    assert block.shown == lanes.shown


def test_a_block_may_be_recorded_without_a_picture(run):
    block = "with record(draw=False) as recording: await sync_to_async(work)()"
    outcome = run(f"{block}\nlen(recording.spans)")
    assert (outcome.value, outcome.views, outcome.shown) == ("2", 0, [])


def test_record_inside_lanes_shows_both(run):
    outcome = run("%%lanes\nwith record():\n    await sync_to_async(work)()")
    assert (outcome.status, len(outcome.shown)) == ("ok", 2)


def test_a_recording_as_last_value_is_a_picture_and_words(run):
    block = run("with record() as recording:\n    await sync_to_async(work)()")
    outcome = run("recording")
    assert [outcome.value] == block.shown
    assert outcome.views == 0
    bundle = "get_ipython().display_formatter.format(recording)"
    assert run(f"data, about = {bundle}\nsorted(data)").value == "['image/png', 'text/plain']"
    assert run("about['image/png']['alt'] == data['text/plain']").value == "True"


def test_when_a_cell_is_over_its_picture_has_ended_and_nothing_sends_for_it(run):
    run("from ipywidgets.widgets.widget import _instances\nfrom asynclab.lanes import LiveLanes")
    run("%%lanes\nawait sync_to_async(work)()")
    pictures = "[each.ended for each in _instances.values() if isinstance(each, LiveLanes)]"
    assert run(f"set({pictures})").value == "{True}"
    assert (
        run("[each.name for each in threading.enumerate() if each.name == 'lanes']").value == "[]"
    )


RECORDINGS = """\
import gc
from asynclab.recorder.events import Recording
def recordings():
    gc.collect()
    return sum(type(each) is Recording for each in gc.get_objects())
"""


def test_recordings_are_let_go_when_their_cells_are_over(run):
    run(f"%reset -f out\nrecording = None\n{RECORDINGS}")
    # IPython keeps the last error's frames for `%debug`, and they may have been recorded.
    assert run("1 / 0").status == "error"
    for cell in ("%%lanes\nawait sync_to_async(work)()", "with record(): work()"):
        for _ in range(3):
            assert run(cell).views == 1
    assert run("recordings()").value == "0"
    for _ in range(6):
        run("with record() as recording: work()\nrecording")
    # The names `recording` and `_`, `__`, `___` are for three of them.
    assert run("recordings()").value == "3"
    run("recording = None\n%reset -f out")


def test_lanes_around_boot_show_no_private_name(run):
    lanes = "\n".join(run("%%lanes\nboot()").lanes)
    assert "set_up_library" in lanes
    assert " _" not in lanes


# %%lanes beside other magics, and cells inside a cell


def test_lanes_above_capture_draws_the_cell_and_leaves_its_output_caught(run):
    outcome = run("%%lanes\n%%capture out\nwith __import__('asynclab').span('chew'): print('x')")
    assert (outcome.printed, outcome.views, len(outcome.shown)) == ("", 1, 1)
    assert "chew" in outcome.shown[0]
    assert run("out.stdout, out.outputs").value == "('x\\n', [])"


def test_capture_above_lanes_catches_the_picture_too(run):
    outcome = run("%%capture out\n%%lanes\nprint('x')\nwork()")
    assert (outcome.printed, outcome.views, outcome.shown) == ("", 0, [])
    outcome = run("out.show()")
    assert (outcome.printed, outcome.views) == ("x\n", 1)
    assert outcome.shown[0] == "42"
    assert outcome.shown[1].startswith("event loop")


@pytest.mark.parametrize("part", ["start", "show"])
def test_a_cell_whose_picture_fails_runs_and_says_so(run, part):
    run(
        "from asynclab import lanes\nfrom unittest import mock\n"
        f"broken = mock.patch.object(lanes, {part!r}, side_effect=OSError('disk full'))\n"
        "broken.start()"
    )
    outcome = run("%%lanes\nawait asyncio.sleep(0)\nwork()")
    run("broken.stop()")
    assert (outcome.status, outcome.value, outcome.error) == ("ok", "42", "OSError: disk full")


@pytest.mark.parametrize("magic", ["time", "timeit -n 1", "prun", "thread"])
def test_lanes_below_a_magic_that_takes_the_cell_is_refused_and_nothing_runs(run, magic):
    run("ran = False")
    outcome = run(f"%%{magic}\n\n%%lanes\nran = True")
    name = magic.split()[0]
    assert f"Write %%lanes above %%{name}, not below it." in outcome.printed + outcome.error
    assert (outcome.status, outcome.shown, outcome.views) == ("error", [], 0)
    assert run("ran").value == "False"


def test_lanes_above_time_draws_and_times(run):
    outcome = run("%%lanes\n%%time\nwith __import__('asynclab').span('chew'): work()")
    assert "Wall time" in outcome.printed
    assert "chew" in outcome.shown[0]


def test_a_file_that_a_cell_writes_may_begin_with_lanes(run, tmp_path):
    run(f"%%writefile {tmp_path}/cells.ipy\n%%lanes\nwork()")
    assert (tmp_path / "cells.ipy").read_text() == "%%lanes\nwork()\n"


@pytest.fixture
def inner(run, tmp_path):
    """What runs other cells from within a cell, each as source with a place for their text."""

    def source(how, cell):
        if how == "run_cell":
            return f"get_ipython().run_cell({cell!r})"
        if how == "run_cell_async":
            changed = f"get_ipython().transform_cell({cell!r})"
            return f"await get_ipython().run_cell_async({cell!r}, transformed_cell={changed})"
        path = tmp_path / f"other.{how}"
        if how == "ipynb":
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
            nbformat.write(notebook, path)
        else:
            path.write_text(cell)
        # It raises what a notebook's cell raises.
        return f"try:\n    %run {path}\nexcept ZeroDivisionError: pass"

    return source


HOWS = ["run_cell", "run_cell_async", "ipy", "ipynb"]
SPAN = "with __import__('asynclab').span({!r}): pass"


@pytest.mark.parametrize("ends", ["", "\n1 / 0"], ids=["ends", "raises"])
@pytest.mark.parametrize("cell", [SPAN.format("inside"), "", "\n"], ids=["span", "empty", "blank"])
@pytest.mark.parametrize("how", [*HOWS, "py"])
def test_a_recording_goes_on_after_a_cell_within_it(run, inner, how, cell, ends):
    if how == "py":
        cell = f"from asynclab import span\n{cell}"
    outcome = run(f"%%lanes\n{inner(how, cell + ends)}\n{SPAN.format('after')}")
    [text] = outcome.shown
    assert "after" in text
    assert ("inside" in text) == ("inside" in cell)
    assert "ZeroDivisionError in this cell" not in text


@pytest.mark.parametrize("ends", ["", "\n1 / 0"], ids=["ends", "raises"])
@pytest.mark.parametrize("how", HOWS)
def test_a_cell_within_a_recording_has_a_picture_of_its_own(run, inner, how, ends):
    within = inner(how, f"%%lanes\n{SPAN.format('inside')}{ends}")
    outcome = run(f"%%lanes\n{within}\n{SPAN.format('after')}")
    assert (outcome.views, len(outcome.shown)) == (2, 2)
    own, whole = outcome.shown
    assert "inside" in own
    assert "after" not in own
    assert ("ZeroDivisionError in this cell" in own) == bool(ends)
    assert "inside" in whole
    assert "after" in whole


@pytest.mark.parametrize("how", HOWS)
def test_a_cell_within_an_ordinary_cell_has_a_picture(run, inner, how):
    within = inner(how, f"%%lanes\n{SPAN.format('inside')}")
    outcome = run(f"{within}\nprint(taps.active())")
    assert outcome.printed == "False\n"
    assert "inside" in outcome.shown[0]


def test_a_cell_interrupted_within_a_recording(kernel, run):
    within = "%%lanes\nprint('here', flush=True)\ntime.sleep(60)"
    outcome = kernel.interrupt(
        f"%%lanes\nget_ipython().run_cell({within!r})\n{SPAN.format('after')}"
    )
    own, whole = outcome.shown
    assert "KeyboardInterrupt in this cell" in own
    assert "KeyboardInterrupt in this cell" not in whole
    assert "after" in whole


def test_two_cells_at_once_have_a_picture_each(run):
    cells = [
        f"%%lanes\nawait asyncio.sleep({seconds})\n{SPAN.format(name)}"
        for name, seconds in (("first", 0.1), ("second", 0.02))
    ]
    run(f"shell, cells = get_ipython(), {cells}")
    outcome = run(
        "await asyncio.gather(*(shell.run_cell_async(cell, "
        "transformed_cell=shell.transform_cell(cell)) for cell in cells));"
    )
    assert (outcome.error, len(outcome.shown)) == ("", 2)
    assert [("first" in text, "second" in text) for text in outcome.shown] == [
        (False, True),
        (True, True),
    ]


def test_a_traceback_that_a_cell_shows_does_not_end_its_recording(run):
    show = "try: 1 / 0\nexcept ZeroDivisionError: get_ipython().showtraceback()"
    outcome = run(f"%%lanes\n{show}\n{SPAN.format('after')}")
    assert "after" in outcome.shown[0]


def test_loading_again_within_a_recording_leaves_it_alone(run):
    outcome = run(f"%%lanes\n%reload_ext asynclab\n{SPAN.format('after')}")
    assert "after" in outcome.shown[0]


# %%thread


def test_thread_shares_the_namespace_and_shows_the_last_value(run):
    outcome = run("%%thread\nhere = threading.current_thread().name\nBook.objects.count()")
    assert (outcome.status, outcome.value) == ("ok", "47")
    assert run("here").value == "'plain thread'"


def test_thread_shows_a_queryset_whose_repr_runs_its_query(run):
    outcome = run("%%thread\nBook.objects.filter(pk=1)")
    assert outcome.value.startswith("<QuerySet [<Book:")


def test_thread_shows_nothing_for_a_semicolon_or_a_statement(run):
    assert run("%%thread\nx = 1").value is None
    assert run("%%thread\nNone").value is None


def test_what_the_thread_prints_appears_in_its_cell(run):
    assert run("%%thread\nprint('from the thread')").printed == "from the thread\n"


def test_the_thread_has_the_context_variables_of_the_notebook(run):
    run("import contextvars\nreader = contextvars.ContextVar('reader', default='nobody')")
    run("token = reader.set('Ada')")
    assert run("%%thread\nreader.get()").value == "'Ada'"


def test_the_guard_is_on_and_does_not_fire_in_the_thread(run):
    source = "import os\nBook.objects.exists(), os.environ.get('DJANGO_ALLOW_ASYNC_UNSAFE')"
    assert run(f"%%thread\n{source}").value == "(True, None)"
    assert run(source).error.startswith("SynchronousOnlyOperation")
    inside = (
        "%%thread\nasync def peek(): return Book.objects.exists()\n"
        "try: asyncio.run(peek())\nexcept Exception as error: print(type(error).__name__)"
    )
    assert run(inside).printed == "SynchronousOnlyOperation\n"


def test_await_in_a_thread_is_refused_in_one_line(run):
    outcome = run("%%thread\nawait Book.objects.acount()")
    assert outcome.status == "error"
    said = outcome.printed + outcome.error
    assert "take `await` out of it" in said
    assert "magics.py" not in said + outcome.traceback


def test_an_error_in_the_thread_fails_the_cell_and_shows_the_line(run):
    outcome = run("%%thread\nx = 1\n\ndef divide():\n    return 1 / 0\n\ndivide()")
    assert (outcome.status, outcome.error) == ("error", "ZeroDivisionError: division by zero")
    assert "return 1 / 0" in outcome.traceback
    assert "divide()" in outcome.traceback
    assert "magics.py" not in outcome.traceback


def test_lines_of_a_thread_cell_are_counted_from_below_the_magic(run):
    run("%%thread\ndef fail():\n    raise ValueError('here')")
    outcome = run("try: fail()\nexcept ValueError as error: frame = error.__traceback__.tb_next")
    assert run("frame.tb_lineno").value == "2", outcome


@pytest.mark.parametrize("line", ["x = = 1", "return 3"])
def test_a_syntax_error_in_a_thread_cell_is_shown_as_in_any_cell(run, line):
    outcome, plain = run(f"%%thread\n{line}"), run(line)
    number = re.compile(r"Cell In\[\d+\]")
    assert number.sub("", outcome.traceback) == number.sub("", plain.traceback)
    assert re.sub(r"\(.*", "", outcome.error) == re.sub(r"\(.*", "", plain.error)
    assert line in outcome.traceback


@pytest.mark.parametrize(
    "line", ["async with x: pass", "async for x in y: pass", "[x async for x in y]"]
)
def test_every_form_of_await_is_refused(run, line):
    outcome = run(f"%%thread\n{line}")
    assert "take `await` out of it" in outcome.printed


def test_await_inside_a_function_of_a_thread_cell_is_fine(run):
    assert run("%%thread\nasync def peek(): return await asyncio.sleep(0, 1)\n1").value == "1"


def test_return_outside_a_function_is_not_taken_for_await(run):
    outcome = run("%%thread\nreturn 1")
    assert "'return' outside function" in outcome.error


COUNTING = """\
import gc
from django.db.backends.base.base import BaseDatabaseWrapper

def connections_open():
    wrappers = [o for o in gc.get_objects() if isinstance(o, BaseDatabaseWrapper)]
    return sum(wrapper.connection is not None for wrapper in wrappers)

def plain_threads():
    return sum(thread.name == "plain thread" for thread in threading.enumerate())

gc.collect()
before = connections_open()
"""


def test_the_thread_leaves_no_thread_and_no_connection(run):
    assert run(COUNTING).status == "ok"
    # That the count counts: one is open while the thread works.
    assert run("%%thread\nBook.objects.count()\nconnections_open() - before").value == "1"
    for _ in range(3):
        assert run("%%thread\nBook.objects.count()").value == "47"
    assert run("connections_open() - before, plain_threads()").value == "(0, 0)"
    assert run("%%thread\nBook.objects.count()\n1 / 0").status == "error"
    assert run("connections_open() - before, plain_threads()").value == "(0, 0)"


def test_thread_interrupted(kernel, run):
    source = "%%thread\nprint('here', flush=True)\nwhile True: time.sleep(0.01)"
    outcome = kernel.interrupt(source)
    assert outcome.error.startswith("KeyboardInterrupt")
    assert "magics.py" not in outcome.traceback
    assert run("[t.name for t in threading.enumerate() if t.name == 'plain thread']").value == "[]"


@pytest.mark.parametrize("seconds", [0, 0.3], ids=["in start", "in join"])
def test_thread_interrupted_unnoticed(run, seconds):
    """A signal that another thread takes does not wake the main thread; neither does one that
    comes between its last bytecode and its wait.
    """
    take = f"time.sleep({seconds})\nsignal.pthread_kill(threading.get_ident(), signal.SIGINT)"
    source = f"%%thread\nimport signal\n{take}\nwhile True: time.sleep(0.01)"
    assert run(source).error.startswith("KeyboardInterrupt")
    assert run("[t.name for t in threading.enumerate() if t.name == 'plain thread']").value == "[]"


DEATHS = {
    "threading.Thread.run": "LabError: The thread ended before the cell did. Run the cell again.",
    "magics.close_connections": "SystemError: planted",
    "magics.exec": "SystemError: planted",
}


@pytest.mark.parametrize("planted", DEATHS)
def test_a_thread_that_dies_before_or_beside_its_cell_fails_the_cell(run, planted):
    owner, _, name = planted.rpartition(".")
    plant = (
        f"from unittest import mock\nfrom asynclab import magics\n"
        f"def die(*_): raise SystemError('planted')\n"
        f"planted = mock.patch.object({owner}, {name!r}, die, create=True)\n"
        f"planted.start()\nlast_value = None"
    )
    assert run(plant).status == "ok"
    outcome = run("%%thread\nlast_value = 42\nlast_value")
    assert run("planted.stop()").status == "ok"
    assert (outcome.status, outcome.error) == ("error", DEATHS[planted])
    assert run("%%thread\nlast_value = 42\nlast_value").value == "42"


def test_something_after_thread_is_refused(run):
    outcome = run("%%thread extra\n1")
    assert "%%thread takes nothing after it" in outcome.printed + outcome.error


def test_lanes_above_thread_records_the_thread(run):
    outcome = run("%%lanes\n%%thread\nBook.objects.count()")
    assert (outcome.status, outcome.value) == ("ok", "47")
    assert any(line.startswith("plain thread") for line in outcome.lanes)
    assert "library_book" in outcome.shown[0]


def test_thread_above_lanes_is_refused(run):
    outcome = run("%%thread\n%%lanes\n1")
    assert outcome.status == "error"
    assert "Write %%lanes above %%thread, not below it." in outcome.printed + outcome.error


def test_autoawait_is_loaded_before_an_interrupt_can_come(tmp_path):
    """Newer IPythons have a placeholder until its first use, and keep it if that is cut short."""
    kernel = Kernel(tmp_path)
    try:
        kernel.run("%load_ext asynclab")
        magic = "get_ipython().magics_manager.magics['line']['autoawait']"
        assert kernel.run(f"type({magic}).__name__").value == "'method'"
    finally:
        kernel.stop()


# Terminal IPython


def test_terminal_ipython_prints_the_words(tmp_path):
    source = tmp_path / "session.ipy"
    lines = (
        "%load_ext asynclab\n"
        "get_ipython().run_cell('%%lanes\\nimport asyncio\\nawait asyncio.to_thread(len, [])')\n"
        "from asynclab.recorder import taps; print('on:', taps.active())\n"
    )
    source.write_text(lines)
    command = [sys.executable, "-m", "IPython", "--quick", "--colors=NoColor", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=TIMEOUT)
    assert "event loop" in done.stdout, done.stdout + done.stderr
    assert "len" in done.stdout
    assert "on: False" in done.stdout


# %%module


def test_module_writes_a_file_and_imports_it_into_the_notebook(run):
    outcome = run("%%module polls\ntitle = 'Villette'")
    assert (outcome.status, outcome.printed) == ("ok", "polls.py is written and imported.\n")
    assert run("polls.title, polls is sys.modules['polls']").value == "('Villette', True)"
    source = "import pathlib; pathlib.Path(polls.__file__).read_text()"
    assert run(source).value == repr("title = 'Villette'\n")


def test_a_module_that_is_written_again_is_the_new_one(run):
    run("%%module polls\nyear = 1847")
    run("%%module polls\nyear = 1853")
    assert run("polls.year, __import__('polls').year").value == "(1853, 1853)"


def test_a_module_that_fails_shows_its_own_line_and_no_frame_of_the_kit(run):
    outcome = run("%%module polls\nx = 1\n1 / 0")
    assert (outcome.status, outcome.error) == ("error", "ZeroDivisionError: division by zero")
    assert "----> 2 1 / 0" in outcome.traceback
    assert "modules.py" not in outcome.traceback and "magics.py" not in outcome.traceback


def test_a_syntax_error_in_a_module_is_shown_as_in_any_cell(run):
    outcome = run("%%module polls\nx = = 1")
    assert outcome.error.startswith("SyntaxError: invalid syntax (polls.py, line 1)")
    assert "x = = 1" in outcome.traceback and "magics.py" not in outcome.traceback


@pytest.mark.parametrize("line", ["%%module", "%%module two words", "%%module asyncio"])
def test_a_module_without_a_name_of_its_own_is_refused_in_one_line(run, line):
    outcome = run(f"{line}\nx = 1")
    assert outcome.error.startswith("LabError: ")
    assert len(outcome.traceback.splitlines()) == 1
