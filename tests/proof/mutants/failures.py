"""Operators on exceptions, and on what is left to do when one passes by."""

import ast

from tests.proof.mutants.operators import operator
from tests.proof.mutants.tree import FUNCTIONS, block, name, statement


@operator("handler-silenced")
def handler_silenced(node):
    """`except E: ...` as `except E: pass`."""
    if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[0], ast.Pass):
        yield ast.ExceptHandler(node.type, node.name, [ast.Pass()])


@operator("handler-widened")
def handler_widened(node):
    if isinstance(node, ast.ExceptHandler) and getattr(node.type, "id", "") != "Exception":
        yield ast.ExceptHandler(name("Exception"), node.name, node.body)


@operator("handler-dropped")
def handler_dropped(node):
    if isinstance(node, ast.Try) and node.handlers:
        if node.finalbody:
            yield ast.Try(node.body, [], [], [*node.orelse, *node.finalbody])
        else:
            yield block([*node.body, *node.orelse])


@operator("exception-swallowed", whole=True)
def exception_swallowed(node):
    """The whole body of a function in `try: ... except Exception: pass`."""
    if isinstance(node, FUNCTIONS):
        silent = ast.ExceptHandler(name("Exception"), None, [ast.Pass()])
        words = {**vars(node), "body": [ast.Try(node.body, [silent], [], [])]}
        yield type(node)(**words)


@operator("raise-dropped")
def raise_dropped(node):
    if isinstance(node, ast.Raise):
        yield ast.Pass()
        yield ast.Return(None)


@operator("finally-dropped")
def finally_dropped(node):
    if isinstance(node, ast.Try) and node.finalbody:
        yield _without_finally(node, node.body)


def _without_finally(node, body, after=()):
    if node.handlers:
        return block([ast.Try(body, node.handlers, node.orelse, []), *after])
    return block([*body, *after])


@operator("finally-on-success")
def finally_on_success(node):
    """What must be done on every way out is done only when all went well."""
    if isinstance(node, ast.Try) and node.finalbody:
        *body, last = node.body
        if isinstance(last, ast.Return) and last.value:
            kept = statement("kept = here")
            kept.value = last.value
            done = [*node.finalbody, ast.Return(name("kept"))]
            yield _without_finally(node, [*body, kept], done)
        else:
            yield _without_finally(node, node.body, node.finalbody)
