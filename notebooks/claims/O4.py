"""topics/db/queries, "Transactions", says:

Transactions are **not** currently supported with asynchronous queries and updates. You will
find that trying to use one raises `SynchronousOnlyOperation`."""

import sys

import asgiref
import django
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, models, transaction

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


class Book(models.Model):
    class Meta:
        app_label = "library"


async def main(books):
    try:
        transaction.atomic().__enter__()
    except SynchronousOnlyOperation:
        print("Found: `with atomic()` raises SynchronousOnlyOperation.")
    await sync_to_async(transaction.set_autocommit)(False)  # one task
    await books.acreate()  # another task
    await sync_to_async(transaction.rollback)()
    print("A transaction opened by hand raises nothing. After its rollback,", end=" ")
    print("rows that another task has saved meanwhile:", await books.acount())


connection.cursor().execute("CREATE TABLE library_book (id INTEGER PRIMARY KEY)")
async_to_sync(main)(Book.objects)
