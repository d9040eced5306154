"""topics/async, "Decorators", says of `csrf_protect`, `last_modified`, `etag` and others:

The following decorators can be used with both synchronous and asynchronous view functions"""

import asyncio
import sys

import asgiref
import django
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import last_modified

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


def queries(request):
    connection.cursor()


async def view(request):
    return HttpResponse()


for name, decorated in (
    ("never_cache", never_cache(view)),
    ("last_modified with a function that queries", last_modified(queries)(view)),
):
    try:
        asyncio.run(decorated(HttpRequest()))
        print(f"Found: {name}: no error")
    except SynchronousOnlyOperation as error:
        print(f"Found: {name}: {type(error).__name__}")
