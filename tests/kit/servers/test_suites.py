"""A test suite of cells in a process of its own, and what is shown of what it writes."""

import shutil
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from asynclab.ground.errors import LabError
from asynclab.servers import noting, suite, suites


@pytest.fixture
def told(monkeypatch, tmp_path):
    """What is shown of lines, in which {mine} stands for the folder of the suite's modules."""
    monkeypatch.setattr(suites, "folder_of_modules", lambda: tmp_path)
    return lambda *lines: list(
        suites._told([line.replace("{mine}", str(tmp_path)) for line in lines])
    )


def test_of_a_traceback_the_own_frames_are_shown(told):
    assert told(
        "Traceback (most recent call last):",
        '  File "/usr/lib/django/test/client.py", line 1, in get',
        "    return await super().get()",
        "           ^^^^^^^^^^^^^^^^^^^",
        '  File "{mine}/shelf_tests.py", line 9, in test_shelf',
        "    await self.view()",
        "    ~~~~~~~~~^^",
        "ValueError: no shelf",
    ) == [
        "Traceback (most recent call last):",
        '  File "shelf_tests.py", line 9, in test_shelf',
        "    await self.view()",
        "ValueError: no shelf",
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Ran 2 tests in 0.012s", ["Ran 2 tests"]),
        ("1 failed, 2 passed in 61.20s (0:01:01)", ["1 failed, 2 passed"]),
        ("view() took 0.203 seconds", ["view() took ... seconds"]),
        ("=" * 70, ["=" * 20]),
        ("<Queue at 0x7f2baa maxsize=0> is bound", ["<Queue maxsize=0> is bound"]),
        ("Destroying old test database for alias 'default'...", []),
        ("", []),
        (
            "/usr/lib/python3.11/unittest/case.py:579: RuntimeWarning: x",
            ["unittest/case.py: RuntimeWarning: x"],
        ),
        ("test_desk.py:12: AssertionError", ["test_desk.py:12: AssertionError"]),
    ],
)
def test_what_differs_from_machine_to_machine_is_left_out(told, line, shown):
    assert told(line) == shown


def test_below_a_warning_its_line_of_code_is_left_out(told):
    warning = "/usr/lib/python3.11/unittest/case.py:579: RuntimeWarning: never awaited"
    assert told(warning, "  if method() is not None:", ".") == [
        "unittest/case.py: RuntimeWarning: never awaited",
        ".",
    ]


@pytest.mark.parametrize("command", ["", "rm -r shelf", "manage.py test"])
def test_a_command_of_another_kind(command):
    with pytest.raises(LabError, match="takes a command of python or pytest"):
        suite(command)


def test_a_suite_has_the_kernels_settings_and_a_database_of_its_own(run):
    said = run(
        '''
from asynclab.servers import suite
write_module("desk_tests", """
from django.conf import settings
from django.test import TestCase
from library.models import Author

class DeskTests(TestCase):
    async def test_it(self):
        print(settings.SETTINGS_MODULE, await Author.objects.acount())
""")
done = suite("python manage.py test desk_tests")
print(done)
print(done.status, "left:", children())
'''
    )
    assert said == [
        "Found 1 test(s).",
        "config.settings 0",
        ".",
        "-" * 20,
        "Ran 1 test",
        "OK",
        "0 left: []",
    ]


def test_a_suite_that_hangs_says_which_test_and_what_was_written(run):
    said = run(
        '''
import subprocess, time
from asynclab.ground.errors import LabError
from asynclab.servers import modules, suite, suites
write_module("hang_tests", """
import asyncio
from django.test import SimpleTestCase

class HangTests(SimpleTestCase):
    async def test_a_ends(self):
        print("a was here")

    async def test_b_hangs(self):
        await asyncio.Event().wait()
""")
wait = suites._status_and_text

def until_b_has_begun(process):
    """In place of a minute."""
    note = modules.folder() / "asynclab_noting.txt"
    limit = time.monotonic() + 30
    while not note.read_text().endswith("test_b_hangs") and time.monotonic() < limit:
        time.sleep(0.01)
    suites._status_and_text = wait
    raise subprocess.TimeoutExpired("suite", suites.PATIENCE)

for command in ("python manage.py test hang_tests", "pytest -qs hang_tests.py"):
    suites._status_and_text = until_b_has_begun
    try:
        suite(command)
    except LabError as error:
        print(error, "left:", children())
'''
    )
    late = "The suite has not ended within 60 seconds. "
    assert said == [
        f"{late}hang_tests.HangTests.test_b_hangs has begun, and has not ended. It wrote:",
        "Found 2 test(s).",
        "a was here",
        ". left: []",
        f"{late}hang_tests.py::HangTests::test_b_hangs has begun, and has not ended. It wrote:",
        "a was here",
        ". left: []",
    ]


def test_a_test_that_has_ended_is_noted_no_more(tmp_path):
    place = spec_from_file_location("noting", shutil.copy(noting.__file__, tmp_path))
    noted = module_from_spec(place)
    place.loader.exec_module(noted)
    noted.pytest_runtest_logstart("desk_tests.py::test_lends")
    assert noted.NOTE.read_text() == "desk_tests.py::test_lends"
    noted.pytest_runtest_logfinish()
    assert noted.NOTE.read_text() == ""
