"""Fixtures that several test modules share."""

from browser import browser, lab, page
from chromium import chromium, pytest_terminal_summary

__all__ = ["browser", "chromium", "lab", "page", "pytest_terminal_summary"]
