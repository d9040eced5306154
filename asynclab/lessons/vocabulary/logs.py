"""A logger for a check, which leaves logging as it was."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueListener

from ...exercises.lineage import is_beside
from ...recorder import hooks


@contextmanager
def logger_of_its_own() -> Iterator[logging.Logger]:
    """A logger whose records go nowhere else; afterwards no listener of the block's runs on.

    It logs also where the reader has switched logging off.
    """
    logger = logging.getLogger("asynclab.library")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # `dictConfig` disables the loggers that were there before it.
    for each in (logger, *_below(logger)):
        each.disabled = False
    below = logger.manager.disable
    logging.disable(logging.NOTSET)
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
        logging.disable(below)
        logging.raiseExceptions = loud
        logging.setLogRecordFactory(factory)
        logger.handlers.clear()
        logger.filters.clear()


def _below(logger: logging.Logger) -> list[logging.Logger]:
    known = list(logger.manager.loggerDict.items())
    below = [each for name, each in known if name.startswith(f"{logger.name}.")]
    return [each for each in below if isinstance(each, logging.Logger)]
