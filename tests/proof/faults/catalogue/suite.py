"""What can go wrong with the tests themselves: not run, not ended, not able to fail."""

from tests.proof.faults.edits import append, text
from tests.proof.faults.planting import Fault

COMMAND = "tests/repository/test_command.py::test_"
TESTS = "tests/repository/test_tests.py::test_"
CELLS = (f"{COMMAND}every_cell_of_every_notebook_is_run_and_a_lessons_twice",)
EVERY = (f"{COMMAND}every_test_is_run_but_the_nightly_ones",)

FAULTS = [
    Fault(
        "cells-not-compared",
        "the test command",
        text("start.py", '("--nbval", "--nbval-cell-timeout", "180")', "()"),
        CELLS,
        ("assert Counter() ==",),
    ),
    Fault(
        "solutions-not-run",
        "the test command",
        text("pyproject.toml", '"notebooks", "solutions", "exercises"]', '"notebooks"]'),
        CELLS,
        ("solutions/00_exercises_start_here.ipynb",),
    ),
    Fault(
        "lessons-run-once",
        "the test command",
        text("start.py", '"-p", "tests.harness.twice", ', ""),
        CELLS,
        ("assert Counter() ==",),
    ),
    Fault(
        "browser-tests-left-out",
        "the test command",
        text("pyproject.toml", "-m 'not nightly'", "-m 'not nightly and not browser'"),
        EVERY,
        ("tests/pages/test_browser_lanes.py::test_",),
    ),
    Fault(
        "folder-of-tests-left-out",
        "the test command",
        append("tests/conftest.py", 'collect_ignore = ["rough"]'),
        EVERY,
        ("tests/rough/test_killed.py::test_",),
    ),
    Fault(
        "longest-tests-begun-last",
        "the test command",
        text("start.py", ', "-p", "tests.harness.scheduling")', ")"),
        (f"{COMMAND}what_takes_longest_is_begun_first",),
        ("startswith",),
    ),
    Fault(
        "test-that-hangs-is-waited-for",
        "the test command",
        text("pyproject.toml", "faulthandler_exit_on_timeout = true\n", ""),
        (f"{COMMAND}a_test_that_hangs_fails_and_the_others_run",),
        ("TimeoutExpired",),
    ),
    Fault(
        "test-asserts-nothing",
        "a test",
        append("tests/kit/test_boot.py", "def test_boot():\n    boot()"),
        (f"{TESTS}every_test_asserts_something",),
        ("tests/kit/test_boot.py::test_boot",),
    ),
    Fault(
        "test-asserts-a-constant",
        "a test",
        append("tests/kit/test_boot.py", "def test_boot():\n    assert (boot() is None, 'why')"),
        (f"{TESTS}no_assertion_is_of_a_constant",),
        ("tests/kit/test_boot.py: assert (boot() is None",),
    ),
    Fault(
        "test-skipped-for-ever",
        "a test",
        append("tests/kit/test_predict.py", 'pytestmark = pytest.mark.skip(reason="It was red.")'),
        (f"{TESTS}nothing_is_skipped_for_ever",),
        ("tests/kit/test_predict.py: pytest.mark.skip",),
    ),
    Fault(
        "test-that-pytest-does-not-see",
        "a test",
        text("tests/kit/test_predict.py", "def test_html_is_escaped", "def html_is_escaped"),
        (f"{TESTS}no_function_of_a_test_module_is_left_over",),
        ("tests/kit/test_predict.py::html_is_escaped",),
    ),
    Fault(
        "test-that-ends-before-it-asserts",
        "a test",
        append("tests/kit/test_boot.py", "def test_boot():\n    return\n    assert boot()"),
        (f"{TESTS}every_test_gets_to_its_end",),
        ("tests/kit/test_boot.py::test_boot",),
    ),
    Fault(
        "failure-of-a-test-caught",
        "a test",
        append(
            "tests/kit/test_boot.py",
            "def test_boot():\n    try:\n        assert boot()\n"
            "    except AssertionError:\n        pass",
        ),
        (f"{TESTS}every_test_gets_to_its_end",),
        ("tests/kit/test_boot.py::test_boot",),
    ),
    Fault(
        "test-of-nothing-is-skipped",
        "the test command",
        text("pyproject.toml", 'empty_parameter_set_mark = "fail_at_collect"\n', ""),
        (f"{COMMAND}a_mark_that_nobody_knows_and_a_test_of_nothing_are_errors",),
        ("KeyError: 'empty_parameter_set_mark'",),
    ),
    Fault(
        "family-of-rules-left-out",
        "the code",
        text("pyproject.toml", '"B", "BLE", ', '"B", '),
        (
            "tests/repository/test_style.py::test_every_rule_that_the_course_has_chosen_is_looked_for",
        ),
        ("'BLE'",),
    ),
]
