"""nbval, but each lesson runs twice from the top in one kernel, as a learner runs it again.

A pytest plugin, `-p tests.harness.twice`. Both runs are held against the committed outputs by nbval
itself. Without the plugin, `pytest --nbval notebooks` runs each lesson once.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

# At a second `%load_ext`, IPython says that the extension is loaded. Everything else is compared.
FORGET = "get_ipython().extension_manager.loaded.discard('asynclab')"
# A shell knows its cells and its environment, and nothing else of the notebook: asked the same
# again, it is not started once more.
REMEMBER = """
def _remember():
    import os, pathlib
    from asynclab.shells.session import Session
    ask, known = Session.outcomes, {}
    async def outcomes(self, play):
        options = self.shell, self.before, self.cells, self.run_all, self.timeout
        asked = repr((options, os.getcwd(), sorted(self.environment(pathlib.Path()).items())))
        if asked not in known:
            known[asked] = await ask(self, play)
        return known[asked]
    Session.outcomes = outcomes
_remember()
del _remember
"""


class Notebook(IPyNbFile):
    """A notebook whose kernel gets a second try to start; `tests/harness/kernels.py` says why."""

    def setup(self) -> None:
        try:
            super().setup()
        except RuntimeError as error:
            print(error)
            super().setup()


class LessonTwice(Notebook):
    """A lesson's cells, and all of them once more for the same kernel."""

    def collect(self) -> Iterator[IPyNbCell]:
        cells = list(super().collect())
        for kind, more in ((FirstRun, ""), (SecondRun, ", again")):
            for cell in cells:
                yield kind.from_parent(
                    self,
                    name=cell.name + more,
                    cell_num=cell.cell_num,
                    cell=cell.cell,
                    options=cell.options,
                )


class Cell(IPyNbCell):
    """A cell of a lesson; `BEFORE` is what runs in the kernel before some of them."""

    BEFORE: dict[int, str] = {}

    def setup(self) -> None:
        super().setup()
        if code := self.BEFORE.get(self.cell_num):
            kernel = self.parent.kernel
            kernel.await_idle(kernel.execute_cell_input(code, allow_stdin=False), timeout=60)


class FirstRun(Cell):
    """A cell's first run."""

    BEFORE = {1: REMEMBER}  # the first cell sees the kernel as it is


class SecondRun(Cell):
    """A cell's second run."""

    BEFORE = {0: FORGET}


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> list[pytest.Collector]:
    """Put one of the classes above in the place of what nbval makes of a notebook."""
    found = yield
    kind = LessonTwice if file_path.parent.name == "notebooks" else Notebook
    return [
        kind.from_parent(parent, path=file_path) if type(each) is IPyNbFile else each
        for each in found
    ]
