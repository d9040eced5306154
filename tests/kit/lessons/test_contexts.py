"""Context variables, as the task of a check finds them."""

import asyncio
from contextvars import ContextVar

from asynclab.lessons.vocabulary.contexts import in_fresh_context

number = ContextVar("number", default="-")


def test_what_was_set_outside_is_not_seen_and_nothing_comes_back():
    async def driver(value):
        seen = number.get()
        number.set(value)
        return seen

    async def main():
        number.set("r1")
        return await in_fresh_context(driver)("r2"), number.get()

    assert asyncio.run(main()) == ("-", "r1")
