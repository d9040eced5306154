"""A call that may hang, so that a lock which its own thread asks for again is a failure."""

import concurrent.futures
import threading
from collections.abc import Callable

SECONDS = 20
"""How long a call of a moment may take on a busy machine."""


def in_time(function: Callable, *args: object) -> object:
    """Call a function on a thread of its own; return what it returns, and raise what it raises.

    Raises:
        AssertionError: it has not ended within SECONDS. Its thread is a daemon.
    """
    ended = concurrent.futures.Future()

    def run() -> None:
        try:
            ended.set_result(function(*args))
        except BaseException as error:  # noqa: BLE001  the caller gets it
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return ended.result(SECONDS)
    except TimeoutError:
        if ended.done():
            raise
        raise AssertionError(f"{function} has not ended within {SECONDS} seconds.") from None
