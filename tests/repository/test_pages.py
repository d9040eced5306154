"""The pages beside the notebooks name commands, files, folders and versions that are there.

Each piece of code in them is understood by one of the rules below, or named in `OTHERS`: what no
rule knows may be a slip of the pen.
"""

import builtins
import importlib.util
import inspect
import keyword
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from io import StringIO

import pytest
import yaml
from packaging.requirements import Requirement
from repo2docker.__main__ import argparser as repo2docker

import asynclab
import start
from asynclab import boot, testing, workspace
from asynclab.authoring import __main__ as authoring
from asynclab.authoring import scripts
from asynclab.exercises.book import every_exercise
from asynclab.ledger import error_index
from tests.benchmarks import __main__ as bench
from tests.harness.checkout import ROOT
from tests.harness.one_lesson import lessons
from tests.proof import matrix, rootfolder
from tests.proof.faults.__main__ import chosen as faults_named
from tests.proof.mutants.__main__ import parser as mutants

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEMO = ROOT / "demo_project"
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
}
BLOCK = re.compile(r"^    (\S.*)$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
MAP = re.compile(r"^    (\w+)/ +\S", re.MULTILINE)

# What needs no look-up: pieces of the README's sentences, words of a notebook, and of Django's.
OTHERS = {
    *("%%capture", "%%time", "### BEGIN SOLUTION", "### END SOLUTION", ".venv/bin", "TODO", "ID"),
    *("call.error", "call.value", "expect=", "call = await given.call(...)", "errors", "reason"),
    *('"claim": "U4"', '"section": "core"', '"deeper"', "claim-U4", "raises-exception", "lowest"),
    *("f", "await sync_to_async(f)()", "async def", "check --deploy", "async_to_sync"),
    *("SynchronousOnlyOperation", "CancelledError", "%load_ext asynclab", "%%lanes", "%%thread"),
    *("%%module", "is_beside()", "queries(call)", "EQUIVALENT", ".venv", "lab"),
    *(
        "DJANGO_SETTINGS_MODULE",
        "CONN_MAX_AGE",
        "handler500",
        "CommonMiddleware",
        "Content-Length",
        "client",
        "close_pool()",
    ),
}


def pieces(page: str) -> set[str]:
    """The code of a page: what stands in backticks, and the lines of its blocks."""
    text = PAGES[page]
    lines = {
        re.split(r" {2,}#? ?", line)[0]
        for line in BLOCK.findall(text)
        if not MAP.match(f"    {line}")
    }
    also = set(re.findall(r"# or: (.+)", text))
    return {*CODE.findall(re.sub(r"^    .*$", "", text, flags=re.MULTILINE)), *lines, *also}


# ---------------------------------------------------------------- the rules


def understood(piece: str) -> bool:
    """Whether a piece of code is one that works here; `False` also if no rule knows it."""
    words = shlex.split(piece) if piece.count('"') % 2 == 0 else piece.replace('"', "").split()
    match [word.removeprefix(".venv/bin/") for word in words]:
        case ["python3", "start.py", *rest] | ["start.py", *rest]:
            return starts(*rest)
        case ["test", "-m", mark]:
            return starts("test", "-m", mark)
        case ["matrix", row]:
            return starts("matrix", row)
        case ["python", "-m", "asynclab.authoring", *rest] | ["...", *rest]:
            return authors(rest)
        case ["python", "-m", module, *rest]:
            return importlib.util.find_spec(module) is not None and resets(rest)
        case ["manage.py", *rest] | ["python", "demo_project/manage.py", *rest]:
            return manages(*rest)
        case ["uvicorn", "--app-dir", folder, application]:
            module, _, name = application.partition(":")
            path = ROOT / folder / f"{module.replace('.', '/')}.py"
            return f"\n{name} = " in path.read_text(encoding="utf-8")
        case ["conda", "env", "create", "-f", name]:
            return (ROOT / name).is_file()
        case ["conda", "activate", name]:
            return yaml.safe_load((ROOT / "environment.yml").read_text())["name"] == name
        case ["bash", script]:
            return (ROOT / script).is_file()
        case ["jupyter", "lab", folder]:
            return folder == workspace.COURSE.joinpath("your_copy").name == start.YOUR_COPY
        case ["pytest", "--nbval", *folders]:
            return all((ROOT / folder).is_dir() for folder in folders)
        case ["pip", "install", "-e", "path/to/the/clone"] | ["pre-commit", "install"]:
            return True
        case ["pip", "install", wanted]:
            return wanted.split(" @ ")[0] == PROJECT["project"]["name"]
        case ["repo2docker", option, _]:
            return any(option in action.option_strings for action in repo2docker._actions)
    if piece.startswith("https://mybinder.org/"):
        return True  # test_readme.py looks where it leads
    return is_path(piece) or is_setting(piece) or is_python(piece)


def starts(command: str = "", *rest: str) -> bool:
    """Whether start.py takes this."""
    if command not in start.COMMANDS:
        return False
    match command, rest:
        case _, ():
            return True
        case "reset", names:
            return resets(["reset", *names])
        case "test", ("-m", mark):
            known = PROJECT["tool"]["pytest"]["ini_options"]["markers"]
            return mark in [each.partition(":")[0] for each in known]
        case "test", (number,) if number.isdigit():
            return int(number) in lessons()
        case "test", (path, *options):
            return is_path(path) and options in ([], ["-k", "[6."])
        case "matrix", names:
            return bool(quietly(matrix.read, list(names)))
        case "bench", names:
            return bool(quietly(bench.read, list(names)))
        case "faults", names:
            return bool(faults_named([name.replace("-06", "-05") for name in names], fast=False))
        case "mutants", names:
            return bool(quietly(mutants().parse_args, list(names)))
        case "flakes", (times,):
            return times.isdigit()
    return False


def authors(arguments: list[str]) -> bool:
    """Whether an author's command takes this, and its notebooks are there or are to be written."""
    paths = [each for each in arguments if "/" in each]
    there = all(list(ROOT.glob(path)) or "/06_" in path for path in paths)
    return there and bool(quietly(authoring._parser().parse_args, arguments))


def resets(arguments: list[str]) -> bool:
    known = workspace.notebooks(ROOT / start.YOUR_COPY)
    return all(workspace.one_of(known, name) for name in arguments[1:])


def manages(command: str, *rest: str) -> bool:
    """Whether the demo project has a command, the fixture that it loads, the app that it tests."""
    fixtures = [path.stem for path in DEMO.glob("*/fixtures/*.json")]
    apps = [path.parent.name for path in DEMO.glob("*/apps.py")]
    belongs = {"loaddata": fixtures, "test": apps}.get(command, rest)
    return command in commands() and set(rest) <= set(belongs)


@cache
def commands() -> list[str]:
    """The demo project's management commands."""
    asked = [sys.executable, "manage.py", "help", "--commands"]
    said = subprocess.run(asked, cwd=DEMO, capture_output=True, text=True, check=True)
    return said.stdout.split()


def quietly(function, *arguments):
    """What a function gives, or None if it refuses what it was given."""
    with redirect_stderr(StringIO()), redirect_stdout(StringIO()):
        try:
            return function(*arguments)
        except SystemExit:
            return None


def is_path(piece: str) -> bool:
    """Whether a file, or a folder with its slash, is there: from the root, or in the kit."""
    if piece in (f"{start.YOUR_COPY}/", "../notebooks/NN_name.ipynb#cell-id=ID"):
        return True
    name = piece.replace("lessonNN", "lesson05").replace("_...", "_*")
    roots = [ROOT, ROOT / "asynclab", ROOT / "solutions"]
    found = [path for root in roots if not name.startswith("/") for path in root.glob(name)]
    return any(path.is_dir() == piece.endswith("/") for path in found)


def is_setting(piece: str) -> bool:
    """Whether it is an option of `lab` or `matrix`, or a variable that the kit reads."""
    variable, assigned, _ = piece.partition("=")
    if assigned:
        return variable in (workspace.VARIABLE, asynclab.exercises.score.VARIABLE)
    options = [*start.lab_options()._option_string_actions, "--all", "--root-folder"]
    return piece in options


def is_python(piece: str) -> bool:
    """Whether all its names are words of the kit's, of Python or of a package that it takes."""
    code = re.sub(r"\"[^\"]*\"|^from asynclab(\.testing)? import ", "", piece)
    names = re.findall(r"[^\W\d]\w*", code)
    numbers = re.findall(r"\"(\d+\.\d+)\"", piece)
    python = {*dir(builtins), *keyword.kwlist, "python"}
    functions = testing.assert_at_most, boot
    takes = [name for each in functions for name in inspect.signature(each).parameters]
    words = {*asynclab.__all__, *testing.__all__, *takes, *python, *start.COMMANDS, *packages()}
    there = {exercise.number for exercise in every_exercise()}
    looked_up = re.findall(r"\berrors\(\"([^\"]+)\"\)", piece)
    found = all(error_index.search(each, error_index.known()) for each in looked_up)
    return bool(names) and set(names) <= words and set(numbers) <= there and found


@cache
def packages() -> set[str]:
    return {Requirement(each).name for each in PROJECT["project"]["dependencies"]}


@pytest.mark.parametrize("page", PAGES)
def test_every_piece_of_code_works(page):
    assert (
        sorted(each for each in pieces(page) if each not in OTHERS and not understood(each)) == []
    )


@pytest.mark.parametrize(
    "piece",
    [
        "python3 start.py tests",
        "python3 start.py test tests/kit/test_boots.py",
        "python3 start.py test -m night",
        "python3 start.py test 33",
        "python3 start.py reset 33",
        "python3 start.py matrix --every",
        "python3 start.py matrix 3.9/4.2",
        "... lints",
        ".venv/bin/python -m asynclab.authoring refresh notebooks/17_*.ipynb",
        ".venv/bin/python -m tests.repository.figures",
        "python demo_project/manage.py loaddata books",
        "python demo_project/manage.py test books",
        "uvicorn --app-dir demo_project config.asgi:app",
        "conda activate django",
        "conda env create -f environment.yaml",
        "bash postbuild.sh",
        "pytest --nbval notebook solutions",
        "repo2docker --target-dir /srv/course",
        "requirements-tests.txt",
        "asynclab/lessons/lessonsNN.py",
        "notebooks",
        "--port-number",
        "ASYNCLAB_COURSE=/home/jovyan/course",
        'await check("1.9")',
        "await cheque()",
        'errors("Event loop was closed")',
    ],
)
def test_what_does_not_work_is_noticed(piece):
    with suppress(KeyError, OSError, workspace.Trouble):  # a rule may say why
        assert not understood(piece)


# ---------------------------------------------------------------- the map


def folders(*within: str) -> set[str]:
    """The folders that hold Python or notebooks, below some of the checkout's."""
    found = ROOT.joinpath(*within).glob("*/")
    return {path.name for path in found if any(path.rglob("*.ipynb")) or any(path.glob("**/*.py"))}


def test_the_map_shows_every_folder_and_no_other():
    listed = MAP.findall(PAGES["CONTRIBUTING.md"])
    ours = {name for name in folders() if not name.startswith(".") and name != "build"}
    assert sorted(listed) == sorted({*ours, start.YOUR_COPY})


def test_every_folder_of_the_tests_is_explained():
    told = set(re.findall(r"`tests/(\w+)/`", PAGES["CONTRIBUTING.md"]))
    assert told == {name for name in folders("tests") if name != "__pycache__"}


@pytest.mark.parametrize("name", sorted(folders("tests") - {"__pycache__"}))
def test_what_is_said_of_a_folder_of_the_tests_is_what_it_says_itself(name):
    (told,) = re.findall(rf"`tests/{name}/`([^`]+)", PAGES["CONTRIBUTING.md"])[:1]
    package = (ROOT / "tests" / name / "__init__.py").read_text(encoding="utf-8")
    assert stems(told) & stems(package.splitlines()[0]), (told, package)


def sentences(page: str) -> list[str]:
    return re.split(r"\n\n|(?<=[.:])\s+(?=[A-Z`])", PAGES[page])


KIT_MODULE = re.compile(r"`((?:exercises|recorder|lanes|boot)/\w+\.py)`")


@pytest.mark.parametrize("name", sorted({*KIT_MODULE.findall(PAGES["CONTRIBUTING.md"])}))
def test_what_is_said_of_a_module_of_the_kit_is_what_it_says_itself(name):
    (told, *_) = [each for each in sentences("CONTRIBUTING.md") if f"`{name}`" in each]
    module = (ROOT / "asynclab" / name).read_text(encoding="utf-8")
    assert stems(told) & stems(module.splitlines()[0]), (told, module.splitlines()[0])


def stems(text: str) -> set[str]:
    """How its words begin: "measures" and "measured" are one."""
    return {word[:5] for word in re.findall(r"[a-z]{3,}", text.lower())} - {"the", "what", "and"}


# ---------------------------------------------------------------- versions and numbers


def pythons() -> list[str]:
    promised = "Programming Language :: Python :: 3."
    classifiers = PROJECT["project"]["classifiers"]
    return [each.rpartition(" ")[2] for each in classifiers if each.startswith(promised)]


@pytest.mark.parametrize("page", PAGES)
def test_a_version_of_python_is_one_of_the_courses(page):
    assert set(re.findall(r"\bPython (\d\.\d+)", PAGES[page])) <= set(pythons())


def test_the_oldest_python_is_the_one_that_is_required():
    (oldest,) = re.findall(r"^With Python (\S+) or newer", PAGES["README.md"], re.MULTILINE)
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert oldest in start.__doc__
    required = f"sys.version_info < ({oldest.replace('.', ', ')})"
    assert required in (ROOT / "start.py").read_text(encoding="utf-8")


def test_the_pythons_that_debian_has_are_named():
    assert f"Python {' and '.join(rootfolder.PYTHONS)} from Debian" in PAGES["CONTRIBUTING.md"]


def test_the_versions_of_what_the_course_is_tested_on_are_the_ranges():
    text = PAGES["CONTRIBUTING.md"]
    (lowest,) = re.findall(r"ipykernel (\d+\.\d+) and 7\b", text)
    assert f"ipykernel>={lowest}" in PROJECT["project"]["dependencies"]
    assert re.findall(r"`matrix (\S+)`", text)[0] in [row.name for row in matrix.ROWS]
    assert "; three locks," in text
    assert len(list(ROOT.glob("requirements*.txt"))) == 3


def test_what_a_lock_adds_is_said_of_the_lock_with_its_name():
    told = re.findall(r"`requirements-(\w+)\.txt`\s+\w+\s+the\s+(\w+)", PAGES["CONTRIBUTING.md"])
    extras = PROJECT["project"]["optional-dependencies"].keys() - {"lab"}
    assert dict(told) == {each: each for each in extras}


def test_the_length_of_a_claims_script_is_the_one_that_is_held():
    (told,) = re.findall(r"at most (\d+) lines, with Django", PAGES["CONTRIBUTING.md"])
    assert int(told) == scripts.MOST_LINES


def test_the_readme_names_every_option_of_lab():
    (told,) = re.findall(r"^`lab` takes (.+?)\.", PAGES["README.md"], re.MULTILINE)
    options = set(start.lab_options()._option_string_actions) - {"-h", "--help"}
    assert set(CODE.findall(told)) == options


def test_the_commands_of_an_author_are_all_told():
    listed = set(
        re.findall(r"^python -m asynclab.authoring (\w+)", asynclab.authoring.__doc__, re.M)
    )
    assert listed == {"new", *authoring._OVER_NOTEBOOKS}
    named = re.findall(r"(?:\.\.\.|-m asynclab\.authoring) (\w+)", PAGES["CONTRIBUTING.md"])
    assert set(named) == listed


def test_as_many_wrong_answers_are_asked_for_as_the_gate_asks_for():
    gate = (ROOT / "tests/lessons/test_gate.py").read_text(encoding="utf-8")
    (held,) = re.findall(r"fewer than (\w+) wrong answers", gate)
    assert re.findall(r"at least (\w+) wrong answers", PAGES["CONTRIBUTING.md"]) == [held]
