"""Whatever an answer does, a check puts everything back."""

import asyncio
import os
import sys

import pytest
from asgiref.sync import sync_to_async

from asynclab.exercises import score
from asynclab.recorder import hooks, taps


@pytest.fixture(autouse=True)
def nothing_stays_behind():
    environment, folder, streams = dict(os.environ), os.getcwd(), (sys.stdout, sys.stderr)
    yield
    assert (taps.active(), hooks.replaced()) == (False, [])
    assert (sys.stdout, sys.stderr) == streams
    assert os.getcwd() == folder
    del environment["PYTEST_CURRENT_TEST"]
    assert {**os.environ, **environment} == dict(os.environ)
    assert asyncio.run(sync_to_async(lambda: "still at work")()) == "still at work"


@pytest.fixture
def own_score(tmp_path, monkeypatch):
    path = tmp_path / "score" / "progress.json"
    monkeypatch.setenv(score.VARIABLE, str(path))
    monkeypatch.setattr(score, "_told", set())
    monkeypatch.setattr(score, "_unsaved", [])
    return path
