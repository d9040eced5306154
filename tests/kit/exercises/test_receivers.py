"""A check calls none of the receivers that the reader had connected to Django's signals."""

import pytest
from django.core.signals import got_request_exception as signal

from asynclab.exercises.receivers import left_out

CELL = """
def mine(**_): told.append('the notebook')
class Desk:
    def hear(self, **_): told.append('the desk')
desk = Desk()
"""


@pytest.fixture
def notebook():
    names = {"told": []}
    exec(CELL, names)

    def of_a_library(**_):
        names["told"].append("a library")

    receivers = names["mine"], names["desk"].hear, of_a_library
    for each in receivers:
        signal.connect(each)
    yield names
    for each in receivers:
        signal.disconnect(each)


def told(notebook):
    notebook["told"].clear()
    signal.send(sender=None)
    return notebook["told"]


def test_receivers_of_the_notebook_are_left_out_for_the_check_alone(notebook):
    everybody = ["the notebook", "the desk", "a library"]
    with left_out(notebook, of=lambda: True):
        assert told(notebook) == ["a library"]
    with left_out(notebook, of=lambda: False):
        assert told(notebook) == everybody
    assert told(notebook) == everybody


def test_receiver_that_an_answer_connects_is_called(notebook):
    signal.disconnect(notebook["mine"])
    with left_out(notebook, of=lambda: True):
        signal.connect(notebook["mine"])
        assert told(notebook) == ["a library", "the notebook"]
