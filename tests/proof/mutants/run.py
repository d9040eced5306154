"""Put mutants through the gate, a lesson's in one kernel, and say which of them live."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from asynclab.exercises.book import Exercise, find
from asynclab.exercises.stubs import answer, bound_names, parse
from asynclab.exercises.verdicts import PASSED
from tests.harness.gate import INTERNALS, Kernel
from tests.proof.mutants.generate import Mutant, reference

KILLED, ALIVE, RUINED, LEAKS = "killed", "alive", "ruins the kernel", "shows internals"


@dataclass(frozen=True)
class Result:
    """What became of a mutant.

    Args:
        mutant: the mutant's id.
        outcome: KILLED, ALIVE, RUINED (the reference fails after it) or LEAKS.
        said: the diagnosis, or all that was shown where the outcome is a fault of the check.
    """

    mutant: str
    outcome: str
    said: str


class Bench:
    """A lesson's kernel that mutants are tried in, and a new one whenever one is ruined.

    Args:
        lesson: the lesson's number.
        start: what starts a kernel.
    """

    def __init__(self, lesson: int, start: Callable[[int], Kernel] = Kernel):
        self._lesson, self._start = lesson, start
        self._kernel = start(lesson)

    def results(self, mutants: list[Mutant]) -> Iterator[Result]:
        """Try each mutant, and after each the reference, which must still pass."""
        for mutant in mutants:
            yield self._result(mutant, find(mutant.number))

    def close(self) -> None:
        """End the kernel."""
        self._kernel.close()

    def _result(self, mutant: Mutant, exercise: Exercise) -> Result:
        try:
            outcome, diagnosis, text = self._verdict(exercise, mutant.source)
            sound = "Restart the kernel" in text or self._passes_reference(exercise)
        except (TimeoutError, AssertionError, RuntimeError) as broken:
            self._restart()
            return Result(mutant.id, RUINED, str(broken))
        if "Restart the kernel" in text or not sound:
            self._restart()
        if not sound:
            return Result(mutant.id, RUINED, f"{outcome}: {text}")
        if outcome == PASSED:
            return Result(mutant.id, ALIVE, text)
        if INTERNALS.search(text):
            return Result(mutant.id, LEAKS, text)
        return Result(mutant.id, KILLED, diagnosis or outcome)

    def _verdict(self, exercise: Exercise, source: str) -> tuple[str, str, str]:
        """The verdict on a cell, whether it runs or raises; no name is left from an earlier one."""
        self._kernel.forget(_bound_by(exercise.number))
        # What an earlier answer lost is reported now, and not in this one's verdict.
        self._kernel.execute("__import__('gc').collect()")
        self._kernel.execute(source)
        return self._kernel.check(exercise)

    def _passes_reference(self, exercise: Exercise) -> bool:
        outcome, *_ = self._verdict(exercise, answer(reference(exercise.number)))
        return outcome == PASSED

    def _restart(self) -> None:
        self._kernel.close()
        self._kernel = self._start(self._lesson)


def _bound_by(number: str) -> tuple[str, ...]:
    """The names that an exercise's cell binds."""
    tree = parse(reference(number))
    return tuple(dict.fromkeys(name for each in tree.body for name in bound_names(each)))
