"""The checks that several faults name, as pytest takes them; see `planting.Fault`."""

CENSUS = ("tests/kit/authoring/test_census.py::test_the_census_of_the_course",)


def compared(lesson: int, *ids: str) -> tuple[str, ...]:
    """Cells of a lesson, compared with their outputs: one, behind those that it needs."""
    return tuple(f"notebooks/{lesson:02d}_*.ipynb#{cell_id}" for cell_id in ids)


def rules(stem: str) -> tuple[str, ...]:
    """The rules of style on one notebook, named as `notebooks/00_start_here`."""
    return (f"tests/kit/authoring/test_census.py::test_the_rules_of_style_hold[{stem}]",)


def verdict(case: str) -> tuple[str, ...]:
    """One case of the gate, such as `2.1 stub`."""
    return (f"tests/lessons/test_gate.py::test_verdict[{case}]",)


def complete(number: str) -> tuple[str, ...]:
    """What an exercise must not lack."""
    return (f"tests/lessons/test_gate.py::test_exercise_is_complete[{number}]",)
