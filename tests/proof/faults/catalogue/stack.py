"""What can go wrong below the course: Django's guard, asgiref, IPython's switch."""

from tests.proof.faults.checks import compared
from tests.proof.faults.edits import append, both, nothing, shadow, text
from tests.proof.faults.planting import Fault

LOOP, GUARD, THREADS, CONTEXT = 1, 2, 3, 5
"""The lessons whose cells notice it."""

# What the myth promises: a cell runs without a running loop once autoawait is off.
WITHOUT_LOOP = """
def _without_loop(shell):
    def run_cell(*args, **kwargs):
        loop = asyncio._get_running_loop()
        if not shell.autoawait:
            asyncio._set_running_loop(None)
        try:
            return shell.run_cell(*args, **kwargs)
        finally:
            asyncio._set_running_loop(loop)

    return run_cell
"""

FAULTS = [
    # boot() takes the variable away, and says so: that is what differs.
    Fault(
        "guard-off-in-the-environment",
        "the guard",
        nothing,
        compared(GUARD, "boot", "models", "first-error"),
        ("which switches Django's guard off", "Cell outputs differ"),
        env={"DJANGO_ALLOW_ASYNC_UNSAFE": "true"},
    ),
    # And without that, the guard is off to the end.
    Fault(
        "guard-off-for-the-whole-run",
        "the guard",
        text("asynclab/boot/__init__.py", "        del os.environ[UNSAFE]\n", ""),
        compared(GUARD, "boot", "models", "first-error"),
        ("Book.objects.count()", "Missing output fields from running code"),
        env={"DJANGO_ALLOW_ASYNC_UNSAFE": "true"},
    ),
    Fault(
        "thread-sensitive-by-default-turned-round",
        "asgiref",
        shadow(
            "asgiref",
            "sync.py",
            "thread_sensitive: bool = True,",
            "thread_sensitive: bool = False,",
        ),
        compared(THREADS, "boot", "imports", "t4-default"),
        ("default: False", "default: True"),
    ),
    Fault(
        "thread-sensitive-ignored",
        "asgiref",
        shadow("asgiref", "sync.py", "if self._thread_sensitive:", "if False:"),
        compared(THREADS, "boot", "imports", "titles-by", "t1-by-call"),
        ("context workers: titles_by", "thread-sensitive worker: titles_by"),
    ),
    Fault(
        "requests-share-a-worker",
        "asgiref",
        shadow("django", "core/handlers/asgi.py", "async with ThreadSensitiveContext():", "if 1:"),
        compared(
            THREADS,
            *("boot", "imports", "request-view", "renew", "renew-twice", "predict-renew"),
            "renew-requests",
        ),
        ("14. You made no prediction.", "7. You made no prediction.", "Cell outputs differ"),
    ),
    Fault(
        "cancelling-not-passed-on",
        "asgiref",
        shadow("asgiref", "sync.py", "task = task_context[0]", "raise IndexError"),
        compared(
            THREADS,
            *("boot", "imports", "first-home", "third-home", "renew", "take-back"),
            *("cancel-queued", "order-binding", "cancel-nested"),
        ),
        ("CancelledError in order_binding, then", "Cell outputs differ"),
    ),
    Fault(
        "context-of-an-adapter-not-copied",
        "asgiref",
        shadow(
            "asgiref",
            "sync.py",
            "context = contextvars.copy_context() if self.context is None else self.context",
            "context = contextvars.Context()",
        ),
        compared(
            CONTEXT, "boot", "models", "thread-local", "boxes", "put-and-look", "note", "into-sync"
        ),
        ("Cell outputs differ", "'ContextVar, Local'"),
    ),
    Fault(
        "autoawait-off-works",
        "the shell",
        both(
            shadow(
                "ipykernel", "ipkernel.py", "res = shell.run_cell(", "res = _without_loop(shell)("
            ),
            append("ipykernel/ipkernel.py", WITHOUT_LOOP),
        ),
        compared(LOOP, "boot", "terminal-run", "autoawait-table"),
        (
            "Cell outputs differ",
            'Jupyter, %autoawait off</th><td style="text-align: left; padding: 4px">no</td>',
        ),
    ),
]
