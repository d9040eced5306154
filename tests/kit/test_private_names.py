"""The kit's subclasses of other people's classes do not take a private name that is theirs.

A newer Python gave `threading.Thread` a `_context` of its own; a subclass that had one, too, ended
without a word before it ran. So every stack of the matrix asks again.
"""

import ast
import importlib
import inspect
import io
import pkgutil
import sys
import textwrap
import threading

import asynclab

# They are run, not imported.
PROGRAMS = ("__main__", "driver")
# Private in form only: anywidget asks its subclasses for them.
ASKED_FOR = {"_css", "_esm"}


def kit_classes():
    """Every class that a module of the kit defines."""
    for module in pkgutil.walk_packages(asynclab.__path__, "asynclab."):
        if module.name.rpartition(".")[2] not in PROGRAMS:
            for value in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(value) and value.__module__ == module.name:
                    yield value


def is_foreign(cls):
    return cls is not object and cls.__module__.partition(".")[0] not in ("asynclab", "tests")


def written(cls):
    """The names that the source of a class defines, or sets on `self`. C has no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Attribute(value=ast.Name("self"), attr=name, ctx=ast.Store()):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def clashes(cls):
    """The private names that a class sets and one of its foreign bases, too."""
    foreign = set()
    for base in filter(is_foreign, cls.__mro__):
        foreign |= {*written(base), *vars(base)}
    private = {name for name in written(cls) if name.startswith("_") and not name.endswith("_")}
    return (private & foreign) - ASKED_FOR


def test_no_class_of_the_kit_takes_a_private_name_of_its_base():
    classes = list(kit_classes())
    assert sum(any(map(is_foreign, cls.__mro__)) for cls in classes) > 10
    assert {cls.__qualname__: found for cls in classes if (found := clashes(cls))} == {}


def test_a_private_name_of_a_base_is_found():
    """In a method, in an attribute that only instances have, and in a base that is written in C."""

    class Runner(threading.Thread):
        def __init__(self):
            super().__init__()
            self._target, self._mine = None, None

        def _bootstrap(self): ...

    class Stream(io.StringIO):
        _checkClosed = None

    assert clashes(Runner) == {"_target", "_bootstrap"}
    assert clashes(Stream) == {"_checkClosed"}


def test_the_name_that_taught_this_is_found_where_a_thread_has_it():
    class Runner(threading.Thread):
        def __init__(self):
            self._context = None

    assert clashes(Runner) == ({"_context"} if sys.version_info >= (3, 14) else set())
