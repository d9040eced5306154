"""Interrupts: hold them back while something must not be left half done, or raise one in another
thread.
"""

import ctypes
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# As Python has it: while a thread starts, the recorder may put something around the method.
_START = threading.Thread.start.__code__


@contextmanager
def held() -> Iterator[None]:
    """Hold an interrupt back while the block runs, and deliver it when the block has ended.

    Python interrupts the main thread only; in any other thread this does nothing. Blocks may be
    nested; the outermost one delivers the interrupt.
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


def raise_in(thread: threading.Thread, error: type[BaseException]) -> bool:
    """Ask another thread to raise `error` at its next bytecode; return whether it was asked.

    It is not asked while it is starting a thread of its own. In Python 3.11 the new thread has the
    ident of its starter until it runs: it would get the error instead, and the starter would wait
    for it for ever.
    """
    frame = sys._current_frames().get(thread.ident)
    while frame is not None:
        if frame.f_code is _START:
            return False
        frame = frame.f_back
    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(error))
    return True
