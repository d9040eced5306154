"""Texts that the reader's code makes, as they can be shown: short, and whatever they are."""

import re
import textwrap
from asyncio import CancelledError

from .endings import Stopped

LONGEST = 1500
"""Characters of a verdict's text."""
LINES = 20


def as_written(text: str) -> str:
    """What Python says of an error, with the reader's names as they stand in the cell.

    Without the functions around them ("serve.<locals>.handle") and the file that a cell is to
    Python.
    """
    return re.sub(r"[\w.<>]*<locals>\.|(?<=\)) at \S+:\d+", "", text)


def shortened(text: str) -> str:
    """The beginning and the end of a text that is too long, with "..." between; all of any other.

    The end of a verdict is what the reader is asked.
    """
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 2 // 3]} ... {text[-LONGEST // 3 :]}"
    lines = text.splitlines()
    if len(lines) > LINES:
        text = "\n".join([*lines[: LINES // 2], "...", *lines[-LINES // 2 :]])
    # Half of a surrogate pair cannot be sent to the page.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def headline(error: BaseException) -> str:
    """An exception's name and the first line of what it says: "OSError: the shop is closed".

    What it says may be of megabytes, or raise anything by itself.

    Raises:
        Stopped, CancelledError: whoever asks is to end.
    """
    name = type(error).__name__
    try:
        text = str(error)
    except (Stopped, CancelledError):
        raise
    except BaseException as problem:  # noqa: BLE001
        return f"{name} (its text cannot be shown: {type(problem).__name__})"
    first = (as_written(shortened(text)).splitlines() or [""])[0]
    message = textwrap.shorten(first, 200, placeholder="...")
    return f"{name}: {message}" if message else name
