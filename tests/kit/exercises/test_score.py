"""progress(), and the file that it is kept in."""

import json
import os
import subprocess
import sys

import pytest

from asynclab.exercises import progress, score
from asynclab.exercises.verdicts import NOT_ATTEMPTED, NOT_YET, PASSED


def note(outcome, number="0.1"):
    score.note_verdict(score.Verdict(number, "a title", outcome))


def test_progress_counts(own_score):
    assert progress().rows[0] == score.LessonCount("00", 0, 0, 1, ("0.1",))
    note(NOT_ATTEMPTED)
    assert progress().rows[0].attempted == 0
    note(NOT_YET)
    assert progress().rows[0] == score.LessonCount("00", 0, 1, 1, ("0.1",))
    note(PASSED)
    note(NOT_YET)
    assert progress().rows[0] == score.LessonCount("00", 1, 1, 1, ())
    assert "<caption>" in progress()._repr_html_()


def test_progress_names_what_is_left():
    rows = [
        score.LessonCount("00", 1, 1, 1, ()),
        score.LessonCount("01", 0, 1, 2, ("1.1", "1.2")),
    ]
    shown = repr(score.Progress(rows)).splitlines()
    assert shown[1:3] == [
        "00             1          1      1",
        "01             0          1      2   1.1, 1.2",
    ]
    assert shown[-1] == "2 of 3 exercises are left."
    assert "<p>2 of 3 exercises are left.</p>" in score.Progress(rows)._repr_html_()


def test_at_the_end_nothing_is_left():
    rows = [score.LessonCount("00", 1, 1, 1, ()), score.LessonCount("01", 2, 2, 2, ())]
    assert repr(score.Progress(rows)).endswith(
        "\nNothing is left: you have passed all 3 exercises."
    )


def test_a_test_run_keeps_no_file(monkeypatch):
    monkeypatch.delenv(score.VARIABLE, raising=False)
    assert score._path() is None


PASSED_ONCE = b'{"exercises": {"0.1": {"checks": 1, "verdict": "passed"}}, "version": 1}'


def a_file(version, exercises):
    return json.dumps({"version": version, "exercises": exercises})


WRONG_SHAPES = [
    *("[]", "null", "7", '"text"', '{"version": 1}', '{"exercises": {}}', "[" * 100_000),
    *(a_file(version, {}) for version in (0, None, "1", True)),
    *(a_file(1, exercises) for exercises in (3, [], {"0.1": 3})),
    *(a_file(1, {"0.1": entry}) for entry in ([], {"checks": "two"}, {"hints": None})),
]


JUNK = [b"\x00" * 100, bytes(range(256)), "{}".encode("utf-16"), b"SQLite format 3\x00"]


DAMAGED = [*map(str.encode, WRONG_SHAPES), *JUNK]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_file_is_set_aside(own_score, capsys, text):
    own_score.parent.mkdir()
    own_score.write_bytes(text)
    note(PASSED)
    assert (own_score.parent / "progress.damaged-1.json").read_bytes() == text
    assert progress().rows[0].passed == 1
    (message,) = capsys.readouterr().out.splitlines()
    assert "kept as progress.damaged-1.json" in message


def test_a_file_cut_off_at_any_byte_is_set_aside(own_score):
    own_score.parent.mkdir()
    for length in range(len(PASSED_ONCE)):
        own_score.write_bytes(PASSED_ONCE[:length])
        assert progress().rows[0].passed == 0
        aside = own_score.with_name(f"progress.damaged-{length + 1}.json")
        assert aside.read_bytes() == PASSED_ONCE[:length]
    own_score.write_bytes(PASSED_ONCE)
    assert progress().rows[0].passed == 1


def test_a_folder_in_the_files_place_is_set_aside(own_score, capsys):
    own_score.mkdir(parents=True)
    note(PASSED)
    assert own_score.with_name("progress.damaged-1.json").is_dir()
    assert progress().rows[0].passed == 1


def test_what_a_newer_version_wrote_is_kept(own_score, capsys):
    newer = {
        "version": 7,
        "exercises": {"0.1": {"verdict": "not yet", "since": "2031"}, "99.1": {"stars": 3}},
        "badges": ["early bird"],
    }
    own_score.parent.mkdir()
    own_score.write_text(json.dumps(newer))
    note(PASSED)
    note(NOT_YET, "0.2")
    newer["exercises"]["0.1"] |= {"verdict": "passed", "checks": 1}
    newer["exercises"]["0.2"] = {"verdict": "not yet", "checks": 1}
    assert json.loads(own_score.read_text()) == newer
    (message,) = capsys.readouterr().out.splitlines()
    assert (
        message == "progress.json was written by a newer version of the kit. What it holds is kept."
    )


def test_second_damage_does_not_overwrite_the_first(own_score):
    own_score.parent.mkdir()
    for _ in range(2):
        own_score.write_text("{")
        progress()
    kept = sorted(path.name for path in own_score.parent.glob("*damaged*"))
    assert kept == ["progress.damaged-1.json", "progress.damaged-2.json"]


def test_what_a_full_disk_refuses_is_written_when_there_is_room(own_score, monkeypatch, capsys):
    note(NOT_YET)
    before = own_score.read_bytes()

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        note(PASSED)
        note(NOT_YET, "0.2")
        assert progress().rows[0] == score.LessonCount("00", 1, 1, 1, ())
        assert own_score.read_bytes() == before
    (message,) = capsys.readouterr().out.splitlines()
    assert message.startswith("Progress is kept only while this kernel runs: ")
    assert message.endswith("progress.json cannot be written (No space left on device).")
    note(PASSED, "0.2")
    assert json.loads(own_score.read_text())["exercises"] == {
        "0.1": {"verdict": "passed", "checks": 2},
        "0.2": {"verdict": "passed", "checks": 2},
    }
    assert sorted(path.name for path in own_score.parent.iterdir()) == ["lock", "progress.json"]


def test_unwritable_place_is_said_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(score.VARIABLE, str(tmp_path / "file" / "progress.json"))
    monkeypatch.setattr(score, "_told", set())
    monkeypatch.setattr(score, "_memory", {})
    note(PASSED)
    assert progress().rows[0].passed == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


WRITE_TWENTY = """
import sys
from asynclab.exercises import score
for place in range(20):
    score.note_verdict(score.Verdict(f"{sys.argv[1]}.{place}", "", "passed"))
"""


def test_kernels_side_by_side_lose_nothing(own_score):
    kernels = [subprocess.Popen([sys.executable, "-c", WRITE_TWENTY, lesson]) for lesson in "789"]
    assert [kernel.wait() for kernel in kernels] == [0, 0, 0]
    assert len(json.loads(own_score.read_text())["exercises"]) == 60
