"""An answer as a cell's text, and the verdict on it."""

import asyncio

from asynclab.exercises.book import Exercise
from asynclab.exercises.checking import grade


async def call_it(given):
    await given.call("answer")


def verdict_on(source, check=call_it, **options):
    """The verdict of `check` on a cell that defines `answer`; see `graded`."""
    return asyncio.run(graded(source, check, **options))


async def graded(
    source, check=call_it, seconds=1.0, before="import asyncio, os, sys, time", namespace=None
):
    """The same in a loop; the cell and the one `before` it run in `namespace` if it is given."""
    namespace = {} if namespace is None else namespace
    exec(compile(f"{before}\n{source}", "<cell>", "exec"), namespace)
    exercise = Exercise("9.1", "a title", ("answer",), ("?", "?"), seconds, check)
    return await grade(exercise, namespace)


def outcome_of(source, **options):
    """What the cell's `answer` returns to a check; `options` are those of `Given.call`."""
    seen = []

    async def look(given):
        seen.append((await given.call("answer", **options)).value)

    verdict = verdict_on(source, look)
    assert verdict.passed, verdict
    return seen[0]
