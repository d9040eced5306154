"""topics/testing/tools, "Testing asynchronous code", says:

If you are testing from an asynchronous function, you must also use the asynchronous test client."""

import asyncio
import sys

import asgiref
import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


async def view(request):
    return HttpResponse("served")


urlpatterns = [path("", view)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"])
django.setup()


async def main():
    try:
        Client().get("/")
    except RuntimeError as error:
        print(f"Found: right there: {type(error).__name__}")
    response = await sync_to_async(Client().get)("/")
    print(f"Found: on a worker: {response.status_code}")


asyncio.run(main())
