"""The words for queries that checks are written with."""

import pytest

from asynclab.exercises.book import NotYet
from asynclab.exercises.given import Call
from asynclab.lessons.vocabulary.queries import (
    crossings,
    hops,
    in_pool,
    queries,
    require_off_the_pool,
    require_on_the_worker,
    require_one_query,
    require_only_reads,
    require_query,
)
from asynclab.recorder.events import BEGIN, END, QUERY, SUBMIT, SYNC, Recording


def call_of(*names, role="pool worker", after=()):
    """A call with two crossings, the first of which held queries with these names.

    More queries came `after` both.
    """
    recording = Recording()

    def note(op, key, kind="", name=""):
        recording.note(op, key, kind, name, name, lambda: role)

    def ask(names):
        for name in names:
            note(BEGIN, name, QUERY, name)
            note(END, name)

    for crossing, held in (("first", names), ("second", ())):
        note(SUBMIT, crossing)
        note(BEGIN, crossing, SYNC, crossing)
        ask(held)
        note(END, crossing)
    ask(after)
    recording.end()
    return Call(recording)


LOANS, SESSIONS = "SELECT library_loan", "SELECT django_session"


def test_queries_are_those_on_the_librarys_tables():
    assert [span.name for span in queries(call_of(SESSIONS, LOANS))] == [LOANS]


def test_crossings_are_those_that_held_queries():
    assert [span.name for span in crossings(call_of(LOANS))] == ["first"]
    assert crossings(call_of(SESSIONS)) == []
    assert crossings(call_of(after=[LOANS])) == []


def test_a_query_in_the_pool_is_refused():
    assert not in_pool(call_of(SESSIONS))
    require_off_the_pool(call_of(LOANS, role="thread-sensitive worker"))
    with pytest.raises(NotYet) as refused:
        require_off_the_pool(call_of(LOANS))
    assert refused.value.diagnosis == "query-in-pool"
    assert in_pool(call_of(SESSIONS), tables="")
    with pytest.raises(NotYet):
        require_off_the_pool(call_of(SESSIONS), tables="")


@pytest.mark.parametrize("role", ["plain thread", "context worker", "event loop"])
def test_a_query_beside_the_worker_is_refused(role):
    require_on_the_worker(call_of(LOANS, role="thread-sensitive worker"))
    require_on_the_worker(call_of(SESSIONS, role=role))
    with pytest.raises(NotYet, match=role) as refused:
        require_on_the_worker(call_of(LOANS, role=role))
    assert refused.value.diagnosis == "query-elsewhere"


def test_hops_are_counted_with_queries_and_without():
    assert [span.name for span in hops(call_of(LOANS))] == ["first", "second"]


@pytest.mark.parametrize(
    ("what", "after", "text"),
    [
        ("page", "loan", "The page came without a query, so it will be wrong after the next loan."),
        (
            "titles",
            "book",
            "The titles came without a query, so they will be wrong after the next ",
        ),
    ],
)
def test_a_result_without_a_query_is_refused_in_words(what, after, text):
    require_query(call_of(LOANS), what, "which books are out", after)
    with pytest.raises(NotYet) as refused:
        require_query(call_of(SESSIONS), what, "which books are out", after)
    assert refused.value.diagnosis == "no-query"
    assert refused.value.text.startswith(text)
    assert refused.value.text.endswith("Who knows which books are out?")


def test_an_answer_is_of_one_query():
    require_one_query(call_of(SESSIONS, LOANS), "number")
    with pytest.raises(NotYet, match="The number is put together from 2 queries") as refused:
        require_one_query(call_of(LOANS, "SELECT library_book"), "number")
    assert refused.value.diagnosis == "many-queries"


def test_a_question_writes_nothing():
    require_only_reads(call_of(LOANS, "INSERT django_session"))
    with pytest.raises(NotYet, match="it wrote: DELETE library_loan") as refused:
        require_only_reads(call_of(LOANS, "DELETE library_loan"))
    assert refused.value.diagnosis == "writes"
