"""From what the controls say to the code that is run, and to what there is to say beforehand."""

from dataclasses import asdict, dataclass, fields

from ..ground.errors import LabError

CALLS = (1, 40)
LENGTH = (5, 200)  # milliseconds
CHOICES = {
    "work": ("computes", "sleeps", "queries"),
    "sensitive": (True, False, None),
    "contexts": (False, True),
    "gathered": (True, False),
}


@dataclass(frozen=True)
class Settings:
    """What the controls say; see `playground` for what each means."""

    calls: int = 10
    length: int = 50
    work: str = "sleeps"
    sensitive: bool | None = True
    contexts: bool = False
    gathered: bool = True

    @classmethod
    def checked(cls, chosen: dict[str, object]) -> "Settings":
        """The settings with `chosen` put in.

        Raises:
            LabError: a name or a value that there is no control for.
        """
        names = [field.name for field in fields(cls)]
        for name, value in chosen.items():
            if name not in names:
                raise LabError(f"playground() has no {name!r}; it has {', '.join(names)}.")
            _check(name, value)
        return cls(**chosen)

    def as_dict(self) -> dict[str, object]:
        """The settings by their names, as JSON can hold them."""
        return asdict(self)

    def __str__(self) -> str:
        how = "gathered" if self.gathered else "one by one"
        calls = "1 call" if self.calls == 1 else f"{self.calls} calls"
        context = ", a context each" if self.contexts else ""
        work = {"computes": "computing", "sleeps": "sleeping", "queries": "querying"}[self.work]
        adapter = "no adapter" if self.sensitive is None else f"thread_sensitive={self.sensitive}"
        return f"{calls}, {work} {self.length} ms, {adapter}{context}, {how}"


def _check(name: str, value: object) -> None:
    bounds = {"calls": CALLS, "length": LENGTH}.get(name)
    if bounds is None:
        if not any(type(value) is type(one) and value == one for one in CHOICES[name]):
            told = ", ".join(map(repr, CHOICES[name]))
            raise LabError(f"playground() takes {name} as one of {told}; got {value!r}.")
    elif type(value) is not int or not bounds[0] <= value <= bounds[1]:
        least, most = bounds
        raise LabError(
            f"playground() takes {name} as a whole number from {least} to {most}; got {value!r}."
        )


# --- the code


def function(settings: Settings, library: bool) -> str:
    """The name of the function that does the work."""
    if settings.work == "queries":
        return "count_books" if library else "list_tables"
    return {"computes": "compute", "sleeps": "sleep"}[settings.work]


def code(settings: Settings, library: bool) -> str:
    """The code that does what the settings say, to be run as a cell is run.

    Args:
        settings: what to do.
        library: whether the course's demo project is set up, so that there are books to query.
    """
    parts = [
        _imports(settings, library),
        f"def {function(settings, library)}():\n{_body(settings, library)}",
        f"async def branch():\n{_branch(settings, function(settings, library))}",
        _last(settings),
    ]
    return "\n\n\n".join(parts)


def _imports(settings: Settings, library: bool) -> str:
    standard = ["import asyncio"] * settings.gathered + ["import time"]
    names = ["ThreadSensitiveContext"] * settings.contexts
    names += ["sync_to_async"] * (settings.sensitive is not None)
    others = [f"from asgiref.sync import {', '.join(names)}"] if names else []
    if settings.work == "queries":
        others.append(
            "from library.models import Book" if library else "from django.db import connection"
        )
    return "\n\n".join("\n".join(lines) for lines in (standard, others) if lines)


def _body(settings: Settings, library: bool) -> str:
    seconds = f"{settings.length / 1000:g}"
    if settings.work == "computes":
        return (
            f"    end = time.thread_time() + {seconds}  # of this thread's own processor time\n"
            "    while time.thread_time() < end:\n"
            "        sum(range(1000))"
        )
    if settings.work == "sleeps":
        return f"    time.sleep({seconds})"
    query = "Book.objects.count()" if library else "connection.introspection.table_names()"
    return f"    {query}\n    time.sleep({seconds})  # a database far away"


def _branch(settings: Settings, name: str) -> str:
    call = f"{name}()"
    if settings.sensitive is not None:
        call = f"await sync_to_async({name}, thread_sensitive={settings.sensitive})()"
    if settings.contexts:
        return f"    async with ThreadSensitiveContext():\n        {call}"
    return f"    {call}"


def _last(settings: Settings) -> str:
    if settings.gathered:
        return f"await asyncio.gather(*(branch() for _ in range({settings.calls})))"
    return f"for _ in range({settings.calls}):\n    await branch()"


# --- what there is to say before it runs

SET_UP = "Queries need Django: call boot() in a cell, and press Run again."


def notes(settings: Settings, django: bool) -> list[str]:
    """What makes no difference, or needs something, in this combination; a sentence or two each.

    Args:
        settings: what the controls say.
        django: whether Django is set up in this process.
    """
    found = []
    direct = settings.sensitive is None
    if settings.work == "queries" and not django:
        found.append(SET_UP)
    if direct and settings.work == "queries":
        found.append("Django's guard refuses a query on the loop's thread.")
    if direct and settings.gathered and settings.calls > 1:
        found.append("A branch that never awaits gives the others no turn: gather changes nothing.")
    if settings.contexts and settings.sensitive is not True:
        found.append(
            "A ThreadSensitiveContext steers thread-sensitive calls only: here it does nothing."
        )
    elif settings.contexts and not settings.gathered and settings.calls > 1:
        found.append("One context ends before the next begins: new threads, but one at a time.")
    if settings.calls == 1:
        found.append("One call has nothing to overlap with.")
    if settings.work == "queries" and not direct:
        found.append(
            "Each call queries once and then sleeps, as if the database were far away. "
            "Connections that the run opens are closed after it."
        )
    return found
