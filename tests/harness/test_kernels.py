"""A kernel whose port is gone is tried again."""

import pytest
from jupyter_client.manager import KernelManager

from tests.harness import kernels


def test_a_kernel_that_dies_at_its_start_is_tried_again(monkeypatch):
    monkeypatch.setattr(kernels, "_start", first_without_a_program(1))
    manager, client = kernels.start_kernel()
    try:
        assert manager.is_alive()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_kernel_that_never_comes_up_is_an_error(monkeypatch):
    monkeypatch.setattr(kernels, "_start", first_without_a_program(kernels.TRIES))
    with pytest.raises(RuntimeError, match="died"):
        kernels.start_kernel()


def first_without_a_program(times):
    """A start whose kernels are first another program, which ends at once."""
    left = [["false"]] * times
    command, start_once = KernelManager.format_kernel_cmd, kernels._start

    def start():
        with pytest.MonkeyPatch.context() as patched:
            if left:
                end_at_once = left.pop()
                patched.setattr(KernelManager, "format_kernel_cmd", lambda *_, **__: end_at_once)
            else:
                patched.setattr(KernelManager, "format_kernel_cmd", command)
            return start_once()

    return start
