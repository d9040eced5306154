"""Where the browser tests find Chromium, and what happens when there is none."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

# The first is Chromium without a window system: the same engine, for a quarter less of a processor.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
SKIPPED = "no Chromium here"
REMEDY = "install Chromium or Chrome, or name its program in ASYNCLAB_CHROMIUM"


def find_chromium():
    """Return the path of a Chromium, or None.

    ASYNCLAB_CHROMIUM comes first; set but empty, it means that there is none.
    """
    if "ASYNCLAB_CHROMIUM" in os.environ:
        return shutil.which(os.environ["ASYNCLAB_CHROMIUM"])
    return next(filter(None, map(shutil.which, NAMES)), None)


def require_chromium():
    """Return the path of a Chromium. Without one the test is skipped, and in CI it fails."""
    path = find_chromium()
    if path:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{SKIPPED}, and CI must run the browser tests: {REMEDY}", pytrace=False)
    pytest.skip(f"{SKIPPED}: {REMEDY}")


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium to launch."""
    return require_chromium()


def pytest_terminal_summary(terminalreporter):
    """Say in one line which tests wait for a browser, and how to get one."""
    files = Counter(
        Path(report.fspath).name
        for report in terminalreporter.stats.get("skipped", [])
        if SKIPPED in str(report.longrepr)
    )
    if files:
        which = ", ".join(f"{number} in {name}" for name, number in sorted(files.items()))
        terminalreporter.write_line(f"Browser tests skipped: {which}. To get them, {REMEDY}.")
