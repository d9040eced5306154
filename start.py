#!/usr/bin/env python3
"""Set the course up and start it. Needs Python 3.11 or newer, and nothing else.

    python3 start.py lab      JupyterLab on your copy of the lessons; --no-browser, --port N
    python3 start.py reset 03     lesson 03 anew, or 03_exercises; yours is kept beside it
    python3 start.py test     every check; what follows goes to pytest
    python3 start.py test 03      the checks of lesson 03 alone
    python3 start.py matrix   the lessons on the oldest stack and the newest; --all: on every one
    python3 start.py ledger   every claim's script on every stack found here, and the ledger anew
    python3 start.py bench    measurements, printed as ratios

And what proves that the checks can fail; each prints its figures:

    python3 start.py faults   plants faults, one at a time, and sees the checks turn red
    python3 start.py mutants  changes each exercise's answer, and sees its check notice
    python3 start.py flakes 20    the lessons 20 times beside a busy process
    python3 start.py upgrade  the newest versions of everything, and what they change

Everything is installed into .venv, beside this file. A later start installs nothing and needs no
network. Whatever interrupts a first start, the next one recovers by itself.
"""

# An old Python has to get as far as the message below: this file keeps to syntax that 2.7 reads.
from __future__ import print_function  # noqa: UP010

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "The course needs Python 3.11 or newer, and this is Python %d.%d.\n"
        "Install a newer one (python.org, or your system's packages) and run this with it."
        % sys.version_info[:2]
    )

import argparse
import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import threading
import time
from collections import deque
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = Path(sysconfig.get_path("scripts", "venv", {"base": str(VENV)}))
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
UNFINISHED = VENV / "unfinished"
TRUSTED = VENV / "trusted-notebooks"

COURSE = "requirements.txt"
CHECKS = "requirements-test.txt"
BENCHMARK = "requirements-benchmark.txt"
LAB_CONFIG = "asynclab/ground/labconfig.py"
YOUR_COPY = "your_copy"
FIRST_LESSON = YOUR_COPY + "/notebooks/00_start_here.ipynb"
# In the file browser lessons and exercises can both be seen.
FIRST_PAGE = "/lab/tree/%s?file-browser-path=%s" % (FIRST_LESSON, YOUR_COPY)
# In seconds; by itself nbval waits for half an hour.
NBVAL = ("--nbval", "--nbval-cell-timeout", "180")
PLUGINS = ("-p", "tests.harness.twice", "-p", "tests.harness.scheduling")
PLUGINS += ("-p", "tests.harness.one_lesson")
# Half of what the tests do is to wait: for a shell, a page, a call that has to hang.
WORKERS = ("-n", "4")
NEWEST_TESTED = (3, 15)
ROOM_NEEDED = 600 * 1024 * 1024  # bytes: .venv with the test tools, and some air


class Trouble(Exception):
    """What went wrong and what to do about it, in a line or two."""


class NoNetwork(Trouble):
    """The packages cannot be reached. Nothing has been changed."""


# ---------------------------------------------------------------- the commands


def lab(arguments):
    """Run JupyterLab on the first lesson until Ctrl-C, and return its exit code."""
    options, for_jupyter = lab_options().parse_known_args(arguments)
    set_up(COURSE)
    if your_copy() and not (ROOT / FIRST_LESSON).exists():
        return 1
    trust_notebooks()
    port = free_port(options.port)
    token = secrets.token_urlsafe(16)
    server = subprocess.Popen(
        jupyterlab(port, options.no_browser) + for_jupyter,
        cwd=str(ROOT),
        env=environment(JUPYTER_TOKEN=token),
    )
    told_to_stop = stop_with_us(server)
    if wait_until_listening(server, port):
        print("\nJupyterLab: http://127.0.0.1:%d%s&token=%s" % (port, FIRST_PAGE, token))
        print("Ctrl-C ends it.\n", flush=True)
    server.wait()
    if told_to_stop.is_set():
        print("JupyterLab has ended.")
        return 0
    if server.returncode:
        raise Trouble("JupyterLab stopped by itself. Its own words are above.")
    return 0


def reset(arguments):
    """Give notebooks of your copy back as the course has them, and return the exit code."""
    return your_copy("reset", *arguments)


def test(arguments):
    """Run every check with pytest, or those of the lessons named first; return its exit code."""
    set_up(COURSE, CHECKS)
    rest = list(arguments)
    lessons = ["--lesson=" + rest.pop(0) for _ in arguments if rest and rest[0].isdigit()]
    return hand_over("-m", "pytest", *NBVAL + PLUGINS + WORKERS + tuple(lessons + rest))


def matrix(arguments):
    """Run the lessons on the oldest stack and the newest, or on those that the arguments name."""
    set_up(COURSE, CHECKS)
    return hand_over("-m", "tests.proof.matrix", *arguments)


def faults(arguments):
    """Plant the faults that the arguments name, or all; return non-zero if one is missed."""
    set_up(COURSE, CHECKS)
    return hand_over("-m", "tests.proof.faults", *arguments)


def mutants(arguments):
    """Mutate the answers of the lessons named, or of all; return non-zero if a mutant lives."""
    set_up(COURSE, CHECKS)
    return hand_over("-m", "tests.proof.mutants", *arguments)


def flakes(arguments):
    """Run the lessons as often as asked under load; return non-zero if a run fails."""
    set_up(COURSE, CHECKS)
    return hand_over("-m", "tests.proof.flakes", *arguments)


def upgrade(arguments):
    """Run everything on the newest versions, and return non-zero if something changed."""
    set_up(COURSE, CHECKS)
    return hand_over("-m", "tests.proof.upgrade", *arguments)


def ledger(arguments):
    """Run the claims' scripts on every stack here; return non-zero if an answer has changed."""
    set_up(COURSE, CHECKS)
    return hand_over("-m", "tests.proof.ledger", *arguments)


def bench(arguments):
    """Print what the kit costs, as ratios beside its budgets."""
    set_up(COURSE, CHECKS, BENCHMARK)
    return hand_over("-m", "tests.benchmarks", *arguments)


COMMANDS = {
    "lab": lab,
    "reset": reset,
    "test": test,
    "matrix": matrix,
    "ledger": ledger,
    "bench": bench,
    "faults": faults,
    "mutants": mutants,
    "flakes": flakes,
    "upgrade": upgrade,
}


# ---------------------------------------------------------------- JupyterLab


def lab_options():
    parser = argparse.ArgumentParser(
        prog="start.py lab", epilog="Other options go to JupyterLab.", allow_abbrev=False
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    parser.add_argument("--port", type=int, help="the port to serve on; 0 takes any free one")
    return parser


def jupyterlab(port, no_browser):
    """The command line: quiet, on this machine only, no prompt for news, none when it ends."""
    command = [
        str(PYTHON),
        "-m",
        "jupyterlab",
        "--ServerApp.root_dir=%s" % ROOT,
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=%d" % port,
        "--ServerApp.port_retries=0",
        "--ServerApp.answer_yes=True",
        "--LabApp.default_url=" + FIRST_PAGE,
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
    ]
    if no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def free_port(wanted):
    """A port to serve on: the one that was asked for, or the first free one from 8888 up."""
    for port in range(8888, 8988) if wanted is None else [wanted]:
        try:
            with socket.create_server(("127.0.0.1", port)) as listener:
                return listener.getsockname()[1]
        except OverflowError:
            raise Trouble("There is no port %d. Choose one from 1024 to 65535." % port)
        except OSError:
            pass
    if wanted is None:
        raise Trouble("Ports 8888 to 8987 are all taken. Choose another one with --port.")
    raise Trouble("Port %d cannot be had. Choose another with --port, or leave it out." % wanted)


def stop_with_us(server):
    """End the server in an orderly way when this process is told to; the event says it was."""
    told = threading.Event()

    def stop(*_):
        told.set()
        server.terminate()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    return told


def wait_until_listening(server, port):
    """True as soon as the server answers, False if it ends first."""
    while server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.1)
    return False


def your_copy(*arguments):
    """Bring your copy of the notebooks up to date, or reset one, and return the exit code."""
    return copy_to(ROOT / YOUR_COPY, *arguments)


def copy_to(folder, *arguments, **options):
    """Run the kit's own module for it, in this Python: it needs no package."""
    # By its path: as a part of the kit it would load Django first.
    command = [sys.executable, "-P", str(ROOT / "asynclab" / "workspace.py")]
    env = environment(ASYNCLAB_COPY=str(folder))
    return subprocess.call(command + list(arguments), env=env, **options)


def trust_notebooks():
    """Let JupyterLab show the saved pictures and widgets, which it hides in a stranger's files."""
    notebooks = in_folders(ROOT, "notebooks", "exercises", "solutions")
    fingerprint = digest(*notebooks)
    if not notebooks or (TRUSTED.exists() and TRUSTED.read_text() == fingerprint):
        return
    # Trust is given to a text. What your copy begins with has it, also after a reset; what you
    # write is yours, and what somebody else put there is not the course's to trust.
    copy_to(VENV / YOUR_COPY, stdout=subprocess.DEVNULL)
    notebooks += in_folders(VENV / YOUR_COPY, "notebooks", "exercises")
    try:
        run("Trusting the notebooks", PYTHON, "-m", "nbformat.sign", *notebooks)
        TRUSTED.write_text(fingerprint)
    except (Trouble, OSError):
        print("The notebooks could not be marked as trusted: run a cell to see its picture.")


def in_folders(root, *folders):
    return [path for folder in folders for path in sorted((root / folder).glob("*.ipynb"))]


# ---------------------------------------------------------------- setting up


def set_up(*locks):
    """Make .venv hold what these locks list, and the kit. Quick when it already does."""
    if sys.version_info[:2] > NEWEST_TESTED:
        print(NOT_TESTED % (sys.version_info[:2] + NEWEST_TESTED), flush=True)
    if ready(locks):
        return
    with one_at_a_time():
        if ready(locks):
            return
        make_venv()
        with marked_unfinished():
            get_uv()
            for lock in locks:
                install(lock)
            link_kit()
            run("Setting JupyterLab up", PYTHON, "-m", "asynclab.ground.labconfig")


def ready(locks):
    return (
        not UNFINISHED.exists()
        and PYTHON.exists()
        and all(stamp(lock).exists() and stamp(lock).read_text() == state(lock) for lock in locks)
    )


def stamp(lock):
    """The file that says that a lock is installed, written last."""
    return VENV / (lock + ".installed")


def state(lock):
    """What an installed lock depends on: its text, the set-up, the Python, and this folder."""
    return "%s %d.%d %s" % (
        (digest(ROOT / lock, ROOT / LAB_CONFIG),) + sys.version_info[:2] + (ROOT,)
    )


def digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def make_venv():
    """Keep a .venv that was finished by this Python in this place; else make it anew."""
    if not UNFINISHED.exists() and is_ours():
        return
    if shutil.disk_usage(str(ROOT)).free < ROOM_NEEDED:
        raise OSError(errno.ENOSPC, "too little room", str(ROOT))
    if VENV.exists():
        shutil.rmtree(str(VENV))
    VENV.mkdir()
    UNFINISHED.touch()
    run("Making .venv", sys.executable, "-m", "venv", "--without-pip", VENV)


def is_ours():
    """Whether .venv runs, was made by the Python that runs this, and never moved."""
    ask = "import sys; print(sys.version_info[:2])"
    try:
        answer = subprocess.run([str(PYTHON), "-c", ask], stdout=subprocess.PIPE).stdout.decode()
        made = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    moved = "command = " in made and str(VENV) not in made
    return answer.strip() == str(sys.version_info[:2]) and not moved


@contextlib.contextmanager
def marked_unfinished():
    """While this lasts, a start that finds .venv does not trust it."""
    UNFINISHED.touch()
    try:
        yield
    except NoNetwork:
        UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()


def get_uv():
    """Put uv into .venv: it installs the rest five times as fast as pip."""
    if (SCRIPTS / ("uv.exe" if os.name == "nt" else "uv")).exists():
        return
    run("Getting pip", PYTHON, "-m", "ensurepip")
    run("Getting uv", PYTHON, "-m", "pip", "install", "--retries", "2", "uv>=0.5")


def install(lock):
    """Install exactly what a lock lists, each file checked against its hash."""
    if stamp(lock).exists() and stamp(lock).read_text() == state(lock):
        return
    what = ("-m", "uv", "pip", "install", "--python", PYTHON, "--require-hashes", "-r", ROOT / lock)
    run("Installing " + lock, PYTHON, *what)
    stamp(lock).write_text(state(lock))


def link_kit():
    """Make `import asynclab` find this folder: an editable install without a build tool."""
    packages = sysconfig.get_path("purelib", "venv", {"base": str(VENV), "platbase": str(VENV)})
    (Path(packages) / "asynclab.pth").write_text("%s\n" % ROOT, encoding="utf-8")


@contextlib.contextmanager
def one_at_a_time():
    """Keep set-ups apart. An installer that outlives a killed start still holds the lock."""
    with open(str(ROOT / ".venv.lock"), "w") as lock:
        if fcntl:
            os.set_inheritable(lock.fileno(), True)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another start is setting up; waiting for it.", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- running one step


def run(what, *command):
    """Run one step under a line that moves, and raise Trouble if it fails."""
    said = deque(maxlen=60)
    started = time.monotonic()
    step = subprocess.Popen(
        [str(part) for part in command],
        cwd=str(ROOT),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        close_fds=False,
    )
    reader = threading.Thread(target=said.extend, args=(step.stdout,), daemon=True)
    reader.start()
    try:
        with moving_line(what) as move:
            while step.poll() is None:
                move(time.monotonic() - started, said[-1] if said else b"")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    step.wait(0.2)
    finally:
        step.terminate()
        step.wait()
    reader.join(5)
    if step.returncode:
        raise trouble(what, b"".join(said).decode(errors="replace"))


@contextlib.contextmanager
def moving_line(what):
    """Give a function that shows the seconds and the last words; plain without a terminal."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns - 1
    clear = "\r" + " " * width + "\r"
    print(what + " ...", end="" if terminal else "\n", flush=True)

    def move(seconds, words):
        if terminal:
            line = "%s ... %d s  %s" % (what, seconds, words.decode(errors="replace").strip())
            print(clear + line[:width], end="", flush=True)

    try:
        yield move
    finally:
        if terminal:
            print(clear + what, flush=True)


def trouble(what, said):
    """Turn an installer's last words into a line that says what to do."""
    if re.search(r"No space left|os error 28|Disk quota exceeded", said):
        return Trouble(DISK_FULL)
    if "No module named ensurepip" in said:
        return Trouble(NO_PIP % sys.version_info[:2])
    if re.search(r"ConnectionError|ProxyError|Timeout|error sending request|Failed to fetch", said):
        return NoNetwork(NO_NETWORK)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return Trouble(
        "%s failed: %s\nRun it again; if it fails again, delete the folder .venv first."
        % (what, lines[-1] if lines else "it said nothing")
    )


NOT_TESTED = (
    "This is Python %d.%d, and the course is tested up to %d.%d: "
    "a message may differ from what a lesson says."
)
NO_NETWORK = (
    "The packages cannot be reached.\n"
    "Connect to the network, or name your proxy in HTTPS_PROXY, and run this again."
)
DISK_FULL = "The disk is full. Free 1 GB (here, and in your home folder) and run this again."
READ_ONLY = "This folder cannot be written to: %s\nCopy the course to a folder of your own."
NO_PIP = (
    "This Python comes without pip. On Debian or Ubuntu: sudo apt install python%d.%d-venv\n"
    "Then run this again."
)


# They belong to another Python, or (the last) let every kernel compile Django anew.
NOT_OURS = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PYTHONDONTWRITEBYTECODE")


def environment(**more):
    """This process's environment, with .venv's programs first and no other Python's settings."""
    kept = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
    path = os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", os.defpath)])
    kept.update(home(), VIRTUAL_ENV=str(VENV), PATH=path, **more)
    return kept


def home():
    """A home in .venv if yours cannot be written: JupyterLab does not start without one."""
    yours = os.path.expanduser("~")
    if os.path.isdir(yours) and os.access(yours, os.W_OK):
        return {}
    return {"HOME": str(VENV / "home"), "USERPROFILE": str(VENV / "home")}


def hand_over(*command):
    """Run a Python command in .venv, leave Ctrl-C to it, and return its exit code."""
    signal.signal(signal.SIGINT, lambda *_: None)
    return subprocess.call([str(PYTHON)] + list(command), cwd=str(ROOT), env=environment())


def main(arguments):
    command = COMMANDS.get(arguments[0]) if arguments else None
    if not command:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        return command(arguments[1:])
    except Trouble as why:
        problem = str(why)
    except OSError as why:
        if why.errno in (errno.ENOSPC, errno.EDQUOT):
            problem = DISK_FULL
        elif why.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            problem = READ_ONLY % ROOT
        else:
            raise
    except KeyboardInterrupt:
        problem = "\nStopped. The next start goes on from here."
    print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
