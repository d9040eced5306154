"""boot() against bare django.setup() and migrate, in fresh processes, in turn."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .figures import Budget, Figure

PAIRS = 7
PROJECT = Path(__file__).resolve().parents[2] / "demo_project"
TIMED = "from time import perf_counter\nbegan = perf_counter()\n{}\nprint(perf_counter() - began)"
BARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
BOOT = "from asynclab.boot import boot\nboot()"


def seconds(source: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LIBRARY_DATABASE": str(Path(folder) / "db.sqlite3"),
            "PYTHONPATH": str(PROJECT),
        }
        command = [sys.executable, "-c", TIMED.format(source)]
        done = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=True
        )
    return float(done.stdout.splitlines()[-1])


def figures() -> list[Figure]:
    """boot(), data and all, as a multiple of what Django alone takes."""
    seconds(BARE), seconds(BOOT)
    pairs = [(seconds(BARE), seconds(BOOT)) for _ in range(PAIRS)]
    ratio = statistics.median(boot / bare for bare, boot in pairs)
    bare = statistics.median(bare for bare, _ in pairs)
    return [
        Figure("django.setup() and migrate", bare, "s"),
        Figure("boot(), with its data", ratio, budget=Budget(1.25)),
    ]
