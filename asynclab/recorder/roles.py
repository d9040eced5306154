"""The jobs that threads have, as lanes are named after them."""

import re

EVENT_LOOP = "event loop"
TEMPORARY_EVENT_LOOP = "temporary event loop"
MAIN_THREAD = "main thread"
PLAIN_THREAD = "plain thread"
THREAD_SENSITIVE_WORKER = "thread-sensitive worker"
CONTEXT_WORKER = "context worker"
POOL_WORKER = "pool worker"
SERVER_LOOP = "server's event loop"
REQUEST_THREAD = "request thread"

# Numbered from the first one: "pool worker" would read oddly beside "pool worker 2".
MANY = {POOL_WORKER, CONTEXT_WORKER, REQUEST_THREAD}
# Threads of the kit's servers, which bear the names of their jobs.
NAMED = {SERVER_LOOP, REQUEST_THREAD}


def without_number(role: str) -> str:
    """The job that several threads have: "pool worker" for "pool worker 2"."""
    return re.sub(r" \d+$", "", role)
