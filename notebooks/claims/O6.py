"""topics/async, "Queries & the ORM", says:

As in synchronous Django, concurrent requests in a single process share that pool, so size it to
the target in-flight query concurrency."""

import asyncio
import sys

import asgiref
import django
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connections
from django.http import HttpResponse
from django.urls import path

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE}, ROOT_URLCONF=__name__)
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
used, everybody = [], asyncio.Barrier(12)


async def page(request):
    used.append(await sync_to_async(lambda: connections["default"].cursor().db)())
    if await everybody.wait() == 0:  # what is open now, a pool would have lent
        held = sum(each.connection is not None for each in used)
        print("Found: 12 requests wait, queries in flight: 0, connections held:", held)
    return HttpResponse()


async def main(scope):
    visits = [ApplicationCommunicator(get_asgi_application(), scope) for _ in range(12)]
    await asyncio.gather(*[each.send_input({"type": "http.request"}) for each in visits])
    await asyncio.gather(*[each.wait(timeout=60) for each in visits])


urlpatterns = [path("page", page)]
asyncio.run(main({"type": "http", "method": "GET", "path": "/page"}))
