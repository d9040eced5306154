"""The teaching kit: async Django in a notebook, recorded, drawn, predicted and checked.

In a notebook, `%load_ext asynclab` adds `%%lanes`, `%%thread` and `%%module`; the names below are
the rest.
"""

from .ground import environment  # noqa: F401 - first of all: in a wrong one the others fail
from .ground.interrupts import held

# An import that is interrupted half-way leaves parts of Django in sys.modules, and the next import
# fails because of them. So an interrupt waits until this import has ended.
with held():
    from .boot import boot, override_database
    from .exercises import check, hint, progress, solution
    from .lanes import record, watch
    from .ledger import errors, ledger
    from .playground import playground
    from .predict import predict
    from .recorder.taps import span
    from .servers import PostgreSQL, Site, serving, visit
    from .shells import shells

__all__ = [
    "PostgreSQL",
    "Site",
    "boot",
    "check",
    "errors",
    "hint",
    "ledger",
    "override_database",
    "playground",
    "predict",
    "progress",
    "record",
    "serving",
    "shells",
    "solution",
    "span",
    "visit",
    "watch",
]


def load_ipython_extension(shell) -> None:
    """Called by `%load_ext asynclab`."""
    from . import magics

    magics.register(shell)
