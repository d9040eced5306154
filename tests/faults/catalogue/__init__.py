"""The faults, kind by kind."""

from ..planting import Fault
from . import copy, exercises, kit, lessons, pages, repository, stack

MODULES = (lessons, exercises, copy, kit, stack, repository, pages)
FAULTS: list[Fault] = [fault for module in MODULES for fault in module.FAULTS]
