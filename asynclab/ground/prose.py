"""Prose that is written in Markdown, and shown as HTML: its code, and nothing else of it."""

from html import escape


def with_code(text: str) -> str:
    """`text` as HTML, with what stands between backticks as code."""
    pieces = escape(text).split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{p}</code>" if odd % 2 else p for odd, p in enumerate(pieces))
