"""The demo project runs by itself, as any Django project does."""

import csv
import json
import os
import re
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

PROJECT = Path(__file__).resolve().parents[2] / "demo_project"


@pytest.fixture
def environment(tmp_path):
    """The shell's environment, with a database of this test's own and no Django settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return clean | {"LIBRARY_DATABASE": str(tmp_path / "library.sqlite3")}


def manage(*arguments, environment):
    return subprocess.run(
        [sys.executable, PROJECT / "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page(url, server, seconds=20):
    """Ask until the server answers: it needs a moment to come up, and says nothing when it has."""
    deadline = time.monotonic() + seconds
    while True:
        assert server.poll() is None, "the server ended"
        try:
            return urlopen(url, timeout=5).read().decode()
        except URLError:
            assert time.monotonic() < deadline, "the server never answered"
            time.sleep(0.05)


def test_its_own_tests_pass(environment):
    result = manage("test", "library", environment=environment)
    assert result.returncode == 0, result.stderr
    assert "Ran 0 tests" not in result.stderr


def test_migrations_match_the_models(environment):
    result = manage("makemigrations", "--check", "--dry-run", environment=environment)
    assert (result.returncode, result.stdout) == (0, "No changes detected\n"), result.stderr


def test_system_check_is_clean(environment):
    result = manage("check", "--fail-level", "DEBUG", environment=environment)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "command",
    [
        [PROJECT / "manage.py", "runserver", "--noreload", "127.0.0.1:{port}"],
        ["-m", "uvicorn", "config.asgi:application", "--app-dir", PROJECT, "--port", "{port}"],
    ],
    ids=["runserver", "uvicorn"],
)
def test_serves_its_pages(command, environment):
    assert manage("migrate", environment=environment).returncode == 0
    assert manage("loaddata", "library", environment=environment).returncode == 0
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, *(str(part).format(port=port) for part in command)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        assert "Pride and Prejudice" in page(f"{address}/", server)
        assert "<h1>Sense and Sensibility</h1>" in page(f"{address}/books/1/", server)
        assert '"book": "Orlando"' in page(f"{address}/loans/", server)
    finally:
        server.terminate()
        server.wait(timeout=10)


# ---------------------------------------------------------------- what the library holds

FIXTURES = PROJECT / "library" / "fixtures"


@pytest.fixture(scope="module")
def rows():
    """The fixture's rows by model and key."""
    found = json.loads((FIXTURES / "library.json").read_text(encoding="utf-8"))
    keyed = {(row["model"].partition(".")[2], row["pk"]): row["fields"] for row in found}
    assert len(keyed) == len(found)
    return keyed


def of(model, rows):
    return {pk: fields for (name, pk), fields in rows.items() if name == model}


def test_its_books_are_those_of_the_first_editions(rows):
    """The second source, book by book: a title, its author, and when it first came out as a book.

    Where the column `source` says so, it is books.csv of the data set goodbooks-10k
    (github.com/zygmuntz/goodbooks-10k), in the line with this goodreads_book_id. That file has no
    first edition of the others.
    """
    editions = [tuple(row.values()) for row in read(FIXTURES, "first_editions")]
    authors = of("author", rows)
    books = [
        (book["title"], authors[book["author"]]["name"], str(book["year"]))
        for book in of("book", rows).values()
    ]
    assert [edition[:3] for edition in editions] == books
    assert {book["author"] for book in of("book", rows).values()} == authors.keys()
    looked_up = [each[3] for each in editions if re.fullmatch(r"goodbooks-10k \d+", each[3])]
    assert len(looked_up) >= 35
    assert {each[3] for each in editions} - set(looked_up) == {"none"}


def test_the_first_editions_are_those_that_their_source_tells_of():
    """`goodbooks.csv` has the lines that are named, and five columns, as they stand in books.csv.

    That is Zajac, Zygmunt: goodbooks-10k, 2017, under CC BY-SA 4.0.
    """
    told = {
        line.pop("goodreads_book_id"): line for line in read(Path(__file__).parent, "goodbooks")
    }
    editions = [each for each in read(FIXTURES, "first_editions") if each["source"] != "none"]
    assert told.keys() == {each["source"].split()[1] for each in editions}
    for each in editions:
        line = told[each["source"].split()[1]]
        assert float(line["original_publication_year"]) == int(each["year"]), each
        # The first of them wrote it; the others drew, translated or explained.
        assert words(each["author"]) <= words(line["authors"].split(",")[0]), each
        assert words(each["title"]) <= words(f"{line['original_title']} {line['title']}"), each


def read(folder, name):
    with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def words(text):
    return set(re.findall(r"\w+", text))


def test_its_loans_are_of_three_weeks_and_of_one_book_at_a_time(rows):
    out = {}
    for loan in of("loan", rows).values():
        borrowed, due = (date.fromisoformat(loan[name]) for name in ("borrowed", "due"))
        returned = date.fromisoformat(loan["returned"] or "9999-12-31")
        assert due - borrowed == timedelta(days=21), loan
        assert borrowed < returned
        assert out.get(loan["book"], date.min) <= borrowed, "still out"
        out[loan["book"]] = returned
        assert loan["book"] in of("book", rows)
        assert loan["member"] in of("member", rows)
    still = [loan["member"] for loan in of("loan", rows).values() if loan["returned"] is None]
    assert 0 < max(map(still.count, still)) <= 3


def test_its_members_have_the_addresses_of_their_names(rows):
    members = of("member", rows).values()
    expected = [f"{each['name'].lower().replace(' ', '.')}@example.org" for each in members]
    assert [each["email"] for each in members] == expected


def test_its_settings_are_those_of_a_development_server(environment):
    """As the lessons tell: lesson 05 runs `check --deploy` on what is not for production."""
    asked = "from django.conf import settings as s; print(s.DEBUG, s.USE_TZ, len(s.MIDDLEWARE))"
    result = manage("shell", "--no-imports", "-c", asked, environment=environment)
    debug, time_zones, middleware = result.stdout.split()
    assert (debug, time_zones) == ("True", "True"), result.stderr
    assert int(middleware) >= 6


def test_does_not_know_the_kit():
    sources = list(PROJECT.rglob("*.py"))
    assert sources
    assert not [source for source in sources if "asynclab" in source.read_text(encoding="utf-8")]
