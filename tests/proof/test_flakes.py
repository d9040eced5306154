"""The command that looks for flakes counts what fails, and says what it was asked wrongly."""

import pytest

from tests.proof import flakes


@pytest.mark.parametrize("arguments", [[], ["0"], ["twenty"], ["2", "all"], ["-1"]])
def test_a_wrong_call_is_told(arguments, capsys):
    assert flakes.main(arguments) == 2
    assert "start.py flakes 20" in capsys.readouterr().out


def test_a_lesson_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match="There is no lesson 77."):
        flakes.lessons(["0", "77"])


def test_lessons_are_chosen_by_number():
    assert [path.name[:3] for path in flakes.lessons(["3", "01"])] == ["01_", "03_"]
    assert len(flakes.lessons([])) > 5


@pytest.mark.nightly
def test_a_run_that_fails_is_counted(tmp_path, monkeypatch, capsys):
    good, bad = tmp_path / "test_good.py", tmp_path / "test_bad.py"
    good.write_text("def test_it(): assert True\n")
    bad.write_text("import os\ndef test_it(): assert os.environ['PYTHONHASHSEED'] != '2'\n")
    monkeypatch.setattr(flakes, "lessons", lambda numbers: [good, bad])
    assert flakes.main(["3"]) == 1
    assert capsys.readouterr().out.endswith("1 flakes in 3 runs of 2 lessons\n")
