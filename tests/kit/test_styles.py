"""The style sheets take the reader's theme, show where the keys are, and move only if one may."""

import re

import pytest

from asynclab.authoring.notebooks import CHECKOUT

SHEETS = {
    path.name: path.read_text(encoding="utf-8") for path in CHECKOUT.glob("asynclab/**/*.css")
}
each_sheet = pytest.mark.parametrize("name", SHEETS)


def test_there_are_style_sheets():
    assert SHEETS.keys() >= {"live.css", "player.css", "panel.css", "form.css"}


@each_sheet
def test_a_colour_is_only_the_fallback_of_the_themes(name):
    own = re.sub(r"var\(--jp-[\w-]+, #[0-9a-f]{3,8}\)", "", SHEETS[name])
    assert re.findall(r"#[0-9a-f]{3,8}\b|\brgba?\(|:\s*(?:black|white|red|gr[ae]y)\b", own) == []


@each_sheet
def test_what_moves_stands_still_where_less_motion_is_asked_for(name):
    everywhere, _, calm = SHEETS[name].partition("@media (prefers-reduced-motion: reduce)")
    moving = re.findall(r"^\s*(?:animation|transition): (?!none)", everywhere, re.MULTILINE)
    still = re.findall(r"\b(?:animation|transition): none", calm)
    assert len(still) == len(moving)


@each_sheet
def test_the_focus_can_be_seen(name):
    assert re.search(r":focus-visible[^{]*\{[^}]*outline: 2px solid", SHEETS[name])
