"""Debian's newest Pythons in a root folder of their own, for a machine that has none of them.

They need a newer C library than an older machine has, so they stay in that folder, and programs
run in there by chroot. Everything is mounted in a namespace that ends with the program: nothing is
left to unmount, whatever ends it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHONS = ("3.14", "3.15")
SUITE = "sid"
TOOLS = ("ca-certificates", "git", "procps")
# What this machine knows of its network, and may be there or not.
NETWORK = (
    "/etc/hosts",
    "/etc/pip.conf",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
    "/etc/uv",
    "~/.config/pip",
    "~/.config/uv",
)

ENTER = """
root=$1; shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do mount --rbind "$1" "$root$1"; shift; done
shift
exec chroot "$root" "$@"
"""


class NotMade(Exception):
    """The root folder cannot be had. The message says why, in a line."""


class RootFolder:
    """A small Debian, in which this machine's programs can run others.

    Args:
        folder: where it lies.
        shared: folders that are the same inside; programs start in the first.
    """

    def __init__(self, folder: Path, shared: list[Path]):
        self.folder = folder
        known = (Path(path).expanduser() for path in NETWORK)
        self.shared = [*shared, *(path for path in known if path.exists())]

    def make(self) -> None:
        """Fill the folder, in about 90 seconds.

        Raises:
            NotMade: no right, no network, no debootstrap.
        """
        if os.geteuid():
            raise NotMade("a root folder is made and entered by root alone")
        if not shutil.which("debootstrap"):
            run("apt-get", "update", "-qq")
            run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap")
        # The keys of a newer Debian are not on an older machine.
        options = ["--variant=minbase", "--no-check-gpg", f"--include={','.join(TOOLS)}"]
        run("unshare", "--mount", "debootstrap", *options, SUITE, self.folder, mirror())
        self.make_places()
        packages = [f"python{version}{end}" for version in PYTHONS for end in ("", "-venv")]
        run(*self.inside(), "apt-get", "install", "-y", "-qq", *packages)

    def make_places(self) -> None:
        """Make what the mounts will cover: a folder for a folder, a file for a file."""
        self.folder.chmod(0o755)  # apt-get works as a user of its own
        for path in (Path("/dev"), Path("/proc"), Path.home(), *self.shared):
            place = self.folder / path.relative_to("/")
            (place if path.is_dir() else place.parent).mkdir(parents=True, exist_ok=True)
            if path.is_file():
                place.touch()

    def inside(self) -> list[str]:
        """The start of a command line: what follows runs in the folder."""
        shared = map(str, self.shared)
        enter = ["unshare", "--mount", "sh", "-ec", ENTER, "sh", str(self.folder), *shared, "--"]
        return [*enter, "env", f"--chdir={self.shared[0]}"]

    def find(self, version: str) -> str | None:
        """The path, in the folder, of a Python of this version ("3.15")."""
        there = (self.folder / "usr/bin" / f"python{version}").exists()
        return f"/usr/bin/python{version}" if there else None


def mirror() -> str:
    """The address that apt's own sources name for Debian.

    Raises:
        NotMade: they name none.
    """
    ask = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)", "Created-By: Packages"]
    for line in run(*ask).splitlines():
        address, _, label = line.partition(" ")
        if label == "Debian":
            return address
    raise NotMade("apt's sources name no mirror of Debian")


def run(*command) -> str:
    """Run a command to its end and return what it prints.

    Raises:
        NotMade: it failed; with its own last line.
    """
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise NotMade(f"there is no program {error.filename}") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip() or f"{command[0]} failed"
        raise NotMade(said.splitlines()[-1])
    return done.stdout


@contextmanager
def root_folder(shared: list[Path]) -> Iterator[RootFolder]:
    """A root folder for the duration of a block, gone at its end, also if the block is terminated.

    Raises:
        NotMade: see `RootFolder.make`.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(prefix="newest-") as folder:
            made = RootFolder(Path(folder), shared)
            made.make()
            yield made
    finally:
        signal.signal(signal.SIGTERM, before)
