"""Jupyter kernels for tests."""

from jupyter_client.manager import start_new_kernel

TRIES = 3


def start_kernel(**options):
    """Start a kernel; return its manager and its client, as `start_new_kernel` does.

    Jupyter looks for free ports before the kernel takes them. Beside many other kernels one may be
    gone by then, and the kernel dies at once: it is tried again.

    Raises:
        RuntimeError: no try came up.
    """
    for _ in range(TRIES - 1):
        try:
            return start_new_kernel(**options)
        except RuntimeError as error:
            print(error)
    return start_new_kernel(**options)
