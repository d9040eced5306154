"""Ruff's rules hold, in the notebooks too; the pages beside them have their links and pictures."""

import subprocess
import sys
from pathlib import Path

import pytest

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
