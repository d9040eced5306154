"""A prediction can be made, locked and held against the machine, or not be made at all."""

import importlib

import pytest

from asynclab import predict
from asynclab.ground.errors import LabError

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def nothing_locked_before(monkeypatch):
    # By its module: asynclab.predict is the function.
    monkeypatch.setattr(importlib.import_module("asynclab.predict.form"), "_forms", {})


@pytest.fixture
def question():
    return predict("Is a loop running?", ["yes", "no"])


def test_it_shows_a_widget_and_the_same_text_every_time(question):
    bundle = question._repr_mimebundle_()
    assert bundle["text/plain"] == "Predict: Is a loop running?\n  ( ) yes\n  ( ) no"
    assert set(bundle) == {"text/plain", WIDGET_VIEW}
    question._form.choice = "no"
    assert question._repr_mimebundle_()["text/plain"] == bundle["text/plain"]


def test_its_text_says_what_is_locked_and_is_renewed_where_it_was_shown(question, monkeypatch):
    shown = []

    class Handle:
        def update(self, bundle, raw):
            shown.append(bundle["text/plain"])

    monkeypatch.setattr("IPython.display.display", lambda *_, **options: Handle())
    question._ipython_display_()
    question._form.choice = "no"
    assert shown == []
    lock(question, "no")
    said = "Predict: Is a loop running?\n  ( ) yes\n  (x) no\nLocked: you predict no."
    assert shown == [said]
    assert repr(question) == said


def test_no_prediction(question):
    assert repr(question.reveal("yes")) == "The machine says: yes. You made no prediction."
    assert question.reveal("yes").agrees is None
    assert not question.locked


def test_a_selection_counts_without_the_lock_and_is_locked_by_the_answer(question):
    question._form.choice = "no"
    assert question.reveal("no").agrees
    assert question.locked
    assert repr(question.reveal("yes")).endswith("✗ You predicted no: the machine disagrees.")


def test_a_locked_prediction_stays(question):
    lock(question, "yes")
    assert question.locked
    assert question.choice == "yes"
    assert "✓ You predicted yes" in question.reveal("yes")._repr_html_()


def test_a_locked_prediction_stays_when_its_cell_runs_again(question):
    lock(question, "yes")
    again = predict("Is a loop running?", ["yes", "no"])
    assert again.locked
    assert again.choice == "yes"
    assert predict("Is a loop running?", ["yes", "no", "both"]).choice is None


def test_a_lock_that_comes_when_its_cell_runs_already_again_is_kept(question):
    """The page sends it when the kernel has answered the click before; a key may overtake it."""
    question._form.choice = "no"
    again, third = (predict("Is a loop running?", ["yes", "no"]) for _ in range(2))
    with question._form.hold_trait_notifications():  # as one message sets them
        question._form.choice, question._form.locked = "yes", True
    for form in again, third:
        assert form.locked
        assert form.choice == "yes"


def test_a_selection_that_is_not_locked_goes_when_its_cell_runs_again(question):
    question._form.choice = "yes"
    assert predict("Is a loop running?", ["yes", "no"]).choice is None


def lock(question, choice):
    """Do what the page does."""
    question._form.choice = choice
    question._form.locked = True


def test_a_result_that_nobody_offered(question):
    assert repr(question.reveal("maybe")).startswith(
        "The machine says: maybe (none of the options)"
    )


def test_values_and_errors_count_by_their_text():
    number = predict("How many?", [40, "TypeError"])
    assert number.reveal(40).expected
    assert number.reveal(TypeError("a long story")).machine == "TypeError"


def test_html_is_escaped():
    shown = predict("a < b & c?", ["<b>", "no"])
    assert "&lt;b&gt;" in shown.reveal("<b>")._repr_html_()


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        (" ", ["yes", "no"], "needs a question"),
        ("Is it?", [], "two options or more"),
        ("Is it?", "yes", "two options or more"),
        ("Is it?", [1, "1"], "options that differ"),
    ],
)
def test_mistakes_are_told_in_a_line(question, options, message):
    with pytest.raises(LabError, match=message):
        predict(question, options)
