"""The documentation does say what `claims.yml` quotes, in these words, below this heading.

Looked up in the source distributions that requirements.txt names: they contain the documentation.
Without a network the tests are skipped, but never in CI.
"""

import os
import re
from dataclasses import replace

import pytest

from asynclab.authoring.claims import ASGIREF, CUT, read_claims
from tests.harness.checkout import ROOT
from tests.harness.documentation import Sources, headings, plain

CLAIMS = read_claims(ROOT)
QUOTED = [
    pytest.param(quotation, source, id=f"{claim.id}-{at}-{source}")
    for claim in CLAIMS
    for at, quotation in enumerate(claim.docs)
    for source in quotation.sources
]


@pytest.fixture(scope="module")
def sources():
    return Sources()


def section(rst, heading):
    """The text between a heading and the next one, of whatever level."""
    heads = headings(rst)
    found = [at for at, head in enumerate(heads) if plain(head[1]).replace("`", "") == heading]
    if len(found) != 1:  # the anchor of a second one would be another
        return None
    ends = [head.start() for head in heads] + [len(rst)]
    return rst[heads[found[0]].end() : ends[found[0] + 1]]


def said(quotation, rst):
    """Whether a page holds the quotation, whole words only, below its heading."""
    text = section(rst, quotation.heading)
    parts = [re.escape(part.strip()) for part in quotation.quote.split(CUT)]
    return text is not None and bool(re.search(rf"(?<!\w){'.+?'.join(parts)}(?!\w)", plain(text)))


@pytest.mark.parametrize(("quotation", "source"), QUOTED)
def test_the_documentation_says_so(quotation, source, sources):
    found = said(quotation, sources.page(source, quotation.page))
    where = f"below the heading {quotation.heading!r} on {quotation.page} of {source}"
    assert found, f"Not {where}: {quotation.quote}"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_quotation_names_every_version_that_says_so(claim, sources):
    for quotation in claim.docs:
        if ASGIREF not in quotation.sources:
            found = [v for v in ("5.2", "6.1") if said(quotation, sources.page(v, quotation.page))]
            assert list(quotation.sources) == found


# The look-up itself, on a small page and on a real one.

PAGE = """
=====
Pages
=====

An intro.

Safety
======

.. note::

    Call :func:`sync_to_async`, or :func:`~asgiref.sync.async_to_sync`; see :ref:`that
    <there>` in a Jupyter_ notebook. It raises :exc:`~django.core.Error` for ``x``.

``close()``
-----------

It closes.

Twice
=====

Twice
=====
"""


@pytest.mark.parametrize(
    ("heading", "quote", "holds"),
    [
        ("Safety", "Call `sync_to_async()`, or `async_to_sync()`; see that in a Jupyter", True),
        ("Safety", "It raises `Error` for `x`.", True),
        ("Safety", "Call `sync_to_async()`, [...] for `x`.", True),
        ("Safety", "for `x`. [...] Call `sync_to_async()`", False),
        ("Safety", "It raised `Error` for `x`.", False),
        ("Safety", "all `sync_to_async()`, or", False),
        ("Safety", "It closes.", False),
        ("close()", "It closes.", True),
        ("Pages", "An intro.", True),
        ("Pages", "It closes.", False),
        ("Nowhere", "It closes.", False),
        ("Twice", "", False),
    ],
)
def test_what_is_found_on_a_page(heading, quote, holds):
    quotation = replace(CLAIMS[0].docs[0], heading=heading, quote=quote)
    assert said(quotation, PAGE) == holds


def test_one_altered_word_and_a_wrong_heading_are_noticed(sources):
    quotation = next(claim for claim in CLAIMS if claim.id == "U1").docs[0]
    page = sources.page("6.1", quotation.page)
    altered = replace(quotation, quote=quotation.quote.replace("thread", "task"))
    moved = replace(quotation, heading="Async adapter functions")
    assert [said(each, page) for each in (quotation, altered, moved)] == [True, False, False]


@pytest.fixture
def unreachable(tmp_path, monkeypatch):
    """Sources that are not there yet, and a registry that nobody can reach."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    return Sources(tmp_path)


def test_without_a_network_the_reason_is_given(unreachable, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="registry cannot be reached"):
        unreachable.page("asgiref", "README")


def test_in_ci_nothing_is_skipped(unreachable, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="registry cannot be reached"):
        unreachable.page("asgiref", "README")
