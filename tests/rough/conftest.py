"""After every test in this folder nothing may be left behind."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.rough.leftovers import Watch


@pytest.fixture(autouse=True)
def leftovers(tmp_path_factory, monkeypatch):
    """Watch what the test starts, and assert at its end that nothing of it is left.

    For the length of a test `TMPDIR`, Jupyter's runtime folder and the data folder are fresh and
    empty ones, also for the test itself and for every kernel that inherits `os.environ`. A test
    that starts a process with an environment of its own adds `leftovers.environment` to it. Counted
    once the test's other fixtures are through: processes, orphans too; listening sockets; threads
    of the test's own process; what is in those folders; what is new or changed in the checkout.

    Start a kernel in the test or in a fixture of function scope, and end it there. A test that
    kills its kernel calls `leftovers.sweep()`: what a killed kernel leaves, the next `boot()` takes
    away.

    Yields:
        The `Watch`.
    """
    tmp_path_factory.getbasetemp()  # not in a watched folder
    # Short enough for the path of a socket, and open to the user whom PostgreSQL runs as for root.
    folder = Path(tempfile.mkdtemp(prefix="w-"))
    os.chmod(folder, 0o711)
    watch = Watch(folder)
    for name, value in watch.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield watch
    left = watch.left()
    watch.kill()
    shutil.rmtree(folder)
    assert left == []
