"""Real servers around Django: one in this kernel, one in a process of its own; what visits them."""

from .modules import write_module
from .process import serving
from .response import Response
from .site import Site
from .slow_service import SlowService
from .visits import Visits, visit

__all__ = ["Response", "Site", "SlowService", "Visits", "serving", "visit", "write_module"]
