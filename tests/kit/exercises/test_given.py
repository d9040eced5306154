"""What a check is given of the reader's names, and how it hears what went wrong in them."""

import asyncio
import threading

import pytest

from asynclab.exercises.book import Exercise, NotYet, Raised
from asynclab.exercises.checking import grade
from asynclab.exercises.verdicts import NOT_ATTEMPTED, NOT_YET
from asynclab.recorder import workers
from tests.kit.exercises.answers import call_it, outcome_of, verdict_on


@pytest.mark.parametrize(
    "source",
    [
        "other = 1",
        "answer = ...",
        "async def answer():\n    raise NotImplementedError",
        "answer = lambda: exec('raise NotImplementedError')",
    ],
    ids=["never defined", "name", "function", "no source"],
)
def test_not_attempted(source):
    assert verdict_on(source).outcome == NOT_ATTEMPTED


def test_remark_of_the_stub_may_stay():
    assert verdict_on("def answer():\n    return 1  # your code here").passed


def test_missing_name_says_what_to_run():
    assert "Run the cell that defines it" in verdict_on("other = 1").text


def test_exception_names_the_readers_line(tmp_path):
    cell = tmp_path / "cell.py"
    cell.write_text("def answer():\n    shelf = []\n    return shelf.pop()\n")
    namespace = {}
    exec(compile(cell.read_text(), str(cell), "exec"), namespace)
    exercise = Exercise("9.1", "a title", ("answer",), (), 1, call_it)
    text = asyncio.run(grade(exercise, namespace)).text
    assert text == (
        "`answer` raised `IndexError: pop from empty list`, in line 3 of its cell: "
        "`return shelf.pop()`"
    )


def test_name_that_is_missing_says_where_to_look():
    text = verdict_on("def answer(): return page.render()").text
    assert "raised `NameError: name 'page' is not defined`, in line 2" in text
    assert text.endswith(
        "Does a cell further up define `page`? Then run the cells from the top. "
        "If none does, is the name misspelt?"
    )
    assert "further up" not in verdict_on("def answer():\n    print(n)\n    n = 1").text


def test_error_names_the_readers_function_as_the_cell_does():
    verdict = verdict_on("def answer():\n    def look(task): pass\n    look()")
    assert "raised `TypeError: look() missing 1 required" in verdict.text


@pytest.mark.parametrize(
    "answer",
    [
        *("Three()", "Three().__call__", "functools.partial(Three())", "functools.partial(three)"),
        *("Three().three", "staticmethod(three)", "Three.static", "Three().of_class"),
        *("timed(three)", "bare(three)", "bare(timed(functools.partial(three)))", "timed(Three())"),
        *(
            "lambda: three()",
            "lambda: asyncio.gather(three(), three())",
            "sync_to_async(lambda: 3)",
        ),
    ],
)
def test_an_object_that_can_be_called_and_awaited_is_a_function(answer):
    source = f"""
import functools
from asgiref.sync import sync_to_async
async def three(): return 3
class Three:
    async def __call__(self): return await three()
    async def three(self): return 3
    @staticmethod
    async def static(): return 3
    @classmethod
    async def of_class(cls): return 3
def timed(function):
    @functools.wraps(function, updated=())
    def call(*args): return function(*args)
    return call
def bare(function):
    def call(*args): return function(*args)
    return call
answer = {answer}
"""
    assert outcome_of(source) in (3, [3, 3])


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_returned_future_is_explained_and_given_up(kind):
    source = f"""
async def ask(): await asyncio.sleep(60)
{kind} answer(): return asyncio.gather(ask(), ask())
"""
    verdict = verdict_on(source)
    assert verdict.diagnosis == "returned-future"
    assert "nobody waits for its result" in verdict.text
    assert ("Did you mean `async def`" in verdict.text) is (kind == "def")
    assert verdict.printed == ""


def test_async_def_in_a_thread_is_explained():
    async def in_thread(given):
        await given.call("answer", where="thread")

    verdict = verdict_on("async def answer(): pass", in_thread)
    assert verdict.diagnosis == "returned-coroutine"
    assert "where no loop is running" in verdict.text


def test_async_def_behind_a_decorator_is_explained_as_one():
    async def in_thread(given):
        await given.call("answer", where="thread")

    source = """
def decorated(function):
    @functools.wraps(function)
    def call(): return function()
    return call
@decorated
async def answer(): pass
"""
    verdict = verdict_on(source, in_thread, before="import functools")
    assert verdict.text.startswith("`answer` is an `async def`, but")


@pytest.mark.parametrize("kind", ["async def", "def"])
@pytest.mark.parametrize("where", ["cell", "thread"])
def test_generator_is_explained(kind, where):
    async def call(given):
        await given.call("answer", where=where)

    verdict = verdict_on(f"{kind} answer():\n    yield 1", call)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "generator")


def test_class_is_explained_unless_its_object_can_be_called():
    verdict = verdict_on("class answer: pass")
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "not-callable")
    assert "is a class" in verdict.text
    assert verdict_on("class answer:\n    def __call__(self): pass").passed


def test_adapted_function_is_awaited():
    source = "from asgiref.sync import sync_to_async\nanswer = sync_to_async(lambda n: n + 1)"
    assert outcome_of(source, n=1) == 2


def test_driver_is_called_with_the_function():
    def driver(function, n):
        return function(n) + 1

    assert outcome_of("def answer(n): return n * 10", n=4, driver=driver) == 41


def test_raised_carries_the_exception():
    async def look(given):
        with pytest.raises(Raised) as caught:
            await given.call("answer")
        assert isinstance(caught.value.error, ZeroDivisionError)

    assert verdict_on("def answer(): 1 / 0", look).passed


def test_each_call_keeps_its_own_recording():
    async def look(given):
        first = await given.call("answer", [1])
        second = await given.call("answer", [])
        assert (first.value, second.value) == (1, 0)
        named = [[span.name for span in call.recording.spans] for call in (first, second)]
        assert "sleep" in named[0]
        assert "sleep" not in named[1]

    source = """
async def answer(numbers):
    if numbers:
        await asyncio.to_thread(time.sleep, 0)
    return len(numbers)
"""
    assert verdict_on(source, look).passed


def test_expected_error_is_kept_until_somebody_asks_for_the_value():
    async def look(given):
        call = await given.call("answer", 0, expect=ZeroDivisionError)
        assert isinstance(call.error, ZeroDivisionError)
        assert (await given.call("answer", 1, expect=ZeroDivisionError)).error is None
        with pytest.raises(Raised):
            await given.call("answer", 0, expect=(ValueError, KeyError))
        return call.value

    verdict = verdict_on("def answer(n): 1 / n", look)
    assert (verdict.outcome, verdict.diagnosis) == (NOT_YET, "raised")


def test_no_error_is_expected_of_code_that_gives_nothing_back_or_is_a_stub():
    async def look(given):
        await given.call("answer", expect=Exception)

    before = "import asyncio"
    assert verdict_on("def answer(): return asyncio.sleep(0)", look, before=before).diagnosis == (
        "returned-coroutine"
    )
    verdict = verdict_on("def answer(): raise NotImplementedError", look)
    assert verdict.outcome == NOT_ATTEMPTED


def named(diagnosis):
    return NotYet(diagnosis, f"told of {diagnosis}")


ERRORS = {
    (ValueError, "red", "green"): named("both"),
    (ValueError, "red"): named("red"),
    (LookupError, lambda raised: "deep" in [name for _, name in raised.path]): named("deep"),
    LookupError | OSError: lambda raised: NotYet("any", f"told: {raised.text}"),
    (TypeError, lambda raised: "1 +" in raised.source): named("source"),
}


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        ("raise ValueError('red and green')", "both"),
        ("raise ValueError('red')", "red"),
        ("raise ValueError('blue')", "raised"),
        ("deep()", "deep"),
        ("{}[1]", "any"),
        ("open('/no/such/file')", "any"),
        ("1 + '1'", "source"),
        ("'1' + 1", "raised"),
    ],
)
def test_table_says_what_an_error_means(body, diagnosis):
    source = f"def deep(): raise KeyError\ndef answer():\n    {body}"
    exercise = Exercise("9.1", "a title", ("answer",), (), 1, call_it, errors=ERRORS)
    namespace = {}
    exec(compile(source, "<cell>", "exec"), namespace)
    verdict = asyncio.run(grade(exercise, namespace, [source]))
    assert verdict.diagnosis == diagnosis, verdict
    assert ("told" in verdict.text) == (diagnosis != "raised")


def test_source_of_a_value_comes_from_the_history():
    cells = ["", "%%thread\nanswer = [1,\n 2]", "not Python", "print(answer)"]
    seen = []

    async def look(given):
        seen.append(given.source("answer"))

    exercise = Exercise("9.1", "a title", ("answer",), (), 1, look)
    asyncio.run(grade(exercise, {"answer": [1, 2]}, cells))
    assert seen == ["answer = [1,\n 2]"]


@pytest.mark.parametrize(
    ("body", "free"),
    [
        ("return await asyncio.to_thread(work)", True),
        ("await sync_to_async(int)()\n return await asyncio.to_thread(work)", True),
        ("return await sync_to_async(lambda: pool.submit(work).result())()", False),
    ],
)
def test_whether_a_call_leaves_the_worker_to_others(body, free):
    seen = []

    async def look(given):
        await given.call("answer", lambda: seen.append(given.worker_is_free(0.1)))

    before = (
        "import asyncio, concurrent.futures\nfrom asgiref.sync import sync_to_async\n"
        "pool = concurrent.futures.ThreadPoolExecutor(1)"
    )
    verdict = verdict_on(f"async def answer(work):\n {body}", look, before=before)
    assert verdict.passed, verdict
    assert seen == [free]


def test_a_worker_that_somebody_else_keeps_busy_is_free():
    go_on, seen = threading.Event(), []

    async def look(given):
        held = workers.shared().submit(go_on.wait, 5)
        await given.call("answer", lambda: seen.append(given.worker_is_free(0.1)))
        go_on.set()
        held.result(5)

    source = "async def answer(work):\n await asyncio.to_thread(work)"
    assert verdict_on(source, look).passed
    assert seen == [True]


@pytest.mark.parametrize(
    "answer", ["Answer()", "functools.partial(Answer())", "functools.partial(Answer().__call__)"]
)
def test_an_object_with_an_async_call_is_awaited(answer):
    cell = f"""
import functools
class Answer:
    async def __call__(self): return 1
answer = {answer}"""
    assert outcome_of(cell) == 1
