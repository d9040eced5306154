"""Something fails under an answer, and whoever called it has to hear of it."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from asynclab.lessons.vocabulary.failing import (
    OtherOutage,
    Outage,
    database_lost_at,
    ends_cancelled,
    fail,
    fail_in_many_ways,
    require_cancellable,
    require_cancellable_on_thread,
    require_cancellable_query,
    require_told,
    require_told_itself,
    require_told_of_database,
    require_told_of_no_loop,
)
from tests.kit.exercises.answers import verdict_on
from tests.kit.recorder.conftest import library

__all__ = ["library"]


def told(body, how=fail):
    async def check(given):
        await require_told(given, "answer", how, what="The shop")

    return verdict_on(f"async def answer(ask):\n {body}", check).diagnosis


@pytest.mark.parametrize(
    "body",
    [
        "return await ask()",
        "try: await ask()\n except Exception as error: raise LookupError from error",
        "async with asyncio.TaskGroup() as group: group.create_task(ask())",
        "try:\n  async with asyncio.TaskGroup() as group: group.create_task(ask())\n"
        " except* Exception as errors: raise LookupError from errors",
    ],
)
def test_whoever_called_is_told(body):
    assert told(body) == ""


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("try: await ask()\n except Exception as error: return str(error)", "swallowed"),
        ("return await asyncio.gather(ask(), return_exceptions=True)", "swallowed"),
        ("raise LookupError", "raised"),
    ],
)
def test_whoever_called_is_not_told(body, diagnosis):
    assert told(body) == diagnosis


def test_an_outage_is_a_lost_connection_and_another_one_is_none():
    assert issubclass(Outage, ConnectionError)
    assert issubclass(OtherOutage, OSError | LookupError | ValueError)
    assert not issubclass(OtherOutage, ConnectionError)


@pytest.mark.parametrize("kind", ["OSError", "KeyError", "ValueError", "TimeoutError"])
def test_a_handler_for_one_kind_of_error_swallows_an_outage(kind):
    body = f"try: await ask()\n except {kind}: return None"
    assert (told(body), told(body, fail_in_many_ways)) == ("", "swallowed")


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("return await ask()", ""),
        ("try: await ask()\n except Exception: pass", "swallowed"),
        ("try: await ask()\n except Exception as e: raise OSError from e", "other-exception"),
        (
            "async with asyncio.TaskGroup() as group: group.create_task(ask())",
            "other-exception",
        ),
        ("raise LookupError", "raised"),
    ],
)
def test_the_exception_itself_comes_out_of_the_call(body, diagnosis):
    async def check(given):
        await require_told_itself(given, "answer", fail, what="The shop")

    assert verdict_on(f"async def answer(ask):\n {body}", check).diagnosis == diagnosis


SWALLOWED = "cancel-swallowed"
TWO_QUERIES = """await Book.objects.acount()
 try: return await Author.objects.acount()
 except asyncio.CancelledError: return 0"""


async def cancel(given):
    await require_cancellable(given, "answer", ["Bath", "Whitby"])


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("return await asyncio.gather(*map(ask, asked))", ""),
        ("try: await ask('Bath')\n finally: asked.clear()", ""),
        ("try: await ask('Bath')\n except BaseException: return []", "cancel-swallowed"),
        ("try: await ask('Bath')\n except BaseException: await ask('Bath')", "cancel-swallowed"),
    ],
)
def test_a_cancellation_comes_out_of_the_call(body, diagnosis):
    source = f"async def answer(ask, asked):\n {body}"
    assert verdict_on(source, cancel).diagnosis == diagnosis


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("return await asyncio.to_thread(work)", ""),
        ("try: await asyncio.to_thread(work)\n except BaseException: pass", "cancel-swallowed"),
        (
            "with ThreadPoolExecutor() as pool: await asyncio.wrap_future(pool.submit(work))",
            "",
        ),
    ],
)
def test_a_cancellation_comes_out_while_a_thread_works(body, diagnosis):
    async def check(given):
        await require_cancellable_on_thread(given, "answer")

    pools = "from concurrent.futures import ThreadPoolExecutor"
    source = f"{pools}\nasync def answer(work):\n {body}"
    assert verdict_on(source, check, seconds=5).diagnosis == diagnosis


@pytest.mark.parametrize(
    ("body", "at", "diagnosis"),
    [
        ("return await Author.objects.acount()", "", ""),
        ("return await asyncio.shield(Author.objects.acount())", "", ""),
        (
            "try: return await Author.objects.acount()\n except BaseException: return 0",
            "",
            SWALLOWED,
        ),
        (TWO_QUERIES, "library_book", ""),
        (TWO_QUERIES, "library_author", SWALLOWED),
    ],
)
def test_a_cancellation_comes_out_while_the_database_works(library, body, at, diagnosis):
    async def check(given):
        await require_cancellable_query(given, "answer", at=at)
        assert await asyncio.wait_for(sync_to_async(library.Author.objects.count)(), 1)

    source = f"from library.models import Author, Book\nasync def answer():\n {body}"
    assert verdict_on(source, check).diagnosis == diagnosis


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return await Author.objects.acount()", ""),
        ("try: return await Author.objects.acount()\n except Exception: return 0", "told nothing"),
        ("return 18", "without asking the database"),
    ],
)
def test_a_database_that_is_away_is_asked_and_missed(library, body, said):
    async def check(given):
        await require_told_of_database(given, "answer")

    source = f"from library.models import Author\nasync def answer():\n {body}"
    verdict = verdict_on(source, check)
    assert said in repr(verdict)
    assert verdict.diagnosis == ("swallowed" if said else "")


def test_a_database_that_is_lost_stays_lost(library):
    authors = library.Author.objects
    with database_lost_at("SELECT"):
        for _ in range(2):
            with pytest.raises(OperationalError, match="the connection is lost"):
                authors.count()
        with pytest.raises(OperationalError):
            authors.update(name="nobody")
    assert authors.exists()


STARTS = """
async def send(): pass
def answer():
    try:
        asyncio.ensure_future(coroutine := send())
    except RuntimeError:
        {otherwise}
    finally:
        coroutine.close()
"""


@pytest.mark.parametrize(
    ("otherwise", "patched", "diagnosis"),
    [("raise", False, ""), ("pass", False, "swallowed"), ("pass", True, "")],
)
def test_without_a_loop_the_start_of_a_task_is_told(monkeypatch, otherwise, patched, diagnosis):
    async def check(given):
        await require_told_of_no_loop(given, "answer")

    if patched:  # as by nest_asyncio
        monkeypatch.setattr(asyncio, "_nest_patched", True, raising=False)
        monkeypatch.setattr(asyncio, "get_event_loop", asyncio.new_event_loop)
    assert verdict_on(STARTS.format(otherwise=otherwise), check).diagnosis == diagnosis


async def goes_through(work):
    await asyncio.to_thread(work)


async def swallowed(work):
    try:
        await asyncio.to_thread(work)
    except asyncio.CancelledError:
        return "gone"


async def over_before(_work):
    return "done"


@pytest.mark.parametrize(
    ("answer", "cancelled"), [(goes_through, True), (swallowed, False), (over_before, False)]
)
def test_a_task_ends_as_cancelled_or_not(answer, cancelled):
    begun, end = threading.Event(), threading.Event()

    def work():
        begun.set()
        end.wait()

    assert asyncio.run(ends_cancelled(answer(work), begun, end)) is cancelled
