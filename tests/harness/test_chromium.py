"""Without Chromium the browser tests are skipped in one line; in CI they fail."""

import os
import subprocess
import sys

import pytest

from tests.harness.checkout import ROOT

PLUGIN = "from tests.harness.chromium import chromium, pytest_terminal_summary  # noqa: F401\n"
TESTS = "def test_dark(chromium): ...\ndef test_light(chromium): ...\n"


@pytest.fixture
def run(tmp_path, pytestconfig):
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_pages.py").write_text(TESTS)

    def run(**more):
        kept = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("PYTEST")}
        env = kept | {"PYTHONPATH": str(ROOT)} | more
        options = ["-p", "no:cacheprovider", "-c", pytestconfig.inipath]
        command = [sys.executable, "-m", "pytest", *options, tmp_path]
        return subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )

    return run


def test_no_chromium_is_said_in_one_line(run):
    outcome = run(ASYNCLAB_CHROMIUM="")
    assert outcome.returncode == 0
    (line,) = [line for line in outcome.stdout.splitlines() if "Browser tests skipped" in line]
    assert "skipped: 2 in test_pages.py." in line
    assert "ASYNCLAB_CHROMIUM" in line


def test_no_chromium_fails_in_ci(run):
    outcome = run(ASYNCLAB_CHROMIUM="", CI="true")
    assert outcome.returncode == 1
    assert "CI must run the browser tests" in outcome.stdout


def test_a_named_chromium_is_used(run):
    outcome = run(ASYNCLAB_CHROMIUM=sys.executable)
    assert outcome.returncode == 0
    assert "2 passed" in outcome.stdout
