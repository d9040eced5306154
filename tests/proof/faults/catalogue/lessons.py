"""What can go wrong in the notebooks of the lessons."""

from nbformat import NotebookNode

from tests.proof.faults.edits import (
    TEXT,
    both,
    cell,
    drop_cell,
    drop_tag,
    notebook,
    output,
    source,
    text,
)
from tests.proof.faults.planting import Fault

CENSUS = ("tests/kit/authoring/test_census.py::test_the_census_of_the_course",)

START = "notebooks/00_*.ipynb"
LOOP = "notebooks/01_*.ipynb"
GUARD = "notebooks/02_*.ipynb"
THREADS = "notebooks/03_*.ipynb"
BACK = "notebooks/04_*.ipynb"
CONTEXT = "notebooks/05_*.ipynb"


def compared(path: str, *ids: str) -> tuple[str, ...]:
    """nbval on these cells of a notebook, by their ids."""
    return tuple(f"{path}#{cell_id}" for cell_id in ids)


def rules(stem: str) -> tuple[str, ...]:
    """The rules of style on one notebook, named as `notebooks/00_start_here`."""
    return (f"tests/kit/authoring/test_census.py::test_the_rules_of_style_hold[{stem}]",)


def strip_counts(found: NotebookNode) -> None:
    for each in found.cells:
        if each.cell_type == "code":
            each.execution_count = None


def strip_outputs(found: NotebookNode) -> None:
    for each in found.cells:
        if each.cell_type == "code":
            each.outputs = []


def exempt_all(found: NotebookNode) -> None:
    for each in found.cells:
        if each.cell_type == "code":
            tags = {*each.metadata.get("tags", ()), "nbval-ignore-output"}
            each.metadata.update(tags=sorted(tags), reason="It was red.")


def drop_reason(found: NotebookNode) -> None:
    found.metadata.pop("reason", None)


def drop_alt(found: NotebookNode) -> None:
    for shown in found.outputs:
        shown.metadata.pop("image/png", None)


def leave_view(found: NotebookNode) -> None:
    view = {"version_major": 2, "version_minor": 0, "model_id": "5f0c"}
    found.outputs[0].data["application/vnd.jupyter.widget-view+json"] = view


def leave_state(found: NotebookNode) -> None:
    found.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


def leave_path(found: NotebookNode) -> None:
    found.outputs[0].data[TEXT] += "\n/home/ada/course/demo_project/library/models.py"


FAULTS = [
    # The narrowest check of an output is its own cell, behind those that it needs.
    Fault(
        "output-edited-in-00",
        "an output edited",
        output(START, "boot", "47 books", "48 books"),
        compared(START, "boot"),
        ("48 books", "47 books", "Cell outputs differ"),
        fast=True,
    ),
    Fault(
        "output-edited-in-01",
        "an output edited",
        output(LOOP, "loop-reveal", "says: yes", "says: no"),
        compared(LOOP, "boot", "loop-predict", "loop-ask", "loop-reveal"),
        ("The machine says: no.", "The machine says: yes.", "Cell outputs differ"),
    ),
    Fault(
        "output-edited-in-02",
        "an output edited",
        output(GUARD, "first-error", "use a thread or sync_to_async.", "use a thread."),
        compared(GUARD, "boot", "models", "first-error"),
        ("use a thread.", "use a thread or sync_to_async.", "Cell outputs differ"),
    ),
    Fault(
        "output-edited-in-03",
        "an output edited",
        output(THREADS, "t1-by-call", "hops: 1 from", "hops: 2 from"),
        compared(THREADS, "boot", "imports", "titles-by", "t1-by-call"),
        ("hops: 2 from", "hops: 1 from", "Cell outputs differ"),
    ),
    Fault(
        "output-edited-in-04",
        "an output edited",
        output(BACK, "by-call-run", "overdue (task)", "overdue x2 (tasks)"),
        compared(BACK, "boot", "imports", "overdue", "by-call-run"),
        ("overdue x2 (tasks)", "overdue (task)", "Cell outputs differ"),
    ),
    Fault(
        "output-edited-in-05",
        "an output edited",
        output(CONTEXT, "sync-run", "[r2] Emma: asked for", "[-] Emma: asked for"),
        compared(
            *(CONTEXT, "boot", "models", "thread-local", "middleware-sync", "logging"),
            *("show-log", "sync-view-code", "site-with", "sync-run"),
        ),
        ("[-] Emma: asked for", "[r2] Emma: asked for", "Cell outputs differ"),
    ),
    # The lesson's own code, spoilt: what its cells show no longer bears the prose out.
    Fault(
        "async-view-waits-in-turn",
        "a lesson's code",
        source(
            START,
            "bother-async-view",
            "await asyncio.gather(*[ask(name) for name in services])",
            "[await ask(name) for name in services]",
        ),
        compared(
            *(START, "boot", "bother-services", "bother-sync-view", "bother-site"),
            *("bother-sync-run", "bother-async-view", "bother-async-run", "bother-at-once"),
        ),
        ("requests at once, async view: 3", "Cell outputs differ"),
    ),
    Fault(
        "books-reserved-in-one-order",
        "a lesson's code",
        source(LOOP, "hang-start", "reserve(dracula, emma)", "reserve(emma, dracula)"),
        compared(LOOP, "boot", "loop-ask", "hang-code", "hang-start"),
        ("tasks that are done: 0", "tasks that are done: 2", "Cell outputs differ"),
    ),
    Fault(
        "execution-counts-stripped",
        "a notebook stripped",
        notebook(THREADS, strip_counts),
        CENSUS,
        ("03_sync_to_async_and_threads.ipynb:t4-default has no execution count",),
    ),
    Fault(
        "outputs-stripped",
        "a notebook stripped",
        notebook(LOOP, strip_outputs),
        CENSUS,
        ("who-started-it has a tag for U3 but no compared output",),
    ),
    Fault(
        "claims-cell-deleted",
        "a claim not shown",
        drop_cell(GUARD, "u5-variable"),
        CENSUS,
        ("Claim U5 has no compared evidence in its lesson.",),
        fast=True,
    ),
    Fault(
        "claims-tag-removed",
        "a claim not shown",
        drop_tag(THREADS, "t4-default", "claim-T4"),
        CENSUS,
        ("Claim T4 has no compared evidence in its lesson.",),
    ),
    Fault(
        "claim-taken-from-the-list",
        "a claim not shown",
        text("notebooks/claims.yml", "id: T7", "id: T0"),
        CENSUS,
        ("has a tag for T7, which claims.yml lacks", "Claim T0 has no compared evidence"),
    ),
    Fault(
        "quotation-with-another-word",
        "a quotation",
        text("notebooks/claims.yml", "a thread where there is", "a task where there is"),
        ("tests/lessons/test_quotations.py::test_the_documentation_says_so[U1-0-6.1]",),
        ("Not below the heading 'Async safety' on topics/async of 6.1: If you try",),
    ),
    Fault(
        "box-says-otherwise",
        "a quotation",
        source(GUARD, "u1-box", "exactly right", "exactly wrong"),
        ("tests/lessons/test_claims.py::test_the_boxes_of_the_course",),
        ("cell u1-box is not what `authoring boxes` writes",),
    ),
    Fault(
        "error-that-no-cell-shows",
        "a rule of style",
        source(GUARD, "errors", "object is not iterable", "object is not callable"),
        rules("notebooks/02_synchronous_only_operation"),
        ("no cell of it shows the error TypeError: 'SyncToAsync' object is not callable",),
    ),
    Fault(
        "exempt-without-a-reason",
        "an exemption",
        cell(START, "progress", drop_reason),
        CENSUS,
        ("is exempt (nbval-ignore-output) without a reason in its metadata",),
    ),
    Fault(
        "exempt-is-a-whole-lesson",
        "an exemption",
        notebook(BACK, exempt_all),
        CENSUS,
        ("code cells are exempt; at most 10% may be",),
    ),
    Fault(
        "widget-view-left",
        "traces of a machine",
        cell(START, "predict", leave_view),
        rules("notebooks/00_start_here"),
        ("cell predict: holds a widget view, which no other kernel can show",),
    ),
    Fault(
        "widget-state-left",
        "traces of a machine",
        notebook(START, leave_state),
        rules("notebooks/00_start_here"),
        ("holds the state of widgets",),
    ),
    Fault(
        "path-of-a-machine-left",
        "traces of a machine",
        cell(START, "first-query", leave_path),
        rules("notebooks/00_start_here"),
        ("cell first-query: holds something of one machine: /home/a",),
    ),
    Fault(
        "link-between-lessons-dead",
        "a dead link",
        notebook(
            THREADS, lambda found: rename(found, "04_async_to_sync.ipynb", "04_adapters.ipynb")
        ),
        rules("notebooks/03_sync_to_async_and_threads"),
        ("a link leads nowhere: 04_adapters.ipynb",),
    ),
    Fault(
        "link-in-the-readme-dead",
        "a dead link",
        text(
            "README.md", "(notebooks/02_synchronous_only_operation.ipynb)", "(notebooks/02.ipynb)"
        ),
        (
            "tests/repository/test_style.py::test_links_lead_somewhere_and_pictures_have_words[README.md]",
        ),
        ("a link leads nowhere: notebooks/02.ipynb",),
    ),
    Fault(
        "alt-text-of-a-picture-removed",
        "alt text removed",
        cell(START, "lanes", drop_alt),
        rules("notebooks/00_start_here"),
        ("cell lanes: a picture that it shows has no alt text",),
    ),
    Fault(
        "alt-text-in-the-readme-removed",
        "alt text removed",
        text("README.md", 'alt="A cell and its lanes', 'alt="" title="A cell and its lanes'),
        (
            "tests/repository/test_style.py::test_links_lead_somewhere_and_pictures_have_words[README.md]",
        ),
        ("an image has no alt text",),
    ),
    Fault(
        "alt-text-of-every-picture-left-out",
        "alt text removed",
        text("asynclab/lanes/__init__.py", '"alt": ', '"title": '),
        ("tests/kit/lanes/test_lanes.py::test_bundle_has_words_and_a_picture_with_alt_text",),
        ("KeyError: 'alt'",),
    ),
    Fault(
        "answer-revealed-with-its-question",
        "a prediction",
        source(START, "predict", "\nwhere", '\nwhere.reveal("MainThread")'),
        rules("notebooks/00_start_here"),
        ("cell predict: where is revealed before it can be predicted",),
    ),
    Fault(
        "minutes-understated",
        "a rule of style",
        notebook(GUARD, lambda found: rename(found, "Time: 45 minutes", "Time: 10 minutes")),
        rules("notebooks/02_synchronous_only_operation"),
        ("states 10 core minutes;",),
    ),
    Fault(
        "second-run-adds-to-the-first",
        "a second run differs",
        both(
            source(START, "first-books", "[book", 'shown = globals().get("shown", []) + [book'),
            source(START, "first-books", "[:3]]", "[:3]]\nshown"),
        ),
        ("tests/lessons/test_twice.py::test_runs_twice_in_one_kernel[00_start_here]",),
        ("first-books", r"'Mansfield Park',\n 'Sense and Sensibility'"),
    ),
]


def rename(found: NotebookNode, old: str, new: str) -> None:
    """Replace a text in the prose of a notebook."""
    for each in found.cells:
        if each.cell_type == "markdown":
            each.source = each.source.replace(old, new)
