"""Operators that cut a worker's function in two, so that not all of it crosses at once."""

import ast

from tests.proof.mutants.operators import operator
from tests.proof.mutants.tree import (
    FUNCTIONS,
    called,
    inner_functions,
    name,
    replaced,
    statement,
    stored,
)

CROSSING = "await sync_to_async({})()"
WAYS = ((CROSSING, CROSSING), ("{}()", CROSSING), (CROSSING, "{}()"))
"""How the two halves are called: both cross, or one of them runs on the loop."""


@operator("helper-split", whole=True)
def helper_split(node):
    for inner in _crossing_functions(node):
        around, body = _peeled(inner.body)
        for cut in range(1, len(body)):
            halves = _wrapped(around, body[:cut]), _wrapped(around, body[cut:])
            for first, second in WAYS:
                calls = [_call(first, "first"), ast.Return(_call(second, "second").value)]
                yield _instead(node, inner, halves, calls)


@operator("cleanup-split", whole=True)
def cleanup_split(node):
    """`try` and `finally` of a worker's function in two halves."""
    for inner in _crossing_functions(node):
        whole = inner.body[0]
        if len(inner.body) == 1 and isinstance(whole, ast.Try) and whole.finalbody:
            for first, second in WAYS:
                returned = ast.Return(_call(first, "first").value)
                calls = [ast.Try([returned], [], [], [_call(second, "second")])]
                yield _instead(node, inner, (whole.body, whole.finalbody), calls)


@operator("loop-taken-out", whole=True)
def loop_taken_out(node):
    """The loop of a worker's function stays outside, and each round crosses."""
    for inner in _crossing_functions(node):
        around, body = _peeled(inner.body)
        if isinstance(body[-1], ast.For):
            *before, loop = body
            halves = _wrapped(around, before or [ast.Pass()]), _wrapped(around, loop.body)
            rounds = ast.For(loop.target, loop.iter, [_call(CROSSING, "second")], [])
            yield _instead(node, inner, halves, [_call(CROSSING, "first"), rounds])


def _call(way, half):
    return statement(way.format(half))


def _crossing_functions(outer):
    """Each inner function that is handed to `sync_to_async`."""
    if isinstance(outer, FUNCTIONS):
        yield from (inner for inner in inner_functions(outer) if _adapters(outer, inner))


def _adapters(outer, inner):
    return [
        node
        for node in ast.walk(outer)
        if called(node) == "sync_to_async" and getattr(node.args[0], "id", "") == inner.name
    ]


def _peeled(body):
    """The `with`s that stand around all of a body, and what is inside them."""
    around = []
    while len(body) == 1 and isinstance(body[0], ast.With):
        around.append(body[0].items)
        body = body[0].body
    return around, body


def _wrapped(around, body):
    for items in reversed(around):
        body = [ast.With(items, body)]
    return body


def _instead(outer, inner, halves, calls):
    """`outer` with an async function in place of `inner`, which makes these calls of its halves."""
    shared = stored(inner.body)
    body = [statement(f"{each} = None") for each in shared]
    for half, statements in zip(("first", "second"), halves, strict=True):
        function = statement(f"def {half}(): pass")
        function.body = [*([ast.Nonlocal(shared)] if shared else []), *statements]
        body.append(function)
    adapters = _adapters(outer, inner)
    for node in [node for each in calls for node in ast.walk(each)]:
        if called(node) == "sync_to_async":
            node.keywords = adapters[0].keywords
    split = ast.AsyncFunctionDef(**{**vars(inner), "body": [*body, *calls]})
    names = [(adapter, name(inner.name)) for adapter in adapters]
    return replaced(outer, (inner, split), *names)
