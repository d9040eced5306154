"""What the tests know of lesson 14. It has no exercises: it sums up what the others have found."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import compared
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/14_*.ipynb"

ANSWERS: list[Answer] = []
EXAMPLES: dict[str, str] = {}
NAMES_IN_HINTS: dict[str, set[str]] = {}
EQUIVALENT: list[Equivalent] = []
MAY_DIFFER_TWICE: dict[str, str] = {}
MAY_DIFFER_INTERRUPTED: dict[str, str] = {}

FAULTS = [
    Fault(
        "output-edited-in-14",
        "an output edited",
        output(NOTEBOOK, "script-run", "in that loop: False", "in that loop: True"),
        compared(14, "boot", "right", "right-reveal", "script", "script-run"),
        ("in that loop: True", "Cell outputs differ"),
    ),
    Fault(
        "verdict-that-the-lesson-does-not-show",
        "the ledger",
        text(
            "asynclab/ledger/claims.json",
            '"id": "V7",\n  "verdict": "stale"',
            '"id": "V7",\n  "verdict": "false"',
        ),
        compared(14, "boot", "stale"),
        ("Cell outputs differ", "V7"),
    ),
]
