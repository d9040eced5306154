"""Buttons to choose a verdict with; below them, the claims that have it."""

import ipywidgets

from .rows import SIGNS, VERDICTS, Finding, Page

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ALL = "all"


class VerdictButtons:
    """The verdicts with their numbers, and the rows of the one that is chosen.

    Where no kernel runs, a table of all rows stands in its place.
    """

    def __init__(self, rows: list[Finding]):
        self.rows = rows
        self._chosen = ipywidgets.ToggleButtons(
            options=[(self._label(name), name) for name in (ALL, *VERDICTS)],
            value="false",
            description="Verdict:",
        )
        self._page = ipywidgets.Output()
        self._chosen.observe(self._show, "value")
        self._show()

    def _label(self, name: str) -> str:
        return f"{SIGNS.get(name, '')} {name} ({len(self._of(name).rows)})".strip()

    def _of(self, name: str) -> Page:
        return Page([row for row in self.rows if name in (ALL, row.verdict)])

    def _show(self, _change=None) -> None:
        page = self._of(self._chosen.value)
        data = {"text/plain": repr(page), "text/html": page._repr_html_()}
        self._page.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)

    def __repr__(self) -> str:
        counted = [f"{len(self._of(name).rows)} {name}" for name in VERDICTS]
        return f"{len(self.rows)} claims: {', '.join(counted)}\n\n{self._of(ALL)!r}"

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        box = ipywidgets.VBox([self._chosen, self._page])
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        still = self._of(ALL)._repr_html_()
        return {"text/plain": repr(self), "text/html": still, WIDGET_VIEW: view}
