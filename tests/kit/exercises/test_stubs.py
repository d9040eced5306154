"""What is left of an answer once the solution is taken out."""

import pytest

from asynclab.exercises.stubs import stub
from asynclab.ground.errors import LabError

MARKED = "{0}### BEGIN SOLUTION\n{1}\n{0}### END SOLUTION"


def test_stub_in_a_function():
    source = "async def count():\n    books = 1\n" + MARKED.format("    ", "    return books")
    assert stub(source) == (
        "async def count():\n    books = 1\n    raise NotImplementedError  # your code here"
    )


def test_stub_at_top_level():
    source = "%%lanes\n" + MARKED.format("", "a = 1\nb, c = 2, 3\nasync def d():\n    e = await f")
    expected = [f"{name} = ...  # your code here" for name in "abcd"]
    assert stub(source).splitlines() == ["%%lanes", *expected]


def test_stub_in_a_class():
    source = "class Shelf:\n" + MARKED.format("    ", "    def get(self):\n        pass")
    assert stub(source) == "class Shelf:\n    get = ...  # your code here"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("### BEGIN SOLUTION\na = 1", "no partner"),
        ("a = 1\n### END SOLUTION", "no partner"),
        (MARKED.format("", "print(1)"), "binds no name"),
    ],
)
def test_stub_refuses(source, message):
    with pytest.raises(LabError, match=message):
        stub(source)
