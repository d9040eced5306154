"""A home folder that cannot be written, and a disk that is full: the course goes on."""

import json
import os
import subprocess
import sys

import pytest

from tests.harness.checkout import copy_checkout
from tests.harness.mounts import mounted

# Cells in a kernel; what each prints and shows comes back as JSON.
WORK = """
import json, sys
from tests.harness.cells import Kernel
kernel = Kernel(sys.argv[1], stacks=sys.argv[2])
ran = [kernel.run(cell) for cell in sys.argv[3:]]
kernel.client.stop_channels()
kernel.manager.shutdown_kernel()
print(json.dumps([[each.printed, each.value, each.error] for each in ran]))
"""
SET_UP = "from asynclab import boot, check, hint, progress\nboot()\nfrom library.models import Book"
ANSWER = "async def count_books():\n    return await Book.objects.acount()"
CHECK = "await check('0.1')"
HINT = "hint('0.1')"
PROGRESS = "progress().rows[0]"
PASSED = "LessonCount(lesson='00', passed=1, attempted=1, total=1, left=())"


@pytest.fixture
def home(tmp_path):
    """A home folder with the course in it."""
    (tmp_path / "home").mkdir()
    copy_checkout(tmp_path / "home" / "course")
    return tmp_path / "home"


@pytest.fixture
def learner(home, tmp_path):
    """Run cells as somebody with this home; return what each printed, its value and its error."""

    def work(*cells, before=()):
        course = home / "course"
        mine = {
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "PYTHONPATH": str(course),
            "PYTHONDONTWRITEBYTECODE": "1",
            # In a home like this IPython makes folders of its own, and leaves them behind.
            "IPYTHONDIR": str(tmp_path / "ipython"),
        }
        # Under pytest no progress is kept.
        kept = {name: value for name, value in os.environ.items() if name != "PYTEST_VERSION"}
        command = [sys.executable, "-c", WORK, course / "notebooks", tmp_path / "stacks.txt"]
        done = subprocess.run(
            [*before, *map(str, command), *cells],
            env=kept | mine,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return work


def test_a_home_that_can_be_written_keeps_progress(learner, home):
    *_, check, progress = learner(SET_UP, ANSWER, CHECK, PROGRESS)
    assert check[0] == ""
    assert progress == ["", PASSED, ""]
    assert learner(SET_UP, PROGRESS)[1] == progress
    assert (home / "course" / ".progress" / "progress.json").is_file()


def test_a_home_that_cannot_be_written(learner, home):
    read_only = mounted(f"mount --bind '{home}' '{home}'; mount -o remount,ro,bind '{home}'")
    cells = [SET_UP, ANSWER, HINT, CHECK, CHECK, PROGRESS]
    boot, _, hint, first, second, progress = learner(*cells, before=read_only)
    assert boot[0].startswith("Django is set up.")
    assert hint[0] == (
        "Progress is kept only while this kernel runs: "
        f"{home / 'data' / 'asynclab'} cannot be written.\n"
    )
    assert hint[1].startswith("Hint 1 of")
    assert "passed" in first[1]
    assert first == second
    assert progress == ["", PASSED, ""]
    assert not (home / "course" / ".progress").exists()


def test_a_full_disk(learner, home):
    kept = home / "course" / ".progress"
    kept.mkdir()
    filler = kept / "filler"
    full = mounted(
        f"mount -t tmpfs -o size=16k none '{kept}'; cat /dev/zero > '{filler}' 2>/dev/null || true"
    )
    make_room = f"import os; os.remove({str(filler)!r})"
    show = f"print(open({str(kept / 'progress.json')!r}).read())"
    cells = [SET_UP, ANSWER, HINT, CHECK, PROGRESS, make_room, CHECK, show]
    _, _, hint, check, progress, _, again, file = learner(*cells, before=full)
    assert hint[0] == (
        f"Progress is kept only while this kernel runs: {kept / 'progress.json'} "
        "cannot be written (No space left on device).\n"
    )
    assert check[0] == again[0] == ""
    assert progress == ["", PASSED, ""]
    entry = {"checks": 2, "hints": 1, "verdict": "passed"}
    assert json.loads(file[0]) == {"version": 1, "exercises": {"0.1": entry}}
