"""topics/async, "Performance", says of synchronous middleware:
[...] where the extra thread per request caps that concurrency."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

SCOPE, counts = {"type": "http", "method": "GET", "path": "/"}, []
settings.configure(ROOT_URLCONF=__name__)
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


def stamp(get_response):
    return lambda request: get_response(request)


async def view(request):
    await everybody.wait()
    return counts.append(threading.active_count()) or HttpResponse()


async def main():
    for settings.MIDDLEWARE in ([], ["__main__.stamp"]):
        handler, counts[:] = get_asgi_application(), []
        visits = [ApplicationCommunicator(handler, SCOPE) for _ in range(50)]
        [await visit.send_input({"type": "http.request"}) for visit in visits]
        await asyncio.gather(*[visit.wait(timeout=60) for visit in visits])
        print(f"Found: {settings.MIDDLEWARE}: 50 requests wait, threads: {max(counts) - 1}")


urlpatterns, everybody = [path("", view)], asyncio.Barrier(50)
asyncio.run(main())
