"""The processes that a call has begun. They end with it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess

import psutil

from ..recorder import hooks

PATIENCE = 1
"""Seconds to wait for processes that were killed."""

_followed: tuple["Processes", ...] = ()


class Processes:
    """The processes that begin while a call is followed, if code of the call has begun one.

    Args:
        is_here: whether the code that asks is the call's.
    """

    def __init__(self, is_here: Callable[[], bool]):
        self._is_here = is_here
        self._older: set[psutil.Process] | None = None

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Notice, until the block ends, that one is begun."""
        global _followed
        with (
            hooks.before(subprocess.Popen, "__init__", self.note),
            hooks.before(BaseProcess, "start", self.note),
        ):
            _followed += (self,)
            try:
                yield
            finally:
                _followed = tuple(other for other in _followed if other is not self)

    def note(self, *_args, **_kwargs) -> None:
        """One is about to begin here."""
        if self._older is None and self._is_here():
            self._older = set(_children())

    def end(self) -> list[str]:
        """Kill those that are left, and say so in a sentence."""
        if self._older is None:
            return []
        new = [each for each in _children() if each not in self._older]
        left = [each for each in new if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(new, PATIENCE)
        if not left:
            return []
        return ["A process went on after the call, and was ended."]


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _note_fork() -> None:
    for each in _followed:
        each.note()


# Not a method that could be replaced, and it cannot be taken back: with no call it does nothing.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_note_fork)
