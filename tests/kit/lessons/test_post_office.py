"""The post office of exercise 4.7 ends without a word, whoever is connected."""

import asyncio
import gc
import sys
import threading

import pytest

from asynclab.lessons.lesson04 import PostOffice


async def go_on(rounds):
    for _ in range(rounds):
        await asyncio.sleep(0)


@pytest.mark.parametrize("rounds", range(4))
def test_client_that_is_not_greeted_yet(monkeypatch, rounds):
    """From Python 3.13 on asyncio would tell of one that it has accepted and not yet greeted."""

    async def call_and_close():
        async with office.open():
            caller = threading.Thread(target=lambda: asyncio.run(office.connect()))
            caller.start()
            caller.join()
            await go_on(rounds)
        await go_on(rounds=4)

    said = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    office = PostOffice()
    asyncio.run(call_and_close())
    gc.collect()
    assert (office.connections, said) == (1, [])
