"""Buttons to choose a verdict with; below them, the claims that have it."""

import ipywidgets

from .choosing import bundle, show
from .rows import SIGNS, VERDICTS, Finding, Page

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
        show(self._of(self._chosen.value), self._page)

    def __repr__(self) -> str:
        counted = [f"{len(self._of(name).rows)} {name}" for name in VERDICTS]
        return f"{len(self.rows)} claims: {', '.join(counted)}\n\n{self._of(ALL)!r}"

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        return bundle(repr(self), self._of(ALL), self._chosen, self._page)
