"""`%%lanes` records a cell and draws it; `%%thread` runs a cell on a plain thread; `%%module` makes
a cell a module.

`%%lanes` is not an ordinary cell magic, because a cell magic cannot hold `await`. An input
transformer takes the line away, and the recording is put around IPython's `run_cell_async`, through
which every cell goes. IPython's events would not do: a cell that `%run` takes from a file has none,
and a cell that is run by another ends before it.
"""

import ast
import asyncio
import contextvars
import functools
import linecache
import re
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from traceback import walk_tb
from types import TracebackType

from IPython import get_ipython
from IPython.core.error import UsageError

from . import lanes
from .ground.connections import close_connections
from .ground.errors import LabError
from .ground.interrupts import held, raise_in
from .recorder import taps
from .recorder.events import Recording
from .recorder.roles import PLAIN_THREAD
from .servers import write_module

LANES = "%%lanes"
INTERRUPTED = "The drawing was interrupted."
# What may stand above `%%lanes`: one runs the rest as a cell, and a file may begin with it.
ABOVE = {"%%capture", "%%file", "%%writefile"}
# What IPython makes of either magic where it is not the first of its cell.
MISPLACED = re.compile(r"\s*get_ipython\(\)\.run_line_magic\('%(lanes|thread|module)',")


def register(shell) -> None:
    """Add both magics to an IPython shell, and how it shows a `Recording`. A second call changes
    nothing.
    """
    if getattr(shell, "_asynclab_magics", None) is not None:
        return
    magics = shell._asynclab_magics = LanesMagic(shell)
    shell.input_transformers_cleanup.insert(0, take_lanes_line)
    shell.input_transformers_post.append(refuse_misplaced)
    magics.put_around(shell.run_cell_async)
    shell.register_magic_function(run_on_thread, "cell", "thread")
    shell.register_magic_function(record_and_draw, "cell", "lanes")
    shell.register_magic_function(write_and_import, "cell", "module")
    # IPython loads it at its first use; an interrupt there leaves it broken for good.
    with held():
        shell.find_line_magic("autoawait")
    shell.events.register("post_run_cell", magics.let_go_of_results)
    shell.set_custom_exc((KeyboardInterrupt, asyncio.CancelledError), tell_of_interrupt)
    show = shell.display_formatter.mimebundle_formatter
    show.for_type(Recording, lambda recording: lanes.Lanes(recording)._repr_mimebundle_())


def tell_of_interrupt(shell, kind, error, traceback, tb_offset=None) -> None:
    """Say in one line where the reader has interrupted a cell; show another error as ever.

    A cell that awaits is cancelled by an interrupt. What another task's end raises in it is an
    error like any other.
    """
    if kind is asyncio.CancelledError and not _is_cancelled():
        lines = shell.InteractiveTB.structured_traceback(kind, error, traceback, tb_offset=1)
    else:
        lines = [f"{kind.__name__}: you interrupted this cell{_place(shell, traceback)}."]
    shell._showtraceback(kind, error, lines)


def _is_cancelled() -> bool:
    """Whether somebody has cancelled the task that runs here."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs
        return False
    return task is not None and task.cancelling() > 0


def _place(shell, traceback: TracebackType | None) -> str:
    """The line of this cell that a traceback ends in, in words."""
    places = [(frame.f_code.co_filename, number) for frame, number in walk_tb(traceback)]
    of_cells = [place for place in places if shell.compile.format_code_name(place[0])]
    if not of_cells:
        return ""
    # What the cell calls may have been written in another, whose lines have numbers of their own.
    name, number = [place for place in of_cells if place[0] == of_cells[0][0]][-1]
    return f", in line {number}: {linecache.getline(name, number).strip()}"


def take_lanes_line(lines: list[str]) -> list[str]:
    """Take a first line `%%lanes` away, so that the cell compiles as if it were not there.

    Comments may stand above it; they go with it.

    Raises:
        SyntaxError: something follows `%%lanes` on its line, or it is there twice, or it stands
            below another magic that would run the cell in its own way.
    """
    at = _first_line(lines)
    if at is None:
        return lines
    rest = lines[at + 1 :]
    first = lines[at].split()[0]
    if first == LANES and lines[at].strip() != LANES:
        raise SyntaxError(f"{LANES} takes nothing after it: write it alone on the first line.")
    if not _is_recorded(rest):
        return rest if first == LANES else lines
    if first == LANES:
        raise SyntaxError(f"{LANES} is there twice: write it once, on the cell's first line.")
    if first.startswith("%%") and first not in ABOVE:
        raise SyntaxError(f"Write {LANES} above {first}, not below it.")
    return lines


def refuse_misplaced(lines: list[str]) -> list[str]:
    """Return the lines of a transformed cell as they are.

    Raises:
        SyntaxError: one of the kit's cell magics stands below other code of the cell.
    """
    for line in lines:
        if found := MISPLACED.match(line):
            raise SyntaxError(f"Write %%{found[1]} on the cell's first line.")
    return lines


def _first_line(lines: list[str]) -> int | None:
    """The number of the first line that is neither blank nor a comment."""
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            return number
    return None


def _is_recorded(lines: list[str]) -> bool:
    at = _first_line(lines)
    return at is not None and lines[at].split()[0] == LANES


# What the cell of this context is shown in, if it is recorded. Cells may be run by cells.
_showing: contextvars.ContextVar[lanes.Showing | None] = contextvars.ContextVar(
    "asynclab_showing", default=None
)


class LanesMagic:
    """What is put around each cell that is recorded.

    Args:
        shell: the IPython shell that runs the cells.
    """

    def __init__(self, shell):
        self._shell = shell
        self._showtraceback = shell.showtraceback
        self._under_way = 0

    def put_around(self, run: Callable[..., Awaitable]) -> None:
        """Let the shell record and draw each cell that asks for it; `run` is what runs cells."""

        @functools.wraps(run)  # a kernel looks at the names of the arguments
        def run_cell_async(raw_cell, *args, **kwargs):
            cell = run(raw_cell, *args, **kwargs)
            if _is_recorded((raw_cell or "").splitlines()) and self._compiles(raw_cell, **kwargs):
                return self._record(cell)
            return self._leave_out(cell) if self._under_way else cell

        self._shell.run_cell_async = run_cell_async

    def let_go_of_results(self, _result=None) -> None:
        """Forget results of earlier cells that are recordings, except the three that have names.

        `Out` and `_5` would keep each of them for as long as the kernel lives.
        """
        names = self._shell.user_ns
        named = [names.get(name) for name in ("_", "__", "___")]
        results = names.get("_oh", {})
        for number, result in list(results.items()):
            if isinstance(result, Recording) and not any(result is other for other in named):
                del results[number]
                self._shell.drop_by_id({f"_{number}": result})

    def _compiles(self, cell: str, transformed_cell: str | None = None, **_kwargs) -> bool:
        """Whether the cell compiles, so that something of it will run.

        If it does not, IPython reports the error later. A picture could not be taken back.
        """
        flags = self._shell.compile.flags
        if self._shell.autoawait:
            flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        try:
            with warnings.catch_warnings(action="ignore"):
                source = transformed_cell or self._shell.transform_cell(cell)
                compile(source, "<cell>", "exec", flags, dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError):
            return False
        return True

    async def _leave_out(self, cell: Awaitable):
        """Run a cell whose errors do not end the recording of the cell that runs it."""
        with _shown_in(None):
            return await cell

    async def _record(self, cell: Awaitable):
        showing = error = None
        # An interrupt that comes now is too early for the cell, and cannot keep it from running.
        with self._reporting(), suppress(KeyboardInterrupt), held():
            showing = lanes.start()
            self._watch_tracebacks()
        if showing is None:
            return await cell
        try:
            with _shown_in(showing):
                result = await cell
            error = result.error_in_exec
            return result
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self._reporting():
                self._end(showing, error)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Show what goes wrong with the picture, and let the cell go on.

        A kernel never answers for a cell whose `run_cell_async` raises.
        """
        try:
            yield
        except KeyboardInterrupt:
            print(INTERRUPTED)
        except Exception:  # noqa: BLE001  it is shown
            self._shell.showtraceback()

    def _watch_tracebacks(self) -> None:
        if not self._under_way:
            # An extension, such as rich's, may have put its own there.
            self._showtraceback = self._shell.showtraceback
            self._shell.showtraceback = self._end_and_show_traceback
        self._under_way += 1

    def _end_and_show_traceback(self, *args, **kwargs) -> None:
        """End the recording first: the second that a traceback takes is not the cell's."""
        showing = _showing.get()
        if showing is not None and kwargs.get("running_compiled_code"):
            taps.stop(showing.recording, sys.exc_info()[1])
        self._showtraceback(*args, **kwargs)

    def _end(self, showing: lanes.Showing, error: BaseException | None) -> None:
        """Stop, and show the recording under the cell, however the cell ended."""
        with held():
            self._under_way -= 1
            if not self._under_way:
                self._shell.showtraceback = self._showtraceback
            lanes.end(showing, error)
        lanes.show(showing)
        if showing.live is None:
            # A terminal shows words, not pictures.
            print(lanes.text(showing.recording))


@contextmanager
def _shown_in(showing: lanes.Showing | None) -> Iterator[None]:
    around = _showing.get()
    _showing.set(showing)
    try:
        yield
    finally:
        # Not by a token: a coroutine that is given up ends in another context.
        _showing.set(around)


def record_and_draw(line: str, cell: str) -> None:
    """Draw, while the cell runs, which thread runs what; then keep that as a picture and as words.

        %%lanes
        books = await Book.objects.acount()

    There is a lane for each thread: the event loop, asgiref's workers, threads of your own. It
    shows tasks, sync functions, queries and `with span("a name"):`, and an arrow for each hop from
    one thread to another. The cell runs as it would without `%%lanes`, and may hold `await`.
    The picture can be played again, slowly, when the cell has ended.
    """
    # IPython finds this function for `%%lanes?`; the line itself is taken away before the cell is
    # compiled, unless other code runs the magic.
    raise UsageError("Write %%lanes on the cell's first line.")


def run_on_thread(line: str, cell: str) -> None:
    """Run the cell on a plain thread with no event loop, in the notebook's own namespace.

        %%thread
        Book.objects.count()

    Django's sync ORM works there, and its guard stays on. The cell may not hold `await`. What the
    thread opened of Django's database connections is closed when the cell ends. To draw the cell
    as well, write `%%lanes` on the line above `%%thread`.
    """
    __tracebackhide__ = True
    if line.strip():
        raise UsageError("%%thread takes nothing after it: write it alone on its line.")
    run = _CellRun(cell)
    try:
        run.thread.start()
        # In rounds: an interrupt that comes just before a wait is seen when that wait ends.
        while not run.ended.wait(timeout=0.1) and run.thread.is_alive():
            pass
        run.thread.join()
    except KeyboardInterrupt:
        run.interrupt()
        raise
    if run.error is not None:
        raise run.error


def write_and_import(line: str, cell: str) -> None:
    """Write the cell as a module, as a project has it in a file, and import it into the notebook.

        %%module polls
        urlpatterns = [path("poll/", poll)]

    A server in a process of its own can import it, too: as its settings, say, or as its URLs. The
    file ends with the kernel. Run the cell again to change the module.
    """
    __tracebackhide__ = True
    name = line.strip()
    try:
        get_ipython().user_ns[name] = write_module(name, cell)
    except SyntaxError as error:
        raise CellSyntaxError(error) from None
    print(f"{name}.py is written and imported.")


class CellSyntaxError(Exception):
    """A SyntaxError that IPython shows as it does for a whole cell: that line, and no frames.

    IPython lets any exception except a SyntaxError render itself. So this is not a SyntaxError, but
    it is shown to the reader under that name.

    Args:
        error: the SyntaxError.
    """

    def __init__(self, error: SyntaxError):
        super().__init__(str(error))
        self.error = error

    def _render_traceback_(self) -> list[str]:
        return get_ipython().SyntaxTB.structured_traceback(type(self.error), self.error, [])


CellSyntaxError.__name__ = "SyntaxError"


class _CellRun:
    """A thread for the source of a cell, and the exception that ended it.

    It holds a thread rather than being one, because the private names of `threading.Thread` differ
    between versions of Python.
    """

    def __init__(self, cell: str):
        # This holds until the cell has run to its end.
        self.error: BaseException | None = LabError(
            "The thread ended before the cell did. Run the cell again."
        )
        self.ended = threading.Event()
        self._steps = _compile(cell)
        # In a copy of this context, what the cell prints appears under the cell.
        run = contextvars.copy_context().run
        self.thread = threading.Thread(target=run, args=[self._run], name=PLAIN_THREAD, daemon=True)

    def _run(self) -> None:
        try:
            try:
                self._run_steps()
            finally:
                close_connections()
            self.error = None
        except BaseException as error:  # noqa: BLE001  it is raised again, in the cell
            self.error = error.with_traceback(_below_this_file(error.__traceback__))
        finally:
            self.ended.set()

    def _run_steps(self) -> None:
        body, last = self._steps
        namespace = get_ipython().user_ns
        exec(body, namespace)  # noqa: S102  the cell is what the learner asked to run
        if last is not None:
            # Shown from here: the repr of a queryset runs its query.
            sys.displayhook(eval(last, namespace))

    def interrupt(self) -> None:
        """Ask the thread to stop. A call that blocks outside of Python ends first."""
        for _ in range(100):
            if raise_in(self.thread, KeyboardInterrupt) or self.ended.wait(timeout=0.01):
                break
        if self.ended.wait(timeout=1):
            self.thread.join()


def _below_this_file(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that is the cell's own."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


def _compile(cell: str):
    """The statements of the cell, and its last expression or None, each as a code object."""
    shell = get_ipython()
    if _is_recorded(cell.splitlines()):
        raise UsageError("Write %%lanes above %%thread, not below it.")
    source = shell.transform_cell(cell)
    # The number that the prompt of this very cell shows; execution_count may be ahead of it.
    number = len(shell.user_ns["In"]) - 1
    name = shell.compile.cache(source, number, raw_code=cell)
    try:
        return _code(ast.parse(source, name), name)
    except SyntaxError as error:
        # "'await' outside function", "'async with' outside async function": at the top level.
        if "async" not in error.msg and not error.msg.startswith("'await' outside function"):
            raise CellSyntaxError(error) from None
        raise UsageError(
            "%%thread runs the cell where no event loop runs: take `await` out of it, "
            "or take %%thread away."
        ) from None


def _code(tree: ast.Module, name: str):
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), name, "eval")
    return compile(tree, name, "exec"), last
