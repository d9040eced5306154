"""A box to type an error's text into; below it, what the course says of it."""

import ipywidgets

from .choosing import bundle, show
from .error_index import Entry, Found, search


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
        words = self._typed.value
        show(Found(words, search(words, self._entries)), self._answer)

    def __repr__(self) -> str:
        return f"errors(): {len(self._entries)} entries. Type some words of an error's text."

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        return bundle(repr(self), Found("", self._entries), self._typed, self._answer)
