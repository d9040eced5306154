"""What `python3 start.py test 08` runs."""

import subprocess
import sys

import pytest

import start
from tests.harness.checkout import ROOT
from tests.harness.one_lesson import NUMBERED, lesson_of

GATE = "tests/lessons/test_gate.py"


@pytest.mark.parametrize(
    ("nodeid", "lesson"),
    [
        (f"{GATE}::test_verdict[8.1 says-wsgi]", 8),
        (f"{GATE}::test_verdict[10.1 stub]", 10),
        (f"{GATE}::test_verdict_depends_on_the_answer_alone[8]", 8),
        (f"{GATE}::test_there_are_exercises", None),
        ("tests/lessons/test_prose.py::test_every_name[08_wsgi_and_asgi]", 8),
        ("tests/lessons/test_quotations.py::test_it[U8-0-6.1]", None),
        (f"{NUMBERED[1]}::test_text[notebooks/08_wsgi_and_asgi.ipynb-dark]", 8),
        (f"{NUMBERED[2]}::test_the_rules[solutions/00_start]", 0),
        ("tests/kit/test_boot.py::test_it[8]", None),
        ("notebooks/08_wsgi_and_asgi.ipynb::Cell 8, again", 8),
        ("exercises/11_exercises.ipynb::Cell 8", 11),
    ],
)
def test_the_lesson_that_a_test_is_about(nodeid, lesson):
    assert lesson_of(nodeid) == lesson


def test_where_numbers_are_lessons_there_are_tests():
    assert [path for path in NUMBERED if not (ROOT / path).exists()] == []


def collected(*arguments):
    command = [sys.executable, "-m", "pytest", *start.NBVAL, *start.PLUGINS]
    return subprocess.run(
        [*command, *arguments, "--collect-only", "-q"],
        cwd=ROOT,
        env=start.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_lesson_has_its_own_tests_and_those_of_all_lessons():
    # Not its gate, which takes longer to collect than all of these.
    paths = ["notebooks/00_start_here.ipynb", "tests/lessons/test_known.py", "tests/kit/ground"]
    ids = [line for line in collected("--lesson=0", *paths).stdout.splitlines() if "::" in line]
    assert {each.partition("::")[0] for each in ids} == set(paths[:2])
    assert {lesson_of(each) for each in ids} == {0, None}
    assert f"{paths[1]}::test_every_lesson_has_its_module" in ids


def test_a_lesson_that_is_not_there_is_named():
    ended = collected("--lesson=77", "tests/harness/test_one_lesson.py")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "There is no lesson 77: there are 00 to " in ended.stderr
