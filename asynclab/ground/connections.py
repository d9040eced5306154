"""The calling thread's database connections, if Django is in use at all."""

import sys


def close_connections() -> None:
    """Close what this thread opened; do nothing in a process that has not set Django up."""
    # Looked up rather than imported: the kit also works in notebooks without Django.
    db = sys.modules.get("django.db")
    if db is not None and sys.modules["django.conf"].settings.configured:
        db.connections.close_all()
