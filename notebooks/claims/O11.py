"""topics/signals, "Sending signals", says:

All built-in signals, except those in the async request-response cycle, are dispatched using
`Signal.send()`."""

import sys

import asgiref
import django
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import aauthenticate
from django.contrib.auth.signals import user_login_failed
from django.dispatch import Signal

settings.configure(AUTHENTICATION_BACKENDS=["__main__.Nobody"])
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


class Nobody:
    def authenticate(self, request):
        return None

    async def aauthenticate(self, request):
        return None


def noting(method):
    def noted(self, sender, **named):
        if self is user_login_failed:
            print(f"Found: aauthenticate() dispatches user_login_failed using {method.__name__}().")
        return method(self, sender, **named)

    return noted


Signal.send, Signal.asend = noting(Signal.send), noting(Signal.asend)
async_to_sync(aauthenticate)()
