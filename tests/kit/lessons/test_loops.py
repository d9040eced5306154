"""Whether an answer leaves the loop free, as its own work sees it."""

import pytest

from asynclab.exercises.apart import notebooks_loop
from asynclab.lessons.vocabulary.loops import (
    Hosts,
    LoopWatch,
    call_off_the_loop,
    call_on_own_connections,
    noting_new_loops,
    require_free_for_one,
)
from tests.kit.exercises.answers import verdict_on
from tests.kit.recorder.conftest import library

__all__ = ["library"]

TOOLS = """
import asyncio, concurrent.futures, os, threading, time
from asgiref.sync import sync_to_async
pool = concurrent.futures.ThreadPoolExecutor(1)
"""

# From Python 3.14 on a thread has one current task, whichever loop it belongs to.
HIDE = """loop, task = asyncio.get_running_loop(), asyncio.current_task()
 asyncio._leave_task(loop, task)
 asyncio._set_running_loop(None)"""
SHOW = "asyncio._set_running_loop(loop)\n asyncio._enter_task(loop, task)"

FREE = {
    "awaited": "return await asyncio.to_thread(work)",
    "worker": "return await sync_to_async(work)()",
    "asked in each turn": "job = pool.submit(work)\n while not job.done(): await asyncio.sleep(0)",
    "after a pause": "await asyncio.sleep(0)\n return await asyncio.to_thread(work)",
}
HELD = {
    "result": "return pool.submit(work).result()",
    "join": "thread = threading.Thread(target=work)\n thread.start()\n thread.join()",
    "a nap in each turn": "job = pool.submit(work)\n while not job.done():\n"
    "  time.sleep(0.05)\n  await asyncio.sleep(0)",
    "a turn, then a wait": "job = pool.submit(work)\n await asyncio.sleep(0)\n return job.result()",
}


def seen_of(body):
    """What a check's own function sees of the loop, in the order home, other, held."""
    seen = []

    async def check(given):
        watch = LoopWatch(given)
        await given.call("answer", watch.look)
        seen.append((watch.home, watch.other, watch.held))

    verdict = verdict_on(f"async def answer(work):\n {body}", check, before=TOOLS, seconds=5)
    assert verdict.passed, verdict
    return seen[0]


@pytest.mark.parametrize("body", FREE.values(), ids=FREE)
def test_a_loop_is_free(body):
    assert seen_of(body) == (False, False, False)


@pytest.mark.parametrize("body", HELD.values(), ids=HELD)
def test_a_loop_is_held(body, monkeypatch):
    monkeypatch.setattr(LoopWatch, "PATIENCE", 0.1 if "0.05" not in body else 10)
    assert seen_of(body) == (False, False, True)


def test_work_on_the_loop_and_on_another_one():
    hidden = f"{HIDE}\n work()\n {SHOW}"
    assert seen_of("work()") == seen_of(hidden) == (True, False, False)
    second = "async def main(): work()\n return await asyncio.to_thread(asyncio.run, main())"
    assert seen_of(second) == (False, True, False)


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("return [await asyncio.to_thread(work, each) for each in all_of_them]", ""),
        ("return [work(each) for each in all_of_them]", "blocks-for-one"),
        ("return [pool.submit(work, each).result() for each in all_of_them]", "blocks-for-one"),
    ],
)
def test_a_list_of_one_holds_nobody_up(body, diagnosis):
    async def check(given):
        await require_free_for_one(given, "answer", "Bath", "`work`")

    source = f"async def answer(work, all_of_them):\n {body}"
    assert verdict_on(source, check, before=TOOLS, seconds=5).diagnosis == diagnosis


async def ask(given):
    await call_off_the_loop(given, "answer")


GUARD_OFF = """os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
 try: return work()
 finally: del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]"""


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        (FREE["worker"], ""),
        (HELD["result"], "waits-on-the-loop"),
        (GUARD_OFF, "query-on-the-loop"),
        (f"{HIDE}\n work()\n {SHOW}\n raise LookupError", "query-on-the-loop"),
        ("work()", "raised"),
    ],
)
def test_queries_belong_off_the_loop_whatever_the_guard_says(library, body, diagnosis):
    work = "def work(): Book.objects.count()"
    before = f"{TOOLS}\nfrom library.models import Book"
    source = f"async def answer():\n {work}\n {body}"
    assert verdict_on(source, ask, before=before, seconds=5).diagnosis == diagnosis


LENT = """loops = connections["default"]
 loops.inc_thread_sharing()
 def lend():
  own = connections["default"]
  connections["default"] = loops
  try: work()
  finally:
   connections["default"] = own
   loops.dec_thread_sharing()"""


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("return await sync_to_async(work)()", ""),
        ("return await asyncio.to_thread(work)", ""),
        (f"{LENT}\n return await sync_to_async(lend)()", "borrowed-connection"),
        (f"{LENT}\n return await asyncio.to_thread(lend)", "borrowed-connection"),
        ("work()", "raised"),
    ],
)
def test_each_thread_has_a_connection_of_its_own(library, body, diagnosis):
    async def check(given):
        await call_on_own_connections(given, "answer")

    before = f"{TOOLS}\nfrom django.db import connections\nfrom library.models import Book"
    source = f"async def answer():\n def work(): Book.objects.count()\n {body}"
    assert verdict_on(source, check, before=before, seconds=5).diagnosis == diagnosis


def hosts_of(body, where="cell"):
    """The hosts of a check's own coroutine, how many loops were made, and the verdict."""
    seen = []

    async def check(given):
        given.value("answer").__globals__["notebook"] = notebooks_loop()
        hosts = Hosts()

        async def work():
            hosts.note()

        with noting_new_loops() as made:
            await given.call("answer", work, where=where)
        seen.extend([hosts, len(made)])
        hosts.require_own("It")

    verdict = verdict_on(f"{body}", check, before=TOOLS, seconds=5)
    return *seen, verdict.diagnosis


def test_a_loop_inside_a_loop_is_seen():
    inside = f"async def answer(work):\n {HIDE}\n asyncio.run(work())\n {SHOW}"
    for body, nested in ("async def answer(work): await work()", False), (inside, True):
        hosts, _, diagnosis = hosts_of(body)
        assert (hosts.nested, len(hosts.loops), diagnosis) == (nested, 1, "")


def test_new_loops_and_the_loop_of_the_notebook_are_noted():
    one = "def answer(work): asyncio.run(work())"
    two = "def answer(work): asyncio.run(asyncio.sleep(0)), asyncio.run(work())"
    lent = "def answer(work): asyncio.run_coroutine_threadsafe(work(), notebook).result()"
    found = [hosts_of(body, "thread")[1:] for body in (one, two, lent)]
    assert found == [(1, ""), (2, ""), (0, "notebooks-loop")]
