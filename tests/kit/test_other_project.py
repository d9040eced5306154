"""The kit on a Django project that is not the course's, with an app and data of its own."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tests.harness.cells import Kernel

MODELS = """\
from django.db import models


class Recipe(models.Model):
    title = models.CharField(max_length=50)

    def __str__(self):
        return self.title
"""
SEED = "from kitchen.models import Recipe; Recipe.objects.create(title='Bread')"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The folder of `mysite`, with an app, its migration, and one row."""
    folder = tmp_path_factory.mktemp("project")

    # A test that has booted the library in this process has named its settings.
    env = {name: v for name, v in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}

    def run(*command):
        command = [sys.executable, *command]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)

    run("-m", "django", "startproject", "mysite", ".")
    run("manage.py", "startapp", "kitchen")
    (folder / "kitchen" / "models.py").write_text(MODELS)
    with (folder / "mysite" / "settings.py").open("a") as settings:
        settings.write("\nINSTALLED_APPS += ['kitchen']\n")
    run("manage.py", "makemigrations", "kitchen")
    run("manage.py", "migrate")
    run("manage.py", "shell", "-c", SEED)
    return folder


@pytest.fixture(params=["in its folder", "elsewhere"])
def cell(request, project, tmp_path, monkeypatch):
    """Cells of a kernel that has booted the project, started in its folder or with a path to it."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    inside = request.param == "in its folder"
    kernel = Kernel(project if inside else tmp_path)
    try:
        assert kernel.run("%load_ext asynclab\nimport asyncio").status == "ok"
        if not inside:
            kernel.run(f"import sys; sys.path.insert(0, {str(project)!r})")
        yield kernel.run
    finally:
        kernel.stop()


def test_boot_lanes_and_thread_on_another_project(cell, project):
    before = (project / "db.sqlite3").read_bytes()

    outcome = cell("from asynclab import boot\nboot('mysite.settings')")
    assert outcome.printed == "Django is set up with mysite.settings. Its data is untouched.\n"
    assert cell("boot('mysite.settings')").error == ""

    cell("from kitchen.models import Recipe")
    outcome = cell("%%lanes\n[recipe.title async for recipe in Recipe.objects.all()]")
    assert outcome.value == "['Bread']"
    assert any(line.startswith("thread-sensitive worker") for line in outcome.lanes)
    assert "SELECT kitchen_recipe" in outcome.shown[0]

    assert cell("%%thread\nRecipe.objects.all()").value == "<QuerySet [<Recipe: Bread>]>"
    assert cell("Recipe.objects.count()").error.startswith("SynchronousOnlyOperation")
    outcome = cell("%%lanes\n%%thread\nRecipe.objects.count()")
    assert outcome.value == "1"
    assert any(line.startswith("plain thread") for line in outcome.lanes)

    assert (project / "db.sqlite3").read_bytes() == before


@pytest.fixture(params=["with a database that lacks a migration", "without a database"])
def unmigrated(request, project, tmp_path):
    """A copy of the project whose database is behind, or not there yet."""
    copy = shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    database = copy / "db.sqlite3"
    if "without" in request.param:
        database.unlink()
    else:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("DROP TABLE kitchen_recipe")
            connection.execute("DELETE FROM django_migrations WHERE app = 'kitchen'")
            connection.commit()
    return copy


def test_boot_neither_migrates_nor_writes(unmigrated, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    before = contents(unmigrated)
    kernel = Kernel(unmigrated, stacks=unmigrated.parent / "stacks.txt")
    try:
        outcome = kernel.run("from asynclab import boot\nboot('mysite.settings')")
        assert outcome.printed == "Django is set up with mysite.settings. Its data is untouched.\n"
        assert contents(unmigrated) == before
    finally:
        kernel.stop()


def contents(folder):
    """Every file below a folder, by its bytes."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_settings_that_are_not_there_are_named_in_a_line(cell):
    outcome = cell("from asynclab import boot\nboot('nosite.settings')")
    assert outcome.error.startswith("BootError: There is no module 'nosite'")
    assert "asynclab/boot" not in outcome.traceback
