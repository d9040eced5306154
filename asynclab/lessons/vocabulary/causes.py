"""Conditions for an exercise's table of errors: how an error of the reader's code came about."""

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


def on_line_with(text: str) -> Condition:
    """Whether the line of the cell that it came through contains `text`."""
    return lambda raised: text in raised.text


def written(text: str) -> Condition:
    """Whether `text` stands in the source of the function that was called."""
    return lambda raised: text in raised.source
