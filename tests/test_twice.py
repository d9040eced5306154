"""Every lesson runs twice from the top in one kernel, and says the same the second time."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXEMPT = {"nbval-ignore-output", "nbval-skip"}
# The one thing that IPython has to say the second time.
LOADED = "The asynclab extension is already loaded. To reload it, use:\n  %reload_ext asynclab\n"


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


def words(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell says: printed text, results as text, errors by name and message."""
    printed, shown = {}, []
    for output in cell.outputs:
        if output.output_type == "stream":
            printed[output.name] = printed.get(output.name, "") + output.text
        elif output.output_type == "error":
            shown.append(f"{output.ename}: {output.evalue}")
        else:
            shown.append(output.data.get("text/plain", ""))
    return [*(printed[name].replace(LOADED, "") for name in sorted(printed)), *shown]
