"""The words for threads that checks are written with."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest
from asgiref.sync import sync_to_async

from asynclab.lessons.vocabulary.threads import ELSEWHERE, Encounter, Meeting, place
from asynclab.recorder.roles import EVENT_LOOP, THREAD_SENSITIVE_WORKER


def test_place_is_what_kind_of_thread_it_is_called_on():
    async def main():
        return [
            place(),
            await sync_to_async(place)(),
            await sync_to_async(place, thread_sensitive=False)(),
            await asyncio.to_thread(place),
        ]

    assert asyncio.run(main()) == [EVENT_LOOP, THREAD_SENSITIVE_WORKER, ELSEWHERE, ELSEWHERE]
    assert place() == ELSEWHERE


class Brief(Meeting):
    PATIENCE = GRACE = 0.05


def most_of(meeting, calls, workers):
    def call(_):
        with meeting:
            pass

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(call, range(calls)))
    return meeting.most


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 2), (3, 3)])
def test_most_at_once_is_how_many_there_were(workers, most):
    assert most_of(Brief(7, together=3), 7, workers) == most


def test_one_too_many_is_waited_for():
    assert most_of(Meeting(4, together=3), 4, 4) == 4


def test_nobody_waits_once_somebody_has_waited_in_vain():
    began = perf_counter()
    most_of(Brief(100, together=3), 100, 1)
    assert perf_counter() - began < 100 * Brief.PATIENCE


def test_the_last_one_waits_for_nobody():
    meeting = Meeting(1, together=3)
    meeting.PATIENCE = 5
    began = perf_counter()
    assert most_of(meeting, 1, 1) == 1
    assert perf_counter() - began < meeting.PATIENCE


class BriefEncounter(Encounter):
    PATIENCE = 0.05


async def meet(encounter):
    await asyncio.gather(encounter.wait_on_loop(), asyncio.to_thread(encounter.wait_on_thread))


async def first_on_the_loop(encounter):
    await encounter.wait_on_loop()
    await asyncio.to_thread(encounter.wait_on_thread)


async def first_on_a_thread(encounter):
    await asyncio.to_thread(encounter.wait_on_thread)
    await encounter.wait_on_loop()


@pytest.mark.parametrize(
    ("way", "met"), [(meet, True), (first_on_the_loop, False), (first_on_a_thread, False)]
)
def test_a_thread_and_the_loop_meet_if_both_are_at_work(way, met):
    encounter = Encounter() if met else BriefEncounter()
    asyncio.run(way(encounter))
    assert encounter.met is met


def test_nobody_is_met_where_nobody_came():
    assert not Encounter().met
