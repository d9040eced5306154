"""Inputs: what an answer makes of nothing at all, and whether it leaves them as they are."""

from ...exercises.book import NotYet
from ...exercises.given import Given
from .values import same


async def require_of_nothing(
    given: Given, name: str, *args, what: str, wanted: tuple = ([],), **options
) -> None:
    """Call the reader's function with an empty list among its arguments; it must return one.

    Args:
        what: the input, such as "no branch".
        wanted: what it may return in place of an empty list.
        options: as for `Given.call`.

    Raises:
        NotYet: "nothing-given", or what `Given.call` raises.
    """
    call = await given.call(name, *args, expect=Exception, **options)
    if call.error is None and any(same(call.value, each) for each in wanted):
        return
    error = call.error
    did = (
        f"returned {call.result!r}"
        if error is None
        else f"raised `{type(error).__name__}: {error}`"
    )
    raise NotYet(
        "nothing-given",
        f"Given {what} at all, it {did}. How many answers are there to no question?",
    )


def require_unchanged(given: list, before: list) -> None:
    """Require that a list which an answer was given still holds what it held before.

    Raises:
        NotYet: "changes-the-list".
    """
    if given != before:
        raise NotYet(
            "changes-the-list",
            f"Your caller's list held {before!r}, and it holds {given!r} now. Whose list is it?",
        )
