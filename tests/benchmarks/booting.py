"""boot() against bare django.setup() and migrate, in fresh processes, in turn."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Budget, Figure

PAIRS = 7
PROJECT = Path(__file__).resolve().parents[2] / "demo_project"
TIMED = (
    "from time import perf_counter\n{}\nbegan = perf_counter()\n{}\nprint(perf_counter() - began)"
)
BARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
# A kernel has loaded IPython and jupyter_client before any cell runs.
KERNEL = "import ipykernel.kernelapp"
IMPORT = "import asynclab"


def seconds(source: str, before: str = "") -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LIBRARY_DATABASE": str(Path(folder) / "db.sqlite3"),
            "PYTHONPATH": str(PROJECT),
        }
        command = [sys.executable, "-c", TIMED.format(before, source)]
        done = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=True
        )
    return float(done.stdout.splitlines()[-1])


def figures() -> list[Figure]:
    """boot(), data and all, as a multiple of what Django alone takes."""
    boot = ("asynclab.boot()", IMPORT)
    seconds(BARE), seconds(*boot)
    pairs = [(seconds(BARE), seconds(*boot)) for _ in range(PAIRS)]
    return [
        Figure("import asynclab, in a kernel", seconds(IMPORT, KERNEL), "s"),
        Figure("django.setup() and migrate", statistics.median(bare for bare, _ in pairs), "s"),
        Figure(
            "boot(), with its data",
            statistics.median(booted / bare for bare, booted in pairs),
            budget=Budget(1.25),
        ),
    ]
