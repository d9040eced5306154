"""What the tests know of lesson 09."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/09_*.ipynb"

_stamp = in_pieces(
    "@sync_and_async_middleware",
    factory="""
def stamp(get_response):
    def stamped(response):
        response["X-Branch"] = "Whitby"
        return response
""",
    async_half="""
    async def in_async(request):
        return stamped(await get_response(request))
""",
    sync_half="""
    def in_sync(request):
        return stamped(get_response(request))
""",
    which="""
    return in_async if iscoroutinefunction(get_response) else in_sync
""",
)

_with_id = in_pieces(
    "@sync_and_async_middleware",
    factory="""
def with_id(get_response):
    def id_of(request):
        return request.headers.get("X-Request-ID", "-")
""",
    async_half="""
    async def in_async(request):
        request_id.set(id_of(request))
        response = await get_response(request)
        response["X-Request-ID"] = id_of(request)
        return response
""",
    sync_half="""
    def in_sync(request):
        request_id.set(id_of(request))
        response = get_response(request)
        response["X-Request-ID"] = id_of(request)
        return response
""",
    which="""
    return in_async if iscoroutinefunction(get_response) else in_sync
""",
)

_closing = in_pieces(
    'LINE = b"\\nThe library closes at 19:00."',
    ended="""
def ended(response):
    if response.has_header("Content-Length"):
        response["Content-Length"] = int(response["Content-Length"]) + len(LINE)
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
""",
    factory="""
@sync_and_async_middleware
def closing_time(get_response):
    async def in_async(request):
        return ended(await get_response(request))

    def in_sync(request):
        return ended(get_response(request))

    return in_async if iscoroutinefunction(get_response) else in_sync
""",
)

_members = in_pieces(
    "@sync_and_async_middleware",
    factory="""
def members_only(get_response):
    def login(request):
        return redirect_to_login(request.get_full_path())
""",
    asked="""
    async def in_async(request):
        known = (await request.auser()).is_authenticated
""",
    answered="""
        return await get_response(request) if known else login(request)
""",
    sync_half="""
    def in_sync(request):
        user = request.user
        return get_response(request) if user.is_authenticated else login(request)
""",
    which="""
    return in_async if iscoroutinefunction(get_response) else in_sync
""",
)

_headers = in_pieces(
    "class DeskHeaders:",
    flags="""
    sync_capable = async_capable = True
""",
    init="""
    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
""",
    call="""
    def __call__(self, request):
        if self.is_async:
            return self.acall(request)
        response = self.get_response(request)
        return self.named(request, response, Loan.objects.filter(returned=None).count())
""",
    acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        loans = await Loan.objects.filter(returned=None).acount()
        return self.named(request, response, loans)
""",
    named="""
    def named(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        if not response.streaming:
            response["Content-Length"] = len(response.content)
        return response
""",
)

ANSWERS = [
    Answer(
        "9.1",
        wrong="both-stays-async",
        source="""
def modes(kinds):
    return ["async" if kind == "both" else kind for kind in kinds]
""",
        why="what can be async is async",
    ),
    Answer(
        "9.1",
        wrong="from-outside",
        source="""
def modes(kinds):
    mode, found = "async", []
    for kind in kinds:
        mode = mode if kind == "both" else kind
        found.append(mode)
    return found
""",
        why="the request comes from outside",
    ),
    Answer(
        "9.1",
        wrong="turned-round",
        source="""
def modes(kinds):
    below, found = "async", []
    for kind in reversed(kinds):
        below = below if kind == "both" else kind
        found.append(below)
    return found
""",
        why="forgets to turn the list round",
    ),
    Answer(
        "9.1",
        wrong="one-for-all",
        source="""
def modes(kinds):
    return ["sync" if "sync" in kinds else "async" for _ in kinds]
""",
        why="one sync middleware spoils it all",
    ),
    Answer(
        "9.1",
        wrong="both-is-no-mode",
        source="""
def modes(kinds):
    return kinds
""",
        why="both is a mode, too",
    ),
    Answer(
        "9.1",
        wrong="other-modes",
        source="""
def modes(kinds):
    return ["async" if kind == "async" else "sync" for kind in kinds]
""",
        why="whoever can be sync is sync",
    ),
    Answer(
        "9.1",
        wrong="other-length",
        source="""
def modes(kinds):
    found = []
    for kind in reversed(kinds):
        if kind != "both":
            found.insert(0, kind)
    return found
""",
        why="names each mode once",
    ),
    Answer(
        "9.1",
        wrong="no-list",
        source="""
def modes(kinds):
    below, found = "async", []
    for kind in reversed(kinds):
        below = below if kind == "both" else kind
        found.insert(0, below)
    return ", ".join(found)
""",
        why="a text is enough",
    ),
    Answer(
        "9.1",
        wrong="other-type",
        source="""
def modes(kinds):
    below, found = "async", []
    for kind in reversed(kinds):
        below = below if kind == "both" else kind
        found = below + found
    return found
""",
        why="adds texts to lists",
    ),
    Answer(
        "9.1",
        wrong="other-modes",
        source="""
def modes(kinds):
    rest = [kind for kind in kinds if kind != "both"]
    return [rest[-1] if rest else "async" for _ in kinds]
""",
        why="the innermost decides for all",
    ),
    Answer(
        "9.1",
        right="from the next that is no both",
        source="""
def modes(kinds):
    found = []
    for place, kind in enumerate(kinds):
        rest = [other for other in kinds[place:] if other != "both"]
        found.append(rest[0] if rest else "async")
    return found
""",
    ),
    Answer(
        "9.1",
        right="by recursion",
        source="""
def modes(kinds):
    if not kinds:
        return []
    first, *rest = kinds
    below = modes(rest)
    return [first if first != "both" else (below or ["async"])[0], *below]
""",
    ),
    Answer(
        "9.1",
        wrong="changes-the-list",
        source="""
def modes(kinds):
    kinds.reverse()
    result, mode = [], "async"
    for kind in kinds:
        mode = mode if kind == "both" else kind
        result.insert(0, mode)
    return result
""",
        why="a list is turned round in its place",
    ),
    Answer(
        "9.2",
        wrong="still-sync",
        source="""
def stamp(get_response):
    def middleware(request):
        response = get_response(request)
        response["X-Branch"] = "Whitby"
        return response

    return middleware
""",
        why="a header needs no async",
    ),
    Answer(
        "9.2",
        wrong="coroutine-for-a-response",
        source="""
@sync_and_async_middleware
def stamp(get_response):
    def middleware(request):
        response = get_response(request)
        response["X-Branch"] = "Whitby"
        return response

    return middleware
""",
        why="the decorator makes it async",
    ),
    Answer(
        "9.2",
        wrong="changes-sides",
        source="""
from django.utils.decorators import async_only_middleware

@async_only_middleware
def stamp(get_response):
    async def middleware(request):
        response = await get_response(request)
        response["X-Branch"] = "Whitby"
        return response

    return middleware
""",
        why="async is enough under ASGI",
    ),
    Answer(
        "9.2",
        wrong="async-in-sync",
        source="""
@sync_and_async_middleware
def stamp(get_response):
    async def middleware(request):
        response = get_response(request)
        if iscoroutinefunction(get_response):
            response = await response
        response["X-Branch"] = "Whitby"
        return response

    return middleware
""",
        why="an async half serves both",
    ),
    Answer(
        "9.2",
        wrong="still-sync",
        source="""
def stamp(get_response):
    def stamped(response):
        response["X-Branch"] = "Whitby"
        return response

    if iscoroutinefunction(get_response):
        async def middleware(request):
            return stamped(await get_response(request))
    else:
        def middleware(request):
            return stamped(get_response(request))

    return middleware
""",
        why="two halves speak for themselves",
    ),
    Answer(
        "9.2",
        wrong="takes-a-hop",
        source=_stamp(
            async_half="""
    async def in_async(request):
        return await sync_to_async(stamped)(await get_response(request))
"""
        ),
        why="sync work goes to the worker",
    ),
    Answer(
        "9.2",
        wrong="unmarked",
        source="""
class stamp:
    sync_capable, async_capable = False, True

    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        response = await self.get_response(request)
        response["X-Branch"] = "Whitby"
        return response
""",
        why="an object with an async `__call__` is async",
    ),
    Answer(
        "9.2",
        wrong="async-half-in-sync",
        source="""
from asgiref.sync import async_to_sync

@sync_and_async_middleware
def stamp(get_response):
    async def in_async(request):
        response = await get_response(request)
        response["X-Branch"] = "Whitby"
        return response

    return in_async if iscoroutinefunction(get_response) else async_to_sync(in_async)
""",
        why="an adapter runs what is async",
    ),
    Answer(
        "9.2",
        wrong="no-middleware",
        source=_stamp(
            which="""
    in_async if iscoroutinefunction(get_response) else in_sync
"""
        ),
        why="forgets to return the middleware",
    ),
    Answer(
        "9.2",
        wrong="no-response",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        response["X-Branch"] = "Whitby"
"""
        ),
        why="forgets to return the response",
    ),
    Answer(
        "9.2",
        wrong="roundabout",
        source=_stamp(
            sync_half="""
    def in_sync(request):
        from asgiref.sync import async_to_sync

        return stamped(async_to_sync(sync_to_async(get_response))(request))
"""
        ),
        why="an adapter on each side is safe",
    ),
    Answer(
        "9.2",
        wrong="second-loop",
        source=_stamp(
            async_half="""
    async def in_async(request):
        import asyncio

        return stamped(await asyncio.to_thread(asyncio.run, get_response(request)))
"""
        ),
        why="a coroutine needs asyncio.run",
    ),
    Answer(
        "9.2",
        wrong="no-flag",
        source="""
def stamp(get_response):
    async def middleware(request):
        response = await get_response(request)
        response["X-Branch"] = "Whitby"
        return response

    return middleware

stamp.sync_capable = stamp.async_capable = False
""",
        why="switches both flags off",
    ),
    Answer(
        "9.2",
        wrong="no-header",
        source=_stamp(
            sync_half="""
    def in_sync(request):
        return get_response(request)
"""
        ),
        why="stamps in the async half only",
    ),
    Answer(
        "9.2",
        wrong="not-all",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        if response.status_code == 200:
            response["X-Branch"] = "Whitby"
        return response
"""
        ),
        why="stamps what succeeds",
    ),
    Answer(
        "9.2",
        wrong="other-page",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        return HttpResponse("stamped", headers={"X-Branch": "Whitby"})
"""
        ),
        why="makes a response of its own",
    ),
    Answer(
        "9.2",
        right="a class",
        source="""
class stamp:
    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.acall(request)
        response = self.get_response(request)
        response["X-Branch"] = "Whitby"
        return response

    async def acall(self, request):
        response = await self.get_response(request)
        response["X-Branch"] = "Whitby"
        return response
""",
    ),
    Answer(
        "9.2",
        right="flags without the decorator",
        source="""
def stamp(get_response):
    def stamped(response):
        response.headers["X-Branch"] = "Whitby"
        return response

    async def in_async(request):
        return stamped(await get_response(request))

    def in_sync(request):
        return stamped(get_response(request))

    return in_async if iscoroutinefunction(get_response) else in_sync

stamp.sync_capable = stamp.async_capable = True
""",
    ),
    Answer(
        "9.2",
        wrong="not-all",
        source="""
def done92(response):
    response.headers.setdefault("X-Branch", "Whitby")
    return response
@sync_and_async_middleware
def stamp(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            return done92(await get_response(request))
    else:
        def middleware(request):
            return done92(get_response(request))
    return middleware
""",
        why="a header that is there stays",
    ),
    Answer(
        "9.2",
        wrong="not-all",
        source="""
def done92(response):
    if not response.streaming:
        response["X-Branch"] = "Whitby"
    return response
@sync_and_async_middleware
def stamp(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            return done92(await get_response(request))
    else:
        def middleware(request):
            return done92(get_response(request))
    return middleware
""",
        why="a stream has no headers of its own",
    ),
    Answer(
        "9.2",
        wrong="cancel-swallowed",
        source="""
@sync_and_async_middleware
def stamp(get_response):
    def stamped(response):
        response["X-Branch"] = "Whitby"
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request):
            try:
                return stamped(await get_response(request))
            except BaseException:
                return HttpResponse(status=500)
    else:

        def middleware(request):
            return stamped(get_response(request))

    return middleware
""",
        why="whatever happens, there is a response",
    ),
    Answer(
        "9.2",
        wrong="not-all",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        if response.status_code < 500:
            response["X-Branch"] = "Whitby"
        return response
"""
        ),
        why="what failed is not stamped",
    ),
    Answer(
        "9.2",
        wrong="not-all",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        if "Location" not in response:
            response["X-Branch"] = "Whitby"
        return response
"""
        ),
        why="a redirect has no page",
    ),
    Answer(
        "9.2",
        wrong="not-all",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        if not response.streaming or response.is_async:
            response["X-Branch"] = "Whitby"
        return response
"""
        ),
        why="a sync stream is none in async code",
    ),
    Answer(
        "9.2",
        wrong="loses-the-rest",
        source=_stamp(
            factory="""
def stamp(get_response):
    def stamped(response):
        if response.streaming:
            response["X-Branch"] = "Whitby"
            return response
        headers = {**response.headers, "X-Branch": "Whitby"}
        return HttpResponse(response.content, status=response.status_code, headers=headers)
"""
        ),
        why="a new response with one header more",
    ),
    Answer(
        "9.2",
        wrong="takes-a-hop",
        source=_stamp(
            async_half="""
    async def in_async(request):
        response = await get_response(request)
        return await sync_to_async(stamped, thread_sensitive=False)(response)
"""
        ),
        why="the hop goes to another thread than the request's",
    ),
    Answer(
        "9.3",
        wrong="lost-in-the-stream",
        source=_with_id(
            async_half="""
    async def in_async(request):
        token = request_id.set(id_of(request))
        try:
            response = await get_response(request)
            response["X-Request-ID"] = request_id.get()
            return response
        finally:
            request_id.reset(token)
""",
            sync_half="""
    def in_sync(request):
        token = request_id.set(id_of(request))
        try:
            response = get_response(request)
            response["X-Request-ID"] = request_id.get()
            return response
        finally:
            request_id.reset(token)
""",
        ),
        why="takes back what it has set",
    ),
    Answer(
        "9.3",
        wrong="still-sync",
        source="""
def with_id(get_response):
    def middleware(request):
        request_id.set(request.headers.get("X-Request-ID", "-"))
        response = get_response(request)
        response["X-Request-ID"] = request_id.get()
        return response

    return middleware
""",
        why="only leaves the `finally` out",
    ),
    Answer(
        "9.3",
        wrong="no-id",
        source=_with_id(
            async_half="""
    async def in_async(request):
        response = await get_response(request)
        request_id.set(id_of(request))
        response["X-Request-ID"] = id_of(request)
        return response
"""
        ),
        why="sets it when the response is there",
    ),
    Answer(
        "9.3",
        wrong="no-header",
        source=_with_id(
            async_half="""
    async def in_async(request):
        request_id.set(id_of(request))
        return await get_response(request)
"""
        ),
        why="the log has it",
    ),
    Answer(
        "9.3",
        wrong="changes-sides",
        source="""
from django.utils.decorators import async_only_middleware

@async_only_middleware
def with_id(get_response):
    async def middleware(request):
        request_id.set(request.headers.get("X-Request-ID", "-"))
        response = await get_response(request)
        response["X-Request-ID"] = request_id.get()
        return response

    return middleware
""",
        why="async is enough under ASGI",
    ),
    Answer(
        "9.3",
        wrong="someone-elses",
        source=_with_id(
            async_half="""
    async def in_async(request):
        with_id.id = id_of(request)
        request_id.set(with_id.id)
        response = await get_response(request)
        response["X-Request-ID"] = with_id.id
        return response
"""
        ),
        why="keeps the id at the function",
    ),
    Answer(
        "9.3",
        right="wraps the stream as well",
        source=_with_id(
            factory="""
def with_id(get_response):
    def id_of(request):
        return request.headers.get("X-Request-ID", "-")

    def named(response, own):
        response["X-Request-ID"] = own
        if response.streaming:
            kind = async_parts if response.is_async else parts
            response.streaming_content = kind(response.streaming_content, own)
        return response

    async def async_parts(stream, own):
        request_id.set(own)
        async for part in stream:
            yield part

    def parts(stream, own):
        request_id.set(own)
        yield from stream
""",
            async_half="""
    async def in_async(request):
        token = request_id.set(id_of(request))
        try:
            return named(await get_response(request), id_of(request))
        finally:
            request_id.reset(token)
""",
            sync_half="""
    def in_sync(request):
        token = request_id.set(id_of(request))
        try:
            return named(get_response(request), id_of(request))
        finally:
            request_id.reset(token)
""",
        ),
    ),
    Answer(
        "9.3",
        right="the id from the variable",
        source=_with_id(
            async_half="""
    async def in_async(request):
        request_id.set(id_of(request))
        response = await get_response(request)
        response.headers["X-Request-ID"] = request_id.get()
        return response
"""
        ),
    ),
    Answer(
        "9.3",
        wrong="someone-elses",
        source="""
class with_id:
    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        self.id = request.headers.get("X-Request-ID", "-")
        request_id.set(self.id)
        if iscoroutinefunction(self):
            return self.later(request)
        return self.done(self.get_response(request))

    async def later(self, request):
        return self.done(await self.get_response(request))

    def done(self, response):
        response["X-Request-ID"] = self.id
        return response
""",
        why="an object is made for each request",
    ),
    Answer(
        "9.3",
        wrong="kind-by-the-mode",
        source="""
@sync_and_async_middleware
def with_id(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            id = request.headers.get("X-Request-ID", "-")
            request_id.set(id)
            response = await get_response(request)
            response["X-Request-ID"] = id
            if response.streaming:
                parts = response.streaming_content
                async def body():
                    request_id.set(id)
                    async for part in parts:
                        yield part
                response.streaming_content = body()
            return response
    else:
        def middleware(request):
            id = request.headers.get("X-Request-ID", "-")
            request_id.set(id)
            response = get_response(request)
            response["X-Request-ID"] = id
            if response.streaming:
                parts = response.streaming_content
                def body():
                    request_id.set(id)
                    yield from parts
                response.streaming_content = body()
            return response
    return middleware
""",
        why="an async middleware gets async streams",
    ),
    Answer(
        "9.3",
        wrong="cancel-swallowed",
        source="""
@sync_and_async_middleware
def with_id(get_response):
    def begin(request):
        request_id.set(request.headers.get("X-Request-ID", "-"))

    def named(response):
        response["X-Request-ID"] = request_id.get()
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request):
            begin(request)
            try:
                return named(await get_response(request))
            except BaseException:
                return HttpResponse(status=500)
    else:

        def middleware(request):
            begin(request)
            return named(get_response(request))

    return middleware
""",
        why="an error page for whatever happens",
    ),
    Answer(
        "9.3",
        wrong="keeps-the-last",
        source="""
@sync_and_async_middleware
def with_id(get_response):
    def begin(request):
        if "X-Request-ID" in request.headers:
            request_id.set(request.headers["X-Request-ID"])

    def named(response):
        response["X-Request-ID"] = request_id.get()
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request):
            begin(request)
            return named(await get_response(request))
    else:

        def middleware(request):
            begin(request)
            return named(get_response(request))

    return middleware
""",
        why="the default is there if nothing is set",
    ),
    Answer(
        "9.3",
        wrong="lost-in-the-stream",
        source=_with_id(
            factory="""
def with_id(get_response):
    def id_of(request):
        return request.headers.get("X-Request-ID", "-")

    def named(response, own):
        response["X-Request-ID"] = own
        if response.streaming and response.is_async:
            response.streaming_content = parts(response.streaming_content, own)
        return response

    async def parts(stream, own):
        request_id.set(own)
        async for part in stream:
            yield part
""",
            async_half="""
    async def in_async(request):
        token = request_id.set(id_of(request))
        try:
            return named(await get_response(request), id_of(request))
        finally:
            request_id.reset(token)
""",
            sync_half="""
    def in_sync(request):
        token = request_id.set(id_of(request))
        try:
            return named(get_response(request), id_of(request))
        finally:
            request_id.reset(token)
""",
        ),
        why="wraps async streams alone",
    ),
    Answer(
        "9.3",
        wrong="keeps-the-views",
        source=_with_id(
            async_half="""
    async def in_async(request):
        request_id.set(id_of(request))
        response = await get_response(request)
        response.headers.setdefault("X-Request-ID", id_of(request))
        return response
"""
        ),
        why="the view knows better",
    ),
    Answer(
        "9.3",
        wrong="no-id",
        source=_with_id(
            factory="""
def with_id(get_response):
    def id_of(request):
        return request.headers.get("X-Request-ID", "-").lower()
"""
        ),
        why="all ids in one spelling",
    ),
    Answer(
        "9.4",
        wrong="once-only",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        if not response.content.endswith(LINE):
            response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="a page that has the line needs no second one",
    ),
    Answer(
        "9.4",
        wrong="once-only",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        last = b""
        async for part in parts:
            yield part
            last = part
        if last != LINE:
            yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="the last part tells whether the line is there",
    ),
    Answer(
        "9.4",
        wrong="content-of-a-stream",
        source=_closing(
            ended="""
def ended(response):
    response.content += LINE
    return response
"""
        ),
        why="only the two halves are missing",
    ),
    Answer(
        "9.4",
        wrong="for-over-async",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    def later():
        yield from parts
        yield LINE

    response.streaming_content = later()
    return response
"""
        ),
        why="a stream is a stream",
    ),
    Answer(
        "9.4",
        wrong="star-over-async",
        source=_closing(
            ended="""
def ended(response):
    if response.streaming:
        response.streaming_content = [*response.streaming_content, LINE]
    else:
        response.content += LINE
    return response
"""
        ),
        why="a body is a list of parts",
    ),
    Answer(
        "9.4",
        wrong="async-for-over-sync",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def later():
        async for part in parts:
            yield part
        yield LINE

    response.streaming_content = later()
    return response
"""
        ),
        why="in an async project streams are async",
    ),
    Answer(
        "9.4",
        wrong="reads-ahead",
        source="""
from asgiref.sync import async_to_sync

LINE = b"\\nThe library closes at 19:00."

async def ended(response):
    if response.streaming and response.is_async:
        body = b"".join([part async for part in response])
    else:
        body = response.getvalue()
    return HttpResponse(body + LINE)

@sync_and_async_middleware
def closing_time(get_response):
    async def in_async(request):
        return await ended(await get_response(request))

    def in_sync(request):
        return async_to_sync(ended)(get_response(request))

    return in_async if iscoroutinefunction(get_response) else in_sync
""",
        why="makes a page of a stream",
    ),
    Answer(
        "9.4",
        wrong="other-body",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def async_parts():
        yield LINE
        async for part in parts:
            yield part

    def sync_parts():
        yield LINE
        yield from parts

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="the line comes first",
    ),
    Answer(
        "9.4",
        wrong="other-body",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
    return response
"""
        ),
        why="leaves streams alone",
    ),
    Answer(
        "9.4",
        wrong="still-sync",
        source=_closing(
            factory="""
def closing_time(get_response):
    def middleware(request):
        return ended(get_response(request))

    return middleware
"""
        ),
        why="the body does not ask for the mode",
    ),
    Answer(
        "9.4",
        wrong="swallowed",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def async_parts():
        try:
            async for part in parts:
                yield part
        except Exception:
            pass
        yield LINE

    def sync_parts():
        try:
            yield from parts
        except Exception:
            pass
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="whatever goes wrong, the line comes",
    ),
    Answer(
        "9.4",
        right="a stream of its own",
        source=_closing(
            ended="""
def ended(response):
    if response.streaming:
        kind = with_line_async if response.is_async else with_line
        response.streaming_content = kind(response.streaming_content)
    else:
        response.content = response.content + LINE
    del response["Content-Length"]
    return response

async def with_line_async(parts):
    async for part in parts:
        yield part
    yield LINE

def with_line(parts):
    for part in parts:
        yield part
    yield LINE
"""
        ),
    ),
    Answer(
        "9.4",
        right="chain for the sync one",
        source=_closing(
            ended="""
from itertools import chain

def ended(response):
    if "Content-Length" in response:
        response["Content-Length"] = str(int(response["Content-Length"]) + len(LINE))
    if not response.streaming:
        response.write(LINE)
        return response
    if not response.is_async:
        response.streaming_content = chain(response.streaming_content, [LINE])
        return response
    parts = response.streaming_content

    async def later():
        async for part in parts:
            yield part
        yield LINE

    response.streaming_content = later()
    return response
"""
        ),
    ),
    Answer(
        "9.4",
        wrong="one-behind",
        source="""
LINE = b"\\nThe library closes at 19:00."
def ended(response):
    if response.streaming:
        parts = response.streaming_content
        if response.is_async:
            async def body():
                last = b""
                async for part in parts:
                    if last:
                        yield last
                    last = part
                yield last + LINE
        else:
            def body():
                last = b""
                for part in parts:
                    if last:
                        yield last
                    last = part
                yield last + LINE
        response.streaming_content = body()
    else:
        response.content += LINE
    return response

@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            return ended(await get_response(request))
    else:
        def middleware(request):
            return ended(get_response(request))
    return middleware
""",
        why="the line belongs to the last part",
    ),
    Answer(
        "9.4",
        wrong="not-below-nothing",
        source="""
from itertools import chain
LINE = b"\\nThe library closes at 19:00."
async def and_line(parts):
    async for part in parts:
        yield part
    yield LINE
def ended(response):
    if response.streaming:
        wrap = and_line if response.is_async else (lambda parts: chain(parts, [LINE]))
        response.streaming_content = wrap(response.streaming_content)
    elif response.content:
        response.content += LINE
    return response
@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            return ended(await get_response(request))
    else:
        def middleware(request):
            return ended(get_response(request))
    return middleware
""",
        why="an empty page has nothing to stand below",
    ),
    Answer(
        "9.4",
        wrong="other-length",
        source=r"""
LINE = b"\nThe library closes at 19:00."


def ended(response):
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response


@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return ended(await get_response(request))
    else:

        def middleware(request):
            return ended(get_response(request))

    return middleware
""",
        why="who changes the body need not think of its headers",
    ),
    Answer(
        "9.4",
        wrong="cancel-swallowed",
        source=r"""
LINE = b"\nThe library closes at 19:00."


def ended(response):
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response


@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            try:
                return ended(await get_response(request))
            except BaseException:
                return HttpResponse(status=500)
    else:

        def middleware(request):
            return ended(get_response(request))

    return middleware
""",
        why="an error page for whatever happens",
    ),
    Answer(
        "9.4",
        wrong="below-a-failure",
        source=r"""
LINE = b"\nThe library closes at 19:00."


def ended(response):
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        try:
            async for part in parts:
                yield part
        finally:
            yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response


@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return ended(await get_response(request))
    else:

        def middleware(request):
            return ended(get_response(request))

    return middleware
""",
        why="the line comes on every way out",
    ),
    Answer(
        "9.4",
        wrong="below-a-failure",
        source=r"""
LINE = b"\nThe library closes at 19:00."


def ended(response):
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        try:
            yield from parts
        finally:
            yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response


@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return ended(await get_response(request))
    else:

        def middleware(request):
            return ended(get_response(request))

    return middleware
""",
        why="the line comes on every way out of a sync stream",
    ),
    Answer(
        "9.4",
        wrong="good-pages-only",
        source=r"""
LINE = b"\nThe library closes at 19:00."


def ended(response):
    if response.status_code != 200:
        return response
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response


@sync_and_async_middleware
def closing_time(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return ended(await get_response(request))
    else:

        def middleware(request):
            return ended(get_response(request))

    return middleware
""",
        why="an error page is no page",
    ),
    Answer(
        "9.4",
        wrong="other-bytes",
        source=_closing(
            ended="""
def ended(response):
    if response.has_header("Content-Length"):
        response["Content-Length"] = int(response["Content-Length"]) + len(LINE)
    if not response.streaming:
        response.content = response.content.decode() + LINE.decode()
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="text is put below text",
    ),
    Answer(
        "9.4",
        wrong="other-bytes",
        source=_closing(
            ended="""
def ended(response):
    if response.has_header("Content-Length"):
        response["Content-Length"] = int(response["Content-Length"]) + len(LINE)
    if not response.streaming:
        response.content = response.content.decode(errors="ignore") + LINE.decode()
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="what cannot be read is left out",
    ),
    Answer(
        "9.4",
        wrong="other-bytes",
        source=_closing(
            ended="""
def ended(response):
    if not response["Content-Type"].startswith("text/"):
        return response
    if response.has_header("Content-Length"):
        response["Content-Length"] = int(response["Content-Length"]) + len(LINE)
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="a line of text belongs to a text",
    ),
    Answer(
        "9.4",
        wrong="not-below-nothing",
        source=_closing(
            ended="""
def ended(response):
    if response.has_header("Content-Length"):
        response["Content-Length"] = int(response["Content-Length"]) + len(LINE)
    if not response.streaming:
        response.content += LINE
        return response
    parts = response.streaming_content

    async def async_parts():
        said = False
        async for part in parts:
            said = True
            yield part
        if said:
            yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="nothing was streamed",
    ),
    Answer(
        "9.4",
        wrong="other-length",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="a stream has no length, it is thought",
    ),
    Answer(
        "9.5",
        wrong="query-in-pool",
        source=_members(
            asked="""
    async def in_async(request):
        ask = sync_to_async(lambda: request.user.is_authenticated, thread_sensitive=False)
        known = await ask()
"""
        ),
        why="a thread is a thread",
    ),
    Answer(
        "9.5",
        right="the lazy user is looked up on the worker",
        source=_members(
            asked="""
    async def in_async(request):
        known = await sync_to_async(lambda: request.user.is_authenticated)()
"""
        ),
    ),
    Answer(
        "9.5",
        wrong="lazy-user",
        source=_members(
            asked="""
    async def in_async(request):
        known = request.user.is_authenticated
"""
        ),
        why="the sync half serves as an async one",
    ),
    Answer(
        "9.5",
        wrong="still-sync",
        source="""
def members_only(get_response):
    def middleware(request):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return get_response(request)

    return middleware
""",
        why="it works as it is",
    ),
    Answer(
        "9.5",
        wrong="forgotten-await",
        source=_members(
            asked="""
    async def in_async(request):
        known = request.auser().is_authenticated
"""
        ),
        why="a twin is called like the other one",
    ),
    Answer(
        "9.5",
        wrong="no-user",
        source=_members(
            asked="""
    async def in_async(request):
        known = request.auser.is_authenticated
"""
        ),
        why="a twin is an attribute, too",
    ),
    Answer(
        "9.5",
        wrong="too-late",
        source=_members(
            asked="""
    async def in_async(request):
        response = await get_response(request)
        known = (await request.auser()).is_authenticated
""",
            answered="""
        return response if known else login(request)
""",
        ),
        why="asks when the response is there",
    ),
    Answer(
        "9.5",
        wrong="other-answer",
        source=_members(
            factory="""
def members_only(get_response):
    def login(request):
        return HttpResponse("Members only.", status=403)
"""
        ),
        why="a guest is forbidden",
    ),
    Answer(
        "9.5",
        wrong="member-sent-away",
        source=_members(
            asked="""
    async def in_async(request):
        known = (await request.auser()).is_staff
"""
        ),
        why="asks for more than a login",
    ),
    Answer(
        "9.5",
        wrong="query-on-the-loop",
        source=_members(
            asked="""
    async def in_async(request):
        import os

        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        known = request.user.is_authenticated
"""
        ),
        why="switches the guard off",
    ),
    Answer(
        "9.5",
        wrong="waits-on-the-loop",
        source=_members(
            asked="""
    async def in_async(request):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor() as pool:
            known = pool.submit(lambda: request.user.is_authenticated).result()
"""
        ),
        why="a thread does not hold the loop",
    ),
    Answer(
        "9.5",
        wrong="swallowed",
        source=_members(
            asked="""
    async def in_async(request):
        try:
            known = (await request.auser()).is_authenticated
        except Exception:
            known = False
"""
        ),
        why="whoever is not known is a guest",
    ),
    Answer(
        "9.5",
        right="request.user on the worker",
        source=_members(
            asked="""
    async def in_async(request):
        known = await sync_to_async(lambda: request.user.is_authenticated)()
"""
        ),
    ),
    Answer(
        "9.5",
        right="a class",
        source="""
class members_only:
    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        if self.is_async:
            return self.acall(request)
        if request.user.is_authenticated:
            return self.get_response(request)
        return redirect_to_login(request.get_full_path())

    async def acall(self, request):
        if (await request.auser()).is_authenticated:
            return await self.get_response(request)
        return redirect_to_login(request.get_full_path())
""",
    ),
    Answer(
        "9.5",
        wrong="old-cookie",
        source="""
@sync_and_async_middleware
def members_only(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            if not request.COOKIES.get("sessionid"):
                return redirect_to_login(request.get_full_path())
            return await get_response(request)
    else:
        def middleware(request):
            if not request.COOKIES.get("sessionid"):
                return redirect_to_login(request.get_full_path())
            return get_response(request)
    return middleware
""",
        why="who has a cookie is logged in",
    ),
    Answer(
        "9.5",
        wrong="old-cookie",
        source="""
@sync_and_async_middleware
def members_only(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            if not await request.session.aget("_auth_user_id"):
                return redirect_to_login(request.get_full_path())
            return await get_response(request)
    else:
        def middleware(request):
            if not request.session.get("_auth_user_id"):
                return redirect_to_login(request.get_full_path())
            return get_response(request)
    return middleware
""",
        why="the session knows who it is",
    ),
    Answer(
        "9.5",
        wrong="loses-the-query",
        source="""
@sync_and_async_middleware
def members_only(get_response):
    if iscoroutinefunction(get_response):
        async def middleware(request):
            if not (await request.auser()).is_authenticated:
                return redirect_to_login(request.path)
            return await get_response(request)
    else:
        def middleware(request):
            if not request.user.is_authenticated:
                return redirect_to_login(request.path)
            return get_response(request)
    return middleware
""",
        why="the path is where the guest was",
    ),
    Answer(
        "9.5",
        wrong="someone-elses",
        source="""
class members_only:
    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.user = None
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.later(request)
        if self.user is None or not self.user.is_authenticated:
            self.user = request.user
        return self.refusal(request) or self.get_response(request)

    async def later(self, request):
        if self.user is None or not self.user.is_authenticated:
            self.user = await request.auser()
        return self.refusal(request) or await self.get_response(request)

    def refusal(self, request):
        if not self.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
""",
        why="who is logged in stays so",
    ),
    Answer(
        "9.5",
        wrong="cancel-swallowed",
        source="""
@sync_and_async_middleware
def members_only(get_response):
    def login(request):
        return redirect_to_login(request.get_full_path())

    if iscoroutinefunction(get_response):

        async def middleware(request):
            user = await request.auser()
            try:
                return await get_response(request) if user.is_authenticated else login(request)
            except BaseException:
                return HttpResponse(status=500)
    else:

        def middleware(request):
            user = request.user
            return get_response(request) if user.is_authenticated else login(request)

    return middleware
""",
        why="an error page for whatever happens",
    ),
    Answer(
        "9.5",
        wrong="remembers-who",
        source="""
@sync_and_async_middleware
def members_only(get_response):
    known = {}

    def login(request):
        return redirect_to_login(request.get_full_path())

    if iscoroutinefunction(get_response):

        async def middleware(request):
            user = await request.auser()
            key = request.COOKIES.get("sessionid")
            user = known.setdefault(key, user) if key else user
            return await get_response(request) if user.is_authenticated else login(request)
    else:

        def middleware(request):
            user = request.user
            return get_response(request) if user.is_authenticated else login(request)

    return middleware
""",
        why="a session has one user",
    ),
    Answer(
        "9.5",
        wrong="unquoted",
        source=_members(
            factory="""
def members_only(get_response):
    def login(request):
        address = f"/accounts/login/?next={request.get_full_path()}"
        return HttpResponse(status=302, headers={"Location": address})
"""
        ),
        why="puts the address together by hand",
    ),
    Answer(
        "9.5",
        wrong="some-methods",
        source=_members(
            answered="""
        if known or request.method in ("HEAD", "OPTIONS"):
            return await get_response(request)
        return login(request)
"""
        ),
        why="these show nothing",
    ),
    Answer(
        "9.5",
        wrong="where-a-view-is",
        source="""
from django.contrib.auth.middleware import LoginRequiredMiddleware

class members_only(LoginRequiredMiddleware):
    pass
""",
        why="Django has one, which asks once a view is found",
    ),
    Answer(
        "9.6",
        wrong="other-headers",
        source=_headers(
            named="""
    def named(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response.setdefault("X-Loans", str(loans))
        if not response.streaming:
            response["Content-Length"] = len(response.content)
        return response
"""
        ),
        why="what the view says is right",
    ),
    Answer(
        "9.6",
        wrong="unmarked",
        source=_headers(
            init="""
    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
"""
        ),
        why="its test passes",
    ),
    Answer(
        "9.6",
        wrong="async-in-sync",
        source=_headers(
            call="""
    async def __call__(self, request):
        response = self.get_response(request)
        if self.is_async:
            response = await response
        loans = await Loan.objects.filter(returned=None).acount()
        return self.named(request, response, loans)
""",
            acall="""""",
        ),
        why="the mark is all that is missing",
    ),
    Answer(
        "9.6",
        wrong="async-half-in-sync",
        source=_headers(
            call="""
    def __call__(self, request):
        from asgiref.sync import async_to_sync

        return self.acall(request) if self.is_async else async_to_sync(self.acall)(request)
"""
        ),
        why="whoever is async awaits",
    ),
    Answer(
        "9.6",
        wrong="someone-elses",
        source=_headers(
            acall="""
    async def acall(self, request):
        self.id = request.headers.get("X-Request-ID", "-")
        response = await self.get_response(request)
        loans = await Loan.objects.filter(returned=None).acount()
        response = self.named(request, response, loans)
        response["X-Request-ID"] = self.id
        return response
"""
        ),
        why="keeps the id in `self`",
    ),
    Answer(
        "9.6",
        wrong="content-of-a-stream",
        source=_headers(
            named="""
    def named(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        response["Content-Length"] = len(response.content)
        return response
"""
        ),
        why="each response has a length",
    ),
    Answer(
        "9.6",
        wrong="other-length",
        source=_headers(
            named="""
    def named(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        return response
"""
        ),
        why="leaves the length to others",
    ),
    Answer(
        "9.6",
        wrong="sync-query",
        source=_headers(
            acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        return self.named(request, response, Loan.objects.filter(returned=None).count())
"""
        ),
        why="`count` is a method like others",
    ),
    Answer(
        "9.6",
        wrong="other-headers",
        source=_headers(
            acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        return self.named(request, response, await Loan.objects.acount())
"""
        ),
        why="counts all loans",
    ),
    Answer(
        "9.6",
        wrong="no-id",
        source=_headers(
            named="""
    def named(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "")
        response["X-Loans"] = loans
        if not response.streaming:
            response["Content-Length"] = len(response.content)
        return response
"""
        ),
        why="a request without an id gets an empty one",
    ),
    Answer(
        "9.6",
        wrong="other-page",
        source=_headers(
            named="""
    def named(self, request, response, loans):
        if response.streaming:
            response = HttpResponse("a stream")
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        response["Content-Length"] = len(response.content)
        return response
"""
        ),
        why="makes a page of a stream",
    ),
    Answer(
        "9.6",
        wrong="still-sync",
        source=_headers(
            flags="""
    sync_capable, async_capable = True, False
"""
        ),
        why="sync is safe in any order",
    ),
    Answer(
        "9.6",
        wrong="changes-sides",
        source=_headers(
            flags="""
    sync_capable, async_capable = False, True
"""
        ),
        why="the site is async",
    ),
    Answer(
        "9.6",
        wrong="takes-a-hop",
        source=_headers(
            acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        loans = await sync_to_async(Loan.objects.filter(returned=None).count)()
        return await sync_to_async(self.named)(request, response, loans)
"""
        ),
        why="each line goes to the worker",
    ),
    Answer(
        "9.6",
        wrong="swallowed",
        source=_headers(
            acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        try:
            loans = await Loan.objects.filter(returned=None).acount()
        except Exception:
            loans = "?"
        return self.named(request, response, loans)
"""
        ),
        why="a header is not worth an error",
    ),
    Answer(
        "9.6",
        right="a function",
        source="""
@sync_and_async_middleware
def DeskHeaders(get_response):
    def named(request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        if not response.streaming:
            response["Content-Length"] = len(response.content)
        return response

    open_loans = Loan.objects.filter(returned=None)
    if iscoroutinefunction(get_response):
        async def middleware(request):
            response = await get_response(request)
            return named(request, response, await open_loans.acount())
    else:
        def middleware(request):
            response = get_response(request)
            return named(request, response, open_loans.count())

    return middleware
""",
    ),
    Answer(
        "9.6",
        right="the query on the worker",
        source=_headers(
            acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        loans = await sync_to_async(Loan.objects.filter(returned=None).count)()
        return self.named(request, response, loans)
"""
        ),
    ),
    Answer(
        "9.6",
        wrong="counts-letters",
        source="""
class DeskHeaders:
    sync_capable = async_capable = True
    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.later(request)
        response = self.get_response(request)
        return self.done(request, response, Loan.objects.filter(returned=None).count())
    async def later(self, request):
        response = await self.get_response(request)
        return self.done(request, response, await Loan.objects.filter(returned=None).acount())
    def done(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        if not response.streaming:
            response["Content-Length"] = len(response.content.decode())
        return response
""",
        why="a length is the length of the text",
    ),
    Answer(
        "9.6",
        wrong="counts-once",
        source="""
class DeskHeaders:
    sync_capable = async_capable = True
    def __init__(self, get_response):
        self.get_response = get_response
        self.loans = None
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.later(request)
        response = self.get_response(request)
        if self.loans is None:
            self.loans = Loan.objects.filter(returned=None).count()
        return self.done(request, response, self.loans)
    async def later(self, request):
        response = await self.get_response(request)
        if self.loans is None:
            self.loans = await Loan.objects.filter(returned=None).acount()
        return self.done(request, response, self.loans)
    def done(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        if not response.streaming:
            response["Content-Length"] = len(response.content)
        return response
""",
        why="an object is made for each request",
    ),
    Answer(
        "9.6",
        wrong="other-length",
        source="""
class DeskHeaders:
    sync_capable = async_capable = True
    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.later(request)
        response = self.get_response(request)
        return self.done(request, response, Loan.objects.filter(returned=None).count())
    async def later(self, request):
        response = await self.get_response(request)
        return self.done(request, response, await Loan.objects.filter(returned=None).acount())
    def done(self, request, response, loans):
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        if response.streaming and not response.is_async:
            page = HttpResponse(b''.join(response.streaming_content), headers=response.headers)
            response = page
        if not response.streaming:
            response["Content-Length"] = len(response.content)
        return response
""",
        why="a sync stream is as good as a page",
    ),
    Answer(
        "9.6",
        wrong="cancel-swallowed",
        source=_headers(
            acall="""
    async def acall(self, request):
        try:
            response = await self.get_response(request)
        except BaseException:
            response = HttpResponse(status=500)
        return self.named(request, response, await Loan.objects.filter(returned=None).acount())
""",
        ),
        why="an error page for whatever happens",
    ),
    Answer(
        "9.6",
        wrong="counts-too-early",
        source=_headers(
            acall="""
    async def acall(self, request):
        loans = await Loan.objects.filter(returned=None).acount()
        response = await self.get_response(request)
        return self.named(request, response, loans)
""",
        ),
        why="the order of two independent things does not matter",
    ),
    Answer(
        "9.6",
        wrong="counts-too-early",
        source=_headers(
            call="""
    def __call__(self, request):
        if self.is_async:
            return self.acall(request)
        loans = Loan.objects.filter(returned=None).count()
        response = self.get_response(request)
        return self.named(request, response, loans)
""",
        ),
        why="the sync half counts first",
    ),
    Answer(
        "9.6",
        wrong="query-in-pool",
        source=_headers(
            acall="""
    async def acall(self, request):
        response = await self.get_response(request)
        count = sync_to_async(Loan.objects.filter(returned=None).count, thread_sensitive=False)
        return self.named(request, response, await count())
""",
        ),
        why="any thread will do for a count",
    ),
    Answer(
        "9.4",
        wrong="loses-the-rest",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        response.content += LINE
        if response.has_header("Content-Length"):
            response["Content-Length"] = len(response.content)
        return response
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    body = async_parts() if response.is_async else sync_parts()
    return StreamingHttpResponse(body, content_type=response["Content-Type"])
"""
        ),
        why="a stream cannot be changed, it is thought",
    ),
    Answer(
        "9.4",
        wrong="loses-the-rest",
        source=_closing(
            ended="""
def ended(response):
    if not response.streaming:
        return HttpResponse(response.content + LINE, content_type=response.get("Content-Type"))
    del response["Content-Length"]
    parts = response.streaming_content

    async def async_parts():
        async for part in parts:
            yield part
        yield LINE

    def sync_parts():
        yield from parts
        yield LINE

    response.streaming_content = async_parts() if response.is_async else sync_parts()
    return response
"""
        ),
        why="a new page needs its content and its type",
    ),
    Answer(
        "9.3",
        wrong="loses-the-rest",
        source="""
@sync_and_async_middleware
def with_id(get_response):
    def begin(request):
        request_id.set(request.headers.get("X-Request-ID", "-"))

    def named(response):
        if response.streaming:
            response["X-Request-ID"] = request_id.get()
            return response
        headers = {**response.headers, "X-Request-ID": request_id.get()}
        return HttpResponse(response.content, status=response.status_code, headers=headers)

    if iscoroutinefunction(get_response):

        async def middleware(request):
            begin(request)
            return named(await get_response(request))
    else:

        def middleware(request):
            begin(request)
            return named(get_response(request))

    return middleware
""",
        why="a response is its content, its status and its headers",
    ),
    Answer(
        "9.6",
        wrong="loses-the-rest",
        source=_headers(
            named="""
    def named(self, request, response, loans):
        if not response.streaming:
            headers = {**response.headers, "Content-Length": len(response.content)}
            status = response.status_code
            response = HttpResponse(response.content, status=status, headers=headers)
        response["X-Request-ID"] = request.headers.get("X-Request-ID", "-")
        response["X-Loans"] = loans
        return response
""",
        ),
        why="a response is its content, its status and its headers",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "Nothing that is written there raises: `get_response` makes a response of each error, "
            "and a response takes any of these headers."
        ),
        mutants=(
            "9.1 exception-swallowed@1",
            "9.2 exception-swallowed@3",
            "9.2 exception-swallowed@4",
            "9.2 exception-swallowed@10",
            "9.2 exception-swallowed@14",
            "9.3 exception-swallowed@3",
            "9.3 exception-swallowed@4",
            "9.3 exception-swallowed@7",
            "9.3 exception-swallowed@13",
            "9.3 exception-swallowed@18",
            "9.4 exception-swallowed@5",
            "9.4 exception-swallowed@27",
            "9.4 exception-swallowed@30",
            "9.4 exception-swallowed@34",
            "9.5 exception-swallowed@3",
            "9.5 exception-swallowed@4",
            "9.6 exception-swallowed@5",
            "9.6 exception-swallowed@22",
        ),
    ),
    Equivalent(
        because=(
            "A task that is awaited at once changes nothing: it has a copy of the context, and "
            "nobody asks for what a view or a query sets there."
        ),
        mutants=(
            "9.2 task-for-each@11",
            "9.3 task-for-each@15",
            "9.4 task-for-each@31",
            "9.5 task-for-each@10",
            "9.5 task-for-each@11",
            "9.6 task-for-each@19",
            "9.6 task-for-each@20",
        ),
    ),
]

MAY_DIFFER_TWICE = {}

_GOES_ON = "What goes on of the request that was interrupted is counted, too."
MAY_DIFFER_INTERRUPTED = dict.fromkeys(
    [
        *("seven-reveal", "seven-table", "crowd-reveal", "three-run", "order-run", "both-table"),
        *("hooks-table", "sandwich-table", "frame-table", "once", "wsgi-run", "receivers-table"),
    ],
    _GOES_ON,
)

EXAMPLES = {
    "9.1": """\
assert modes(["both", "sync", "both"]) == ["sync", "sync", "async"]
""",
    "9.2": """\
assert (await site_with("stamp").get("/")).headers["x-branch"] == "Whitby"
""",
    "9.3": """\
response = await site_with("with_id").get("/", x_request_id="7")
assert response.headers["x-request-id"] == "7"
""",
    "9.4": """\
text = (await site_with("closing_time").get("/")).text
assert text.endswith("The library closes at 19:00.")
""",
    "9.5": """\
assert (await guest_site("members_only").get("/")).status == 302
""",
    "9.6": """\
headers = (await site_with("DeskHeaders").get("/", x_request_id="7")).headers
assert (headers["x-request-id"], headers["content-length"]) == ("7", "6")
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "user-in-the-pool-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson09.py",
            'require_off_the_pool(call, tables="")',
            "require_off_the_pool(call)",
        ),
        verdict("9.5 query-in-pool"),
        ("('passed', '') == ('not yet', 'query-in-pool')",),
    ),
    Fault(
        "output-edited-in-09",
        "an output edited",
        output(NOTEBOOK, "seven-table", "XFrame", "YFrame"),
        compared(
            *(9, "boot", "imports", "desk", "bare-run", "seven", "seven-run", "seven-table"),
        ),
        ("YFrame", "XFrame", "Cell outputs differ"),
    ),
    Fault(
        "hop-of-a-middleware-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson09.py",
            "if _hops(alone) > OF_HANDLER + hops:",
            "if False:",
        ),
        verdict("9.2 takes-a-hop"),
        ("('passed', '') == ('not yet', 'takes-a-hop')",),
    ),
    Fault(
        "change-of-sides-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson09.py",
            "if _hops(beside) > OF_HANDLER + OF_SYNC_CHAIN + hops:",
            "if False:",
        ),
        verdict("9.2 changes-sides"),
        ("('passed', '') == ('not yet', 'changes-sides')",),
    ),
    Fault(
        "stream-read-ahead-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson09.py", 'if started[:1] == ["read"]:', "if False:"),
        verdict("9.4 reads-ahead"),
        ("('passed', '') == ('not yet', 'reads-ahead')",),
    ),
]
