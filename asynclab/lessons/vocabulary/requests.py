"""Requests, as a view gets them, and what it answers."""


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
