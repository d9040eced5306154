"""What a view answers, as checks are told of it."""

import pytest
from django.http.response import HttpResponseBase

from asynclab.exercises.book import NotYet
from asynclab.lessons.vocabulary.requests import require_response
from asynclab.servers import Response


def test_a_response_is_one_whatever_it_says():
    require_response("shelf", Response(404, {}, b""))
    require_response("shelf", HttpResponseBase.__new__(HttpResponseBase))


@pytest.mark.parametrize(("value", "kind"), [("Open until 19:00", "str"), (None, "NoneType")])
def test_a_text_is_no_response(value, kind):
    with pytest.raises(NotYet, match=f"`shelf` returned an object of type `{kind}`") as refused:
        require_response("shelf", value)
    assert refused.value.diagnosis == "no-response"
