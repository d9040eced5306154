"""The resident memory of a kernel after each lesson."""

import shutil
import tempfile
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

from tests.benchmarks.figures import Budget, Figure

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
BUDGET = Budget(130)


def megabytes(notebook: Path) -> float:
    """Run a notebook to its end in a kernel, and weigh the kernel."""
    client = NotebookClient(
        nbformat.read(notebook, as_version=4),
        resources={"metadata": {"path": str(notebook.parent)}},
        timeout=120,
    )
    with client.setup_kernel():
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)
        return psutil.Process(client.km.provisioner.pid).memory_info().rss / 2**20


def figures() -> list[Figure]:
    """One line a lesson; from a copy, so that nobody's progress is touched."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(NOTEBOOKS, Path(folder) / "notebooks"))
        for notebook in sorted(copy.glob("[0-9]*.ipynb")):
            lines.append(
                Figure(f"kernel after {notebook.stem[:36]}", megabytes(notebook), "MB", BUDGET)
            )
    return lines
