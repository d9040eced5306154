"""The scripts in `notebooks/claims/`: each shows a claim to whoever has only Django and asgiref.

One that prints what it found can be pasted into a ticket. It begins with the words that it is
about, then names its stack, then says what it found there, and `claims.yml` says what that is.
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..ground.errors import LabError
from .claims import CUT, Claim, read_claims

FOLDER = Path("notebooks", "claims")
MOST_LINES = 40
MOST_SECONDS = 60
ALWAYS_THERE = sys.stdlib_module_names | {"django", "asgiref"}

_STACK = re.compile(r"^Django (\S+) asgiref (\S+) Python (\S+).*\n", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """What a script printed.

    Args:
        django, asgiref, python: the versions that it ran on.
        found: the lines below them.
    """

    django: str
    asgiref: str
    python: str
    found: str

    @property
    def stack(self) -> tuple[str, str]:
        """What claims.yml calls the stack: "Python 3.11" and "Django 5.2"."""
        names = {"Python": self.python, "Django": self.django}
        return tuple(f"{name} {'.'.join(v.split('.')[:2])}" for name, v in names.items())


def script_of(claim: Claim, checkout: Path) -> Path:
    """Return where the script of `claim` is, or has to be."""
    return checkout / FOLDER / f"{claim.id}.py"


def run(script: Path, command: Sequence[str] = (sys.executable,)) -> Answer:
    """Return what a script prints; `command` is the Python that runs it.

    Raises:
        LabError: it fails, takes longer than MOST_SECONDS, or does not name its stack.
    """
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {"IPYTHONDIR": home}
        try:
            done = subprocess.run(
                [*command, script], capture_output=True, text=True, env=env, timeout=MOST_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"{script.name} takes longer than {MOST_SECONDS} seconds.") from None
    if done.returncode:
        raise LabError(f"{script.name} fails: {done.stderr.strip().splitlines()[-1:]}")
    head = _STACK.search(done.stdout)
    if head is None:
        raise LabError(f"{script.name} does not name its stack.")
    return Answer(*head.groups(), done.stdout[head.end() :].strip())


def problems(checkout: Path) -> list[str]:
    """Return what is wrong with the scripts and with what claims.yml says of them, a line each."""
    claims = [claim for claim in read_claims(checkout) if claim.disputed]
    own = {script_of(claim, checkout).name for claim in claims}
    strangers = {path.name for path in (checkout / FOLDER).glob("*")} - own - {"__pycache__"}
    found = [f"{name} belongs to no claim that is not simply right" for name in sorted(strangers)]
    for claim in claims:
        path = script_of(claim, checkout)
        faults = _faults(claim, path) if path.exists() else ["is missing"]
        found += [f"{path.name} {fault}" for fault in faults]
    return found


def _faults(claim: Claim, path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if len(text.splitlines()) > MOST_LINES:
        yield f"has {len(text.splitlines())} lines; {MOST_LINES} may be"
    for package in sorted(_imported(tree) - ALWAYS_THERE - claim.packages):
        yield f"imports {package}, and the claim's `needs` does not say why"
    if not _quotes(claim, ast.get_docstring(tree) or ""):
        yield "does not begin with the words that it is about, and where they stand"
    if not claim.found:
        yield "has no `found` in claims.yml"


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    return names


def _quotes(claim: Claim, text: str) -> bool:
    """Whether a text names a page in its first line, and then says words of that documentation.

    A claim of articles alone is put in the script's own words.
    """
    head, _, words = text.partition("\n")
    said = [part for each in claim.docs for part in map(_plain, each.quote.split(CUT))]
    return not claim.docs or (
        any(quotation.page in head for quotation in claim.docs)
        and bool(words.strip())
        and all(any(part in each for each in said) for part in map(_plain, words.split(CUT)))
    )


def _plain(text: str) -> str:
    return " ".join(text.split())
