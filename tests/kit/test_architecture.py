"""The rooms of the kit and the arrows between them: who imports whom, read from the source."""

import ast
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from asynclab.recorder import roles

CHECKOUT = Path(__file__).parents[2]

# From the lowest to the highest: a room may import the rooms below it, and none beside it.
FLOORS = [
    {"ground"},
    {"recorder"},
    {"boot", "charts", "lanes", "ledger", "predict", "servers", "shells"},
    {"exercises", "playground", "testing"},
    {"lessons", "magics"},
    {"__init__", "authoring", "workspace"},
]
# Data flows one way, and these rooms serve notebooks and projects of any kind.
ONLY = {
    "ground": set(),
    "recorder": {"ground"},
    "charts": {"ground"},
    "lanes": {"ground", "recorder"},
    "ledger": {"ground"},
    "predict": {"ground"},
    "servers": {"ground", "recorder"},
    "testing": {"ground", "lanes", "recorder"},
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
    "charts": {*JUPYTER, "asgiref", "asyncio", "django"},
    "lanes": {"asgiref", "asyncio", "django"},
    "ledger": {"asgiref", "asyncio", "django", "nbformat"},
    "magics": {"django"},
    "playground": {"IPython", "ipykernel"},
    "servers": JUPYTER,
    "testing": {*JUPYTER, "django"},
}
# What asgiref does not promise, and the one module that knows of it.
ASGIREF = {
    "CurrentThreadExecutor",
    "_WorkItem",
    "_thread_sensitive",
    "context_to_thread_executor",
    "current_thread_executor",
    "deadlock_context",
    "loop_thread_executors",
    "main_wrap",
    "new_loop_wrap",
    "run_until_future",
    "single_thread_executor",
    "thread_handler",
    "thread_sensitive_context",
}
KNOWS_ASGIREF = "asynclab.recorder.workers"
# Who puts something into a class of others: a listener, and a worker in the place of a stuck one.
OWNS_PATCHES = {"asynclab.recorder.hooks", "asynclab.recorder.workers"}
# The jobs of threads are written out in one module.
ROLES = "asynclab.recorder.roles"
THREADS = {value for name, value in vars(roles).items() if name.isupper() and type(value) is str}


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


def mentions_of_asgiref(trees):
    """Each mention of a name that is asgiref's own affair, outside of the module that knows it."""
    for module, tree in trees.items():
        # What an executor of the standard library runs bears the same name.
        private = ASGIREF - {"_WorkItem"} if module == "asynclab.recorder.taps" else ASGIREF
        for node in ast.walk(tree):
            if module != KNOWS_ASGIREF and (found := private & words(node)):
                yield f"{module}:{node.lineno} names {min(found)}"


def words(node):
    """The names in an attribute, an import, or a text that is one dotted name."""
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.Import | ast.ImportFrom):
        dotted = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        return {word for name in dotted for word in name.split(".")}
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return set(node.value.split("."))
    return set()


def patches(trees):
    """Each place where a module without the right to do so may replace a method of others."""
    for module, tree in trees.items():
        if module not in OWNS_PATCHES:
            classes = classes_of_others(module, tree)
            for node in ast.walk(tree):
                if replaces(node, classes):
                    yield f"{module}:{node.lineno} replaces a method"


def classes_of_others(module, tree):
    """The classes that a module imports, as their spelling tells."""
    names = {name.rpartition(".")[2] for name in imported(module, tree)}
    return {name for name in names if name[:1].isupper()}


def replaces(node, classes):
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "setattr"
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "mock" in words(node)
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        owner = ast.unparse(node.value).rpartition(".")[2]
        return owner in classes or (isinstance(node.value, ast.Attribute) and owner[:1].isupper())
    return False


def written_roles(trees):
    """Each role of a thread that is written out where its constant belongs."""
    for module, tree in trees.items():
        if module == ROLES:
            continue
        asked = set(map(id, asked_for(tree)))
        for node in ast.walk(tree):
            # A lesson may write such words for other reasons: they stand in errors, too.
            role = isinstance(node, ast.Constant) and node.value in THREADS
            if role and (room(module) != "lessons" or id(node) in asked):
                yield f"{module}:{node.lineno} writes {node.value!r}"


def asked_for(tree):
    """What is compared with something, and what `Recording.on` is asked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            yield from (node.left, *node.comparators)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "on":
            yield from node.args


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


def test_one_module_knows_asgirefs_private_parts(kit):
    assert list(mentions_of_asgiref(kit)) == []


def test_one_module_replaces_methods_of_others(kit):
    assert list(patches(kit)) == []


def test_roles_are_written_out_in_one_module(kit):
    assert len(THREADS) == 9
    assert list(written_roles(kit)) == []


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


@pytest.mark.parametrize(
    "line",
    [
        "SyncToAsync.single_thread_executor.submit(int)",
        "from asgiref.current_thread_executor import CurrentThreadExecutor",
        "import asgiref.current_thread_executor",
        "coroutine.__qualname__ == 'AsyncToSync.main_wrap'",
        "getattr(adapter, '_thread_sensitive')",
    ],
)
def test_knowledge_of_asgiref_elsewhere_is_found(kit, line):
    found = list(mentions_of_asgiref(planted(kit, "exercises.limits", line)))
    assert len(found) == 1
    assert found[0].startswith("asynclab.exercises.limits:1 names ")


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("lanes.text", "FIRST = 'main thread'"),
        ("lessons.lesson05", "given.recording.on('pool worker')"),
        ("lessons.lesson05", "lane.role == 'event loop'"),
    ],
)
def test_a_role_that_is_written_out_elsewhere_is_found(kit, module, line):
    found = f"asynclab.{module}:1 writes {line[line.index(chr(39)) :].rstrip(')')}"
    assert list(written_roles(planted(kit, module, line))) == [found]


@pytest.mark.parametrize(
    "line",
    [
        "from unittest import mock",
        "import unittest.mock",
        "setattr(CursorWrapper, 'execute', refuse)",
        "import asyncio\nasyncio.Task.cancel = print",
        "from logging.handlers import QueueListener\ndel QueueListener.start",
    ],
)
def test_a_patch_elsewhere_is_found(kit, line):
    found = f"asynclab.lessons.lesson03:{1 + line.count(chr(10))} replaces a method"
    assert list(patches(planted(kit, "lessons.lesson03", line))) == [found]


def test_a_name_for_two_things_is_found(kit):
    assert used_twice([("run", "here"), ("stop", "here"), ("run", "there")]) == ["run: here, there"]
    trees = planted(kit, "recorder.events", "class Site: pass")
    assert len(used_twice(class_names(trees))) == 1


def planted(kit, module, line):
    """The kit, with a line more in one module."""
    name = f"asynclab.{module}"
    tree = ast.parse(line)
    return {**kit, name: ast.Module([*kit[name].body, *tree.body], [])}
