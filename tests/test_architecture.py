"""The rooms of the kit and the arrows between them: who imports whom, read from the source."""

import ast
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]

# From the lowest to the highest: a room may import the rooms below it, and none beside it.
FLOORS = [
    {"connections", "errors", "events", "first_cell", "folders", "interrupts", "labconfig"}
    | {"workspace"},
    {"environment", "taps"},
    {"boot", "lanes", "predict_panel", "servers", "shells"},
    {"exercises", "playground", "predict"},
    {"magics"},
    {"__init__", "authoring"},
]
# Data flows one way, and these rooms serve notebooks and projects of any kind.
ONLY = {
    "events": set(),
    "errors": set(),
    "connections": set(),
    "labconfig": set(),
    "first_cell": set(),
    "workspace": set(),
    "interrupts": set(),
    "taps": {"events", "interrupts"},
    "lanes": {"events", "interrupts", "taps"},
    "servers": set(),
}
# What must not be needed to use a room. One that is handed such an object may look at it.
JUPYTER = {"IPython", "anywidget", "ipykernel", "ipywidgets"}
NEVER = {
    "events": {*JUPYTER, "asgiref", "asyncio", "django"},
    "errors": {*JUPYTER, "django"},
    "connections": {*JUPYTER, "django"},
    "interrupts": {*JUPYTER, "django"},
    "first_cell": {*JUPYTER, "django", "nbformat"},
    "workspace": {*JUPYTER, "django", "nbformat"},
    "taps": {*JUPYTER, "django"},
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
    """Each import that points up or beside, or to where `ONLY` does not let it."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    for module, tree in trees.items():
        goals = {module_of(name, trees) for name in imported(module, tree)} - {None}
        for there in sorted({room(goal) for goal in goals} - {room(module)}):
            allowed = ONLY.get(room(module), floor.keys())
            if there not in allowed or floor[there] >= floor[room(module)]:
                yield f"{module} imports {there}"


def unwanted_libraries(trees, never):
    """Each import of a library that the module's room must do without."""
    for module, tree in trees.items():
        libraries = {name.split(".")[0] for name in imported(module, tree)}
        for library in sorted(libraries & never.get(room(module), set())):
            yield f"{module} imports {library}"


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


def test_no_modules_need_each_other(kit):
    assert cycle(kit) == []


def test_the_demo_project_knows_nothing_of_the_kit():
    for module, tree in parsed("demo_project").items():
        assert not [name for name in imported(module, tree) if name.startswith("asynclab")]


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("events", "from .taps import span", "asynclab.events imports taps"),
        ("events", "from . import errors", "asynclab.events imports errors"),
        ("taps", "def f():\n    from .errors import LabError", "asynclab.taps imports errors"),
        ("lanes.text", "from ..magics import LANES", "asynclab.lanes.text imports magics"),
        ("lanes.text", "import asynclab.boot", "asynclab.lanes.text imports boot"),
        ("shells.run", "from ..boot import boot", "asynclab.shells.run imports boot"),
        (
            "exercises.book",
            "from .. import boot, record",
            "asynclab.exercises.book imports __init__",
        ),
    ],
)
def test_an_arrow_that_points_elsewhere_is_found(kit, module, line, found):
    assert list(wrong_arrows(planted(kit, module, line))) == [found]


@pytest.mark.parametrize("module", ["events", "taps", "lanes.live"])
def test_a_library_too_many_is_found(kit, module):
    library = min(NEVER[module.split(".")[0]])
    name = f"asynclab.{module}"
    trees = planted(kit, module, f"def f():\n    import {library}.sub")
    assert list(unwanted_libraries(trees, NEVER)) == [f"{name} imports {library}"]


def test_modules_that_need_each_other_are_found(kit):
    assert cycle(planted(kit, "events", "def f():\n    from . import taps")) == []
    found = cycle(planted(kit, "events", "if True:\n    from . import taps"))
    assert {"asynclab.events", "asynclab.taps"} <= set(found)


def planted(kit, module, line):
    """The kit, with a line more in one module."""
    name = f"asynclab.{module}"
    tree = ast.parse(line)
    return {**kit, name: ast.Module([*kit[name].body, *tree.body], [])}
