"""A shell that has heard of another project, and has switched Django's guard off.

What boot() makes of each text of the variable is tested in test_boot.py.
"""

import pytest

from asynclab.authoring.notebooks import find
from tests.harness.cells import Kernel
from tests.rough.surroundings import differences

UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
FIRST, *REST = [*find("notebooks"), *find("solutions")]
SYNC = "async def count_books():\n    return Book.objects.count()\nawait check('0.1')"


@pytest.mark.parametrize(
    "lesson",
    [FIRST, *(pytest.param(path, marks=pytest.mark.nightly) for path in REST)],
    ids=lambda path: f"{path.parent.name}-{path.stem[:2]}",
)
def test_a_lesson_says_so_and_then_what_it_always_says(lesson, tmp_path, monkeypatch):
    monkeypatch.setenv(UNSAFE, "true")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "nosuch.settings")
    [(usual, now)] = differences(lesson, tmp_path).values()
    assert now[0].replace(usual[0], "").splitlines() == [
        "DJANGO_SETTINGS_MODULE was nosuch.settings: boot() wins, it is config.settings here.",
        f"{UNSAFE} was 'true', which switches Django's guard off: "
        "boot() wins, the guard is on in this kernel.",
        f"To switch it off again: import os; os.environ['{UNSAFE}'] = 'true'",
    ]


@pytest.fixture
def kernel(tmp_path):
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel()


def test_a_check_is_not_deceived_by_a_guard_that_is_off(kernel):
    kernel.run("from asynclab import boot, check\nboot()\nfrom library.models import Book")
    kernel.run(f"import os; os.environ['{UNSAFE}'] = '0'")
    assert kernel.run("Book.objects.count()").value == "47"
    outcome = kernel.run(SYNC)
    assert "Django's guard stopped it" in outcome.value
    assert outcome.printed == (
        f"{UNSAFE} is set: Django's guard is off in this kernel. The check ran with it on.\n"
    )
    assert kernel.run(f"os.environ['{UNSAFE}']").value == "'0'"
