"""Explains in one line why a cell failed: the notebook's first code cell has not been run.

In a kernel that has not loaded the kit, the name `check` and the magic `%%lanes` do not exist.
`labconfig` lets each kernel of the course's environment run this file as it starts, by its path.
Imported as part of the kit, it would load Django into kernels that have no use for it. So it needs
no package, and holds its own list of the kit's names.
"""

import json
import os
import re
import sys

ADVICE = (
    "This kernel has not run the notebook's first code cell. "
    "Run that one, then the cells down to this one."
)

WORDS = (
    *("PostgreSQL", "Site", "boot", "check", "errors", "hint"),
    *("ledger", "override_database", "playground", "predict", "progress", "record"),
    *("serving", "shells", "solution", "span", "visit", "watch"),
)
MAGICS = ("lanes", "thread", "module")

LOADS_THE_KIT = re.compile(r"^%load_ext asynclab\b", re.MULTILINE)


def register(shell) -> None:
    """Look at how each cell of an IPython shell ends. A second call changes nothing."""
    if not getattr(shell, "_asynclab_advises", False):
        shell._asynclab_advises = True
        shell.events.register("post_run_cell", advise)


def advise(result) -> None:
    """Print the advice under a cell that failed because the first one has not been run."""
    loaded = "asynclab" in sys.modules or LOADS_THE_KIT.search(result.info.raw_cell or "")
    if not loaded and lacks_first_cell(result.error_in_exec):
        sys.stderr.flush()  # what IPython says of a magic comes first
        print(ADVICE)


def lacks_first_cell(error: BaseException | None) -> bool:
    """Whether a cell that ran first in its kernel would raise this."""
    if isinstance(error, NameError) and error.name in WORDS:
        return True
    if isinstance(error, NameError | ModuleNotFoundError):
        return loads_the_kit(os.environ.get("JPY_SESSION_NAME", ""))
    # IPython's UsageError, by its text: it names no magic.
    found = re.match(r"Cell magic `%%(\w+)` not found", str(error))
    return bool(found) and found[1] in MAGICS


def loads_the_kit(path: str) -> bool:
    """Whether the first code cell of this notebook does it.

    Jupyter Server tells a kernel its notebook's path; VS Code does not.
    """
    try:
        with open(path, encoding="utf-8") as file:
            cells = json.load(file)["cells"]
        first = next(cell["source"] for cell in cells if cell["cell_type"] == "code")
        return bool(LOADS_THE_KIT.search("".join(first)))
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False
