"""The mutants that are right answers, as tests/lessons lists them."""

from collections.abc import Iterable

from tests.lessons import Equivalent, lessons


def known_equivalents() -> dict[str, str]:
    """Why a mutant is a right answer, by its id."""
    return reasons(each for lesson in lessons() for each in lesson.EQUIVALENT)


def reasons(entries: Iterable[Equivalent]) -> dict[str, str]:
    """The reasons of these entries, by the mutant's id.

    Raises:
        ValueError: an id is listed twice.
    """
    found: dict[str, str] = {}
    for entry in entries:
        for mutant in entry.mutants:
            if mutant in found:
                raise ValueError(f"tests/lessons lists {mutant} twice")
            found[mutant] = entry.because
    return found
