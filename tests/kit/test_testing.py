"""`assert_at_most` in a test suite: what it counts, what it says, and what it needs."""

import asyncio
import os
import re
import subprocess
import sys
from textwrap import dedent
from types import SimpleNamespace
from unittest import mock

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from asynclab import testing
from asynclab.ground.errors import LabError
from asynclab.recorder import taps
from asynclab.testing import assert_at_most
from tests.harness.checkout import ROOT

JUPYTER = "{'IPython', 'anywidget', 'ipykernel', 'ipywidgets', 'jupyter_client', 'PIL', 'zmq'}"


def work():
    """What a hop runs."""


async def hop(times):
    for _ in range(times):
        await sync_to_async(work)()


async def hop_and_count(times, **limits):
    with assert_at_most(**limits) as recording:
        await hop(times)
    return len(recording.hops)


@pytest.mark.parametrize("most", [2, 3])
def test_as_many_hops_as_allowed(most):
    assert asyncio.run(hop_and_count(2, hops=most)) == 2


def test_too_many_hops():
    with pytest.raises(AssertionError) as failed:
        asyncio.run(hop_and_count(3, hops=2, queries=0))
    first, *rest = str(failed.value).splitlines()
    assert first == "too many hops: 3, at most 2 allowed."
    assert "work x3, one after another" in "\n".join(rest)
    assert rest[-1].startswith("hops: 3 from the event loop to the ")


def test_the_way_to_the_loop_counts_in_a_sync_test():
    said = "too many hops: 3, at most 1 allowed (2 of async_to_sync)."
    with pytest.raises(AssertionError, match=re.escape(said)), assert_at_most(hops=1):
        async_to_sync(hop)(1)


def test_an_error_of_the_block_goes_on():
    with pytest.raises(ZeroDivisionError), assert_at_most(queries=0):
        raise ZeroDivisionError
    assert not taps.active()


def test_a_recording_that_is_full_is_no_proof():
    full = taps.recording(limit=1)
    with (
        mock.patch.object(taps, "recording", lambda **_: full),
        pytest.raises(AssertionError, match="more happened than a recording holds"),
    ):
        asyncio.run(hop_and_count(1, hops=2))


def test_of_many_statements_the_first_are_shown():
    queries = [
        SimpleNamespace(detail=f"SELECT {number}") for number in range(testing.MOST_STATEMENTS + 2)
    ]
    title, *shown, last = testing._statements([*queries, queries[0]])
    assert (title, shown[0], shown[-1]) == (
        "queries past the limit:",
        "    SELECT 0 x2",
        "    SELECT 9",
    )
    assert last == "    and 2 more"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "needs a limit"),
        ({"hops": -1}, "hops takes a whole number from 0 on; got -1"),
        ({"queries": "3"}, "queries takes a whole number from 0 on; got '3'"),
        ({"queries": True}, "got True"),
    ],
)
def test_limits_that_are_none(limits, message):
    with pytest.raises(LabError, match=message):
        assert_at_most(**limits)


SUITE = f"""
import sys

from django.http import HttpResponse
from django.test import AsyncRequestFactory, TestCase, override_settings
from django.urls import path
from library.models import Author

from asynclab.testing import assert_at_most


async def view(request):
    return [await Author.objects.acount(), await Author.objects.afirst()]


async def page(request):
    names = [await Author.objects.filter(name=name).aexists() for name in ("Emma", "Anne", "Ada")]
    return HttpResponse(f"{{names}} of {{await Author.objects.acount()}}")


urlpatterns = [path("", page)]


class Pinned(TestCase):
    async def test_in_async(self):
        with assert_at_most(hops=2, queries=2) as recording:
            await view(AsyncRequestFactory().get("/"))
        assert len(recording.hops) == len(recording.queries) == 2

    def test_in_sync(self):
        with assert_at_most(hops=0, queries=1) as recording:
            Author.objects.count()
        assert len(recording.queries) == 1

    async def test_too_many(self):
        with assert_at_most(hops=1, queries=1):
            await view(AsyncRequestFactory().get("/"))

    @override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[])
    async def test_too_many_by_a_client(self):
        with assert_at_most(hops=3, queries=1):
            await self.async_client.get("/")

    def test_without_jupyter(self):
        assert not {JUPYTER} & sys.modules.keys()
"""


@pytest.mark.parametrize(
    "command",
    [("demo_project/manage.py", "test", "pinned"), ("-m", "pytest", "--ds=config.settings")],
    ids=["Django's runner", "pytest-django"],
)
def test_a_suite_of_its_own(command, tmp_path):
    (tmp_path / "pinned.py").write_text(dedent(SUITE))
    path = os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "demo_project")])
    command = [part.replace("demo_project", str(ROOT / "demo_project")) for part in command]
    if "pytest" in command:
        (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = pinned.py\n")
        command += ["-q", "-p", "pytest_django.plugin", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        # Other plugins bring Jupyter along, as nbval does.
        env={**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        text=True,
        capture_output=True,
        timeout=60,
    )
    said = run.stdout + run.stderr
    assert "2 failed, 3 passed" in said or "FAILED (failures=2)" in said, said
    assert "too many hops: 2, at most 1 allowed; too many queries: 2, at most 1 allowed." in said
    assert "hops: 2 from the event loop to the main thread and back" in said
    assert (
        "too many hops: 6, at most 3 allowed (2 before and after the view: "
        "sync_send, HttpResponseBase.close); too many queries: 4, at most 1 allowed." in said
    )
    past = said.partition("(2 before and after")[2].partition("queries past the limit:\n")[2]
    assert [line.rpartition('"library_author"')[2] for line in past.splitlines()[:2]] == [
        '."name" = %s LIMIT 1 x2',
        "",
    ]
    # The failure points to the test, and to no line of the kit.
    assert "testing.py" not in said
