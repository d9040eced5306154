"""The error texts of all lessons: `errors("Event loop is closed")` says cause, fix and lesson."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..ground.errors import LabError
from ..ground.prose import as_html
from .columns import table
from .data import read_rows
from .places import link

DATA = Path(__file__).with_name("errors.json")
COLUMNS = ("Exact text", "Cause", "Fix", "Lesson")


@dataclass(frozen=True)
class Entry:
    """An error text, and what one lesson says of it.

    Args:
        text: as the machine says it; "..." stands for anything.
        cause, fix: Markdown.
        lesson: its number, "04".
        notebook: the name of its file.
        cell: the id of the cell that shows the text.
    """

    text: str
    cause: str
    fix: str
    lesson: str
    notebook: str
    cell: str

    @property
    def name(self) -> str:
        """The class of the error, "RuntimeError"; empty for a text without one."""
        found = re.match(r"(\w+): ", f"{self.text}: ")
        return found[1] if found and found[1][0].isupper() else ""


def known() -> list[Entry]:
    """Return all entries, by their text.

    Raises:
        LabError: the file is missing or damaged.
    """
    return read_rows(DATA, Entry)


def errors(words: str = "") -> "Found":
    """Look an error up in the course. Show what it means, how to mend it, and which lesson has it.

    Args:
        words: some words of the error's text, or all of what Python said. Without any, a box to
            type them into.
    """
    if not isinstance(words, str):
        raise LabError('errors() takes words of the text: errors("Event loop is closed").')
    if not words.strip():
        from .search_box import SearchBox  # ipywidgets takes a while to import

        return SearchBox(known())
    return Found(words, search(words, known()))


def search(words: str, entries: list[Entry]) -> list[Entry]:
    """Return the entries whose text has all of the words, or stands in what they quote.

    A word counts from its beginning: "lock" finds "locked".
    """
    wanted = [re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE) for word in words.split()]
    return [
        entry
        for entry in entries
        if all(word.search(entry.text) for word in wanted) or occurs(entry.text, words)
    ]


def occurs(text: str, shown: str) -> bool:
    """Whether a text stands in what was shown, in whole words.

    "..." in it stands for anything, a space for any white space.
    """
    parts = [r"\s+".join(map(re.escape, part.split())) for part in text.split("...")]
    return bool(re.search(rf"(?<!\w){'.*?'.join(parts)}(?!\w)", shown))


class Found:
    """Entries, as text and as a table."""

    def __init__(self, words: str, entries: list[Entry]):
        self.words, self.entries = words, entries

    def __repr__(self) -> str:
        if not self.entries:
            return self._nothing()
        return "\n\n".join(
            f"{entry.text}\n  cause: {entry.cause}\n  fix: {entry.fix}\n  lesson {entry.lesson}"
            for entry in self.entries
        )

    def _repr_html_(self) -> str:
        if not self.entries:
            return f"<p>{as_html(self._nothing())}</p>"
        return table(COLUMNS, map(_cells, self.entries), narrow=1)

    def _nothing(self) -> str:
        return f"No error of the course has these words: {self.words}. Try fewer of them."


def _cells(entry: Entry) -> list[str]:
    words = [as_html(f"`{entry.text}`"), as_html(entry.cause), as_html(entry.fix)]
    return [*words, link(entry.lesson, entry.notebook, entry.cell)]
