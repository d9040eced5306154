"""Small words for trees: what the operators are written with."""

import ast
import copy
from collections.abc import Iterator

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def replaced(tree: ast.AST, *pairs: tuple[ast.AST, ast.AST]) -> ast.AST:
    """A copy of `tree` with the second node of each pair in the place of the first."""
    return copy.deepcopy(tree, {id(old): new for old, new in pairs})


def statement(source: str) -> ast.stmt:
    """The one statement that `source` is."""
    return ast.parse(source).body[0]


def expression(source: str) -> ast.expr:
    """The expression that `source` is."""
    return ast.parse(source, mode="eval").body


def name(identifier: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(identifier, ast.Load())


def call(function: ast.expr | str, *args: ast.expr, keywords: tuple = ()) -> ast.Call:
    """A call of a function, or of the one that has this name."""
    function = expression(function) if isinstance(function, str) else function
    return ast.Call(function, list(args), list(keywords))


def block(statements: list[ast.stmt]) -> ast.stmt:
    """Many statements in the place of one."""
    if len(statements) == 1:
        return statements[0]
    return ast.If(ast.Constant(True), statements, [])


def called(node: ast.AST) -> str:
    """The name of what is called: "gather" for `asyncio.gather(...)`, "" for anything else."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def wrapped(node: ast.AST) -> str:
    """The adapter in `sync_to_async(f)(...)`, by its name; "" for anything else."""
    return called(node.func) if isinstance(node, ast.Call) and is_adapter(node.func) else ""


def is_adapter(node: ast.AST) -> bool:
    """Whether `node` is `sync_to_async(...)` or `async_to_sync(...)`."""
    return called(node) in ("sync_to_async", "async_to_sync")


def is_context(node: ast.AST, function: str) -> bool:
    """Whether `node` is a `with` of one call of this function, such as `atomic`."""
    return isinstance(node, ast.With) and [called(i.context_expr) for i in node.items] == [function]


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in `node` itself: its body, its `else`, its `finally`."""
    for field in ("body", "orelse", "finalbody"):
        found = getattr(node, field, None)
        if isinstance(found, list) and found:
            yield found


def named(tree: ast.AST, identifier: str) -> list[ast.Name]:
    """The places where a name is read."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == identifier and isinstance(node.ctx, ast.Load)
    ]


def stored(statements: list[ast.stmt]) -> list[str]:
    """The names that statements bind by assignment, in their order."""
    names = [
        node.id
        for each in statements
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys(names))


def inner_functions(outer: ast.AST) -> Iterator[ast.FunctionDef]:
    """The plain functions that are defined inside `outer`."""
    for node in ast.walk(outer):
        if isinstance(node, ast.FunctionDef) and node is not outer:
            yield node
