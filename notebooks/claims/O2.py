"""topics/async, "Queries & the ORM", says:

`async for` is supported on all QuerySets (including the output of `values()` and
`values_list()`.)"""

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


async def main():
    await Book.objects.acreate()
    for name in ("all", "values", "values_list"):
        books = getattr(Book.objects, name)()
        print(f"Found: {name}(): async for, rows {len([each async for each in books])}", end="; ")
        try:
            print("with aiterator(), rows", len([each async for each in books.aiterator()]))
        except SynchronousOnlyOperation:
            print("with aiterator(), SynchronousOnlyOperation")


connection.cursor().execute("CREATE TABLE library_book (id INTEGER PRIMARY KEY)")
async_to_sync(main)()
