"""The gate that every answer passes: a kernel with the lesson's solutions, and `await check`."""

import ast
import os
import re
from pathlib import Path

import nbformat

from asynclab.exercises.book import Exercise, exercises_of
from asynclab.exercises.stubs import exercise_cells
from asynclab.exercises.verdicts import PASSED
from tests.harness.beside import BARE, Beside
from tests.harness.kernels import start_kernel

SOLUTIONS = Path(__file__).parents[2] / "solutions"

INTERNALS = re.compile(r"\.py\b|<locals>|_as_a_cell")
"""What no verdict may show to a reader."""

# Jupyter, Django, the kit: no collection needs to look through half a million objects.
SETTLE = """
from asynclab.exercises.leftovers import freeze_for_good
freeze_for_good()
"""

GO_ON = """
import asyncio, gc
for _ in range(4):
    gc.collect()
    await asyncio.sleep(0.01)
"""


class Kernel:
    """A kernel that has run a lesson's solutions from top to bottom.

    Args:
        lesson: the lesson's number.
    """

    SECONDS = 120
    """How long one cell may take."""

    def __init__(self, lesson: int):
        self.lesson = lesson
        self.notebook = nbformat.read(solutions_of(lesson), as_version=4)
        self.cells = exercise_cells(self.notebook)
        environment = os.environ | {"ASYNCLAB_PROGRESS": "memory"}
        self.printed: list[str] = []
        self._manager, self._client = start_kernel(cwd=str(SOLUTIONS), env=environment)
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                self.run(cell.source)
        self.run(SETTLE)

    def run(self, code: str, **expressions: str) -> dict[str, str]:
        """Run a cell that must not raise; return the repr of each expression after it."""
        reply = self.execute(code, **expressions)
        assert reply["status"] == "ok", f"{reply.get('ename')}: {reply.get('evalue')}\n{code}"
        return {name: reply["user_expressions"][name]["data"]["text/plain"] for name in expressions}

    def execute(self, code: str, **expressions: str) -> dict:
        """Run a cell, which may raise; return the content of the kernel's reply.

        What the cell prints, or has printed under it, goes to `printed`.

        Raises:
            TimeoutError: no reply came within SECONDS.
        """

        def keep(message: dict) -> None:
            if message["msg_type"] == "stream":
                self.printed.append(message["content"]["text"])

        return self._client.execute_interactive(
            code, user_expressions=expressions, output_hook=keep, timeout=self.SECONDS
        )["content"]

    def verdict(self, exercise: Exercise, source: str) -> tuple[str, str, str]:
        """What `check` says of `source`: outcome, diagnosis, and all that is shown."""
        self.printed.clear()
        self.forget(exercise.names)
        self.run(source)
        return self.check(exercise)

    def forget(self, names: tuple[str, ...]) -> None:
        """Remove these names from the reader's namespace."""
        self.run(f"for name in {names}:\n    globals().pop(name, None)")

    def check(self, exercise: Exercise, around: str = BARE) -> tuple[str, str, str]:
        """What `check` says of the names as they are: see `verdict` and `Beside.around`."""
        said = self.run(
            around.replace(BARE, f"gate_verdict = await check({exercise.number!r})"),
            verdict="gate_verdict.outcome, gate_verdict.diagnosis, repr(gate_verdict)",
        )
        return ast.literal_eval(said["verdict"])

    def references(self) -> list[tuple[Exercise, str]]:
        """The lesson's exercises with their answers."""
        exercises = exercises_of(self.lesson)
        return [(exercise, self.cells[exercise.number].source) for exercise in exercises]

    def refused(self, beside: Beside, answers: list[tuple[Exercise, str]]) -> list[str]:
        """What is said of the answers that do not pass, as they do by themselves."""
        self.run(beside.before)
        try:
            said = []
            for exercise, source in answers:
                self.forget(exercise.names)
                self.run(source)
                said.append(self.check(exercise, beside.around))
        finally:
            self.run(f"{beside.after}\nboot()")
        return [text for outcome, _, text in said if outcome != PASSED]

    def aftermath(self, source: str) -> str:
        """What is printed beside the verdict on `source`, then and while the reader goes on.

        The reader runs the same cell again, so that what it defines replaces what was checked, and
        then others, in which the garbage is collected and the loop goes on.
        """
        self.run(source)
        self.run(GO_ON)
        return "".join(self.printed)

    def close(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def solutions_of(lesson: int) -> Path:
    """The notebook with a lesson's solutions."""
    return next(SOLUTIONS.glob(f"{lesson:02d}_*.ipynb"))
