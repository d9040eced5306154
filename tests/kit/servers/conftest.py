"""A kernel with Django set up, for all tests of a module."""

import textwrap

import pytest

from tests.harness.cells import Kernel

SET_UP = """
%load_ext asynclab
import asyncio, logging, psutil, socket, threading
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from asynclab import Site, boot, record, serving, visit
from asynclab.servers import write_module

boot()
logging.disable()  # a response of 404 or 500 writes a line
from library.models import Book

def children():
    return psutil.Process().children(recursive=True)

def thread(request):
    return HttpResponse(threading.current_thread().name)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    try:
        assert kernel.run(SET_UP).status == "ok"
        yield kernel
    finally:
        kernel.stop()


@pytest.fixture
def run(kernel):
    """Run a cell, which has to pass; return the lines that it prints."""

    def run(source):
        outcome = kernel.run(textwrap.dedent(source))
        assert outcome.status == "ok", outcome.traceback
        return outcome.printed.splitlines()

    return run
