"""Fixtures that several test modules share."""

import signal

from tests.harness.browser import browser, lab, page
from tests.harness.chromium import chromium, pytest_terminal_summary

__all__ = ["browser", "chromium", "lab", "page", "pytest_terminal_summary"]

# A shell starts what stands before `&` with interrupts ignored, and every child inherits that. The
# tests interrupt for real.
signal.signal(signal.SIGINT, signal.default_int_handler)
