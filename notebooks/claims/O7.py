"""topics/db/queries, "QuerySet and manager methods", says:

If you forget to put the `await` part in, you may see errors like *"coroutine object has no
attribute x"* or *"<coroutine …>"* strings in place of your model instances."""

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
    print("Found: books in the table:", await Book.objects.acount())
    found = Book.objects.aexists()  # without its await
    print("`if books.aexists():` takes its branch:", bool(found))
    found.close()


connection.cursor().execute("CREATE TABLE library_book (id INTEGER PRIMARY KEY)")
async_to_sync(main)()
