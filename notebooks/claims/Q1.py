"""topics/testing/tools, "Testing asynchronous code", says:

Django's built-in decorators will behave correctly, but third-party ones may appear to not execute
(they will "wrap" the wrong part of the execution flow and not your test)."""

import sys
import unittest
import warnings
from unittest import mock

import asgiref
import django
from django.conf import settings
from django.test import TestCase, override_settings, skipUnlessDBFeature

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")

warnings.simplefilter("ignore")  # RuntimeWarning: coroutine ... was never awaited
memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": memory})
django.setup()
decorators = {
    "override_settings": override_settings(DEBUG=True),
    "skipUnlessDBFeature": skipUnlessDBFeature("supports_transactions"),
    "mock.patch": mock.patch("sys.maxsize", 7),
}
for name, decorate in decorators.items():
    ran = []

    async def test(self, ran=ran):
        ran.append(self)

    case = type("Case", (TestCase,), {"test": decorate(test)})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    passes = "" if ran else (", passes" if result.wasSuccessful() else ", fails")
    print(f"Found: {name}: {'runs' if ran else 'never runs'}{passes}")
