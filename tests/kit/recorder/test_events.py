"""Recording and Timeline by themselves: events in, lanes and spans out. No Django, no asyncio."""

import threading

import pytest

from asynclab.recorder.events import (
    BEGIN,
    CELL,
    END,
    PAUSE,
    QUERY,
    SIZE,
    SUBMIT,
    SYNC,
    TASK,
    Recording,
    Timeline,
)
from tests.harness.in_time import in_time


def on_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()
    return thread


def spans_of(*events):
    """Spans of events written as (at, op, lane, key, kind, name, detail); the last may be left."""
    timeline = Timeline(began=0)
    padded = [(*event, *("", "", "")[len(event) - 4 :]) for event in events]
    timeline.read([item for event in padded for item in event])
    return timeline.spans


# Lanes


def test_each_thread_has_a_lane_named_for_its_job():
    recording = Recording()
    recording.note(BEGIN, "a", SYNC, "a", "", lambda: "event loop")
    recording.note(END, "a")
    worker = on_thread(recording.note, BEGIN, "b", SYNC, "b", "", lambda: "thread-sensitive worker")
    here, there = recording.lanes
    assert (here.index, here.role, here.ident) == (0, "event loop", threading.get_ident())
    assert here.native_id == threading.get_native_id()
    assert (there.index, there.role, there.thread) == (1, "thread-sensitive worker", worker.name)
    assert [span.lane for span in recording.spans] == [0, 1]


def test_a_thread_that_gets_an_old_ident_gets_a_lane_of_its_own():
    recording = Recording()
    for number in range(30):
        on_thread(recording.note, BEGIN, number, SYNC, "work", "", lambda: "plain thread")
    # One after another, so that the system gives idents out again: else this shows nothing.
    assert len({lane.ident for lane in recording.lanes}) < 30
    assert [lane.index for lane in recording.lanes] == list(range(30))
    assert [span.lane for span in recording.spans] == list(range(30))


def test_lanes_are_numbered_where_there_are_or_may_be_several():
    recording = Recording()
    for job in ("plain thread", "pool worker", "plain thread", "pool worker"):
        on_thread(recording.note, BEGIN, object(), SYNC, "work", "", lambda job=job: job)
    roles = [lane.role for lane in recording.lanes]
    assert roles == ["plain thread", "pool worker 1", "plain thread 2", "pool worker 2"]
    assert [span.lane for span in recording.on("pool worker")] == [1, 3]


def test_the_job_is_asked_for_once_a_thread():
    asked = []
    recording = Recording()
    for number in range(3):
        recording.note(BEGIN, number, SYNC, "work", "", lambda: asked.append(1) or "event loop")
    assert asked == [1]


def test_the_end_of_what_began_before_the_recording_opens_no_lane():
    recording = Recording()
    on_thread(recording.note, PAUSE, "unknown")
    on_thread(recording.note, END, "unknown")
    assert recording.lanes == []
    assert recording.spans == []


# Spans


def test_a_span_has_its_times_name_and_error():
    [span] = spans_of(
        (10, BEGIN, 0, "k", QUERY, "SELECT book", "SELECT * FROM book"),
        (30, END, 0, "k", "", "", "DataError"),
    )
    assert (span.start, span.end, span.error) == (10, 30, "DataError")
    assert (span.kind, span.name, span.detail) == (QUERY, "SELECT book", "SELECT * FROM book")


def test_what_is_open_at_once_stands_in_rows_and_a_row_is_used_again():
    spans = spans_of(
        (1, BEGIN, 0, "a", TASK, "a"),
        (2, BEGIN, 0, "b", TASK, "b"),
        (3, BEGIN, 1, "c", SYNC, "c"),
        (4, END, 0, "a"),
        (5, BEGIN, 0, "d", TASK, "d"),
        (6, BEGIN, 0, "e", TASK, "e"),
    )
    assert {span.name: span.row for span in spans} == {"a": 0, "b": 1, "c": 0, "d": 0, "e": 2}


def test_a_task_runs_in_stretches_and_a_second_begin_is_one_more():
    [span] = spans_of(
        (1, BEGIN, 0, "t", TASK, "fetch"),
        (3, PAUSE, 0, "t"),
        (4, PAUSE, 0, "t"),
        (7, BEGIN, 0, "t", TASK, "fetch"),
        (8, PAUSE, 0, "t"),
        (9, BEGIN, 0, "t"),
        (12, END, 0, "t"),
    )
    assert span.runs == [[1, 3], [7, 8], [9, 12]]
    assert span.end == 12


def test_a_key_can_be_used_again_once_its_span_has_ended():
    spans = spans_of(
        (1, BEGIN, 0, "k", SYNC, "first"),
        (2, END, 0, "k"),
        (3, BEGIN, 0, "k", SYNC, "second"),
        (4, END, 0, "k"),
    )
    assert [(span.name, span.start, span.end) for span in spans] == [
        ("first", 1, 2),
        ("second", 3, 4),
    ]


def test_events_of_an_unknown_key_are_left_out():
    assert spans_of((2, PAUSE, 0, "?"), (3, END, 0, "?")) == []


# Hops


HOP = [
    (1, BEGIN, 0, "task", TASK, "fetch"),
    (2, SUBMIT, 0, "item", "", "", "task"),
    (3, PAUSE, 0, "task"),
    (5, BEGIN, 1, "item", SYNC, "query"),
    (8, END, 1, "item"),
    (9, BEGIN, 0, "task"),
    (10, END, 0, "task"),
]


def test_a_hop_knows_who_asked_when_it_left_and_when_it_was_taken_up():
    task, query = spans_of(*HOP)
    assert query.parent == task.index
    assert query.sent == (0, 2)
    assert query.returned == (0, 9)
    assert (task.sent, task.returned, task.parent) == (None, None, None)


def test_a_hop_noted_in_the_wrong_order_is_the_same_hop():
    # Two threads note at the same time: the worker's begin can be written first.
    swapped = [HOP[0], HOP[3], HOP[1], HOP[2], *HOP[4:]]
    _, query = spans_of(*swapped)
    assert (query.parent, query.sent, query.returned) == (0, (0, 2), (0, 9))


def test_a_result_is_taken_up_by_the_first_step_after_its_end():
    spans = spans_of(
        (1, BEGIN, 0, "task", TASK, "fetch"),
        (2, SUBMIT, 0, "item", "", "", "task"),
        (3, PAUSE, 0, "task"),
        (4, BEGIN, 1, "item", SYNC, "query"),
        (5, BEGIN, 0, "task"),
        (6, PAUSE, 0, "task"),
        (7, END, 1, "item"),
        (8, END, 0, "task"),
    )
    assert spans[1].returned == (0, 8)


def test_what_nobody_in_the_recording_asked_for_has_no_parent():
    [span] = spans_of((1, SUBMIT, 0, "item", "", "", None), (2, BEGIN, 1, "item", SYNC, "work"))
    assert (span.sent, span.parent) == ((0, 1), None)


# The end, and the bound


def test_what_is_open_ends_with_the_recording():
    recording = Recording()
    recording.note(BEGIN, recording, CELL, "this cell")
    recording.note(BEGIN, "t", TASK, "forever")
    recording.end()
    assert {span.end for span in recording.spans} == {recording.ended - recording.began}
    assert [span.runs[-1][1] for span in recording.spans] == [recording.ended - recording.began] * 2
    assert [span.error for span in recording.spans] == ["", ""]


def test_nothing_is_kept_after_the_end_and_a_second_end_changes_nothing():
    recording = Recording()
    recording.end()
    ended = recording.ended
    recording.note(BEGIN, "late", SYNC, "late")
    on_thread(recording.note, BEGIN, "later", SYNC, "later")
    recording.end()
    assert (recording.spans, recording.lanes, recording.dropped, recording.ended) == (
        [],
        [],
        0,
        ended,
    )


def test_what_a_thread_noted_while_the_recording_ended_does_not_end_before_it_begins():
    recording = Recording()
    recording.note(BEGIN, "late", SYNC, "late")
    recording.ended = recording.began
    [span] = recording.spans
    assert span.end == span.start > 0


def test_a_recording_shows_how_much_it_holds():
    recording = Recording()
    assert repr(recording) == "Recording: 0 spans on 0 lanes"
    recording.note(BEGIN, "a", SYNC, "a")
    assert repr(recording) == "Recording: 1 span on 1 lane"
    on_thread(recording.note, BEGIN, "b", SYNC, "b")
    assert repr(recording) == "Recording: 2 spans on 2 lanes"


def test_a_lane_can_be_opened_while_one_is_being_opened():
    recording = Recording()

    class Numbered(str):
        """What the garbage collector may run at any point: code that notes something."""

        def __format__(self, spec):
            on = object()
            recording.note(BEGIN, on, SYNC, "inner", role=lambda: "event loop")
            return str(self)

    def open_one():
        recording.note(BEGIN, "outer", SYNC, "outer", role=lambda: Numbered("pool worker"))

    in_time(open_one)
    assert [span.name for span in recording.spans] == ["inner", "outer"]
    assert [lane.role for lane in recording.lanes] == ["event loop", "pool worker 1"]
    assert [lane.index for lane in recording.lanes] == [0, 1]
    assert [span.lane for span in recording.spans] == [0, 1]


def test_the_key_of_a_span_that_has_ended_may_be_anothers():
    """It is the id of something that is gone, or the same task is run again by somebody else."""
    mine = [True]
    recording = Recording(of=lambda: mine[0])
    for name in ("mine", "another's"):
        recording.note(BEGIN, 7, SYNC, name)
        recording.note(END, 7)
        mine[0] = False
    assert [span.name for span in recording.spans] == ["mine"]


def test_past_the_limit_events_are_counted_and_not_kept():
    recording = Recording(limit=4)
    for number in range(10):
        recording.note(BEGIN, number, SYNC, "work")
    recording.end()
    assert len(recording.events) == 4 * SIZE
    assert recording.dropped == 6
    assert [span.end is not None for span in recording.spans] == [True] * 4


# Reading while it is recorded


def test_read_gives_each_span_when_it_is_new_and_when_it_has_changed():
    recording = Recording()
    recording.note(BEGIN, "a", SYNC, "a")
    recording.note(BEGIN, "b", SYNC, "b")
    assert [span.name for span in recording.read()] == ["a", "b"]
    assert recording.read() == []
    recording.note(END, "b")
    assert [(span.name, span.end is None) for span in recording.read()] == [("b", False)]
    recording.end()
    assert [span.name for span in recording.read()] == ["a"]
    assert recording.read() == []


def test_spans_takes_nothing_from_read():
    recording = Recording()
    recording.note(BEGIN, "a", SYNC, "a")
    assert len(recording.spans) == 1
    assert [span.name for span in recording.read()] == ["a"]
    recording.note(END, "a")
    recording.end()
    assert recording.spans[0].end is not None
    assert [span.name for span in recording.read()] == ["a"]


def test_read_can_take_a_bounded_number_of_events():
    recording = Recording()
    for number in range(5):
        recording.note(BEGIN, number, SYNC, str(number))
    recording.end()
    assert [span.name for span in recording.read(most=3)] == ["0", "1", "2"]
    assert recording.unread == 2
    # Only once everything is read can what is still open be closed.
    assert len(recording.read(most=3)) == 5
    assert recording.unread == 0


def test_a_reader_that_is_interrupted_tells_no_event_twice():
    class Interrupted:
        """A key that the reader is interrupted at, once."""

        def __hash__(self):
            if interruptions:
                raise interruptions.pop()
            return 1

    interruptions = [KeyboardInterrupt()]
    recording = Recording()
    for key in ("a", Interrupted(), "b"):
        recording.note(BEGIN, key, SYNC, str(key))
        recording.note(END, key)
    with pytest.raises(KeyboardInterrupt):
        recording.read()
    recording.end()
    assert [span.name for span in recording.spans] == ["a", "b"]


def test_events_noted_by_many_threads_at_once_are_all_kept():
    recording = Recording()
    together = threading.Barrier(8)

    def work(number):
        together.wait()
        for count in range(500):
            recording.note(BEGIN, (number, count), SYNC, "work")
            recording.note(END, (number, count))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        recording.read()
    recording.end()
    assert len(recording.spans) == 8 * 500
    assert len(recording.lanes) == 8
    assert all(span.row == 0 and span.end is not None for span in recording.spans)
