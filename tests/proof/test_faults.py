"""The catalogue of faults is up to date, the judge itself can fail, and a few faults are caught."""

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.harness.checkout import copy_checkout
from tests.proof.faults import __main__ as command
from tests.proof.faults import planting
from tests.proof.faults.catalogue import FAULTS
from tests.proof.faults.edits import nothing, text
from tests.proof.faults.planting import Bench, Fault


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the course."""
    return copy_checkout(tmp_path_factory.mktemp("faults") / "tree")


# --- the catalogue


def test_there_are_enough_faults_of_enough_kinds():
    assert len(FAULTS) >= 70
    assert len({fault.kind for fault in FAULTS}) >= 20


def test_each_fault_has_a_name_a_check_and_a_reason():
    names = [fault.name for fault in FAULTS]
    assert sorted(set(names)) == sorted(names)
    assert [fault.name for fault in FAULTS if not fault.check or not all(fault.reason)] == []
    assert [fault.name for fault in FAULTS if not fault.reason] == []


@pytest.fixture(scope="module")
def planted(tree, tmp_path_factory):
    """Plants a fault in a copy, and gives what it has changed there; all of it is undone."""
    copy = shutil.copytree(tree, tmp_path_factory.mktemp("planted") / "tree")
    before = stamps(copy)

    def plant(fault):
        fault.plant(copy)
        after = stamps(copy)
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        for name in changed & before.keys():
            shutil.copy2(tree / name, copy / name)
        for added in {name.split("/")[0] for name in changed - before.keys()}:
            shutil.rmtree(copy / added)
        assert stamps(copy) == before
        return changed

    return plant


def stamps(folder):
    """When each file was written, and how long it is."""
    # Twice for each fault: os.walk takes a quarter of the time of Path.rglob.
    found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    stats = {os.path.relpath(path, folder): os.stat(path) for path in found}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in stats.items()}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_can_be_planted(fault, tree, planted):
    assert planted(fault) or fault.env
    planting.arguments(tree, fault.check)


def test_each_check_is_there(tree, tmp_path):
    parts = dict.fromkeys(part for fault in FAULTS for part in fault.check)
    copy = shutil.copytree(tree, tmp_path / "tree")
    found = planting.run_check(copy, ("--collect-only", *parts))
    assert found.code == 0, found.words


# --- the judge, on a tree of one function and its test

COUNT = "def count():\n    return 47\n"
CHECK = "from count import count\n\n\ndef test_count():\n    assert count() == 47\n"
TEST = ("test_count.py::test_count",)
WRONG = text("count.py", "return 47", "return 48")


@pytest.fixture
def judged(tmp_path):
    """Judge one fault in a small tree."""
    small = tmp_path / "small"
    small.mkdir()
    (small / "count.py").write_text(COUNT)
    (small / "test_count.py").write_text(CHECK)
    (small / "test_red.py").write_text("def test_red():\n    assert not 'red'\n")
    (small / "test_skipped.py").write_text(
        "import pytest\n\npytest.skip(allow_module_level=True)\n"
    )
    bench = Bench(small, tmp_path, workers=1)

    def judge(plant, reason, check=TEST, **more):
        [found] = bench.judged([Fault("planted", "small", plant, check, (reason,), **more)])
        return found.verdict, found.note

    yield judge
    assert [path.name for path in tmp_path.iterdir()] == ["small"]
    assert (small / "count.py").read_text() == COUNT


def test_a_fault_that_is_noticed_is_caught(judged):
    assert judged(WRONG, "assert 48 == 47") == ("caught", "test_count::test_count")


def test_a_fault_that_changes_nothing_is_missed(judged):
    assert judged(nothing, "assert 48 == 47") == ("missed", "1 tests passed")


def test_a_fault_that_is_noticed_for_another_reason_is_not_caught(judged):
    assert judged(WRONG, "assert 49 == 47")[0] == "wrong reason"


def test_all_phrases_must_be_said_by_one_test():
    fault = Fault("planted", "small", nothing, TEST, ("one", "two"))
    green, red = planting.Run(0, passed=1), {"a": "one", "b": "two"}
    assert planting.judge(fault, green, planting.Run(1, failed=red))[0] == "wrong reason"
    red["c"] = "one and two"
    assert planting.judge(fault, green, planting.Run(1, failed=red)) == ("caught", "c")


def test_a_check_that_is_red_without_the_fault_proves_nothing(judged):
    verdict = judged(WRONG, "red", check=("test_red.py",))
    assert verdict == ("red before", "test_red::test_red")
    assert judged(WRONG, "48", check=("test_gone.py",))[0] == "red before"


def test_a_check_that_does_not_run_proves_nothing(judged):
    assert judged(text("count.py", "def count", "def("), "SyntaxError")[0] == "not run"
    assert judged(WRONG, "48", check=("test_skipped.py",))[0] in ("skipped", "red before")


def test_a_fault_that_does_not_apply_is_no_fault(judged):
    said = judged(text("count.py", "return 46", "return 48"), "assert 48 == 47")
    assert said == ("not planted", "count.py holds 'return 46' 0 times")
    assert judged(text("gone.py", "1", "2"), "2") == ("not planted", "there is no file gone.py")


def test_a_fault_can_lie_in_the_environment(judged, tmp_path):
    asks = "import os\n\n\ndef test_unset():\n    assert 'SHELF' not in os.environ\n"
    (tmp_path / "small" / "test_unset.py").write_text(asks)
    check = ("test_unset.py::test_unset",)
    assert judged(nothing, "SHELF", check=check, env={"SHELF": "7"})[0] == "caught"


def test_what_a_check_leaves_running_is_ended(judged, tmp_path):
    leaves = (
        "import subprocess, pathlib\n\n\ndef test_leaves():\n"
        "    nap = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"    pathlib.Path({str(tmp_path / 'small' / 'pid')!r}).write_text(str(nap.pid))\n"
    )
    (tmp_path / "small" / "test_leaves.py").write_text(leaves)
    assert judged(nothing, "x", check=("test_leaves.py",))[0] == "missed"
    pid = (tmp_path / "small" / "pid").read_text()
    deadline = time.monotonic() + 10  # a busy machine takes its time over a kill
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)


def runs(pid):
    """Whether this process lives. One that has ended may still wait for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


# --- the command


def test_an_unknown_name_gets_one_line(capsys):
    assert command.main(["taps-stay"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "There is no fault 'taps-stay'. Near it: taps-stay-on" in said


def test_the_list_names_each_fault(capsys):
    assert command.main(["--list"]) == 0
    said = capsys.readouterr().out
    assert [fault.name for fault in FAULTS if fault.name not in said] == []


@pytest.mark.parametrize(
    ("verdicts", "code", "told"),
    [
        (["caught", "caught"], 0, "2 faults of 1 kinds: 2 caught, 0 missed."),
        (["caught", "skipped"], 0, "1 caught, 1 skipped, 0 missed."),
        (["caught", "missed"], 1, "1 caught, 1 missed."),
        (["caught", "wrong reason"], 1, "1 caught, 1 wrong reason, 0 missed."),
        (["caught", "not planted"], 1, "1 caught, 1 not planted, 0 missed."),
        (["skipped"], 1, "1 skipped, 0 missed."),
    ],
)
def test_the_exit_code_is_0_only_if_all_that_ran_were_caught(verdicts, code, told, capsys):
    class Judge:
        def judged(self, faults):
            for fault, verdict in zip(faults, verdicts, strict=True):
                yield planting.Judged(fault, verdict, "why")

    assert command.report(Judge(), FAULTS[:1] * len(verdicts)) == code
    assert told in capsys.readouterr().out


# --- the faults themselves: all of them at night, a few in every run


def test_a_few_faults_are_caught(tree, tmp_path):
    found = list(Bench(tree, tmp_path).judged(fault for fault in FAULTS if fault.fast))
    assert len({each.fault.kind for each in found}) >= 4
    assert [each for each in found if each.verdict != planting.CAUGHT] == []
