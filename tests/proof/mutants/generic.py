"""Operators that know nothing of the subject."""

import ast

from tests.proof.mutants.operators import operator
from tests.proof.mutants.tree import FUNCTIONS, block, call, called

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@operator("statement-deleted")
def statement_deleted(node):
    if isinstance(node, ast.stmt) and not isinstance(node, FUNCTIONS | ast.ClassDef | ast.Pass):
        yield ast.Pass()


@operator("condition-negated")
def condition_negated(node):
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        changed = {**vars(node), "test": ast.UnaryOp(ast.Not(), node.test)}
        yield type(node)(**changed)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


@operator("condition-dropped")
def condition_dropped(node):
    """One side of `and` or `or`, and one for the other."""
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            rest = [other for other in node.values if other is not value]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


@operator("branch-always")
def branch_always(node):
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.If):
        yield block(node.body)


@operator("comparison-changed")
def comparison_changed(node):
    if isinstance(node, ast.Compare):
        other = COMPARISONS[type(node.ops[0])]()
        yield ast.Compare(node.left, [other, *node.ops[1:]], node.comparators)


@operator("arithmetic-changed")
def arithmetic_changed(node):
    other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in other:
        yield ast.BinOp(node.left, other[type(node.op)](), node.right)
        yield node.left


@operator("constant-changed")
def constant_changed(node):
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node.value, str):
        yield ast.Constant(f"{node.value}x")


@operator("keyword-dropped")
def keyword_dropped(node):
    if isinstance(node, ast.Call):
        for word in node.keywords:
            rest = [other for other in node.keywords if other is not word]
            yield call(node.func, *node.args, keywords=rest)


@operator("argument-dropped")
def argument_dropped(node):
    if isinstance(node, ast.Call):
        for place in range(len(node.args)):
            rest = [*node.args[:place], *node.args[place + 1 :]]
            yield call(node.func, *rest, keywords=node.keywords)


@operator("arguments-exchanged")
def arguments_exchanged(node):
    if isinstance(node, ast.Call) and len(node.args) == 2:
        yield call(node.func, *reversed(node.args), keywords=node.keywords)


@operator("values-exchanged")
def values_exchanged(node):
    """The values of two keyword arguments that follow each other."""
    if isinstance(node, ast.Call):
        for first, second in zip(node.keywords, node.keywords[1:], strict=False):
            words = list(node.keywords)
            at = words.index(first)
            words[at : at + 2] = (
                ast.keyword(first.arg, second.value),
                ast.keyword(second.arg, first.value),
            )
            yield call(node.func, *node.args, keywords=words)


@operator("returns-none")
def returns_none(node):
    if isinstance(node, ast.Return) and node.value and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


@operator("loop-ends-early")
def loop_ends_early(node):
    """After its first round."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        changed = {**vars(node), "body": [*node.body, ast.Break()]}
        yield type(node)(**changed)


@operator("list-reversed")
def list_reversed(node):
    if isinstance(node, ast.Return) and isinstance(node.value, ast.ListComp):
        backwards = ast.Slice(step=ast.Constant(-1))
        yield ast.Return(ast.Subscript(node.value, backwards, ast.Load()))


@operator("list-cut")
def list_cut(node):
    """The first of a comprehension is left out."""
    if isinstance(node, ast.comprehension) and isinstance(node.iter, ast.Name):
        rest = ast.Subscript(node.iter, ast.Slice(lower=ast.Constant(1)), ast.Load())
        yield ast.comprehension(node.target, rest, node.ifs, node.is_async)


@operator("slice-dropped")
def slice_dropped(node):
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield node.value


@operator("decorator-removed")
def decorator_removed(node):
    """`@staticmethod` above a function, or `staticmethod(f)`."""
    if isinstance(node, FUNCTIONS | ast.ClassDef):
        for decorator in node.decorator_list:
            rest = [other for other in node.decorator_list if other is not decorator]
            yield type(node)(**{**vars(node), "decorator_list": rest})
    elif called(node) in ("staticmethod", "classmethod"):
        yield node.args[0]


@operator("base-changed")
def base_changed(node):
    """A test case of Django's as unittest's or as `TransactionTestCase`; any other base dropped."""
    if isinstance(node, ast.ClassDef) and node.bases:
        yield type(node)(**{**vars(node), "bases": []})
        if getattr(node.bases[0], "id", "") == "TestCase":
            for other in ("unittest.TestCase", "unittest.IsolatedAsyncioTestCase"):
                base = ast.parse(other, mode="eval").body
                yield type(node)(**{**vars(node), "bases": [base]})


@operator("test-not-run")
def test_not_run(node):
    """The name of a test or of a hook of its class is spelt so that nobody calls it."""
    if isinstance(node, FUNCTIONS) and (node.name.startswith("test") or node.name == "setUp"):
        yield type(node)(**{**vars(node), "name": f"_{node.name}"})


@operator("assertion-turned")
def assertion_turned(node):
    other = {"assertIn": "assertNotIn", "assertNotIn": "assertIn"}
    if called(node) in other:
        method = ast.Attribute(node.func.value, other[node.func.attr], ast.Load())
        yield call(method, *node.args, keywords=node.keywords)
