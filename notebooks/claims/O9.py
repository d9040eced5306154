"""ref/models/querysets, "Methods that do not return QuerySets", says:

These methods do not use a cache [...]. Rather, they query the database each time they're
called."""

import sys

import asgiref
import django
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, models

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


class Book(models.Model):
    class Meta:
        app_label = "library"


async def main(books):
    rows = [book async for book in books]  # a query in what follows would raise
    for name in ("count", "exists", "contains", "first", "last", "get"):
        try:
            getattr(books, name)(*rows[: name == "contains"])
            print(f"Found, of an evaluated QuerySet: {name}() uses the cache.")
        except SynchronousOnlyOperation:
            print(f"Found, of an evaluated QuerySet: {name}() queries.")


connection.cursor().execute("CREATE TABLE library_book (id INTEGER PRIMARY KEY)")
books = Book.objects.order_by("pk")
books.create()
async_to_sync(main)(books)
