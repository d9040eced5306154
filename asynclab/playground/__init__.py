"""A panel of controls over the lanes: choose, read the code, run it, and see who ran what."""

from ..ground.interrupts import held

__all__ = ["playground"]


def playground(**settings: object):
    """Show a panel to try calls, threads and contexts with: `playground()` as a cell's last line.

    The code that the panel shows is the code that it runs.

    Args:
        settings: what the controls begin with; each may be left out.
            calls: how many calls, 1 to 40.
            length: how long each works, in ms, 5 to 200.
            work: "computes" (holds the GIL), "sleeps" (waits without it), "queries" (the ORM).
            sensitive: True or False for sync_to_async's `thread_sensitive`; None to call the
                function straight on the event loop, without an adapter.
            contexts: whether each branch has a ThreadSensitiveContext of its own.
            gathered: whether the branches are gathered, or awaited one by one.

    Returns:
        A `Playground`, which a notebook shows.

    Raises:
        LabError: an argument that no control has, or no event loop runs here.
    """
    from .plan import Settings

    chosen = Settings.checked(settings)
    with held():  # a package half imported is of no use to the next call
        from .panel import Playground  # ipywidgets takes a while to import

    return Playground(chosen)
