"""Run a notebook and keep what may be committed: no widget state, no times, no machine's paths."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from ..ground.errors import LabError
from ..ground.labconfig import without_view
from ..shells.kernel import KernelOfThisPython
from .notebook_form import METADATA
from .notebooks import CHECKOUT, code_cells, exemption, read, tags, write
from .pictures import is_of_its_text

_CELL_LIMIT = 180  # seconds
# In a coloured traceback escape sequences touch the path on both sides.
_FOLDER = r"(?:~|[A-Za-z]:)?[/\\][^\s\"'\x1b]*"
_MACHINE_PATHS = [
    (re.compile(rf"{_FOLDER}[/\\](?:site|dist)-packages[/\\]"), ".../"),
    (re.compile(rf"{_FOLDER}/lib/python3\.\d+/"), ".../"),
    (re.compile(re.escape(str(CHECKOUT))), "..."),
    (re.compile(r"(File \x1b\[\d+m|File )~/"), r"\1.../"),
]
# What a kernel that inherits it would do differently; progress is the author's own.
_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": None,
    "DJANGO_ALLOW_ASYNC_UNSAFE": None,
    "LIBRARY_DATABASE": None,
    "ASYNCLAB_PROGRESS": "memory",
}


def refresh(path: Path) -> bool:
    """Run the notebook at `path` in a fresh kernel and rewrite its outputs.

    Returns whether the file changed: a second refresh changes nothing. Where a cell is exempt from
    comparison, and only its figures would change, they stay.

    Raises:
        LabError: a cell failed without the tag `raises-exception`, or has it and did not fail.
    """
    notebook = read(path)
    pictures, exempt = _pictures(notebook), _exempt(notebook)
    _run(notebook, path)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    for cell in code_cells(notebook):
        _check_raises(cell, path)
        cell.outputs = [output for output in map(_presentable, cell.outputs) if output]
        _keep_pictures(cell, pictures)
        _keep_figures(cell, exempt)
    notebook.metadata = NotebookNode(METADATA)
    return write(notebook, path)


def _run(notebook: NotebookNode, path: Path) -> None:
    client = NotebookClient(
        notebook,
        timeout=_CELL_LIMIT,
        kernel_manager_class=KernelOfThisPython,
        resources={"metadata": {"path": str(path.resolve().parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    try:
        with _environment():
            # The kernel's log would stand between the author's lines.
            client.execute(stderr=subprocess.DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise LabError(f"{path.name} does not run to its end. {error}") from None


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    _set_environment(_ENVIRONMENT)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _check_raises(cell: NotebookNode, path: Path) -> None:
    failed = any(output.output_type == "error" for output in cell.outputs)
    if "raises-exception" in tags(cell) and not failed:
        raise LabError(
            f"{path.name}: cell {cell.id} has the tag raises-exception but did not fail."
        )


def _presentable(output: NotebookNode) -> NotebookNode | None:
    """Return `output` as it may be committed, or None if nothing of it may."""
    if output.output_type == "error":
        output.traceback = [shorten_paths(line) for line in output.traceback]
    return without_view(output)


def shorten_paths(text: str) -> str:
    """Return `text` with the folders of this machine replaced by dots."""
    for pattern, short in _MACHINE_PATHS:
        text = pattern.sub(short, text)
    return text


# A picture of the same recording differs in every run, by microseconds. Its text does not.

_Pictures = dict[tuple[str, str], NotebookNode]


def _pictures(notebook: NotebookNode) -> _Pictures:
    """Return every output that has a PNG of its own, by its cell's id and its text."""
    return {
        (cell.id, output.data["text/plain"]): output
        for cell in code_cells(notebook)
        for output in cell.outputs
        if {"image/png", "text/plain"} <= output.get("data", {}).keys() and is_of_its_text(output)
    }


def _keep_pictures(cell: NotebookNode, pictures: _Pictures) -> None:
    for output in cell.outputs:
        data = output.get("data", {})
        kept = pictures.get((cell.id, data.get("text/plain")))
        if kept and "image/png" in data:
            data["image/png"] = kept.data["image/png"]
            output.metadata = kept.metadata


# Times of a machine are others in every run. What was shown of the last one is as good.


def _exempt(notebook: NotebookNode) -> dict[str, list[NotebookNode]]:
    """Return the outputs of every cell that is exempt from comparison, by its id."""
    return {cell.id: cell.outputs for cell in code_cells(notebook) if exemption(cell)}


def _keep_figures(cell: NotebookNode, exempt: dict[str, list[NotebookNode]]) -> None:
    kept = exempt.get(cell.id)
    if kept is None or _without_figures(kept) != _without_figures(cell.outputs):
        return
    for output in kept:
        if output.output_type == "execute_result":
            output.execution_count = cell.execution_count
    cell.outputs = kept


def _without_figures(outputs: list[NotebookNode]) -> str:
    """What `outputs` say but for numbers, and the blanks that align these."""
    return re.sub(r"[-+.\d\s]+", " ", json.dumps(outputs, sort_keys=True))
