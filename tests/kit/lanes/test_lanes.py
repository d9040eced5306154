"""A recording as words, as a still, and as messages to the page. What a page shows of it is tested
in test_browser_lanes.py."""

import asyncio
import io
import json
import queue
import re
import threading
import time
import weakref

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from PIL import Image, ImageColor

from asynclab import lanes, span
from asynclab.lanes.canvas import WIDTH, nice_step, size
from asynclab.lanes.feed import Feed, _Rows
from asynclab.lanes.live import LiveLanes
from asynclab.lanes.still import (
    AXIS,
    LABELS,
    LANE_MIN,
    LANE_PAD,
    LANE_ROWS,
    LEAST,
    LEGEND,
    RIGHT,
    ROW,
    Picture,
)
from asynclab.recorder import taps
from asynclab.recorder.events import (
    BEGIN,
    CELL,
    END,
    PAUSE,
    QUERY,
    SPAN,
    SUBMIT,
    SYNC,
    TASK,
    WAIT,
    Recording,
)
from tests.harness.contrast import contrast


def count_books():
    return 40


async def fetch():
    await asyncio.sleep(0)
    return await sync_to_async(count_books)()


def loop() -> str:
    return "event loop"


def recorded(run) -> Recording:
    async def main():
        with taps.recording() as recording:
            await run()
        return recording

    return asyncio.run(main())


# --- words


def test_text_says_who_ran_what_where():
    async def five():
        await asyncio.gather(*(fetch() for _ in range(5)))

    assert lanes.text(recorded(five)).splitlines() == [
        "event loop: this cell; fetch x5 (tasks, interleaved)",
        "thread-sensitive worker: count_books x5, one after another",
        "hops: 5 from the event loop to the thread-sensitive worker and back",
    ]


def test_text_is_the_same_every_time_under_load():
    async def all_sorts():
        pooled = sync_to_async(count_books, thread_sensitive=False)
        await asyncio.gather(*(pooled() for _ in range(10)), *(fetch() for _ in range(5)))

    def load():
        while not over.is_set():
            sum(range(2000))

    over = threading.Event()
    busy = [threading.Thread(target=load) for _ in range(2)]
    first = lanes.text(recorded(all_sorts))
    for thread in busy:
        thread.start()
    try:
        assert {lanes.text(recorded(all_sorts)) for _ in range(5)} == {first}
    finally:
        over.set()
        for thread in busy:
            thread.join()


def test_text_merges_workers_whose_number_is_a_race():
    async def run():
        await asyncio.gather(*(asyncio.to_thread(count_books) for _ in range(4)))

    text = lanes.text(recorded(run))
    assert "thread pool: count_books x4\n" in text
    assert "pool worker" not in text


def test_text_names_context_workers_without_counting_them():
    async def in_a_context():
        async with ThreadSensitiveContext():
            await sync_to_async(count_books)()

    async def run():
        await asyncio.gather(in_a_context(), in_a_context())

    assert "context workers: count_books x2\n" in lanes.text(recorded(run))


def test_text_tells_of_async_to_sync():
    async def inner():
        await asyncio.sleep(0)

    async def run():
        await sync_to_async(bridge)()

    def bridge():
        async_to_sync(inner)()

    text = lanes.text(recorded(run))
    assert "bridge; waits in async_to_sync(inner)" in text
    assert "1 from the thread-sensitive worker to the event loop and back" in text


def test_a_thread_that_lives_briefly_is_drawn_told_and_sent():
    def brief():
        with span("brief"):
            pass

    with taps.recording() as recording:
        for _ in range(2):
            thread = threading.Thread(target=brief)
            thread.start()
            thread.join()
        threading.Event().wait(0.05)  # a thousand times as long as the threads lived
    assert "plain threads: brief x2" in lanes.text(recording).splitlines()
    picture, page = Picture(recording), Page()
    picture.draw()
    roles = ["main thread", "plain thread", "plain thread 2"]
    assert [lane.role for lane in picture.lanes] == roles
    drawn = [picture._box(each) for each in picture._worth_drawing() if each.name == "brief"]
    assert [right - left for left, _, right, _ in drawn] == [LEAST, LEAST]
    for message in Feed(recording).rest():
        page.take(message)
    assert [lane[0] for lane in page.lanes.values()] == roles
    assert page.names() == ["this cell", "brief", "brief"]


def test_text_names_an_error_where_it_rose_first():
    def broken():
        raise ValueError("no")

    async def wrong():
        await sync_to_async(broken)()

    async def run():
        with pytest.raises(ValueError, match="no"):
            await asyncio.create_task(wrong())

    assert lanes.text(recorded(run)).splitlines()[-1] == "errors: ValueError in broken, then wrong"


def by_hand(*events, roles=("event loop",)) -> Recording:
    """A recording of made-up events: (lane, milliseconds, op, key, kind, name)."""
    recording = Recording()
    for role in roles:
        recording._open_lane(lambda role=role: role)
    for lane, at, op, key, kind, name in events:
        recording.events += (recording.began + at * 10**6, op, lane, key, kind, name, "")
    recording.ended = recording.began + 100 * 10**6
    return recording


def test_text_nests_queries_below_their_thread():
    recording = by_hand(
        (0, 1, BEGIN, "a", SYNC, "count_books"),
        (0, 2, BEGIN, "b", QUERY, "SELECT library_book"),
        (0, 3, END, "b", "", ""),
        (0, 4, BEGIN, "c", QUERY, "SELECT library_book"),
        (0, 5, END, "c", "", ""),
        (0, 6, END, "a", "", ""),
        roles=["thread-sensitive worker"],
    )
    assert lanes.text(recording).splitlines() == [
        "thread-sensitive worker: count_books",
        "    2 queries: SELECT library_book x2",
    ]


def test_text_calls_tasks_interleaved_only_if_they_were():
    apart = by_hand(
        (0, 1, BEGIN, "a", TASK, "fetch"),
        (0, 2, END, "a", "", ""),
        (0, 3, BEGIN, "b", TASK, "fetch"),
        (0, 4, END, "b", "", ""),
    )
    assert lanes.text(apart) == "event loop: fetch x2 (tasks, one after another)"


def test_text_tells_what_was_dropped():
    recording = Recording(limit=2)
    recording.note(BEGIN, 1, SPAN, "a", role=loop)
    recording.note(END, 1)
    recording.note(BEGIN, 2, SPAN, "b")
    recording.end()
    assert lanes.text(recording).splitlines()[-1] == "dropped: 1 events, past the limit of 2"


def test_text_is_bounded_however_many_names_there_are():
    names = [f"page {number}" for number in range(33_000)]
    recording = Recording()
    for kind in (SPAN, QUERY):
        for name in names:
            recording.note(BEGIN, name, kind, name, role=loop)
            recording.note(END, name, detail="" if kind == SPAN else f"Error{name}")
    recording.end()
    told = lanes.text(recording).splitlines()
    shown = [f"page {number}" for number in range(20)]
    assert told[0] == f"event loop: {'; '.join(shown)}; and 32,980 more names"
    assert told[1] == f"    33000 queries: {', '.join(shown)}, and 32,980 more names"
    assert told[2].endswith("; Errorpage 19 in page 19; and 32,980 more names")
    assert len(told) == 3


def test_text_is_bounded_however_much_one_error_has_ended():
    recording = Recording()
    for number in range(33_000):
        recording.note(BEGIN, number, SPAN, f"page {number}", role=loop)
        recording.note(END, number, detail="ValueError")
    recording.end()
    shown = ", then ".join(f"page {number}" for number in range(20))
    _, errors = lanes.text(recording).splitlines()
    assert errors.startswith(f"errors: ValueError in {shown}, ")
    assert errors.endswith("and 32,980 more names")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("two\nlines", "two lines"),
        ("\r\n tabs\tand\x1b[31mcolours\u2028 ", "tabs and [31mcolours"),
        ("größe 本を数える", "größe 本を数える"),
        ("x" * 200, "x" * 200),
        ("x" * 5000, "x" * 200 + "…"),
    ],
)
def test_a_name_is_told_in_one_line_of_some_length(name, told):
    recording = Recording()
    recording.note(BEGIN, 1, SPAN, name, role=loop)
    recording.note(END, 1, detail=name)
    assert lanes.text(recording) == f"event loop: {told}\nerrors: {told} in {told}"
    [row] = Feed(recording).next()["rows"]
    assert [span.name for span in recording.spans] == [told]
    assert len(row) == 15


def test_text_names_the_loops_whose_tasks_are_not_seen():
    recording = by_hand((0, 1, BEGIN, "a", SYNC, "f"))
    recording.unseen = ("uvloop.Loop",)
    assert lanes.text(recording).splitlines() == [
        "event loop: f",
        "not seen: tasks of uvloop.Loop, which came up meanwhile",
    ]


def test_text_of_nothing():
    assert lanes.text(Recording()) == "nothing was recorded"


# --- the still


def test_still_is_a_picture_of_its_size():
    async def run():
        await asyncio.gather(*(fetch() for _ in range(5)))

    png = lanes.still(recorded(run))
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    assert image.size == tuple(2 * side for side in size(png))
    assert len(image.convert("RGB").getcolors(10_000)) > 10


@pytest.mark.parametrize("name", ["<b>bold</b>", "größe", "本を数える", "two\nlines", "x" * 5000])
def test_still_takes_any_name(name):
    assert lanes.still(by_hand((0, 1, BEGIN, "a", SYNC, name))).startswith(b"\x89PNG")


def test_still_shows_a_millisecond_at_least():
    """Else two calls of a moment would look as far apart as two that wait for each other."""
    recording = by_hand((0, 0, BEGIN, "a", SYNC, "a"), (0, 0, END, "a", "", ""))
    recording.ended = recording.began + 1000
    assert Picture(recording).length == 1_000_000


def test_still_of_nothing():
    assert lanes.still(Recording()).startswith(b"\x89PNG")


def clearest(image, box) -> float:
    """The contrast of a part's ground, its most frequent colour, with what stands out most."""
    colours = image.crop([2 * side for side in box]).getcolors(100_000)
    ground = max(colours)[1]
    return max(contrast(ground, colour) for _, colour in colours)


PAGES = {
    "JupyterLab and GitHub, light": "#ffffff",
    "JupyterLab, dark": "#111111",
    "GitHub, dark": "#0d1117",
}
KINDS = [CELL, TASK, SYNC, WAIT, QUERY, SPAN]


def one_of_each() -> Image.Image:
    """The still of one span of each kind, below each other in the only lane, and an error."""
    events = [(0, 0, BEGIN, kind, kind, "count_books") for kind in KINDS]
    recording = by_hand(*events)
    for kind in (CELL, TASK):
        recording.events += (recording.began + 5 * 10**6, PAUSE, 0, kind, "", "", "")
    ended = recording.began + 99 * 10**6
    recording.events += (ended, END, 0, SYNC, "", "", "ValueError")
    return Image.open(io.BytesIO(lanes.still(recording))).convert("RGB")


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_still_has_a_paper_of_its_own_and_an_edge_that_is_seen_on_every_page(page):
    image = Image.open(io.BytesIO(lanes.still(by_hand((0, 1, BEGIN, "a", SYNC, "f")))))
    assert "transparency" not in image.info
    edge = image.convert("RGB").getpixel((0, 100))
    assert contrast(edge, ImageColor.getrgb(page)) >= 3


def test_text_of_a_still_can_be_read():
    image = one_of_each()
    rows = {kind: AXIS + LANE_PAD + number * ROW for number, kind in enumerate(KINDS)}
    label = LABELS + 4  # past the left edge of a bar; where a task has run its name begins later
    parts = {kind: (label + 50, top + 6, label + 90, top + 14) for kind, top in rows.items()}
    parts |= {
        kind: (label + 4, rows[kind] + 6, label + 60, rows[kind] + 14) for kind in (SYNC, WAIT)
    }
    foot = AXIS + len(KINDS) * ROW + 2 * LANE_PAD
    parts |= {
        "role": (14, AXIS + 50, 120, foot // 2 + 10),
        "thread": (14, foot // 2 + 16, 120, foot // 2 + 40),
        "axis": (LABELS + 1, 4, LABELS + 40, AXIS - 6),
        "legend": (40, foot + 8, 70, foot + LEGEND - 8),
    }
    found = {name: clearest(image, box) for name, box in parts.items()}
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


def test_ways_of_gathered_calls_leave_the_bars_of_a_still_alone():
    events = []
    for n in range(20):
        events += [(0, 1, BEGIN, n, TASK, "fetch"), (0, 2, SUBMIT, 100 + n, "", "")]
        events += [(0, 3, PAUSE, n, "", "")]
        events += [(1, 4 + n, BEGIN, 100 + n, SYNC, "f"), (1, 5 + n, END, 100 + n, "", "")]
    png = lanes.still(by_hand(*events, roles=["event loop", "thread-sensitive worker"]))
    image = Image.open(io.BytesIO(png)).convert("RGB")
    row = LANE_ROWS / 20
    between = {
        image.getpixel((round(2 * x), round(2 * (AXIS + LANE_PAD + n * row - 1.5))))
        for n in range(1, 20)
        for x in range(LABELS + 40, 880, 3)
    }
    assert len(between) <= 2  # the lane's ground, and the axis's lines


@pytest.mark.parametrize(("at", "y", "by"), [(10, LANE_PAD + ROW, 0), (30, LANE_MIN / 2, -2)])
def test_a_way_of_a_still_begins_at_what_was_open_or_at_a_dot(at, y, by):
    recording = by_hand(
        (0, 2, BEGIN, "wait", WAIT, "async_to_sync(nap)"),
        (0, 10, SUBMIT, "run", "", ""),
        (1, 12, BEGIN, "run", SYNC, "asyncio.run"),
        (1, 18, END, "run", "", ""),
        (0, 20, END, "wait", "", ""),
        (0, 30, SUBMIT, "pooled", "", ""),
        (1, 32, BEGIN, "pooled", SYNC, "f"),
        roles=["plain thread", "pool worker"],
    )
    image = Image.open(io.BytesIO(lanes.still(recording))).convert("RGB")
    x = LABELS + (WIDTH - LABELS - RIGHT) * at / 100
    there, beside = ((round(2 * (x + away)), round(2 * (AXIS + y))) for away in (by, 8))
    assert contrast(image.getpixel(there), image.getpixel(beside)) > 4.5


def test_still_of_many_spans_is_quick_and_bounded():
    events = []
    for number in range(10_000):
        events += [(0, number, BEGIN, number, SYNC, "f"), (0, number, END, number, "", "")]
    recording = by_hand(*events)
    recording.ended = recording.began + 10_000 * 10**6
    lanes.still(by_hand())  # Pillow is imported
    began = time.perf_counter()
    png = lanes.still(recording)
    assert time.perf_counter() - began < 5
    assert size(png)[1] < 400


def test_still_bounds_the_number_of_lanes():
    roles = [f"pool worker {number}" for number in range(300)]
    recording = by_hand(*((n, 1, BEGIN, n, SYNC, "f") for n in range(300)), roles=roles)
    assert size(lanes.still(recording))[1] < 2000


@pytest.mark.parametrize(("least", "step"), [(0.3, 0.5), (1, 1), (1.2, 2), (30, 50), (501, 1000)])
def test_steps_of_the_axis_are_round(least, step):
    assert nice_step(least) == pytest.approx(step)


def test_bundle_has_words_and_a_picture_with_alt_text():
    recording = by_hand((0, 1, BEGIN, "a", SYNC, "f"))
    bundle, metadata = lanes.Lanes(recording)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/png"}
    assert metadata["image/png"]["alt"] == bundle["text/plain"] == "event loop: f"


# --- messages to the page


class Page:
    """What live.js keeps, in Python: rows and lanes by index, and names."""

    def __init__(self):
        self.spans: dict[int, list] = {}
        self.runs: dict[int, list] = {}
        self.named: dict[int, str] = {}
        self.lanes: dict[int, list] = {}

    def take(self, message: dict) -> None:
        message = json.loads(json.dumps(message))
        self.lanes |= {lane[0]: lane[1:] for lane in message["lanes"]}
        for row in message["rows"]:
            self.spans[row[0]] = row[:14]
            self.named[row[0]] = message["strings"][row[2]]
            self.runs[row[0]] = self.runs.get(row[0], [])[: 2 * row[14]] + row[15:]

    def names(self) -> list[str]:
        return [self.named[index] for index in sorted(self.named)]


def test_messages_add_up_to_the_recording():
    recording, page = Recording(), Page()
    feed = Feed(recording)
    recording.note(BEGIN, "a", TASK, "fetch", role=loop)
    page.take(feed.next())
    assert feed.next() is None
    for _ in range(5):
        recording.note(PAUSE, "a")
        page.take(feed.next())
        recording.note(BEGIN, "a")
        page.take(feed.next())
    recording.note(BEGIN, "b", SYNC, "count_books")
    recording.end()
    for message in feed.rest():
        page.take(message)
    (task, _) = recording.spans
    assert page.names() == ["fetch", "count_books"]
    assert page.runs[0] == [at // 1000 for run in task.runs for at in run]
    assert all(row[6] >= 0 for row in page.spans.values())


def test_a_late_page_is_told_everything():
    recording, late = Recording(), Page()
    feed = Feed(recording)
    for number in range(10):
        recording.note(BEGIN, number, SYNC, f"f{number % 3}", role=loop)
        feed.next()
    for message in feed.whole(most=4):
        late.take(message)
    assert late.names() == [f"f{number % 3}" for number in range(10)]
    assert late.lanes[0][0] == "event loop"


def test_a_message_can_be_read_by_whoever_has_lost_all_others():
    recording, late = Recording(), Page()
    feed = Feed(recording)
    recording.note(BEGIN, "fetch", TASK, "fetch", role=loop)
    recording.note(SUBMIT, "call", "", "", "fetch")
    begin = BEGIN, "call", SYNC, "count_books", "", lambda: "worker"
    worker = threading.Thread(target=recording.note, args=begin)
    worker.start()
    worker.join()
    feed.next()
    recording.note(END, "call")
    late.take(feed.next())
    assert late.names() == ["count_books"]
    assert {index: lane[0] for index, lane in late.lanes.items()} == {0: "event loop", 1: "worker"}


def test_messages_are_numbered_and_an_answer_says_up_to_which_and_how_many_parts():
    recording = Recording()
    feed = Feed(recording)
    for number in range(1, 6):
        recording.note(BEGIN, number, SYNC, "f", role=loop)
        message = feed.next()
        assert (message["number"], message["part"]) == (number, None)
    parts = [(each["number"], each["part"]) for each in feed.whole(most=2)]
    assert parts == [(5, [0, 3]), (5, [1, 3]), (5, [2, 3])]
    assert feed.first(2)["part"] == [0, 3]
    assert feed.first(5)["part"] == [0, 1]


def test_a_message_says_how_much_was_dropped():
    recording = Recording(limit=2)
    feed = Feed(recording)
    for number in range(5):
        recording.note(BEGIN, number, SYNC, "f", role=loop)
    assert feed.next()["dropped"] == 3
    recording.end()
    assert [message["dropped"] for message in feed.rest()] == [3]
    assert feed.first(1)["dropped"] == 3


def test_an_archive_tells_what_the_feed_told_and_keeps_no_recording():
    recording = Recording()
    for number in range(10):
        recording.note(BEGIN, number, SYNC, f"f{number % 3}", role=loop)
    recording.end()
    live = LiveLanes(recording)
    late = Page()
    for message in live._archive.whole():
        late.take(message)
    assert late.names() == [f"f{number % 3}" for number in range(10)]
    gone = weakref.ref(recording)
    del recording
    assert gone() is None


def test_a_picture_waits_without_asking_and_is_told_of_the_first_event_at_once():
    sent = queue.SimpleQueue()

    class Heard(LiveLanes):
        def send(self, content, buffers=None):
            sent.put(content)

    recording, live = Recording(), Heard()
    reads = []
    live.begin()
    live.follow(recording)
    read = recording.read
    recording.read = lambda most: reads.append(most) or read(most)
    for number in range(3):
        while not recording._waiting:  # for the next event
            threading.Event().wait(0.005)
        reads.clear()
        recording.note(BEGIN, number, SYNC, "f", role=loop)
        assert [row[0] for row in sent.get(timeout=10)["rows"]] == [number]
        assert len(reads) == 1
    recording.end()
    live.finish()
    assert live.ended


def test_a_message_takes_a_bounded_number_of_events():
    recording = Recording()
    for number in range(50_000):
        recording.note(BEGIN, number, SPAN, "x", role=loop)
        recording.note(END, number)
    first = Feed(recording).next()
    assert len(first["rows"]) <= 200
    assert first["behind"] > 90_000


def test_a_task_with_many_runs_sends_only_the_new_ones():
    recording = Recording()
    feed = Feed(recording)
    recording.note(BEGIN, "a", TASK, "loop", role=loop)
    for _ in range(1000):
        recording.note(PAUSE, "a")
        recording.note(BEGIN, "a")
    while recording.unread:
        feed.next()
    recording.note(PAUSE, "a")
    (row,) = feed.next()["rows"]
    assert len(row) - 15 <= 4


def test_a_run_that_ends_while_its_row_is_made_is_told_to_its_end(monkeypatch):
    recording, page = Recording(), Page()
    make = _Rows._row

    def made(self, span, start):
        row = make(self, span, start)
        recording.note(PAUSE, "a")
        assert recording.spans[0].runs[0][1] is not None  # read by somebody else, that is
        return row

    monkeypatch.setattr(_Rows, "_row", made)
    feed = Feed(recording)
    recording.note(BEGIN, "a", TASK, "fetch", role=loop)
    for _ in range(2):
        page.take(feed.next())
    assert page.runs[0] == [at // 1000 for at in recording.spans[0].runs[0]]


def test_a_page_that_is_ready_late_is_told_again_while_the_cell_runs():
    """What was sent before it was ready is lost to it, and a busy kernel answers nobody."""
    live, recording = LiveLanes(), Recording()
    live.feed = Feed(recording)
    for number in (1, 2):
        recording.note(BEGIN, number, SYNC, "work", role=loop)
        assert live._send_news(number)
    assert len(live.early["rows"]) == 2
    live.close()


def test_a_late_page_is_answered_on_a_thread_of_its_own():
    recording, answered = Recording(), threading.Event()
    for number in range(3000):
        recording.note(BEGIN, number, SPAN, "x", role=loop)
        recording.note(END, number)
    recording.end()
    rows, threads = [], set()

    class Heard(LiveLanes):
        def send(self, content, buffers=None):
            rows.extend(content["rows"])
            threads.add(threading.current_thread())
            if len(rows) == 3000:
                answered.set()

    live = Heard(recording)
    rows.clear()
    threads.clear()
    answered.clear()
    live._answer(live, "whole", [])
    assert answered.wait(10)
    assert threading.current_thread() not in threads


def test_a_live_picture_follows_a_thread_that_blocks_the_loop():
    sent, arrived = [], threading.Event()

    class Heard(LiveLanes):
        def send(self, content, buffers=None):
            sent.append(content)
            arrived.set()

    async def block():
        with taps.recording() as recording:
            live = Heard()
            live.begin()
            live.follow(recording)
            seen_while_blocked = arrived.wait(10)
        live.finish()
        return live, seen_while_blocked

    live, seen_while_blocked = asyncio.run(block())
    assert seen_while_blocked
    assert live.ended
    assert live.early["part"] == [0, 1]
    assert live.summary == "event loop: this cell"


def test_no_thread_is_left_behind():
    before = set(threading.enumerate())
    live = LiveLanes()
    live.begin()
    with taps.recording() as recording:
        live.follow(recording)
    live.finish()
    assert set(threading.enumerate()) <= before


# --- record


def test_record_outside_a_notebook_shows_nothing(capsys):
    with lanes.record() as recording:
        pass
    assert recording.ended is not None
    assert capsys.readouterr().out == ""


def test_record_ends_on_an_error():
    with pytest.raises(ZeroDivisionError), lanes.record() as recording:
        raise ZeroDivisionError
    assert not taps.active()
    assert re.fullmatch("errors: ZeroDivisionError in this cell", _last(recording))


def _last(recording) -> str:
    return lanes.text(recording).splitlines()[-1]
