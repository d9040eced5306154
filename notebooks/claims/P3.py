"""topics/async, "Performance", says:

there may be a performance increase even for a purely synchronous codebase under ASGI"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import asgiref.testing
import django
from django import conf, http, urls
from django.core.handlers import asgi, wsgi

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
here, most, scope = [], [], {"type": "http", "method": "GET", "path": "/"}


def page(request):
    here.append(1)
    time.sleep(1)  # for another service
    most.append(len(here))
    return http.HttpResponse(here.pop())


async def under_asgi(app, number):
    visits = [asgiref.testing.ApplicationCommunicator(app, scope) for _ in range(number)]
    await asyncio.gather(*[each.send_input({"type": "http.request"}) for each in visits])
    await asyncio.gather(*[each.wait(timeout=60) for each in visits])


conf.settings.configure(ROOT_URLCONF=(urls.path("", page),))
asyncio.run(under_asgi(asgi.ASGIHandler(), 12))
environ = {"REQUEST_METHOD": "GET", "wsgi.input": sys.stdin}
list(ThreadPoolExecutor(4).map(wsgi.WSGIHandler(), [environ] * 12, [lambda *_: None] * 12))
asgi.ThreadSensitiveContext = asyncio.Lock  # another context, without a worker
asyncio.run(under_asgi(asgi.ASGIHandler(), 3))
print("Found: 12 requests, all-sync, under ASGI: waiting at once:", max(most[:12]))
print("Found: the same under WSGI, on 4 threads: waiting at once:", max(most[12:24]))
print("Found: 3 under ASGI, without a ThreadSensitiveContext: waiting at once:", max(most[24:]))
