"""topics/async, "Handling disconnects", says:

For long-lived requests, a client may disconnect before the view returns a response. In this case,
an `asyncio.CancelledError` will be raised in the view."""

import asyncio
import sys
import threading

import asgiref
import django
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

settings.configure(ROOT_URLCONF=__name__)
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
started, cancelled = threading.Event(), threading.Event()


def view(request):
    started.set()
    cancelled.wait()
    print("Found: the client has gone, and a sync view runs to its end.")


async def main(handler):
    visit = ApplicationCommunicator(handler, {"type": "http", "method": "GET", "path": "/"})
    await visit.send_input({"type": "http.request"})
    await asyncio.to_thread(started.wait)
    await visit.send_input({"type": "http.disconnect"})
    while not any(task.cancelling() for task in asyncio.all_tasks()):
        await asyncio.sleep(0)
    cancelled.set()
    await visit.wait(timeout=60)


urlpatterns = [path("", view)]
asyncio.run(main(get_asgi_application()))
