"""What an answer returns, held against what is right, without asking the answer."""


def same(value: object, wanted: object) -> bool:
    """Whether `value` is what is wanted, by the rules of what is wanted.

    A method `__eq__` of the reader's has no say. A number is neither a bool nor a text; a list is
    no tuple, and each of its elements is held against the one that is wanted.

    Args:
        wanted: a value of a built-in type, or a list or tuple of such.
    """
    kind = type(wanted)
    if not issubclass(type(value), kind) or (type(value) is bool and kind is not bool):
        return False
    if kind in (list, tuple):
        parts, wanted_parts = list(kind.__iter__(value)), list(wanted)
        return len(parts) == len(wanted_parts) and all(map(same, parts, wanted_parts))
    return bool(kind.__eq__(value, wanted))


def is_rearranged(value: object, wanted: list[str]) -> bool:
    """Whether `value` is a list of the texts that are wanted, in whatever order."""
    if not issubclass(type(value), list):
        return False
    parts = list(list.__iter__(value))
    return all(issubclass(type(part), str) for part in parts) and same(
        sorted(parts, key=str.__str__), sorted(wanted)
    )


def difference(text: str, wanted: str) -> str:
    """Where a text is first another one than what is wanted, in words, or "" if nowhere."""
    lines, wanted_lines = text.splitlines(), wanted.splitlines()
    for number, (line, other) in enumerate(zip(lines, wanted_lines, strict=False), start=1):
        if line != other:
            return f"Line {number} is {shorten(line)}, and should be {shorten(other)}."
    if len(lines) != len(wanted_lines):
        return f"It has {len(lines)} lines, and should have {len(wanted_lines)}."
    return "" if text == wanted else "The lines are right, and what stands between them is not."


def shorten(text: str, width: int = 80) -> str:
    """A text as Python writes it, cut to its first characters."""
    return repr(text) if len(text) <= width else f"{text[:width]!r}..."
