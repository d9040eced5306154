"""The words for tasks that checks are written with."""

import asyncio
import threading
import time

import pytest

from asynclab.lessons.vocabulary import tasks
from asynclab.lessons.vocabulary.tasks import (
    TURNS,
    Gate,
    LastFirst,
    NewTasks,
    Overlap,
    StoppedClock,
    all_of,
    clock_put_forward,
    gives_up,
    in_good_time,
    noting_deadlines,
    pass_time,
    told_to_the_loop,
    turns,
)


async def wait_for_a_minute():
    await asyncio.wait_for(asyncio.sleep(0), 60)


async def wait_until_a_minute_is_over():
    await asyncio.wait([asyncio.create_task(asyncio.sleep(0))], timeout=60)


async def wait_within_a_minute():
    async with asyncio.timeout(60):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "wait", [wait_for_a_minute, wait_until_a_minute_is_over, wait_within_a_minute]
)
def test_a_deadline_is_noted_and_a_sleep_is_none(wait):
    with noting_deadlines() as given:
        asyncio.run(asyncio.sleep(0.001))
        asyncio.run(wait())
    assert given == [pytest.approx(60, abs=5)]


def test_in_the_turns_of_a_loop_every_task_goes_on_until_it_waits():
    async def step(left, reached):
        for number in range(left):
            await asyncio.sleep(0)
            reached.append(number)
        await asyncio.Event().wait()

    async def main():
        reached = []
        task = asyncio.create_task(step(TURNS - 1, reached))
        await turns()
        task.cancel()
        return len(reached)

    assert asyncio.run(main()) == TURNS - 1


def test_all_of_them_end_before_the_first_error_is_raised():
    async def main():
        ended = []

        async def work(turns_left, error):
            await turns(turns_left)
            ended.append(turns_left)
            if error:
                raise error
            return turns_left

        assert await all_of(work(number, None) for number in (2, 1)) == [2, 1]
        with pytest.raises(LookupError):
            await all_of([work(30, None), work(1, LookupError()), work(20, ValueError())])
        return ended

    assert asyncio.run(main()) == [1, 2, 1, 20, 30]


def test_a_clock_that_is_put_forward_stays_so():
    async def main():
        ended = []

        async def wait(seconds):
            await asyncio.sleep(seconds)
            ended.append(seconds)

        with clock_put_forward() as forward:
            first = asyncio.create_task(wait(10))
            await turns()
            forward(6)
            second = asyncio.create_task(wait(9))
            await turns()
            forward(12)
            await turns()
            first.cancel()
            second.cancel()
        return ended, "time" in vars(asyncio.get_running_loop())

    assert asyncio.run(main()) == ([10], False)


def test_time_passes_for_those_who_wait_for_less():
    async def main():
        soon, later = asyncio.create_task(asyncio.sleep(0.9)), asyncio.create_task(asyncio.sleep(9))
        clock = asyncio.get_running_loop().time
        await turns(1)
        await pass_time()
        later.cancel()
        return soon.done(), later.done(), clock() - asyncio.get_running_loop().time() < 0.5

    assert asyncio.run(main()) == (True, False, True)


def test_a_stopped_clock_wakes_those_who_wait_one_after_the_other():
    async def main():
        ended = []

        async def wait(*seconds):
            for each in seconds:
                await asyncio.sleep(each)
                ended.append(each)

        with StoppedClock() as clock:
            tasks = [asyncio.create_task(wait(1, 5)), asyncio.create_task(wait(2, 9))]
            await clock.go_on(7)
            seen = list(ended), clock.seconds
            met = await clock.until(tasks[1].done, 3), await clock.until(tasks[1].done, 5)
            seen += met, clock.seconds
        return *seen, "time" in vars(asyncio.get_running_loop())

    assert asyncio.run(main()) == ([1, 2, 5], 7, (False, True), 11, False)


def test_a_stopped_clock_waits_for_a_thread():
    async def main():
        with StoppedClock() as clock:
            work = asyncio.create_task(asyncio.to_thread(time.sleep, 0.05))
            return await clock.until(work.done, 1), clock.seconds

    assert asyncio.run(main()) == (True, 0)


def test_work_that_is_given_up_while_time_passes_is_named():
    async def main():
        await asyncio.wait_for(pass_time(), 0.5)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert (gives_up("A job").diagnosis, gives_up("A job").text[:18]) == (
        "gives-up",
        "A job took a secon",
    )


def test_overlap_on_a_loop():
    async def work(overlap):
        with overlap:
            await turns()

    async def main():
        one_by_one, together = Overlap(), Overlap()
        for _ in range(3):
            await work(one_by_one)
        await asyncio.gather(*[work(together) for _ in range(3)])
        return one_by_one.most, together.most, together.now

    assert asyncio.run(main()) == (1, 3, 0)


def test_overlap_on_threads():
    overlap, both = Overlap(), threading.Barrier(2)

    def work():
        with overlap:
            both.wait(5)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert (overlap.most, overlap.now) == (2, 0)


def test_overlap_ends_with_an_error():
    overlap = Overlap()
    with pytest.raises(ZeroDivisionError), overlap:
        raise ZeroDivisionError
    assert (overlap.most, overlap.now) == (1, 0)


QUESTIONS = "one", "two", "three"


@pytest.mark.parametrize("asked", [QUESTIONS, QUESTIONS[::-1]])
def test_the_last_question_is_answered_first_in_whatever_order_they_are_asked(asked):
    answered = []

    async def ask(desk, question):
        await desk.wait(question)
        answered.append(question)

    async def main():
        desk = LastFirst(QUESTIONS)
        await asyncio.gather(*[ask(desk, question) for question in asked])
        return desk.overlap.most

    assert asyncio.run(main()) == len(QUESTIONS)
    assert answered == ["three", "two", "one"]


def test_questions_that_are_asked_one_by_one_are_answered_so():
    async def main():
        desk = LastFirst(QUESTIONS)
        for question in QUESTIONS:
            await desk.wait(question)
        return desk.overlap.most

    assert asyncio.run(main()) == 1


def test_a_question_whose_asker_is_gone_is_not_answered():
    async def main():
        desk = LastFirst(QUESTIONS)
        gone = asyncio.create_task(desk.wait("three"))
        await turns(2)
        gone.cancel()
        await desk.wait("one")
        return desk.asked, desk.answered

    assert asyncio.run(main()) == (2, 1)


def test_a_question_from_another_loop_is_refused():
    desk = LastFirst(QUESTIONS)
    asyncio.run(desk.wait("one"))
    with pytest.raises(RuntimeError, match="different event loop"):
        asyncio.run(desk.wait("two"))


@pytest.mark.parametrize("held", [True, False])
def test_gate_tells_whether_everybody_who_waited_is_still_there(held):
    async def main():
        gate, kept = Gate(), []
        with told_to_the_loop() as told:
            with NewTasks() as tasks:
                kept.append(asyncio.create_task(gate.wait()))
            if not held:
                kept.clear()
            await turns()
            reached, all_there = gate.reached, gate.open()
            await turns()
        return reached, all_there, tasks.kept, told

    assert asyncio.run(main()) == (1, held, int(held), [] if held else [None])


def test_the_loop_is_told_of_an_exception_that_nobody_asks_for():
    async def fail(error):
        raise error

    async def main():
        error = LookupError("no such price")
        with told_to_the_loop() as told:
            asyncio.create_task(fail(error))  # noqa: RUF006
            await turns()
        return told == [error]

    assert asyncio.run(main())


def test_new_tasks_are_those_of_the_block_alone():
    async def main():
        event = asyncio.Event()
        older = asyncio.create_task(event.wait())
        with NewTasks() as tasks:
            newer = asyncio.create_task(event.wait())
        before = tasks.pending
        tasks.cancel()
        await turns()
        event.set()
        return await older, newer.cancelled(), before, tasks.pending

    assert asyncio.run(main()) == (True, True, 1, 0)


@pytest.mark.parametrize(("goes_on", "ended"), [(False, True), (True, False)])
def test_a_call_that_waits_when_its_work_is_done_is_cancelled(monkeypatch, goes_on, ended):
    monkeypatch.setattr(tasks, "SOON", 0.05)
    done = []

    async def work():
        done.append(True)
        if goes_on:
            await asyncio.Event().wait()

    assert asyncio.run(in_good_time(lambda: bool(done))(work)) is ended


def test_what_a_call_raises_in_good_time_is_raised():
    async def work():
        raise ValueError("no such book")

    with pytest.raises(ValueError, match="no such book"):
        asyncio.run(in_good_time(lambda: False)(work))
