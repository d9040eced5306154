"""topics/async, "Performance", says:

there may be a performance increase even for a purely synchronous codebase under ASGI"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import asgiref
import django
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__)
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
here, most = [], []


def page(request):
    here.append(1)
    time.sleep(1)  # for another service
    most.append(len(here))
    return HttpResponse(here.pop())


async def main(scope):
    visits = [ApplicationCommunicator(get_asgi_application(), scope) for _ in range(12)]
    await asyncio.gather(*[each.send_input({"type": "http.request"}) for each in visits])
    await asyncio.gather(*[each.wait(timeout=60) for each in visits])


urlpatterns = [path("page", page)]
asyncio.run(main({"type": "http", "method": "GET", "path": "/page"}))
list(ThreadPoolExecutor(4).map(page, range(12)))  # as under WSGI, with four threads
print("Found: 12 requests, all-sync, under ASGI: waiting at once:", max(most[:12]))
print("Found: the same view on 4 threads: waiting at once:", max(most[12:]))
