"""The teaching kit: async Django in a notebook, recorded, drawn, predicted and checked.

In a notebook, `%load_ext asynclab` adds `%%lanes` and `%%thread`; the names below are the rest.
"""


def load_ipython_extension(shell) -> None:
    """Called by `%load_ext asynclab`."""
    from . import magics

    magics.register(shell)
