"""Interrupts held back for the moment in which something must not be left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held() -> Iterator[None]:
    """Hold an interrupt back while the block runs, and let it through when the block has ended.

    Python interrupts the main thread only; in any other this does nothing. Blocks may be nested:
    the outermost lets it through.
    """
    on_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if on_main else None
    if not callable(handler):  # ignored, or not Python's to handle
        yield
        return
    came = []
    signal.signal(signal.SIGINT, lambda *signal_and_frame: came.append(signal_and_frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[-1])
