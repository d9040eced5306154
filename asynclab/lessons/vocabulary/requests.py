"""Requests, as a view gets them, and what it answers."""

from collections.abc import Callable

from ...exercises.book import NotYet
from ...recorder.taps import span
from ...servers import Response, Site


async def user_called(username: str) -> object:
    """The user of that name, who has a full name, too, with no part of it in common."""
    from django.contrib.auth.models import User

    names = {"first_name": "Ishmael", "last_name": "Bulkington"}
    user, _ = await User.objects.aget_or_create(username=username, defaults=names)
    return user


async def request_of(username: str | None) -> object:
    """A request as AuthenticationMiddleware hands it on: of that user, or of a guest."""
    from django.conf import settings
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import AsyncClient, AsyncRequestFactory

    client = AsyncClient()
    if username is not None:
        await client.aforce_login(await user_called(username))
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    factory = AsyncRequestFactory()
    factory.cookies = client.cookies
    request = factory.get("/")
    request.session = SessionStore(cookie.value if cookie else None)
    AuthenticationMiddleware(lambda request: None).process_request(request)
    return request


def text_of(response: object) -> str:
    """The text of a response; of anything else, the empty one."""
    return getattr(response, "content", b"").decode()


def require_response(name: str, value: object) -> None:
    """Require that what a view returned is a response: a text may read the same.

    Raises:
        NotYet: "no-response".
    """
    from django.http.response import HttpResponseBase

    if not isinstance(value, HttpResponseBase | Response):
        raise NotYet(
            "no-response",
            f"`{name}` returned an object of type `{type(value).__name__}`, whatever it says. "
            "Django sends the status, the headers and the text of a response. Which class makes "
            "one?",
        )


async def page_of(view: Callable, **given) -> Response | object:
    """What a browser gets of a view; what the view raises is raised here.

    If the view has returned no response, it is what the view has returned. The recording shows the
    view as a span "view".

    Args:
        given: arguments of the view beside the request.
    """
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import path

    errors, returned = [], []

    async def recorded(request, **kwargs):
        try:
            with span("view"):
                returned.append(await view(request, **kwargs))
        except Exception as error:  # noqa: BLE001 - Django would make a page of it
            errors.append(error)
        is_page = returned and isinstance(returned[0], HttpResponseBase)
        return returned[0] if is_page else HttpResponse()

    response = await Site(path("page/", recorded, given)).get("/page/")
    if errors:
        raise errors[0]
    return response if isinstance(returned[0], HttpResponseBase) else returned[0]
