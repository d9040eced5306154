"""topics/async, "Performance", says:

If you have an ASGI server, but all your middleware and views are synchronous, it will switch just
once, before it enters the middleware stack."""

import asyncio
import sys

import asgiref
import django
from asgiref.sync import AsyncToSync, SyncToAsync
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
switches, to_worker, to_loop = [], SyncToAsync.__call__, AsyncToSync.__call__


def view(request):
    return switches.append("sync view") or HttpResponse()


def stamp(get_response):
    return lambda request: switches.append("sync middleware") or get_response(request)


def noted(self, *args, **kwargs):
    there = isinstance(self, SyncToAsync)
    switches.append("to the worker" if there else "to the loop")
    return (to_worker if there else to_loop)(self, *args, **kwargs)


SyncToAsync.__call__, AsyncToSync.__call__, urlpatterns = noted, noted, [path("", view)]
for settings.MIDDLEWARE in ([], ["__main__.stamp"]):
    switches.clear()
    asyncio.run(AsyncClient().get("/"))
    print("Found, for a request:", ", ".join(switches[1:-1]))
