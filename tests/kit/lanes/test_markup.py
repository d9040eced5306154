"""Names, results and messages with markup in them: what the kit shows has them as text.

The same in a real page is tested in test_browser_markup.py.
"""

import re
from html.parser import HTMLParser

import pytest

from asynclab import lanes, predict
from asynclab.exercises.helping import Hint, Solution
from asynclab.exercises.score import LessonCount, Progress
from asynclab.exercises.verdicts import NOT_YET, Verdict
from asynclab.playground.figure import Figure
from asynclab.recorder.events import BEGIN, END, QUERY, SPAN, SYNC, TASK, Recording
from asynclab.shells import Outcome, ShellTable
from asynclab.shells.table import Row

MARKUP = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</td></table><b>bold</b>",
    "\"' onmouseover=alert(1) x='\"",
    "&lt;b&gt; &amp; &",
    "</pre></div><!-- ",
    "one ` backtick, and <b>bold</b>",
]


# What a word of coloured code is in: which words there are depends on the text.
COLOUR = re.compile(r"color: var\(--jp-mirror-editor-[a-z-]+, inherit\)")


class Page(HTMLParser):
    """What HTML is made of: its elements with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        coloured = tag == "span" and [name for name, _ in attributes] == ["style"]
        if not (coloured and COLOUR.fullmatch(attributes[0][1])):
            self.elements.append((tag, attributes))

    def handle_endtag(self, tag):
        if tag != "span":
            self.elements.append((tag, "end"))

    def handle_comment(self, data):
        self.elements.append(("comment", data))

    def handle_data(self, data):
        self.text += data


def verdict(text):
    return Verdict("1.1", text, NOT_YET, text, text, text)._repr_html_()


def table(text):
    return ShellTable({("python", None): Row({text: Outcome(text)})}, text)._repr_html_()


def reveal(text):
    question = predict(text, [text, "no"])
    question._form.choice = text
    return question.reveal(text)._repr_html_()


def figure(text):
    shown = Figure(1, text)
    shown.say(text, text)
    return "".join(part.value for part in shown.children[:2])


SHOWN = {
    "a verdict": verdict,
    "progress": lambda text: Progress([LessonCount(text, 1, 1, 1, ())])._repr_html_(),
    "a hint": lambda text: Hint(text, 3, 3, text)._repr_html_(),
    "a solution": lambda text: Solution(text, text, text, text)._repr_html_(),
    "a table of shells": table,
    "a prediction held against the machine": reveal,
    "a run of the playground": figure,
}


@pytest.mark.parametrize("markup", MARKUP)
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_html_has_it_as_text(show, markup):
    shown = Page(show(markup))
    assert shown.elements == Page(show("plain")).elements
    assert markup.strip() in shown.text


def test_code_between_backticks_holds_no_markup():
    shown = Page(verdict("`<i>1 < 2</i>`"))
    assert {tag for tag, _ in shown.elements} == {"div", "strong", "code", "pre"}
    assert shown.text.count("<i>1 < 2</i>") == 3


def test_a_page_sees_what_is_not_text():
    assert Page("<b>").elements and Page("<!-- x -->").elements
    assert Page("&lt;b>").elements == []
    assert Page("&lt;b>").text == "<b>"


@pytest.mark.parametrize("markup", MARKUP)
@pytest.mark.parametrize("kind", [SYNC, TASK, SPAN, QUERY])
def test_lanes_have_it_as_text(kind, markup):
    recording = Recording()
    recording.note(BEGIN, "a", kind, markup)
    recording.note(END, "a", detail=markup)
    recording.end()
    bundle, _ = lanes.Lanes(recording)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/png"}
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["text/plain"].count(markup) == 3
