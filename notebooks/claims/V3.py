"""topics/async, "Async views", says in its version 5.2, and of inspect's function in 6.1:

Django uses `asgiref.sync.iscoroutinefunction` to test if your view is asynchronous or not."""

import functools
import sys

import asgiref
import django
from asgiref.sync import markcoroutinefunction
from django.core.handlers.base import iscoroutinefunction

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


@markcoroutinefunction
def view(request):
    pass


print("Found: the function that Django calls is of the module", iscoroutinefunction.__module__)
print("It takes a marked view to be async:", iscoroutinefunction(view))
print("Through functools.partial, too:", iscoroutinefunction(functools.partial(view)))
