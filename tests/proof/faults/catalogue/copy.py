"""What can go wrong with a learner's copy, and where the kit was not installed by start.py."""

from tests.proof.faults.edits import text
from tests.proof.faults.planting import Fault

WORKSPACE = "asynclab/workspace.py"
COPY = "tests/kit/test_workspace.py::test_"
ADVICE = "tests/kit/ground/test_first_cell.py::test_"

FAULTS = [
    Fault(
        "copy-with-outputs",
        "the learner's copy",
        text(WORKSPACE, 'cell["outputs"], cell["execution_count"] = [], None', "pass"),
        (f"{COPY}the_copy_of_this_course_holds_every_notebook_and_nothing_that_was_run",),
        ("assert not",),
        fast=True,
    ),
    Fault(
        "what-a-learner-wrote-is-overwritten",
        "the learner's copy",
        text(WORKSPACE, 'if mark(mine).get("sources") != digest(sources(mine)):', "if False:"),
        (f"{COPY}a_changed_notebook_is_kept_and_told",),
        ("Renewed: notebooks/03_threads.ipynb.",),
    ),
    Fault(
        "reset-keeps-nothing",
        "the learner's copy",
        text(WORKSPACE, "self._aside() if keep else None", "None"),
        (f"{COPY}reset_gives_the_courses_notebook_and_keeps_the_old_one_beside_it",),
        ("Renewed: notebooks/03_threads.ipynb.",),
    ),
    Fault(
        "to-run-a-notebook-is-to-change-it",
        "the learner's copy",
        text(WORKSPACE, " if text.strip()]", "]"),
        (f"{COPY}a_notebook_that_was_only_run_is_renewed_and_its_outputs_are_kept_aside",),
        ("yours is changed",),
    ),
    Fault(
        "old-notebook-goes-too-early",
        "the learner's copy",
        text(
            WORKSPACE,
            "    handle, new = tempfile.mkstemp(",
            "    path.unlink(missing_ok=True)\n    handle, new = tempfile.mkstemp(",
        ),
        (f"{COPY}nothing_is_lost_when_writing_fails[fsync]",),
        ("At index 0 diff",),
    ),
    Fault(
        "first-cell-not-told",
        "a first cell",
        text(
            "asynclab/ground/first_cell.py",
            "isinstance(error, NameError) and error.name in WORDS",
            "False",
        ),
        (f"{ADVICE}in_another_notebook_only_the_kits_own_words_are_known[None]",),
        ("This kernel has not run the notebook's first code cell.",),
    ),
    Fault(
        "first-cell-told-for-ever",
        "a first cell",
        text("asynclab/ground/first_cell.py", '"asynclab" in sys.modules or ', ""),
        (f"{ADVICE}an_exercise_that_is_checked_first_is_told_the_first_cell",),
        ("not in",),
    ),
    Fault(
        "project-has-to-take-jupyterlab",
        "versions",
        text("pyproject.toml", '    "pillow>=', '    "jupyterlab>=4.4",\n    "pillow>='),
        (
            "tests/repository/test_environment.py::test_a_project_of_ones_own_need_not_take_jupyterlab",
        ),
        ("'jupyterlab'",),
    ),
    Fault(
        "binder-opens-a-lesson-with-outputs",
        "the learner's copy",
        text("README.md", "lab/tree/your_copy/notebooks/", "lab/tree/notebooks/", everywhere=True),
        ("tests/repository/test_readme.py::test_binder_opens_the_page_that_lab_opens",),
        ("/lab/tree/notebooks/00_start_here.ipynb",),
    ),
]
