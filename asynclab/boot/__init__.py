"""Django in this kernel: settings, a fresh database, seed data."""

import os
from collections.abc import Callable

from .databases import DatabaseServer
from .demo import DEMO_PROJECT, on_plain_thread, override_database, seed_data, set_up_library
from .setup import BootError, set_up_project

__all__ = ["DEMO_PROJECT", "UNSAFE", "BootError", "boot", "override_database", "seed_data"]

UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
"""The variable that switches Django's guard off: any text except the empty one does so."""


when_set_up: list[Callable[[], object]] = []
"""Called each time that `boot()` has set Django up."""


def boot(settings: str | None = None, *, database: DatabaseServer | None = None) -> None:
    """Set up Django in this kernel, and say so in one line.

    Without an argument: the demo project, with a database of this kernel's own, freshly migrated
    and seeded. Called again, it resets the data, ids included, and closes every connection; it may
    be called from a cell, a plain thread or plain Python. The database ends with the kernel. It
    ignores what the shell has set for another project: ``DJANGO_SETTINGS_MODULE``, and
    ``DJANGO_ALLOW_ASYNC_UNSAFE``, with which a lesson would not show what it says.

    With an argument: your own project. Its database is not touched. The folder of the nearest
    ``manage.py``, from the working directory upwards, goes on ``sys.path``, as manage.py would do.

    Args:
        settings: the dotted name of a settings module, such as ``"mysite.settings"``. It wins over
            ``DJANGO_SETTINGS_MODULE``.
        database: a server for the demo project's data, such as ``PostgreSQL()``; a file of SQLite
            if left out.

    Raises:
        BootError: with one line on what is wrong and what to do.
    """
    _check(settings, database)
    shell_settings = os.environ.get("DJANGO_SETTINGS_MODULE")
    if settings is None:
        print(on_plain_thread(set_up_library, database))
        _name_the_settings(shell_settings)
        _put_the_guard_on()
    else:
        print(on_plain_thread(set_up_project, settings))
        _name_the_settings(shell_settings)
        _say_that_the_guard_is_off()
    for each in when_set_up:
        each()


def _check(settings, database):
    """Refuse arguments that contradict each other, or are in each other's place."""
    if hasattr(settings, "create") or isinstance(database, str):
        raise BootError("Write boot(database=PostgreSQL()), or boot('mysite.settings').")
    if settings is not None and database is not None:
        raise BootError("boot(database=...) is for the demo project: your own keeps its database.")


def _name_the_settings(shell_settings):
    """Name them in the environment, also if a cell has taken the name out since the first boot."""
    from django.conf import settings

    chosen = os.environ["DJANGO_SETTINGS_MODULE"] = settings.SETTINGS_MODULE
    if shell_settings not in (None, chosen):
        print(f"DJANGO_SETTINGS_MODULE was {shell_settings}: boot() wins, it is {chosen} here.")


def _put_the_guard_on():
    found = os.environ.get(UNSAFE)
    if found:
        del os.environ[UNSAFE]
        print(
            f"{UNSAFE} was {found!r}, which switches Django's guard off: "
            "boot() wins, the guard is on in this kernel.\n"
            f"To switch it off again: import os; os.environ[{UNSAFE!r}] = {found!r}"
        )


def _say_that_the_guard_is_off():
    if os.environ.get(UNSAFE):
        print(
            f"{UNSAFE} is set: the guard is off in this kernel, and "
            "SynchronousOnlyOperation is never raised.\n"
            f"To put it on: import os; del os.environ[{UNSAFE!r}]"
        )
