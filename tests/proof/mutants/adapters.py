"""Operators on `sync_to_async`, `async_to_sync` and `to_thread`."""

import ast

from tests.proof.mutants.operators import operator
from tests.proof.mutants.tree import call, called, is_adapter, name, wrapped


@operator("thread-sensitive-turned")
def thread_sensitive_turned(node):
    if called(node) == "sync_to_async":
        given = [word for word in node.keywords if word.arg == "thread_sensitive"]
        others = [word for word in node.keywords if word not in given]
        value = not given[0].value.value if given else False
        word = ast.keyword("thread_sensitive", ast.Constant(value))
        yield call(node.func, *node.args, keywords=[*others, word])


@operator("adapter-removed")
def adapter_removed(node):
    """`await sync_to_async(f)(x)` as `f(x)`; any other adapter as its function."""
    if isinstance(node, ast.Await) and wrapped(node.value):
        yield _direct(node.value)
    elif wrapped(node):
        yield _direct(node)
    elif is_adapter(node):
        yield node.args[0]


def _direct(node):
    return call(node.func.args[0], *node.args, keywords=node.keywords)


@operator("adapter-exchanged")
def adapter_exchanged(node):
    """`sync_to_async` as `async_to_sync`, and the other way round."""
    if is_adapter(node):
        other = {"sync_to_async": "async_to_sync", "async_to_sync": "sync_to_async"}
        yield call(name(other[called(node)]), *node.args)


@operator("adapter-for-await")
def adapter_for_await(node):
    """`await f(x)` as `async_to_sync(f)(x)`."""
    if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and not wrapped(node.value):
        plain = node.value
        adapted = call("async_to_sync", plain.func)
        yield call(adapted, *plain.args, keywords=plain.keywords)


@operator("thread-and-run")
def thread_and_run(node):
    """`await f(x)` as a loop of its own on another thread."""
    if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and not wrapped(node.value):
        yield ast.Await(call("asyncio.to_thread", call_of_run(node.value)))


def call_of_run(coroutine):
    nothing = ast.arguments([], [], None, [], [], None, [])
    return ast.Lambda(nothing, call("asyncio.run", coroutine))


@operator("run-for-adapter")
def run_for_adapter(node):
    """`async_to_sync(f)(x)` as `asyncio.run(f(x))`."""
    if wrapped(node) == "async_to_sync":
        yield call("asyncio.run", _direct(node))


@operator("thread-for-adapter")
def thread_for_adapter(node):
    """`sync_to_async(f)(x)` as `asyncio.to_thread(f, x)`."""
    if wrapped(node) == "sync_to_async":
        yield call("asyncio.to_thread", node.func.args[0], *node.args, keywords=node.keywords)


@operator("adapter-for-thread")
def adapter_for_thread(node):
    """`to_thread(f, x)` as `sync_to_async(f)(x)`."""
    if called(node) == "to_thread":
        function, *args = node.args
        yield call(call("sync_to_async", function), *args, keywords=node.keywords)


@operator("called-too-soon")
def called_too_soon(node):
    """`sync_to_async(f)(x)` as `sync_to_async(f(x))()`; likewise for `to_thread`."""
    if wrapped(node):
        inner = node.func
        yield call(call(inner.func, _direct(node), keywords=inner.keywords))
    elif called(node) == "to_thread":
        function, *args = node.args
        yield call(node.func, call(function, *args, keywords=node.keywords))


@operator("brackets-mixed")
def brackets_mixed(node):
    """`sync_to_async(f)(x)` as `sync_to_async(f, x)`."""
    if wrapped(node):
        inner = node.func
        yield call(inner.func, *inner.args, *node.args, keywords=[*inner.keywords, *node.keywords])
