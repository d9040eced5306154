"""Links in Markdown: each leads to a file, a heading or a cell that is there, and says to which."""

import re
from collections.abc import Iterator
from pathlib import Path

from .contract import TITLE
from .notebooks import read

COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(r"\[(?P<text>(?:[^][]|\[[^]]*\])*)\]\((?P<target>[^)\s]+)[^)]*\)")
_HTML = re.compile(r'<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)="(?P<target>[^"]+)"')
_ADDRESS = re.compile(r"[a-z]+:")
_LESSON = re.compile(r"(?:\.\./notebooks/|notebooks/|)(?P<number>\d\d)_\w+\.ipynb$")
_EXERCISES = re.compile(r"(?:\.\./exercises/|exercises/|)(?P<number>\d\d)_exercises_\w+\.ipynb$")
_HEADING = re.compile(r"^#+ +(.+?) *#*$", re.MULTILINE)


def check(text: str, folder: Path) -> Iterator[str]:
    """Yield what is wrong with the links in a text.

    Args:
        text: Markdown.
        folder: where its links start from.
    """
    for words, target in links(text):
        if _ADDRESS.match(target):
            continue
        path, _, anchor = target.partition("#")
        if path and not (folder / path).exists():
            yield f"a link leads nowhere: {path}"
        elif anchor and not _holds(folder / path if path else None, text, anchor):
            yield f"a link leads to no heading: {target}"
        else:
            yield from _says_so(words, path, folder)


def links(text: str) -> list[tuple[str, str]]:
    """Return the words and the target of each link, in their order; code holds none."""
    plain = _CODE.sub(lambda code: re.sub(r"[][()<]", " ", code.group()), text)
    found = [(link.start(), link["text"], link["target"]) for link in _LINK.finditer(plain)]
    found += [(link.start(), "", link["target"]) for link in _HTML.finditer(plain)]
    return [(words, target) for _, words, target in sorted(found)]


def without_links(text: str) -> str:
    """Return what a text says for itself: a link's words are about where it leads."""
    return _LINK.sub(" ", text)


def _holds(path: Path | None, text: str, anchor: str) -> bool:
    """Whether a file, or without one the text itself, has what an anchor names."""
    if path is not None and path.suffix == ".ipynb":
        cell = anchor.removeprefix("cell-id=")
        return cell != anchor and any(each.id == cell for each in read(path).cells)
    page = text if path is None else path.read_text(encoding="utf-8")
    return anchor in map(slug, _HEADING.findall(page))


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r" ", "-", re.sub(r"[^\w\- ]", "", heading.lower()))


def _says_so(words: str, path: str, folder: Path) -> Iterator[str]:
    """What a link's words tell of a lesson or its exercises has to be true of where it leads."""
    lesson, exercises = _LESSON.match(path), _EXERCISES.match(path)
    if lesson:
        number = lesson["number"]
        title = TITLE.search(read(folder / path).cells[0].source)
        named = re.match(r"(?:[Ll]esson )?(\d\d)\b", words)
        if named and named[1] != number:
            yield f"a link says {words!r}, and leads to lesson {number}"
        titled = re.match(r"(?:\d\d · |Lesson \d\d, )(.+)", words)
        if title and titled and titled[1].casefold() != title["title"].casefold():
            yield f"a link says {words!r}; the lesson's title is {title['title']!r}"
    if exercises:
        yield from counted(words, folder / path)


def counted(words: str, exercises: Path) -> Iterator[str]:
    """Yield where a text gives another number of exercises than a notebook has.

    Args:
        words: such as "six exercises" or "practice exercise 0.1".
        exercises: the notebook.
    """
    cells = [cell.source for cell in read(exercises).cells if cell.cell_type == "code"]
    checks = re.findall(r'^await check\("(\d+\.\d+)"\)', "\n".join(cells), re.MULTILINE)
    for count in re.findall(rf"\b({'|'.join(COUNTS)})(?: small)? exercises?\b", words.lower()):
        if COUNTS.index(count) + 1 != len(checks):
            yield f"it says {count} exercises; {exercises.name} has {len(checks)}"
    for number in re.findall(r"\b[Ee]xercise (\d+\.\d+)", words):
        if number not in checks:
            yield f"it says exercise {number}, which {exercises.name} has not"
