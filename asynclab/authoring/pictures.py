"""The pictures in a notebook's outputs: each is the one that its own output tells of."""

import base64
import binascii
from collections.abc import Iterator

from nbformat import NotebookNode

from ..lanes.canvas import size
from ..lanes.still import told

PNG = "image/png"


def is_of_its_text(output: NotebookNode) -> bool:
    """Whether the picture in `output` was drawn of the recording that its text tells of."""
    try:
        picture = base64.b64decode(output.data[PNG], validate=True)
    except binascii.Error:
        return False
    return told(picture) == output.data.get("text/plain")


def check(cell: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the pictures that `cell` shows."""
    for output in cell.outputs:
        if PNG in output.get("data", {}):
            yield from _check(output)


def _check(output: NotebookNode) -> Iterator[str]:
    described = output.metadata.get(PNG, {})
    if not described.get("alt"):
        yield "a picture that it shows has no alt text"
    elif described["alt"] != output.data.get("text/plain"):
        yield "the alt text of its picture is not what its output says"
    if not is_of_its_text(output):
        yield "its picture is of something else than its output says; refresh draws it anew"
    elif size(base64.b64decode(output.data[PNG])) != (
        described.get("width"),
        described.get("height"),
    ):
        yield "its picture is not as large as its metadata say"
