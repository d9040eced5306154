"""topics/http/middleware, "Asynchronous support", says:

`process_view`, `process_template_response` and `process_exception` methods, if they are provided,
should also be adapted to match the sync/async mode. [...]"""

import asyncio
import sys
from unittest.mock import patch

import asgiref
import django
from asgiref.sync import AsyncToSync
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


class Sync(MiddlewareMixin):
    def process_exception(self, request, exception):
        return HttpResponse()


class Async(MiddlewareMixin):
    async def process_exception(self, request, exception):
        return HttpResponse()


urlpatterns = [path("", asyncio.sleep)]  # an async view that raises: a request is no number
waits = AsyncToSync.__call__
for settings.MIDDLEWARE in (["__main__.Sync"], ["__main__.Async"]):
    with patch.object(AsyncToSync, "__call__", autospec=True, side_effect=waits) as called:
        asyncio.run(AsyncClient().get("/"))
    print("Found:", *settings.MIDDLEWARE, "makes the worker wait for the loop:", called.call_count)
