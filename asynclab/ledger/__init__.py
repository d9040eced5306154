"""What the course has found, to look it up: `errors("Event loop is closed")`, `ledger("false")`.

error_index      every error text of the lessons: cause, fix, and the cell that raised it
search_box       a box to type the text into
rows             the claims: articles, documentation, machine
verdict_buttons  the claims by their verdict
choosing         a widget, and the answer below it
columns          the answers as HTML
places           links to the lessons, as far as they are at hand
data             what was written down for all of them

What stands in the JSON files here is written by `python -m asynclab.authoring`.
"""

from .error_index import errors
from .rows import ledger

__all__ = ["errors", "ledger"]
