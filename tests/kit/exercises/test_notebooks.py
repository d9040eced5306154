"""The exercises' notebooks are as generated, and their cards have one form."""

import copy
import re
from pathlib import Path

import nbformat
import pytest

from asynclab.authoring.practised import renew_links
from asynclab.exercises.stubs import exercise_cells, generate
from asynclab.ground.errors import LabError

CHECKOUT = Path(__file__).parents[3]


def notebooks_of(folder):
    return {path.name: path for path in (CHECKOUT / folder).glob("*.ipynb")}


def test_every_solution_has_its_exercises():
    assert notebooks_of("solutions")
    assert notebooks_of("solutions").keys() == notebooks_of("exercises").keys()


def test_the_tab_of_an_exercise_differs_from_its_lessons():
    """A tab has room for about twenty letters, so the difference stands at the beginning."""
    for name in notebooks_of("exercises"):
        lesson = name.replace("_exercises_", "_", 1)
        assert lesson in notebooks_of("notebooks")
        assert lesson[:12] != name[:12]


@pytest.mark.parametrize("name", sorted(notebooks_of("solutions")))
def test_exercises_are_as_generated(name):
    solved = nbformat.read(notebooks_of("solutions")[name], as_version=4)
    committed = nbformat.read(notebooks_of("exercises")[name], as_version=4)
    assert [essence(cell) for cell in committed.cells] == [
        essence(cell) for cell in generate(solved).cells
    ], "run: python -m asynclab.authoring generate"


CARD = re.compile(
    r"## \d+\.\d .+?\*\*Given:\*\* .+?\*\*Goal:\*\* .+?\*\*Example:\*\* .+?"
    r"\*\*From the lesson:\*\* \[.+?\]\(\.\./notebooks/\S+#cell-id=\S+\)",
    re.DOTALL,
)


@pytest.mark.parametrize("name", sorted(notebooks_of("solutions")))
def test_cards_have_one_form_and_link_to_their_section(name):
    path = notebooks_of("solutions")[name]
    solved = nbformat.read(path, as_version=4)
    cards = [cell for cell in solved.cells if cell.id.startswith("card-")]
    assert len(cards) == len(exercise_cells(solved))
    assert [card.id for card in cards if not CARD.match(card.source)] == []
    renewed = copy.deepcopy(solved)
    renew_links(renewed, path)
    run = "a heading has changed; run: python -m asynclab.authoring generate"
    assert [c.source for c in solved.cells] == [c.source for c in renewed.cells], run


def a_card(link):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"See {link}.")])


def test_link_says_what_the_heading_says(tmp_path):
    heading = "## Deeper: `books[0]`\n\nText."
    lesson = nbformat.v4.new_markdown_cell(heading, id="s-loop")
    for folder in "notebooks", "solutions":
        (tmp_path / folder).mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[lesson]), tmp_path / "notebooks/01.ipynb")
    card = a_card("[old [1]](../notebooks/01.ipynb#cell-id=s-loop)")
    renew_links(card, tmp_path / "solutions/01.ipynb")
    assert card.cells[0].source == (
        "See [Deeper: `books[0]`](../notebooks/01.ipynb#cell-id=s-loop)."
    )


@pytest.mark.parametrize("cell", ["nowhere", "boot"])
def test_link_to_no_section_is_refused(cell):
    link = f"[x](../notebooks/00_start_here.ipynb#cell-id={cell})"
    with pytest.raises(LabError, match=f"^01.ipynb: .*start_here.ipynb has no cell '{cell}'"):
        renew_links(a_card(link), CHECKOUT / "solutions" / "01.ipynb")


def essence(cell):
    return cell.id, cell.cell_type, cell.source, cell.metadata.get("tags")


@pytest.mark.parametrize("name", sorted(notebooks_of("exercises")))
def test_unsolved_exercises_are_not_attempted(name):
    notebook = nbformat.read(notebooks_of("exercises")[name], as_version=4)
    checks = [cell for cell in notebook.cells if "await check(" in cell.source]
    assert checks
    for cell in checks:
        (output,) = cell.outputs
        assert "not attempted" in output.data["text/plain"]
