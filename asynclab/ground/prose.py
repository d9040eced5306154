"""Prose that is written in Markdown, and shown as HTML."""

import re
from html import escape

_LINK = re.compile(r"\[([^]]+)\]\((https://[^)\s]+)\)")
_STRONG, _EMPHASIS = re.compile(r"\*\*(\S[^*]*)\*\*"), re.compile(r"\*(\S[^*]*)\*")


def with_code(text: str) -> str:
    """`text` as HTML, with what stands between backticks as code."""
    pieces = escape(text).split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{p}</code>" if odd % 2 else p for odd, p in enumerate(pieces))


def as_html(text: str) -> str:
    """A line of Markdown as HTML: code, emphasis, and links that lead out of the course."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if odd % 2 else _words(p) for odd, p in enumerate(pieces))


def _words(text: str) -> str:
    text = _LINK.sub(r'<a href="\2">\1</a>', text)
    return _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", text))
