"""The kernel's interrupt while a run is on: it cancels the run.

Outside of cells ipykernel ignores SIGINT (`IPKernelApp.init_signal`), and around each message and
cell it puts handlers of its own in place and takes them back (`Kernel.pre_handler_hook`,
`IPythonKernel._cancel_on_sigint`). Whoever wants to receive it for longer has to check again and
again.
"""

import asyncio
import signal
import threading
from types import FrameType

_task: asyncio.Task | None = None
_text = ""
_loop: asyncio.AbstractEventLoop | None = None
_before: object = signal.SIG_IGN


def cancels(task: asyncio.Task | None, text: str = "") -> None:
    """From now on an interrupt cancels `task`, a task of the running loop; None: nothing.

    Args:
        task: what to cancel.
        text: the file name of the code that it runs. That may block the loop, and would go on if
            it were not stopped right there.
    """
    global _task, _text, _loop
    _task, _text, _loop = task, text, asyncio.get_running_loop()
    if task is not None:
        keep()
    elif _on_main_thread() and signal.getsignal(signal.SIGINT) is _cancel:
        # Not Python's own, which raises wherever the kernel happens to be.
        own = _before is signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN if own else _before)


def keep() -> None:
    """Put the handler back in place, if a message or a cell has taken it away."""
    global _before
    if _task is None or not _on_main_thread():
        return
    found = signal.getsignal(signal.SIGINT)
    if found is not _cancel:
        _before = signal.SIG_IGN if found is None else found
        signal.signal(signal.SIGINT, _cancel)


def _cancel(number: int, frame: FrameType | None) -> None:
    # A message that began before the run ended may have put this back after it.
    if _task is None:
        return
    # A cell that awaits at the same time is interrupted, too.
    if callable(_before) and _before is not signal.default_int_handler:
        _before(number, frame)
    if frame is None or frame.f_code.co_filename != _text:
        # The loop may sleep: a signal alone does not wake it.
        _loop.call_soon_threadsafe(_task.cancel)
        return
    if asyncio.current_task() is not _task:
        _task.cancel()
    raise asyncio.CancelledError


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
