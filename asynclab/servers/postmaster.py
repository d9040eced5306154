"""The process between a kernel and its PostgreSQL: it starts it, ends it and removes its folder.

It is run as a file, and imports nothing of the kit. The kernel holds the other end of its standard
input, and the system closes that end when the kernel dies, however it does. A server that is killed
would leave a segment of shared memory behind, so this one is told to end, and waited for. Each line
that comes in is an order; each is answered by a line that is empty if all went well.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 60
"""Seconds that the server may take to be ready."""
INITDB = (
    "--username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync --no-instructions "
    "--wal-segsize=1"  # MB; there are two such files at least
)


class _Cluster:
    """A data folder and the server on it.

    Args:
        programs: the folder of `initdb`, `pg_ctl` and `postgres`.
        folder: where `data` and `log` go.
        user: whom the programs run as, "" for the user of this process.
        options: what `postgres` is started with.
    """

    def __init__(self, programs: str, folder: str, user: str, *options: str):
        self._programs, self._folder, self._options = Path(programs), Path(folder), options
        self._as = {"user": user, "group": _group(user), "extra_groups": []} if user else {}
        self._server: subprocess.Popen | None = None

    def create(self) -> str:
        command = self._run("initdb", *INITDB.split())
        return self.start() if command.wait() == 0 else "initdb failed"

    def start(self) -> str:
        self._server = self._run("postgres", *self._options)
        limit = time.monotonic() + PATIENCE
        while self._server.poll() is None and time.monotonic() < limit:
            if self._is_ready():
                return ""
            time.sleep(0.005)
        return "postgres did not start"

    def restart(self, mode: str) -> str:
        self.stop(mode)
        return self.start()

    def stop(self, mode: str) -> None:
        if self._server is not None and self._server.poll() is None:
            if self._run("pg_ctl", "stop", "--mode", mode, "--no-wait").wait() != 0:
                self._server.kill()
            self._server.wait()

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        """As a file of the server's says: its process on the first line, its state on the last."""
        file = self._folder / "data" / "postmaster.pid"
        said = file.read_text().split() if file.exists() else []
        return said[:1] + said[-1:] == [str(self._server.pid), "ready"]

    def _run(self, program: str, *arguments: str) -> subprocess.Popen:
        with open(self._folder / "log", "ab") as log:
            return subprocess.Popen(
                [self._programs / program, "-D", self._folder / "data", *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._as,
            )


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _main(arguments: list[str]) -> None:
    cluster = _Cluster(*arguments)
    try:
        for line in sys.stdin:
            order, *arguments = line.split()
            print(getattr(cluster, order)(*arguments), flush=True)
    finally:
        cluster.remove()


if __name__ == "__main__":
    _main(sys.argv[1:])
