"""The lessons, their solutions and the kit's tests on every supported stack.

Run by `python3 start.py matrix`. Each stack gets an environment of its own under build/matrix. A
stack without its Python on this machine is named, and not run. What follows goes to pytest.
"""

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "matrix"
LOCK = ROOT / "requirements-test.txt"

# They test what is the same on every stack, or need a browser.
LEFT_OUT = [
    f"tests/test_{name}.py"
    for name in (
        "environment",
        "faults",
        "flakes",
        "kernels",
        "mutants",
        "quotations",
        "readme",
        "security",
        "start",
        "upgrade",
    )
]


@dataclass
class Stack:
    """One combination that the course promises to run on.

    Args:
        python: the interpreter's version, as "3.13".
        expect: distribution -> the start of the version that must be installed, as "5.2.".
        instead: requirements put in place of what the lock lists.
    """

    python: str
    expect: dict[str, str]
    instead: list[str] = field(default_factory=list)

    @property
    def name(self):
        parts = [f"python {self.python}"]
        return " ".join(parts + [f"{name} {v.rstrip('.')}" for name, v in self.expect.items()])

    @property
    def folder(self):
        return BUILD / self.name.replace(" ", "-")

    @property
    def interpreter(self):
        scripts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return self.folder.joinpath(*scripts)


STACKS = [
    Stack("3.11", {"django": "5.2.", "ipykernel": "7."}),
    Stack("3.13", {"django": "6.1.", "ipykernel": "7."}),
    Stack("3.11", {"django": "5.2.", "ipykernel": "6.31."}, instead=["ipykernel==6.31.*"]),
]


def find_interpreter(version):
    """Return the path of a Python of this version ("3.13"), or None.

    Looks on PATH, among pyenv's versions (which uv does not know), and asks uv.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        sys.executable,
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"{version}.*/bin/python")),
        uv_find(version),
    ]
    return next((path for path in candidates if path and answers(path, version)), None)


def uv_find(version):
    command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def answers(path, version):
    """Whether this program runs and is that version. One of pyenv's shims may not."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    said = subprocess.run([path, "-c", ask], capture_output=True, text=True, check=False)
    return said.stdout.strip() == version


def build(stack, interpreter):
    """Make the stack's environment: the lock, then what stands in its place, then the kit."""
    uv = [sys.executable, "-m", "uv"]
    install = [*uv, "pip", "install", "-q", "--python", stack.interpreter]
    if not stack.interpreter.exists():
        call(*uv, "venv", "-q", "--clear", "--python", interpreter, stack.folder)
    call(*install, "--require-hashes", "-r", LOCK)
    if stack.instead:
        call(*install, *stack.instead)
    link_kit(stack)
    check_versions(stack)


def call(*command):
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True)


def link_kit(stack):
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([stack.interpreter, "-c", ask], text=True).strip()
    Path(packages, "asynclab.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def check_versions(stack):
    """Stop if the environment is not the stack that it is named for."""
    ask = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    versions = subprocess.check_output([stack.interpreter, "-c", ask, *stack.expect], text=True)
    for (name, start), version in zip(stack.expect.items(), versions.split(), strict=True):
        if not version.startswith(start):
            sys.exit(f"{stack.name}: {name} {version} is installed. Is the lock up to date?")


def run_tests(stack, arguments):
    """Run pytest in the stack's environment; return its exit code and its counts."""
    report = stack.folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [stack.interpreter, "-m", "pytest", "-q", "--nbval", "-n", "2", "--dist", "loadfile"]
    command += ["-m", "not browser and not nightly", f"--junitxml={report}"]
    command += [f"--ignore={path}" for path in LEFT_OUT]
    path = os.pathsep.join([str(stack.interpreter.parent), os.environ["PATH"]])
    env = os.environ | {"VIRTUAL_ENV": str(stack.folder), "PATH": path}
    code = subprocess.run([*command, *arguments], cwd=ROOT, env=env, check=False).returncode
    return code, counts(report)


def counts(report):
    """Read passed, failed and skipped from a JUnit report. No report: nothing passed."""
    if not report.exists():
        return Counter()
    suite = ElementTree.parse(report).getroot().find("testsuite")
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    return Counter(passed=int(suite.get("tests")) - bad - skipped, failed=bad, skipped=skipped)


def main(arguments):
    outcomes, total = {}, Counter()
    for stack in STACKS:
        interpreter = find_interpreter(stack.python)
        if not interpreter:
            outcomes[stack.name] = f"not run: no Python {stack.python} on this machine"
            continue
        print(f"\n== {stack.name}", flush=True)
        build(stack, interpreter)
        code, counted = run_tests(stack, arguments)
        if code and not counted["failed"]:
            counted["failed"] = 1
        outcomes[stack.name] = "failed" if code else f"passed, {counted['passed']} tests"
        total += counted
    print_table(outcomes)
    print(f"matrix: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


def print_table(outcomes):
    width = max(map(len, outcomes))
    print("\n" + "\n".join(f"{name:{width}}  {how}" for name, how in outcomes.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
