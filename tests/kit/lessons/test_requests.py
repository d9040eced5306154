"""What a view answers, as checks are told of it."""

import asyncio

import pytest
from django.http.response import HttpResponseBase

from asynclab.exercises.book import NotYet
from asynclab.lessons.vocabulary.requests import request_of, require_response
from asynclab.servers import Response
from tests.kit.recorder.conftest import library

__all__ = ["library"]


def test_a_response_is_one_whatever_it_says():
    require_response("shelf", Response(404, {}, b""))
    require_response("shelf", HttpResponseBase.__new__(HttpResponseBase))


@pytest.mark.parametrize(("value", "kind"), [("Open until 19:00", "str"), (None, "NoneType")])
def test_a_text_is_no_response(value, kind):
    with pytest.raises(NotYet, match=f"`shelf` returned an object of type `{kind}`") as refused:
        require_response("shelf", value)
    assert refused.value.diagnosis == "no-response"


def test_a_request_comes_with_the_cookie_of_its_session(library):
    """A user's own; a guest has none."""
    user, guest = [asyncio.run(request_of(name)) for name in ("ishmael", None)]
    assert (user.COOKIES["sessionid"], guest.COOKIES) == (user.session.session_key, {})
    assert asyncio.run(user.auser()).get_full_name() not in ("", "ishmael")
