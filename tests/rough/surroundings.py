"""A lesson in surroundings that are not as they should be: what it says otherwise than it does."""

from pathlib import Path

from tests.rough.workbook import compared, said, working


def differences(lesson: Path, folder: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Run a notebook from the top in a fresh kernel.

    Args:
        lesson: the notebook.
        folder: where the kernel may put what helps to find a hang.

    Returns:
        For each cell, by its id, that says something else than is committed: both.
    """
    with working(lesson, folder) as book:
        ran = [(cell, book.work(cell).words) for cell in book.cells]
    return {
        cell.id: (said(cell.outputs), words)
        for cell, words in ran
        if compared(cell) and words != said(cell.outputs)
    }
