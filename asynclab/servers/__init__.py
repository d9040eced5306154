"""Real servers around Django: one in this kernel, one in a process of its own; what visits them.

Behind Django there are servers, too: a slow service, and PostgreSQL. A test suite of cells runs in
a process as well.
"""

from .modules import write_module
from .postgresql import PostgreSQL
from .process import serving
from .response import Response
from .site import Site
from .slow_service import SlowService
from .suites import suite
from .token_service import TokenService
from .visits import Visits, visit

__all__ = [
    "PostgreSQL",
    "Response",
    "Site",
    "SlowService",
    "TokenService",
    "Visits",
    "serving",
    "suite",
    "visit",
    "write_module",
]
