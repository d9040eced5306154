"""topics/db/queries, "Asynchronous queries", says:

Every method that might block - such as `get()` or `delete()` - has an asynchronous variant"""

import asyncio
import sys

import asgiref
import django
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import models

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": SQLITE})
django.setup()
print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")


class Book(models.Model):
    year = models.DateField(unique=True)
    sequel = models.ForeignKey("self", models.CASCADE)

    class Meta:
        app_label = "library"


async def main(book):
    for name in ("full_clean", "clean_fields", "validate_unique", "get_next_by_year"):
        try:
            getattr(book, name)()
        except SynchronousOnlyOperation:
            print(f"Found: Model.{name}() blocks; a{name}() exists:", hasattr(book, f"a{name}"))


asyncio.run(main(Book(pk=1, year="1815-12-23", sequel_id=1)))
