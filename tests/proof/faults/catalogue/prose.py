"""What can go wrong in what people read: pictures and their words, cards, hints, links."""

from nbformat import NotebookNode

from tests.proof.faults.checks import rules
from tests.proof.faults.edits import notebook, place
from tests.proof.faults.planting import Fault

THREADS = "notebooks/03_*.ipynb"


def exchanged(*parts: str):
    """Let two cells' pictures change places, or what `parts` lead to in their outputs."""

    def change(found: NotebookNode) -> None:
        one, other = (_pictured(found, cell_id) for cell_id in ("t1-by-call", "error-crosses"))
        for part in parts[:-1]:
            one, other = one[part], other[part]
        one[parts[-1]], other[parts[-1]] = other[parts[-1]], one[parts[-1]]

    return notebook(THREADS, change)


def _pictured(found: NotebookNode, cell_id: str) -> NotebookNode:
    outputs = found.cells[place(found, cell_id)].outputs
    return next(each for each in outputs if "image/png" in each.get("data", {}))


FAULTS = [
    Fault(
        "picture-of-another-cell",
        "a picture",
        exchanged("data", "image/png"),
        rules("notebooks/03_sync_to_async_and_threads"),
        ("cell t1-by-call: its picture is of something else than its output says",),
    ),
    Fault(
        "alt-text-of-another-cell",
        "a picture",
        exchanged("metadata", "image/png", "alt"),
        rules("notebooks/03_sync_to_async_and_threads"),
        ("cell t1-by-call: the alt text of its picture is not what its output says",),
    ),
]
