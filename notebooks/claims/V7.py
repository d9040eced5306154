"""howto/deployment/asgi/index, "The application object", says:

While Django's default ASGI handler will run all your code in a synchronous thread, if you choose
to run your own async handler you must be aware of async-safety."""

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

settings.configure(ROOT_URLCONF=__name__)
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


def view(request):
    of_loop = threading.current_thread() is threading.main_thread()
    print(f"Found: {request.path[1:]} view on the thread of the server's loop:", of_loop)
    return HttpResponse()


async def async_view(request):
    return view(request)


async def main(handler):
    for url in ("/async", "/sync"):
        visit = ApplicationCommunicator(handler, {"type": "http", "method": "GET", "path": url})
        await visit.send_input({"type": "http.request"})
        await visit.wait(timeout=60)


urlpatterns = [path("async", async_view), path("sync", view)]
asyncio.run(main(get_asgi_application()))
