"""What can go wrong around the course: locks, the workflow, servers, secrets, the README."""

from tests.proof.faults.edits import append, both, source, swap, text
from tests.proof.faults.planting import Fault

ENVIRONMENT = "tests/repository/test_environment.py::test_"
DEMO = "tests/kit/test_demo_project.py::test_"
SECURITY = "tests/repository/test_security.py::test_"
STALE = ("tests/repository/test_readme.py::test_it_is_as_written",)
README = (
    "tests/repository/test_style.py::test_links_lead_somewhere_and_pictures_have_words[README.md]",
)

FIXTURES = "demo_project/library/fixtures/"
AUTHORING = "tests/kit/authoring/test_new.py::test_"

FAULTS = [
    Fault(
        "new-lesson-over-an-old-one",
        "authoring",
        text("asynclab/authoring/new.py", "in _there(number, checkout):", "in ():"),
        (f"{AUTHORING}what_is_there_is_not_overwritten[exercises/77_exercises_old.ipynb]",),
        ("DID NOT RAISE",),
    ),
    Fault(
        "what-is-to-be-written-is-not-told",
        "authoring",
        text("asynclab/authoring/lint.py", "in _TODO.finditer(cell.source):", "in ():"),
        (f"{AUTHORING}lint_says_what_is_still_to_be_written_and_nothing_else",),
        ("assert []",),
    ),
    Fault(
        "version-in-one-lock-only",
        "versions",
        text("requirements-test.txt", "\nasgiref==", "\nasgiref==0."),
        (f"{ENVIRONMENT}the_locks_agree",),
        ("asgiref==0.",),
        fast=True,
    ),
    Fault(
        "conda-has-another-python",
        "versions",
        text("environment.yml", "python=3.13", "python=3.10"),
        (f"{ENVIRONMENT}conda_brings_a_promised_python_and_the_lock_and_nothing_else",),
        ("'3.10' in",),
    ),
    Fault(
        "conda-pins-by-itself",
        "versions",
        text("environment.yml", "      - -r requirements.txt\n", "      - django==5.2.1\n"),
        (f"{ENVIRONMENT}conda_brings_a_promised_python_and_the_lock_and_nothing_else",),
        ("django==5.2.1",),
    ),
    Fault(
        "lock-behind-pyproject",
        "versions",
        text("pyproject.toml", '"nest-asyncio>=1.6"', '"nest-asyncio>=99"'),
        (f"{ENVIRONMENT}a_lock_answers_every_range",),
        ("nest-asyncio>=99",),
    ),
    Fault(
        "workflow-without-a-python",
        "versions",
        text(".github/workflows/test.yml", '["3.11", "3.12", ', '["3.11", '),
        (f"{ENVIRONMENT}ci_runs_every_promised_python_with_the_two_commands",),
        ("'3.12'",),
    ),
    Fault(
        "stack-left-out-in-silence",
        "versions",
        text("tests/proof/matrix.py", 'or total["rows_not_run"] ', ""),
        ("tests/proof/test_matrix.py::test_a_row_without_its_python_fails_and_is_named",),
        ("assert 0 == 1",),
    ),
    Fault(
        "jupyterlab-on-all-interfaces",
        "security",
        text("start.py", "--ServerApp.ip=127.0.0.1", "--ServerApp.ip=0.0.0.0"),
        (f"{SECURITY}jupyterlab_is_on_loopback_whatever_the_learner_has_configured",),
        ("0.0.0.0",),
    ),
    Fault(
        "kernel-on-all-interfaces",
        "security",
        text(
            "asynclab/shells/kernel.py",
            'connection_file=str(folder / "kernel.json")',
            'connection_file=str(folder / "kernel.json"), ip="0.0.0.0"',
        ),
        (f"{SECURITY}the_shells_of_a_comparison_are_on_loopback",),
        ("0.0.0.0",),
    ),
    Fault(
        "key-of-the-demo-project-fixed",
        "security",
        text(
            "demo_project/config/settings.py",
            'os.environ.setdefault("LIBRARY_SECRET_KEY", get_random_secret_key())',
            '"k" * 50',
        ),
        (f"{SECURITY}each_start_has_a_key_of_its_own",),
        ("k" * 50,),
    ),
    Fault(
        "key-committed",
        "security",
        # In two parts, so that this file holds none.
        append("demo_project/config/settings.py", "SECRET_" + 'KEY = "the key of everybody"'),
        (f"{SECURITY}no_secret_is_in_the_repository",),
        ("a key of Django",),
    ),
    Fault(
        "predictions-take-text-for-html",
        "security",
        text(
            "asynclab/predict/prediction.py",
            "map(html.escape, self._sentences())",
            "self._sentences()",
        ),
        ("tests/kit/test_predict.py::test_html_is_escaped",),
        ("&lt;b&gt;",),
    ),
    Fault(
        "breakpoint-forgotten",
        "the code",
        append("asynclab/ground/connections.py", "def stop():\n    breakpoint()"),
        ("tests/repository/test_style.py::test_ruff_is_content[check]",),
        ("T100",),
    ),
    Fault(
        "model-without-its-migration",
        "the demo project",
        text("demo_project/library/models.py", "max_length=200", "max_length=300"),
        ("tests/kit/test_demo_project.py::test_migrations_match_the_models",),
        ("Alter field title on book",),
    ),
    Fault(
        "year-of-a-book-wrong",
        "the demo project",
        text("demo_project/library/fixtures/library.json", "1847", "1848", everywhere=True),
        (f"{DEMO}its_books_are_those_of_the_first_editions",),
        ("'1848'", "'1847'"),
    ),
    Fault(
        "year-of-a-book-wrong-in-both-lists",
        "the demo project",
        both(
            text(
                f"{FIXTURES}library.json", '"author": 4, "year": 1849', '"author": 4, "year": 1850'
            ),
            text(f"{FIXTURES}first_editions.csv", "Brontë,1849,", "Brontë,1850,"),
        ),
        (f"{DEMO}the_first_editions_are_those_that_their_source_tells_of",),
        ("1849.0 == 1850",),
    ),
    Fault(
        "author-misspelt-in-both-lists",
        "the demo project",
        both(
            text(f"{FIXTURES}library.json", "Zora Neale", "Zora Neal"),
            text(f"{FIXTURES}first_editions.csv", "Zora Neale", "Zora Neal", everywhere=True),
        ),
        (f"{DEMO}the_first_editions_are_those_that_their_source_tells_of",),
        ("'Neal'", "'Neale'"),
    ),
    Fault(
        "authors-of-two-books-exchanged",
        "the demo project",
        swap("demo_project/library/fixtures/library.json", '"Charlotte Brontë"', '"Emily Brontë"'),
        (f"{DEMO}its_books_are_those_of_the_first_editions",),
        ("'Emily Brontë'", "'Charlotte Brontë'"),
    ),
    Fault(
        "loan-of-two-weeks",
        "the demo project",
        text(
            "demo_project/library/fixtures/library.json",
            '"due": "2025-06-02"',
            '"due": "2025-05-26"',
        ),
        (f"{DEMO}its_loans_are_of_three_weeks_and_of_one_book_at_a_time",),
        ("2025-05-26",),
    ),
    Fault(
        "address-of-another-member",
        "the demo project",
        text("demo_project/library/fixtures/library.json", '"priya.nair@', '"priya.nail@'),
        (f"{DEMO}its_members_have_the_addresses_of_their_names",),
        ("priya.nail@example.org",),
    ),
    Fault(
        "link-in-the-readme-dead",
        "a dead link",
        text(
            "README.md", "(notebooks/02_synchronous_only_operation.ipynb)", "(notebooks/02.ipynb)"
        ),
        README,
        ("a link leads nowhere: notebooks/02.ipynb",),
    ),
    Fault(
        "alt-text-in-the-readme-removed",
        "alt text removed",
        text("README.md", 'alt="A cell and its lanes', 'alt="" title="A cell and its lanes'),
        README,
        ("an image has no alt text",),
    ),
    Fault(
        "figure-in-the-readme-stale",
        "the README",
        text("README.md", "| faults planted | ", "| faults planted | 9"),
        STALE,
        ("README.md is stale; run: .venv/bin/python -m tests.repository.readme",),
    ),
    Fault(
        "lesson-in-the-readme-stale",
        "the README",
        source("notebooks/03_*.ipynb", "contract", "**Time: 45 minutes", "**Time: 44 minutes"),
        STALE,
        ("README.md is stale; run: .venv/bin/python -m tests.repository.readme",),
    ),
]
