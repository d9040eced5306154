"""topics/async, "Async views", says of ASGI:

The main benefits are the ability to service hundreds of connections without using Python
threads."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.signals import request_started
from django.http import HttpResponse
from django.urls import path

SCOPE, counts = {"type": "http", "method": "GET", "path": "/"}, []
settings.configure(ROOT_URLCONF=__name__)
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def view(request):
    await everybody.wait()
    return counts.append(threading.active_count()) or HttpResponse()


async def main(handler):
    for number in (len(request_started.receivers), 0):
        visits, counts[:] = [ApplicationCommunicator(handler, SCOPE) for _ in range(300)], []
        [await visit.send_input({"type": "http.request"}) for visit in visits]
        await asyncio.gather(*[visit.wait(timeout=60) for visit in visits])
        print(f"Found: {number} receivers of request_started: 300 wait, threads: {max(counts) - 1}")
        request_started.receivers.clear()


urlpatterns, everybody = [path("", view)], asyncio.Barrier(300)
asyncio.run(main(get_asgi_application()))
