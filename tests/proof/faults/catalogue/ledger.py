"""What can go wrong in what sums the course up: the claims' scripts, errors, the ledger."""

from tests.proof.faults.checks import rules
from tests.proof.faults.edits import source, text
from tests.proof.faults.planting import Fault

SCRIPTS = "tests/lessons/test_scripts.py::test_"
LEDGER = "tests/lessons/test_ledger.py::test_"
ERRORS = "tests/lessons/test_errors.py::test_"
THREADS = "notebooks/03_*.ipynb"
T3 = "notebooks/claims/T3.py"

FAULTS = [
    Fault(
        "answer-of-a-script-altered",
        "a claim's script",
        text("notebooks/claims.yml", "share threads: True", "share threads: False"),
        (f"{SCRIPTS}what_a_script_finds_here[T3]",),
        ("share threads: False", "share threads: True"),
    ),
    Fault(
        "script-that-finds-something-else",
        "a claim's script",
        text("notebooks/claims/A5.py", "threading.local()]", "Local()]"),
        (f"{SCRIPTS}what_a_script_finds_here[A5]",),
        ("down: above, above, above",),
    ),
    Fault(
        "script-that-needs-the-kit",
        "a claim's script",
        text(T3, "import asgiref\n", "import asgiref\n\nimport asynclab\n"),
        (f"{SCRIPTS}the_scripts_of_the_course",),
        ("T3.py imports asynclab",),
    ),
    Fault(
        "script-that-quotes-in-its-own-words",
        "a claim's script",
        text(T3, "a brand new thread", "a new thread"),
        (f"{SCRIPTS}the_scripts_of_the_course",),
        ("T3.py does not begin with the words that it is about",),
    ),
    # --- the ledger
    Fault(
        "answer-that-no-stack-gave",
        "the ledger",
        text("asynclab/ledger/runs.json", "share threads: True", "share threads: False"),
        (f"{LEDGER}every_stack_has_answered_as_claims_yml_says",),
        ("3.13/6.1: T3",),
    ),
    Fault(
        "verdict-altered-in-one-place",
        "the ledger",
        text(
            "asynclab/ledger/claims.json",
            '"id": "V7",\n  "verdict": "stale"',
            '"id": "V7",\n  "verdict": "holds"',
        ),
        (f"{LEDGER}the_ledger_is_current",),
        ("asynclab/ledger/claims.json",),
    ),
    Fault(
        "changed-answer-that-stays-green",
        "the ledger",
        text("tests/proof/ledger.py", "if self.answer.found == expected:", "if self.answer:"),
        ("tests/proof/test_ledger.py::test_a_changed_answer_is_red_and_its_row_is_named",),
        ("assert 0 == 1",),
    ),
    # --- the index of errors
    Fault(
        "fix-altered-in-one-place",
        "the index of errors",
        source(THREADS, "errors", "open, use and close it", "open and close it"),
        (f"{ERRORS}the_index_is_what_the_lessons_say",),
        ("notebooks/errors.md",),
    ),
    Fault(
        "error-that-no-cell-of-its-lesson-shows",
        "the index of errors",
        source(THREADS, "errors", "`CancelledError`", "`CancelledErrors`"),
        (f"{ERRORS}the_index_is_what_the_lessons_say",),
        ("no cell shows the error CancelledErrors",),
    ),
    Fault(
        "table-of-errors-under-a-heading-of-its-own",
        "the index of errors",
        source(THREADS, "errors", "## When you see this", "## Errors"),
        rules("notebooks/03_sync_to_async_and_threads"),
        ("it has 0 headings '## When you see this'",),
    ),
]
