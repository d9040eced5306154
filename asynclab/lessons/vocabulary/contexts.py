"""Context variables, as the task of a check finds them."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable


def in_fresh_context(driver: Callable[..., Awaitable]) -> Callable[..., Awaitable]:
    """`driver` in a task with an empty context: what the reader has set there is not seen."""

    async def in_task(*args):
        return await asyncio.create_task(driver(*args), context=contextvars.Context())

    return in_task
