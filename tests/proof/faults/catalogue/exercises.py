"""What can go wrong in how exercises are checked, whichever lesson's they are."""

from tests.proof.faults.checks import verdict
from tests.proof.faults.edits import text
from tests.proof.faults.planting import Fault

FAULTS = [
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
        "verdict-takes-text-for-html",
        "a verdict",
        text("asynclab/exercises/verdicts.py", "pieces = escape(text)", "pieces = str(text)"),
        ("tests/kit/exercises/test_exercises.py::test_diagnosis_reaches_the_reader",),
        ("&lt;b&gt;", "<b>them</b>"),
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
