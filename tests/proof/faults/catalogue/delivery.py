"""What can go wrong where the course is handed over: locks, postBuild, the workflow, the hooks."""

from tests.proof.faults.edits import both, text
from tests.proof.faults.planting import Fault

ENVIRONMENT = "tests/repository/test_environment.py::test_"
DELIVERY = "tests/repository/test_delivery.py::test_"
STEPS = (f"{DELIVERY}post_build_takes_every_step_in_its_order",)
JOB = f"{DELIVERY}a_job_checks_out_and_runs_and_may_fail"
HOOKS = (f"{DELIVERY}the_hooks_are_run_on_what_they_are_for",)
WORKFLOW = ".github/workflows/test.yml"
MAC = "runs-on: macos-latest\n    timeout-minutes: 30\n    steps:\n"
HASH = "59bb03251907983d1603d27c3087ddb1e93299ea2163adcdba37899a4fb12ffb"
"""Of anyio, the first in each lock."""
LOCKS = ("requirements.txt", "requirements-test.txt", "requirements-benchmark.txt")

FAULTS = [
    Fault(
        "hashes-not-asked-for",
        "hashes",
        text("start.py", '"--require-hashes", "-r"', '"-r"'),
        (f"{ENVIRONMENT}what_is_installed_has_to_have_its_hash",),
        ("'--require-hashes' in",),
    ),
    Fault(
        "hash-wrong-in-one-lock",
        "hashes",
        text("requirements.txt", HASH, HASH[::-1]),
        (f"{ENVIRONMENT}the_locks_agree",),
        ("anyio==",),
    ),
    Fault(
        "hash-left-out-of-one-lock",
        "hashes",
        text("requirements-test.txt", f" \\\n    --hash=sha256:{HASH}", ""),
        (f"{ENVIRONMENT}the_locks_agree",),
        ("anyio==",),
    ),
    Fault(
        "hash-wrong-in-every-lock",
        "hashes",
        both(*(text(lock, HASH, HASH[::-1]) for lock in LOCKS)),
        (
            "tests/repository/test_installed.py::test_the_registry_has_every_file_that_the_locks_take",
        ),
        (HASH[::-1][:20],),
    ),
    Fault(
        "hash-cut-short",
        "hashes",
        both(*(text(lock, HASH, HASH[:-1]) for lock in LOCKS)),
        (f"{ENVIRONMENT}every_pin_has_its_hashes_and_no_host_is_named",),
        ("anyio==",),
    ),
    Fault(
        "lock-that-another-command-writes",
        "hashes",
        text("requirements.txt", "--python-version 3.11", "--python-version 3.12"),
        (f"{ENVIRONMENT}a_lock_names_the_command_that_writes_it",),
        ("3.12",),
    ),
    Fault(
        "post-build-without-a-copy",
        "postBuild",
        text("postBuild", "python -m asynclab.workspace\n", ""),
        STEPS,
        ("python -m asynclab.workspace",),
        fast=True,
    ),
    Fault(
        "post-build-trusts-no-solution",
        "postBuild",
        text("postBuild", "exercises,solutions,", "exercises,"),
        STEPS,
        ("solutions/00_exercises_start_here.ipynb",),
    ),
    Fault(
        "post-build-goes-on-after-a-failure",
        "postBuild",
        text("postBuild", "set -euo pipefail\n", ""),
        (f"{DELIVERY}a_step_of_post_build_that_fails_ends_it",),
        ("(3, 4) == (3, 1)",),
    ),
    Fault(
        "job-that-never-runs",
        "the workflow",
        text(WORKFLOW, "  macos:\n", "  macos:\n    if: false\n"),
        (f"{JOB}[macos]",),
        ("False == None",),
    ),
    Fault(
        "step-that-cannot-fail",
        "the workflow",
        text(WORKFLOW, "- run: python3 start.py test\n", "- run: python3 start.py test || true\n"),
        (f"{JOB}[all-checks]",),
        ("python3 start.py test || true",),
    ),
    Fault(
        "step-that-may-fail",
        "the workflow",
        text(
            WORKFLOW,
            "start.py ${{ matrix.command }}\n",
            "start.py ${{ matrix.command }}\n        continue-on-error: true\n",
        ),
        (f"{JOB}[proof]",),
        ("always, and it counts",),
    ),
    Fault(
        "job-on-nothing",
        "the workflow",
        text(
            WORKFLOW,
            f"{MAC}      - uses: actions/checkout@v4\n",
            MAC,
        ),
        (f"{JOB}[macos]",),
        ("actions/checkout@v4",),
    ),
    Fault(
        "workflow-not-on-a-pull-request",
        "the workflow",
        text(WORKFLOW, "  pull_request:\n", "  pull_request:\n    paths: [docs/**]\n"),
        (f"{DELIVERY}the_workflow_runs_on_every_change_and_every_night",),
        ("docs/**",),
    ),
    Fault(
        "hook-on-no-file",
        "pre-commit",
        text(".pre-commit-config.yaml", "^(solutions|exercises)/", "^(solution|exercise)/"),
        HOOKS,
        ("exercises/00_exercises_start_here.ipynb",),
    ),
    Fault(
        "hook-by-hand-only",
        "pre-commit",
        text(
            ".pre-commit-config.yaml",
            "        name: ruff format\n",
            "        name: ruff format\n        stages: [manual]\n",
        ),
        HOOKS,
        ("no stage, and nothing left out",),
    ),
    Fault(
        "hook-that-looks-at-nothing",
        "pre-commit",
        text(".pre-commit-config.yaml", "--force-exclude --fix", "--force-exclude --exit-zero"),
        (f"{DELIVERY}the_hooks_of_ruff_find_and_repair",),
        ("assert 0 == 1",),
    ),
    Fault(
        "hook-that-selects-no-test",
        "pre-commit",
        text(".pre-commit-config.yaml", "-k as_generated", "-k every_solution"),
        (f"{DELIVERY}the_hook_of_the_exercises_looks_at_each_of_them",),
        ("00_exercises_start_here.ipynb",),
    ),
    Fault(
        "changelog-behind-the-version",
        "the version",
        text("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"'),
        (f"{DELIVERY}the_changelog_begins_with_the_version_that_is_installed",),
        ("is not 0.2.0",),
    ),
    Fault(
        "another-licence",
        "the version",
        text("pyproject.toml", 'license = "BSD-3-Clause"', 'license = "MIT"'),
        (f"{DELIVERY}the_licence_is_the_one_that_is_named",),
        ("'MIT'",),
    ),
]
