"""The root folder is made and entered as said, and nothing of it stays, however a run ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.mounts import mounted
from tests.proof.rootfolder import PYTHONS, NotMade, RootFolder, mirror, root_folder

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put a program on an otherwise empty PATH, by its name and shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "made"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "made").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 0)

    def put(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    put("unshare", 'shift; exec "$@"')
    put("apt-get", "echo http://mirror/debian/ Debian")
    return put


def refused(tmp_path):
    """Try to make one; return why it was not. Nothing may be left of it."""
    with pytest.raises(NotMade) as why, root_folder([HERE]):
        pass
    assert list((tmp_path / "made").iterdir()) == []
    return str(why.value)


# ---------------------------------------------------------------- what can go wrong


def test_debootstrap_that_fails_is_told_by_its_last_line(programs, tmp_path):
    programs("debootstrap", '/bin/mkdir -p "$5/etc"; echo "E: planted" >&2; exit 1')
    assert refused(tmp_path) == "E: planted"


def test_debootstrap_that_cannot_be_had_is_told(programs, tmp_path):
    programs("apt-get", 'echo "E: Unable to locate package debootstrap" >&2; exit 100')
    assert refused(tmp_path) == "E: Unable to locate package debootstrap"


def test_a_machine_without_apt_is_told(programs, tmp_path):
    (tmp_path / "bin" / "apt-get").unlink()
    assert refused(tmp_path) == "there is no program apt-get"


def test_sources_that_name_no_debian_are_told(programs, tmp_path):
    programs("debootstrap", "exit 0")
    programs("apt-get", "echo http://mirror/ubuntu/ Ubuntu; echo http://mirror/sec Debian-Security")
    assert refused(tmp_path) == "apt's sources name no mirror of Debian"


def test_the_mirror_is_what_apt_names(programs):
    assert mirror() == "http://mirror/debian/"


def test_only_root_makes_one(programs, tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert refused(tmp_path) == "a root folder is made and entered by root alone"


# ---------------------------------------------------------------- what is left


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_nothing(programs, tmp_path, how):
    programs("debootstrap", "exit 0")
    script = (
        "import os, time; from pathlib import Path\n"
        "from tests.proof import rootfolder\n"
        "os.geteuid = lambda: 0\n"
        "rootfolder.RootFolder.inside = lambda self: ['true']\n"
        f"with rootfolder.root_folder([Path({str(HERE)!r})]) as made:\n"
        "    print(made.folder, flush=True); time.sleep(60)\n"
    )
    programs("true", "exit 0")
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    folder = Path(run.stdout.readline().decode().strip())
    assert folder.is_dir()
    assert folder.parent == tmp_path / "made"
    run.send_signal(how)
    run.communicate(timeout=30)
    assert run.returncode != 0
    assert not folder.exists()


def test_what_is_mounted_inside_is_seen_by_nobody_else(tmp_path):
    """Over this machine's own programs, so that nothing has to be downloaded."""
    mounted("true")
    if os.geteuid():
        pytest.skip("only root enters a root folder")
    programs = filter(Path.exists, map(Path, ("/bin", "/lib", "/lib64", "/usr")))
    shared = tmp_path / "shared"
    (shared / "text").parent.mkdir()
    (shared / "text").write_text("the same")
    root = RootFolder(tmp_path, [shared, *programs])
    root.make_places()
    ask = "pwd; cat text; ls /; test -e /proc/self && test -e /dev/null && echo mounted; sleep 1"
    command = subprocess.Popen([*root.inside(), "sh", "-c", ask], stdout=subprocess.PIPE, text=True)
    first = command.stdout.readline()
    assert str(root.folder) not in Path("/proc/self/mountinfo").read_text()
    said = first + command.communicate()[0]
    assert said.startswith(f"{shared}\nthe same")
    assert "mounted" in said


def test_a_python_is_found_by_its_version(tmp_path):
    root = RootFolder(tmp_path, [HERE])
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin" / f"python{PYTHONS[0]}").touch()
    assert [root.find(version) for version in PYTHONS] == [f"/usr/bin/python{PYTHONS[0]}", None]
