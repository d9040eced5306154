"""Refuses to import the kit in an environment that lacks a package the kit needs."""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from .errors import LabError

NEEDS = {
    "anywidget": "0.9.18",
    "asgiref": "3.12.1",
    "django": "5.2",
    "ipykernel": "6.31",
    "IPython": "8.18",
    "ipywidgets": "8.1",
    "jupyter_client": "8.1",
    "PIL": "",
    "platformdirs": "4",
    "psutil": "6",
}
"""The least version of each module's distribution, as in pyproject.toml; "" where names differ."""


class WrongEnvironment(LabError, ImportError):
    """This Python lacks a package that the kit needs, or has one that is too old."""


def lacks(needs: Mapping[str, str] = NEEDS) -> Iterator[str]:
    """Say in words which packages this environment lacks, or has in a version that is too old."""
    for module, least in needs.items():
        if find_spec(module) is None:
            yield f"no {module}"
        elif least and (found := _installed(module)) and _numbers(found) < _numbers(least):
            yield f"{module} {found}, and the course needs {least} or newer"


def _installed(module: str) -> str:
    try:
        return version(module)
    except PackageNotFoundError:
        return ""  # not installed as a distribution, so its version is unknown


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


if missing := list(lacks()):
    raise WrongEnvironment(
        f"This kernel runs in another environment: it has {'; it has '.join(missing)}. "
        "Choose the kernel that `python3 start.py lab` offers, or install requirements.txt here."
    )
