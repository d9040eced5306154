"""The documentation that the course quotes and links to, from the source distributions.

requirements.txt names them, and they contain it. Without a network a test that needs them is
skipped, but never in CI.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import platformdirs
import pytest

import start
from asynclab.authoring.claims import ASGIREF
from tests.harness.checkout import ROOT

LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")


class Sources:
    """The source distributions in `folder`, each fetched when it is first asked for."""

    def __init__(self, folder=None):
        self.folder = folder or platformdirs.user_cache_path("asynclab", ensure_exists=True)
        self._lacking = {}  # archive -> why it cannot be had

    def page(self, source, page):
        """Return the text of a page: of asgiref, or of a version of Django's documentation."""
        if source == ASGIREF:
            return self._member(*pinned("asgiref"), f"{page}.rst")
        return self._member(*pinned("django", f"{source}."), f"docs/{page}.txt")

    def asgiref(self, file):
        """Return the text of a file of asgiref's, beside its documentation."""
        return self._member(*pinned("asgiref"), file)

    def _member(self, name, requirement, member):
        """The text of a file, kept beside its archive: to unpack it takes a second."""
        kept = self.folder / name / member
        if not kept.exists():
            with tarfile.open(self._archive(name, requirement)) as archive:
                try:
                    text = archive.extractfile(f"{name}/{member}").read()
                except KeyError:
                    raise FileNotFoundError(f"{name} has no {member}") from None
            kept.parent.mkdir(parents=True, exist_ok=True)
            unfinished = kept.with_name(f"{kept.name}.{os.getpid()}")
            unfinished.write_bytes(text)
            unfinished.replace(kept)
        return kept.read_text(encoding="utf-8")

    def _archive(self, name, requirement):
        archive = self.folder / f"{name}.tar.gz"
        if not archive.exists() and name not in self._lacking:
            self._lacking[name] = download(requirement, self.folder)
        if why := self._lacking.get(name):
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name}.tar.gz: {why}")
        return archive


def pinned(name, version=""):
    """The lock's name for a distribution ("django-6.1.3") and its lines, without their marker."""
    pattern = rf"^{name}==({re.escape(version)}\S+)(?: ;[^\\\n]*)?((?: \\\n +--hash=\S+)+)"
    found = re.search(pattern, LOCK, re.MULTILINE)
    assert found, f"requirements.txt pins no {name} {version}"
    return f"{name}-{found[1]}", f"{name}=={found[1]}{found[2]}\n"


def download(requirement, folder):
    """Fetch a source distribution; return why it cannot be had, or None.

    Its metadata is all that pip builds, so that its Python need not be the one that runs this.
    """
    options = ["--quiet", "--retries=1", "--no-deps", "--no-binary=:all:", "--python-version=3.13"]
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        wanted = Path(unfinished, "wanted.txt")
        wanted.write_text(requirement, encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", *options, "-d", unfinished, "-r", wanted]
        done = subprocess.run(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for archive in Path(unfinished).glob("*.tar.gz"):
            archive.replace(folder / archive.name)
    if done.returncode == 0:
        return None
    trouble = start.trouble("Fetching the documentation", done.stdout)
    if not isinstance(trouble, start.NoNetwork):
        pytest.fail(done.stdout)
    return "the package registry cannot be reached."


def plain(rst):
    """The words of a text as Sphinx shows them, in Markdown, with one space between two words."""
    for pattern, shown in (
        (r":(?:ref|doc):`([^`<]+?)\s*<[^`]+>`", r"\1"),  # a link with a text of its own
        (r":(?:func|meth):`(?:~[\w.]*\.)?([^`]+)`", r"`\1()`"),
        (r":\w+:`(?:~[\w.]*\.)?([^`]+)`", r"`\1`"),
        (r"``", "`"),
        (r"\b([A-Za-z]+)_(?=\s)", r"\1"),  # a link defined further down
        (r"\\(?=\S)", ""),  # what parts a literal from the letters behind it
        (r"\s+", " "),
    ):
        rst = re.sub(pattern, shown, rst)
    return rst.strip()


def headings(rst):
    """The headings of a page, as matches whose first group is the text."""
    return list(re.finditer(r"^(\S.*)\n([=\-~'^\"#*])\2{2,}\n", rst, re.MULTILINE))


def anchors(rst):
    """The anchors of a page of Django's documentation, as Sphinx makes them."""
    labels = re.findall(r"^\.\. _([^:`]+):$", rst, re.MULTILINE)
    settings = re.findall(r"^\.\. setting:: (\S+)$", rst, re.MULTILINE)
    modules = re.findall(r"^\.\. (?:current)?module:: (\S+)$", rst, re.MULTILINE)
    objects = re.findall(
        r"^ *\.\. (?:class|function|method|attribute|data|exception|decorator):: ([\w.]+)",
        rst,
        re.MULTILINE,
    )
    found = {_id(plain(each[1]).replace("`", "")) for each in headings(rst)} | set(map(_id, labels))
    found |= {f"std-setting-{each}" for each in settings}
    return found | {f"{module}.{each}" for module in modules for each in objects}


def _id(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
