"""A notebook in a real kernel, worked through as learners do: in any order, twice, interrupted."""

import ast
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from asynclab.authoring.notebooks import EXEMPTIONS, code_cells, find, read, tags
from asynclab.ground.labconfig import without_view
from tests.harness.cells import TIMEOUT, Kernel, words

LESSONS = [path.stem for path in find("notebooks")]
SHOWN = {"stream", "display_data", "execute_result", "error"}
AGAIN = 1.0
"""Seconds after which a learner presses the button once more. An interrupt that arrives just before
a wait in C is seen when that wait ends.
"""

# What has to hold between two cells. One expression, so that it leaves no name in the notebook.
STATE = """
import os, sys, threading
from IPython import get_ipython
def guard():
    apps = getattr(sys.modules.get("django.apps"), "apps", None)
    if apps is None or not apps.ready:
        return "no Django"
    from django.core.exceptions import SynchronousOnlyOperation
    from django.db import connection
    try:
        connection.ensure_connection()
    except SynchronousOnlyOperation:
        return "on"
    return "off"
def still_running(*names):
    # A live picture may send the rest of a long recording in the background.
    threads = [thread for thread in threading.enumerate() if thread.name in names]
    for thread in threads:
        thread.join(timeout=2)
    return [thread.name for thread in threads if thread.is_alive()]
taps = sys.modules.get("asynclab.recorder.taps")
state = {
    "taps on": bool(taps and taps.active()),
    "recordings": len(taps._recordings) if taps else 0,
    "guard": guard(),
    "unsafe": os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"),
    "autoawait": get_ipython().autoawait,
    "threads": still_running("lanes", "boot_0"),
}
"""
AS_IT_SHOULD_BE = {"taps on": False, "recordings": 0, "unsafe": None, "threads": []}
# Through the same door as a lesson's calls. It waits until the worker is free.
USE_WORKER = NotebookNode(
    source="await __import__('asgiref.sync').sync.sync_to_async(int)();", metadata={}
)


@dataclass
class Ran:
    """How a cell ended: its outputs, and the seconds that it took."""

    outputs: list[NotebookNode] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def raised(self) -> list[str]:
        """The names of the errors that the cell shows."""
        return [each.ename for each in self.outputs if each.output_type == "error"]

    @property
    def words(self) -> list[str]:
        return said(self.outputs)

    @property
    def interrupted(self) -> bool:
        # IPython writes a bare line if the next interrupt comes while it shows the first.
        said = "".join(each.text for each in self.outputs if each.get("name") == "stderr")
        raised = {*self.raised, *said.split()}
        return bool({"KeyboardInterrupt", "CancelledError"} & raised)

    @property
    def traceback(self) -> str:
        errors = [each for each in self.outputs if each.output_type == "error"]
        return "\n".join(line for each in errors for line in each.traceback)


class Workbook(Kernel):
    """A notebook's code cells, and the kernel that they run in.

    Args:
        path: the notebook, relative to the checkout's folder of notebooks.
        folder: where the kernel may put what helps to find a hang.
    """

    def __init__(self, path: Path, folder: Path):
        self.cells = code_cells(read(path))
        super().__init__(path.parent, stacks=folder / f"{path.stem}-stacks.txt")

    def work(self, cell: NotebookNode, interrupt_after: float | None = None) -> Ran:
        """Run a cell to its end.

        Args:
            cell: one of `cells`, or another source as a cell.
            interrupt_after: seconds from the cell's start to an interrupt, which is then repeated
                until the cell has ended; None: no interrupt.

        Raises:
            AssertionError: the cell does not end; with the stacks of the kernel's threads.
        """
        asked = self.client.execute(cell.source, stop_on_error=False)
        ran, began, press, ended = Ran(), time.monotonic(), None, False
        limit = began + TIMEOUT
        while not ended:
            now = time.monotonic()
            assert now < limit, f"no end in {TIMEOUT} s: {cell.source}\n{self._stack()}"
            if press is not None and now >= press:
                self.manager.interrupt_kernel()
                press = now + AGAIN
            message = self._next(AGAIN if press is None else press - time.monotonic())
            if message is None or message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            if message["msg_type"] in SHOWN:
                ran.outputs.append(output_from_msg(message))
            elif content.get("execution_state") == "busy":
                began = time.monotonic()
                press = None if interrupt_after is None else began + interrupt_after
            elif content.get("execution_state") == "idle":
                ended = True
        ran.seconds = time.monotonic() - began
        return ran

    def restart(self) -> None:
        """Restart the kernel: what it knew is gone."""
        self.client.stop_channels()
        self.manager.restart_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT)
        self._note_stacks()

    def _next(self, wait: float) -> dict | None:
        try:
            return _whole(self.client.get_iopub_msg, max(wait, 0))
        except Empty:
            assert self.manager.is_alive(), "the kernel died"
            return None

    def state(self) -> dict:
        """What is on in the kernel, between two cells."""
        expression = f"(lambda names: exec({STATE!r}, names) or names['state'])({{}})"
        asked = self.client.execute("", silent=True, user_expressions={"state": expression})
        while True:
            reply = _whole(self.client.get_shell_msg, TIMEOUT)
            if reply and reply["parent_header"].get("msg_id") == asked:
                return ast.literal_eval(
                    reply["content"]["user_expressions"]["state"]["data"]["text/plain"]
                )

    def faults(self) -> list[str]:
        """What is not as it has to be between two cells, in words."""
        state = self.state()
        awaits, guard = state.pop("autoawait"), state.pop("guard")
        faults = [
            f"{name}: {state[name]}" for name in state if state[name] != AS_IT_SHOULD_BE[name]
        ]
        if guard == "off":
            faults.append("the guard is off")
        if awaits and (raised := self.work(USE_WORKER).raised):
            faults.append(f"the worker raises {raised}")
        return faults


def _whole(get: Callable[..., dict], wait: float) -> dict | None:
    """The next message of a channel; None for one whose sending an interrupt has cut in two."""
    try:
        return get(timeout=wait)
    except ValueError as broken:
        if "Invalid Signature" not in str(broken):
            raise
        return None


def said(outputs: list[NotebookNode]) -> list[str]:
    """What outputs say, without the widget views that a committed notebook cannot hold.

    Also without what Python says of a coroutine or task of an earlier cell, which comes whenever
    the garbage collector does, and Django of an earlier cell's request.
    """
    kept = [without_view(nbformat.from_dict(output)) for output in outputs if not _late(output)]
    return words(NotebookNode(outputs=[output for output in kept if output]))


def _late(output: NotebookNode) -> bool:
    late = ("was never awaited", "Task was destroyed", "was never retrieved", "Internal Server")
    return output.get("name") == "stderr" and any(text in output.text for text in late)


def ends_as_tagged(cell: NotebookNode, ran: Ran) -> bool:
    """Whether a cell shows an error if, and only if, it is tagged `raises-exception`."""
    return bool(ran.raised) == ("raises-exception" in tags(cell))


def compared(cell: NotebookNode) -> bool:
    """Whether nbval compares this cell's outputs, and so do these tests."""
    return not set(EXEMPTIONS) & set(tags(cell))


@contextmanager
def working(path: Path, folder: Path) -> Iterator[Workbook]:
    """Open a workbook, and shut its kernel down as the menu does."""
    book = Workbook(path, folder)
    try:
        yield book
    finally:
        book.client.stop_channels()
        book.manager.shutdown_kernel()
