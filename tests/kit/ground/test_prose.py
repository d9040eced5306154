"""Markdown as HTML: what a person sees of it, and nothing that could run."""

import pytest

from asynclab.ground.prose import as_html, with_code


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "`a*b` < *not* **your** 2 * 3 * 4",
            "<code>a*b</code> &lt; <em>not</em> <strong>your</strong> 2 * 3 * 4",
        ),
        (
            "[the log](https://a.b/c#d) of `x`",
            '<a href="https://a.b/c#d">the log</a> of <code>x</code>',
        ),
        ("[run](javascript:x) <b>", "[run](javascript:x) &lt;b&gt;"),
        ('[a](https://a.b/"onclick=x)', '<a href="https://a.b/&quot;onclick=x">a</a>'),
    ],
)
def test_markdown_as_html(text, html):
    assert as_html(text) == html


def test_a_lonely_backtick_is_no_code():
    assert with_code("a ` b") == "a ` b"
    assert with_code("*a* `b`") == "*a* <code>b</code>"
