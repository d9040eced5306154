"""The rooms of the kit and the arrows between them: who imports whom, read from the source."""

import ast
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]

# From the lowest to the highest: a room may import the rooms below it, and none beside it.
FLOORS = [
    {"ground"},
    {"recorder"},
    {"boot", "lanes", "predict", "servers", "shells"},
    {"exercises", "playground"},
    {"lessons", "magics"},
    {"__init__", "authoring", "workspace"},
]
# Data flows one way, and these rooms serve notebooks and projects of any kind.
ONLY = {
    "ground": set(),
    "recorder": {"ground"},
    "lanes": {"ground", "recorder"},
    "predict": {"ground"},
    "servers": set(),
    "exercises": {"boot", "ground", "recorder"},
    "lessons": {"exercises", "ground", "recorder", "servers"},
    "workspace": set(),
}
# A lesson is loaded when its exercises are asked for; the other two are commands.
IMPORTED_BY_NONE = {"authoring", "lessons", "workspace"}
# What must not be needed to use a room or a module. One that is handed such an object may look at
# it.
JUPYTER = {"IPython", "anywidget", "ipykernel", "ipywidgets"}
NEVER = {
    "ground": {*JUPYTER, "asgiref", "asyncio", "django", "nbformat"},
    "recorder": {*JUPYTER, "django"},
    "recorder.events": {*JUPYTER, "asgiref", "asyncio", "django"},
    "workspace": {*JUPYTER, "django", "nbformat"},
    "lanes": {"asgiref", "asyncio", "django"},
    "magics": {"django"},
    "playground": {"IPython", "ipykernel"},
    "servers": JUPYTER,
}


def parsed(folder):
    """The source of every module below a folder of `CHECKOUT`, as a tree, by its dotted name."""
    trees = {}
    for path in sorted((CHECKOUT / folder).rglob("*.py")):
        dotted = ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
        trees[dotted] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


def imported(module, tree, when_loaded=False):
    """The dotted names that a module imports; with `when_loaded` not those in its functions."""
    for node in _outside_functions(tree) if when_loaded else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A package's own module counts as one of its modules: asynclab.lanes.__init__.
            package = module.rpartition(".")[0]
            origin = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _outside_functions(tree):
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _outside_functions(node)


def module_of(name, modules):
    """The module that an imported name is, or is in; None if that is none of `modules`."""
    while name:
        for module in (name, f"{name}.__init__"):
            if module in modules:
                return module
        name = name.rpartition(".")[0]
    return None


def room(module):
    """`lanes` for asynclab.lanes.still."""
    return module.split(".")[1]


def wrong_arrows(trees):
    """Each import that points up or beside, or to where the tables above do not let it."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    for module, tree in trees.items():
        goals = {module_of(name, trees) for name in imported(module, tree)} - {None}
        for there in sorted({room(goal) for goal in goals} - {room(module)}):
            allowed = ONLY.get(room(module), floor.keys() - IMPORTED_BY_NONE)
            if there not in allowed or floor[there] >= floor[room(module)]:
                yield f"{module} imports {there}"


def unwanted_libraries(trees, never):
    """Each import of a library that the module, or its room, must do without."""
    for module, tree in trees.items():
        libraries = {name.split(".")[0] for name in imported(module, tree)}
        _, _, name = module.partition(".")
        unwanted = never.get(name, set()) | never.get(room(module), set())
        for library in sorted(libraries & unwanted):
            yield f"{module} imports {library}"


def used_twice(names):
    """Each name that stands in more than one place, with the places."""
    places = {}
    for name, place in names:
        places.setdefault(name, []).append(place)
    return [f"{name}: {', '.join(found)}" for name, found in places.items() if len(found) > 1]


def module_names(trees):
    for module in trees:
        name = module.rpartition(".")[2]
        if name not in {"__init__", "__main__"}:
            yield name, module


def class_names(trees):
    """The classes of each module's top level; what begins with an underscore is its own affair."""
    for module, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, module


def cycle(trees):
    """Modules that need each other to be loaded, the first one again at the end; or none."""
    graph = {
        module: {module_of(name, trees) for name in imported(module, tree, when_loaded=True)}
        - {module, None}
        for module, tree in trees.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return found.args[1]
    return []


@pytest.fixture(scope="module")
def kit():
    return parsed("asynclab")


def test_every_room_has_a_floor(kit):
    assert {room(module) for module in kit} <= set().union(*FLOORS)


def test_arrows_point_downwards(kit):
    assert list(wrong_arrows(kit)) == []


def test_rooms_do_without_the_libraries_that_they_must_not_need(kit):
    assert list(unwanted_libraries(kit, NEVER)) == []


def test_a_name_means_one_thing(kit):
    machinery = {name: tree for name, tree in kit.items() if room(name) != "lessons"}
    assert used_twice(module_names(kit)) == []
    assert used_twice(class_names(machinery)) == []


def test_the_floors_stand_in_contributing():
    lines = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    first = lines.index("<!-- floors, from the highest -->") + 2
    shown = [
        {name.strip(" `/").removesuffix(".py") for name in line.strip("- ").split("`")[1::2]}
        for line in lines[first : first + len(FLOORS)]
    ]
    assert shown == FLOORS[::-1]


def test_no_modules_need_each_other(kit):
    assert cycle(kit) == []


def test_the_demo_project_knows_nothing_of_the_kit():
    for module, tree in parsed("demo_project").items():
        assert not [name for name in imported(module, tree) if name.startswith("asynclab")]


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("recorder.events", "from .. import boot", "recorder.events imports boot"),
        ("ground.folders", "from ..recorder import taps", "ground.folders imports recorder"),
        ("lanes.text", "from ..magics import LANES", "lanes.text imports magics"),
        ("lanes.text", "def f():\n    import asynclab.boot", "lanes.text imports boot"),
        ("shells.session", "from ..boot import boot", "shells.session imports boot"),
        ("exercises.book", "from .. import boot, record", "exercises.book imports __init__"),
        ("exercises.book", "from ..lessons import lesson03", "exercises.book imports lessons"),
        ("magics", "from .lessons.lesson03 import x", "magics imports lessons"),
        ("__init__", "from . import authoring", "__init__ imports authoring"),
    ],
)
def test_an_arrow_that_points_elsewhere_is_found(kit, module, line, found):
    assert list(wrong_arrows(planted(kit, module, line))) == [f"asynclab.{found}"]


@pytest.mark.parametrize(
    "module", ["recorder.events", "recorder.taps", "ground.folders", "lanes.live"]
)
def test_a_library_too_many_is_found(kit, module):
    library = min(NEVER[module.split(".")[0]])
    name = f"asynclab.{module}"
    trees = planted(kit, module, f"def f():\n    import {library}.sub")
    assert list(unwanted_libraries(trees, NEVER)) == [f"{name} imports {library}"]


def test_modules_that_need_each_other_are_found(kit):
    inside = "def f():\n    from . import taps"
    assert cycle(planted(kit, "recorder.events", inside)) == []
    found = cycle(planted(kit, "recorder.events", "if True:\n    from . import taps"))
    assert {"asynclab.recorder.events", "asynclab.recorder.taps"} <= set(found)


def test_a_name_for_two_things_is_found(kit):
    assert used_twice([("run", "here"), ("stop", "here"), ("run", "there")]) == ["run: here, there"]
    trees = planted(kit, "recorder.events", "class Site: pass")
    assert len(used_twice(class_names(trees))) == 1


def planted(kit, module, line):
    """The kit, with a line more in one module."""
    name = f"asynclab.{module}"
    tree = ast.parse(line)
    return {**kit, name: ast.Module([*kit[name].body, *tree.body], [])}
