"""What `check` says: not attempted, not yet or passed, as text and as HTML."""

from dataclasses import dataclass
from html import escape

from ..ground.prose import with_code

NOT_ATTEMPTED, NOT_YET, PASSED = "not attempted", "not yet", "passed"

SIGNS = {NOT_ATTEMPTED: "○", NOT_YET: "✎", PASSED: "✓"}

# Only the bar is coloured, and only as a second sign: JupyterLab's own text colour is readable
# on both themes, its status colours are not.
BARS = {
    NOT_ATTEMPTED: "var(--jp-border-color1, #9e9e9e)",
    NOT_YET: "var(--jp-warn-color1, #f57c00)",
    PASSED: "var(--jp-success-color1, #388e3c)",
}


@dataclass(frozen=True)
class Verdict:
    """One check's result.

    Args:
        number: the exercise's number.
        title: the exercise's title.
        outcome: NOT_ATTEMPTED, NOT_YET or PASSED.
        text: what the reader is told, perhaps nothing.
        diagnosis: for NOT_YET, the short name of what went wrong.
        printed: what the reader's code printed, shortened.
        notes: sentences on the kernel, apart from the answer.
    """

    number: str
    title: str
    outcome: str
    text: str = ""
    diagnosis: str = ""
    printed: str = ""
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.outcome == PASSED

    @property
    def heading(self) -> str:
        return f"{SIGNS[self.outcome]} Exercise {self.number}, {self.title}: {self.outcome}"

    def __repr__(self) -> str:
        printed = f"Your code printed:\n{self.printed}" if self.printed else ""
        return "\n".join(part for part in (self.heading, self.text, printed, *self.notes) if part)

    def _repr_html_(self) -> str:
        parts = [f"<strong>{escape(self.heading)}</strong>"]
        if self.text:
            parts.append(f'<div style="white-space: pre-line">{with_code(self.text)}</div>')
        if self.printed:
            parts.append(f"<div>Your code printed:</div><pre>{escape(self.printed)}</pre>")
        parts += [f"<div>{with_code(note)}</div>" for note in self.notes]
        return framed("".join(parts), BARS[self.outcome])


def framed(html: str, bar: str = BARS[NOT_ATTEMPTED]) -> str:
    """`html` in the frame that every answer of this package is shown in.

    Args:
        bar: a CSS colour for the bar at the left.
    """
    return (
        f'<div role="status" style="border-left: 4px solid {bar}; padding: 4px 12px; '
        f'color: var(--jp-ui-font-color1, inherit)">{html}</div>'
    )
