"""Folders of killed processes are swept, in both places where they may be."""

import os
import tempfile
from pathlib import Path

import psutil

from asynclab.ground import folders


def test_what_a_killed_process_left_is_swept_in_both_places(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert folders.places() == [tmp_path, Path("/tmp")]
    dead = next(pid for pid in range(4_000_000, 0, -1) if not psutil.pid_exists(pid))
    prefix = folders.prefix().replace(f"-{os.getpid()}-", f"-{dead}-")
    left = [Path(tempfile.mkdtemp(prefix=prefix, dir=place)) for place in folders.places()]
    mine = [Path(tempfile.mkdtemp(prefix=folders.prefix(), dir=p)) for p in folders.places()]
    folders.sweep()
    assert not any(map(Path.exists, left))
    assert all(map(Path.exists, mine))
    for folder in mine:
        folder.rmdir()
