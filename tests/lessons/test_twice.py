"""Every lesson runs twice from the top in one kernel, and says the same the second time."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.harness.cells import words

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXEMPT = {"nbval-ignore-output", "nbval-skip"}


def test_there_are_lessons():
    assert LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_runs_twice_in_one_kernel(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": path.parent}})
    with client.setup_kernel():
        first = run(client)
        second = run(client)
    assert first == second


def run(client: NotebookClient) -> dict[str, list[str]]:
    """Run all cells in their order; what each compared one says, by cell id."""
    said = {}
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type == "code":
            client.execute_cell(cell, index)
            if not EXEMPT & set(cell.metadata.get("tags", [])):
                said[cell.id] = words(cell)
    assert any(said.values())
    return said
