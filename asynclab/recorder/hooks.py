"""One owner of every foreign method that the kit replaces.

A method is replaced once, while anybody listens to its calls, and the original is back when the
last listener has gone. Listeners come and go in any order: each leaves alone, and nobody keeps what
was in place before as if it were the original.
"""

import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..ground.errors import LabError
from ..ground.interrupts import held

_switch = threading.RLock()
_hooks: dict[tuple[type, str], "_Hook"] = {}


@contextmanager
def around(owner: type, name: str, wrap: Callable[[Callable], Callable]) -> Iterator[None]:
    """Let `wrap(method)` stand for the method `owner.name` until the block ends.

    It is outside of those that were there before it, and sees what they raise.

    Args:
        owner, name: the class that has the method, perhaps from its base, and the method's name.
        wrap: given a method, returns one that calls it.
    """
    with _layer(owner, name, wrap, inside=False):
        yield


@contextmanager
def before(owner: type, name: str, listener: Callable) -> Iterator[None]:
    """Call `listener` before each call of the method `owner.name`, until the block ends.

    It is called with the same arguments, on the same thread. What it raises, the caller gets
    instead of the call. Whatever is around the method sees both.

    Args:
        owner, name: the class that has the method, perhaps from its base, and the method's name.
        listener: what it returns is not used.
    """

    def wrap(method: Callable) -> Callable:
        @functools.wraps(method)
        def ask_and_call(*args, **kwargs):
            listener(*args, **kwargs)
            return method(*args, **kwargs)

        return ask_and_call

    with _layer(owner, name, wrap, inside=True):
        yield


@contextmanager
def before_queries(listener: Callable[[object, str], None]) -> Iterator[None]:
    """Call `listener(cursor, sql)` before each query on any thread, until the block ends.

    What it raises, the caller gets instead of the query, and a recording marks the query with it.

    Raises:
        LabError: Django has not been loaded.
    """
    method = query_method()
    if method is None:
        raise LabError("There are no queries to listen to before Django is loaded: boot() first.")
    with before(*method, lambda cursor, sql, *_, **__: listener(cursor, str(sql))):
        yield


def query_method() -> tuple[type, str] | None:
    """Where all connections run their statements, with DEBUG on or off; None without Django."""
    backends = sys.modules.get("django.db.backends.utils")
    return None if backends is None else (backends.CursorWrapper, "_execute_with_wrappers")


def replaced() -> list[str]:
    """The methods that are not the original now: ["Handle._run"]."""
    return [f"{owner.__name__}.{name}" for (owner, name), hook in _hooks.items() if hook.layers]


def is_replacement(value: object) -> bool:
    """Whether `value` is what stands, or has stood, in the place of a method."""
    hooks = list(_hooks.values())
    return any(each is value for hook in hooks for each in hook.replacements)


class _Hook:
    """A method, with what has been put around it, from the innermost outwards."""

    def __init__(self, owner: type, name: str):
        self.owner, self.name = owner, name
        self.layers: list[Callable] = []
        self.replacements = weakref.WeakSet()

    def place(self, layers: list[Callable]) -> None:
        """Put the method in place that `layers` make of the original."""
        if not self.layers:
            own = vars(self.owner)
            self.inherited = self.name not in own
            found = getattr(self.owner, self.name) if self.inherited else own[self.name]
            # Somebody else's patch may have kept a replacement, and put it back when it ended.
            if found not in self.replacements:
                self.original = found
        method = self.original
        for wrap in layers:
            method = wrap(method)
            self.replacements.add(method)
        # Told before it is done: whatever comes up in between, its block's end takes it off again.
        self.layers = layers
        if self.inherited and not layers:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, method)


@contextmanager
def _layer(owner: type, name: str, wrap: Callable, inside: bool) -> Iterator[None]:
    try:
        with held():
            _add(owner, name, wrap, inside)
        yield
    finally:
        with held():
            _remove(owner, name, wrap)


def _add(owner: type, name: str, wrap: Callable, inside: bool) -> None:
    with _switch:
        hook = _hooks.setdefault((owner, name), _Hook(owner, name))
        hook.place([wrap, *hook.layers] if inside else [*hook.layers, wrap])


def _remove(owner: type, name: str, wrap: Callable) -> None:
    """Take `wrap` off, if it was put on."""
    with _switch:
        hook = _hooks.get((owner, name))
        if hook is not None and wrap in hook.layers:
            left = list(hook.layers)
            left.remove(wrap)
            hook.place(left)
