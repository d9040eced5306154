"""Modules that cells have written."""

import sys

import pytest

from asynclab.ground.errors import LabError
from asynclab.servers import write_module
from asynclab.servers.modules import folder


@pytest.fixture
def polls():
    """A name that no module has, before and after."""
    yield "asynclab_polls"
    sys.modules.pop("asynclab_polls", None)
    (folder() / "asynclab_polls.py").unlink(missing_ok=True)


def test_a_module_is_imported_and_lies_on_the_path(polls):
    module = write_module(polls, "title = 'Villette'\n")
    assert module.title == "Villette"
    assert sys.modules[polls] is module
    assert (folder() / f"{polls}.py").read_text() == "title = 'Villette'\n"
    assert str(folder()) in sys.path


def test_the_folder_is_put_on_the_path_again(polls, monkeypatch):
    write_module(polls, "")
    monkeypatch.setattr("sys.path", [path for path in sys.path if path != str(folder())])
    write_module(polls, "")
    assert str(folder()) in sys.path


def test_a_module_can_be_written_again(polls):
    write_module(polls, "year = 1847\n")
    assert write_module(polls, "year = 1853\n").year == 1853


def test_a_module_that_fails_is_not_imported(polls):
    write_module(polls, "year = 1847\n")
    with pytest.raises(ZeroDivisionError):
        write_module(polls, "1 / 0\n")
    assert polls not in sys.modules


@pytest.mark.parametrize("name", ["", "two words", "polls.py", "7", None])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(LabError, match="Write, for example: %%module polls"):
        write_module(name, "")


@pytest.mark.parametrize("name", ["asyncio", "django", "colorsys"])
def test_the_name_of_another_module_is_refused(name):
    with pytest.raises(LabError, match="Choose another name"):
        write_module(name, "")
