"""The faults, kind by kind: those of each lesson, and those of what all lessons stand on."""

from tests.lessons import lessons
from tests.proof.faults.catalogue import (
    copy,
    delivery,
    exercises,
    kit,
    ledger,
    pages,
    prose,
    repository,
    stack,
    suite,
)
from tests.proof.faults.planting import Fault

MODULES = (
    *lessons(),
    exercises,
    copy,
    kit,
    stack,
    repository,
    delivery,
    suite,
    prose,
    ledger,
    pages,
)
FAULTS: list[Fault] = [fault for module in MODULES for fault in module.FAULTS]
