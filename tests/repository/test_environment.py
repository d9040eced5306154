"""The files that say what gets installed say the same: ranges, locks, conda, Binder, CI."""

import os
import re
import subprocess
import tomllib
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from repo2docker.buildpacks.conda import CondaBuildPack

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
JOBS = WORKFLOW["jobs"]
CLASSIFIERS = PROJECT["classifiers"]
EXTRAS = PROJECT["optional-dependencies"]

COURSE = PROJECT["dependencies"] + EXTRAS["lab"]
# Each lock, and the ranges that it answers.
LOCKS = {
    "requirements.txt": COURSE,
    "requirements-test.txt": COURSE + EXTRAS["test"],
    "requirements-benchmark.txt": COURSE + EXTRAS["test"] + EXTRAS["benchmark"],
}


def pins(text):
    """The `name==version ; marker` lines of a lock, as requirements."""
    lines = [line.rstrip("\\ ") for line in text.splitlines() if re.match(r"[a-z0-9]", line, re.I)]
    return [Requirement(line) for line in lines]


def read(lock):
    return pins((ROOT / lock).read_text())


def unanswered(ranges, locked):
    """The ranges that no pin answers, or that a pin of the same name breaks."""
    return [
        text
        for text in ranges
        if not (mine := [pin for pin in locked if pin.name == Requirement(text).name])
        or any(version(pin) not in Requirement(text).specifier for pin in mine)
    ]


def version(pin):
    (specifier,) = pin.specifier
    assert specifier.operator == "==", f"{pin} is not pinned"
    return specifier.version


def pythons():
    """The Python versions that pyproject promises, as "3.11"."""
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", c) for c in CLASSIFIERS)
    return {match[1] for match in found if match}


# ---------------------------------------------------------------- the locks


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_answers_every_range(lock):
    assert unanswered(LOCKS[lock], read(lock)) == []


def test_a_range_that_no_pin_answers_is_found():
    locked = pins("django==5.2.1 ; python_version < '3.12' \\\n    --hash=sha256:0\nidna==3\n")
    assert unanswered(["django>=5.2", "idna"], locked) == []
    assert unanswered(["django>=6", "idna", "missing"], locked) == ["django>=6", "missing"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes_and_no_host_is_named(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    blocks = re.split(r"\n(?=[a-z0-9])", text, flags=re.I)[1:]
    assert len(blocks) == len(read(lock)) > 50
    assert [block.partition("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_locks_agree():
    larger = {str(pin) for pin in read("requirements-test.txt")}
    assert {str(pin) for pin in read("requirements.txt")} <= larger
    assert larger <= {str(pin) for pin in read("requirements-benchmark.txt")}


def test_a_project_of_ones_own_need_not_take_jupyterlab():
    """A notebook of Jupyter's or VS Code's asks for no more than a kernel and its widgets."""
    names = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert {"ipykernel", "ipywidgets"} <= names
    assert not names & {"jupyterlab", "notebook", "nbval", "pytest", "nest-asyncio"}


def test_the_lock_serves_both_versions_of_django():
    locked = [pin for pin in read("requirements.txt") if pin.name == "django"]
    for python in pythons():
        here = {"python_full_version": f"{python}.1"}
        [found] = (version(pin) for pin in locked if pin.marker.evaluate(here))
        assert found.rpartition(".")[0] == ("5.2" if python == "3.11" else "6.1")


# ---------------------------------------------------------------- conda, Binder, CI


def test_conda_brings_a_promised_python_and_the_lock_and_nothing_else():
    python, pip, lines = CONDA["dependencies"]
    assert python.removeprefix("python=") in pythons()
    assert pip == "pip"
    assert lines == {"pip": ["-r requirements.txt"]}
    assert CONDA["channels"] == ["conda-forge"]


def test_post_build_adds_the_kit_beside_the_lock():
    script = ROOT / "postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    assert "pip install --no-deps -e ." in script.read_text()
    assert "==" not in script.read_text()


def test_binder_picks_up_the_environment_and_post_build():
    """repo2docker's own code, at a checkout, as it decides what goes into an image."""
    with chdir(ROOT):
        pack = CondaBuildPack(base_image="any")
        assert pack.detect()
        assert pack.environment_yaml_path == "environment.yml"
        assert f"python={pack.python_version}" in CONDA["dependencies"]
        steps = "\n".join(script for _, script in pack.get_assemble_scripts())
        assert '--file "environment.yml"' in steps, "the lock must be there when conda reads it"
        assert pack.get_post_build_scripts() == ["postBuild"]


def test_ci_runs_every_promised_python_with_the_two_commands():
    assert set(JOBS["all-checks"]["strategy"]["matrix"]["python"]) == pythons()
    assert runs("all-checks") == ["python3 start.py test"]
    assert "if" not in JOBS["all-checks"], "on every push"
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines[-2:] == ["python3 start.py test", 'python3 start.py matrix --root-folder "$@"']


def test_the_night_runs_every_proof():
    assert "schedule" in WORKFLOW[True], "YAML reads the key `on` as true"
    [command] = runs("stacks")
    assert command.startswith("python3 start.py matrix ${{ github.event_name == 'schedule' && ")
    assert command.endswith("'--all' || 'lowest' }}")
    assert set(installed("stacks")) == pythons()
    assert runs("proof") == ["python3 start.py ${{ matrix.command }}"]
    commands = JOBS["proof"]["strategy"]["matrix"]["command"]
    assert set(commands) == {"test -m nightly", "faults", "mutants", "flakes 20", "upgrade"}


def test_every_lock_is_audited():
    matrix = JOBS["audit"]["strategy"]["matrix"]
    assert matrix["lock"] == list(LOCKS)
    assert set(matrix["python"]) == {min(pythons()), max(pythons())}, "the markers choose by it"
    assert runs("audit")[-1].startswith("python -m pip_audit --strict --require-hashes")
    assert runs("audit")[-1].endswith(" -r ${{ matrix.lock }}")
    assert "if" not in JOBS["audit"], "on every push"


def installed(job):
    """The Pythons that setup-python gets for a job; the last one is its python3."""
    [step] = (step for step in JOBS[job]["steps"] if "setup-python" in step.get("uses", ""))
    return step["with"]["python-version"].split()


def runs(job):
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_the_promised_pythons_are_in_the_range():
    assert {"3.11", "3.15"} <= pythons()
    assert all(f"{python}.0" in SpecifierSet(PROJECT["requires-python"]) for python in pythons())
    assert "3.10.9" not in SpecifierSet(PROJECT["requires-python"])


def test_what_is_said_to_be_tested_is_what_is_promised():
    oldest, *_, newest = sorted(pythons(), key=lambda python: int(python[2:]))
    assert f"NEWEST_TESTED = (3, {newest[2:]})\n" in (ROOT / "start.py").read_text()
    span = f"Python {oldest} to {newest}, Django 5.2 and 6.1"
    for file in ("README.md", "CONTRIBUTING.md"):
        assert span in (ROOT / file).read_text(), file
    assert f"from {oldest} to {newest}" in (ROOT / "environment.yml").read_text()
