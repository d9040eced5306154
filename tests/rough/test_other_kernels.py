"""A kernel of another environment: what it lacks is said in a line where the kit is imported."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from packaging.requirements import Requirement

from asynclab.ground.environment import NEEDS, lacks
from tests.harness.cells import Kernel

ROOT = Path(__file__).parents[2]
BOOT = "from asynclab import boot\nboot()"
REMEDY = ". Choose the kernel that `python3 start.py lab` offers, or install requirements.txt here."
BEGINS = "WrongEnvironment: This kernel runs in another environment: it has "


def test_the_course_s_own_environment_has_everything():
    assert list(lacks()) == []


def test_what_is_missing_or_old_is_told():
    needs = {"django": "99.1", "nosuch_module": "1", "psutil": "5.9", "IPython": "1.10"}
    old, missing = lacks(needs)
    assert old.startswith("django ")
    assert old.endswith(", and the course needs 99.1 or newer")
    assert missing == "no nosuch_module"


def test_it_asks_for_what_pyproject_names():
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ranges = {each.name.replace("-", "_"): each for each in map(Requirement, lines)}
    for module, least in NEEDS.items():
        name = {"PIL": "pillow"}.get(module, module.lower())
        assert not least or f">={least}" in str(ranges[name].specifier)


def test_without_django_the_import_says_so_and_nothing_else():
    source = "import sys; sys.modules['django'] = None; import asynclab"
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == f"asynclab.ground.environment.{BEGINS}no django{REMEDY}"


@pytest.fixture
def kernel_of(tmp_path, monkeypatch, leftovers):
    """Make an environment, and run cells in a kernel of it."""
    kernels = []

    def start(*requirements):
        python = make(tmp_path / "other", *requirements)
        spec = {"argv": [str(python), *LAUNCH], "display_name": "Other", "language": "python"}
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setattr(KernelSpecManager, "ensure_native_kernel", False)
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        kernels.append(Kernel(tmp_path))
        return kernels[-1].run

    yield start
    for kernel in kernels:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel()


LAUNCH = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]


def make(folder, *requirements):
    """An environment with these packages, without the kit; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python]
    try:
        subprocess.run([*install, *requirements], check=True, cwd=ROOT, env=own_temporary(folder))
    except subprocess.CalledProcessError:
        pytest.skip("the packages cannot be reached, or uv is not here")
    return python


def own_temporary(folder):
    return os.environ | {"TMPDIR": str(folder)}


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("requirements", "says"),
    [
        (["ipykernel"], "no anywidget; it has no asgiref; it has no django; it has no ipywidgets"),
        (["ipykernel", "django==4.2.*", "psutil"], "django 4.2."),
        (["ipykernel<7", "ipython==8.10.*"], "IPython 8.10."),
    ],
    ids=["no Django", "old Django", "old IPython"],
)
def test_the_first_cell_says_what_the_environment_lacks(kernel_of, requirements, says):
    outcome = kernel_of(*requirements)(BOOT)
    assert outcome.error.startswith(BEGINS)
    assert says in outcome.error
    assert outcome.error.endswith(REMEDY)
    assert outcome.traceback == outcome.error
