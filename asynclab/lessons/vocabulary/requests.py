"""Requests, as a view gets them, and what it answers."""

from collections.abc import Callable

from ...recorder.taps import span
from ...servers import Site


async def request_of(username: str | None) -> object:
    """A request as AuthenticationMiddleware hands it on: of that user, or of a guest."""
    from django.conf import settings
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import AsyncClient, AsyncRequestFactory

    client = AsyncClient()
    if username is not None:
        user, _ = await User.objects.aget_or_create(username=username)
        await client.aforce_login(user)
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    request = AsyncRequestFactory().get("/")
    request.session = SessionStore(cookie.value if cookie else None)
    AuthenticationMiddleware(lambda request: None).process_request(request)
    return request


def text_of(response: object) -> str:
    """The text of a response; of anything else, the empty one."""
    return getattr(response, "content", b"").decode()


async def page_of(view: Callable, **given) -> str:
    """What a view answers to a browser; what it raises is raised here.

    The recording shows it as a span "view".

    Args:
        given: arguments of the view beside the request.
    """
    from django.http import HttpResponse
    from django.urls import path

    errors, returned = [], []

    async def recorded(request, **kwargs):
        try:
            with span("view"):
                returned.append(await view(request, **kwargs))
        except Exception as error:  # noqa: BLE001 - Django would make a page of it
            errors.append(error)
        is_page = returned and isinstance(returned[0], HttpResponse)
        return returned[0] if is_page else HttpResponse(f"{returned}")

    response = await Site(path("page/", recorded, given)).get("/page/")
    if errors:
        raise errors[0]
    return response.text
