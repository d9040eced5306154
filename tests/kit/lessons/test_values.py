"""Values that an answer returns, held against what is right."""

import pytest

from asynclab.lessons.vocabulary.values import difference, is_rearranged, same


class Agrees:
    """Equal to everything, it says."""

    def __eq__(self, other):
        return True

    __hash__ = None


class Three(Agrees, int):
    pass


class Lines(Agrees, list):
    pass


class Line(Agrees, str):
    pass


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(47, 47), ("Emma", "Emma"), (["a", "b"], ["a", "b"]), ((1, "a"), (1, "a")), ([], [])]
    + [(Three(3), 3), (Line("Emma"), "Emma"), (Lines([Line("a")]), ["a"]), (True, True)],
)
def test_same(value, wanted):
    assert same(value, wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(46, 47), ("47", 47), (47.0, 47), (True, 1), (None, 0), (("a",), ["a"]), (["a"], ["a", "b"])]
    + [(Agrees(), 47), (Three(3), 4), (Lines(), ["a"]), ([Line("b")], ["a"]), ([Agrees()], ["a"])],
)
def test_not_the_same(value, wanted):
    assert not same(value, wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb\nc", ""),
        ("a\nx\nc", "Line 2 is 'x', and should be 'b'."),
        ("a\nb", "It has 2 lines, and should have 3."),
        ("a\nb\nc\n", "The lines are right, and what stands between them is not."),
        ("y" * 99, f"Line 1 is '{'y' * 80}'..., and should be 'a'."),
    ],
)
def test_where_a_text_differs_in_words(text, words):
    assert difference(text, "a\nb\nc") == words


@pytest.mark.parametrize("value", [["a", "b"], ["b", "a"], Lines([Line("b"), "a"])])
def test_rearranged(value):
    assert is_rearranged(value, ["a", "b"])


@pytest.mark.parametrize("value", [["a"], ["a", "a"], ("a", "b"), ["a", 1], ["a", Agrees()], None])
def test_not_rearranged(value):
    assert not is_rearranged(value, ["a", "b"])
