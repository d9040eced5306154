"""A logger for a check, which leaves logging as it was."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueListener

from ...exercises.lineage import is_beside
from ...recorder import hooks


@contextmanager
def logger_of_its_own() -> Iterator[logging.Logger]:
    """A logger whose records go nowhere else; afterwards no listener of the block's runs on."""
    logger = logging.getLogger("asynclab.library")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    factory, loud = logging.getLogRecordFactory(), logging.raiseExceptions
    # A record without an id makes the formatter fail. The check says so itself.
    logging.raiseExceptions = False
    started = []

    def note(listener):
        if not is_beside():
            started.append(listener)

    try:
        with hooks.before(QueueListener, "start", note):
            yield logger
    finally:
        for listener in started:
            with suppress(AttributeError):  # It was stopped before.
                listener.stop()
        logging.raiseExceptions = loud
        logging.setLogRecordFactory(factory)
        logger.handlers.clear()
        logger.filters.clear()
