"""topics/async, "Async safety", says of `%autoawait off`:

This will allow you to run synchronous code without generating `SynchronousOnlyOperation` errors"""

import sys

import asgiref
import django
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from jupyter_client.manager import run_kernel

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
SETTINGS = """
import django
from django.conf import settings
from django.db import connection
sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": sqlite})
django.setup()
"""
QUERY = """
try:
    found = connection.cursor() and "accepted"
except django.core.exceptions.SynchronousOnlyOperation:
    found = "SynchronousOnlyOperation"
print("Found: %s, autoawait %s:", found)"""


def try_in(name, run):
    for cell in (SETTINGS, QUERY % (name, "on"), "%autoawait off", QUERY % (name, "off")):
        run(cell)


with run_kernel() as client:
    try_in("Jupyter", client.execute_interactive)
try_in("IPython", TerminalInteractiveShell.instance(history_length=0).run_cell)
