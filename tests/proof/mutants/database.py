"""Operators on the ORM, on transactions and on connections."""

import ast

from tests.proof.mutants.operators import operator
from tests.proof.mutants.tree import (
    FUNCTIONS,
    block,
    call,
    called,
    expression,
    inner_functions,
    is_context,
    name,
    named,
    replaced,
    statement,
)

SYNC = {
    "acount": "count",
    "acreate": "create",
    "adelete": "delete",
    "aexists": "exists",
    "afirst": "first",
    "aget": "get",
    "asave": "save",
    "aupdate": "update",
}
"""Methods of a queryset or a model, with their sync twins."""

LAZY = {"all", "exclude", "filter", "order_by", "select_related", "values", "values_list"}
"""Methods of a queryset that give another one."""


@operator("sync-orm")
def sync_orm(node):
    """`await q.acount()` as `q.count()`, `async for` as `for`, `await r.auser()` as `r.user`."""
    if isinstance(node, ast.Await) and called(node.value) in SYNC:
        yield _twin(node.value)
    elif isinstance(node, ast.Await) and called(node.value) == "auser":
        yield ast.Attribute(node.value.func.value, "user", ast.Load())
    elif isinstance(node, ast.AsyncFor):
        yield ast.For(node.target, node.iter, node.body, node.orelse)
    elif isinstance(node, ast.comprehension) and node.is_async:
        yield ast.comprehension(node.target, node.iter, node.ifs, 0)


def _twin(node):
    method = ast.Attribute(node.func.value, SYNC[node.func.attr], ast.Load())
    return call(method, *node.args, keywords=node.keywords)


@operator("async-orm-adapted")
def async_orm_adapted(node):
    """`await q.acount()` with the method through an adapter: the wrong one, or a pool's thread."""
    if isinstance(node, ast.Await) and called(node.value) in SYNC:
        query, twin = node.value, _twin(node.value)
        yield ast.Await(call(call("sync_to_async", query.func), *query.args))
        pool = ast.keyword("thread_sensitive", ast.Constant(False))
        yield ast.Await(call(call("sync_to_async", twin.func, keywords=[pool]), *query.args))


@operator("query-lazy")
def query_lazy(node):
    """`[row async for row in q]` as `q`, or as a question in the pool."""
    if isinstance(node, ast.ListComp) and node.generators[0].is_async:
        rows = node.generators[0]
        if ast.unparse(node.elt) == ast.unparse(rows.target):
            yield rows.iter
            yield ast.Await(call(call("sync_to_async", rows.iter)))
            pool = ast.keyword("thread_sensitive", ast.Constant(False))
            yield ast.Await(call(call("sync_to_async", name("list"), keywords=[pool]), rows.iter))


@operator("query-step-dropped")
def query_step_dropped(node):
    """`q.order_by("due")` as `q`."""
    if called(node) in LAZY and isinstance(node.func, ast.Attribute):
        yield node.func.value


@operator("lookup-changed")
def lookup_changed(node):
    """`due__lt=day` as `due__lte=day`, and so on."""
    other = {"lt": ("lte", "gt"), "lte": ("lt", "gte"), "gt": ("gte", "lt"), "gte": ("gt", "lte")}
    if isinstance(node, ast.keyword) and node.arg and "__" in node.arg:
        field, _, lookup = node.arg.rpartition("__")
        for instead in other.get(lookup, ()):
            yield ast.keyword(f"{field}__{instead}", node.value)


@operator("atomic-left-out")
def atomic_left_out(node):
    if is_context(node, "atomic"):
        yield block(node.body)


@operator("atomic-narrowed")
def atomic_narrowed(node):
    """A part of what stood inside stands before or after it."""
    if is_context(node, "atomic"):
        for cut in range(1, len(node.body)):
            first, second = node.body[:cut], node.body[cut:]
            yield block([ast.With(node.items, first), *second])
            yield block([*first, ast.With(node.items, second)])


@operator("atomic-moved-out", whole=True)
def atomic_moved_out(node):
    """Around the crossing, on the loop, in place of inside it."""
    if not isinstance(node, FUNCTIONS):
        return
    for inner in inner_functions(node):
        if len(inner.body) == 1 and is_context(inner.body[0], "atomic"):
            transaction = inner.body[0]
            bare = replaced(inner, (transaction, block(transaction.body)))
            for each in node.body:
                if each is not inner and named(each, inner.name):
                    around = ast.With(transaction.items, [each])
                    yield replaced(node, (inner, bare), (each, around))


@operator("connection-passed", whole=True)
def connection_passed(node):
    """What a worker's function looks up on `connection` is looked up outside of it."""
    if not isinstance(node, FUNCTIONS):
        return
    for inner in inner_functions(node):
        for used in ast.walk(inner):
            if _is_look_up(used):
                yield _taken_outside(node, used)
            if isinstance(used, ast.Call) and _is_look_up(used.func):
                yield _taken_outside(node, used)


def _is_look_up(node):
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("connection", "connections")
    )


def _taken_outside(outer, used):
    taken = statement("taken = here")
    changed = replaced(outer, (used, name("taken")))
    changed.body.insert(0, replaced(taken, (taken.value, used)))
    return changed


@operator("connection-of-the-loop", whole=True)
def connection_of_the_loop(node):
    """`connection` is a proxy for each thread's own; the one of the loop is passed along."""
    if not isinstance(node, FUNCTIONS):
        return
    for inner in inner_functions(node):
        for used in named(inner, "connection"):
            yield _taken_outside_as(node, used, expression('connections["default"]'))


def _taken_outside_as(outer, used, value):
    changed = replaced(outer, (used, name("taken")))
    changed.body.insert(0, ast.Assign([ast.Name("taken", ast.Store())], value))
    return changed
