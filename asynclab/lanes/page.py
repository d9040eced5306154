"""What the page of a notebook can show while a cell runs: the view of a widget."""

from ..ground.labconfig import WIDGET_VIEW
from ..ground.shell import running_shell


def in_notebook() -> bool:
    """Whether the code runs in a Jupyter kernel: what can hold a live picture."""
    return getattr(running_shell(), "kernel", None) is not None


def view(widget) -> dict:
    """A widget as output of a cell. It has no text: nbval compares texts."""
    return {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}
