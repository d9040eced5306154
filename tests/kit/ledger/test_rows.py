"""ledger() shows the claims by their verdict."""

import re
from dataclasses import replace

import pytest

from asynclab import ledger
from asynclab.ground.errors import LabError
from asynclab.ground.labconfig import WIDGET_VIEW
from asynclab.ledger import rows
from asynclab.ledger.rows import Finding, Page
from asynclab.ledger.verdict_buttons import VerdictButtons


def row(claim, verdict):
    return Finding(
        id=claim,
        verdict=verdict,
        says="`f` runs < once.",
        article="",
        docs=[{"quote": "It runs.", "place": "p: H", "link": "https://x/#h", "versions": "5.2"}],
        machine="It does.",
        why="",
        script="",
        found=[{"stacks": ["lowest"], "found": "Found: a < b"}],
        lesson="01",
        notebook="01_a.ipynb",
        cells=["shows"],
    )


ROWS = [row("A1", "holds"), row("A2", "false"), row("A3", "false")]


def test_a_page_in_words():
    assert repr(Page(ROWS[:1])) == "A1   holds        lesson 01  `f` runs < once."


def test_a_page_as_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "01_a.ipynb").touch()
    shown = Page(ROWS[:1])._repr_html_()
    for part in (
        "<code>f</code> runs &lt; once.",
        "“It runs.”",
        '<a href="https://x/#h">p: H</a>, 5.2',
        "✓ holds<br>A1",
        '<a href="01_a.ipynb#cell-id=shows">01</a>',
        "<summary>A1.py on all 1 stacks</summary><pre>Found: a &lt; b</pre>",
    ):
        assert part in shown


def test_the_reason_can_be_opened():
    shown = Page([replace(ROWS[0], why="`run` in `loop.py`.")])._repr_html_()
    assert "<summary>Why</summary><code>run</code> in <code>loop.py</code>.</details>" in shown
    assert "Why" not in Page(ROWS[:1])._repr_html_()


def test_a_word_of_its_own_column_is_not_broken():
    shown = Page(ROWS[:1])._repr_html_()
    for narrow in ("Verdict</th>", "Lesson</th>", "✓ holds", "01</td>"):
        [style] = re.findall(f'style="([^"]*)">{narrow}', shown)
        assert "nowrap" in style


def test_stacks_that_differ_are_named():
    found = [{"stacks": ["a", "b"], "found": "one"}, {"stacks": ["c"], "found": "two"}]
    shown = Page([replace(ROWS[0], found=found)])._repr_html_()
    assert "<summary>A1.py on a, b</summary><pre>one</pre>" in shown
    assert "<summary>A1.py on c</summary><pre>two</pre>" in shown


def test_a_verdict_is_chosen():
    buttons = VerdictButtons(ROWS)
    assert [label for label, _ in buttons._chosen.options][:2] == ["all (3)", "✓ holds (1)"]
    assert repr(buttons).startswith("3 claims: 1 holds, 0 conditional, 0 stale, 2 false")
    buttons._chosen.value = "holds"
    [output] = buttons._page.outputs
    assert output["data"]["text/plain"] == repr(Page(ROWS[:1]))


def test_where_no_kernel_runs_the_buttons_are_a_table_of_all():
    bundle = VerdictButtons(ROWS)._repr_mimebundle_()
    assert bundle["text/html"].count("<tr>") == 1 + len(ROWS)
    assert WIDGET_VIEW in bundle


def test_the_courses_own():
    assert {row.verdict for row in ledger("false").rows} == {"false"}
    assert isinstance(ledger(), VerdictButtons)


@pytest.mark.parametrize("wanted", ["A2", "a2 "])
def test_one_claim_by_its_id(wanted):
    assert [row.id for row in ledger(wanted).rows] == ["A2"]


def test_a_verdict_may_have_no_row(monkeypatch):
    monkeypatch.setattr(rows, "known_rows", lambda: ROWS)
    assert ledger(" Stale").rows == []
    assert {row.id for row in ledger("False").rows} == {"A2", "A3"}


@pytest.mark.parametrize("wanted", ["flase", "Z9", " ", False, None, 3])
def test_what_is_neither_verdict_nor_claim_gets_a_line(wanted):
    with pytest.raises(LabError, match="takes a verdict, holds, conditional, stale, false, or"):
        ledger(wanted)


def test_a_damaged_file_gets_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "DATA", tmp_path / "claims.json")
    with pytest.raises(LabError, match="claims.json cannot be read"):
        ledger("false")
