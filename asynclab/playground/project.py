"""What Django there is in this process, looked at without importing it."""

import sys


def ready() -> bool:
    """Whether Django is set up."""
    registry = sys.modules.get("django.apps")
    return registry is not None and registry.apps.ready


def has_books() -> bool:
    """Whether it is set up with the course's library, or what has its models."""
    if not ready():
        return False
    models = sys.modules["django.apps"].apps.all_models
    return "book" in models["library"] if "library" in models else False
