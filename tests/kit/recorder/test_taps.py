"""The taps on real loops, threads and queries: what is seen, and that they come off again."""

import asyncio
import concurrent.futures.thread
import contextlib
import gc
import inspect
import os
import signal
import threading
import traceback
import types
import weakref

import pytest
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, async_to_sync, sync_to_async

from asynclab import span
from asynclab.ground.errors import LabError
from asynclab.recorder import taps
from asynclab.recorder.events import CELL, QUERY, SPAN, SYNC, TASK, WAIT


def work(value=None):
    return value


def fail():
    raise ValueError("on purpose")


def recorded(main):
    """Run a coroutine function as one recorded block, and return the recording."""

    async def block():
        with taps.recording() as recording:
            await main()
        return recording

    return asyncio.run(block())


def told(recording, *kinds):
    """What is in a recording: (kind, name, role of the lane, error), in the order of begin."""
    return [
        (span.kind, span.name, recording.lanes[span.lane].role, span.error)
        for span in recording.spans
        if span.kind in (kinds or (TASK, SYNC, WAIT, QUERY, SPAN, CELL))
    ]


def named(recording, name):
    [found] = [span for span in recording.spans if span.name == name]
    return found


# On and off


def test_taps_are_on_in_the_block_and_off_after_it():
    with taps.recording() as recording:
        assert taps.active()
    assert recording.ended is not None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_taps_come_off_when_the_block_raises(error):
    with pytest.raises(error), taps.recording() as recording:
        raise error
    assert told(recording) == [(CELL, "this cell", "main thread", error.__name__)]


def test_taps_come_off_when_a_signal_interrupts_the_block():
    with pytest.raises(KeyboardInterrupt), taps.recording() as recording:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(10)
    assert recording.spans[0].error == "KeyboardInterrupt"


def test_taps_come_off_when_the_block_is_cancelled():
    async def main():
        inside = asyncio.Event()
        recordings = []

        async def block():
            with taps.recording() as recording:
                recordings.append(recording)
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(block())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return recordings[0]

    assert asyncio.run(main()).spans[0].error == "CancelledError"


def test_a_second_stop_changes_nothing():
    recording = taps.start()
    taps.stop(recording)
    ended = recording.ended
    taps.stop(recording, ValueError())
    assert (recording.ended, recording.spans[0].error) == (ended, "")


def test_work_that_outlives_the_recording_is_not_disturbed_by_its_end():
    release, started = threading.Event(), threading.Event()

    def slow():
        started.set()
        release.wait()
        return "done"

    async def main():
        with taps.recording() as recording:
            task = asyncio.create_task(sync_to_async(slow)())
            await asyncio.to_thread(started.wait)
        release.set()
        return await task, recording

    result, recording = asyncio.run(main())
    assert result == "done"
    assert named(recording, "slow").end == recording.ended - recording.began


# Several recordings


def test_a_recording_inside_another_sees_its_part_and_the_outer_sees_all():
    async def main():
        with taps.recording(name="outer") as outer:
            await sync_to_async(work)()
            with taps.recording(name="inner") as inner:
                await sync_to_async(threading.get_ident)()
            assert taps.active()
            await sync_to_async(threading.active_count)()
        return outer, inner

    outer, inner = asyncio.run(main())
    assert [name for _, name, *_ in told(inner, SYNC)] == ["get_ident"]
    assert [name for _, name, *_ in told(outer, SYNC)] == ["work", "get_ident", "active_count"]
    assert len(named(inner, "inner").runs) == 2
    assert len(named(outer, "outer").runs) == 4
    assert not [run for each in (*outer.spans, *inner.spans) for run in each.runs if None in run]
    assert [span.kind for recording in (outer, inner) for span in recording.spans].count(CELL) == 2
    assert named(inner, "get_ident").parent == named(inner, "inner").index
    assert named(outer, "get_ident").parent == named(outer, "outer").index


def test_a_task_that_one_recording_follows_is_seen_by_a_later_one():
    async def main():
        turn = asyncio.Queue()

        async def ticker():
            while await turn.get():
                await sync_to_async(work)()

        with taps.recording():
            task = asyncio.create_task(ticker())
            turn.put_nowait(True)
            await asyncio.sleep(0)
            with taps.recording() as later:
                turn.put_nowait(True)
                turn.put_nowait(False)
                await task
        return later

    later = asyncio.run(main())
    assert (TASK, "ticker", "event loop", "") in told(later, TASK)


def test_two_threads_can_record_at_once():
    together = threading.Barrier(2, timeout=20)
    recordings = {}

    async def main(name):
        with taps.recording(name=name) as recording:
            recordings[name] = recording
            together.wait()
            await asyncio.create_task(asyncio.sleep(0))
            await asyncio.to_thread(work, name)
            together.wait()
            assert taps.active()
            together.wait()

    threads = [threading.Thread(target=asyncio.run, args=(main(name),)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, recording in recordings.items():
        # Each sees both: a recording is of the process. Its own block is there once.
        assert [span.name for span in recording.spans if span.name == "work"] == ["work"] * 2
        assert named(recording, name).kind == CELL
        assert {lane.role for lane in recording.lanes if "worker" not in lane.role} == {
            "event loop",
            "event loop 2",
        }


def test_the_block_of_a_recording_is_a_task_to_another_that_was_there_before():
    async def main(begun, other):
        with taps.recording() as recording:
            begun.set()
            other.wait()
            await asyncio.sleep(0)
        return recording

    one, other = threading.Event(), threading.Event()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ways = (one, other), (other, one)
        recordings = [
            each.result(20) for each in [pool.submit(asyncio.run, main(*way)) for way in ways]
        ]
    for recording in recordings:
        kinds = [(kind, name) for kind, name, *_ in told(recording, CELL, TASK)]
        assert kinds.count((CELL, "this cell")) == 1
        assert set(kinds) <= {(CELL, "this cell"), (TASK, "main")}


def test_two_recordings_that_begin_in_one_step_both_see_its_end():
    async def main():
        with taps.recording(name="outer") as outer, taps.recording(name="inner") as inner:
            await asyncio.sleep(0)
        return outer, inner

    outer, inner = asyncio.run(main())
    [[_, paused], [again, _]] = named(inner, "inner").runs
    assert paused is not None
    assert paused <= again
    assert len(named(outer, "outer").runs) == 2


def as_a_cell(main):
    """A coroutine function whose task is of what runs the notebook, as each cell's is."""
    names = globals() | {"__name__": "ipykernel.kernelbase"}
    return types.FunctionType(main.__code__, names, closure=main.__closure__)


def test_each_recording_of_a_cell_sees_its_later_steps():
    async def main():
        with taps.recording(name="outer") as outer, taps.recording(name="inner") as inner:
            await asyncio.sleep(0)
        with taps.recording(name="next") as following:
            await asyncio.sleep(0)
        return outer, inner, following

    outer, inner, following = asyncio.run(as_a_cell(main)())
    assert len(named(outer, "outer").runs) == 2
    assert len(named(inner, "inner").runs) == 2
    assert len(named(following, "next").runs) == 2


# asyncio


eager = pytest.mark.skipif(
    not hasattr(asyncio, "eager_task_factory"), reason="Python 3.12 has them"
)


def eagerly(main):
    """A coroutine function as it is in a program whose tasks are eager."""

    async def inside():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await main()

    return inside


@eager
def test_eager_tasks_are_seen_from_their_first_step():
    async def fetch(turn):
        await turn.wait()

    async def main():
        turn = asyncio.Event()
        tasks = [asyncio.create_task(fetch(turn)) for _ in range(3)]
        turn.set()
        await asyncio.gather(*tasks)

    recording = recorded(eagerly(main))
    fetches = [span for span in recording.spans if span.name == "fetch"]
    assert [len(span.runs) for span in fetches] == [2, 2, 2]
    assert max(span.start for span in fetches) < min(span.end for span in fetches)
    assert all(None not in run for span in recording.spans for run in span.runs)


@eager
def test_an_eager_task_that_ends_in_its_first_step_is_seen():
    async def quick():
        pass

    async def broken():
        fail()

    async def main():
        await asyncio.gather(quick(), broken(), return_exceptions=True)

    assert told(recorded(eagerly(main)), TASK) == [
        (TASK, "quick", "event loop", ""),
        (TASK, "broken", "event loop", "ValueError"),
    ]


@eager
def test_a_hop_of_an_eager_step_knows_who_asked():
    async def outer():
        await asyncio.create_task(inner())
        await sync_to_async(fail)()

    async def inner():
        await sync_to_async(work)()

    async def main():
        await asyncio.gather(outer(), return_exceptions=True)

    recording = recorded(eagerly(main))
    spans = {span.name: span for span in recording.spans}
    assert spans["work"].parent == spans["inner"].index
    assert spans["fail"].parent == spans["outer"].index


@eager
def test_a_step_goes_on_as_its_own_after_an_eager_task_has_begun_in_it():
    async def outer():
        begun = asyncio.create_task(inner())
        await sync_to_async(work)()
        await begun

    async def inner():
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(outer())

    recording = recorded(eagerly(main))
    assert named(recording, "work").parent == named(recording, "outer").index


@eager
def test_tasks_of_an_eager_factory_of_ones_own_are_seen_from_their_first_step():
    class Task(asyncio.Task):
        pass

    async def fetch():
        await asyncio.sleep(0)

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.create_eager_task_factory(Task))
        await asyncio.create_task(fetch())

    assert len(named(recorded(main), "fetch").runs) == 2


@eager
def test_a_recording_that_begins_in_an_eager_step_follows_its_task():
    async def block():
        with taps.recording(name="inner") as recording:
            await sync_to_async(work)()
        return recording

    recordings = []

    async def main():
        recordings.append(await asyncio.create_task(block()))

    outer = recorded(eagerly(main))
    [inner] = recordings
    assert len(named(inner, "inner").runs) == len(named(outer, "block").runs) == 2
    assert named(inner, "work").parent == named(inner, "inner").index


@eager
def test_a_task_that_an_eager_factory_makes_before_its_loop_runs_is_not_seen_too_early():
    async def fetch():
        pass

    with taps.recording() as recording, contextlib.closing(asyncio.new_event_loop()) as loop:
        loop.set_task_factory(asyncio.eager_task_factory)
        task = loop.create_task(fetch())
        assert not [span for span in recording.spans if span.kind == TASK]
        loop.run_until_complete(task)
    assert len(named(recording, "fetch").runs) == 1


def in_uvloop(loop, main):
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main())


def seen_in_uvloop(recording):
    work, fetch = named(recording, "work"), named(recording, "fetch")
    return (len(fetch.runs), work.parent == fetch.index, work.returned is not None)


def test_tasks_on_a_loop_that_is_not_made_of_asyncios_are_seen():
    uvloop = pytest.importorskip("uvloop")

    async def fetch():
        await sync_to_async(work)()

    async def main():
        with taps.recording() as recording:
            await asyncio.create_task(fetch())
        return recording

    recording = in_uvloop(uvloop.Loop, main)
    assert seen_in_uvloop(recording) == (2, True, True)
    assert len(named(recording, "this cell").runs) == 2
    assert {name for name in ("call_soon", "create_task") if name in vars(uvloop.Loop)} == set()


def test_tasks_on_a_loop_whose_class_is_new_to_the_recording_are_seen():
    uvloop = pytest.importorskip("uvloop")

    async def fetch():
        await sync_to_async(work)()

    with taps.recording() as recording:

        class Loop(uvloop.loop.Loop, asyncio.AbstractEventLoop):
            """What importing uvloop makes."""

        in_uvloop(Loop, fetch)
    assert seen_in_uvloop(recording) == (2, True, True)


def test_a_loop_that_a_recording_could_not_follow_is_named():
    with taps.recording() as recording:

        class Loop(asyncio.AbstractEventLoop):
            """What importing a loop makes; something else than `Runner` may run it."""

    assert recording.unseen == (f"{__name__}.{Loop.__qualname__}",)


def test_a_loop_that_only_wraps_the_notebooks_is_not_one_of_others():
    with taps.recording() as recording:

        class Wrapper(asyncio.AbstractEventLoop):
            """What importing tornado's part for asyncio makes."""

            __module__ = "tornado.platform.asyncio"

    assert recording.unseen == ()


def test_tasks_are_told_in_stretches_with_who_ran_when():
    async def fetch(turn):
        await turn.wait()

    async def main():
        turn = asyncio.Event()
        tasks = [asyncio.create_task(fetch(turn)) for _ in range(3)]
        await asyncio.sleep(0)
        turn.set()
        await asyncio.gather(*tasks)

    recording = recorded(main)
    fetches = [span for span in recording.spans if span.name == "fetch"]
    assert [len(span.runs) for span in fetches] == [2, 2, 2]
    assert len({span.row for span in fetches}) == 3
    # One thread: no two stretches overlap, and all three wait before the first goes on.
    runs = sorted(run for span in recording.spans for run in span.runs)
    assert all(first[1] <= second[0] for first, second in zip(runs, runs[1:], strict=False))
    assert max(span.runs[0][1] for span in fetches) <= min(span.runs[1][0] for span in fetches)


def test_a_task_that_was_ready_before_the_block_runs_while_the_block_awaits():
    async def other():
        pass

    async def main():
        task = asyncio.create_task(other())
        with taps.recording() as recording:
            await task
        return recording

    block, task = asyncio.run(main()).spans
    [[_, paused], _] = block.runs
    assert (block.name, task.name) == ("this cell", "other")
    assert paused <= task.start


def test_a_failed_task_tells_its_error():
    async def broken():
        fail()

    async def main():
        await asyncio.gather(asyncio.create_task(broken()), return_exceptions=True)

    assert (TASK, "broken", "event loop", "ValueError") in told(recorded(main))


def test_a_scheduled_cancel_is_not_taken_for_a_step():
    async def forever():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(task.cancel)
        await asyncio.sleep(0)
        assert task.cancelling() == 1
        await asyncio.gather(task, return_exceptions=True)

    forever_span = named(recorded(main), "forever")
    assert forever_span.error == "CancelledError"
    # The step to the first await, and the step in which CancelledError was raised.
    assert len(forever_span.runs) == 2


@pytest.fixture
def little_to_collect():
    """The garbage collector looks at what the test makes, and at nothing that was there before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def reported(main):
    """What a coroutine function makes asyncio report to the loop's exception handler."""
    messages = []

    async def block():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: messages.append(context["message"]))
        with taps.recording():
            await main()
            gc.collect()
        gc.collect()

    asyncio.run(block())
    return messages


@pytest.mark.usefixtures("little_to_collect")
def test_a_failed_task_that_nobody_awaited_is_still_reported():
    async def broken():
        fail()

    async def main():
        task = asyncio.create_task(broken())
        await asyncio.wait([task])

    assert reported(main) == ["Task exception was never retrieved"]


@pytest.mark.usefixtures("little_to_collect")
def test_a_pending_task_that_is_lost_is_still_reported():
    async def lost():
        await asyncio.Future()

    async def main():
        asyncio.create_task(lost())  # noqa: RUF006  losing it is the point
        await asyncio.sleep(0)

    assert reported(main) == ["Task was destroyed but it is pending!"]


@pytest.mark.usefixtures("little_to_collect")
def test_the_next_task_is_not_taken_for_one_that_was_lost():
    async def lost():
        await asyncio.Future()

    async def fetch():
        await asyncio.sleep(0)

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        for _ in range(20):
            asyncio.create_task(lost())  # noqa: RUF006
            await asyncio.sleep(0)
            gc.collect()
            await asyncio.create_task(fetch())

    recording = recorded(main)
    assert [span.name for span in recording.spans].count("fetch") == 20
    assert [span.name for span in recording.spans].count("lost") == 20


def test_a_task_of_a_coroutine_that_was_closed_fails_as_it_would_without_taps():
    async def main():
        coroutine = sync_to_async(work)()
        task = asyncio.create_task(coroutine)
        coroutine.close()
        return await asyncio.gather(task, return_exceptions=True)

    [plain] = asyncio.run(main())
    seen = []

    async def kept():
        seen.extend(await main())

    recorded(kept)
    assert [(type(error), str(error)) for error in seen] == [(type(plain), str(plain))]


def test_to_thread_and_bare_executors_are_hops_to_a_pool_worker():
    async def main():
        await asyncio.to_thread(work, 1)
        await asyncio.get_running_loop().run_in_executor(None, work)

    recording = recorded(main)
    assert told(recording, SYNC) == [(SYNC, "work", "pool worker 1", "")] * 2
    assert all(
        span.parent == 0 and span.sent and span.returned for span in recording.on("pool worker")
    )


def test_work_that_was_cancelled_before_it_began_is_not_told():
    release = threading.Event()

    async def main():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            started = pool.submit(release.wait)
            cancelled = pool.submit(work)
            assert cancelled.cancel()
            release.set()
            started.result()

    assert [name for _, name, *_ in told(recorded(main), SYNC)] == ["Event.wait"]


# asgiref


def test_a_wrapper_made_before_the_recording_is_seen():
    early = sync_to_async(work)
    recording = recorded(lambda: early(1))
    assert told(recording, SYNC) == [(SYNC, "work", "thread-sensitive worker", "")]
    hop = named(recording, "work")
    assert recording.lanes[hop.sent.lane].role == "event loop"
    assert hop.sent.at <= hop.start <= hop.end <= hop.returned.at


def test_gathered_calls_are_tasks_and_run_one_after_another():
    async def main():
        await asyncio.gather(*(sync_to_async(work)(number) for number in range(5)))

    recording = recorded(main)
    tasks = [span for span in recording.spans if span.kind == TASK]
    hops = [span for span in recording.spans if span.kind == SYNC]
    assert [span.name for span in tasks] == ["sync_to_async(work)"] * 5
    assert [span.parent for span in hops] == [span.index for span in tasks]
    assert all(one.end <= two.start for one, two in zip(hops, hops[1:], strict=False))
    assert {recording.lanes[span.lane].role for span in hops} == {"thread-sensitive worker"}


def test_thread_sensitive_false_runs_on_pool_workers():
    together = threading.Barrier(2, timeout=20)

    async def main():
        meet = sync_to_async(together.wait, thread_sensitive=False)
        await asyncio.gather(meet(), meet())

    roles = {role for _, _, role, _ in told(recorded(main), SYNC)}
    assert roles == {"pool worker 1", "pool worker 2"}


def test_each_thread_sensitive_context_has_a_worker():
    async def branch():
        async with ThreadSensitiveContext():
            await sync_to_async(work)()

    async def main():
        await asyncio.gather(branch(), branch())
        await sync_to_async(work)()

    roles = [role for _, _, role, _ in told(recorded(main), SYNC)]
    assert sorted(roles) == ["context worker 1", "context worker 2", "thread-sensitive worker"]


def test_async_to_sync_goes_back_to_the_loop_it_came_from():
    async def inner():
        await sync_to_async(work)()

    def outer():
        async_to_sync(inner)()

    recording = recorded(sync_to_async(outer))
    assert told(recording) == [
        (CELL, "this cell", "event loop", ""),
        (SYNC, "outer", "thread-sensitive worker", ""),
        (WAIT, "async_to_sync(inner)", "thread-sensitive worker", ""),
        (TASK, "inner", "event loop", ""),
        (SYNC, "work", "thread-sensitive worker", ""),
    ]
    wait, task, hop = recording.spans[2:]
    assert task.parent == wait.index
    assert hop.parent == task.index
    assert recording.lanes[task.sent.lane].role == recording.lanes[task.returned.lane].role


def test_async_to_sync_without_a_loop_starts_one_and_works_in_the_caller():
    async def inner():
        await sync_to_async(work)()

    with taps.recording() as recording:
        async_to_sync(inner)()
    assert told(recording, WAIT, TASK) == [
        (WAIT, "async_to_sync(inner)", "main thread", ""),
        (TASK, "inner", "temporary event loop", ""),
    ]
    assert (SYNC, "work", "main thread", "") in told(recording)


def test_a_wait_that_is_under_way_when_the_recording_begins_ends_well():
    recordings = []

    async def inner():
        recordings.append(taps.start())
        await sync_to_async(work)()

    async_to_sync(inner)()
    taps.stop(recordings[0])
    assert (SYNC, "work", "main thread", "") in told(recordings[0])


def test_an_error_is_marked_where_it_rose_and_its_traceback_has_no_frame_of_the_kit():
    async def main():
        with pytest.raises(ValueError) as raised:
            await sync_to_async(fail)()
        frames.extend(traceback.extract_tb(raised.value.__traceback__))

    frames = []
    recording = recorded(main)
    assert (SYNC, "fail", "thread-sensitive worker", "ValueError") in told(recording)
    assert frames[-1].name == "fail"
    assert not [frame for frame in frames if frame.filename == taps.__file__]


@pytest.mark.parametrize("start", [asyncio.to_thread, asyncio.create_task])
def test_an_error_that_was_handled_is_freed_at_once_with_all_it_holds(start):
    class Page:
        pass

    pages = []

    def broken():
        page = Page()
        pages.append(weakref.ref(page))
        fail()

    async def abroken():
        broken()

    async def main():
        with pytest.raises(ValueError):
            await (start(abroken()) if start is asyncio.create_task else start(broken))
        await asyncio.sleep(0.01)  # the worker lets go of it after it has said that it is done
        return pages[0]() is None

    async def block():
        with taps.recording():
            return await main()

    gc.disable()
    try:
        assert asyncio.run(main()), "not even without the taps"
        pages.clear()
        assert asyncio.run(block())
    finally:
        gc.enable()


def test_names_are_those_that_the_author_wrote():
    class Shelf:
        def count(self):
            def inner():
                pass

            return inner

        def __call__(self):
            pass

    shelf = Shelf()

    async def main():
        await sync_to_async(shelf.count)()
        await sync_to_async(shelf)()
        await sync_to_async(shelf.count())()
        await sync_to_async(lambda: None)()
        await sync_to_async(len)([])

    names = [name for _, name, *_ in told(recorded(main), SYNC)]
    assert names == ["Shelf.count", "Shelf", "inner", "<lambda>", "len"]


# span()


def test_span_names_a_stretch_as_a_block_and_as_a_decorator():
    @span
    def chew():
        return "chewed"

    @span
    async def fetch():
        await asyncio.sleep(0)
        with span("after the await"):
            return "fetched"

    async def main():
        with span("whole"):
            assert chew() == "chewed"
            assert await fetch() == "fetched"

    recording = recorded(main)
    assert [name for _, name, *_ in told(recording, SPAN)] == [
        "whole",
        "chew",
        "fetch",
        "after the await",
    ]
    whole, chewing, fetching, late = (span for span in recording.spans if span.kind == SPAN)
    assert whole.start <= chewing.start <= chewing.end <= fetching.start
    assert fetching.start <= late.start <= late.end <= fetching.end <= whole.end
    assert chew.__name__ == "chew"
    assert inspect.iscoroutinefunction(fetch)


def test_span_marks_an_error_and_does_nothing_outside_a_recording():
    with span("outside"):
        pass
    with taps.recording() as recording, pytest.raises(ValueError), span("inside"):
        fail()
    assert told(recording, SPAN) == [(SPAN, "inside", "main thread", "ValueError")]


def test_one_span_object_can_be_open_twice():
    twice = span("twice")
    with taps.recording() as recording, twice, twice:
        pass
    outer, inner = (one for one in recording.spans if one.kind == SPAN)
    assert outer.start <= inner.start <= inner.end <= outer.end


def test_one_span_object_can_be_open_in_several_tasks():
    shared = span("shared")

    async def main():
        first_left = asyncio.Event()

        async def first():
            with shared:
                await asyncio.sleep(0)
            first_left.set()

        async def second():
            with shared:
                await first_left.wait()

        await asyncio.gather(first(), second())

    one, two = (each for each in recorded(main).spans if each.kind == SPAN)
    assert one.start < two.start < one.end < two.end


def test_one_span_object_can_be_open_in_several_threads():
    shared = span("shared")
    entered, inside, left = threading.Event(), threading.Event(), threading.Event()

    def first():
        with shared:
            entered.set()
            inside.wait(20)
        left.set()

    with taps.recording() as recording:
        thread = threading.Thread(target=first)
        thread.start()
        entered.wait(20)
        with shared:
            inside.set()
            left.wait(20)
        thread.join()
    one, two = (each for each in recording.spans if each.kind == SPAN)
    assert one.start < two.start < one.end < two.end
    assert (recording.lanes[one.lane].role, recording.lanes[two.lane].role) == (
        "plain thread",
        "main thread",
    )


def test_a_span_in_a_generator_that_was_given_up_ends_where_it_is_closed():
    named_stretch = span("stretch")

    async def pages():
        with named_stretch:
            yield 1

    async def main():
        found = pages()
        await asyncio.create_task(anext(found))
        await found.aclose()

    recording = recorded(main)
    assert named(recording, "stretch").end < named(recording, "this cell").end
    assert named_stretch._open == {}


def test_span_lasts_as_long_as_an_object_that_is_called_like_an_async_function():
    class Fetch:
        async def __call__(self):
            await asyncio.sleep(0)
            return work("fetched")

    assert asyncio.run(span(Fetch())()) == "fetched"
    recording = recorded(span(Fetch()))
    assert (
        len([run for run in recording.spans[0].runs if run[0] < named(recording, "Fetch").end]) == 2
    )


def test_span_around_a_generator_is_refused_because_it_would_end_too_early():
    def pages():
        yield

    async def apages():
        yield

    for function in (pages, apages):
        with pytest.raises(LabError, match=r"pages is a generator.*`with span\(\"a?pages\"\):`"):
            span(function)


# Django's queries


def test_a_query_in_sync_code_is_told_inside_it(library):
    def count():
        return library.Book.objects.count()

    recording = recorded(sync_to_async(count))
    assert told(recording, SYNC, QUERY) == [
        (SYNC, "count", "thread-sensitive worker", ""),
        (QUERY, "SELECT library_book", "thread-sensitive worker", ""),
    ]
    assert named(recording, "SELECT library_book").detail.startswith("SELECT COUNT(*)")


def test_what_is_kept_of_a_statement_is_bounded(library):
    def rename():
        names = [library.Author(name=f"Name {number}") for number in range(200)]
        library.Author.objects.bulk_create(names)
        library.Author.objects.filter(name__startswith="Name ").delete()

    details = [span.detail for span in recorded(sync_to_async(rename)).queries]
    assert max(map(len, details)) == 300
    assert any(each.startswith("INSERT INTO") for each in details)


def test_a_query_through_an_a_method_is_told_on_the_worker(library):
    recording = recorded(library.Book.objects.acount)
    assert told(recording, QUERY) == [(QUERY, "SELECT library_book", "thread-sensitive worker", "")]


def test_a_failed_query_is_marked(library):
    from django.db import DatabaseError, connection

    def broken():
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")

    async def main():
        with pytest.raises(DatabaseError):
            await sync_to_async(broken)()

    recording = recorded(main)
    assert told(recording, QUERY) == [
        (QUERY, "SELECT nowhere", "thread-sensitive worker", "OperationalError")
    ]
    assert named(recording, "broken").error == "OperationalError"


def test_a_write_and_its_transaction_are_told(library):
    from django.db import transaction

    def rename():
        with transaction.atomic():
            library.Book.objects.filter(pk=1).update(year=1)
            transaction.set_rollback(True)

    names = [name for _, name, *_ in told(recorded(sync_to_async(rename)), QUERY)]
    assert "UPDATE library_book" in names


def test_every_hop_of_the_shared_worker_ends_up_on_one_lane():
    recording = recorded(lambda: asyncio.gather(*(sync_to_async(work)() for _ in range(50))))
    assert [lane.role for lane in recording.lanes] == ["event loop", "thread-sensitive worker"]
    prefix = SyncToAsync.single_thread_executor._thread_name_prefix
    assert recording.lanes[1].thread.startswith(prefix)


def test_a_recording_can_be_narrowed_from_outside():
    def aside():
        with span("aside"):
            pass

    def names(**how):
        with taps.recording(**how) as seen:
            thread = threading.Thread(target=aside)
            thread.start()
            thread.join()
        return [each.name for each in seen.spans]

    here = threading.get_ident()
    with taps.only(lambda: threading.get_ident() == here):
        assert names() == ["this cell"]
        assert names(of=lambda: True) == ["this cell", "aside"]
    assert names() == ["this cell", "aside"]
