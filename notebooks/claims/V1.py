"""topics/async, "Async views", says:

Any view can be declared async by making the callable part of it return a coroutine - commonly, this
is done using `async def`."""

import asyncio
import logging
import sys
import warnings

import asgiref
import django
from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path

warnings.simplefilter("ignore", RuntimeWarning)  # "never awaited": the status says the same
logging.disable()
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def view(request):
    return HttpResponse()


def wrapper(request):
    return view(request)


urlpatterns = [
    path("wrapper", wrapper),
    path("marked", markcoroutinefunction(lambda request: view(request))),
]
for url in ("wrapper", "marked"):
    response = asyncio.run(AsyncClient(raise_request_exception=False).get(f"/{url}"))
    print(f"Found: a view that returns a coroutine, {url}: status {response.status_code}")
