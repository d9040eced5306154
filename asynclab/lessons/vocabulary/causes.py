"""Conditions for an exercise's table of errors: how an error of the reader's code came about."""

import re
from collections.abc import Callable

from ...exercises.book import Raised

Condition = Callable[[Raised], bool]


def behind_a_dot(raised: Raised) -> bool:
    """Whether it rose where an attribute of a model's object fetched what was not there yet."""
    return any(
        module.startswith("django.db.models.") and name == "__get__" for module, name in raised.path
    )


def in_lazy_user(raised: Raised) -> bool:
    """Whether it rose where `request.user` looked up who that is."""
    return any(module == "django.contrib.auth.middleware" for module, _ in raised.path)


def through(package: str) -> Condition:
    """Whether it came through a module of that package, such as "django.forms"."""
    return lambda raised: any(f"{module}.".startswith(f"{package}.") for module, _ in raised.path)


def on_line_with(text: str) -> Condition:
    """Whether the line of the cell that it came through contains `text`."""
    return lambda raised: text in raised.text


def written(text: str) -> Condition:
    """Whether `text` stands in the source of the function that was called."""
    return lambda raised: text in raised.source


def on_other_loop(raised: Raised) -> bool:
    """Whether something was used that belongs to another loop, or to one that is closed."""
    return bool(re.search(r"different (event )?loop|loop is closed", str(raised.error)))


def under(name: str) -> Condition:
    """Whether it came through the function of that name, such as a check's own driver."""
    return lambda raised: any(function == name for _, function in raised.path)
