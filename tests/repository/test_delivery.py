"""What delivers the course does all its steps: postBuild, the workflow, the hooks of pre-commit."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from asynclab.authoring.notebooks import FOLDERS, find
from tests.harness.checkout import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# ---------------------------------------------------------------- postBuild

COPIED = ("your_copy/exercises/00_a.ipynb", "your_copy/notebooks/00_a.ipynb")
NOTES = '#!/bin/sh\necho "$(basename "$0") $*" >> "$NOTED"\nexit ${STATUS:-0}\n'


@pytest.fixture(scope="module")
def post_build(tmp_path_factory):
    """Runs postBuild in a copy with programs that only note how they were called."""
    folder = tmp_path_factory.mktemp("image")
    checkout = folder / "course"
    names = [path.relative_to(ROOT) for path in find(*FOLDERS)]
    for name in [*names, *map(Path, COPIED)]:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).touch()
    shutil.copy(ROOT / "postBuild", checkout)
    (folder / "programs").mkdir()
    for name in ("python", "jupyter"):
        program = folder / "programs" / name
        program.write_text(NOTES)
        program.chmod(0o755)

    def run(**more):
        noted = folder / "noted"
        noted.write_text("")
        path = f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "NOTED": str(noted), **more}
        done = subprocess.run(["bash", checkout / "postBuild"], env=env, cwd=folder, check=False)
        return done.returncode, noted.read_text().splitlines()

    return run


def test_post_build_takes_every_step_in_its_order(post_build):
    status, (*steps, trust) = post_build()
    assert status == 0
    assert steps == [
        "python -m pip install --no-deps -e .",
        "python -m asynclab.ground.labconfig",
        "python -m asynclab.workspace",
    ]
    own = [path.relative_to(ROOT).as_posix() for path in find(*FOLDERS)]
    assert trust.split()[:2] == ["jupyter", "trust"]
    assert sorted(trust.split()[2:]) == sorted([*own, *COPIED])


def test_a_step_of_post_build_that_fails_ends_it(post_build):
    status, steps = post_build(STATUS="3")
    assert (status, len(steps)) == (3, 1)


# ---------------------------------------------------------------- the workflow

ALWAYS = {"all-checks", "macos", "stacks", "audit"}
NIGHT = "github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'"


def test_the_workflow_runs_on_every_change_and_every_night():
    triggers = WORKFLOW[True]  # YAML reads the key `on` as true
    assert triggers["push"] == {"branches": ["main"]}
    assert triggers["pull_request"] is None, "of every kind, to every branch"
    assert [re.fullmatch(r"\d+ \d+ \* \* \*", each["cron"]) for each in triggers["schedule"]] != []
    assert triggers.keys() == {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW.keys() == {"name", True, "permissions", "jobs"}


@pytest.mark.parametrize("name", sorted(WORKFLOW["jobs"]))
def test_a_job_checks_out_and_runs_and_may_fail(name):
    job = WORKFLOW["jobs"][name]
    steps = job["steps"]
    assert steps[0] == {"uses": "actions/checkout@v4"}
    assert job.keys() <= {"if", "runs-on", "timeout-minutes", "strategy", "steps"}
    assert job.get("if") == (None if name in ALWAYS else NIGHT)
    assert job.get("strategy", {}).get("fail-fast", False) is False
    assert 0 < job["timeout-minutes"] <= 120
    ran = [step for step in steps if "run" in step]
    assert ran
    assert [step for step in ran if step.keys() != {"run"}] == [], "always, and it counts"
    assert [step["run"] for step in ran if re.search(r"\|\||&&|;|exit|set \+e", code(step))] == []


def code(step):
    """What a step runs, without the workflow's own expressions."""
    return re.sub(r"\$\{\{.*?\}\}", "", step["run"])


def test_a_mac_runs_all_but_what_needs_a_browser_or_the_night():
    assert WORKFLOW["jobs"]["macos"]["steps"][-1] == {
        "run": 'python3 start.py test -m "not browser and not nightly"'
    }


def test_ci_run_stops_at_the_first_failure_and_skips_nothing():
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert {
        "set -euo pipefail",
        "export CI=true # here nothing may be skipped for want of a network",
    } <= set(lines)
    assert not [line for line in lines if re.search(r"\|\||set \+e|exit", line)]


# ---------------------------------------------------------------- pre-commit

RUN = {hook["id"]: hook for repo in HOOKS["repos"] for hook in repo["hooks"]}


def test_the_hooks_are_run_on_what_they_are_for():
    assert [repo["repo"] for repo in HOOKS["repos"]] == ["local"]
    assert HOOKS.keys() == {"repos"}
    assert RUN.keys() == {"ruff", "ruff-format", "exercises"}
    allowed = {"id", "name", "entry", "language", "types_or", "files", "pass_filenames"}
    for hook in RUN.values():
        assert hook.keys() <= allowed, "no stage, and nothing left out"
        assert hook["language"] == "system"
    for name in ("ruff", "ruff-format"):
        assert set(RUN[name]["types_or"]) == {"python", "pyi", "jupyter"}
        assert "pass_filenames" not in RUN[name]
    files = [path.relative_to(ROOT).as_posix() for path in find("solutions", "exercises")]
    assert [name for name in files if not re.search(RUN["exercises"]["files"], name)] == []


@pytest.fixture
def hooked(tmp_path):
    """Runs a hook as pre-commit does, in a checkout that has what the test puts into it."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / "start.py").touch()

    def run(name, *files, cwd=tmp_path):
        entry = RUN[name]["entry"].split()
        assert entry[0] == ".venv/bin/python"
        done = subprocess.run(
            [sys.executable, *entry[1:], *files], cwd=cwd, check=False, capture_output=True
        )
        return done.returncode

    return run


def test_the_hooks_of_ruff_find_and_repair(hooked, tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text('print("Emma")\n')
    bad.write_text("import os\nprint( 'Emma' , undefined)\n")
    assert [hooked("ruff", good), hooked("ruff-format", good)] == [0, 0]
    assert hooked("ruff", bad) == 1
    assert hooked("ruff-format", bad) == 0
    assert bad.read_text() == 'print("Emma", undefined)\n', "repaired, and so pre-commit fails"


def test_the_hook_of_the_exercises_looks_at_each_of_them():
    entry = RUN["exercises"]["entry"].split()
    said = subprocess.run(
        [sys.executable, *entry[1:], "--collect-only"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert [
        path.name for path in find("exercises") if f"as_generated[{path.name}]" not in said
    ] == []
    assert RUN["exercises"]["pass_filenames"] is False


# ---------------------------------------------------------------- the version


def test_the_changelog_begins_with_the_version_that_is_installed():
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert re.fullmatch(
        rf"{re.escape(PROJECT['version'])} \((unreleased|\d{{4}}-\d\d-\d\d)\)", headings[0]
    ), f"{headings[0]!r} is not {PROJECT['version']}"
    versions = [tuple(map(int, each.split(" ")[0].split("."))) for each in headings]
    assert versions == sorted(set(versions), reverse=True)
    assert len(re.findall("unreleased", "".join(headings))) <= 1


def test_the_licence_is_the_one_that_is_named():
    """Word for word but for whose it is, as in the licence of Django, which is the same."""
    (file,) = PROJECT["license-files"]
    assert PROJECT["license"] == "BSD-3-Clause"
    text = (ROOT / file).read_text(encoding="utf-8")
    assert clauses(text) == clauses(distribution("django").read_text("licenses/LICENSE"))
    readme = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    assert f"[{PROJECT['license']} licence]({file})" in readme


def clauses(licence):
    """The words of a BSD licence, without numbers, names and marks of lists."""
    words = licence[licence.index("Redistribution and use") :].lower().split()
    text = " ".join(re.sub(r"^(?:\d\.|\*)$", "", word) for word in words)
    plain = " ".join(text.split()).replace("copyright owner", "copyright holder")
    return re.sub(r"neither the name of .*? nor the names", "neither nor", plain)


def test_what_people_make_stays_out_of_the_history():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {
        ".venv/",
        "your_copy/",
        ".progress/",
        "*.sqlite3",
        "__pycache__/",
        "test-results/",
    } <= set(ignored)
