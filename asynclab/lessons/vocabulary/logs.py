"""A logger for a check, which leaves logging as it was; and whether an answer reports something."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from logging.handlers import QueueListener

from ...exercises.lineage import is_beside
from ...recorder import hooks


@contextmanager
def logger_of_its_own() -> Iterator[logging.Logger]:
    """A logger that takes every record; afterwards no listener of the block's runs on.

    Its records go to the logger above it, and no further. It logs also where the reader has
    switched logging off. There is no logger below it, but for those of the block.
    """
    above = logging.getLogger("asynclab.checks")
    logger = above.getChild("library")
    logger.setLevel(logging.DEBUG)
    logger.propagate, above.propagate = True, False
    # `dictConfig` disables the loggers that were there before it.
    for each in (above, *_below(above)):
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
        for each in (above, *_below(above)):
            each.handlers.clear()
            each.filters.clear()
        _forget_below(logger)


@contextmanager
def noting_reports() -> Iterator[list[str]]:
    """Note what a call logs in the block, at any level but "debug", or tells its loop.

    It counts whether or not logging is on. The exception of a lost task is nobody's report: asyncio
    finds it when the task is thrown away.
    """
    reports = []

    def note(_logger, *_args, **_kwargs):
        if not is_beside():
            reports.append("log")

    def note_told(_loop, context):
        if not is_beside() and context["message"] != LOST:
            reports.append("loop")

    with ExitStack() as stack:
        for level in "info", "warning", "error", "critical", "log":
            stack.enter_context(hooks.before(logging.Logger, level, note))
        told = hooks.before(asyncio.BaseEventLoop, "call_exception_handler", note_told)
        stack.enter_context(told)
        yield reports


LOST = "Task exception was never retrieved"


def _forget_below(logger: logging.Logger) -> None:
    known = logger.manager.loggerDict
    for name in [name for name in known if name.startswith(f"{logger.name}.")]:
        del known[name]


def _below(logger: logging.Logger) -> list[logging.Logger]:
    known = list(logger.manager.loggerDict.items())
    below = [each for name, each in known if name.startswith(f"{logger.name}.")]
    return [each for each in below if isinstance(each, logging.Logger)]
