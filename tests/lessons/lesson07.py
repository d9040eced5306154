"""What the tests know of lesson 07."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/07_*.ipynb"

_shop = in_pieces(
    "async def shop(request, client, urls, seconds):",
    ask="""
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                return (await client.get(url)).raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None
""",
    page="""
    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers)))
""",
)

_desk = in_pieces(
    "class Desk(View):",
    dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)
""",
    get="""
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")
""",
    post="""
    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
)

_dashboard = in_pieces(
    "async def dashboard(request, url):",
    ask_hours="""
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"
""",
    list_books="""
    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]
""",
    page="""
    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
)

ANSWERS = [
    Answer(
        "7.1",
        wrong="sync-query",
        source="""
async def book_page(request, pk):
    book = get_object_or_404(Book, pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="`async def` is enough",
    ),
    Answer(
        "7.1",
        wrong="lazy-key",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book, pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="the twin of the shortcut is enough",
    ),
    Answer(
        "7.1",
        wrong="forgotten-await",
        source="""
async def book_page(request, pk):
    book = aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="the a makes it async",
    ),
    Answer(
        "7.1",
        wrong="awaited-queryset",
        source="""
async def book_page(request, pk):
    books = await Book.objects.filter(pk=pk).select_related("author")
    return HttpResponse(f"{books[0].title} by {books[0].author}")
""",
        why="`await` fetches a queryset",
    ),
    Answer(
        "7.1",
        wrong="still-sync",
        source="""
def book_page(request, pk):
    book = get_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="under ASGI every view is async",
    ),
    Answer(
        "7.1",
        wrong="still-sync",
        source="""
from asgiref.sync import async_to_sync

@async_to_sync
async def book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="Django wants a sync function",
    ),
    Answer(
        "7.1",
        wrong="hidden-async",
        source="""
def book_page(request, pk):
    return _book_page(request, pk)

async def _book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="it hands the coroutine on",
    ),
    Answer(
        "7.1",
        wrong="hidden-async",
        source="""
class BookPage:
    async def __call__(self, request, pk):
        book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
        return HttpResponse(f"{book.title} by {book.author}")

book_page = BookPage()
""",
        why="an object with an async `__call__` is async",
    ),
    Answer(
        "7.1",
        wrong="no-response",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return f"{book.title} by {book.author}"
""",
        why="a text is a page",
    ),
    Answer(
        "7.1",
        wrong="no-response",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    HttpResponse(f"{book.title} by {book.author}")
""",
        why="to make a response is to send it",
    ),
    Answer(
        "7.1",
        wrong="no-404",
        source="""
async def book_page(request, pk):
    book = await Book.objects.select_related("author").aget(pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="Django makes a 404 of DoesNotExist",
    ),
    Answer(
        "7.1",
        wrong="no-404",
        source="""
async def book_page(request, pk):
    book = await Book.objects.select_related("author").filter(pk=pk).afirst()
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="`afirst` finds it",
    ),
    Answer(
        "7.1",
        wrong="soft-404",
        source="""
async def book_page(request, pk):
    book = await Book.objects.select_related("author").filter(pk=pk).afirst()
    if book is None:
        return HttpResponse("There is no such book.")
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="the text says it",
    ),
    Answer(
        "7.1",
        wrong="many-queries",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book, pk=pk)
    author = await sync_to_async(lambda: book.author)()
    return HttpResponse(f"{book.title} by {author}")
""",
        why="what is lazy goes to the worker by itself",
    ),
    Answer(
        "7.1",
        wrong="other-status",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}", status=202)
""",
        why="an async view accepts first",
    ),
    Answer(
        "7.1",
        wrong="other-text",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return JsonResponse({"title": book.title, "author": book.author.name})
""",
        why="JSON is better",
    ),
    Answer(
        "7.1",
        wrong="no-query",
        source="""
async def book_page(request, pk):
    books = {book.pk: book for book in known}
    if pk not in books:
        return HttpResponse(status=404)
    return HttpResponse(f"{books[pk].title} by {books[pk].author}")

known = await sync_to_async(list)(Book.objects.select_related("author"))
""",
        why="reads all books once, when the server starts",
    ),
    Answer(
        "7.1",
        wrong="swallowed",
        source="""
from django.http import Http404

async def book_page(request, pk):
    try:
        book = await Book.objects.select_related("author").aget(pk=pk)
    except Exception:
        raise Http404
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="whatever goes wrong, there is no page",
    ),
    Answer(
        "7.1",
        wrong="query-in-pool",
        source="""
async def book_page(request, pk):
    def page():
        book = get_object_or_404(Book.objects.select_related("author"), pk=pk)
        return HttpResponse(f"{book.title} by {book.author}")

    return await asyncio.to_thread(page)
""",
        why="a thread is a thread",
    ),
    Answer(
        "7.1",
        wrong="query-elsewhere",
        source="""
import threading

async def book_page(request, pk):
    found = []

    def look():
        found.append(Book.objects.select_related("author").filter(pk=pk).first())

    thread = threading.Thread(target=look)
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.001)
    if found[0] is None:
        return HttpResponse(status=404)
    return HttpResponse(f"{found[0].title} by {found[0].author}")
""",
        why="a thread of its own waits for nobody",
    ),
    Answer(
        "7.1",
        wrong="waits-on-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor

async def book_page(request, pk):
    def page():
        book = get_object_or_404(Book.objects.select_related("author"), pk=pk)
        return HttpResponse(f"{book.title} by {book.author}")

    with ThreadPoolExecutor() as pool:
        return pool.submit(page).result()
""",
        why="a thread does not hold the loop",
    ),
    Answer(
        "7.1",
        wrong="second-loop",
        source="""
async def book_page(request, pk):
    async def page():
        book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
        return HttpResponse(f"{book.title} by {book.author}")

    return await asyncio.to_thread(asyncio.run, page())
""",
        why="a coroutine needs asyncio.run",
    ),
    Answer(
        "7.1",
        wrong="query-on-the-loop",
        source="""
import os

async def book_page(request, pk):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    book = get_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="switches the guard off",
    ),
    Answer(
        "7.1",
        wrong="writes",
        source="""
async def book_page(request, pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    await book.asave()
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="saves what it has read",
    ),
    Answer(
        "7.1",
        right="aget and Http404",
        source="""
from django.http import Http404

async def book_page(request, pk):
    try:
        book = await Book.objects.select_related("author").aget(pk=pk)
    except Book.DoesNotExist:
        raise Http404("No such book") from None
    return HttpResponse(f"{book.title} by {book.author}")
""",
    ),
    Answer(
        "7.1",
        right="values, and a response that is none found",
        source="""
from django.http import HttpResponseNotFound

async def book_page(request, pk):
    rows = Book.objects.filter(pk=pk).values_list("title", "author__name")
    async for title, author in rows:
        return HttpResponse(f"{title} by {author}")
    return HttpResponseNotFound()
""",
    ),
    Answer(
        "7.1",
        right="one sync function on the worker",
        source="""
@sync_to_async
def book_page(request, pk):
    book = get_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
    ),
    Answer(
        "7.1",
        right="an object that is marked",
        source="""
from asgiref.sync import markcoroutinefunction

class BookPage:
    async def __call__(self, request, pk):
        book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
        return HttpResponse(f"{book.title} by {book.author}")

book_page = markcoroutinefunction(BookPage())
""",
    ),
    Answer(
        "7.1",
        right="a partial",
        source="""
from functools import partial

async def page_of(books, request, pk):
    book = await aget_object_or_404(books, pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")

book_page = partial(page_of, Book.objects.select_related("author"))
""",
    ),
    Answer(
        "7.1",
        wrong="forgotten-await",
        source="""
async def book_page(request, pk):
    return page_of(pk)

async def page_of(pk):
    book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
    return HttpResponse(f"{book.title} by {book.author}")
""",
        why="`async def` before the view is enough",
    ),
    Answer(
        "7.1",
        wrong="swallowed",
        source="""
pages = {}

async def book_page(request, pk):
    if pk not in pages:
        book = await aget_object_or_404(Book.objects.select_related("author"), pk=pk)
        pages[pk] = f"{book.title} by {book.author}"
    return HttpResponse(pages[pk])
""",
        why="a book does not change",
    ),
    Answer(
        "7.2",
        wrong="one-after-another",
        source=_shop(
            page="""
    return JsonResponse({name: await ask(url) for name, url in urls.items()})
"""
        ),
        why="a comprehension asks all at once",
    ),
    Answer(
        "7.2",
        wrong="one-takes-all",
        source=_shop(
            ask="""
    async def ask(url):
        async with asyncio.timeout(seconds):
            return (await client.get(url)).raise_for_status().text
"""
        ),
        why="gather is enough",
    ),
    Answer(
        "7.2",
        wrong="one-takes-all",
        source="""
async def shop(request, client, urls, seconds):
    async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
        asked = {name: group.create_task(client.get(url)) for name, url in urls.items()}
    return JsonResponse({name: task.result().text for name, task in asked.items()})
""",
        why="a task group is the new gather",
    ),
    Answer(
        "7.2",
        wrong="deadline-takes-all",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return None
""",
            page="""
    async with asyncio.timeout(seconds):
        answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers)))
""",
        ),
        why="the page has a deadline",
    ),
    Answer(
        "7.2",
        wrong="loses-others",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return None
""",
            page="""
    try:
        async with asyncio.timeout(seconds):
            answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    except TimeoutError:
        answers = [None] * len(urls)
    return JsonResponse(dict(zip(urls, answers)))
""",
        ),
        why="late is late for all",
    ),
    Answer(
        "7.2",
        wrong="timeout-of-each-read",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            return (await client.get(url, timeout=seconds)).raise_for_status().text
        except httpx.HTTPError:
            return None
"""
        ),
        why="a client has a timeout",
    ),
    Answer(
        "7.2",
        wrong="no-deadline",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return None
"""
        ),
        why="a service that is there answers",
    ),
    Answer(
        "7.2",
        wrong="too-early",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            async with asyncio.timeout(seconds / 4):
                return (await client.get(url)).raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None
"""
        ),
        why="to be on the safe side",
    ),
    Answer(
        "7.2",
        wrong="goes-on",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return None
""",
            page="""
    if not urls:
        return JsonResponse({})
    asked = {name: asyncio.create_task(ask(url)) for name, url in urls.items()}
    done, late = await asyncio.wait(asked.values(), timeout=seconds)
    answers = {name: task.result() if task in done else None for name, task in asked.items()}
    return JsonResponse(answers)
""",
        ),
        why="`wait` ends what is late",
    ),
    Answer(
        "7.2",
        wrong="error-page",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                return (await client.get(url)).text
        except (httpx.HTTPError, TimeoutError):
            return None
"""
        ),
        why="a service that answers is well",
    ),
    Answer(
        "7.2",
        wrong="other-answers",
        source=_shop(
            ask="""
    async def ask(name, url):
        try:
            async with asyncio.timeout(seconds):
                return name, (await client.get(url)).raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return name, ""
""",
            page="""
    return JsonResponse(dict(await asyncio.gather(*(ask(*each) for each in urls.items()))))
""",
        ),
        why="nothing is an empty text",
    ),
    Answer(
        "7.2",
        wrong="other-answers",
        source=_shop(
            ask="""
    async def ask(name, url):
        async with asyncio.timeout(seconds):
            return name, (await client.get(url)).raise_for_status().text
""",
            page="""
    asked = [ask(*each) for each in urls.items()]
    done = await asyncio.gather(*asked, return_exceptions=True)
    return JsonResponse(dict(each for each in done if isinstance(each, tuple)))
""",
        ),
        why="what failed is left out",
    ),
    Answer(
        "7.2",
        wrong="holds-the-loop",
        source="""
async def shop(request, client, urls, seconds):
    answers = {}
    for name, url in urls.items():
        try:
            answers[name] = httpx.get(url, trust_env=False).raise_for_status().text
        except httpx.HTTPError:
            answers[name] = None
    return JsonResponse(answers)
""",
        why="in an `async def` everything is async",
    ),
    Answer(
        "7.2",
        wrong="other-client",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            async with asyncio.timeout(seconds), httpx.AsyncClient(trust_env=False) as own:
                return (await own.get(url)).raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None
"""
        ),
        why="a client for each question",
    ),
    Answer(
        "7.2",
        wrong="closes-the-client",
        source=_shop(
            page="""
    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    await client.aclose()
    return JsonResponse(dict(zip(urls, answers)))
"""
        ),
        why="whoever uses a client closes it",
    ),
    Answer(
        "7.2",
        wrong="closes-the-client",
        source=_shop(
            page="""
    async with client:
        answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers)))
"""
        ),
        why="a client is used in an `async with`",
    ),
    Answer(
        "7.2",
        wrong="forgotten-await",
        source=_shop(
            page="""
    return JsonResponse({name: ask(url) for name, url in urls.items()})
"""
        ),
        why="JsonResponse waits for its values",
    ),
    Answer(
        "7.2",
        wrong="nothing-given",
        source=_shop(
            page="""
    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers)) or None, safe=False)
"""
        ),
        why="no services are None",
    ),
    Answer(
        "7.2",
        wrong="still-sync",
        source="""
from asgiref.sync import async_to_sync

@async_to_sync
async def shop(request, client, urls, seconds):
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                return (await client.get(url)).raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None

    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers)))
""",
        why="a view is a sync function",
    ),
    Answer(
        "7.2",
        wrong="no-response",
        source=_shop(
            page="""
    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return list(zip(urls, answers))
"""
        ),
        why="Django makes JSON of it",
    ),
    Answer(
        "7.2",
        wrong="hidden-async",
        source="""
def shop(request, client, urls, seconds):
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                return (await client.get(url)).raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None

    async def page():
        answers = await asyncio.gather(*(ask(url) for url in urls.values()))
        return JsonResponse(dict(zip(urls, answers)))

    return page()
""",
        why="whoever gets a coroutine awaits it",
    ),
    Answer(
        "7.2",
        right="a task group, with wait_for",
        source=_shop(
            ask="""
    async def ask(url):
        try:
            response = await asyncio.wait_for(client.get(url), seconds)
        except (httpx.HTTPError, TimeoutError):
            return None
        return response.text if response.is_success else None
""",
            page="""
    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(ask(url)) for name, url in urls.items()}
    return JsonResponse({name: task.result() for name, task in asked.items()})
""",
        ),
    ),
    Answer(
        "7.2",
        right="wait, and cancel what is late",
        source="""
async def shop(request, client, urls, seconds):
    asked = {name: asyncio.ensure_future(client.get(url)) for name, url in urls.items()}
    if asked:
        done, late = await asyncio.wait(asked.values(), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*asked.values(), return_exceptions=True)

    def text(task):
        if task.cancelled() or isinstance(task.exception(), httpx.HTTPError):
            return None
        return None if task.result().is_error else task.result().text

    return JsonResponse({name: text(task) for name, task in asked.items()})
""",
    ),
    Answer(
        "7.2",
        right="exceptions returned, one by one",
        source="""
async def shop(request, client, urls, seconds):
    asked = (asyncio.wait_for(client.get(url), seconds) for url in urls.values())
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for each in answers:
        if not isinstance(each, httpx.Response | httpx.HTTPError | TimeoutError):
            raise each
    good = [isinstance(each, httpx.Response) and each.is_success for each in answers]
    return JsonResponse(
        {name: each.text if ok else None for name, each, ok in zip(urls, answers, good)}
    )
""",
    ),
    Answer(
        "7.2",
        right="one deadline for all, and each keeps its answer",
        source="""
async def shop(request, client, urls, seconds):
    answers = dict.fromkeys(urls)

    async def ask(name):
        try:
            answers[name] = (await client.get(urls[name])).raise_for_status().text
        except httpx.HTTPError:
            pass

    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*map(ask, urls))
    except TimeoutError:
        pass
    return JsonResponse(answers)
""",
    ),
    Answer(
        "7.2",
        wrong="empty-for-failed",
        source="""
async def shop(request, client, urls, seconds):
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                answer = await client.get(url)
                answer.raise_for_status()
                return answer.text or None
        except (TimeoutError, httpx.HTTPError):
            return None
    texts = await asyncio.gather(*map(ask, urls.values()))
    return JsonResponse(dict(zip(urls, texts)))
""",
        why="`or None` looks harmless",
    ),
    Answer(
        "7.2",
        wrong="cancel-swallowed",
        source="""
async def shop(request, client, urls, seconds):
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                response = await client.get(url)
            return response.raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None

    try:
        answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    except asyncio.CancelledError:
        answers = [None] * len(urls)
    return JsonResponse(dict(zip(urls, answers, strict=True)))
""",
        why="a page without its services is better than none",
    ),
    Answer(
        "7.2",
        wrong="one-status-alone",
        source="""
async def shop(request, client, urls, seconds):
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                response = await client.get(url)
            return response.text if response.status_code == 200 else None
        except (httpx.HTTPError, TimeoutError):
            return None

    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers, strict=True)))
""",
        why="only 200 means that it went well",
    ),
    Answer(
        "7.2",
        wrong="error-page",
        source="""
async def shop(request, client, urls, seconds):
    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                response = await client.get(url)
            return response.text if response.status_code < 500 else None
        except (httpx.HTTPError, TimeoutError):
            return None

    answers = await asyncio.gather(*(ask(url) for url in urls.values()))
    return JsonResponse(dict(zip(urls, answers, strict=True)))
""",
        why="a service that fails says so by 500",
    ),
    Answer(
        "7.2",
        wrong="some-at-once",
        source="""
async def shop(request, client, urls, seconds):
    door = asyncio.Semaphore(10)

    async def ask(url):
        async with door:
            try:
                async with asyncio.timeout(seconds):
                    response = await client.get(url)
                return response.raise_for_status().text
            except (httpx.HTTPError, TimeoutError):
                return None

    answers = await asyncio.gather(*map(ask, urls.values()))
    return JsonResponse(dict(zip(urls, answers)))
""",
        why="a limit is polite",
    ),
    Answer(
        "7.2",
        wrong="one-for-two",
        source="""
async def shop(request, client, urls, seconds):
    names = {url: name for name, url in urls.items()}

    async def ask(url):
        try:
            async with asyncio.timeout(seconds):
                response = await client.get(url)
            return response.raise_for_status().text
        except (httpx.HTTPError, TimeoutError):
            return None

    answers = await asyncio.gather(*map(ask, urls.values()))
    return JsonResponse({names[url]: text for url, text in zip(urls.values(), answers)})
""",
        why="an address has one name",
    ),
    Answer(
        "7.2",
        wrong="swallowed",
        source="""
async def shop(request, client, urls, seconds):
    async def ask(url):
        async with asyncio.timeout(seconds):
            return (await client.get(url)).raise_for_status().text

    answers = await asyncio.gather(*map(ask, urls.values()), return_exceptions=True)
    answers = [None if isinstance(each, Exception) else each for each in answers]
    return JsonResponse(dict(zip(urls, answers)))
""",
        why="whatever went wrong, it is None",
    ),
    Answer(
        "7.2",
        wrong="asks-again",
        source="""
async def shop(request, client, urls, seconds):
    async def once(url):
        async with asyncio.timeout(seconds):
            response = await client.get(url)
        return response.raise_for_status().text

    async def ask(url):
        for _ in range(2):
            try:
                return await once(url)
            except (httpx.HTTPError, TimeoutError):
                pass

    answers = await asyncio.gather(*map(ask, urls.values()))
    return JsonResponse(dict(zip(urls, answers)))
""",
        why="a second try often helps",
    ),
    Answer(
        "7.3",
        wrong="handlers-disagree",
        source="""
class Desk(LoginRequiredMixin, View):
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    def post(self, request, pk):
        Loan.objects.filter(pk=pk).update(returned=date.today())
        return redirect(request.path)
""",
        why="each handler is for itself",
    ),
    Answer(
        "7.3",
        wrong="redirect-awaited",
        source="""
class Desk(LoginRequiredMixin, View):
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="the mixin works as ever",
    ),
    Answer(
        "7.3",
        wrong="lazy-user",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)
"""
        ),
        why="an async `dispatch` is enough",
    ),
    Answer(
        "7.3",
        wrong="redirect-awaited",
        source="""
from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator

@method_decorator(login_required, name="dispatch")
class Desk(View):
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="login_required knows async views",
    ),
    Answer(
        "7.3",
        wrong="open-to-guests",
        source="""
class Desk(View):
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="without the mixin it works",
    ),
    Answer(
        "7.3",
        wrong="open-to-guests",
        source="""
class Desk(View):
    async def get(self, request, pk):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="who cannot see the page cannot send its form",
    ),
    Answer(
        "7.3",
        wrong="open-to-guests",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        user = request.auser()
        if user:
            return await super().dispatch(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())
"""
        ),
        why="a user is true",
    ),
    Answer(
        "7.3",
        wrong="not-to-login",
        source="""
from django.http import HttpResponseForbidden

class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return HttpResponseForbidden()
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="a guest is forbidden",
    ),
    Answer(
        "7.3",
        wrong="not-to-login",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect("/accounts/login/")
        return await super().dispatch(request, *args, **kwargs)
"""
        ),
        why="forgets the way back",
    ),
    Answer(
        "7.3",
        wrong="hidden-async",
        source="""
class Desk(View):
    def dispatch(self, request, *args, **kwargs):
        return self._dispatch(request, *args, **kwargs)

    async def _dispatch(self, request, pk):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await (self.show(pk) if request.method == "GET" else self.take_back(pk))

    async def show(self, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def take_back(self, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(self.request.path)
""",
        why="no handlers are needed where dispatch does it all",
    ),
    Answer(
        "7.3",
        wrong="still-sync",
        source="""
class Desk(LoginRequiredMixin, View):
    def get(self, request, pk):
        loan = get_object_or_404(Loan, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    def post(self, request, pk):
        Loan.objects.filter(pk=pk).update(returned=date.today())
        return redirect(request.path)
""",
        why="all sync agrees, too",
    ),
    Answer(
        "7.3",
        wrong="lazy-key",
        source=_desk(
            get="""
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")
"""
        ),
        why="what was fetched brings everything along",
    ),
    Answer(
        "7.3",
        wrong="awaited-queryset",
        source=_desk(
            get="""
    async def get(self, request, pk):
        loans = await Loan.objects.filter(pk=pk).select_related("book", "member")
        return HttpResponse(f"{loans[0].book}: {loans[0].member}")
"""
        ),
        why="`await` fetches a queryset",
    ),
    Answer(
        "7.3",
        wrong="sync-query",
        source=_desk(
            post="""
    async def post(self, request, pk):
        Loan.objects.filter(pk=pk).update(returned=date.today())
        return redirect(request.path)
"""
        ),
        why="an update gives nothing to wait for",
    ),
    Answer(
        "7.3",
        wrong="not-taken-back",
        source=_desk(
            post="""
    async def post(self, request, pk):
        Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
"""
        ),
        why="the a makes it async",
    ),
    Answer(
        "7.3",
        wrong="loses-the-loan",
        source=_desk(
            post="""
    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).adelete()
        return redirect(request.path)
"""
        ),
        why="what is back is no loan",
    ),
    Answer(
        "7.3",
        wrong="takes-more",
        source=_desk(
            post="""
    async def post(self, request, pk):
        await Loan.objects.filter(returned=None).aupdate(returned=date.today())
        return redirect(request.path)
"""
        ),
        why="forgets which loan",
    ),
    Answer(
        "7.3",
        wrong="no-redirect",
        source=_desk(
            post="""
    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return await self.get(request, pk)
"""
        ),
        why="saves the browser a request",
    ),
    Answer(
        "7.3",
        wrong="any-method",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await (self.get if request.method == "GET" else self.post)(request, **kwargs)
"""
        ),
        why="what is no GET is a POST",
    ),
    Answer(
        "7.3",
        wrong="any-method",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await getattr(self, request.method.lower())(request, *args, **kwargs)
"""
        ),
        why="finds the handler itself",
    ),
    Answer(
        "7.3",
        wrong="soft-404",
        source=_desk(
            get="""
    async def get(self, request, pk):
        loan = await Loan.objects.select_related("book", "member").filter(pk=pk).afirst()
        return HttpResponse(f"{loan.book}: {loan.member}" if loan else "No such loan")
"""
        ),
        why="the text says it",
    ),
    Answer(
        "7.3",
        wrong="no-response",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        await super().dispatch(request, *args, **kwargs)
"""
        ),
        why="forgets the return",
    ),
    Answer(
        "7.3",
        wrong="swallowed",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        try:
            user = await request.auser()
        except Exception:
            user = None
        if user is None or not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)
"""
        ),
        why="who cannot be looked up is a guest",
    ),
    Answer(
        "7.3",
        right="login_required around an async dispatch",
        source="""
from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator

class Desk(View):
    @method_decorator(login_required)
    async def dispatch(self, request, *args, **kwargs):
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
    ),
    Answer(
        "7.3",
        wrong="open-methods",
        source="""
from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator

class Desk(View):
    @method_decorator(login_required)
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    @method_decorator(login_required)
    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="there are two handlers, and each is guarded",
    ),
    Answer(
        "7.3",
        right="login_required around the view",
        source="""
from django.contrib.auth.decorators import login_required

class Desk(View):
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)

    @classmethod
    def as_view(cls, **initkwargs):
        return login_required(super().as_view(**initkwargs))
""",
    ),
    Answer(
        "7.3",
        wrong="lazy-user",
        source="""
class Desk(LoginRequiredMixin, View):
    async def dispatch(self, request, *args, **kwargs):
        user = await request.auser()
        if not user.is_authenticated:
            return self.handle_no_permission()
        return await View.dispatch(self, request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="the session is loaded by then; whose user is gone, it does not know",
    ),
    Answer(
        "7.3",
        right="a mixin of one's own, and the bodies on the worker",
        source="""
class MembersOnly:
    async def dispatch(self, request, *args, **kwargs):
        user = await request.auser()
        if user.is_authenticated:
            return await super().dispatch(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

class Desk(MembersOnly, View):
    @sync_to_async
    def get(self, request, pk):
        loan = get_object_or_404(Loan, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await sync_to_async(Loan.objects.filter(pk=pk).update)(returned=date.today())
        return redirect(request.path)
""",
    ),
    Answer(
        "7.3",
        wrong="forgotten-await",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)
"""
        ),
        why="`super()` is sync",
    ),
    Answer(
        "7.3",
        wrong="forgotten-await",
        source=_desk(
            dispatch="""
    async def dispatch(self, request, *args, **kwargs):
        if not request.auser().is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)
"""
        ),
        why="the a makes it async",
    ),
    Answer(
        "7.3",
        wrong="no-class",
        source="""
class MembersDesk(View):
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)

Desk = MembersDesk.as_view()
""",
        why="what stands in the URLconf is the desk",
    ),
    Answer(
        "7.3",
        wrong="loses-the-query",
        source="""
class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.path)
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="the path is where the guest was",
    ),
    Answer(
        "7.3",
        wrong="post-to-nothing",
        source="""
class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        loan = await aget_object_or_404(Loan, pk=pk)
        loan.returned = date.today()
        await loan.asave()
        return redirect(request.path)
""",
        why="what is not there is a 404",
    ),
    Answer(
        "7.3",
        wrong="tells-guests",
        source="""
class Desk(View):
    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        if not (await request.auser()).is_authenticated:
            return redirect_to_login(request.get_full_path())
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="first the loan, then the reader",
    ),
    Answer(
        "7.3",
        wrong="keeps-the-query",
        source="""
class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        user = await request.auser()
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loans = Loan.objects.select_related("book", "member")
        loan = await aget_object_or_404(loans, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.get_full_path())
""",
        why="back is to where the browser was",
    ),
    Answer(
        "7.3",
        wrong="unquoted",
        source="""
class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        user = await request.auser()
        if not user.is_authenticated:
            return redirect("/accounts/login/?next=" + request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loans = Loan.objects.select_related("book", "member")
        loan = await aget_object_or_404(loans, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="puts the address together by hand",
    ),
    Answer(
        "7.3",
        wrong="old-cookie",
        source="""
class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        if not await request.session.ahas_key("_auth_user_id"):
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loans = Loan.objects.select_related("book", "member")
        loan = await aget_object_or_404(loans, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="the session knows who is logged in",
    ),
    Answer(
        "7.3",
        wrong="open-loans-only",
        source="""
class Desk(View):
    async def dispatch(self, request, *args, **kwargs):
        user = await request.auser()
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loans = Loan.objects.select_related("book", "member")
        loan = await aget_object_or_404(loans, pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk, returned=None).aupdate(returned=date.today())
        return redirect(request.path)
""",
        why="what is back is back",
    ),
    Answer(
        "7.3",
        wrong="day-of-the-start",
        source="""
class Desk(View):
    today = date.today()

    async def dispatch(self, request, *args, **kwargs):
        user = await request.auser()
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return await super().dispatch(request, *args, **kwargs)

    async def get(self, request, pk):
        loan = await aget_object_or_404(Loan.objects.select_related("book", "member"), pk=pk)
        return HttpResponse(f"{loan.book}: {loan.member}")

    async def post(self, request, pk):
        await Loan.objects.filter(pk=pk).aupdate(returned=self.today)
        return redirect(request.path)
""",
        why="the day is looked up once, beside the handlers",
    ),
    Answer(
        "7.4",
        wrong="header-on-a-coroutine",
        source="""
def deprecated(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["Deprecation"] = "true"
        return response

    return wrapper
""",
        why="`wraps` makes it async",
    ),
    Answer(
        "7.4",
        wrong="awaits-everything",
        source="""
def deprecated(view):
    @wraps(view)
    async def wrapper(request, *args, **kwargs):
        response = await view(request, *args, **kwargs)
        response["Deprecation"] = "true"
        return response

    return wrapper
""",
        why="all views are async by now",
    ),
    Answer(
        "7.4",
        wrong="sync-on-the-loop",
        source="""
from inspect import isawaitable

def deprecated(view):
    @wraps(view)
    async def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if isawaitable(response):
            response = await response
        response["Deprecation"] = "true"
        return response

    return wrapper
""",
        why="one wrapper for both",
    ),
    Answer(
        "7.4",
        wrong="changes-the-kind",
        source="""
def deprecated(view):
    call = view if iscoroutinefunction(view) else sync_to_async(view)

    @wraps(view)
    async def wrapper(request, *args, **kwargs):
        response = await call(request, *args, **kwargs)
        response["Deprecation"] = "true"
        return response

    return wrapper
""",
        why="a sync view can be adapted",
    ),
    Answer(
        "7.4",
        wrong="async-on-a-thread",
        source="""
import asyncio

def deprecated(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        if iscoroutinefunction(view):
            response = asyncio.run(view(request, *args, **kwargs))
        else:
            response = view(request, *args, **kwargs)
        response["Deprecation"] = "true"
        return response

    return wrapper
""",
        why="asyncio.run runs an async view anywhere",
    ),
    Answer(
        "7.4",
        wrong="changes-the-kind",
        source="""
from asgiref.sync import async_to_sync

def deprecated(view):
    call = async_to_sync(view) if iscoroutinefunction(view) else view

    @wraps(view)
    def wrapper(request, *args, **kwargs):
        response = call(request, *args, **kwargs)
        response["Deprecation"] = "true"
        return response

    return wrapper
""",
        why="an async view can be adapted",
    ),
    Answer(
        "7.4",
        wrong="hidden-async",
        source="""
def deprecated(view):
    async def later(coroutine):
        response = await coroutine
        response["Deprecation"] = "true"
        return response

    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if iscoroutinefunction(view):
            return later(response)
        response["Deprecation"] = "true"
        return response

    wrapper.__name__, wrapper.__doc__ = getattr(view, "__name__", ""), view.__doc__
    wrapper.csrf_exempt = getattr(view, "csrf_exempt", False)
    return wrapper
""",
        why="whoever gets a coroutine awaits it",
    ),
    Answer(
        "7.4",
        wrong="loses-marks",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    else:
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    return wrapper
""",
        why="a wrapper is a function like any other",
    ),
    Answer(
        "7.4",
        wrong="loses-the-name",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    else:
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    wrapper.csrf_exempt = getattr(view, "csrf_exempt", False)
    return wrapper
""",
        why="copies the one mark that it knows",
    ),
    Answer(
        "7.4",
        wrong="no-view",
        source="""
async def deprecated(view):
    response = await view()
    response["Deprecation"] = "true"
    return response
""",
        why="a decorator for async views is async",
    ),
    Answer(
        "7.4",
        wrong="no-response",
        source="""
def deprecated(view):
    def decorator(function, **given):
        return function

    return wraps(view)(decorator)
""",
        why="a decorator returns a decorator",
    ),
    Answer(
        "7.4",
        wrong="loses-arguments",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request):
            response = await view(request)
            response["Deprecation"] = "true"
            return response
    else:
        @wraps(view)
        def wrapper(request):
            response = view(request)
            response["Deprecation"] = "true"
            return response
    return wrapper
""",
        why="a view takes a request",
    ),
    Answer(
        "7.4",
        wrong="loses-arguments",
        source="""
def deprecated(view):
    def marked(response):
        response["Deprecation"] = "true"
        return response

    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, **kwargs):
            return marked(await view(request, **kwargs))
    else:
        @wraps(view)
        def wrapper(request, **kwargs):
            return marked(view(request, **kwargs))
    return wrapper
""",
        why="an address has names for its parts",
    ),
    Answer(
        "7.4",
        wrong="mixes-arguments",
        source="""
def deprecated(view):
    def marked(response):
        response["Deprecation"] = "true"
        return response

    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            return marked(await view(*args, request, **kwargs))
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            return marked(view(*args, request, **kwargs))
    return wrapper
""",
        why="the stars come first",
    ),
    Answer(
        "7.4",
        wrong="no-header",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            request.META["Deprecation"] = "true"
            return await view(request, *args, **kwargs)
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            request.META["Deprecation"] = "true"
            return view(request, *args, **kwargs)
    return wrapper
""",
        why="a header is a header",
    ),
    Answer(
        "7.4",
        wrong="no-response",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            (await view(request, *args, **kwargs))["Deprecation"] = "true"
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            view(request, *args, **kwargs)["Deprecation"] = "true"
    return wrapper
""",
        why="forgets the return",
    ),
    Answer(
        "7.4",
        wrong="swallowed",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            try:
                response = await view(request, *args, **kwargs)
            except Exception:
                response = HttpResponse(status=500)
            response["Deprecation"] = "true"
            return response
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            try:
                response = view(request, *args, **kwargs)
            except Exception:
                response = HttpResponse(status=500)
            response["Deprecation"] = "true"
            return response
    return wrapper
""",
        why="the header belongs on each page",
    ),
    Answer(
        "7.4",
        wrong="other-exception",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            try:
                response = await view(request, *args, **kwargs)
            except Exception as error:
                raise RuntimeError("a deprecated view failed") from error
            response["Deprecation"] = "true"
            return response
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            try:
                response = view(request, *args, **kwargs)
            except Exception as error:
                raise RuntimeError("a deprecated view failed") from error
            response["Deprecation"] = "true"
            return response
    return wrapper
""",
        why="says what failed",
    ),
    Answer(
        "7.4",
        wrong="other-page",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response.content += b" (deprecated)"
            response["Deprecation"] = "true"
            return response
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response.content += b" (deprecated)"
            response["Deprecation"] = "true"
            return response
    return wrapper
""",
        why="readers should know, too",
    ),
    Answer(
        "7.4",
        right="a sync wrapper that is marked",
        source="""
from asgiref.sync import markcoroutinefunction

def deprecated(view):
    def marked(response):
        response.headers["Deprecation"] = "true"
        return response

    async def later(coroutine):
        return marked(await coroutine)

    @wraps(view)
    def wrapper(*args, **kwargs):
        response = view(*args, **kwargs)
        return later(response) if iscoroutinefunction(view) else marked(response)

    return markcoroutinefunction(wrapper) if iscoroutinefunction(view) else wrapper
""",
    ),
    Answer(
        "7.4",
        right="an object that is called",
        source="""
from functools import update_wrapper
from asgiref.sync import markcoroutinefunction

class deprecated:
    def __init__(self, view):
        update_wrapper(self, view)
        self.view = view
        if iscoroutinefunction(view):
            markcoroutinefunction(self)

    def __call__(self, request, *args, **kwargs):
        if iscoroutinefunction(self.view):
            return self.later(request, *args, **kwargs)
        return self.marked(self.view(request, *args, **kwargs))

    async def later(self, request, *args, **kwargs):
        return self.marked(await self.view(request, *args, **kwargs))

    def marked(self, response):
        response["Deprecation"] = "true"
        return response
""",
    ),
    Answer(
        "7.4",
        right="Django's decorator of a middleware",
        source="""
from django.utils.decorators import sync_and_async_middleware

def deprecated(view):
    if iscoroutinefunction(view):
        async def wrapper(*args, **kwargs):
            return with_header(await view(*args, **kwargs))
    else:
        def wrapper(*args, **kwargs):
            return with_header(view(*args, **kwargs))
    return wraps(view)(wrapper)

def with_header(response):
    response.headers.setdefault("Deprecation", "true")
    return response
""",
    ),
    Answer(
        "7.4",
        wrong="overlooks-async",
        source="""
import inspect
from functools import partial

def deprecated(view):
    inside = view.func if isinstance(view, partial) else view
    flags = getattr(getattr(inside, "__code__", None), "co_flags", 0)

    if flags & inspect.CO_COROUTINE:
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    else:
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response

    return wraps(view)(wrapper)
""",
        why="what is async was defined by `async def`, as inspect saw it before Python 3.12",
    ),
    Answer(
        "7.4",
        wrong="forgotten-await",
        source="""
def deprecated(view):
    def marked(response):
        response["Deprecation"] = "true"
        return response

    async def later(coroutine):
        return marked(await coroutine)

    if iscoroutinefunction(view):
        async def wrapper(request, *args, **kwargs):
            return later(view(request, *args, **kwargs))
    else:
        def wrapper(request, *args, **kwargs):
            return marked(view(request, *args, **kwargs))

    return wraps(view)(wrapper)
""",
        why="what an `async def` returns is awaited",
    ),
    Answer(
        "7.4",
        wrong="good-pages-only",
        source="""
def deprecated(view):
    def done(response):
        if response.status_code == 200:
            response["Deprecation"] = "true"
        return response
    if iscoroutinefunction(view):
        @wraps(view)
        async def wrapper(*args, **kwargs):
            return done(await view(*args, **kwargs))
    else:
        @wraps(view)
        def wrapper(*args, **kwargs):
            return done(view(*args, **kwargs))
    return wrapper
""",
        why="only pages go away",
    ),
    Answer(
        "7.4",
        wrong="swallowed",
        source="""
def deprecated(view):
    def marked(response):
        response["Deprecation"] = "true"
        return response

    if iscoroutinefunction(view):

        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            try:
                return marked(await view(request, *args, **kwargs))
            except KeyError:
                return marked(HttpResponse(status=404))
    else:

        @wraps(view)
        def wrapper(request, *args, **kwargs):
            return marked(view(request, *args, **kwargs))

    return wrapper
""",
        why="what a view does not find is not there",
    ),
    Answer(
        "7.4",
        wrong="loses-marks",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        @wraps(view, updated=())
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    else:
        @wraps(view, updated=())
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    wrapper.csrf_exempt = getattr(view, "csrf_exempt", False)
    return wrapper
""",
        why="copies the one mark that the card names",
    ),
    Answer(
        "7.4",
        wrong="awaits-everything",
        source="""
from inspect import unwrap

def deprecated(view):
    if iscoroutinefunction(unwrap(view)):
        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    else:
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response["Deprecation"] = "true"
            return response
    return wrapper
""",
        why="looks below the decorators that a view has already",
    ),
    Answer(
        "7.4",
        wrong="loses-marks",
        source="""
def deprecated(view):
    if iscoroutinefunction(view):
        async def wrapper(request, *args, **kwargs):
            response = await view(request, *args, **kwargs)
            response.headers["Deprecation"] = "true"
            return response
    else:
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response.headers["Deprecation"] = "true"
            return response
    wrapper.__name__ = getattr(view, "__name__", type(view).__name__)
    wrapper.__doc__ = view.__doc__
    wrapper.csrf_exempt = getattr(view, "csrf_exempt", False)
    wrapper.login_required = getattr(view, "login_required", True)
    return wrapper
""",
        why="two marks are all that Django reads",
    ),
    Answer(
        "7.4",
        right="a decorator that Django makes of a middleware",
        source="""
from django.utils.decorators import decorator_from_middleware
from django.utils.deprecation import MiddlewareMixin

class Deprecating(MiddlewareMixin):
    def process_response(self, request, response):
        response["Deprecation"] = "true"
        return response

deprecated = decorator_from_middleware(Deprecating)
""",
    ),
    Answer(
        "7.5",
        wrong="sync-form",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="a form only looks at texts",
    ),
    Answer(
        "7.5",
        wrong="sync-form",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = form.save()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="valid is valid",
    ),
    Answer(
        "7.5",
        wrong="no-such-method",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await form.ais_valid():
        return JsonResponse(form.errors, status=400)
    member = await form.asave()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="every method has a twin",
    ),
    Answer(
        "7.5",
        wrong="sync-session",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    request.session["joined"] = member.pk
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="a session is a dict",
    ),
    Answer(
        "7.5",
        wrong="not-kept",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="nothing to wait for",
    ),
    Answer(
        "7.5",
        wrong="keeps-another",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.name)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="the name says who it is",
    ),
    Answer(
        "7.5",
        wrong="lazy-user",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    return HttpResponse(f"{member.name} joined at the desk of {request.user.username}")
""",
        why="the middleware has loaded the user",
    ),
    Answer(
        "7.5",
        wrong="forgotten-await",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    return HttpResponse(f"{member.name} joined at the desk of {request.auser().username}")
""",
        why="the a makes it async",
    ),
    Answer(
        "7.5",
        wrong="awaits-no-coroutine",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid):
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="`sync_to_async` calls it",
    ),
    Answer(
        "7.5",
        wrong="always-valid",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="a condition needs no await",
    ),
    Answer(
        "7.5",
        wrong="no-check",
        source="""
async def join(request):
    name, email = request.POST["name"], request.POST["email"]
    member = await Member.objects.acreate(name=name, email=email)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="the form is in the way",
    ),
    Answer(
        "7.5",
        wrong="saved-anyway",
        source="""
async def join(request):
    name, email = request.POST["name"], request.POST["email"]
    if await Member.objects.filter(email=email).aexists():
        return JsonResponse({"email": ["This address is taken."]}, status=400)
    member = await Member.objects.acreate(name=name, email=email)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="the one check that asks the database",
    ),
    Answer(
        "7.5",
        wrong="not-saved",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = form.save(commit=False)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="`commit=False` avoids the query",
    ),
    Answer(
        "7.5",
        wrong="other-errors",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="the text says what is wrong",
    ),
    Answer(
        "7.5",
        wrong="other-errors",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return HttpResponse("Try again.", status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="400 says it all",
    ),
    Answer(
        "7.5",
        wrong="other-text",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    return HttpResponse(f"{member.name} joined at the desk of {member.name}")
""",
        why="who joined is the user",
    ),
    Answer(
        "7.5",
        wrong="other-status",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    text = f"{member.name} joined at the desk of {user.username}"
    return HttpResponse(text, status=201)
""",
        why="something was created",
    ),
    Answer(
        "7.5",
        wrong="query-in-pool",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await asyncio.to_thread(form.is_valid):
        return JsonResponse(form.errors, status=400)
    member = await asyncio.to_thread(form.save)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="a thread is a thread",
    ),
    Answer(
        "7.5",
        wrong="still-sync",
        source="""
def join(request):
    form = JoinForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    member = form.save()
    request.session["joined"] = member.pk
    return HttpResponse(f"{member.name} joined at the desk of {request.user.username}")
""",
        why="forms are sync, so the view is",
    ),
    Answer(
        "7.5",
        wrong="hidden-async",
        source="""
def join(request):
    form = JoinForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    return joined(request, form)

async def joined(request, form):
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="only what is async has to be",
    ),
    Answer(
        "7.5",
        wrong="no-response",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if await sync_to_async(form.is_valid)():
        member = await sync_to_async(form.save)()
        await request.session.aset("joined", member.pk)
        user = await request.auser()
        return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="nothing to say of a wrong form",
    ),
    Answer(
        "7.5",
        wrong="sync-query",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if Member.objects.filter(email=request.POST["email"]).exists():
        return JsonResponse({"email": ["This address is taken."]}, status=400)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="asks itself, before the form does",
    ),
    Answer(
        "7.5",
        wrong="swallowed",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    try:
        if not await sync_to_async(form.is_valid)():
            return JsonResponse(form.errors, status=400)
        member = await sync_to_async(form.save)()
    except Exception:
        return JsonResponse({"email": ["Try another one."]}, status=400)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="what the database refuses is the form's fault",
    ),
    Answer(
        "7.5",
        right="form and save in one crossing, the user first",
        source="""
async def join(request):
    user = await request.auser()
    form = JoinForm(request.POST)

    @sync_to_async
    def save():
        return form.save() if form.is_valid() else None

    member = await save()
    if member is None:
        return JsonResponse(form.errors, status=400)
    request.session["joined"] = member.pk
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
    ),
    Answer(
        "7.5",
        right="behind login_required",
        source="""
from django.contrib.auth.decorators import login_required

@login_required
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await Member.objects.acreate(**form.cleaned_data)
    await sync_to_async(request.session.__setitem__)("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
    ),
    Answer(
        "7.5",
        right="the whole body on the worker",
        source="""
@sync_to_async
def join(request):
    form = JoinForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    member = form.save()
    request.session["joined"] = member.pk
    return HttpResponse(f"{member.name} joined at the desk of {request.user.username}")
""",
    ),
    Answer(
        "7.5",
        right="asave of the object that the form has made",
        source="""
async def join(request):
    form = JoinForm(data=request.POST)
    if await sync_to_async(lambda: form.errors)():
        return JsonResponse(form.errors, status=400)
    await form.instance.asave()
    await request.session.aupdate({"joined": form.instance.pk})
    username = (await request.auser()).get_username()
    return HttpResponse(f"{form.instance.name} joined at the desk of {username}")
""",
    ),
    Answer(
        "7.5",
        wrong="called-too-early",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid()):
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="`sync_to_async` gets the call",
    ),
    Answer(
        "7.5",
        wrong="called-too-early",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save())
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="`sync_to_async` gets the call",
    ),
    Answer(
        "7.5",
        wrong="guests-refused",
        source="""
async def join(request):
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=403)
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="a desk has somebody at it",
    ),
    Answer(
        "7.5",
        wrong="swallowed",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    user = await request.auser()
    try:
        member = await sync_to_async(form.save)()
        await request.session.aset("joined", member.pk)
    except Exception:
        return JsonResponse(form.errors, status=400)
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="what goes wrong is the form",
    ),
    Answer(
        "7.5",
        wrong="saved-as-sent",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    fields = {name: request.POST[name] for name in ("name", "email")}
    member = await Member.objects.acreate(**fields)
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="acreate is the async twin of the save",
    ),
    Answer(
        "7.5",
        wrong="other-errors",
        source="""
async def join(request):
    form = JoinForm(request.POST or None)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="as each tutorial has it: an empty form is not even looked at",
    ),
    Answer(
        "7.5",
        wrong="other-errors",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors.get_json_data(), status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="the errors with their codes",
    ),
    Answer(
        "7.5",
        wrong="other-errors",
        source="""
async def join(request):
    if request.method != "POST":
        return HttpResponse(status=405)
    form = JoinForm(request.POST)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="a form is for POST",
    ),
    Answer(
        "7.5",
        wrong="kept-anyway",
        source="""
async def join(request):
    form = JoinForm(request.POST)
    await request.session.aset("joined", None)
    if not await sync_to_async(form.is_valid)():
        return JsonResponse(form.errors, status=400)
    member = await sync_to_async(form.save)()
    await request.session.aset("joined", member.pk)
    user = await request.auser()
    return HttpResponse(f"{member.name} joined at the desk of {user.username}")
""",
        why="begins with a clean session",
    ),
    Answer(
        "7.6",
        wrong="holds-the-loop",
        source="""
async def dashboard(request, url):
    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    async def ask_hours():
        try:
            return httpx.get(url, trust_env=False).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    user = await request.auser()
    lines, hours = await asyncio.gather(list_books(), ask_hours())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="gather makes a blocking call async",
    ),
    Answer(
        "7.6",
        wrong="other-text",
        source=r"""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    name = (user.get_full_name() or user.username) if user.is_authenticated else ""
    first = f"Good evening, {name}. Open: {hours}."
    return HttpResponse("\n".join([first, *lines]))
""",
        why="a member is greeted by the name that people use",
    ),
    Answer(
        "7.6",
        wrong="other-text",
        source=r"""
books = Book.objects.select_related("author")[:40]
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\n".join([first, *lines]))
""",
        why="the books stay, and only the loans change",
    ),
    Answer(
        "7.6",
        wrong="mixes-requests",
        source=r"""
state = {}
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    state["user"] = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {state['user'].username}. Open: {hours}."
    return HttpResponse("\n".join([first, *lines]))
""",
        why="a place that each request fills anew belongs to it",
    ),
    Answer(
        "7.6",
        wrong="other-text",
        source=r"""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")[:100]
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\n".join([first, *lines]))
""",
        why="no library has more than a hundred books out",
    ),
    Answer(
        "7.6",
        wrong="lazy-user",
        source=_dashboard(
            page="""
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    return HttpResponse("\\n".join([f"Good evening, {request.user}. Open: {hours}.", *lines]))
"""
        ),
        why="the middleware has loaded the user",
    ),
    Answer(
        "7.6",
        wrong="lazy-key",
        source=_dashboard(
            list_books="""
    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.all()[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]
"""
        ),
        why="sees the member, and not the author",
    ),
    Answer(
        "7.6",
        wrong="sync-query",
        source=_dashboard(
            list_books="""
    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" for b in books]
"""
        ),
        why="a loop is no query",
    ),
    Answer(
        "7.6",
        wrong="awaited-queryset",
        source=_dashboard(
            list_books="""
    async def list_books():
        loans = await Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = await Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" for b in books]
"""
        ),
        why="`await` fetches a queryset",
    ),
    Answer(
        "7.6",
        wrong="query-per-row",
        source="""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    async def line(book):
        loan = await book.loans.filter(returned=None).select_related("member").afirst()
        return f"{book} by {book.author}: {loan.member if loan else 'on the shelf'}"

    async def list_books():
        books = [book async for book in Book.objects.select_related("author")[:40]]
        return await asyncio.gather(*map(line, books))

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="gather makes forty lookups one",
    ),
    Answer(
        "7.6",
        wrong="query-too-many",
        source="""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    def line(book):
        out = [loan.member for loan in book.loans.all() if loan.returned is None]
        return f"{book} by {book.author}: {out[0] if out else 'on the shelf'}"

    async def list_books():
        books = Book.objects.prefetch_related("author", "loans__member")[:40]
        return [line(book) async for book in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="a prefetch joins",
    ),
    Answer(
        "7.6",
        wrong="one-after-another",
        source="""
async def dashboard(request, url):
    user = await request.auser()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            hours = (await client.get(url)).raise_for_status().text
    except httpx.HTTPError:
        hours = "ask at the desk"
    loans = Loan.objects.filter(returned=None).select_related("member")
    readers = {loan.book_id: loan.member async for loan in loans}
    books = Book.objects.select_related("author")[:40]
    lines = [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="an await lets the database run",
    ),
    Answer(
        "7.6",
        wrong="client-left-open",
        source=_dashboard(
            ask_hours="""
    async def ask_hours():
        client = httpx.AsyncClient(trust_env=False)
        try:
            return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"
"""
        ),
        why="a client needs no end",
    ),
    Answer(
        "7.6",
        wrong="no-page",
        source=_dashboard(
            ask_hours="""
    async def ask_hours():
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).raise_for_status().text
"""
        ),
        why="a service is always there",
    ),
    Answer(
        "7.6",
        wrong="error-page",
        source=_dashboard(
            ask_hours="""
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).text
        except httpx.HTTPError:
            return "ask at the desk"
"""
        ),
        why="a service that answers is well",
    ),
    Answer(
        "7.6",
        wrong="swallowed",
        source=_dashboard(
            ask_hours="""
    async def ask_hours():
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).raise_for_status().text
""",
            page="""
    user = await request.auser()
    both = await asyncio.gather(ask_hours(), list_books(), return_exceptions=True)
    hours = "ask at the desk" if isinstance(both[0], Exception) else both[0]
    lines = [] if isinstance(both[1], Exception) else both[1]
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        ),
        why="a page is better than none",
    ),
    Answer(
        "7.6",
        wrong="other-text",
        source=_dashboard(
            list_books="""
    async def list_books():
        loans = Loan.objects.select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]
"""
        ),
        why="whoever borrowed it has it",
    ),
    Answer(
        "7.6",
        wrong="other-text",
        source=_dashboard(
            page="""
    user = await request.auser()
    both = asyncio.as_completed([ask_hours(), list_books()])
    hours, lines = [await each for each in both]
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
"""
        ),
        why="takes what comes first for the hours",
    ),
    Answer(
        "7.6",
        wrong="forgotten-await",
        source=_dashboard(
            page="""
    user = await request.auser()
    hours, lines = ask_hours(), list_books()
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
"""
        ),
        why="both run by themselves",
    ),
    Answer(
        "7.6",
        wrong="no-query",
        source="""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    user, hours = await asyncio.gather(request.auser(), ask_hours())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))

loans = Loan.objects.filter(returned=None).select_related("member")
readers = {loan.book_id: loan.member async for loan in loans}
books = Book.objects.select_related("author")[:40]
lines = [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]
""",
        why="the books are known when the server starts",
    ),
    Answer(
        "7.6",
        wrong="query-in-pool",
        source="""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), asyncio.to_thread(list_books))
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="a thread is a thread",
    ),
    Answer(
        "7.6",
        wrong="still-sync",
        source="""
from concurrent.futures import ThreadPoolExecutor

def dashboard(request, url):
    def ask_hours():
        try:
            return httpx.get(url, trust_env=False).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    with ThreadPoolExecutor() as pool:
        hours = pool.submit(ask_hours)
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.select_related("author")[:40]
        lines = [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" for b in books]
    first = f"Good evening, {request.user.username}. Open: {hours.result()}."
    return HttpResponse("\\n".join([first, *lines]))
""",
        why="threads do it, too",
    ),
    Answer(
        "7.6",
        wrong="hidden-async",
        source="""
def dashboard(request, url):
    return page_of(request.user, url)

async def page_of(user, url):
    async with httpx.AsyncClient(trust_env=False) as client:
        hours = (await client.get(url)).raise_for_status().text
    return HttpResponse(f"Good evening, {user.username}. Open: {hours}.")
""",
        why="the user is looked up where it is allowed",
    ),
    Answer(
        "7.6",
        wrong="no-response",
        source="""
async def dashboard(request, url):
    user = await request.auser()
    return f"Good evening, {user.username}."
""",
        why="a text is a page",
    ),
    Answer(
        "7.6",
        right="one sync function, the blocking client in the pool",
        source="""
async def dashboard(request, url):
    def ask_hours():
        try:
            response = httpx.get(url, trust_env=False)
        except httpx.HTTPError:
            return "ask at the desk"
        return response.text if response.is_success else "ask at the desk"

    @sync_to_async
    def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" for b in books]

    hours = asyncio.create_task(asyncio.to_thread(ask_hours))
    lines = await list_books()
    user = await request.auser()
    first = f"Good evening, {user.username}. Open: {await hours}."
    return HttpResponse("\\n".join([first, *lines]))
""",
    ),
    Answer(
        "7.6",
        right="a task group, prefetched loans, a client that is closed by hand",
        source="""
from django.db.models import Prefetch

async def hours_of(url):
    client = httpx.AsyncClient(trust_env=False)
    try:
        response = await client.get(url)
        response.raise_for_status()
        return response.text
    except httpx.HTTPError:
        return "ask at the desk"
    finally:
        await client.aclose()

async def lines_of_books():
    out = Prefetch("loans", Loan.objects.filter(returned=None).select_related("member"))
    lines = []
    async for book in Book.objects.select_related("author").prefetch_related(out)[:40]:
        where = [str(loan.member) for loan in book.loans.all()] or ["on the shelf"]
        lines.append(f"{book} by {book.author}: {where[0]}")
    return lines

async def dashboard(request, url):
    user = await request.auser()
    async with asyncio.TaskGroup() as group:
        hours = group.create_task(hours_of(url))
        lines = group.create_task(lines_of_books())
    first = f"Good evening, {user.username}. Open: {hours.result()}."
    return HttpResponse("\\n".join([first, *lines.result()]))
""",
    ),
    Answer(
        "7.6",
        right="one client for all pages, one query with a subquery",
        source="""
from django.db.models import OuterRef, Subquery

client = httpx.AsyncClient(trust_env=False)

async def dashboard(request, url):
    async def ask_hours():
        try:
            response = await client.get(url)
        except httpx.RequestError:
            return "ask at the desk"
        return "ask at the desk" if response.is_error else response.text

    async def list_books():
        out = Loan.objects.filter(book=OuterRef("pk"), returned=None).values("member__name")
        books = Book.objects.annotate(reader=Subquery(out[:1])).select_related("author")
        return [f"{b} by {b.author}: {b.reader or 'on the shelf'}" async for b in books[:40]]

    user, hours, lines = await asyncio.gather(request.auser(), ask_hours(), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
    ),
    Answer(
        "7.6",
        wrong="client-left-open",
        source="""
async def ask_hours(url):
    client = httpx.AsyncClient(trust_env=False)
    try:
        answer = await client.get(url)
        answer.raise_for_status()
    except httpx.HTTPError:
        return "ask at the desk"
    await client.aclose()
    return answer.text


async def list_books():
    loans = Loan.objects.filter(returned=None).select_related("member")
    readers = {loan.book_id: loan.member async for loan in loans}
    books = Book.objects.select_related("author")[:40]
    return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]


async def dashboard(request, url):
    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(url), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="`aclose` stands in its place",
    ),
    Answer(
        "7.6",
        wrong="empty-for-failed",
        source="""
async def ask_hours(url):
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).raise_for_status().text or "ask at the desk"
    except httpx.HTTPError:
        return "ask at the desk"


async def list_books():
    loans = Loan.objects.filter(returned=None).select_related("member")
    readers = {loan.book_id: loan.member async for loan in loans}
    books = Book.objects.select_related("author")[:40]
    return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]


async def dashboard(request, url):
    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(url), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="`or` is shorter than `if`",
    ),
    Answer(
        "7.6",
        wrong="guests-refused",
        source="""
async def ask_hours(url):
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).raise_for_status().text
    except httpx.HTTPError:
        return "ask at the desk"


async def list_books():
    loans = Loan.objects.filter(returned=None).select_related("member")
    readers = {loan.book_id: loan.member async for loan in loans}
    books = Book.objects.select_related("author")[:40]
    return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]


async def dashboard(request, url):
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=403)
    hours, lines = await asyncio.gather(ask_hours(url), list_books())
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="a dashboard is for members",
    ),
    Answer(
        "7.6",
        wrong="error-page",
        source=r"""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.text if response.status_code < 500 else "ask at the desk"
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\n".join([first, *lines]))
""",
        why="an error of the server begins with 5",
    ),
    Answer(
        "7.6",
        wrong="cancel-swallowed",
        source=r"""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    try:
        hours, lines = await asyncio.gather(ask_hours(), list_books())
    except asyncio.CancelledError:
        hours, lines = "ask at the desk", []
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\n".join([first, *lines]))
""",
        why="whatever ends the work, there is a page",
    ),
    Answer(
        "7.6",
        wrong="no-page",
        source="""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.raise_for_status().text
        except (httpx.ConnectError, httpx.HTTPStatusError):
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\\n".join([first, *lines]))
""",
        why="who cannot be reached cannot be connected to",
    ),
    Answer(
        "7.6",
        wrong="one-status-alone",
        source="""
async def dashboard(request, url):
    async def ask_hours():
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            return response.text if response.status_code == 200 else "ask at the desk"
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\\n".join([first, *lines]))
""",
        why="200 is what went well",
    ),
    Answer(
        "7.6",
        wrong="remembers-hours",
        source="""
known = {}

async def dashboard(request, url):
    async def ask_hours():
        if url in known:
            return known[url]
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(url)
            known[url] = response.raise_for_status().text
            return known[url]
        except httpx.HTTPError:
            return "ask at the desk"

    async def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        readers = {loan.book_id: loan.member async for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {readers.get(b.pk, 'on the shelf')}" async for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(ask_hours(), list_books())
    first = f"Good evening, {user.username}. Open: {hours}."
    return HttpResponse("\\n".join([first, *lines]))
""",
        why="the hours are the same all day",
    ),
    Answer(
        "7.6",
        wrong="client-left-open",
        source="""
async def dashboard(request, url):
    def ask_hours():
        client = httpx.Client(trust_env=False)
        try:
            return client.get(url).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        out = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {out.get(b.pk, 'on the shelf')}" for b in books]

    user = await request.auser()
    hours, lines = await asyncio.gather(
        asyncio.to_thread(ask_hours), sync_to_async(list_books)()
    )
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="a sync client needs no `async with`",
    ),
    Answer(
        "7.6",
        wrong="holds-the-loop",
        source="""
from concurrent.futures import ThreadPoolExecutor


async def dashboard(request, url):
    def ask_hours():
        try:
            return httpx.get(url, trust_env=False).raise_for_status().text
        except httpx.HTTPError:
            return "ask at the desk"

    def list_books():
        loans = Loan.objects.filter(returned=None).select_related("member")
        out = {loan.book_id: loan.member for loan in loans}
        books = Book.objects.select_related("author")[:40]
        return [f"{b} by {b.author}: {out.get(b.pk, 'on the shelf')}" for b in books]

    user = await request.auser()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask_hours)
        lines = await sync_to_async(list_books)()
        hours = asked.result()
    return HttpResponse("\\n".join([f"Good evening, {user.username}. Open: {hours}.", *lines]))
""",
        why="a future has its result when it is needed",
    ),
    Answer(
        "7.6",
        right="a Prefetch of the open loans",
        source="""
from django.db.models import Prefetch

async def dashboard(request, url):
    async def ask_hours():
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                response = await client.get(url)
                response.raise_for_status()
            except httpx.HTTPError:
                return "ask at the desk"
            return response.text

    out = Loan.objects.filter(returned=None).select_related("member")
    books = Book.objects.select_related("author").prefetch_related(
        Prefetch("loans", queryset=out, to_attr="out")
    )
    user = await request.auser()
    asked = asyncio.create_task(ask_hours())
    lines = [
        f"{b} by {b.author}: {b.out[0].member if b.out else 'on the shelf'}"
        async for b in books[:40]
    ]
    first = f"Good evening, {user.username}. Open: {await asked}."
    return HttpResponse("\\n".join([first, *lines]))
""",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "A task that is awaited at once changes nothing: a query, a request and a handler of "
            "this page set no context variable."
        ),
        mutants=(
            "7.1 task-for-each@4",
            "7.2 task-for-each@6",
            "7.3 task-for-each@4",
            "7.3 task-for-each@7",
            "7.3 task-for-each@11",
            "7.3 task-for-each@15",
            "7.4 task-for-each@11",
            "7.5 task-for-each@7",
            "7.5 task-for-each@8",
            "7.6 task-for-each@6",
            "7.6 task-for-each@17",
        ),
    ),
    Equivalent(
        because=(
            "`select_related()` without names follows every foreign key that is not null, and in "
            "whatever order they are named."
        ),
        mutants=(
            "7.1 argument-dropped@3",
            "7.3 arguments-exchanged@10",
            "7.6 argument-dropped@12",
            "7.6 argument-dropped@14",
        ),
    ),
    Equivalent(
        because="A function that ends without a `return` gives None as well.",
        mutants=("7.2 handler-silenced@8",),
    ),
    Equivalent(
        because="`gather` gives one answer for each service, so both are always of one length.",
        mutants=("7.2 keyword-dropped@12", "7.2 constant-changed@12"),
    ),
    Equivalent(
        because="`path` gives the arguments of an address by their names, and none by its place.",
        mutants=("7.3 argument-dropped@7#2", "7.3 arguments-exchanged@7"),
    ),
    Equivalent(
        because="Nothing that is written there raises: a response takes any header.",
        mutants=("7.4 exception-swallowed@1", "7.4 exception-swallowed@3"),
    ),
    Equivalent(
        because="What a client raises for a request to a good address is an `httpx.HTTPError`.",
        mutants=("7.6 exception-swallowed@3", "7.6 handler-widened@8"),
    ),
    Equivalent(
        because="No client uses a proxy on its way to this machine, where the environment says so.",
        mutants=("7.6 keyword-dropped@5", "7.6 constant-changed@5"),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {
    "awaiting-reveal": "A request of the run that was interrupted is counted, too.",
    "hidden-got": "The last traceback is that of the interrupt.",
}

EXAMPLES = {
    "7.1": """\
response = await Site(path("<int:pk>/", book_page)).get("/1/")
assert response.text == "Sense and Sensibility by Jane Austen"
""",
    "7.2": """\
response = await Site(path("", shop, given)).get("/")
await given["client"].aclose()
assert response.text == '{"price": "12.50", "stock": "2 copies"}'
""",
    "7.3": """\
response = await Site(path("<int:pk>/", Desk.as_view())).get("/1/")
assert response.status == 302
""",
    "7.4": """\
assert iscoroutinefunction(deprecated(book_page)) is True
""",
    "7.5": """\
from django.test import AsyncRequestFactory

request = AsyncRequestFactory().post("/", {"name": "Tomoko", "email": "no address"})
assert (await join(request)).status_code == 400
""",
    "7.6": """\
from asynclab.lessons.vocabulary.serving import cookie_of, visit

hours = SlowService("until 19:00", seconds=0)
page = await visit(dashboard, url=hours.url, cookie=await cookie_of("amara"))
assert page.text.splitlines()[0] == "Good evening, amara. Open: until 19:00."
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "output-edited-in-07",
        "an output edited",
        output(NOTEBOOK, "sync-page-counted", "most: 1", "most: 3"),
        compared(
            *(7, "boot", "imports", "sync-page", "sync-page-run", "sync-page-counted"),
        ),
        ("most: 3", "most: 1", "Cell outputs differ"),
    ),
    Fault(
        "request-that-goes-on-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson07.py",
            "await until(lambda: not line.under_way, seconds=1)",
            "await until(lambda: True, seconds=1)",
        ),
        verdict("7.2 goes-on"),
        ("('passed', '') == ('not yet', 'goes-on')",),
    ),
    Fault(
        "client-left-open-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson07.py", "client.is_closed for client in", "client for client in"
        ),
        verdict("7.6 client-left-open"),
        ("('passed', '') == ('not yet', 'client-left-open')",),
    ),
    Fault(
        "kind-of-a-decorated-view-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson07.py",
            "if await look(driver=_is_async) != is_async",
            "if False",
        ),
        verdict("7.4 changes-the-kind"),
        ("('passed', '') == ('not yet', 'changes-the-kind')",),
    ),
]
