"""The panel: controls and code above, the last two runs below."""

import asyncio
from contextvars import Context
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from ..ground.errors import LabError
from ..lanes.live import Player
from ..lanes.page import view
from . import plan, project, stopping, telling
from .figure import Figure, longest
from .plan import Settings
from .running import Run

HERE = Path(__file__).parent
TICK = 0.1  # seconds between two looks at a run that is on
KEPT = 2  # how many runs are shown


class Controls(anywidget.AnyWidget):
    """What is chosen, the code that comes of it, and Run.

    It is one form and not made of ipywidgets' controls: JupyterLab takes the arrow keys and Enter
    away from those.

    Args:
        limits: the least and the most of each number.
        settings: what the controls say; the page changes it.
        shown: `code` and `notes` for `settings`, all three in one.
        state: "ready" or "running".
        status: a line on what goes on.
        spoken: what a run has shown, for a screen reader.
        runs: how many runs have begun.
        refused: how many clicks on Run began none.
    """

    _esm = HERE / "panel.js"
    _css = HERE / "panel.css"
    limits = traitlets.Dict().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    state = traitlets.Unicode("ready").tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    spoken = traitlets.Unicode("").tag(sync=True)
    runs = traitlets.Int(0).tag(sync=True)
    refused = traitlets.Int(0).tag(sync=True)


class Playground:
    """Controls, the code that they make, and what it does; a notebook shows it.

    Args:
        settings: what the controls begin with.

    `runs` are the last two runs, the latest one last.
    """

    _busy: "Playground | None" = None
    """Whose run is on. One at a time in a kernel: a recording takes in all that happens."""

    def __init__(self, settings: Settings):
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise LabError("playground() belongs into a cell of a Jupyter notebook.") from None
        self.runs: list[Run] = []
        self._settings = settings
        self._figures: list[Figure] = []
        self._task: asyncio.Task | None = None
        self._controls = Controls(
            limits={"calls": plan.CALLS, "length": plan.LENGTH},
            settings=settings.as_dict(),
            shown=_shown(settings),
        )
        # One replay for both runs, under a name that no other panel has.
        self._player = Player(group=self._controls.model_id)
        self._below = ipywidgets.Box().add_class("asynclab-playground-runs")
        self._whole = ipywidgets.VBox([self._controls, self._player, self._below])
        self._whole.add_class("asynclab-playground")
        self._controls.observe(self._choose, "settings")
        self._controls.on_msg(self._click)

    def __repr__(self) -> str:
        return f"Playground: {self._settings}. Run this cell to have its controls."

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        return {"text/plain": repr(self), **view(self._whole)}

    # What the page says. While a cell runs, ipykernel 7 hears it on a thread of its own.

    def _choose(self, change) -> None:
        settings = _settings(change["new"])
        if settings is not None:
            self._controls.shown = _shown(settings)

    def _click(self, _widget, content, _buffers) -> None:
        if isinstance(content, dict) and content.get("do") == "run":
            settings = _settings(content.get("settings"))
            seen = content.get("seen")
            # In no context of the cell's: what it has left in there must not reach the run.
            self._loop.call_soon_threadsafe(self._begin, settings, seen, context=Context())

    # What follows is called on the kernel's loop.

    def _begin(self, settings: Settings | None, seen: object) -> None:
        """Begin a run, unless one is on, or has begun since the click."""
        refusal = self._refusal(settings, seen)
        if refusal is None:
            Playground._busy = self
            work = self._run(settings)
            work.__qualname__ = "playground"  # in the lanes of a cell that records at the same time
            self._task = self._loop.create_task(work)
            self._task.add_done_callback(self._end)
            return
        with self._controls.hold_sync():
            self._controls.status = refusal or self._controls.status
            self._controls.refused += 1

    def _refusal(self, settings: Settings | None, seen: object) -> str | None:
        """Why a click begins no run; "" if that needs no word, None if it does begin one."""
        if Playground._busy is self:
            return "One run at a time: it is still on."
        if Playground._busy is not None:
            return "The run of another playground is on. Press Run again when it is over."
        if settings is None or seen != self._controls.runs:
            return ""
        if settings.work == "queries" and not project.ready():
            return plan.SET_UP
        return None

    async def _run(self, settings: Settings) -> None:
        shown = _shown(settings)
        function = plan.function(settings, project.has_books())
        run = Run(shown["code"], function, self._controls.runs + 1)
        stopping.cancels(asyncio.current_task(), run.file)
        figure = self._announce(run, settings)
        with self._controls.hold_sync():
            self._controls.shown = shown
            self._controls.runs, self._controls.state = run.number, "running"
            self._controls.status, self._controls.spoken = f"Run {run.number} is on.", ""
        figure.lanes.begin()
        self._watch()
        try:
            await run.go(figure.lanes.follow)
        finally:
            self._timer.cancel()
            stopping.cancels(None)
            figure.lanes.finish()
        self._scale(longest(self.runs))
        words = telling.tell(settings, run)
        figure.say(*words)
        self._controls.spoken = f"Run {run.number}. {' '.join(words)}"

    def _announce(self, run: Run, settings: Settings) -> Figure:
        """Put a run into the page, and take out the one before the last."""
        figure = Figure(run.number, str(settings), self._player.group)
        dropped, kept = self._figures[: 1 - KEPT], self._figures[1 - KEPT :]
        self._figures, self.runs = [*kept, figure], [*self.runs[1 - KEPT :], run]
        self._scale(longest(self.runs))
        self._below.children = self._figures
        for old in dropped:
            old.close()
        return figure

    def _watch(self) -> None:
        """Look after the run that is on, now and then until the timer is cancelled."""
        stopping.keep()
        if self.runs[-1].interrupted:
            self._controls.status = "Interrupted: calls that have begun go on to their end."
        needed = longest(self.runs)
        if needed > self._figures[-1].lanes.least:
            self._scale(needed * 3 // 2)
        self._timer = self._loop.call_later(TICK, self._watch)

    def _scale(self, least: int) -> None:
        """Draw both runs on one scale of time, wide enough for `least` microseconds."""
        for figure in self._figures:
            figure.lanes.least = least

    def _end(self, task: asyncio.Task) -> None:
        """Be ready for the next run, however this one has ended."""
        Playground._busy = self._task = None
        with self._controls.hold_sync():
            self._controls.state = "ready"
            self._controls.status = _outcome(task, self.runs[-1:])


def _outcome(task: asyncio.Task, runs: list[Run]) -> str:
    """How a run has ended, in a line."""
    if not task.cancelled() and task.exception() is not None:
        error = task.exception()
        return f"The playground itself has failed: {type(error).__name__}: {error}"
    [run] = runs
    how = "has failed" if run.error else "is over"
    return f"Run {run.number} {'was interrupted' if run.interrupted or task.cancelled() else how}."


def _shown(settings: Settings) -> dict:
    """The code for some settings, and what there is to say of it, as the page takes it."""
    return {
        "settings": settings.as_dict(),
        "code": plan.code(settings, project.has_books()),
        "notes": plan.notes(settings, project.ready()),
    }


def _settings(said: object) -> Settings | None:
    """What the page said, unless it is not what the page says."""
    try:
        return Settings.checked(said) if isinstance(said, dict) else None
    except LabError:
        return None
