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
        yield from cells
        for cell in cells:
            yield CellAgain.from_parent(
                self,
                name=f"{cell.name}, again",
                cell_num=cell.cell_num,
                cell=cell.cell,
                options=cell.options,
            )


class CellAgain(IPyNbCell):
    """A cell's second run."""

    def setup(self) -> None:
        super().setup()
        if self.cell_num == 0:
            kernel = self.parent.kernel
            kernel.await_idle(kernel.execute_cell_input(FORGET, allow_stdin=False), timeout=60)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> list[pytest.Collector]:
    """Put one of the classes above in the place of what nbval makes of a notebook."""
    found = yield
    kind = LessonTwice if file_path.parent.name == "notebooks" else Notebook
    return [
        kind.from_parent(parent, path=file_path) if type(each) is IPyNbFile else each
        for each in found
    ]
