"""The IPython that this code runs in, if it runs in one."""

import sys


def running_shell():
    """Return IPython's shell; None in a plain program, which is not made to import IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
