"""Receivers that the reader has connected to Django's signals: no verdict depends on them."""

import functools
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..recorder import hooks

SIGNALS = (
    "django.core.signals",
    "django.contrib.auth.signals",
    "django.db.backends.signals",
    "django.db.models.signals",
)
"""Modules of Django with signals."""


@contextmanager
def left_out(namespace: dict[str, object], of: Callable[[], bool]) -> Iterator[None]:
    """Call no receiver of the notebook's that is connected now, for the code that `of` speaks for.

    Args:
        namespace: the namespace of the notebook's cells.
    """
    theirs = [each for each in _connected() if _globals_of(each) is namespace]
    if not theirs:
        yield
        return
    from django.dispatch import Signal

    def leave_out(live_receivers: Callable) -> Callable:
        @functools.wraps(live_receivers)
        def _live_receivers(signal, sender):
            found = live_receivers(signal, sender)
            if not of():
                return found
            return tuple([each for each in kind if each not in theirs] for kind in found)

        return _live_receivers

    with hooks.around(Signal, "_live_receivers", leave_out):
        yield


def _connected() -> Iterator[Callable | None]:
    for name in SIGNALS:
        for signal in vars(sys.modules.get(name, object)).values():
            for _, receiver, *_ in getattr(signal, "receivers", ()):
                is_weak = isinstance(receiver, weakref.ReferenceType)
                yield receiver() if is_weak else receiver


def _globals_of(receiver: object) -> dict | None:
    function = getattr(receiver, "__func__", receiver)
    return getattr(function, "__globals__", None)
