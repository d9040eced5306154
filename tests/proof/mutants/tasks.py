"""Operators on tasks, coroutines and what they share."""

import ast

from tests.proof.mutants.operators import operator
from tests.proof.mutants.tree import FUNCTIONS, call, called, expression, named, replaced


@operator("await-removed")
def await_removed(node):
    if isinstance(node, ast.Await):
        yield node.value


@operator("gather-sequential")
def gather_sequential(node):
    if isinstance(node, ast.Await) and called(node.value) == "gather":
        first = node.value.args[0]
        if isinstance(first, ast.Starred):
            many = first.value
            yield ast.ListComp(ast.Await(many.elt), many.generators)
        else:
            yield ast.List([ast.Await(each) for each in node.value.args], ast.Load())


@operator("gather-as-completed")
def gather_as_completed(node):
    if isinstance(node, ast.Await) and called(node.value) == "gather":
        first = node.value.args[0]
        many = first.value if isinstance(first, ast.Starred) else None
        jobs = ast.ListComp(many.elt, many.generators) if many else ast.List(node.value.args)
        done = expression("[await job for job in asyncio.as_completed(jobs)]")
        yield replaced(done, (done.generators[0].iter.args[0], jobs))


@operator("sequential-gathered")
def sequential_gathered(node):
    if isinstance(node, ast.ListComp) and isinstance(node.elt, ast.Await):
        jobs = ast.ListComp(node.elt.value, node.generators)
    elif isinstance(node, ast.For) and len(node.body) == 1 and _awaits(node.body[0]):
        job = node.body[0].value.value
        jobs = ast.ListComp(job, [ast.comprehension(node.target, node.iter, [], 0)])
    else:
        return
    gathered = ast.Await(call("asyncio.gather", ast.Starred(jobs, ast.Load())))
    yield ast.Expr(gathered) if isinstance(node, ast.For) else gathered


def _awaits(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await)


@operator("return-exceptions-turned")
def return_exceptions_turned(node):
    if called(node) == "gather":
        others = [given for given in node.keywords if given.arg != "return_exceptions"]
        if len(others) == len(node.keywords):
            others = [*others, ast.keyword("return_exceptions", ast.Constant(True))]
        yield call(node.func, *node.args, keywords=others)


@operator("task-removed")
def task_removed(node):
    if called(node) == "create_task":
        yield node.args[0]


@operator("task-for-each")
def task_for_each(node):
    """Awaited in a child task, whose context is a copy."""
    if isinstance(node, ast.Await) and called(node.value) not in ("", "create_task", "gather"):
        yield ast.Await(call("asyncio.create_task", node.value))


@operator("run-for-task")
def run_for_task(node):
    if called(node) == "create_task":
        yield call("asyncio.run", node.args[0])


@operator("task-for-run")
def task_for_run(node):
    if called(node) == "run" and node.args:
        yield call("asyncio.create_task", *node.args)


@operator("wait-for-instead")
def wait_for_instead(node):
    """`wait_for` cancels what it waits for, and `wait` does not."""
    if called(node) == "wait":
        timeout = [given for given in node.keywords if given.arg == "timeout"]
        if timeout and isinstance(node.args[0], ast.List):
            yield call("asyncio.wait_for", node.args[0].elts[0], keywords=timeout)


@operator("callback-called")
def callback_called(node):
    """`add_done_callback(f)` as `add_done_callback(f(task))`."""
    if called(node) == "add_done_callback":
        yield call(node.func, call(node.args[0], node.func.value))


@operator("function-called")
def function_called(node):
    """`return f` as `return f()`, for a name."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Name):
        yield ast.Return(call(node.value))


@operator("async-added")
def async_added(node):
    if isinstance(node, ast.FunctionDef):
        yield ast.AsyncFunctionDef(**vars(node))


@operator("shared-made-anew", whole=True)
def shared_made_anew(node):
    """What an outer function makes once for all, such as a semaphore, made at each use."""
    if not isinstance(node, FUNCTIONS):
        return
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call) and not _awaited(each):
            uses = named(node, each.targets[0].id) if isinstance(each.targets[0], ast.Name) else []
            if any(_in_inner_function(node, use) for use in uses):
                made = [(use, each.value) for use in uses]
                yield replaced(node, *made, (each, ast.Pass()))


def _awaited(statement):
    return any(isinstance(node, ast.Await) for node in ast.walk(statement))


def _in_inner_function(outer, use):
    inner = [node for node in ast.walk(outer) if isinstance(node, FUNCTIONS) and node is not outer]
    return any(use in ast.walk(function) for function in inner)


@operator("context-not-copied")
def context_not_copied(node):
    if called(node) == "copy_context":
        yield expression("contextvars.Context()")


@operator("reset-flattened")
def reset_flattened(node):
    """`variable.reset(token)` as `variable.set(None)`."""
    if called(node) == "reset" and isinstance(node.func, ast.Attribute):
        yield call(ast.Attribute(node.func.value, "set", ast.Load()), ast.Constant(None))


BOX = """
(lambda box: types.SimpleNamespace(
    set=lambda value: setattr(box, "value", value),
    get=lambda: getattr(box, "value", default),
))(place())
"""


@operator("variable-global")
def variable_global(node):
    """`ContextVar("name", default=x)` as one box for all."""
    if called(node) == "ContextVar":
        yield _box(node, "types.SimpleNamespace")


@operator("variable-thread-local")
def variable_thread_local(node):
    """`ContextVar("name", default=x)` as one box for each thread."""
    if called(node) == "ContextVar":
        yield _box(node, "threading.local")


def _box(variable, place):
    box = expression(BOX)
    default = next((given.value for given in variable.keywords), ast.Constant(None))
    (default_used,), (place_used,) = named(box, "default"), named(box, "place")
    return replaced(box, (default_used, default), (place_used, expression(place)))


@operator("context-manager-dropped")
def context_manager_dropped(node):
    """One of many in a `with`."""
    if isinstance(node, ast.With | ast.AsyncWith) and len(node.items) > 1:
        for item in node.items:
            rest = [other for other in node.items if other is not item]
            yield type(node)(rest, node.body)


@operator("job-named-not-called")
def job_named_not_called(node):
    """`await f(x)` as `await f`."""
    if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and node.value.args:
        yield ast.Await(node.value.func)
