"""A call that is cancelled while it waits for a check's own work."""

import asyncio

import pytest

from asynclab.lessons.vocabulary.cancelling import (
    Stalled,
    end,
    require_cancel_passed_on,
    require_cancelled_with,
)
from asynclab.lessons.vocabulary.tasks import turns
from tests.kit.exercises.answers import verdict_on

ANSWERS = {
    "awaits": ("return await work()", "", ""),
    "a task": ("return await asyncio.create_task(work())", "", ""),
    "an answer in its place": (
        "try: return await work()\n except asyncio.CancelledError: return 0",
        *["cancel-swallowed"] * 2,
    ),
    "another exception": (
        "try: await work()\n except asyncio.CancelledError: raise LookupError from None",
        *["cancel-swallowed"] * 2,
    ),
    "never ends": (
        "while True:\n  try: await work()\n  except asyncio.CancelledError: pass",
        *["cancel-swallowed"] * 2,
    ),
    "a shield": ("return await asyncio.shield(work())", "", "goes-on"),
    "fails before": ("raise LookupError", *["raised"] * 2),
    "by keyword": ("await work(title='Emma')", "", ""),
    "all of them": ("await asyncio.gather(work(), work())", "", ""),
    "one of two tasks": (
        "tasks = [asyncio.create_task(work()) for _ in range(2)]\n for task in tasks: await task",
        *["", "goes-on"],
    ),
}


@pytest.mark.parametrize(("body", "alone", "passed_on"), ANSWERS.values(), ids=ANSWERS)
def test_a_cancellation_has_to_come_out_and_to_be_passed_on(body, alone, passed_on):
    def verdict_by(word):
        async def check(given):
            stalled = Stalled()
            await word(given, "answer", stalled, lambda answer: answer(stalled.work), what="it")

        return verdict_on(f"async def answer(work):\n {body}", check).diagnosis

    assert verdict_by(require_cancelled_with) == alone
    assert verdict_by(require_cancel_passed_on) == passed_on


def test_a_task_that_goes_on_is_ended_all_the_same():
    async def stubborn():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def main():
        task = asyncio.create_task(stubborn())
        await turns()
        await end(task)
        return task.done()

    assert asyncio.run(main())
