"""A check's own logger leaves logging as it was."""

import asyncio
import gc
import logging
import queue
from logging.handlers import QueueHandler, QueueListener

from asynclab.lessons.vocabulary.failing import fail
from asynclab.lessons.vocabulary.logs import logger_of_its_own, noting_reports
from asynclab.lessons.vocabulary.tasks import turns


def test_no_listener_of_the_block_runs_on():
    records, handled = queue.SimpleQueue(), logging.NullHandler()
    with logger_of_its_own() as logger:
        logger.addHandler(QueueHandler(records))
        QueueListener(records, handled).start()
        logger.info("one")
    logging.getLogger("asynclab.checks.library").info("two")
    # A listener that ran would have taken this one out.
    records.put("three")
    assert records.get(timeout=5) == "three"


def test_logging_is_as_it_was():
    def state():
        return logging.getLogRecordFactory(), logging.raiseExceptions, QueueListener.start

    before = state()
    with logger_of_its_own() as logger:
        logging.setLogRecordFactory(dict)
        assert [now == then for now, then in zip(state(), before, strict=True)] == [False] * 3
        logger.addHandler(logging.NullHandler())
        logger.addFilter(bool)
    assert state() == before
    assert (logger.handlers, logger.filters) == ([], [])


def test_a_logger_below_is_new_in_the_next_block():
    below = []
    for _ in range(2):
        with logger_of_its_own() as logger:
            below.append(logger.getChild("desk"))
            assert logger.getChild("desk") is below[-1]
    assert below[0] is not below[1]


def test_the_block_logs_where_the_reader_has_switched_logging_off():
    with logger_of_its_own() as logger:
        pass
    loggers = [logger, logger.getChild("desk")]
    for each in loggers:
        each.disabled = True  # as `dictConfig` does with those that were there before
    logging.disable(logging.CRITICAL)
    try:
        with logger_of_its_own():
            assert [each.isEnabledFor(logging.INFO) for each in loggers] == [True, True]
        assert logging.root.manager.disable == logging.CRITICAL
    finally:
        logging.disable(logging.NOTSET)


def test_what_is_logged_is_reported_also_where_logging_is_off():
    logging.disable()
    try:
        with noting_reports() as reports:
            logging.getLogger("asynclab.checks.other").exception("lost")
    finally:
        logging.disable(logging.NOTSET)
    assert reports == ["log"]


def test_a_lost_exception_is_nobodys_report():
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        with noting_reports() as reports:
            asyncio.create_task(fail())
            await turns()
            gc.collect()
            assert reports == []
            loop.call_exception_handler({"message": "a job failed"})
        return reports

    assert asyncio.run(main()) == ["loop"]
