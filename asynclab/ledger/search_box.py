"""A box to type an error's text into; below it, what the course says of it."""

import ipywidgets

from .error_index import Entry, Found, search

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class SearchBox:
    """A box, and the entries that hold what is typed; a table of all where no kernel runs."""

    def __init__(self, entries: list[Entry]):
        self._entries = entries
        self._typed = ipywidgets.Text(
            description="Error:",
            placeholder="some words of its text",
            layout=ipywidgets.Layout(width="36em"),
        )
        self._answer = ipywidgets.Output()
        self._typed.observe(self._show, "value")
        self._show()

    def _show(self, _change=None) -> None:
        # An Output has its links resolved by the page, which an HTML widget has not.
        data = {"text/plain": repr(self._found()), "text/html": self._found()._repr_html_()}
        self._answer.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)

    def _found(self) -> Found:
        return Found(self._typed.value, search(self._typed.value, self._entries))

    def __repr__(self) -> str:
        return f"errors(): {len(self._entries)} entries. Type some words of an error's text."

    def _repr_mimebundle_(self, **options: object) -> dict[str, object]:
        box = ipywidgets.VBox([self._typed, self._answer])
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        everything = Found("", self._entries)._repr_html_()
        return {"text/plain": repr(self), "text/html": everything, WIDGET_VIEW: view}
