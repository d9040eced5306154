"""The process between a kernel and a server: it ends the server when the kernel has gone.

It is run as a file, with the server's command, and imports nothing of the kit. The kernel holds the
other end of its standard input, and the system closes that end when the kernel dies, however it
does. All of a server's processes are in the session that begins here.
"""

import os
import signal
import subprocess
import sys
import threading


def _main(command: list[str]) -> int:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_kernel, daemon=True).start()
    return server.wait()


def _end_with_kernel() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
