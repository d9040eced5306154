"""Jupyter kernels for tests."""

from jupyter_client.manager import KernelManager

TRIES = 3


def start_kernel(**options):
    """Start a kernel; return its manager and its client, as Jupyter's `start_new_kernel` does.

    Jupyter looks for free ports before the kernel takes them. Beside many other kernels one may be
    gone by then, and the kernel dies at once: it is tried again. (`start_new_kernel` would then
    ask the dead kernel to end, and wait for good.)

    Raises:
        RuntimeError: no try came up.
    """
    for _ in range(TRIES - 1):
        try:
            return _start(**options)
        except RuntimeError as error:
            print(error)
    return _start(**options)


def _start(**options):
    manager = KernelManager()
    manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
    except RuntimeError:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        raise
    return manager, client
