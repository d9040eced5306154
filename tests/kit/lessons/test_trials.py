"""A reader's test case, tried on a view: what became of it, and what is put back."""

import asyncio

import pytest

from asynclab.exercises.book import NotYet
from asynclab.lessons.vocabulary.trials import (
    require_green,
    require_red,
    require_red_without_page,
    trial,
)
from tests.kit.exercises.answers import verdict_on
from tests.kit.recorder.conftest import library

__all__ = ["library"]

CASE = """
import asyncio

from django.test import TestCase, skipIfDBFeature, skipUnlessDBFeature

class answer(TestCase):
    view = staticmethod(print)

    {decorator}
    async def test_it(self):
        self.assertEqual({call}, 2)
    {more}
"""


async def right(number):
    return number + 1


async def wrong(number):
    return number


async def hangs(number):
    await asyncio.Event().wait()


def tried(check, decorator="", call="await self.view(1)", more="", **options):
    return verdict_on(CASE.format(decorator=decorator, call=call, more=more), check, **options)


@pytest.mark.parametrize(
    ("view", "decorator", "asked", "skipped", "problem"),
    [
        (right, "", 1, 0, ""),
        (wrong, "", 1, 0, "AssertionError: 1 != 2"),
        (wrong, '@skipUnlessDBFeature("supports_json_field")', 0, 0, ""),
    ],
)
def test_what_became_of_a_case(library, view, decorator, asked, skipped, problem):
    seen = []

    async def look(given):
        seen.append(await trial(given, "answer", view))

    tried(look, decorator)
    assert [(t.asked, t.skipped, t.problem, t.passed) for t in seen] == [
        (asked, skipped, problem, problem == "")
    ]


@pytest.mark.parametrize("feature", ["supports_over_clause", "supports_partial_indexes"])
def test_a_database_that_lacks_a_feature_has_it_afterwards(library, feature):
    from django.db import connection

    own = feature in vars(type(connection.features))
    seen = []

    async def look(given):
        seen.append(await trial(given, "answer", right, without=feature))

    tried(look, f'@skipUnlessDBFeature("{feature}")')
    assert [made.skipped for made in seen] == [1]
    assert getattr(connection.features, feature) is True
    assert (feature in vars(type(connection.features))) is own


def test_green_and_red(library):
    async def look(given):
        await require_green(given, "answer", right, {})
        await require_red(given, "answer", wrong, NotYet("passes", "It passes."))
        await require_red(given, "answer", right, NotYet("passes", "It passes."))

    assert tried(look).diagnosis == "passes"


@pytest.mark.parametrize(
    ("case", "diagnosis"),
    [
        ({"decorator": '@skipUnlessDBFeature("supports_transactions")'}, "never-runs"),
        ({"decorator": '@skipIfDBFeature("supports_transactions")'}, "all-skipped"),
        ({"more": "def setUp(self): self.skipTest('not today')"}, "all-skipped"),
        ({"call": "1 + 1"}, "asks-no-view"),
        ({"call": "1 + 2"}, "asks-no-view"),
        ({"more": "async def setUp(self): ..."}, "async-set-up"),
        ({"more": "async def asyncTearDown(self): ..."}, "async-set-up"),
    ],
)
def test_a_case_that_does_not_ask_the_view(library, case, diagnosis):
    async def look(given):
        await require_green(given, "answer", right, {})

    assert tried(look, **case).diagnosis == diagnosis


@pytest.mark.parametrize(
    ("call", "diagnosis"),
    [
        ("await self.view(1)", ""),
        ("2 if await asyncio.wait([asyncio.create_task(self.view(1))]) else 1", "without-a-page"),
    ],
)
def test_a_case_that_does_not_hear_of_an_error_of_the_view(library, call, diagnosis):
    async def look(given):
        await require_red_without_page(given, "answer")

    assert tried(look, call=call).diagnosis.removeprefix("passes-") == diagnosis


def test_a_case_that_is_marked_as_a_failure(library):
    async def look(given):
        await require_green(given, "answer", right, {})

    marked = CASE.replace("class answer", "@unittest.expectedFailure\nclass answer")
    source = f"import unittest\n{marked}".format(decorator="", call="await self.view(1)", more="")
    assert verdict_on(source, look).diagnosis == "expects-failure"


def test_a_case_that_does_not_end_with_a_wrong_view(library):
    async def look(given):
        await require_red(
            given, "answer", hangs, NotYet("passes", "It passes."), NotYet("endless", "It hangs.")
        )

    assert tried(look, seconds=0.1).diagnosis == "endless"
