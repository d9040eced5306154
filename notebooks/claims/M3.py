"""topics/async, "Async views", says:

turn on debug logging for the `django.request` logger and look for log messages about
*"Asynchronous handler adapted for middleware ..."*."""

import logging
import sys

import asgiref
import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

settings.configure()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
logger = logging.getLogger("django.request")
logger.addHandler(logging.StreamHandler(sys.stdout))
logger.setLevel(logging.DEBUG)


def outer(get_response):
    return lambda request: get_response(request)


inner = outer
for settings.DEBUG, names in ((False, ["outer"]), (True, ["outer"]), (True, ["outer", "inner"])):
    print(f"Found, with DEBUG = {settings.DEBUG} and the sync middleware {' and '.join(names)}:")
    settings.MIDDLEWARE = [f"{__name__}.{name}" for name in names]
    ASGIHandler()
