"""A browser for all modules here that run one after another, and pages in it.

While playwright is at work, the thread has a running event loop: what comes between them and wants
to run one finds no browser.
"""

import pytest

from tests.harness.browser import browser_of, new_page
from tests.harness.desks import Desks


@pytest.fixture(scope="package")
def browser(chromium):
    """A Chromium."""
    with browser_of(chromium) as running:
        yield running


@pytest.fixture(scope="package")
def desks(browser, lab):
    """Pages with a JupyterLab."""
    return Desks(browser, lab)


@pytest.fixture
def page(desks):
    """A page of 1200 by 900 pixels with a JupyterLab, and no notebook open."""
    with desks.lent() as page:
        yield page


@pytest.fixture
def blank(browser):
    """A page that shows nothing."""
    context = browser.new_context()
    yield new_page(context)
    context.close()
