"""What the course has found, to look it up: `errors("no running event loop")`.

error_index   every error text of the lessons, with its cause, its fix, and the cell that raised it
search_box    a box to type the text into
places        links to the lessons, as far as they are at hand

What stands in the JSON files here is written by `python -m asynclab.authoring`.
"""

from .error_index import errors

__all__ = ["errors"]
