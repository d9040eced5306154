"""What can go wrong in an exercise: its stub, its answer, its check, its verdict."""

from pathlib import Path

from tests.proof.faults.edits import CannotPlant, Plant, both, drop_cell, find, source, text
from tests.proof.faults.planting import Fault

SOLUTIONS = "solutions/02_*.ipynb"
CHECKS = "asynclab/lessons/lesson02.py"
OVERDUE = "return await Loan.objects.filter(returned=None, due__lt=day).acount()"


def verdict(case: str) -> tuple[str, ...]:
    """One case of the gate, such as `2.1 stub`."""
    return (f"tests/lessons/test_gate.py::test_verdict[{case}]",)


def complete(number: str) -> tuple[str, ...]:
    return (f"tests/lessons/test_gate.py::test_exercise_is_complete[{number}]",)


def swap(path: str, one: str, other: str) -> Plant:
    """Let two texts of a file change places."""
    return both(text(path, one, "\0"), text(path, other, one), text(path, "\0", other))


def drop_answer(path: str, label: str) -> Plant:
    """Take the answer away that earns a diagnosis."""

    def plant(root: Path) -> None:
        file = find(root, path)
        head, found, tail = file.read_text(encoding="utf-8").partition(f'wrong="{label}"')
        if not found:
            raise CannotPlant(f"no answer in {path} is wrong as {label}")
        start, end = head.rindex("    Answer("), tail.index("\n    ),\n") + len("\n    ),\n")
        file.write_text(head[:start] + tail[end:], encoding="utf-8")

    return plant


FAULTS = [
    Fault(
        "stub-already-solved",
        "a stub",
        both(
            source(SOLUTIONS, "exercise-2-1", "    ### BEGIN SOLUTION\n", ""),
            source(SOLUTIONS, "exercise-2-1", "\n    ### END SOLUTION", ""),
        ),
        verdict("2.1 stub"),
        ("('passed', '') == ('not attempted', '')",),
    ),
    Fault(
        "exercises-edited-by-hand",
        "a stub",
        source("exercises/03_*.ipynb", "exercise-3-1", "# your code here", "# write here"),
        (
            "tests/kit/exercises/test_exercises.py::test_exercises_are_as_generated[03_exercises_sync_to_async_and_threads.ipynb]",
        ),
        ("run: python -m asynclab.authoring generate", "# write here"),
    ),
    Fault(
        "exercise-without-its-cell",
        "a stub",
        drop_cell(SOLUTIONS, "exercise-2-4"),
        ("tests/lessons/test_gate.py::test_every_solution_cell_has_an_exercise[2]",),
        ("'2.4'",),
    ),
    Fault(
        "solution-wrong",
        "an answer",
        source(SOLUTIONS, "exercise-2-1", "due__lt=day", "due__lte=day"),
        verdict("2.1 solution"),
        ("('not yet', 'counts-due-today') == ('passed', '')",),
    ),
    Fault(
        "right-answer-refused",
        "an answer",
        text(CHECKS, "    if result == right:\n", "    if result == right and False:\n"),
        verdict("2.1 aggregate"),
        ("('not yet', 'other-number') == ('passed', '')",),
    ),
    Fault(
        "wrong-answer-forgotten",
        "an answer",
        drop_answer("tests/lessons/lesson02.py", "counts-due-today"),
        complete("2.1"),
        ("no answer earns ['counts-due-today']",),
    ),
    Fault(
        "check-accepts-everything",
        "a check",
        text(
            CHECKS,
            "async def loan_lines(given):\n",
            'async def loan_lines(given):\n    return "Well done."\n',
        ),
        verdict("2.2 no-query"),
        ("('passed', '') == ('not yet', 'no-query')",),
    ),
    Fault(
        "diagnoses-swapped",
        "a check",
        swap(CHECKS, '"counts-returned"', '"counts-due-today"'),
        verdict("2.1 counts-returned"),
        ("('not yet', 'counts-due-today') == ('not yet', 'counts-returned')",),
    ),
    Fault(
        "diagnosis-that-nobody-earns",
        "a check",
        text(
            CHECKS,
            "async def loan_lines(given):\n",
            "async def loan_lines(given):\n"
            '    if given is None:\n        raise NotYet("no-reader", "Who are you?")\n',
        ),
        ("tests/lessons/test_gate.py::test_no_diagnosis_is_dead",),
        ("no wrong answer in tests/lessons earns ['no-reader']",),
    ),
    Fault(
        "check-takes-the-readers-data",
        "a check",
        text(
            "asynclab/boot.py", "    if _library is None or _library.file is None:", "    if True:"
        ),
        ("tests/lessons/test_gate.py::test_verdict_does_not_depend_on_the_readers_data[2.3]",),
        ("('not yet', '(18, 0)') == ('passed', '(18, 0)')",),
    ),
    Fault(
        "readers-writes-lost-by-a-check",
        "a check",
        text(
            "asynclab/boot.py",
            "        if self.file == mine:\n            self._use(mine)",
            "        if self.file == mine:\n            self._use(self.begin())",
        ),
        ("tests/lessons/test_gate.py::test_verdict_does_not_depend_on_the_readers_data[2.1]",),
        ("('passed', '(18, 14)') == ('passed', '(18, 0)')",),
    ),
    Fault(
        "check-leaves-its-noise-to-the-next-cell",
        "a check",
        text("asynclab/exercises/checking.py", ", output[1], settled():", ", output[1]:"),
        verdict("1.6 lost-error"),
        ("Task exception was never retrieved OSError: the shop is closed",),
    ),
    Fault(
        "check-drops-the-cells-that-wait",
        "a check",
        text(
            "asynclab/exercises/leftovers.py",
            "        and id(each) not in scheduled\n",
            "",
        ),
        ("tests/kit/exercises/test_settled.py::test_a_task_that_has_not_begun_is_left_alone",),
        ("cannot reuse already awaited coroutine",),
    ),
    Fault(
        "two-desks-on-one-worker",
        "a check",
        text(
            "asynclab/lessons/lesson03.py",
            "        async with ThreadSensitiveContext():\n            try:",
            "        if True:\n            try:",
        ),
        verdict("3.3 database-locked0"),
        ("('not yet', 'one-process') == ('not yet', 'database-locked')",),
    ),
    Fault(
        "verdict-gives-the-answer-away",
        "a verdict",
        text(CHECKS, '"Who knows how many loans are overdue?"', f'"Write: {OVERDUE}"'),
        verdict("2.1 no-query"),
        (f"['{OVERDUE}'] == []",),
    ),
    Fault(
        "verdict-takes-text-for-html",
        "a verdict",
        text("asynclab/exercises/verdicts.py", "pieces = escape(text)", "pieces = str(text)"),
        ("tests/kit/exercises/test_exercises.py::test_diagnosis_reaches_the_reader",),
        ("&lt;b&gt;", "<b>them</b>"),
    ),
    Fault(
        "hint-removed",
        "a hint",
        text(
            CHECKS,
            '        "The database can count. What is the async twin of `count()`?",\n',
            "",
        ),
        complete("2.1"),
        ("fewer than three hints",),
    ),
    Fault(
        "progress-of-a-damaged-file-lost",
        "progress",
        text(
            "asynclab/exercises/score.py", "    os.replace(path, aside)\n", "    os.unlink(path)\n"
        ),
        ("tests/kit/exercises/test_exercises.py::test_second_damage_does_not_overwrite_the_first",),
        ("progress.damaged-1.json",),
    ),
]
