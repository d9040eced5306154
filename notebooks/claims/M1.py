"""topics/async, "Async views", says:
Django's bundled middleware supports both sync and async. Third-party middleware may not."""

import asyncio
import re
import sys
from pathlib import Path

import asgiref
import django
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path

APPS = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")]
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY=__name__, INSTALLED_APPS=APPS, ALLOWED_HOSTS="*"
)
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
hops, call = [], SyncToAsync.__call__
template = Path(django.__file__).parent / "conf/project_template/project_name/settings.py-tpl"


async def view(request):
    return HttpResponse()


async def counted(self, *args, **kwargs):
    hops.append(self.func)
    return await call(self, *args, **kwargs)


SyncToAsync.__call__, urlpatterns = counted, [path("", view)]
for settings.MIDDLEWARE in ([], re.findall(r"django\.[\w.]+Middleware", template.read_text())):
    hops.clear()
    asyncio.run(AsyncClient().get("/"))
    print(f"Found: {len(settings.MIDDLEWARE)} middleware, hops to a thread: {len(hops)}")
