"""What a widget and the answer below it have in common, whatever the reader chooses with it."""

from typing import Protocol

import ipywidgets

from ..ground.labconfig import WIDGET_VIEW


class Shown(Protocol):
    """Something that a notebook shows as text and as HTML."""

    def _repr_html_(self) -> str: ...


def show(answer: Shown, place: ipywidgets.Output) -> None:
    """Let `place` show `answer`, and nothing else.

    An Output has its links resolved by the page, which an HTML widget has not.
    """
    data = {"text/plain": repr(answer), "text/html": answer._repr_html_()}
    place.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)


def bundle(words: str, still: Shown, *widgets: ipywidgets.Widget) -> dict[str, object]:
    """Return what a notebook keeps of widgets below each other.

    Args:
        words: as text.
        still: what stands in their place where no kernel runs.
    """
    box = ipywidgets.VBox(widgets)
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    return {"text/plain": words, "text/html": still._repr_html_(), WIDGET_VIEW: view}
