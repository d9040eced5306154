"""`shells` starts real processes, says what became of each cell, and leaves nothing behind."""

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile

import ipykernel
import psutil
import pytest

from asynclab.ground.errors import LabError
from asynclab.ground.folders import places, prefix
from asynclab.shells import INTERRUPTED, NAMES, Outcome, questions, shells
from asynclab.shells.session import MOST_SHOWN, Session
from asynclab.shells.table import Row, ShellTable
from tests.harness.cells import Kernel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="terminal shells are not run on Windows")

GUARD = "You cannot call this from an async context - use a thread or sync_to_async."
OUTSIDE = "SyntaxError: 'await' outside function"


def ask(cells, **options):
    return asyncio.run(compare(cells, **options))


async def compare(cells, **options):
    return await shells(cells, **options)


def folders_of_this_process():
    return {path for place in places() for path in place.glob(f"{prefix()}*")}


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path, monkeypatch):
    """No process and no file of a shell outlives the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    folders = folders_of_this_process()
    yield
    after = psutil.Process().children(recursive=True)
    left = [c for c in after if c.pid not in before and c.status() != psutil.STATUS_ZOMBIE]
    assert left == []
    assert list(tmp_path.iterdir()) == []
    assert folders_of_this_process() == folders


def test_the_five_questions():
    table = ask(questions, autoawait=("on", "off"), django=True)
    assert list(table.rows) == [
        *(("jupyter", "on"), ("jupyter", "off"), ("ipython", "on"), ("ipython", "off")),
        ("python", None),
    ]
    for mode in ("on", "off"):
        jupyter, terminal = table["jupyter", mode], table["ipython", mode]
        assert jupyter["loop running?"] == "yes"
        assert jupyter["sync ORM?"] == f"SynchronousOnlyOperation: {GUARD}"
        assert jupyter["asyncio.run?"].startswith("RuntimeError: asyncio.run() cannot be called")
        assert jupyter["async_to_sync?"].startswith("RuntimeError: You cannot use AsyncToSync")
        assert jupyter["await at top level?"] == ("yes" if mode == "on" else OUTSIDE)
        assert terminal["loop running?"] == "no"
        assert terminal["await at top level?"] == ("yes" if mode == "on" else OUTSIDE)
    for row in (table["ipython", "on"], table["ipython", "off"], table["python"]):
        assert row["sync ORM?"].endswith(" books")
        assert row["asyncio.run?"] == row["async_to_sync?"] == "yes"
    assert table["python"]["await at top level?"] == OUTSIDE
    assert "SynchronousOnlyOperation" in repr(table)
    assert '<th scope="row"' in table._repr_html_()


def test_terminal_ipython_has_a_loop_only_while_a_cell_with_await_runs():
    probe = "print(asyncio._get_running_loop() is not None)"
    cells = ["import asyncio", probe, f"await asyncio.sleep(0); {probe}"]
    table = ask(cells, shells=["jupyter", "ipython"])
    assert [*table["jupyter"].values()][1:] == ["True", "True"]
    assert [*table["ipython"].values()][1:] == ["False", "True"]


def test_autoawait_on_and_await_in_one_cell():
    # A hash is not ready at the first step; a short query may be, on Python 3.14 and later.
    adapt = "await sync_to_async(make_password)('whale-1851')"
    cells = ["%autoawait off", f"%autoawait on\n{adapt}", adapt, "Book.objects.count()"]
    setup = (
        "from asgiref.sync import sync_to_async\n"
        "from django.contrib.auth.hashers import make_password\n"
        "from library.models import Book"
    )
    row = ask(cells, shells=["jupyter"], setup=setup, django=True)["jupyter"]
    assert row["cell 2"] == "RuntimeError: 'run_cell_async' needs a real async loop"
    deadlock = "RuntimeError: Single thread executor already being used, would deadlock"
    assert row["cell 3"] == deadlock
    # The abandoned coroutine dies in the next cell, and its death is broadcast as that cell's.
    assert row["cell 4"] == f"SynchronousOnlyOperation: {GUARD}"


@pytest.mark.parametrize("module", ["nest_asyncio", "nest_asyncio2"])
def test_nest_asyncio_under_run_all(module):
    cells = [
        f"import asyncio, {module}\n{module}.apply()",
        "print(asyncio.run(asyncio.sleep(0.2, 'ran')))",
        *("print('next')", "1 / 0", "print('last')"),
    ]
    row = ask(cells, shells=["jupyter"], run_all=True)["jupyter"]
    lost = module == "nest_asyncio" and ipykernel.version_info >= (7, 0)
    rest = (
        ["dropped (never ran)"] * 3
        if lost
        else ["next", "ZeroDivisionError: division by zero", "last"]
    )
    assert [*row.values()] == ["(shows nothing)", "ran", *rest]


def test_what_a_cell_shows():
    for row in ask(
        ["print('a')\n'b'", "x = 1", "x + 1", "def f():\n\n    return x\nf()"]
    ).rows.values():
        assert [*row.values()] == ["a\n'b'", "(shows nothing)", "2", "1"]


def test_a_question_that_hangs_or_kills_leaves_the_others_their_answer():
    harm = {
        "hang": "import time\nwhile True: time.sleep(0.1)",
        "kill": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "fine": "1 + 1",
    }
    for row in ask(harm, timeout=4).rows.values():
        assert [*row.values()] == ["hangs (stopped after 4 s)", "dies (SIGKILL)", "2"]
        assert [outcome.kind for outcome in row.values()] == ["hangs", "dies", "value"]


def test_a_shell_that_exits():
    row = ask(["import os", "os._exit(3)", "1"], shells=["python"])["python"]
    assert [*row.values()][1:] == ["exits (status 3)", "never ran"]


def test_cells_behind_one_that_hangs_never_ran():
    row = ask(["import time", "time.sleep(60)", "1"], shells=["python"], timeout=1)["python"]
    assert [*row.values()][1:] == ["hangs (stopped after 1 s)", "never ran"]


def test_children_of_a_cell_die_with_its_shell():
    nap = ["sleep", "314.15"]
    cell = f"import subprocess\nsubprocess.run({nap})"
    for row in ask(cell, timeout=4).rows.values():
        assert row["outcome"].kind == "hangs"
    # Orphans are no longer below this process, so look everywhere.
    assert [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == nap] == []


def test_this_process_is_not_inherited(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setenv("SEEN", "yes")
    cell = "import os\nprint(os.environ.get('DJANGO_ALLOW_ASYNC_UNSAFE'), os.environ['SEEN'])"
    assert {row["outcome"] for row in ask(cell).rows.values()} == {"None yes"}
    given = ask(cell, env={"DJANGO_ALLOW_ASYNC_UNSAFE": "0"}, shells=["python"])
    assert given["python"]["outcome"] == "0 yes"


@pytest.mark.parametrize("shell", NAMES)
def test_cancelling_stops_the_shell(shell, tmp_path):
    started = tmp_path / "started"
    started.mkdir()
    cell = f"open({str(started / 'x')!r}, 'w').close()\nimport time\ntime.sleep(300)"

    async def cancel_once_it_runs():
        task = asyncio.create_task(compare(cell, shells=[shell]))
        async with asyncio.timeout(60):
            while not any(started.iterdir()):
                await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_once_it_runs())
    (started / "x").unlink()
    started.rmdir()


def test_the_loop_stays_free():
    async def count_ticks():
        ticks = 0
        task = asyncio.create_task(
            compare("import time\ntime.sleep(1)", shells=["jupyter", "python"])
        )
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        await task
        return ticks

    assert asyncio.run(count_ticks()) > 30


@pytest.mark.parametrize("length", [1, 120])
def test_a_kernel_takes_no_port_that_another_program_may_have_taken(monkeypatch, length):
    cell = "import ipykernel\nprint(ipykernel.get_connection_info(unpack=True)['transport'])"
    with tempfile.TemporaryDirectory(prefix=length * "x", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        assert ask(cell, shells=["jupyter"])["jupyter"]["outcome"] == "ipc"
        assert os.listdir(folder) == []


def test_an_interrupt_of_the_learners_process(tmp_path):
    code = (
        "import asyncio\nfrom asynclab.shells import shells\n"
        "async def wait():\n"
        "    await shells('print(1)\\nimport time; time.sleep(300)', timeout=200)\n"
        "asyncio.run(wait())"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    learner = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE
    )
    me = psutil.Process(learner.pid)
    wait_until(lambda: len(me.children()) == 3)
    shells_started = me.children()
    learner.send_signal(2)
    assert b"KeyboardInterrupt" in learner.communicate(timeout=30)[1]
    psutil.wait_procs(shells_started, timeout=5)
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in shells_started)


def test_without_await_it_says_so(recwarn):
    gc.collect()
    recwarn.clear()  # what an earlier test has left
    comparison = shells("1", shells=["python"])
    assert repr(comparison) == "Nothing was run yet. Write: await shells(...)"
    del comparison
    gc.collect()
    assert list(recwarn) == []


def test_an_interrupt_of_the_learners_cell_is_one_line(tmp_path):
    kernel = Kernel(tmp_path)
    try:
        kernel.run("from asynclab import shells")
        outcome = kernel.interrupt(
            "import asyncio, psutil\n"
            "async def say():\n"
            "    while not psutil.Process().children(): await asyncio.sleep(0.05)\n"
            "    print('here', flush=True)\n"
            # An interrupt does not wake the kernel's loop, it counts from the next time it wakes.
            "    while True: await asyncio.sleep(0.05)\n"
            "saying = asyncio.create_task(say())\n"
            "await shells('import time; time.sleep(300)', shells=['python'], timeout=200)"
        )
        assert outcome.error.startswith("CancelledError")
        assert outcome.traceback == INTERRUPTED
        assert kernel.run("psutil.Process().children()").value == "[]"
    finally:
        kernel.stop()
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()


def wait_until(condition, seconds=60):
    async def poll():
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)

    asyncio.run(poll())


def test_no_such_row_or_column():
    table = ask("1", shells=["python"])
    with pytest.raises(KeyError) as caught:
        table["jupyter"]
    assert str(caught.value) == "No single row 'jupyter'. There are: ['python']."
    with pytest.raises(KeyError, match="No column 'two'. There are: 'outcome'."):
        table["python"]["two"]


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        ([], {}, "at least one cell"),
        ("  ", {}, "no cell may be empty"),
        ("1", {"shells": ["bash"]}, "got 'bash'"),
        ("1", {"shells": "python"}, "got 'python'"),
        ("1", {"autoawait": ["maybe"]}, "got 'maybe'"),
        ("1", {"shells": ["python"], "setup": "1 / 0"}, "set-up of plain Python failed: Zero"),
        ("1", {"shells": ["ipython"], "setup": "import os; os._exit(1)"}, r"did not get through"),
    ],
)
def test_mistakes_are_told_in_a_line(cells, options, message):
    with pytest.raises(LabError, match=message) as caught:
        ask(cells, **options)
    assert "\n" not in str(caught.value)


def test_an_error_is_named_in_the_table_and_stands_below_it_in_one_piece():
    guard = Outcome(f"SynchronousOnlyOperation: {GUARD}", "error")
    one = Row({"ORM?": guard, "await?": Outcome("TimeoutError", "error")})
    other = Row({"ORM?": guard, "await?": Outcome(OUTSIDE, "error")})
    table = ShellTable({("jupyter", None): one, ("python", None): other}, "Who may")
    lines = repr(table).splitlines()
    assert lines[-3:] == ["", f"[1] {guard}", f"[2] {OUTSIDE}"]
    assert lines[4].split() == [
        "Jupyter",
        "|",
        "SynchronousOnlyOperation",
        "[1]",
        "|",
        "TimeoutError",
    ]
    page = table._repr_html_()
    assert f"<p>[1] <code>{guard}</code></p>" in page
    assert page.count("Synchronous<wbr>Only<wbr>Operation [1]") == 2
    assert page.count(GUARD) == 1


def test_an_outcome_is_its_text():
    assert Outcome("yes") == "yes"
    assert Outcome("never ran", "dropped").kind == "dropped"


def test_the_kit_stays_out_of_plain_shells():
    cell = "import sys\nprint([m for m in sys.modules if m.startswith(('asynclab', 'IPython'))])"
    assert ask(cell, shells=["python"])["python"]["outcome"] == "[]"


def test_of_what_a_cell_prints_so_much_is_kept():
    async def run():
        session = Session("python", [], ["print('a' * 10**9)"], {}, run_all=False, timeout=1)
        session.ended(0, "a" * (MOST_SHOWN + 1), None)
        return session.done[0]

    assert asyncio.run(run()) == "a" * MOST_SHOWN
