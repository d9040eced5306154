"""Ruff's rules hold, in the notebooks too; the pages beside them have links and pictures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from asynclab.authoring.lint import prose

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_is_content(command):
    outcome = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere_and_pictures_have_words(name):
    assert list(prose((ROOT / name).read_text(encoding="utf-8"), ROOT)) == []


BAD = """
import os, sys
from typing import List
x = lambda: undefined
def f(a=[], *, b):
    if a == None: breakpoint()
    try:
        return dict()
    except Exception:
        pass
    # TODO: all of it
def g(a):
    if "Emma" in a.keys():
        return 1
    else:
        return 2
"""


def test_every_rule_that_the_course_has_chosen_is_looked_for():
    """A family of rules each: without it the code that it is for would pass."""
    outcome = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "-"],
        input=f"{BAD}\n{'y = 1  # ' + 'long ' * 20}\nz = 1 \n",
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = set(re.findall(r"^-:\d+:\d+: ([A-Z]+)\d+", outcome.stdout, re.MULTILINE))
    assert found >= {"B", "BLE", "C", "E", "F", "FIX", "I", "RET", "SIM", "T", "UP", "W"}
    assert "E501" in outcome.stdout, "the length of a line"


PICTURES = ["lanes-light.png", "lanes-dark.png"]


def test_the_pictures_of_the_readme_are_of_a_light_and_a_dark_page():
    light, dark = (Image.open(ROOT / ".github" / name).convert("L") for name in PICTURES)
    assert light.size == dark.size
    assert min(light.size) > 300
    for picture in (light, dark):
        assert len(picture.getcolors(256)) > 32, "more than an empty page"
    assert ImageStat.Stat(light).mean[0] > 160 > 96 > ImageStat.Stat(dark).mean[0]
