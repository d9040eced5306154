"""The addresses in what people read lead to a page that is there, and to an anchor on it."""

import re
import sys

import pytest
import yaml

from asynclab.authoring.claims import ASGIREF
from asynclab.authoring.notebooks import FOLDERS, find, read
from tests.harness.checkout import ROOT
from tests.harness.documentation import Sources, anchors

ADDRESS = re.compile(r"https?://[^\s)\"'>`\]]+[^\s)\"'>`\].,;:]")
DJANGO = re.compile(r"https://docs\.djangoproject\.com/en/(\d\.\d|stable)/([\w/.-]+)/(?:#(.+))?$")
PYTHON = re.compile(r"https://docs\.python\.org/3/library/([\w.]+)\.html$")
ASGIREFS = re.compile(r"https://github\.com/django/asgiref/blob/main/([\w./-]+)$")
NEWEST = "6.1"
CODE = ("asynclab", "demo_project", "notebooks/claims")

OPENED = yaml.safe_load((ROOT / "tests/lessons/addresses.yml").read_text(encoding="utf-8"))
# The reader's own fork, this machine, a branch of the library, and patterns that addresses fit.
PLACES = (
    *("https://github.com/OWNER/", "https://mybinder.org/v2/gh/OWNER/"),
    *("http://127.0.0.1:", "http://testserver", "http://{}:{}/", "http://dublin/"),
    *("https://[^", "https://docs.pytest|--"),
    *("https://docs.djangoproject.com/en/{", "https://github.com/django/asgiref/blob/main/{"),
)


def addresses() -> dict[str, str]:
    """Every address in the notebooks, the pages beside them and the code, and where it stands."""
    found = {}
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    code = [path for name in CODE for path in (ROOT / name).rglob("*.py")]
    files = [*pages, *code, ROOT / "start.py", ROOT / "notebooks/claims.yml"]
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}
    for path in find(*FOLDERS):
        texts |= {f"{path.name}#{cell.id}": cell.source for cell in read(path).cells}
    for name, text in texts.items():
        found |= dict.fromkeys(ADDRESS.findall(text), name)
    return {each: where for each, where in found.items() if not each.startswith(PLACES)}


ADDRESSES = addresses()


@pytest.fixture(scope="module")
def sources():
    return Sources()


@pytest.mark.parametrize("address", sorted(ADDRESSES))
def test_an_address_leads_somewhere(address, sources):
    assert fault(address, sources) is None, ADDRESSES[address]


def test_what_a_person_opened_is_still_linked_to():
    assert OPENED.keys() - ADDRESSES.keys() == set()
    assert all(OPENED.values())


def fault(address: str, sources: Sources) -> str | None:
    """What is wrong with an address, or None."""
    if address in OPENED:
        return None
    try:
        if django := DJANGO.match(address):
            version, page, anchor = django.groups()
            rst = sources.page(NEWEST if version == "stable" else version, page)
            return None if anchor is None or anchor in anchors(rst) else f"no anchor {anchor}"
        if asgiref := ASGIREFS.match(address):
            return None if sources.asgiref(asgiref[1]) else "an empty file"
    except FileNotFoundError as gone:
        return str(gone)
    if python := PYTHON.match(address):
        return None if python[1] in sys.stdlib_module_names else f"no module {python[1]}"
    return "nobody has opened it: tests/lessons/addresses.yml"


DOCS = "https://docs.djangoproject.com/en"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"{DOCS}/6.1/topics/async/#async-safety", None),
        (f"{DOCS}/6.1/topics/async/", None),
        (f"{DOCS}/5.2/ref/settings/#std-setting-DATABASES", None),
        (f"{DOCS}/6.1/topics/async/#async-unsafety", "no anchor async-unsafety"),
        (f"{DOCS}/6.1/topics/asynchronous/", "has no docs/topics/asynchronous.txt"),
        (f"{DOCS}/stable/ref/request-response/#django.http.HttpRequest.url", "no anchor django"),
        ("https://docs.python.org/3/library/threading.html", None),
        ("https://docs.python.org/3/library/thread.html", "no module thread"),
        ("https://github.com/django/asgiref/blob/main/CHANGES.txt", "has no CHANGES.txt"),
        ("https://github.com/django/django/pull/1", "nobody has opened it"),
    ],
)
def test_an_address_that_leads_nowhere_is_found(address, found, sources):
    said = fault(address, sources)
    assert said is None if found is None else found in said


def test_asgirefs_own_page_is_quoted_from_where_it_is_linked(sources):
    assert sources.page(ASGIREF, "README") == sources.asgiref("README.rst")
