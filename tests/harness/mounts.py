"""Folders that a test mounts for itself, in a namespace that ends with the process in it."""

import shutil
import subprocess

import pytest


def mounted(script: str) -> list[str]:
    """A command prefix: run in a mount namespace where this shell script has been run.

    The test is skipped on a machine that allows none.
    """
    inside = ["unshare", "--mount", "--map-root-user", "sh", "-ec", f'{script}; exec "$@"', "sh"]
    allowed = shutil.which("unshare") and subprocess.run(
        [*inside, "true"], capture_output=True, check=False
    )
    if not allowed or allowed.returncode:
        pytest.skip("this machine does not let a test mount a folder of its own")
    return inside
