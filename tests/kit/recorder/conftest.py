"""What every test of the recorder may use, and what it must leave as it was."""

import logging.handlers
import os
from unittest import mock

import pytest

from asynclab import boot
from asynclab.recorder import hooks, taps
from tests.harness.in_time import in_time


@pytest.fixture(scope="package", autouse=True)
def ends():
    """Before every other test: a recording in another begins and ends, and nothing waits for it."""

    def record():
        with taps.recording(), taps.recording():
            pass

    in_time(record)


@pytest.fixture(autouse=True)
def unreplaced():
    """Around every test the taps are off, and no method is replaced."""
    places = [(owner, name) for owner, name, _ in taps._targets()]
    places.append((logging.handlers.QueueListener, "start"))
    for loop in taps._loops_of_others():
        places += [(loop, "call_soon"), (loop, "create_task")]
    originals = [vars(owner).get(name) for owner, name in places]
    assert not taps.active()
    assert hooks.replaced() == []
    yield
    assert not taps.active()
    assert hooks.replaced() == []
    assert [vars(owner).get(name) for owner, name in places] == originals


@pytest.fixture(scope="package")
def library():
    """The demo project's models, in this process. The environment stays as it was."""
    with mock.patch.dict(os.environ):
        boot()
        import library.models

        yield library.models
