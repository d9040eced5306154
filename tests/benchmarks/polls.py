"""A thousand long polls of a second at once, server and visitors in one process."""

import statistics
import subprocess
import sys

from tests.benchmarks.figures import Budget, Figure

RUNS = 5
SCRIPT = """
import asyncio
from asynclab import Site, boot, visit
from asynclab.servers.in_kernel import AsgiServer

boot()
from django.db import close_old_connections, reset_queries
from django.core.signals import request_started
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

async def poll(request):
    await asyncio.sleep(1)
    return HttpResponse("news")

async def bare(scope, receive, send):
    assert scope["type"] == "http"
    await asyncio.sleep(1)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"news"})

async def seconds(application):
    with AsgiServer(application) as server:
        visits = await visit(server.url, 1000)
    assert visits.statuses == {200: 1000}
    return visits.seconds

with override_settings(MIDDLEWARE=[], DEBUG=False):
    django = Site(path("", poll)).application
print(asyncio.run(seconds(bare)), asyncio.run(seconds(django)))
for each in (close_old_connections, reset_queries):
    request_started.disconnect(each)
print(asyncio.run(seconds(django)))
"""


def figures() -> list[Figure]:
    """Django's handler, with its receivers and without, and the same server without Django."""
    runs = [_seconds() for _ in range(RUNS)]
    bare, django, quiet = (statistics.median(each) for each in zip(*runs, strict=True))
    return [
        Figure("1,000 polls of 1 s, no Django", bare, "s"),
        Figure("1,000 polls of 1 s, Django", django, "s", budget=Budget(2.0)),
        Figure("the same, without its two receivers", quiet, "s"),
        Figure("Django against the same server without it", django / bare),
    ]


def _seconds() -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    return [float(word) for line in done.stdout.splitlines()[1:] for word in line.split()]
