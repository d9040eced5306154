"""The faults, kind by kind."""

from tests.proof.faults.catalogue import copy, exercises, kit, lessons, pages, repository, stack
from tests.proof.faults.planting import Fault

MODULES = (lessons, exercises, copy, kit, stack, repository, pages)
FAULTS: list[Fault] = [fault for module in MODULES for fault in module.FAULTS]
