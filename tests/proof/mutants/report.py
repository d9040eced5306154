"""What became of the mutants: a line for each lesson, and every one that is out of order."""

from dataclasses import dataclass, field

from tests.proof.mutants.run import ALIVE, KILLED, Result


@dataclass
class Tally:
    """A lesson's figures.

    Args:
        lesson: the lesson's number.
        mutants: how many were tried.
        killed: how many the checks refused.
        equivalent: how many passed, and are listed as right answers.
        faults: a line for each of the others, and for each of the list that was refused.
    """

    lesson: int
    mutants: int = 0
    killed: int = 0
    equivalent: int = 0
    faults: list[str] = field(default_factory=list)


def tally(lesson: int, results: list[Result], equivalents: dict[str, str]) -> Tally:
    """Count what became of a lesson's mutants."""
    counted = Tally(lesson, mutants=len(results))
    for result in results:
        listed = result.mutant in equivalents
        if result.outcome == KILLED and not listed:
            counted.killed += 1
        elif result.outcome == ALIVE and listed:
            counted.equivalent += 1
        else:
            place = ", but listed in tests/lessons" if listed else ""
            counted.faults.append(f"{result.mutant} {result.outcome}{place}: {result.said}")
    return counted


def table(tallies: list[Tally]) -> str:
    """The figures as text, with their sum if there is more than one lesson."""
    rows = [(f"{t.lesson:02d}", t.mutants, t.killed, t.equivalent, len(t.faults)) for t in tallies]
    if len(rows) > 1:
        rows.append(("all", *map(sum, list(zip(*rows, strict=True))[1:])))
    heads = ("lesson", "mutants", "killed", "equivalent", "alive or faulty")
    return "\n".join(_line(row, heads) for row in [heads, *rows])


def _line(row: tuple, heads: tuple[str, ...]) -> str:
    pairs = zip(row, heads, strict=True)
    return "  ".join(f"{cell:>{len(head)}}" for cell, head in pairs)
