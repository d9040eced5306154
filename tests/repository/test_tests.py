"""Each test can fail: it asserts something of something, and nothing skips it for ever."""

import ast
import functools
from collections.abc import Iterator

import pytest

from tests.harness.checkout import ROOT

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
# They fail by themselves: what pytest has for it, a process that must succeed.
FAIL = {"raises", "warns", "fail", "check_call", "check_output"}
WAITS = ("wait_for", "expect", "require_")
CANNOT_FAIL = {
    "tests/pages/test_browser_notebooks.py::test_it_is_kept_as_pictures": "for people to look at",
}


Modules = dict[str, ast.Module]


@functools.cache
def parsed() -> Modules:
    """The tests' own modules, by their paths."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTION))


@functools.cache
def called(node: ast.AST) -> frozenset[str]:
    """The names of the functions and methods that are called in a piece of code."""
    calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    return frozenset(getattr(each, "attr", getattr(each, "id", "")) for each in calls)


def fails_by_itself(node: ast.AST) -> bool:
    inside = list(ast.walk(node))
    if any(isinstance(each, ast.Assert | ast.Raise) for each in inside):
        return True
    keywords = [ast.unparse(each) for each in inside if isinstance(each, ast.keyword)]
    waits = any(name.startswith(WAITS) for name in called(node))
    return waits or bool(called(node) & FAIL) or "check=True" in keywords


def unasserting(modules: Modules) -> set[str]:
    """The tests in which nothing can fail, nor in what they call of the tests' own."""
    every = [(path, node) for path, tree in modules.items() for node in functions(tree)]
    failing = {node.name for _, node in every if fails_by_itself(node)}
    while more := {node.name for _, node in every if called(node) & failing} - failing:
        failing |= more
    tests = [(path, node.name) for path, node in every if node.name.startswith("test_")]
    return {f"{path}::{name}" for path, name in tests if name not in failing}


def empty_assertions(modules: Modules) -> list[str]:
    """The assertions of a constant, or of something against itself."""
    every = [(path, node) for path, tree in modules.items() for node in ast.walk(tree)]
    found = [(p, n) for p, n in every if isinstance(n, ast.Assert) and _says_nothing(n.test)]
    return [f"{path}: {ast.unparse(node)}" for path, node in found]


def _says_nothing(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(map(_says_nothing, test.values))
    if isinstance(test, ast.Compare):
        sides = [test.left, *test.comparators]
        same = len({ast.dump(each) for each in sides}) < len(sides)
        return same or all(isinstance(each, ast.Constant) for each in sides)
    return isinstance(test, ast.Constant | ast.Tuple | ast.JoinedStr | ast.Lambda)


def skipped(modules: Modules) -> list[str]:
    """Where a test is skipped whatever the machine is like, or is expected to fail."""
    return [f"{path}: {each}" for path, tree in modules.items() for each in _skips(tree)]


def _skips(tree: ast.Module) -> Iterator[str]:
    marks = (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    yield from (mark for mark in marks if mark in ("pytest.mark.skip", "pytest.mark.xfail"))
    for body in [tree.body, *(node.body for node in functions(tree))]:
        # Behind a condition it may be for a machine that lacks something.
        for statement in (
            body if body is tree.body else [e for e in body if not _is_docstring(e)][:1]
        ):
            plain = isinstance(statement, ast.Expr | ast.Return)
            if plain and called(statement) & {"skip", "xfail"}:
                yield ast.unparse(statement)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def left_over(modules: Modules) -> list[str]:
    """The functions of test modules that nobody names, such as a test without its `test_`."""
    named = set()
    for node in (each for tree in modules.values() for each in ast.walk(tree)):
        for kind, field in ((ast.Name, "id"), (ast.Attribute, "attr"), (ast.arg, "arg")):
            if isinstance(node, kind):
                named.add(getattr(node, field))
        if isinstance(node, ast.alias):
            named.add(node.name)
    return [
        f"{path}::{node.name}"
        for path, tree in modules.items()
        for node in tree.body
        if "/test_" in path and isinstance(node, FUNCTION) and not node.decorator_list
        if not node.name.startswith(("test_", "pytest_")) and node.name not in named
    ]


def unreached(modules: Modules) -> list[str]:
    """Where a test ends before its end, or what it asserts is caught."""
    found = []
    for path, tree in modules.items():
        for node in functions(tree):
            if node.name.startswith("test_"):
                ends = [each for each in node.body[:-1] if isinstance(each, ast.Return)]
                found += [f"{path}::{node.name}" for _ in [*ends, *_never(node), *_caught(node)]]
    return found


def _never(node: ast.AST) -> Iterator[ast.AST]:
    branches = (each for each in ast.walk(node) if isinstance(each, ast.If | ast.While))
    return (
        each for each in branches if isinstance(each.test, ast.Constant) and not each.test.value
    )


def _caught(node: ast.AST) -> Iterator[ast.AST]:
    """Handlers that end the failure of an assertion, and `suppress` around one."""
    caught = {"Exception", "BaseException", "AssertionError"}
    for each in ast.walk(node):
        if isinstance(each, ast.ExceptHandler):
            names = {name.id for name in ast.walk(each.type or each) if isinstance(name, ast.Name)}
            raised = any(isinstance(inner, ast.Raise | ast.Assert) for inner in ast.walk(each))
            if (each.type is None or names & caught) and not raised:
                yield each
        elif isinstance(each, ast.withitem) and "suppress" in called(each):
            names = {name.id for name in ast.walk(each) if isinstance(name, ast.Name)}
            yield from [each] if names & caught else []


def test_every_test_gets_to_its_end():
    assert unreached(parsed()) == []


def test_every_test_asserts_something():
    assert unasserting(parsed()) == CANNOT_FAIL.keys()


def test_no_assertion_is_of_a_constant():
    assert empty_assertions(parsed()) == []


def test_nothing_is_skipped_for_ever():
    assert skipped(parsed()) == []


def test_no_function_of_a_test_module_is_left_over():
    assert left_over(parsed()) == []


# Each of them on a small module.


def small(source):
    return {"tests/test_small.py": ast.parse(source)}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def test_it():\n    look()", True),
        ("def test_it():\n    look()\ndef look():\n    assert seen()", False),
        ("def test_it():\n    with pytest.raises(OSError):\n        look()", False),
        ("def test_it(page):\n    page.wait_for_selector('p')", False),
        ("def test_it():\n    run(look, check=True)", False),
        ("def test_it():\n    run(look, check=False)", True),
    ],
)
def test_what_asserts_nothing_is_found(source, found):
    assert unasserting(small(source)) == ({"tests/test_small.py::test_it"} if found else set())


@pytest.mark.parametrize("test", ["True", "(a == b, 'why')", "a == a", "1 == 1", "a == b or True"])
def test_what_holds_of_anything_is_found(test):
    assert empty_assertions(small(f"assert {test}")) != []
    assert empty_assertions(small("assert a == b or c")) == []


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.skip\ndef test_it():\n    assert a",
        "pytestmark = pytest.mark.xfail(reason='later')",
        "pytest.skip('later', allow_module_level=True)",
        "def test_it():\n    'It.'\n    pytest.skip('later')\n    assert a",
    ],
)
def test_what_is_skipped_for_ever_is_found(source):
    assert len(skipped(small(source))) == 1
    assert skipped(small("def test_it():\n    if old:\n        pytest.skip('old')")) == []


def test_a_test_that_pytest_does_not_see_is_found():
    assert left_over(small("def check_it():\n    assert a")) == ["tests/test_small.py::check_it"]
    assert left_over(small("def look():\n    assert a\ndef test_it():\n    look()")) == []


@pytest.mark.parametrize(
    "body",
    [
        "return\n    assert a",
        "if False:\n        assert a",
        "try:\n        assert a\n    except AssertionError:\n        pass",
        "try:\n        assert a\n    except:\n        pass",
        "with contextlib.suppress(Exception):\n        assert a",
    ],
)
def test_what_is_never_asserted_is_found(body):
    assert unreached(small(f"def test_it():\n    {body}")) == ["tests/test_small.py::test_it"]
    assert unreached(small("def test_it():\n    if a:\n        return\n    assert b")) == []
