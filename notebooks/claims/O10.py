"""ref/models/querysets, "iterator()", says:

`iterator()` is compatible with previous calls to `prefetch_related()` as long as `chunk_size`
is given. [...] aiterator(chunk_size=None)"""

import inspect
import sys

import asgiref
import django
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection, models

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


class Book(models.Model):
    class Meta:
        app_label = "library"


async def main():
    books = Book.objects.prefetch_related("sequels")
    print("Found: it is declared as aiterator", inspect.signature(books.aiterator))
    try:
        [book async for book in books.aiterator(chunk_size=None)]
    except TypeError:
        print("aiterator(chunk_size=None) raises TypeError.")
    rows = [book async for book in books.aiterator()]
    print("aiterator() after prefetch_related(), without chunk_size, works: rows", len(rows))


connection.cursor().execute("CREATE TABLE library_book (id INTEGER PRIMARY KEY)")
async_to_sync(main)()
