"""What can go wrong in what people read: pictures and their words, cards, hints, links."""

import re

from nbformat import NotebookNode

from tests.proof.faults.checks import rules
from tests.proof.faults.edits import both, cell, notebook, place, source, swap, text
from tests.proof.faults.planting import Fault

THREADS = "notebooks/03_*.ipynb"
RULES = rules("notebooks/03_sync_to_async_and_threads")
SOLUTIONS = "solutions/03_*.ipynb"
CHECKS = "asynclab/lessons/lesson03.py"
CARDS = "tests/lessons/test_cards.py::test_"
PROSE = "tests/lessons/test_prose.py::test_"
ADDRESSES = "tests/lessons/test_addresses.py::test_an_address_leads_somewhere"
PAGES = "tests/repository/test_pages.py::test_"
BRANCHES = "Deeper: branches in parallel"
GOAL = re.compile(r"\*\*Goal:\*\* .+")


def exchanged(*parts: str):
    """Let two cells' pictures change places, or what `parts` lead to in their outputs."""

    def change(found: NotebookNode) -> None:
        one, other = (_pictured(found, cell_id) for cell_id in ("t1-by-call", "error-crosses"))
        for part in parts[:-1]:
            one, other = one[part], other[part]
        one[parts[-1]], other[parts[-1]] = other[parts[-1]], one[parts[-1]]

    return notebook(THREADS, change)


def _pictured(found: NotebookNode, cell_id: str) -> NotebookNode:
    outputs = found.cells[place(found, cell_id)].outputs
    return next(each for each in outputs if "image/png" in each.get("data", {}))


def goals_exchanged(found: NotebookNode, *cards: str) -> None:
    """Let the goals of two cards change places."""
    one, other = (found.cells[place(found, card)] for card in cards)
    goals = [GOAL.search(card.source)[0] for card in (one, other)]
    one.source, other.source = (
        card.source.replace(mine, its)
        for card, mine, its in zip((one, other), goals, reversed(goals), strict=True)
    )


FAULTS = [
    Fault(
        "picture-of-another-cell",
        "a picture",
        exchanged("data", "image/png"),
        RULES,
        ("cell t1-by-call: its picture is of something else than its output says",),
    ),
    Fault(
        "alt-text-of-another-cell",
        "a picture",
        exchanged("metadata", "image/png", "alt"),
        RULES,
        ("cell t1-by-call: the alt text of its picture is not what its output says",),
    ),
    # --- the table of errors, and what else a machine is said to say
    Fault(
        "half-a-word-in-the-table-of-errors",
        "a table of errors",
        source(THREADS, "errors", "| `CancelledError` |", "| `Cancelled` |"),
        RULES,
        ("no cell of it shows the error Cancelled",),
    ),
    Fault(
        "the-same-of-something-among-the-errors",
        "a table of errors",
        source(THREADS, "errors", "| the same, with `await`;", "| the same call, with `await`;"),
        RULES,
        ("'the same' is what the row above says; write what it is: the same call",),
    ),
    Fault(
        "what-another-python-says-is-wrong",
        "a table of errors",
        source(THREADS, "errors", "'SyncToAsync' object can't be awaited", "no awaitable"),
        RULES,
        ("no cell of it shows the error no awaitable",),
    ),
    Fault(
        "error-in-prose-that-no-cell-shows",
        "a name in prose",
        source(THREADS, "crossing-explained", "`gather`", "`RuntimeError: no gather`, `gather`"),
        (f"{PROSE}every_error_in_its_prose_was_shown_by_a_cell",),
        ("RuntimeError: no gather",),
    ),
    Fault(
        "name-in-prose-misspelt",
        "a name in prose",
        source(THREADS, "first-home-explained", "single_thread_executor", "one_thread_executor"),
        (f"{PROSE}every_name_in_its_prose_is_there",),
        ("first-home-explained", "one_thread_executor"),
    ),
    Fault(
        "module-in-prose-not-there",
        "a name in prose",
        source(THREADS, "hidden-frames-explained", "django/views/debug.py", "django/views/bug.py"),
        (f"{PROSE}every_module_in_its_prose_is_there",),
        ("django/views/bug.py",),
    ),
    Fault(
        "figure-in-prose-typed",
        "a name in prose",
        source(THREADS, "crossing-explained", "`gather` does", "In 387 cases `gather` does"),
        (f"{PROSE}every_figure_in_its_prose_is_a_cells",),
        ("('crossing-explained', '387')",),
    ),
    Fault(
        "table-with-a-short-row",
        "a form",
        source(THREADS, "errors", "| open, use and close it in one function |", "|"),
        RULES,
        ("cell errors: the rows of a table in it differ in length",),
    ),
    Fault(
        "tag-that-nobody-knows",
        "a form",
        cell(THREADS, "t1-by-call", lambda found: found.metadata.tags.append("claim T1")),
        RULES,
        ("cell t1-by-call: nobody knows its tag 'claim T1'",),
    ),
    Fault(
        "cell-run-out-of-order",
        "a form",
        cell(THREADS, "t1-by-call", lambda found: found.update(execution_count=99)),
        RULES,
        ("its execution counts are not those of one run from the top",),
    ),
    # --- cards and hints
    Fault(
        "hints-of-two-exercises-exchanged",
        "a hint",
        swap(
            CHECKS,
            '"What does `asyncio.wait_for` stop, and what goes on after it?"',
            '"Two jobs, two threads: which of them touches the database?"',
        ),
        (f"{CARDS}its_hints_and_its_card_are_about_this_exercise",),
        ("What does `asyncio.wait_for` stop",),
    ),
    Fault(
        "hint-names-what-the-exercise-has-not",
        "a hint",
        text(
            CHECKS, "On which thread does `letter` have to", "On which thread does `note` have to"
        ),
        (f"{CARDS}the_code_in_its_hints_and_diagnoses_is_of_this_exercise[3.1]",),
        ("{'note'}",),
    ),
    Fault(
        "card-of-another-goal",
        "a card",
        notebook(SOLUTIONS, lambda found: goals_exchanged(found, "card-3-1", "card-3-5")),
        (f"{CARDS}its_hints_and_its_card_are_about_this_exercise[3.1]",),
        ("takes all of the books back",),
    ),
    Fault(
        "card-that-practises-another-section",
        "a card",
        both(
            source(SOLUTIONS, "card-3-5", "[Cancelled, and still at work]", f"[{BRANCHES}]"),
            source(SOLUTIONS, "card-3-5", "#cell-id=s-cancel", "#cell-id=d-branches"),
        ),
        (f"{CARDS}its_card_links_to_the_section_that_it_practises[3.5]",),
        ("#cell-id=s-cancel",),
    ),
    Fault(
        "diagnosis-names-what-the-exercise-has-not",
        "a diagnosis",
        text(CHECKS, "`count` ran on the loop's thread", "`stocks` ran on the loop's thread"),
        (f"{CARDS}the_code_in_its_hints_and_diagnoses_is_of_this_exercise[3.4]",),
        ("'stocks'",),
    ),
    Fault(
        "card-with-another-title",
        "a card",
        source(SOLUTIONS, "card-3-2", "## 3.2 Export beside", "## 3.2 Export before"),
        (f"{CARDS}a_card_has_the_number_and_the_title_of_its_exercise[3.2]",),
        ("export before the queue",),
    ),
    Fault(
        "check-of-another-exercise",
        "a card",
        source(SOLUTIONS, "check-3-2", 'hint("3.2")', 'hint("3.3")'),
        (f"{CARDS}a_card_has_the_number_and_the_title_of_its_exercise[3.2]",),
        ("Extra items in the left set", "'3.3'"),
    ),
    Fault(
        "example-with-another-answer",
        "a card",
        source(SOLUTIONS, "card-3-2", "gives `6`", "gives `7`"),
        (f"{CARDS}the_example_of_a_card_is_what_is_run[3.2]",),
        ("['7']",),
    ),
    Fault(
        "example-that-does-not-come-true",
        "a card",
        both(
            source(SOLUTIONS, "card-3-2", "gives `6`", "gives `7`"),
            text("tests/lessons/lesson03.py", "await export(len) == 6", "await export(len) == 7"),
        ),
        (f"{CARDS}the_example_comes_true[3.2]",),
        ("AssertionError",),
    ),
    # --- links
    Fault(
        "next-leads-back",
        "a dead link",
        source(
            THREADS,
            "errors",
            "[04 · async_to_sync](04_async_to_sync.ipynb)",
            "[02 · SynchronousOnlyOperation](02_synchronous_only_operation.ipynb)",
        ),
        RULES,
        ("its **Next:** does not link to 04_async_to_sync.ipynb",),
    ),
    Fault(
        "next-of-the-exercises-leads-back",
        "a dead link",
        source(SOLUTIONS, "next", "04_async_to_sync", "03_sync_to_async_and_threads"),
        rules("solutions/03_exercises_sync_to_async_and_threads"),
        ("its **Next:** does not link to 04_async_to_sync.ipynb",),
    ),
    Fault(
        "exercises-of-another-lesson",
        "a dead link",
        source(
            THREADS,
            "errors",
            "03_exercises_sync_to_async_and_threads",
            "02_exercises_synchronous_only_operation",
        ),
        RULES,
        ("it practises the exercises of another lesson",),
    ),
    Fault(
        "link-that-says-another-lesson",
        "a dead link",
        source(THREADS, "errors", "[04 · async_to_sync]", "[04 · sync_to_async]"),
        RULES,
        ("the lesson's title is 'async_to_sync'",),
    ),
    Fault(
        "exercises-counted-wrong",
        "a dead link",
        source(THREADS, "errors", "[six exercises]", "[five exercises]"),
        RULES,
        ("it says five exercises; 03_exercises_sync_to_async_and_threads.ipynb has 6",),
    ),
    Fault(
        "heading-that-is-not-there",
        "a dead link",
        text(
            "README.md", "[CONTRIBUTING.md](CONTRIBUTING.md)", "[here](CONTRIBUTING.md#change-it)"
        ),
        ("tests/repository/test_style.py::test_links_lead_somewhere_and_pictures_have_words",),
        ("a link leads to no heading: CONTRIBUTING.md#change-it",),
    ),
    Fault(
        "anchor-of-the-documentation-dead",
        "an address",
        source(THREADS, "t8-after", "#connection-pool", "#connections-pool"),
        (ADDRESSES,),
        ("no anchor connections-pool",),
    ),
    Fault(
        "page-of-the-documentation-dead",
        "an address",
        source(THREADS, "t8-after", "/ref/databases/", "/ref/database/"),
        (ADDRESSES,),
        ("has no docs/ref/database.txt",),
    ),
    Fault(
        "address-that-nobody-opened",
        "an address",
        source("notebooks/01_*.ipynb", "comprehension-why", "issues/12593", "issues/12539"),
        (ADDRESSES,),
        ("nobody has opened it",),
    ),
    # --- the pages beside the notebooks
    Fault(
        "command-in-the-readme-not-there",
        "a page's commands",
        text("README.md", "manage.py loaddata library", "manage.py loaddata books"),
        (f"{PAGES}every_piece_of_code_works",),
        ("manage.py loaddata books",),
    ),
    Fault(
        "option-in-the-readme-not-there",
        "a page's commands",
        text("README.md", "`lab` takes `--no-browser`", "`lab` takes `--without-browser`"),
        (f"{PAGES}every_piece_of_code_works",),
        ("--without-browser",),
    ),
    Fault(
        "option-of-lab-not-told",
        "a page's commands",
        text(
            "start.py", '    parser.add_argument("--port"', '    parser.add_argument("-p", "--port"'
        ),
        (f"{PAGES}the_readme_names_every_option_of_lab",),
        ("'-p'",),
    ),
    Fault(
        "file-in-contributing-not-there",
        "a page's commands",
        text("CONTRIBUTING.md", "`recorder/workers.py`", "`recorder/worker.py`"),
        (f"{PAGES}every_piece_of_code_works",),
        ("recorder/worker.py",),
    ),
    Fault(
        "folder-left-out-of-the-map",
        "a page's commands",
        text("CONTRIBUTING.md", "    demo_project/   the", "                    the"),
        (f"{PAGES}the_map_shows_every_folder_and_no_other",),
        ("'demo_project'",),
    ),
    Fault(
        "python-that-the-course-does-not-run-on",
        "a page's commands",
        text("README.md", "With Python 3.11 or newer", "With Python 3.10 or newer"),
        (f"{PAGES}the_oldest_python_is_the_one_that_is_required",),
        (">=3.10",),
    ),
    # --- what a card and a hint say
    Fault(
        "expression-in-a-hint-wrong",
        "a hint",
        text(
            "asynclab/lessons/lesson08.py",
            "`ceil(per_second * seconds)`",
            "`ceil(per_second / seconds)`",
        ),
        (f"{CARDS}what_the_code_in_its_hints_says_stands_where_it_belongs[8.2]",),
        ("ceil(per_second / seconds)",),
    ),
    Fault(
        "limit-on-a-card-of-no-check",
        "a card",
        source("solutions/08_*.ipynb", "card-8-6", "at most 30 seconds", "at most 20 seconds"),
        (f"{CARDS}a_figure_of_its_card_is_one_of_its_check[8.6]",),
        ("'20'",),
    ),
    Fault(
        "address-in-the-kit-without-its-anchor",
        "a dead link",
        text("asynclab/servers/site.py", "HttpRequest.urlconf", "HttpRequest.url_conf"),
        (ADDRESSES,),
        ("no anchor django.http.HttpRequest.url_conf",),
    ),
    Fault(
        "folder-of-the-tests-told-of-another",
        "a page's commands",
        text(
            "CONTRIBUTING.md",
            "`tests/rough/` rough handling, `tests/repository/` the checkout itself",
            "`tests/repository/` rough handling, `tests/rough/` the checkout itself",
        ),
        (f"{PAGES}what_is_said_of_a_folder_of_the_tests_is_what_it_says_itself[rough]",),
        ("the checkout itself",),
    ),
    Fault(
        "lock-told-of-another",
        "a page's commands",
        text(
            "CONTRIBUTING.md",
            "`requirements-test.txt` adds the test tools, `requirements-benchmark.txt` what",
            "`requirements-benchmark.txt` adds the test tools, `requirements-test.txt` what",
        ),
        (f"{PAGES}what_a_lock_adds_is_said_of_the_lock_with_its_name",),
        ("{'benchmark': 'test'",),
    ),
    Fault(
        "length-of-a-script-told-wrong",
        "a page's commands",
        text("CONTRIBUTING.md", "at most 40 lines, with", "at most 50 lines, with"),
        (f"{PAGES}the_length_of_a_claims_script_is_the_one_that_is_held",),
        ("50 == 40",),
    ),
    Fault(
        "figure-of-another-section",
        "a name in prose",
        source("notebooks/06_*.ipynb", "s-async-for", "47", "48"),
        (f"{PROSE}every_figure_in_its_prose_is_a_cells[06_the_async_orm]",),
        ("('s-async-for', '48')",),
    ),
    Fault(
        "error-in-the-readme-not-to-be-looked-up",
        "a page's commands",
        text("README.md", 'errors("Event loop is closed")', 'errors("Event loop was closed")'),
        (f"{PAGES}every_piece_of_code_works[README.md]",),
        ("Event loop was closed",),
    ),
    Fault(
        "module-of-the-kit-told-of-another",
        "a page's commands",
        text("CONTRIBUTING.md", "Only `recorder/hooks.py` rep", "Only `recorder/taps.py` rep"),
        (f"{PAGES}what_is_said_of_a_module_of_the_kit_is_what_it_says_itself",),
        ("The sources of events",),
    ),
    Fault(
        "command-of-an-author-not-told",
        "a page's commands",
        text("CONTRIBUTING.md", "`... census` counts", "`... index` counts"),
        (f"{PAGES}the_commands_of_an_author_are_all_told",),
        ("'census'",),
    ),
    Fault(
        "number-of-wrong-answers-told-wrong",
        "a page's commands",
        text("CONTRIBUTING.md", "at least three wrong answers", "at least two wrong answers"),
        (f"{PAGES}as_many_wrong_answers_are_asked_for_as_the_gate_asks_for",),
        ("['two'] == ['three']",),
    ),
]
