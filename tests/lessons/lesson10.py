"""What the tests know of lesson 10."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/10_*.ipynb"
FIRST_WORD = (
    *("boot", "imports", "model", "model-asked", "relay", "relay-view", "served", "reader"),
    *("so-many", "relay-wsgi"),
)

_news = in_pieces(
    "async def news(request, shelf):",
    lines="""
    async def lines():
        async for title in shelf:
            yield f"{title}\\n"
""",
    rest="""
    return StreamingHttpResponse(lines())
""",
)
_news_by_a_queue = in_pieces(
    "async def news(request, shelf):",
    fill="""
    titles = asyncio.Queue()

    async def fill():
        async for title in shelf:
            await titles.put(title)
        await titles.put(None)
""",
    rest="""
    async def lines():
        filling = asyncio.create_task(fill())
        while (title := await titles.get()) is not None:
            yield f"{title}\\n"

    return StreamingHttpResponse(lines())
""",
)

_follow = in_pieces(
    "async def follow(request, name, arrivals, readers):",
    begin="""
    async def lines():
        readers.add(name)
""",
    loop="""
        try:
            while (title := await arrivals.get()) is not None:
                yield f"{title}\\n"
""",
    end="""
        finally:
            readers.discard(name)
""",
    rest="""
    return StreamingHttpResponse(lines())
""",
)

_relay = in_pieces(
    "async def relay(request, client, url):",
    body="""
    async def body():
        async with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield f"{word}\\n"
""",
    rest="""
    return StreamingHttpResponse(body())
""",
)
_relay_by_a_task = in_pieces(
    "async def relay(request, client, url):",
    fetch="""
    queue = asyncio.Queue()

    async def fetch():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    await queue.put(f"{word}\\n")
        finally:
            await queue.put(None)
""",
    start="",
    body="""
    async def body():
        task = asyncio.create_task(fetch())
""",
    loop="""
        try:
            while (word := await queue.get()) is not None:
                yield word
            await task
        finally:
            task.cancel()
            await asyncio.wait([task])
""",
    rest="""
    return StreamingHttpResponse(body())
""",
)

_announce = in_pieces(
    "async def announce(request, arrivals):",
    lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            await sync_to_async(close_old_connections)()
            yield f"{book} by {book.author}\\n"
""",
    rest="""
    return StreamingHttpResponse(lines())
""",
)

_later = in_pieces(
    "under_way = set()",
    start="""

def later(work, logger):
    task = asyncio.create_task(to_its_end(work, logger))
    under_way.add(task)
    task.add_done_callback(under_way.discard)
""",
    work="""

async def to_its_end(work, logger):
    try:
        await work
""",
    error="""
    except Exception:
        logger.exception("failed")
""",
    end="""
    finally:
        await sync_to_async(close_old_connections)()
""",
)

_watch = in_pieces(
    "async def watch(request, desk, seconds):",
    lines="""
    async def lines():
        while True:
            try:
                title = await desk.news()
""",
    error="""
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
""",
    line="""
            if title is None:
                return
            yield f"{title}\\n"
            await asyncio.sleep(0)
""",
    rest="""
    return StreamingHttpResponse(lines())
""",
)

_chat = in_pieces(
    "async def chat(request, client, url, seconds):",
    queue="""
    events = asyncio.Queue(maxsize=10)
""",
    fetch="""
    async def fetch():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    await events.put(f"data: {word}\\n\\n")
""",
    error="""
        except Exception:
            await events.put("event: failed\\ndata: ask again\\n\\n")
            await events.put(None)
            raise
        await events.put(None)
""",
    wait="""
    async def next_event():
        try:
            async with asyncio.timeout(seconds):
                return await events.get()
        except TimeoutError:
            return ": still here\\n\\n"
""",
    body="""
    async def body():
        fetching = asyncio.create_task(fetch())
        try:
            while (event := await next_event()) is not None:
                yield event
            await fetching
""",
    end="""
        finally:
            fetching.cancel()
            await asyncio.wait([fetching])
""",
    rest="""
    return StreamingHttpResponse(body(), content_type="text/event-stream")
""",
)
_chat_by_itself = in_pieces(
    "async def chat(request, client, url, seconds):",
    words="""
    async def words():
        async with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield f"data: {word}\\n\\n"
""",
    body="""
    async def body():
        said = words()
        coming = asyncio.ensure_future(anext(said, None))
        try:
            while True:
                await asyncio.wait([coming], timeout=seconds)
                if not coming.done():
                    yield ": still here\\n\\n"
                elif (event := coming.result()) is not None:
                    yield event
                    coming = asyncio.ensure_future(anext(said, None))
                else:
                    return
        except Exception:
            yield "event: failed\\ndata: ask again\\n\\n"
            raise
        finally:
            coming.cancel()
            await asyncio.wait([coming])
            await said.aclose()
""",
    rest="""
    return StreamingHttpResponse(body(), content_type="text/event-stream")
""",
)

ANSWERS = [
    Answer(
        "10.1",
        wrong="fails-without-a-title",
        source=r"""
async def news(request, shelf):
    titles = aiter(shelf)
    first = await anext(titles)

    async def lines():
        yield f"{first}\n"
        async for title in titles:
            yield f"{title}\n"

    return StreamingHttpResponse(lines())
""",
        why="the first title is there before the response is",
    ),
    Answer(
        "10.1",
        wrong="all-at-once",
        source="""
async def news(request, shelf):
    titles = [title async for title in shelf]
    return StreamingHttpResponse(f"{title}\\n" for title in titles)
""",
        why="the view is async, so its stream is",
    ),
    Answer(
        "10.1",
        wrong="all-at-once",
        source="""
from django.http import HttpResponse

async def news(request, shelf):
    return HttpResponse("".join([f"{title}\\n" async for title in shelf]))
""",
        why="the server cuts a response into parts",
    ),
    Answer(
        "10.1",
        wrong="generator-view",
        source="""
async def news(request, shelf):
    async for title in shelf:
        yield f"{title}\\n"
""",
        why="the view is the generator",
    ),
    Answer(
        "10.1",
        wrong="sync-loop",
        source="""
async def news(request, shelf):
    return StreamingHttpResponse(f"{title}\\n" for title in shelf)
""",
        why="`async def` alone makes a loop async",
    ),
    Answer(
        "10.1",
        wrong="other-text",
        source="""
async def news(request, shelf):
    return StreamingHttpResponse(shelf)
""",
        why="the shelf is an async iterable already",
    ),
    Answer(
        "10.1",
        wrong="hides-the-error",
        source="""
async def news(request, shelf):
    async def lines():
        try:
            async for title in shelf:
                yield f"{title}\\n"
        except Exception:
            return

    return StreamingHttpResponse(lines())
""",
        why="a stream should never fail",
    ),
    Answer(
        "10.1",
        wrong="cancel-swallowed",
        source=_news(
            lines="""
    async def lines():
        try:
            async for title in shelf:
                yield f"{title}\\n"
        except asyncio.CancelledError:
            return
"""
        ),
        why="a reader who has left needs no more",
    ),
    Answer(
        "10.1",
        wrong="cut-short",
        source=_news_by_a_queue(
            fill="""
    titles = asyncio.Queue()

    async def fill():
        try:
            async for title in shelf:
                await titles.put(title)
        finally:
            await titles.put(None)
""",
            rest="""
    async def lines():
        filling = asyncio.create_task(fill())
        while (title := await titles.get()) is not None:
            yield f"{title}\\n"
            if filling.done():
                await filling
        await filling

    return StreamingHttpResponse(lines())
""",
        ),
        why="a task that has failed is looked at first",
    ),
    Answer(
        "10.1",
        right="a task that reads ahead, and is awaited at the end",
        source=_news_by_a_queue(
            fill="""
    titles = asyncio.Queue()

    async def fill():
        try:
            async for title in shelf:
                await titles.put(title)
        finally:
            await titles.put(None)
""",
            rest="""
    async def lines():
        filling = asyncio.create_task(fill())
        try:
            while (title := await titles.get()) is not None:
                yield f"{title}\\n"
            await filling
        finally:
            filling.cancel()

    return StreamingHttpResponse(lines())
""",
        ),
    ),
    Answer(
        "10.1",
        right="a sync view",
        source="""
def news(request, shelf):
    return StreamingHttpResponse(f"{title}\\n" async for title in shelf)
""",
    ),
    Answer(
        "10.1",
        wrong="raised",
        source=_news(
            lines="""
    async def lines():
        async for title in shelf:
            yield title + 1
"""
        ),
        why="a line has a number",
    ),
    Answer(
        "10.1",
        wrong="sync-loop",
        source=_news(
            lines="""
    async def lines():
        for title in shelf:
            yield f"{title}\\n"
"""
        ),
        why="an async generator makes its loops async",
    ),
    Answer(
        "10.1",
        wrong="unheard",
        source=_news_by_a_queue(),
        why="a task of its own reads ahead",
    ),
    Answer(
        "10.1",
        wrong="never-ends",
        source=_news_by_a_queue(
            fill="""
    titles = asyncio.Queue()

    async def fill():
        async for title in shelf:
            await titles.put(title)
"""
        ),
        why="a queue knows its end",
    ),
    Answer(
        "10.1",
        wrong="other-text",
        source="""
async def news(request, shelf):
    return StreamingHttpResponse(f"{title}\\n" async for title in shelf if title)
""",
        why="an empty title is no line",
    ),
    Answer(
        "10.1",
        wrong="other-text",
        source=r"""
async def news(request, shelf):
    async def lines():
        seen = set()
        async for title in shelf:
            if title not in seen:
                seen.add(title)
                yield f"{title}\n"

    return StreamingHttpResponse(lines())
""",
        why="a title is news once",
    ),
    Answer(
        "10.2",
        wrong="others-out",
        source=_follow(
            begin="""
    async def lines():
        before = set(readers)
        readers.add(name)
""",
            end="""
        finally:
            readers.clear()
            readers.update(before)
""",
        ),
        why="the set is put back as it was",
    ),
    Answer(
        "10.2",
        wrong="failed-and-listed",
        source=_follow(
            end="""
        except (asyncio.CancelledError, GeneratorExit, OSError):
            readers.discard(name)
            raise
        readers.discard(name)
"""
        ),
        why="a reader leaves, or a network fails",
    ),
    Answer(
        "10.2",
        wrong="still-waits",
        source=r"""
async def follow(request, name, arrivals, readers):
    async def lines():
        readers.add(name)
        try:
            while (title := await asyncio.shield(arrivals.get())) is not None:
                yield f"{title}\n"
        finally:
            readers.discard(name)

    return StreamingHttpResponse(lines())
""",
        why="a title that is waited for must not be lost",
    ),
    Answer(
        "10.2",
        wrong="left-and-listed",
        source="""
async def follow(request, name, arrivals, readers):
    async def lines():
        readers.add(name)
        while (title := await arrivals.get()) is not None:
            yield f"{title}\\n"
        readers.discard(name)

    return StreamingHttpResponse(lines())
""",
        why="a loop is followed by what stands behind it",
    ),
    Answer(
        "10.2",
        wrong="left-and-listed",
        source=_follow(
            end="""
        except Exception:
            readers.discard(name)
            raise
        readers.discard(name)
"""
        ),
        why="`CancelledError` is an `Exception`",
    ),
    Answer(
        "10.2",
        wrong="failed-and-listed",
        source=_follow(
            end="""
        except asyncio.CancelledError:
            readers.discard(name)
            raise
        readers.discard(name)
"""
        ),
        why="the documentation's example catches CancelledError",
    ),
    Answer(
        "10.2",
        wrong="second-loop",
        source=_follow(
            loop="""
        try:
            while True:
                title = await asyncio.to_thread(lambda: asyncio.run(arrivals.get()))
                if title is None:
                    break
                yield f"{title}\\n"
"""
        ),
        why="a thread that waits keeps nobody else waiting",
    ),
    Answer(
        "10.2",
        wrong="cancel-swallowed",
        source=_follow(
            end="""
        except asyncio.CancelledError:
            return
        finally:
            readers.discard(name)
"""
        ),
        why="a reader who has left is no error",
    ),
    Answer(
        "10.2",
        wrong="not-listed",
        source="""
async def follow(request, name, arrivals, readers):
    async def lines():
        while (title := await arrivals.get()) is not None:
            yield f"{title}\\n"

    readers.add(name)
    try:
        return StreamingHttpResponse(lines())
    finally:
        readers.discard(name)
""",
        why="the view lasts as long as its stream",
    ),
    Answer(
        "10.2",
        wrong="still-listed",
        source=_follow(
            end="""
        except asyncio.CancelledError:
            readers.discard(name)
            raise
"""
        ),
        why="a stream ends when its reader leaves",
    ),
    Answer(
        "10.2",
        wrong="swallowed",
        source="""
async def follow(request, name, arrivals, readers):
    async def lines():
        readers.add(name)
        try:
            title = ""
            while title is not None:
                try:
                    title = await arrivals.get()
                except asyncio.CancelledError:
                    continue
                if title is not None:
                    yield f"{title}\\n"
        finally:
            readers.discard(name)

    return StreamingHttpResponse(lines())
""",
        why="a disconnect is an error to be survived",
    ),
    Answer(
        "10.2",
        wrong="generator-view",
        source="""
async def follow(request, name, arrivals, readers):
    readers.add(name)
    try:
        while (title := await arrivals.get()) is not None:
            yield f"{title}\\n"
    finally:
        readers.discard(name)
""",
        why="the view is the generator",
    ),
    Answer(
        "10.2",
        wrong="hides-the-error",
        source=_follow(
            end="""
        except Exception:
            pass
        finally:
            readers.discard(name)
"""
        ),
        why="a stream should never fail",
    ),
    Answer(
        "10.2",
        right="a context manager",
        source="""
from contextlib import contextmanager

@contextmanager
def listed(name, readers):
    readers.add(name)
    try:
        yield
    finally:
        readers.discard(name)

async def follow(request, name, arrivals, readers):
    async def lines():
        with listed(name, readers):
            while (title := await arrivals.get()) is not None:
                yield f"{title}\\n"

    return StreamingHttpResponse(lines())
""",
    ),
    Answer(
        "10.2",
        wrong="others-out",
        source=_follow(
            end="""
        finally:
            readers.clear()
"""
        ),
        why="the set is mine",
    ),
    Answer(
        "10.2",
        wrong="never-begun",
        source=_follow(
            begin="""
    readers.add(name)

    async def lines():
"""
        ),
        why="who asks is a reader",
    ),
    Answer(
        "10.2",
        wrong="raised",
        source=_follow(
            loop="""
        try:
            async for title in arrivals:
                yield f"{title}\\n"
"""
        ),
        why="a queue is an async iterable",
    ),
    Answer(
        "10.2",
        right="it looks at the queue now and then",
        source=_follow(
            loop="""
        try:
            while True:
                while arrivals.empty():
                    await asyncio.sleep(0.01)
                if (title := arrivals.get_nowait()) is None:
                    return
                yield f"{title}\\n"
"""
        ),
    ),
    Answer(
        "10.2",
        wrong="not-listed",
        source="""
async def follow(request, name, arrivals, readers):
    async def lines():

        try:
            while (title := await arrivals.get()) is not None:
                readers.add(name)
                yield f"{title}\\n"
        finally:
            readers.discard(name)
    return StreamingHttpResponse(lines())
""",
        why="who has got nothing yet is no reader",
    ),
    Answer(
        "10.2",
        wrong="ends-at-an-empty-one",
        source="""
async def follow(request, name, arrivals, readers):
    async def lines():

        readers.add(name)
        try:
            while title := await arrivals.get():
                yield f"{title}\\n"
        finally:
            readers.discard(name)
    return StreamingHttpResponse(lines())
""",
        why="`while title :=` ends at the end",
    ),
    Answer(
        "10.2",
        wrong="gives-up-waiting",
        source="""
async def follow(request, name, arrivals, readers):
    async def lines():

        readers.add(name)
        try:
            while (title := await asyncio.wait_for(arrivals.get(), 1)) is not None:
                yield f"{title}\\n"
        except TimeoutError:
            pass
        finally:
            readers.discard(name)
    return StreamingHttpResponse(lines())
""",
        why="who hears nothing for a second has left",
    ),
    Answer(
        "10.3",
        wrong="not-awaited",
        source=_relay_by_a_task(
            loop="""
        try:
            while (word := await queue.get()) is not None:
                yield word
            await task
        finally:
            task.cancel()
"""
        ),
        why="what is cancelled has ended",
    ),
    Answer(
        "10.3",
        right="parts as they come, which say the same",
        source=_relay(
            body="""
    async def body():
        async with client.stream("GET", url) as answer:
            async for part in answer.aiter_text():
                yield part
"""
        ),
    ),
    Answer(
        "10.3",
        wrong="cancel-swallowed",
        source=_relay(
            body="""
    async def body():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    yield f"{word}\\n"
        except asyncio.CancelledError:
            return
"""
        ),
        why="a reader who has left is no error",
    ),
    Answer(
        "10.3",
        wrong="cancel-swallowed",
        source=_relay_by_a_task(
            loop="""
        try:
            while (word := await queue.get()) is not None:
                yield word
            await task
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
"""
        ),
        why="whoever ends the task has dealt with the cancellation",
    ),
    Answer(
        "10.3",
        right="a task whose own cancellation is nobody's concern",
        source=_relay_by_a_task(
            loop="""
        try:
            while (word := await queue.get()) is not None:
                yield word
            await task
        except asyncio.CancelledError:
            logging.getLogger("library").debug("the reader has left")
            raise
        finally:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
"""
        ),
    ),
    Answer(
        "10.3",
        right="a generator of its own, which is closed",
        source=_relay(
            body="""
    async def words():
        async with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield word

    async def body():
        from contextlib import aclosing

        async with aclosing(words()) as said:
            async for word in said:
                yield f"{word}\\n"
"""
        ),
    ),
    Answer(
        "10.3",
        wrong="asks-again",
        source=r"""
async def relay(request, client, url):
    async def body():
        for attempt in (1, 2):
            try:
                async with client.stream("GET", url) as answer:
                    async for word in answer.aiter_lines():
                        yield f"{word}\n"
                return
            except httpx.TransportError:
                if attempt == 2:
                    raise

    return StreamingHttpResponse(body())
""",
        why="a second time costs nothing",
    ),
    Answer(
        "10.3",
        wrong="goes-on",
        source="""
async def relay(request, client, url):
    queue = asyncio.Queue()

    async def fetch():
        async with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                await queue.put(f"{word}\\n")
        await queue.put(None)

    task = asyncio.create_task(fetch())

    async def body():
        while (word := await queue.get()) is not None:
            yield word
        task.cancel()

    return StreamingHttpResponse(body())
""",
        why="the task ends behind the loop",
    ),
    Answer(
        "10.3",
        wrong="all-at-once",
        source="""
async def relay(request, client, url):
    async def body():
        answer = await client.get(url)
        for word in answer.text.splitlines():
            yield f"{word}\\n"

    return StreamingHttpResponse(body())
""",
        why="the response streams, so the request does",
    ),
    Answer(
        "10.3",
        wrong="other-client",
        source="""
async def relay(request, client, url):
    async def body():
        async with httpx.AsyncClient(trust_env=False) as own, own.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield f"{word}\\n"

    return StreamingHttpResponse(body())
""",
        why="each answer needs a client of its own",
    ),
    Answer(
        "10.3",
        wrong="closes-the-client",
        source="""
async def relay(request, client, url):
    async def body():
        async with client, client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield f"{word}\\n"

    return StreamingHttpResponse(body())
""",
        why="a client has to be opened",
    ),
    Answer(
        "10.3",
        wrong="hides-the-error",
        source="""
async def relay(request, client, url):
    async def body():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    yield f"{word}\\n"
        except httpx.HTTPError:
            return

    return StreamingHttpResponse(body())
""",
        why="a stream that fails simply ends",
    ),
    Answer(
        "10.3",
        wrong="unheard",
        source="""
async def relay(request, client, url):
    queue = asyncio.Queue()

    async def fetch():
        async with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                await queue.put(f"{word}\\n")
        await queue.put(None)

    async def body():
        task = asyncio.create_task(fetch())
        try:
            while (word := await queue.get()) is not None:
                yield word
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return StreamingHttpResponse(body())
""",
        why="the reader is the only one who can end it",
    ),
    Answer(
        "10.3",
        wrong="generator-view",
        source="""
async def relay(request, client, url):
    async with client.stream("GET", url) as answer:
        async for word in answer.aiter_lines():
            yield f"{word}\\n"
""",
        why="the view is the generator",
    ),
    Answer(
        "10.3",
        right="a task in a group",
        source="""
async def relay(request, client, url):
    async def body():
        queue = asyncio.Queue()

        async def fetch():
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    await queue.put(f"{word}\\n")
            await queue.put(None)

        async with asyncio.TaskGroup() as group:
            group.create_task(fetch())
            while (word := await queue.get()) is not None:
                yield word

    return StreamingHttpResponse(body())
""",
    ),
    Answer(
        "10.3",
        wrong="raised",
        source=_relay(
            body="""
    async def body():
        with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield f"{word}\\n"
"""
        ),
        why="a stream is a context manager",
    ),
    Answer(
        "10.3",
        wrong="ends-with-the-view",
        source=_relay(
            body="""
    async with client.stream("GET", url) as answer:

        async def body():
            async for word in answer.aiter_lines():
                yield f"{word}\\n"
"""
        ),
        why="the view lasts as long as its stream",
    ),
    Answer(
        "10.3",
        wrong="never-begun",
        source=_relay(
            body="""
    answer = await client.send(client.build_request("GET", url), stream=True)

    async def body():
        try:
            async for word in answer.aiter_lines():
                yield f"{word}\\n"
        finally:
            await answer.aclose()
"""
        ),
        why="what a finally closes is closed",
    ),
    Answer(
        "10.3",
        wrong="hides-the-error",
        source=_relay(
            body="""
    async def body():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    yield f"{word}\\n"
        except httpx.HTTPError:
            yield "The assistant cannot be reached."
"""
        ),
        why="the reader is the one who has to know",
    ),
    Answer(
        "10.3",
        wrong="never-begun",
        source=_relay_by_a_task(
            start="""
    task = asyncio.create_task(fetch())
""",
            body="""
    async def body():
""",
        ),
        why="a task in the view is cancelled by the body",
    ),
    Answer(
        "10.3",
        wrong="waits-in-the-view",
        source=_relay_by_a_task(
            body="""
    async def body():
        while (word := await queue.get()) is not None:
            yield word
""",
            loop="",
            rest="""
    async with asyncio.TaskGroup() as group:
        group.create_task(fetch())
        return StreamingHttpResponse(body())
""",
        ),
        why="a group ends its tasks, wherever it stands",
    ),
    Answer(
        "10.3",
        right="a task that the body owns",
        source=_relay_by_a_task(),
    ),
    Answer(
        "10.3",
        wrong="other-text",
        source=r"""
async def relay(request, client, url):
    async def body():
        async with client.stream("GET", url) as answer:
            last = ""
            async for word in answer.aiter_lines():
                if word != last:
                    yield f"{word}\n"
                last = word

    return StreamingHttpResponse(body())
""",
        why="a word that comes twice is a mistake",
    ),
    Answer(
        "10.4",
        wrong="asks-ahead",
        source=_announce(
            lines="""
    async def next_line():
        if (title := await arrivals.get()) is None:
            return None
        book = await Book.objects.select_related("author").aget(title=title)
        await sync_to_async(close_old_connections)()
        return f"{book} by {book.author}\\n"

    async def lines():
        coming = asyncio.create_task(next_line())
        try:
            while (line := await coming) is not None:
                coming = asyncio.create_task(next_line())
                yield line
        finally:
            coming.cancel()
"""
        ),
        why="the next line can be made while this one is sent",
    ),
    Answer(
        "10.4",
        wrong="cancel-swallowed",
        source=_announce(
            lines="""
    async def lines():
        try:
            while (title := await arrivals.get()) is not None:
                book = await Book.objects.select_related("author").aget(title=title)
                await sync_to_async(close_old_connections)()
                yield f"{book} by {book.author}\\n"
        except asyncio.CancelledError:
            return
"""
        ),
        why="a reader who has left is no error",
    ),
    Answer(
        "10.4",
        wrong="cancel-swallowed",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            try:
                book = await Book.objects.select_related("author").aget(title=title)
            except asyncio.CancelledError:
                return
            finally:
                await sync_to_async(close_old_connections)()
            yield f"{book} by {book.author}\\n"
"""
        ),
        why="a query that is broken off ends the stream",
    ),
    Answer(
        "10.4",
        wrong="swallowed",
        source=_announce(
            lines="""
    async def lines():
        while True:
            try:
                title = await arrivals.get()
            except asyncio.CancelledError:
                continue
            if title is None:
                return
            book = await Book.objects.select_related("author").aget(title=title)
            await sync_to_async(close_old_connections)()
            yield f"{book} by {book.author}\\n"
"""
        ),
        why="whoever is woken early waits again",
    ),
    Answer(
        "10.4",
        right="a finally closes it, and a cancellation is noted and goes on",
        source=_announce(
            lines="""
    async def line_of(title):
        try:
            book = await Book.objects.select_related("author").aget(title=title)
            return f"{book} by {book.author}\\n"
        finally:
            await sync_to_async(close_old_connections)()

    async def lines():
        try:
            while (title := await arrivals.get()) is not None:
                yield await line_of(title)
        except asyncio.CancelledError:
            logging.getLogger("library").debug("the reader has left")
            raise
"""
        ),
    ),
    Answer(
        "10.4",
        wrong="held",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            yield f"{book} by {book.author}\\n"
""",
            rest="""
    await sync_to_async(close_old_connections)()
    return StreamingHttpResponse(lines())
""",
        ),
        why="the lesson closes it before the body",
    ),
    Answer(
        "10.4",
        wrong="held",
        source=_announce(
            lines="""
    async def lines():
        try:
            while (title := await arrivals.get()) is not None:
                book = await Book.objects.select_related("author").aget(title=title)
                yield f"{book} by {book.author}\\n"
        finally:
            await sync_to_async(close_old_connections)()
"""
        ),
        why="a finally cleans up",
    ),
    Answer(
        "10.4",
        wrong="other-thread",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            close_old_connections()
            yield f"{book} by {book.author}\\n"
"""
        ),
        why="what closes connections closes all of them",
    ),
    Answer(
        "10.4",
        wrong="other-thread",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            await asyncio.to_thread(close_old_connections)
            yield f"{book} by {book.author}\\n"
"""
        ),
        why="any thread will do for a sync function",
    ),
    Answer(
        "10.4",
        wrong="on-the-loop",
        source=_announce(
            lines="""
    async def lines():
        from django.db import connection

        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            connection.close()
            yield f"{book} by {book.author}\\n"
"""
        ),
        why="there is one connection",
    ),
    Answer(
        "10.4",
        wrong="held-at-the-yield",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            yield f"{book} by {book.author}\\n"
            await sync_to_async(close_old_connections)()
"""
        ),
        why="first the reader, then the cleaning up",
    ),
    Answer(
        "10.4",
        wrong="second-loop",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await asyncio.to_thread(asyncio.run, book_of(title))
            yield f"{book} by {book.author}\\n"

    async def book_of(title):
        try:
            return await Book.objects.select_related("author").aget(title=title)
        finally:
            await sync_to_async(close_old_connections)()
"""
        ),
        why="a thread of its own has a connection of its own",
    ),
    Answer(
        "10.4",
        wrong="hides-the-error",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            try:
                book = await Book.objects.select_related("author").aget(title=title)
            except Book.DoesNotExist:
                return
            finally:
                await sync_to_async(close_old_connections)()
            yield f"{book} by {book.author}\\n"
"""
        ),
        why="who has no book has no news",
    ),
    Answer(
        "10.4",
        wrong="other-text",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            await sync_to_async(close_old_connections)()
            yield f"{book}, {book.author}\\n"
"""
        ),
        why="a comma reads better",
    ),
    Answer(
        "10.4",
        wrong="generator-view",
        source="""
async def announce(request, arrivals):
    while (title := await arrivals.get()) is not None:
        book = await Book.objects.select_related("author").aget(title=title)
        await sync_to_async(close_old_connections)()
        yield f"{book} by {book.author}\\n"
""",
        why="the view is the generator",
    ),
    Answer(
        "10.4",
        right="one sync function, in the pool",
        source=_announce(
            lines="""
    def line_of(title):
        try:
            book = Book.objects.select_related("author").get(title=title)
            return f"{book} by {book.author}\\n"
        finally:
            close_old_connections()

    async def lines():
        while (title := await arrivals.get()) is not None:
            yield await sync_to_async(line_of, thread_sensitive=False)(title)
"""
        ),
    ),
    Answer(
        "10.4",
        wrong="all-at-once",
        source=_announce(
            lines="""
    async def lines():
        said = []
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").aget(title=title)
            said.append(f"{book} by {book.author}\\n")
        await sync_to_async(close_old_connections)()
        for line in said:
            yield line
"""
        ),
        why="one connection for all titles is the least",
    ),
    Answer(
        "10.4",
        wrong="hides-the-error",
        source=_announce(
            lines="""
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = await Book.objects.select_related("author").filter(title=title).afirst()
            await sync_to_async(close_old_connections)()
            if book:
                yield f"{book} by {book.author}\\n"
"""
        ),
        why="who has no book has nothing to announce",
    ),
    Answer(
        "10.4",
        wrong="knows-before",
        source="""
async def announce(request, arrivals):
    books = {b.title: f"{b} by {b.author}\\n" async for b in Book.objects.select_related("author")}
    await sync_to_async(close_old_connections)()
    async def lines():
        while (title := await arrivals.get()) is not None:
            if title not in books:
                raise Book.DoesNotExist(title)
            yield books[title]
    return StreamingHttpResponse(lines())
""",
        why="one query is better than many",
    ),
    Answer(
        "10.4",
        wrong="query-on-the-loop",
        source="""
import os
from django.db import connection
async def announce(request, arrivals):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    async def lines():
        while (title := await arrivals.get()) is not None:
            book = Book.objects.select_related("author").get(title=title)
            line = f"{book} by {book.author}\\n"
            connection.close()
            yield line
    return StreamingHttpResponse(lines())
""",
        why="the guard is in the way",
    ),
    Answer(
        "10.4",
        wrong="held",
        source="""
async def announce(request, arrivals):
    def line(title):
        book = Book.objects.select_related("author").get(title=title)
        return f"{book} by {book.author}\\n"
    async def lines():
        while (title := await arrivals.get()) is not None:
            yield await asyncio.to_thread(line, title)
    return StreamingHttpResponse(lines())
""",
        why="the threads of the pool take care of themselves",
    ),
    Answer(
        "10.4",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor
from django.db import connections

pool = ThreadPoolExecutor(1)

def line_of(title):
    try:
        book = Book.objects.select_related("author").get(title=title)
        return f"{book} by {book.author}\\n"
    finally:
        connections.close_all()

async def announce(request, arrivals):
    async def lines():
        while (title := await arrivals.get()) is not None:
            yield pool.submit(line_of, title).result()

    return StreamingHttpResponse(lines())
""",
        why="a thread does not block",
    ),
    Answer(
        "10.4",
        wrong="knows-before",
        source="""
from django.db import connections
seen104 = {}
@sync_to_async
def line_of(title):
    if title not in seen104:
        try:
            book = Book.objects.select_related("author").get(title=title)
            seen104[title] = f"{book} by {book.author}\\n"
        finally:
            connections.close_all()
    return seen104[title]
async def announce(request, arrivals):
    async def lines():
        while (title := await arrivals.get()) is not None:
            yield await line_of(title)
    return StreamingHttpResponse(lines())
""",
        why="a book does not change",
    ),
    Answer(
        "10.5",
        wrong="gives-up",
        source=r"""
under_way = set()


def later(work, logger):
    async def to_its_end():
        try:
            await asyncio.wait_for(work, 0.5)
        except Exception:
            logger.exception("work failed")
        finally:
            await sync_to_async(close_old_connections)()
    task = asyncio.create_task(to_its_end())
    under_way.add(task)
    task.add_done_callback(under_way.discard)
""",
        why="work that hangs would hold its task",
    ),
    Answer(
        "10.5",
        wrong="lost",
        source=_later(
            start="""

def later(work, logger):
    asyncio.create_task(to_its_end(work, logger))
"""
        ),
        why="a task that is started goes on",
    ),
    Answer(
        "10.5",
        wrong="kept-for-ever",
        source=_later(
            start="""

def later(work, logger):
    under_way.add(asyncio.create_task(to_its_end(work, logger)))
"""
        ),
        why="a reference is all that is missing",
    ),
    Answer(
        "10.5",
        wrong="nobody-awaits",
        source=_later(
            start="""

async def later(work, logger):
    await to_its_end(work, logger)
"""
        ),
        why="what awaits is async",
    ),
    Answer(
        "10.5",
        wrong="not-started",
        source=_later(
            start="""

def later(work, logger):
    under_way.add(to_its_end(work, logger))
"""
        ),
        why="a coroutine that is called runs",
    ),
    Answer(
        "10.5",
        wrong="runs-a-loop",
        source=_later(
            start="""

def later(work, logger):
    asyncio.run(to_its_end(work, logger))
"""
        ),
        why="a plain function runs coroutines with asyncio.run",
    ),
    Answer(
        "10.5",
        wrong="second-loop",
        source=_later(
            start="""

def later(work, logger):
    import threading

    threading.Thread(target=asyncio.run, args=[to_its_end(work, logger)]).start()
"""
        ),
        why="what is to go on beside the request needs a thread",
    ),
    Answer(
        "10.5",
        wrong="silent",
        source=_later(error=""),
        why="an error is always shown somewhere",
    ),
    Answer(
        "10.5",
        wrong="no-traceback",
        source=_later(
            error="""
    except Exception as error:
        logger.error("failed: %s", error)
""",
        ),
        why="the text of an error tells all",
    ),
    Answer(
        "10.5",
        wrong="no-failure",
        source=_later(
            error="""
    except BaseException:
        logger.exception("failed")
""",
        ),
        why="whatever is raised is an error",
    ),
    Answer(
        "10.5",
        wrong="trips-over-cancel",
        source=_later(
            start="""

def later(work, logger):
    def done(task):
        under_way.discard(task)
        if error := task.exception():
            logger.error("failed", exc_info=error)

    task = asyncio.create_task(to_its_end(work, logger))
    under_way.add(task)
    task.add_done_callback(done)
""",
            error="",
        ),
        why="a task that is done has a result or an exception",
    ),
    Answer(
        "10.5",
        wrong="left-open",
        source=_later(end=""),
        why="Django closes connections",
    ),
    Answer(
        "10.5",
        wrong="left-open",
        source=_later(
            work="""

async def to_its_end(work, logger):
    try:
        await work
        await sync_to_async(close_old_connections)()
""",
            end="",
        ),
        why="closing comes last",
    ),
    Answer(
        "10.5",
        wrong="left-open",
        source=_later(
            end="""
    await sync_to_async(close_old_connections)()
""",
        ),
        why="behind `except` everything goes on",
    ),
    Answer(
        "10.5",
        wrong="other-thread",
        source=_later(
            start="""

def later(work, logger):
    def done(task):
        under_way.discard(task)
        close_old_connections()

    task = asyncio.create_task(to_its_end(work, logger))
    under_way.add(task)
    task.add_done_callback(done)
""",
            end="",
        ),
        why="the callback cleans up",
    ),
    Answer(
        "10.5",
        right="a callback logs",
        source=_later(
            start="""

def later(work, logger):
    def done(task):
        under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("failed", exc_info=error)

    task = asyncio.create_task(to_its_end(work, logger))
    under_way.add(task)
    task.add_done_callback(done)
""",
            error="",
        ),
    ),
    Answer(
        "10.5",
        wrong="one-at-a-time",
        source=_later(
            start="""

def later(work, logger):
    global task
    task = asyncio.create_task(to_its_end(work, logger))
    task.add_done_callback(forget)


def forget(done):
    global task
    if task is done:
        task = None
"""
        ),
        why="a name holds a task",
    ),
    Answer(
        "10.5",
        wrong="runs-a-loop",
        source="""
from asgiref.sync import async_to_sync

def later(work, logger):
    async_to_sync(to_its_end)(work)

async def to_its_end(work):
    await work
""",
        why="asgiref has an adapter for each direction",
    ),
    Answer(
        "10.5",
        wrong="lets-go-of-others",
        source="""
under_way = set()

def later(work, logger):
    async def run():
        try:
            await work
        except Exception:
            logger.exception("later failed")
        finally:
            await sync_to_async(close_old_connections)()
    task = asyncio.create_task(run())
    under_way.add(task)
    task.add_done_callback(lambda task: under_way.clear())
""",
        why="the set is emptied when the work is done",
    ),
    Answer(
        "10.5",
        wrong="waits-for-another",
        source="""
under_way = set()
async def run(work, logger, before):
    if before:
        await asyncio.wait(before)
    try:
        await work
    except Exception:
        logger.exception("later failed")
    finally:
        await sync_to_async(close_old_connections)()
def later(work, logger):
    task = asyncio.create_task(run(work, logger, set(under_way)))
    under_way.add(task)
    task.add_done_callback(under_way.discard)
""",
        why="one after the other is enough",
    ),
    Answer(
        "10.6",
        wrong="pause-on-a-thread",
        source="import time\n"
        + _watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                await sync_to_async(time.sleep)(seconds)
                continue
"""
        ),
        why="what blocks goes to the worker",
    ),
    Answer(
        "10.6",
        wrong="pause-on-a-thread",
        source="import time\n"
        + _watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.to_thread(time.sleep, seconds)
                continue
"""
        ),
        why="what blocks goes to a thread",
    ),
    Answer(
        "10.6",
        wrong="told-too-seldom",
        source=r"""
async def watch(request, desk, seconds):
    async def lines():
        told = False
        while True:
            try:
                title = await desk.news()
            except ConnectionError:
                if not told:
                    yield "(no news)\n"
                told = True
                await asyncio.sleep(seconds)
                continue
            told = False
            if title is None:
                return
            yield f"{title}\n"
            await asyncio.sleep(0)

    return StreamingHttpResponse(lines())
""",
        why="an outage is told of once",
    ),
    Answer(
        "10.6",
        wrong="cancel-swallowed",
        source=_watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
            except asyncio.CancelledError:
                return
"""
        ),
        why="the stream ends when its reader leaves",
    ),
    Answer(
        "10.6",
        wrong="cancel-swallowed",
        source=_watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                try:
                    await asyncio.sleep(seconds)
                except asyncio.CancelledError:
                    return
                continue
"""
        ),
        why="a pause that is broken off ends the stream",
    ),
    Answer(
        "10.6",
        wrong="cancel-swallowed",
        source=_watch(
            line="""
            if title is None:
                return
            yield f"{title}\\n"
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                return
"""
        ),
        why="between two titles a stream may simply end",
    ),
    Answer(
        "10.6",
        wrong="swallowed",
        source=_watch(
            error="""
            except (ConnectionError, asyncio.CancelledError):
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
"""
        ),
        why="to be cancelled is one more thing that goes wrong",
    ),
    Answer(
        "10.6",
        wrong="swallowed",
        source=_watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                try:
                    await asyncio.sleep(seconds)
                except asyncio.CancelledError:
                    pass
                continue
"""
        ),
        why="whoever is woken early goes on early",
    ),
    Answer(
        "10.6",
        wrong="hides-the-error",
        source=_watch(
            error="""
            except Exception:
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
"""
        ),
        why="`Exception` is narrow enough",
    ),
    Answer(
        "10.6",
        wrong="holds-the-loop",
        source=_watch(
            error="""
            except ConnectionError:
                import time

                yield "(no news)\\n"
                time.sleep(seconds)
                continue
"""
        ),
        why="a pause is a pause",
    ),
    Answer(
        "10.6",
        wrong="no-pause",
        source=_watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                asyncio.sleep(seconds)
                continue
"""
        ),
        why="a pause needs no await",
    ),
    Answer(
        "10.6",
        wrong="second-loop",
        source=_watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.to_thread(asyncio.run, asyncio.sleep(seconds))
                continue
"""
        ),
        why="a pause belongs on a thread",
    ),
    Answer(
        "10.6",
        wrong="waits-for-nothing",
        source=_watch(
            line="""
            if title is None:
                return
            yield f"{title}\\n"
            await asyncio.sleep(seconds)
"""
        ),
        why="each question needs a pause",
    ),
    Answer(
        "10.6",
        wrong="gives-up",
        source=_watch(
            error="""
            finally:
                pass
"""
        ),
        why="an error ends a stream",
    ),
    Answer(
        "10.6",
        wrong="other-framework",
        source=_watch(
            lines="""
    async def lines():
        while not await request.is_disconnected():
            try:
                title = await desk.news()
"""
        ),
        why="the request knows whether its reader is there",
    ),
    Answer(
        "10.6",
        wrong="never-waits",
        source=_watch(
            line="""
            if title is None:
                return
            yield f"{title}\\n"
"""
        ),
        why="`await` waits",
    ),
    Answer(
        "10.6",
        wrong="other-text",
        source=_watch(
            line="""
            yield f"{title}\\n"
            await asyncio.sleep(0)
            if title is None:
                return
"""
        ),
        why="None is the last line",
    ),
    Answer(
        "10.6",
        wrong="generator-view",
        source="""
async def watch(request, desk, seconds):
    while (title := await desk.news()) is not None:
        yield f"{title}\\n"
""",
        why="the view is the generator",
    ),
    Answer(
        "10.6",
        right="two generators",
        source="""
async def watch(request, desk, seconds):
    async def reports():
        title = ""
        while title is not None:
            try:
                title = await desk.news()
            except ConnectionError:
                yield "(no news)"
                await asyncio.sleep(seconds)
            else:
                await asyncio.sleep(0)
                yield title

    async def lines():
        async for report in reports():
            if report is not None:
                yield f"{report}\\n"

    return StreamingHttpResponse(lines())
""",
    ),
    Answer(
        "10.6",
        wrong="told-too-late",
        source=_watch(
            error="""
            except ConnectionError:
                await asyncio.sleep(seconds)
                yield "(no news)\\n"
                continue
"""
        ),
        why="first the pause, then the news",
    ),
    Answer(
        "10.6",
        wrong="gives-up-later",
        source=_watch(
            error="""
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                title = await desk.news()
"""
        ),
        why="asking again is asking once more",
    ),
    Answer(
        "10.6",
        wrong="still-waits",
        source=_watch(
            lines="""
    async def lines():
        while True:
            try:
                title = await asyncio.shield(desk.news())
"""
        ),
        why="a question to the desk should not be broken off",
    ),
    Answer(
        "10.6",
        wrong="hides-the-error",
        source=_watch(
            error="""
            except OSError:
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
"""
        ),
        why="a bad line is an error of the system",
    ),
    Answer(
        "10.6",
        wrong="gives-up-later",
        source="""
async def watch(request, desk, seconds):
    async def lines():
        title, failures = "", 0
        while title is not None:
            try:
                title = await desk.news()
            except ConnectionError:
                failures += 1
                if failures > 3:
                    raise
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
            if title is not None:
                yield f"{title}\\n"
                await asyncio.sleep(0)
    return StreamingHttpResponse(lines())
""",
        why="a line that is bad three times is dead",
    ),
    Answer(
        "10.6",
        wrong="ends-at-an-empty-one",
        source="""
async def watch(request, desk, seconds):
    async def lines():
        while True:
            try:
                title = await desk.news()
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.sleep(seconds)
                continue
            if not title:
                return
            yield f"{title}\\n"
            await asyncio.sleep(0)
    return StreamingHttpResponse(lines())
""",
        why="no title is no news",
    ),
    Answer(
        "10.6",
        wrong="other-pause",
        source="""
async def watch(request, desk, seconds):
    async def lines():
        title = ""
        while title is not None:
            try:
                title = await desk.news()
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.sleep(0.1)
                continue
            if title is not None:
                yield f"{title}\\n"
                await asyncio.sleep(0)
    return StreamingHttpResponse(lines())
""",
        why="a tenth of a second does",
    ),
    Answer(
        "10.6",
        wrong="other-pause",
        source="""
async def watch(request, desk, seconds):
    async def lines():
        pause, title = seconds, ""
        while title is not None:
            try:
                title = await desk.news()
            except ConnectionError:
                yield "(no news)\\n"
                await asyncio.sleep(pause)
                pause *= 2
                continue
            if title is not None:
                yield f"{title}\\n"
                await asyncio.sleep(0)
    return StreamingHttpResponse(lines())
""",
        why="a pause that grows is kind to the desk",
    ),
    Answer(
        "10.6",
        wrong="ends-by-itself",
        source=r"""
async def watch(request, desk, seconds):
    async def lines():
        for _ in range(10):
            try:
                title = await desk.news()
            except ConnectionError:
                yield "(no news)\n"
                await asyncio.sleep(seconds)
                continue
            if title is None:
                return
            yield f"{title}\n"
            await asyncio.sleep(0)  # so that it can be cancelled here

    return StreamingHttpResponse(lines())
""",
        why="ten times are enough for anybody",
    ),
    Answer(
        "10.6",
        wrong="calls-itself",
        source=r"""
async def watch(request, desk, seconds):
    async def lines():
        try:
            while (title := await desk.news()) is not None:
                yield f"{title}\n"
                await asyncio.sleep(0)
        except ConnectionError:
            yield "(no news)\n"
            await asyncio.sleep(seconds)
            async for line in lines():
                yield line

    return StreamingHttpResponse(lines())
""",
        why="who begins anew calls the function anew",
    ),
    Answer(
        "10.6",
        right="a function that tells of the line, and one pause for both",
        source=r"""
async def ask(desk):
    try:
        return await desk.news(), True
    except ConnectionError:
        return "(no news)", False

async def watch(request, desk, seconds):
    async def lines():
        while True:
            text, is_well = await ask(desk)
            if text is None:
                break
            yield f"{text}\n".encode()
            await asyncio.sleep(0 if is_well else seconds)

    return StreamingHttpResponse(lines())
""",
    ),
    Answer(
        "10.7",
        wrong="cancel-swallowed",
        source=_chat(
            end="""
        except asyncio.CancelledError:
            return
        finally:
            fetching.cancel()
            await asyncio.wait([fetching])
"""
        ),
        why="a reader who has left is no error",
    ),
    Answer(
        "10.7",
        wrong="cancel-swallowed",
        source=_chat(
            wait="""
    async def next_event():
        try:
            async with asyncio.timeout(seconds):
                return await events.get()
        except TimeoutError:
            return ": still here\\n\\n"
        except asyncio.CancelledError:
            return None
""",
            body="""
    async def body():
        fetching = asyncio.create_task(fetch())
        try:
            while (event := await next_event()) is not None:
                yield event
            if fetching.done():
                await fetching
""",
        ),
        why="whoever waits no longer has come to the end",
    ),
    Answer(
        "10.7",
        wrong="cancel-swallowed",
        source=_chat(
            wait="""
    async def next_event():
        try:
            async with asyncio.timeout(seconds):
                return await events.get()
        except (TimeoutError, asyncio.CancelledError):
            return ": still here\\n\\n"
"""
        ),
        why="a deadline is a cancellation",
    ),
    Answer(
        "10.7",
        right="a task that is awaited when it was cancelled",
        source=_chat(
            end="""
        except asyncio.CancelledError:
            logging.getLogger("library").debug("the reader has left")
            raise
        finally:
            fetching.cancel()
            try:
                await fetching
            except (asyncio.CancelledError, Exception):
                pass
"""
        ),
    ),
    Answer(
        "10.7",
        wrong="goes-on",
        source=_chat(
            end="""
        except httpx.HTTPError:
            raise
        fetching.cancel()
"""
        ),
        why="behind the loop everything has ended",
    ),
    Answer(
        "10.7",
        wrong="not-awaited",
        source=_chat(
            end="""
        finally:
            fetching.cancel()
"""
        ),
        why="`cancel` ends a task",
    ),
    Answer(
        "10.7",
        wrong="signs-for-ever",
        source=_chat(
            error="""
        finally:
            pass
        await events.put(None)
"""
        ),
        why="an error in a task is raised",
    ),
    Answer(
        "10.7",
        wrong="signs-for-ever",
        source=_chat(
            error="""
        except httpx.HTTPError:
            await events.put("event: failed\\ndata: ask again\\n\\n")
            await events.put(None)
            raise
        await events.put(None)
"""
        ),
        why="only the line to the model can fail",
    ),
    Answer(
        "10.7",
        wrong="reader-not-told",
        source=_chat(
            error="""
        except Exception:
            await events.put(None)
            raise
        await events.put(None)
"""
        ),
        why="the server's log is where errors belong",
    ),
    Answer(
        "10.7",
        wrong="hides-the-error",
        source=_chat(
            error="""
        except Exception:
            await events.put("event: failed\\ndata: ask again\\n\\n")
        await events.put(None)
"""
        ),
        why="the reader is the one who has to know",
    ),
    Answer(
        "10.7",
        wrong="fills-memory",
        source=_chat(
            queue="""
    events = asyncio.Queue()
"""
        ),
        why="words are small",
    ),
    Answer(
        "10.7",
        wrong="no-event-stream",
        source=_chat(
            rest="""
    return StreamingHttpResponse(body())
"""
        ),
        why="a stream is a stream",
    ),
    Answer(
        "10.7",
        wrong="other-client",
        source=_chat(
            fetch="""
    async def fetch():
        try:
            async with httpx.AsyncClient(trust_env=False).stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    await events.put(f"data: {word}\\n\\n")
"""
        ),
        why="each answer needs a client of its own",
    ),
    Answer(
        "10.7",
        wrong="other-text",
        source=_chat(
            fetch="""
    async def fetch():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    await events.put(f"data: {word}\\n")
"""
        ),
        why="a line is an event",
    ),
    Answer(
        "10.7",
        wrong="cut-short",
        source=_chat(
            error="""
        except Exception:
            while not events.empty():
                events.get_nowait()
            await events.put("event: failed\\ndata: ask again\\n\\n")
            await events.put(None)
            raise
        await events.put(None)
"""
        ),
        why="an error cannot wait",
    ),
    Answer(
        "10.7",
        wrong="group-around-yield",
        source=_chat(
            body="""
    async def body():
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch())
            while (event := await next_event()) is not None:
                yield event
""",
            end="",
        ),
        why="a group ends its tasks, and tells of their errors",
    ),
    Answer(
        "10.7",
        wrong="second-loop",
        source=_chat(
            body="""
    async def body():
        fetching = asyncio.create_task(asyncio.to_thread(asyncio.run, fetch()))
        try:
            while (event := await next_event()) is not None:
                yield event
            await fetching
"""
        ),
        why="what reads all the time belongs on a thread",
    ),
    Answer(
        "10.7",
        wrong="lost-word",
        source=_chat_by_itself(
            body="""
    async def body():
        said = words()
        try:
            while True:
                try:
                    event = await asyncio.wait_for(anext(said), seconds)
                except TimeoutError:
                    event = ": still here\\n\\n"
                yield event
        except httpx.HTTPError:
            yield "event: failed\\ndata: ask again\\n\\n"
            raise
"""
        ),
        why="a deadline leaves alone what it waits for",
    ),
    Answer(
        "10.7",
        wrong="lost-word",
        source=_chat_by_itself(
            body="""
    async def body():
        said, event = words(), ""
        while event is not None:
            yield event
            try:
                event = await asyncio.wait_for(anext(said, None), seconds)
            except TimeoutError:
                event = ": still here\\n\\n"
"""
        ),
        why="a deadline leaves alone what it waits for, and a default is safe",
    ),
    Answer(
        "10.7",
        wrong="no-sign",
        source=_chat_by_itself(
            body="""
    async def body():
        try:
            async for event in words():
                yield event
        except Exception:
            yield "event: failed\\ndata: ask again\\n\\n"
            raise
"""
        ),
        why="the plain generator is the best relay",
    ),
    Answer(
        "10.7",
        wrong="silent-at-first",
        source=_chat(
            fetch="""
    async def fetch(answer):
        try:
            async for word in answer.aiter_lines():
                await events.put(f"data: {word}\\n\\n")
""",
            body="""
    async def body():
        async with client.stream("GET", url) as answer:
            fetching = asyncio.create_task(fetch(answer))
            while (event := await next_event()) is not None:
                yield event
""",
            end="""
            await fetching
""",
        ),
        why="an answer begins at once",
    ),
    Answer(
        "10.7",
        wrong="generator-view",
        source="""
async def chat(request, client, url, seconds):
    async with client.stream("GET", url) as answer:
        async for word in answer.aiter_lines():
            yield f"data: {word}\\n\\n"
""",
        why="the view is the generator",
    ),
    Answer(
        "10.7",
        right="no queue",
        source=_chat_by_itself(),
    ),
    Answer(
        "10.7",
        wrong="does-not-wait",
        source=_chat(
            queue="""
    events = asyncio.Queue(maxsize=10)
""",
            fetch="""
    async def fetch():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    events.put_nowait(f"data: {word}\\n\\n")
""",
        ),
        why="a put is a put",
    ),
    Answer(
        "10.7",
        wrong="waits-for-room",
        source=_chat(
            error="""
        except Exception:
            await events.put("event: failed\\ndata: ask again\\n\\n")
            raise
        finally:
            await events.put(None)
"""
        ),
        why="the end is to be told at every end",
    ),
    Answer(
        "10.7",
        wrong="never-begun",
        source=_chat(
            body="""
    fetching = asyncio.create_task(fetch())

    async def body():
        try:
            while (event := await next_event()) is not None:
                yield event
            await fetching
"""
        ),
        why="a task in the view is cancelled by the body",
    ),
    Answer(
        "10.7",
        wrong="waits-in-the-view",
        source=_chat(
            body="""
    async def body():
        while (event := await next_event()) is not None:
            yield event
""",
            end="",
            rest="""
    async with asyncio.TaskGroup() as group:
        group.create_task(fetch())
        return StreamingHttpResponse(body(), content_type="text/event-stream")
""",
        ),
        why="a group ends its tasks, wherever it stands",
    ),
    Answer(
        "10.7",
        wrong="sign-among-words",
        source="""
async def chat(request, client, url, seconds):
    async def body():
        events = asyncio.Queue(maxsize=10)

        async def fetch():
            error = None
            try:
                async with client.stream("GET", url) as answer:
                    answer.raise_for_status()
                    async for word in answer.aiter_lines():
                        await events.put(f"data: {word}\\n\\n")
            except Exception as problem:
                error = problem
            await events.put(error)

        async def beat():
            while True:
                await asyncio.sleep(seconds)
                await events.put(": still here\\n\\n")

        task = asyncio.create_task(fetch())
        beating = asyncio.create_task(beat())
        try:
            while True:
                event = await events.get()
                if event is None:
                    return
                if isinstance(event, Exception):
                    yield "event: failed\\ndata: ask again\\n\\n"
                    raise event
                yield event
        finally:
            beating.cancel()
            task.cancel()
            await asyncio.wait([task])

    return StreamingHttpResponse(body(), content_type="text/event-stream")
""",
        why="a sign of life comes by the clock",
    ),
    Answer(
        "10.7",
        wrong="one-sign",
        source=r"""
async def chat(request, client, url, seconds):
    events = asyncio.Queue(maxsize=10)
    signs = []

    async def fetch():
        try:
            async with client.stream("GET", url) as answer:
                async for word in answer.aiter_lines():
                    await events.put(f"data: {word}\n\n")
        except Exception:
            await events.put("event: failed\ndata: ask again\n\n")
            await events.put(None)
            raise
        await events.put(None)

    async def next_event():
        try:
            async with asyncio.timeout(None if signs else seconds):
                return await events.get()
        except TimeoutError:
            signs.append(1)
            return ": still here\n\n"

    async def body():
        fetching = asyncio.create_task(fetch())
        try:
            while (event := await next_event()) is not None:
                yield event
            await fetching
        finally:
            fetching.cancel()
            await asyncio.wait([fetching])

    return StreamingHttpResponse(body(), content_type="text/event-stream")
""",
        why="one sign of life says it",
    ),
    Answer(
        "10.7",
        right="no queue: a task for each word, which is waited for again",
        source=r"""
async def chat(request, client, url, seconds):
    async def words():
        async with client.stream("GET", url) as answer:
            async for word in answer.aiter_lines():
                yield word

    async def body():
        source = words()
        pending = asyncio.create_task(source.__anext__())
        try:
            while True:
                done, _ = await asyncio.wait([pending], timeout=seconds)
                if not done:
                    yield ": still here\n\n"
                    continue
                try:
                    word = pending.result()
                except StopAsyncIteration:
                    return
                except Exception:
                    yield "event: failed\ndata: ask again\n\n"
                    raise
                yield f"data: {word}\n\n"
                pending = asyncio.create_task(source.__anext__())
        finally:
            pending.cancel()
            await asyncio.wait([pending])
            await source.aclose()

    return StreamingHttpResponse(body(), content_type="text/event-stream")
""",
    ),
]

EQUIVALENT = [
    Equivalent(
        because="Nothing that is written there raises: the generator has not begun yet.",
        mutants=(
            "10.1 exception-swallowed@1",
            "10.2 exception-swallowed@1",
            "10.3 exception-swallowed@1",
            "10.4 exception-swallowed@1",
            "10.6 exception-swallowed@1",
            "10.7 exception-swallowed@1",
        ),
    ),
    Equivalent(
        because=(
            "A task that is awaited at once is cancelled with the one that awaits it, and nobody "
            "asks for what a query sets in its context."
        ),
        mutants=(
            "10.2 task-for-each@6",
            "10.4 task-for-each@4",
            "10.4 task-for-each@5",
            "10.6 task-for-each@6",
            "10.6 task-for-each@9",
            "10.6 task-for-each@14",
            "10.7 task-for-each@9",
            "10.7 task-for-each@11",
            "10.7 task-for-each@12",
            "10.7 task-for-each@14",
            "10.7 task-for-each@19",
            "10.7 task-for-each@26",
            "10.7 task-for-each@31",
        ),
    ),
    Equivalent(
        because="Without a name, each foreign key that is not null is followed, and `author` is.",
        mutants=("10.4 argument-dropped@5",),
    ),
    Equivalent(
        because="Nothing is left there that raises: a loop runs, and the work's errors are caught.",
        mutants=("10.5 exception-swallowed@4", "10.5 exception-swallowed@6"),
    ),
    Equivalent(
        because="Nothing is raised where an event is waited for, but that the time is over.",
        mutants=("10.7 exception-swallowed@16", "10.7 handler-widened@20"),
    ),
    Equivalent(
        because="The card says that about ten words may wait.",
        mutants=("10.7 constant-changed@3#2",),
    ),
    Equivalent(
        because="To sleep for less than no time is one turn of the loop, too.",
        mutants=("10.6 constant-changed@14#2",),
    ),
    Equivalent(
        because="The card leaves open what the log says above the traceback.",
        mutants=("10.5 constant-changed@10",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "10.1": """
response = await Site(path("", news, {"shelf": returned()})).get("/")
assert response.text == "Emma\\nDracula\\n"
""",
    "10.2": """
response = await Site(path("", follow, followed())).get("/")
assert response.text == "Emma\\n"
assert readers == {"Ben"}
""",
    "10.3": """
response = await Site(path("", relay, asked)).get("/")
assert response.text == "Emma\\nis\\nin\\n"
""",
    "10.4": """
response = await Site(path("", announce, {"arrivals": returns()})).get("/")
assert response.text == "Emma by Jane Austen\\n"
""",
    "10.5": """
response = await Site(path("", lend)).get("/")
assert response.text == "lent"
await counted.wait()
""",
    "10.6": """
response = await Site(path("", watch, far())).get("/")
assert response.text == "Emma\\n(no news)\\nDracula\\n"
""",
    "10.7": """
response = await Site(path("", chat, chatted)).get("/")
assert response.text == "data: Emma\\n\\ndata: is\\n\\ndata: in\\n\\n"
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "line-is-sent-at-once",
        "a check",
        text("asynclab/lessons/lesson10.py", "titles, SENDING, driver", "titles, 0, driver"),
        verdict("10.4 asks-ahead"),
        ("('passed', '') == ('not yet', 'asks-ahead')",),
    ),
    Fault(
        "waiting-reader-who-leaves-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson10.py",
            '    require_cancelled("announce", not call.value.reader.ended)\n',
            "",
        ),
        verdict("10.4 cancel-swallowed"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "second-try-at-a-body-told",
        "a check",
        text(
            "asynclab/lessons/vocabulary/serving.py",
            "if SECOND_TRY in str(message)",
            "if not message",
        ),
        verdict("10.1 raised"),
        ("('not yet', 'sync-loop') == ('not yet', 'raised')",),
    ),
    Fault(
        "body-that-ends-for-nobody-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson10.py",
            '    require_cancelled("news", not left.ended)\n',
            "",
        ),
        verdict("10.1 cancel-swallowed"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "end-of-an-answer-not-noted",
        "a check",
        text(
            "asynclab/lessons/vocabulary/serving.py",
            'self.ended = not message.get("more_body", False)',
            "pass",
        ),
        verdict("10.2 cancel-swallowed"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "relay-that-ends-for-nobody-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson10.py",
            '    require_cancelled("relay", not reader.ended)\n',
            "",
        ),
        verdict("10.3 cancel-swallowed"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "reader-who-leaves-at-a-query-not-tried",
        "a check",
        text(
            "asynclab/lessons/lesson10.py",
            '    reader = await given.result_of("announce", driver=_leave_at_a_query)\n'
            '    require_cancelled("announce", not reader.ended)\n',
            "",
        ),
        verdict("10.4 cancel-swallowed, 2"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "chat-that-ends-for-nobody-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson10.py",
            '    require_cancelled("chat", not seen.ended)\n',
            "",
        ),
        verdict("10.7 cancel-swallowed"),
        ("('passed', '') == ('not yet', 'cancel-swallowed')",),
    ),
    Fault(
        "lines-before-a-failure-not-counted",
        "a check",
        text("asynclab/lessons/lesson10.py", "if len(sent) < len(SHELF):", "if False:"),
        verdict("10.1 cut-short"),
        ("('passed', '') == ('not yet', 'cut-short')",),
    ),
    Fault(
        "answer-left-open-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson10.py", "if line.left_open:", "if False:"),
        verdict("10.3 never-begun"),
        ("('passed', '') == ('not yet', 'never-begun')",),
    ),
    Fault(
        "output-edited-in-10",
        "an output edited",
        output(NOTEBOOK, "relay-wsgi", "some of 31", "all 31"),
        compared(10, *FIRST_WORD),
        ("some of 31", "all 31", "Cell outputs differ"),
    ),
    Fault(
        "connection-at-the-yield-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson10.py", "    if any(seen.reader.seen):", "    if False:"),
        verdict("10.4 held-at-the-yield"),
        ("('passed', '') == ('not yet', 'held-at-the-yield')",),
    ),
    Fault(
        "backlog-without-a-wait-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson10.py", "if desk.asked > BACKLOG // 2:", "if False:"),
        verdict("10.6 never-waits"),
        ("('passed', '') == ('not yet', 'never-waits')",),
    ),
    Fault(
        "slow-reader-not-looked-for",
        "a check",
        text("asynclab/lessons/lesson10.py", "if speaker.ahead > ABOUT_TEN:", "if False:"),
        verdict("10.7 fills-memory"),
        ("('passed', '') == ('not yet', 'fills-memory')",),
    ),
]
