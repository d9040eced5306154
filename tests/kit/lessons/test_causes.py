"""How an error of the reader's code came about."""

import asyncio

import pytest

from asynclab.exercises.book import Raised
from asynclab.lessons.vocabulary.causes import on_other_loop, through, under


async def bound_to(lock):
    """Bind a lock to the running loop: only a wait does."""
    await lock.acquire()
    waiting = asyncio.ensure_future(lock.acquire())
    await asyncio.sleep(0)
    waiting.cancel()


def test_a_lock_of_another_loop():
    lock = asyncio.Lock()
    asyncio.run(bound_to(lock))
    with pytest.raises(RuntimeError) as raised:
        asyncio.run(lock.acquire())
    assert on_other_loop(Raised(raised.value, ""))


def test_a_loop_that_is_closed():
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(RuntimeError) as raised:
        loop.call_soon(print)
    assert on_other_loop(Raised(raised.value, ""))


def test_no_loop_is_no_other_loop():
    with pytest.raises(RuntimeError) as raised:
        asyncio.get_running_loop()
    assert not on_other_loop(Raised(raised.value, ""))


def test_under_a_function_of_the_check():
    raised = Raised(ValueError(), "", [("asynclab.lessons.lesson05", "_two_requests")])
    assert under("_two_requests")(raised)
    assert not under("_one_request")(raised)


def test_through_a_package():
    raised = Raised(ValueError(), "", [("__main__", "join"), ("django.forms.models", "save")])
    assert through("django.forms")(raised)
    assert through("django.forms.models")(raised)
    assert not through("django.form")(raised)
