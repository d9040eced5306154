"""What the tests know of lesson 08."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/08_*.ipynb"
_command_for = in_pieces(
    'def command_for(interface, polls, seconds):\n    if interface == "asgi":',
    asgi="""
        limit = seconds + 10
        return f"uvicorn config.asgi:application --timeout-graceful-shutdown {limit}"
""",
    wsgi="""
    return f"gunicorn config.wsgi --threads {polls + 1} --graceful-timeout {seconds + 10}"
""",
)

_beside = in_pieces(
    "def beside(django_application, address, answer):",
    headers="""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
""",
    others="""
    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return await django_application(scope, receive, send)
""",
    body="""
        body = (await answer()).encode()
""",
    start="""
        await send({"type": "http.response.start", "status": 200, "headers": headers})
""",
    end="""
        await send({"type": "http.response.body", "body": body})
""",
    returned="""
    return application
""",
)
_greet = in_pieces(
    "async def greet(request, pk, news):",
    name="""
    def name():
        try:
            return Member.objects.get(pk=pk).name
        finally:
            connection.close()
""",
    looked_up="""
    member = await sync_to_async(name, thread_sensitive=False)()
""",
    response="""
    return HttpResponse(f"{member}: {await news()}")
""",
)

ANSWERS = [
    Answer(
        "8.1",
        wrong="says-wsgi",
        source="""
def interface(request):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return HttpResponse("WSGI")
    return HttpResponse("ASGI")
""",
        why="ASGI is where a loop is running",
    ),
    Answer(
        "8.1",
        wrong="says-asgi",
        source="""
async def interface(request):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return HttpResponse("WSGI")
    return HttpResponse("ASGI")
""",
        why="a loop in an async view is the server's",
    ),
    Answer(
        "8.1",
        wrong="says-wsgi",
        source="""
from django.conf import settings

def interface(request):
    return HttpResponse("WSGI" if settings.WSGI_APPLICATION else "ASGI")
""",
        why="the setting says what serves",
    ),
    Answer(
        "8.1",
        wrong="says-asgi",
        source="""
import importlib.util

def interface(request):
    return HttpResponse("ASGI" if importlib.util.find_spec("uvicorn") else "WSGI")
""",
        why="what is installed is what serves",
    ),
    Answer(
        "8.1",
        wrong="no-response",
        source="""
def interface(request):
    return "ASGI" if isinstance(request, ASGIRequest) else "WSGI"
""",
        why="a text is a page",
    ),
    Answer(
        "8.1",
        wrong="forgotten-await",
        source="""
async def interface(request):
    async def page():
        return HttpResponse("ASGI" if isinstance(request, ASGIRequest) else "WSGI")

    return page()
""",
        why="Django awaits what comes",
    ),
    Answer(
        "8.1",
        wrong="hidden-async",
        source="""
async def page(request):
    return HttpResponse("ASGI" if isinstance(request, ASGIRequest) else "WSGI")

def interface(request):
    return page(request)
""",
        why="hands on what an async view gives",
    ),
    Answer(
        "8.1",
        wrong="other-text",
        source="""
def interface(request):
    return HttpResponse(type(request).__name__)
""",
        why="the name of the class says it",
    ),
    Answer(
        "8.1",
        right="asks for the scope",
        source="""
def interface(request):
    return HttpResponse("ASGI" if hasattr(request, "scope") else "WSGI")
""",
    ),
    Answer(
        "8.1",
        right="async, and asks for what WSGI puts there",
        source="""
async def interface(request):
    return HttpResponse("WSGI" if "wsgi.input" in request.META else "ASGI")
""",
    ),
    Answer(
        "8.1",
        wrong="other-status",
        source="""
def interface(request):
    text = "ASGI" if isinstance(request, ASGIRequest) else "WSGI"
    return HttpResponse(text, status=500)
""",
        why="the text is the response",
    ),
    Answer(
        "8.1",
        wrong="says-asgi",
        source="""
import threading

def interface(request):
    is_worker = threading.current_thread().name.startswith("ThreadPoolExecutor")
    return HttpResponse("ASGI" if is_worker else "WSGI")
""",
        why="only under ASGI does a view run on a pool's thread",
    ),
    Answer(
        "8.2",
        wrong="no-spare",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + ceil(per_second * seconds)
""",
        why="the health check is one of the others",
    ),
    Answer(
        "8.2",
        wrong="rounds-down",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + int(per_second * seconds) + 1
""",
        why="`int` makes it whole",
    ),
    Answer(
        "8.2",
        wrong="rounds-down",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + round(per_second * seconds) + 1
""",
        why="`round` makes it whole",
    ),
    Answer(
        "8.2",
        wrong="no-whole-number",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + per_second * seconds + 1
""",
        why="a number is a number",
    ),
    Answer(
        "8.2",
        wrong="divides",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + (ceil(seconds / per_second) if seconds else 0) + 1
""",
        why="seconds over requests",
    ),
    Answer(
        "8.2",
        wrong="other-number",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + per_second + 1
""",
        why="each request has a thread for the whole second",
    ),
    Answer(
        "8.2",
        right="rounds up by a floor division",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls - int(-per_second * seconds // 1) + 1
""",
    ),
    Answer(
        "8.2",
        wrong="other-number",
        source="""
def threads_needed(polls, per_second, seconds):
    return min(polls + ceil(per_second * seconds) + 1, 1000)
""",
        why="no machine has so many threads, it is thought",
    ),
    Answer(
        "8.2",
        wrong="rounds-down",
        source="""
def threads_needed(polls, per_second, seconds):
    return polls + round(per_second * seconds + 0.499) + 1
""",
        why="rounds up by hand, and not from everything",
    ),
    Answer(
        "8.3",
        wrong="takes-a-worker",
        source="""
def counting(counts):
    def receiver(sender, **kwargs):
        if "scope" in kwargs:
            counts[kwargs["scope"]["path"]] += 1
        else:
            counts[kwargs["environ"]["PATH_INFO"]] += 1

    return receiver
""",
        why="the signal is sent by `asend`, so everything is async",
    ),
    Answer(
        "8.3",
        wrong="takes-a-worker",
        source="""
def counting(counts):
    def count(path):
        counts[path] += 1

    async def receiver(sender, **kwargs):
        if "scope" in kwargs:
            await sync_to_async(count)(kwargs["scope"]["path"])
        else:
            await sync_to_async(count)(kwargs["environ"]["PATH_INFO"])

    return receiver
""",
        why="sync code in an async function belongs to a worker",
    ),
    Answer(
        "8.3",
        wrong="one-interface",
        source="""
def counting(counts):
    async def receiver(sender, scope, **kwargs):
        counts[kwargs["environ"]["PATH_INFO"]] += 1

    return receiver
""",
        why="both get an environ",
    ),
    Answer(
        "8.3",
        wrong="one-interface",
        source="""
def counting(counts):
    async def receiver(sender, **kwargs):
        counts[kwargs["scope"]["path"]] += 1

    return receiver
""",
        why="an async receiver is called under ASGI only",
    ),
    Answer(
        "8.3",
        wrong="no-receiver",
        source="""
async def counting(counts):
    def receiver(sender, **kwargs):
        if "scope" in kwargs:
            counts[kwargs["scope"]["path"]] += 1
        else:
            counts[kwargs["environ"]["PATH_INFO"]] += 1

    return receiver
""",
        why="the outer function has to be async",
    ),
    Answer(
        "8.3",
        wrong="no-keywords",
        source="""
def counting(counts):
    async def receiver(sender, scope=None, environ=None):
        counts[scope["path"] if scope else environ["PATH_INFO"]] += 1

    return receiver
""",
        why="names what it needs",
    ),
    Answer(
        "8.3",
        wrong="not-counted",
        source="""
def counting(counts):
    async def count(path):
        counts[path] += 1

    def receiver(sender, **kwargs):
        if "scope" in kwargs:
            return count(kwargs["scope"]["path"])
        return count(kwargs["environ"]["PATH_INFO"])

    return receiver
""",
        why="a function that returns a coroutine is async",
    ),
    Answer(
        "8.3",
        wrong="other-counts",
        source="""
def counting(counts):
    async def receiver(sender, **kwargs):
        if "scope" in kwargs:
            counts[kwargs["scope"]["raw_path"]] += 1
        else:
            counts[kwargs["environ"]["PATH_INFO"]] += 1

    return receiver
""",
        why="the raw path is the same",
    ),
    Answer(
        "8.3",
        wrong="swallowed",
        source="""
def counting(counts):
    async def receiver(sender, **kwargs):
        try:
            if "scope" in kwargs:
                counts[kwargs["scope"]["path"]] += 1
            else:
                counts[kwargs["environ"]["PATH_INFO"]] += 1
        except Exception:
            pass

    return receiver
""",
        why="a count must not stop a request",
    ),
    Answer(
        "8.3",
        right="names both, and takes the rest",
        source="""
def counting(counts):
    async def receiver(scope=None, environ=None, **kwargs):
        counts.update([scope["path"] if scope else environ["PATH_INFO"]])

    return receiver
""",
    ),
    Answer(
        "8.3",
        wrong="not-under-wsgi",
        source="""
def counting(counts):
    async def receiver(sender, **kwargs):
        try:
            counts[kwargs["scope"]["path"]] += 1
        except KeyError:
            pass

    return receiver
""",
        why="who has no scope is none of ours",
    ),
    Answer(
        "8.3",
        wrong="other-numbers",
        source="""
def counting(counts):
    async def receiver(sender, scope=None, environ=None, **kwargs):
        counts[scope["path"] if scope else environ["PATH_INFO"]] = 1

    return receiver
""",
        why="which paths are asked for is a set",
    ),
    Answer(
        "8.3",
        wrong="other-numbers",
        source="""
totals = Counter()

def counting(counts):
    async def receiver(sender, scope=None, environ=None, **kwargs):
        totals[scope["path"] if scope else environ["PATH_INFO"]] += 1
        counts.update(totals)

    return receiver
""",
        why="a counter of the module's own that is added up",
    ),
    Answer(
        "8.3",
        wrong="other-counts",
        source="""
def counting(counts):
    async def receiver(sender, scope=None, environ=None, **kwargs):
        counts[scope["raw_path"].decode() if scope else environ["PATH_INFO"]] += 1

    return receiver
""",
        why="the raw path is the path",
    ),
    Answer(
        "8.3",
        wrong="loses-one",
        source="""
def counting(counts):
    async def receiver(sender, **kwargs):
        path = kwargs["scope"]["path"] if "scope" in kwargs else kwargs["environ"]["PATH_INFO"]
        seen = counts[path]
        await asyncio.sleep(0)
        counts[path] = seen + 1

    return receiver
""",
        why="an async function has to await something, it is thought",
    ),
    Answer(
        "8.3",
        wrong="shared-counter",
        source="""
def counting(counts):
    receiver.counts = counts
    return receiver

async def receiver(sender, **kwargs):
    path = kwargs["scope"]["path"] if "scope" in kwargs else kwargs["environ"]["PATH_INFO"]
    receiver.counts[path] += 1
""",
        why="one receiver, which keeps the counts at itself",
    ),
    Answer(
        "8.3",
        wrong="other-counts",
        source="""
def counting(counts):
    async def receiver(sender, **kwargs):
        if "scope" in kwargs:
            counts[kwargs["scope"]["path"]] += 1
        else:
            environ = kwargs["environ"]
            counts[environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]] += 1

    return receiver
""",
        why="the whole path, as the browser asks for it",
    ),
    Answer(
        "8.4",
        wrong="no-path",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope["path"] != address or scope["type"] != "http":
            return await django_application(scope, receive, send)
""",
        ),
        why="every scope has a path",
    ),
    Answer(
        "8.4",
        wrong="answers-too-much",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope.get("path") != address:
            return await django_application(scope, receive, send)
""",
        ),
        why="whoever has the address wants HTTP",
    ),
    Answer(
        "8.4",
        wrong="answers-too-much",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith(address):
            return await django_application(scope, receive, send)
""",
        ),
        why="an address is where a path begins",
    ),
    Answer(
        "8.4",
        wrong="all-to-django",
        source=_beside(
            end="""
        await send({"type": "http.response.body", "body": body})
        await django_application(scope, receive, send)
""",
        ),
        why="Django has to know of each request",
    ),
    Answer(
        "8.4",
        wrong="not-awaited",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return django_application(scope, receive, send)
""",
        ),
        why="`return` hands it on",
    ),
    Answer(
        "8.4",
        wrong="text-for-bytes",
        source=_beside(
            headers="""
    headers = [("content-type", "text/plain; charset=utf-8")]
""",
            body="""
        body = await answer()
""",
        ),
        why="text is text",
    ),
    Answer(
        "8.4",
        wrong="other-messages",
        source=_beside(
            start="",
        ),
        why="200 goes without saying",
    ),
    Answer(
        "8.4",
        wrong="other-status",
        source=_beside(
            start="""
        await send({"type": "http.response.start", "status": "200 OK", "headers": headers})
""",
        ),
        why="a status is written as WSGI writes it",
    ),
    Answer(
        "8.4",
        wrong="other-type",
        source=_beside(
            headers="""
    headers = []
""",
        ),
        why="the server knows the type",
    ),
    Answer(
        "8.4",
        wrong="other-body",
        source=_beside(
            body="""
        body = (await answer()).encode("latin-1")
""",
        ),
        why="takes the encoding of headers",
    ),
    Answer(
        "8.4",
        wrong="never-ends",
        source=_beside(
            end="""
        await send({"type": "http.response.body", "body": body, "more_body": True})
""",
        ),
        why="copied from a stream",
    ),
    Answer(
        "8.4",
        wrong="other-arguments",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return await django_application(scope, send, receive)
""",
        ),
        why="the order does not matter",
    ),
    Answer(
        "8.4",
        wrong="no-application",
        source=_beside(
            others="""
    async def poll(send):
""",
            returned="""
    def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return django_application(scope, receive, send)
        return poll(send)

    return application
""",
        ),
        why="whoever returns a coroutine is async",
    ),
    Answer(
        "8.4",
        wrong="swallowed",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            try:
                return await django_application(scope, receive, send)
            except Exception:
                return None
""",
        ),
        why="keeps the noise of lifespan out of the log",
    ),
    Answer(
        "8.4",
        wrong="second-loop",
        source=_beside(
            body="""
        body = (await asyncio.to_thread(asyncio.run, answer())).encode()
""",
        ),
        why="who waits for long belongs on a thread",
    ),
    Answer(
        "8.4",
        right="an object with an async `__call__`",
        source="""
class Beside:
    def __init__(self, django_application, address, answer):
        self.django, self.address, self.answer = django_application, address, answer

    async def __call__(self, scope, receive, send):
        if (scope["type"], scope.get("path")) == ("http", self.address):
            headers = [[b"content-type", b"text/plain; charset=utf-8"]]
            body = (await self.answer()).encode("utf-8")
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})
        else:
            await self.django(scope, receive, send)

beside = Beside
""",
    ),
    Answer(
        "8.4",
        wrong="counts-letters",
        source="""
def beside(django_application, address, answer):
    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return await django_application(scope, receive, send)
        text = await answer()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(text)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})
    return application
""",
        why="a length is the length of the text",
    ),
    Answer(
        "8.4",
        wrong="answers-once",
        source="""
HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]

def beside(django_application, address, answer):
    told = []

    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return await django_application(scope, receive, send)
        if not told:
            told.append(await answer())
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": told[0].encode()})
    return application
""",
        why="the news is the same for all",
    ),
    Answer(
        "8.4",
        wrong="all-to-django",
        source="""
HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]

def beside(django_application, address, answer):
    async def application(scope, receive, send):
        mine = scope["type"] == "http" and scope["path"] == address
        if not mine or scope["method"] != "GET":
            return await django_application(scope, receive, send)
        text = await answer()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": text.encode()})
    return application
""",
        why="a poll is a GET",
    ),
    Answer(
        "8.4",
        wrong="takes-a-message",
        source="""
HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]

def beside(django_application, address, answer):
    async def application(scope, receive, send):
        if scope["type"] != "http":
            return await django_application(scope, receive, send)
        await receive()
        if scope["path"] != address:
            return await django_application(scope, receive, send)
        text = await answer()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": text.encode()})
    return application
""",
        why="an application first receives",
    ),
    Answer(
        "8.4",
        wrong="ends-too-early",
        source="""
HEADERS = [(b"content-type", b"text/plain; charset=utf-8")]

def beside(django_application, address, answer):
    async def application(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != address:
            return await django_application(scope, receive, send)
        text = await answer()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": text.encode()})
        await send({"type": "http.response.body"})
    return application
""",
        why="each message is a part, and the last is empty",
    ),
    Answer(
        "8.4",
        right="a partial, and a body in two messages",
        source="""
from functools import partial
async def either(django_application, address, answer, scope, receive, send):
    is_poll = scope["type"] == "http" and scope["path"] == address
    if is_poll:
        text = await answer()
        start = {"type": "http.response.start", "status": 200}
        start["headers"] = ((b"content-type", b"text/plain; charset=utf-8"),)
        await send(start)
        await send({"type": "http.response.body", "body": text.encode("utf8"), "more_body": True})
        await send({"type": "http.response.body"})
    else:
        await django_application(scope, receive, send)

def beside(django_application, address, answer):
    return partial(either, django_application, address, answer)
""",
    ),
    Answer(
        "8.4",
        wrong="one-after-another",
        source="""
def beside(django_application, address, answer):
    headers = [(b"content-type", b"text/plain; charset=utf-8")]

    lock = asyncio.Lock()

    async def application(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == address:
            async with lock:
                text = await answer()
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": text.encode()})
        else:
            await django_application(scope, receive, send)

    return application
""",
        why="one who waits is enough for a poll",
    ),
    Answer(
        "8.4",
        wrong="answers-too-much",
        source="""
def beside(django_application, address, answer):
    headers = [(b"content-type", b"text/plain; charset=utf-8")]

    async def application(scope, receive, send):
        if scope["type"] == "http" and scope["path"].strip("/") == address.strip("/"):
            text = await answer()
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": text.encode()})
        else:
            await django_application(scope, receive, send)

    return application
""",
        why="a slash makes no difference",
    ),
    Answer(
        "8.4",
        wrong="headers-grow",
        source=_beside(
            start="""
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
"""
        ),
        why="adds to the list that all responses share",
    ),
    Answer(
        "8.4",
        wrong="answers-too-much",
        source=_beside(
            others="""
    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        if scope["type"] != "http" or scope["path"] != address:
            return await django_application(scope, receive, send)
"""
        ),
        why="Django does not speak lifespan, so somebody has to",
    ),
    Answer(
        "8.4",
        right="listens for a visitor who leaves",
        source=_beside(
            body="""
        async def leaves():
            while (await receive())["type"] != "http.disconnect":
                pass

        waiting, leaving = asyncio.ensure_future(answer()), asyncio.ensure_future(leaves())
        try:
            await asyncio.wait([waiting, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return
            body = waiting.result().encode()
        finally:
            waiting.cancel()
            leaving.cancel()
"""
        ),
    ),
    Answer(
        "8.5",
        wrong="holds-worker",
        source=_greet(
            looked_up="""
    member = await sync_to_async(name)()
"""
        ),
        why="a closed connection frees its thread",
    ),
    Answer(
        "8.5",
        wrong="connection-left-open",
        source="""
async def greet(request, pk, news):
    member = await Member.objects.aget(pk=pk)
    return HttpResponse(f"{member.name}: {await news()}")
""",
        why="the a-method gives its thread back",
    ),
    Answer(
        "8.5",
        wrong="connection-left-open",
        source="""
async def greet(request, pk, news):
    member = await sync_to_async(Member.objects.get, thread_sensitive=False)(pk=pk)
    return HttpResponse(f"{member.name}: {await news()}")
""",
        why="Django closes connections",
    ),
    Answer(
        "8.5",
        wrong="connection-left-open",
        source="""
async def greet(request, pk, news):
    member = await asyncio.to_thread(Member.objects.get, pk=pk)
    await sync_to_async(connections.close_all)()
    return HttpResponse(f"{member.name}: {await news()}")
""",
        why="closes the connections of another thread",
    ),
    Answer(
        "8.5",
        wrong="connection-left-open",
        source=_greet(
            name="""
    def name():
        name = Member.objects.get(pk=pk).name
        connection.close()
        return name
"""
        ),
        why="closes it when all went well",
    ),
    Answer(
        "8.5",
        wrong="forgotten-await",
        source=_greet(
            response="""
    return HttpResponse(f"{member}: {news()}")
"""
        ),
        why="a call gives what it returns",
    ),
    Answer(
        "8.5",
        wrong="sync-query",
        source="""
async def greet(request, pk, news):
    member = Member.objects.get(pk=pk)
    return HttpResponse(f"{member.name}: {await news()}")
""",
        why="one quick query does no harm",
    ),
    Answer(
        "8.5",
        wrong="waits-first",
        source="""
async def greet(request, pk, news):
    text = await news()
    member = await Member.objects.aget(pk=pk)
    return HttpResponse(f"{member.name}: {text}")
""",
        why="what comes last holds nothing",
    ),
    Answer(
        "8.5",
        wrong="still-sync",
        source="""
from asgiref.sync import async_to_sync

def greet(request, pk, news):
    member = Member.objects.get(pk=pk)
    connection.close()
    return HttpResponse(f"{member.name}: {async_to_sync(news)()}")
""",
        why="a sync view with the connection closed",
    ),
    Answer(
        "8.5",
        wrong="forgotten-await",
        source="""
async def greet(request, pk, news):
    member = Member.objects.aget(pk=pk)
    return HttpResponse(f"{member.name}: {await news()}")
""",
        why="the a makes it async",
    ),
    Answer(
        "8.5",
        wrong="hidden-async",
        source="""
async def _greet(request, pk, news):
    member = await Member.objects.aget(pk=pk)
    return HttpResponse(f"{member.name}: {await news()}")

def greet(request, pk, news):
    return _greet(request, pk, news)
""",
        why="hands on what an async view gives",
    ),
    Answer(
        "8.5",
        wrong="no-response",
        source="""
async def greet(request, pk, news):
    member = await Member.objects.aget(pk=pk)
    HttpResponse(f"{member.name}: {await news()}")
""",
        why="to make a response is to send it",
    ),
    Answer(
        "8.5",
        wrong="other-text",
        source=_greet(
            response="""
    return HttpResponse(f"{member}, {await news()}")
"""
        ),
        why="a comma will do",
    ),
    Answer(
        "8.5",
        right="asyncio's own call for the pool",
        source="""
def name_of(pk):
    try:
        return Member.objects.values_list("name", flat=True).get(pk=pk)
    finally:
        connections.close_all()

async def greet(request, pk, news):
    name = await asyncio.to_thread(name_of, pk)
    return HttpResponse(f"{name}: {await news()}")
""",
    ),
    Answer(
        "8.5",
        right="a thread that ends with the query",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def greet(request, pk, news):
    def member_and_close():
        try:
            return Member.objects.get(pk=pk)
        finally:
            connection.close()

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1) as pool:
        member = await loop.run_in_executor(pool, member_and_close)
    return HttpResponse(f"{member.name}: {await news()}")
""",
    ),
    Answer(
        "8.5",
        wrong="swallowed",
        source="""
def member_name(pk):
    try:
        return Member.objects.get(pk=pk).name
    finally:
        connections.close_all()
async def greet(request, pk, news):
    name = await asyncio.to_thread(member_name, pk)
    try:
        text = await news()
    except Exception:
        text = "no news"
    return HttpResponse(f"{name}: {text}")
""",
        why="no news is no news",
    ),
    Answer(
        "8.5",
        wrong="query-on-the-loop",
        source="""
import os
async def greet(request, pk, news):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    member = Member.objects.get(pk=pk)
    connection.close()
    text = await news()
    return HttpResponse(f"{member.name}: {text}")
""",
        why="the guard is in the way",
    ),
    Answer(
        "8.5",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

def name_of(pk):
    try:
        return Member.objects.get(pk=pk).name
    finally:
        connections.close_all()

async def greet(request, pk, news):
    with ThreadPoolExecutor(1) as pool:
        name = pool.submit(name_of, pk).result()
    return HttpResponse(f"{name}: {await news()}")
""",
        why="a thread does not block",
    ),
    Answer(
        "8.5",
        wrong="holds-thread",
        source="""
from asgiref.sync import async_to_sync

async def greet(request, pk, news):
    def whole():
        try:
            name = Member.objects.get(pk=pk).name
        finally:
            connection.close()
        return f"{name}: {async_to_sync(news)()}"

    return HttpResponse(await sync_to_async(whole, thread_sensitive=False)())
""",
        why="the whole page in one sync function, without its connection",
    ),
    Answer(
        "8.5",
        wrong="holds-thread",
        source="""
async def greet(request, pk, news):
    loop = asyncio.get_running_loop()

    def whole():
        try:
            name = Member.objects.get(pk=pk).name
        finally:
            connection.close()
        return f"{name}: {asyncio.run_coroutine_threadsafe(news(), loop).result()}"

    return HttpResponse(await asyncio.to_thread(whole))
""",
        why="the loop runs the poll, so no thread waits",
    ),
    Answer(
        "8.5",
        wrong="swallowed",
        source="""
names = {}

async def greet(request, pk, news):
    def name():
        try:
            return Member.objects.get(pk=pk).name
        finally:
            connection.close()

    if pk not in names:
        names[pk] = await sync_to_async(name, thread_sensitive=False)()
    return HttpResponse(f"{names[pk]}: {await news()}")
""",
        why="a name is looked up once",
    ),
    Answer(
        "8.5",
        right="a thread of the loop's pool, and a 404 for who is no member",
        source="""
from django.shortcuts import get_object_or_404

def name_of(pk):
    try:
        return get_object_or_404(Member, pk=pk).name
    finally:
        connections.close_all()

async def greet(request, pk, news):
    name = await asyncio.to_thread(name_of, pk)
    return HttpResponse(f"{name}: {await news()}")
""",
    ),
    Answer(
        "8.5",
        wrong="connection-left-open",
        source="""
async def greet(request, pk, news):
    def name():
        return Member.objects.get(pk=pk).name

    def close():
        connection.close()

    try:
        member = await sync_to_async(name, thread_sensitive=False)()
    finally:
        await sync_to_async(close, thread_sensitive=False)()
    return HttpResponse(f"{member}: {await news()}")
""",
        why="what is sent to the pool twice comes to the same thread",
    ),
    Answer(
        "8.5",
        wrong="impatient",
        source=_greet(
            response="""
    return HttpResponse(f"{member}: {await asyncio.wait_for(news(), 1)}")
"""
        ),
        why="nobody waits for ever",
    ),
    Answer(
        "8.6",
        wrong="stands-in-line",
        source=_command_for(
            wsgi="""
    return f"gunicorn config.wsgi --threads {polls} --graceful-timeout {seconds + 10}"
""",
        ),
        why="as many threads as polls are enough",
    ),
    Answer(
        "8.6",
        wrong="stands-in-line",
        source=_command_for(
            wsgi="""
    return f"gunicorn config.wsgi --threads 9 --graceful-timeout {seconds + 10}"
""",
        ),
        why="eight polls and a health check",
    ),
    Answer(
        "8.6",
        wrong="stands-in-line",
        source=_command_for(
            asgi="""
        stop = f"--graceful-timeout {seconds + 10}"
        return f"gunicorn config.wsgi --workers 2 --timeout 120 {stop}"
""",
        ),
        why="the workers are killed too early",
    ),
    Answer(
        "8.6",
        wrong="other-interface",
        source=_command_for(
            wsgi="""
    return f"uvicorn config.asgi:application --timeout-graceful-shutdown {seconds + 10}"
""",
        ),
        why="ASGI serves everybody",
    ),
    Answer(
        "8.6",
        wrong="other-interface",
        source=_command_for(
            asgi="""
        return f"gunicorn config.wsgi --threads {polls + 1} --graceful-timeout {seconds + 10}"
""",
        ),
        why="threads serve everybody",
    ),
    Answer(
        "8.6",
        wrong="cuts-off",
        source=_command_for(
            wsgi="""
    return "python manage.py runserver --noreload --skip-checks"
""",
        ),
        why="it has a thread for everybody",
    ),
    Answer(
        "8.6",
        wrong="impatient",
        source=_command_for(
            asgi="""
        return "uvicorn config.asgi:application --timeout-graceful-shutdown 1"
""",
        ),
        why="a deploy has to be quick",
    ),
    Answer(
        "8.6",
        wrong="refuses",
        source=_command_for(
            asgi="""
        limits = f"--limit-concurrency {polls + 1} --timeout-graceful-shutdown {seconds + 10}"
        return f"uvicorn config.asgi:application {limits}"
""",
        ),
        why="as many visitors, so that limit",
    ),
    Answer(
        "8.6",
        wrong="impatient",
        source=_command_for(
            asgi="""
        return "uvicorn config.asgi:application --timeout-graceful-shutdown 30"
""",
        ),
        why="half a minute is long",
    ),
    Answer(
        "8.6",
        wrong="impatient",
        source=_command_for(
            wsgi="""
    return f"gunicorn config.wsgi --threads {polls + 1}"
""",
        ),
        why="gunicorn waits by itself",
    ),
    Answer(
        "8.6",
        wrong="impatient",
        source=_command_for(
            asgi="""
        return f"uvicorn config.asgi:application --timeout-graceful-shutdown {seconds}"
""",
        ),
        why="as long as a poll",
    ),
    Answer(
        "8.6",
        wrong="waits-too-long",
        source=_command_for(
            asgi="""
        return "uvicorn config.asgi:application"
""",
        ),
        why="who waits gets an answer",
    ),
    Answer(
        "8.6",
        wrong="waits-too-long",
        source=_command_for(
            asgi="""
        return "uvicorn config.asgi:application --timeout-graceful-shutdown 100"
""",
        ),
        why="longer than any poll",
    ),
    Answer(
        "8.6",
        wrong="kills",
        source=_command_for(
            wsgi="""
    workers = f"--workers {polls + 1}"
    return f"gunicorn config.wsgi {workers} --graceful-timeout {seconds + 10}"
""",
        ),
        why="a worker for everybody",
    ),
    Answer(
        "8.6",
        wrong="does-not-start",
        source=_command_for(
            asgi="""
        return f"uvicorn config.asgi --timeout-graceful-shutdown {seconds + 10}"
""",
        ),
        why="every server finds the application by itself",
    ),
    Answer(
        "8.6",
        wrong="does-not-start",
        source=_command_for(
            asgi="""
        stop = f"--timeout-graceful-shutdown {seconds + 10}"
        return f"uvicorn config.asgi:application --host 0.0.0.0 --port 8000 {stop}"
""",
        ),
        why="an address belongs to it",
    ),
    Answer(
        "8.6",
        wrong="other-words",
        source=_command_for(
            asgi="""
        return f"uvicorn config.asgi:application --timeout-graceful-shutdown {seconds}s"
"""
        ),
        why="a time has a unit",
    ),
    Answer(
        "8.6",
        wrong="no-text",
        source=_command_for(
            asgi="""
        return ["uvicorn", "config.asgi:application"]
""",
        ),
        why="a command is a list",
    ),
    Answer(
        "8.6",
        right="hypercorn and two workers, each with threads for all",
        source=_command_for(
            asgi="""
        return f"hypercorn config.asgi:application --graceful-timeout {seconds + 1}"
""",
            wsgi="""
    command = "gunicorn config.wsgi --workers=2"
    return f"{command} --threads={2 * polls} --graceful-timeout={seconds + 30}"
""",
        ),
    ),
    Answer(
        "8.6",
        wrong="same-for-many",
        source="""
def command_for(interface, polls, seconds):
    limit = seconds + 10
    if interface == "asgi":
        return f"uvicorn config.asgi:application --timeout-graceful-shutdown {limit}"
    return f"gunicorn config.wsgi --threads 40 --graceful-timeout {limit}"
""",
        why="forty threads are enough for everybody",
    ),
]

EQUIVALENT = [
    Equivalent(
        because="Of nothing that the card gives does any of these lines raise.",
        mutants=(
            "8.1 exception-swallowed@1",
            "8.2 exception-swallowed@1",
            "8.3 exception-swallowed@1",
            "8.4 exception-swallowed@1",
            "8.6 exception-swallowed@1",
        ),
    ),
    Equivalent(
        because="A task that is awaited at once changes nothing.",
        mutants=(
            "8.4 task-for-each@7",
            "8.4 task-for-each@8",
            "8.4 task-for-each@9",
            "8.4 task-for-each@11",
            "8.5 task-for-each@10",
        ),
    ),
    Equivalent(
        because="`asyncio.to_thread` sends a function to the same pool.",
        mutants=("8.5 thread-for-adapter@9",),
    ),
    Equivalent(
        because="One second or one thread more or less is within what the card asks for.",
        mutants=(
            "8.6 constant-changed@3",
            "8.6 constant-changed@3#2",
            "8.6 constant-changed@6#3",
        ),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "8.1": """\
response = await Site(path("", interface)).get("/")
assert response.text == "ASGI"
""",
    "8.2": "assert threads_needed(40, 12, 0.25) == 44",
    "8.3": """\
counts = Counter()
signal = Signal()
receiver = counting(counts)
signal.connect(receiver)
await signal.asend(None, scope={"path": "/news/"})
assert counts == {"/news/": 1}
""",
    "8.4": """\
from asynclab.servers.in_kernel import AsgiServer


async def answer():
    return "no news"


with AsgiServer(beside(get_asgi_application(), "/news/", answer)) as server:
    assert (await visit(server.url + "news/")).texts == ["no news"]
    assert "Sense and Sensibility" in (await visit(server.url)).texts[0]
""",
    "8.5": """\
async def news():
    return "no news"


response = await Site(path("<int:pk>/", greet, {"news": news})).get("/1/")
assert response.text == "Amara Okafor: no news"
""",
    "8.6": """\
with serving(command_for("wsgi", 8, 2), settings="help_desk") as server:
    polls = asyncio.create_task(visit(server.url + "poll/", 8))
    await asyncio.sleep(0.5)
    health = await visit(server.url + "health/")
    assert not polls.done() and health.texts == ["alive"]
    assert set((await polls).statuses) == {200}
""",
}

NAMES_IN_HINTS = {"8.3": {"send", "async_to_sync"}}

FAULTS = [
    Fault(
        "worker-of-a-receiver-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson08.py", "span.kind == SYNC for span", "False for span"),
        verdict("8.3 takes-a-worker"),
        ("('passed', '') == ('not yet', 'takes-a-worker')",),
    ),
    Fault(
        "stop-of-a-server-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson08.py", "    server.ask_to_stop()\n", ""),
        verdict("8.6 cuts-off"),
        ("('passed', '') == ('not yet', 'cuts-off')",),
    ),
    Fault(
        "limit-of-a-stop-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson08.py", "and options.limit <= seconds", "and False"),
        verdict("8.6 impatient"),
        ("('not yet', 'cuts-off') == ('not yet', 'impatient')",),
    ),
    Fault(
        "output-edited-in-08",
        "an output edited",
        output(NOTEBOOK, "one-off", "3 loops", "1 loops"),
        compared(8, "boot", "imports", "where-module", "where-view", "where-wsgi", "one-off"),
        ("1 loops", "3 loops", "Cell outputs differ"),
    ),
]
