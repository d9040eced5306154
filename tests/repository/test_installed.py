"""The kit where start.py did not install it: by conda's steps, and as a wheel in a bare project."""

import json
import os
import re
import subprocess
import sys
import zipfile

import pytest

from tests.harness.checkout import ROOT, copy_checkout

UV = (sys.executable, "-m", "uv")

# Cells in a kernel; what each printed, showed and raised comes back as JSON.
WORK = """
import json, sys
from tests.harness.cells import Kernel
kernel = Kernel(sys.argv[1], stacks=sys.argv[2])
ran = [kernel.run(cell) for cell in sys.argv[3:]]
kernel.stop()
print(json.dumps([[each.printed, each.shown, each.value, each.error] for each in ran]))
"""


@pytest.fixture(scope="module", autouse=True)
def network():
    """Packages have to be fetched: without a network these tests are skipped, and in CI fail."""
    outcome = subprocess.run(
        [*UV, "pip", "compile", "-q", "--no-cache", "-"],
        input="hatchling\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        why = "the packages cannot be reached, so nothing can be installed"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


def environment(python, **more):
    """The environment of a shell that has activated another virtual environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "ASYNCLAB", "DJANGO_"))
    }
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    return kept | {"PATH": path, "VIRTUAL_ENV": str(python.parents[1])} | more


def run(*command, env=None, cwd=None):
    """Run a command that must succeed, and return what it printed."""
    outcome = subprocess.run(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout
    return outcome.stdout


def bare(folder, *options):
    """A virtual environment with nothing in it; returns its Python."""
    run(*UV, "venv", "-q", "--python", sys.executable, *options, folder)
    return folder / "bin" / "python"


# ---------------------------------------------------------------- the hashes of the locks


def test_the_registry_has_every_file_that_the_locks_take(tmp_path):
    """Each hash is one of its files: uv is asked for the same versions, and told no hash."""
    largest = (ROOT / "requirements-benchmark.txt").read_text(encoding="utf-8")
    (tmp_path / "pins.txt").write_text(
        "\n".join(re.findall(r"^[a-z0-9][^\\\n]*", largest, re.I | re.M))
    )
    command = largest.splitlines()[1].removeprefix("#    uv ").split()
    command[command.index("-c") :] = ["-c", tmp_path / "pins.txt", ROOT / "pyproject.toml", "-q"]
    taken = set(re.findall(r"sha256:\S+", largest))
    assert len(taken) > 500
    assert sorted(taken - set(re.findall(r"sha256:\S+", run(*UV, *command)))) == []


# ---------------------------------------------------------------- conda, Binder, JupyterHub


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A checkout and a Python after the steps of environment.yml and postBuild, without conda."""
    folder = tmp_path_factory.mktemp("image")
    checkout = copy_checkout(folder / "course")
    python = bare(folder / "environment", "--seed")
    lock = checkout / "requirements.txt"
    run(*UV, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", lock)
    run("bash", checkout / "postBuild", env=environment(python, HOME=str(folder)))
    return checkout, python, folder


def test_the_readmes_check_passes_in_an_image(image):
    checkout, python, home = image
    command = "pytest --nbval notebooks solutions"
    assert command in (checkout / "README.md").read_text()
    for path in [*checkout.glob("notebooks/*.ipynb"), *checkout.glob("solutions/*.ipynb")]:
        if not path.name.startswith("00_"):
            path.unlink()  # they are run by nbval elsewhere
    said = run(*command.split(), env=environment(python, HOME=str(home)), cwd=checkout)
    assert " passed" in said
    lesson = next(checkout.glob("notebooks/00_*"))
    lesson.write_text(lesson.read_text().replace("Django is set up.", "Django is not set up."))
    lessons = command.removesuffix(" solutions").split()
    with pytest.raises(AssertionError, match="1 failed"):
        run(*lessons, env=environment(python, HOME=str(home)), cwd=checkout)


def test_an_image_has_a_copy_to_work_in(image):
    checkout, python, home = image
    made = sorted(path.name for path in checkout.glob("your_copy/*/*.ipynb"))
    assert "00_start_here.ipynb" in made
    assert "00_exercises_start_here.ipynb" in made
    lesson = checkout / "your_copy" / "notebooks" / "00_start_here.ipynb"
    said = run(python, "-m", "jupyter", "trust", lesson, env=environment(python, HOME=str(home)))
    assert "already signed" in said


def test_a_kernel_of_an_image_tells_of_the_first_cell(image, tmp_path):
    _, python, home = image
    [[printed, *_]] = work(python, tmp_path, "await check('0.1')", HOME=str(home))
    assert printed.startswith("This kernel has not run the notebook's first code cell.")


# ---------------------------------------------------------------- a wheel, in a project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The kit as a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run(*UV, "build", "-q", "--wheel", "-o", folder, copy_checkout(folder / "course"))
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def project(wheel, tmp_path_factory):
    """A project of one's own, and the Python of its environment: Django and the kit."""
    folder = tmp_path_factory.mktemp("mine")
    python = bare(folder / "environment")
    run(*UV, "pip", "install", "-q", "--python", python, wheel)
    run(python, "-m", "django", "startproject", "mysite", folder)
    run(python, "manage.py", "migrate", cwd=folder)
    return folder, python


def work(python, folder, *cells, **more):
    """Run cells in a kernel of this Python; return what each printed, showed, its value, error."""
    command = [python, "-c", WORK, folder, folder / "stacks.txt", *cells]
    # The tests' own modules, and not the kit beside them: it has to come from the wheel.
    path = folder / "path"
    path.mkdir(exist_ok=True)
    if not (path / "tests").exists():
        (path / "tests").symlink_to(ROOT / "tests")
    said = run(*command, env=environment(python, PYTHONPATH=str(path), **more))
    return json.loads(said.splitlines()[-1])


def test_the_wheel_holds_the_whole_kit_and_nothing_else(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = run("git", "ls-files", "-co", "--exclude-standard", "asynclab", cwd=ROOT).split()
    assert packed == {name for name in listed if (ROOT / name).exists()}
    assert {"asynclab/lanes/live.js", "asynclab/lanes/live.css"} <= packed


def test_the_kit_works_in_a_bare_project(project):
    folder, python = project
    query = "[user.username async for user in get_user_model().objects.all()]"
    loaded, booted, _, recorded, plain = work(
        python,
        folder,
        "%load_ext asynclab\nfrom asynclab import boot",
        "boot('mysite.settings')",
        "from django.contrib.auth import get_user_model",
        f"%%lanes\n{query}",
        "%%thread\nget_user_model().objects.count()",
    )
    assert loaded == ["", [], None, ""]
    assert booted[0] == "Django is set up with mysite.settings. Its data is untouched.\n"
    assert recorded[2] == "[]"
    assert "SELECT auth_user" in recorded[1][0]
    assert plain[2] == "0"


def test_nothing_of_jupyterlab_comes_with_it(project):
    _, python = project
    listed = run(*UV, "pip", "list", "-q", "--python", python, "--format=json")
    names = {each["name"] for each in json.loads(listed)}
    assert {"asynclab", "django", "ipykernel", "ipywidgets"} <= names
    assert not names & {"jupyterlab", "jupyter-server", "notebook", "nbformat", "pytest"}


def test_what_only_a_checkout_has_is_named_in_a_line(project):
    folder, python = project
    _, booted, solved, hinted, copied = work(
        python,
        folder,
        "from asynclab import boot, hint, solution",
        "boot()",
        "solution('0.1')",
        "hint('0.1')",
        "!python -m asynclab.workspace",
        XDG_DATA_HOME=str(folder / "data"),
    )
    assert booted[3].startswith("BootError: There is no demo_project beside the asynclab package.")
    assert solved[3].startswith("LabError: The solutions of lesson 00 are not at hand")
    assert hinted[2].startswith("Hint 1 of")
    assert "Run this in a checkout of the course." in copied[0]
    packages = folder / "environment" / "lib"
    assert list(packages.glob("*/site-packages/.progress")) == []
    assert (folder / "data" / "asynclab" / "progress.json").exists()
