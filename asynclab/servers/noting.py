"""In the process of a test suite: notes which test has begun and not ended.

It imports nothing of the kit. A copy of it lies beside the suite's modules, for pytest as a plugin,
and for `manage.py test` with its `Runner`.
"""

from pathlib import Path

NOTE = Path(__file__).with_suffix(".txt")


def pytest_runtest_logstart(nodeid: str) -> None:
    """Note a test of pytest's."""
    NOTE.write_text(nodeid, encoding="utf-8")


def pytest_runtest_logfinish() -> None:
    """Note that it has ended."""
    NOTE.write_text("", encoding="utf-8")


def __getattr__(name: str) -> type:
    if name != "Runner":
        raise AttributeError(name)
    # Not above: pytest-django has not set Django up when plugins are imported.
    from unittest import TextTestResult

    from django.conf import settings
    from django.test.utils import get_runner

    class Runner(get_runner(settings)):
        def get_resultclass(self) -> type[TextTestResult]:
            base = super().get_resultclass() or TextTestResult
            return type("Result", (_Noted, base), {})

    return Runner


class _Noted:
    def startTest(self, test):  # noqa: N802 (unittest's name)
        pytest_runtest_logstart(test.id())
        super().startTest(test)

    def stopTest(self, test):  # noqa: N802 (unittest's name)
        super().stopTest(test)
        pytest_runtest_logfinish()
