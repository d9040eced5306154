"""What the tests know of lesson 13."""

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/13_*.ipynb"
CHECKS = "asynclab/lessons/lesson13.py"

_page = in_pieces(
    "def member_page(request, pk):",
    member="""
    member = get_object_or_404(Member, pk=pk)
    loans = member.loans.select_related("book")
""",
    titles="""
    titles = [loan.book.title for loan in loans.filter(returned=None)]
""",
    returned="""
    returned = loans.exclude(returned=None).count()
""",
    response="""
    return HttpResponse(f"{member.name}: {', '.join(titles)} ({returned} returned)")
""",
)

_async_page = in_pieces(
    "async def member_page(request, pk):",
    member="""
    member = await aget_object_or_404(Member, pk=pk)
    loans = member.loans.select_related("book")
""",
    titles="""
    titles = [loan.book.title async for loan in loans.filter(returned=None)]
""",
    returned="""
    returned = await loans.exclude(returned=None).acount()
""",
    response="""
    return HttpResponse(f"{member.name}: {', '.join(titles)} ({returned} returned)")
""",
)

_SYNC_PAGE = _page().replace("def member_page", "def sync_page")

VIEWS = [
    Answer(
        "13.1",
        wrong="own-404",
        source=_page(
            member="""
    member = Member.objects.filter(pk=pk).first()
    if member is None:
        return HttpResponse("There is no such member.", status=404)
    loans = member.loans.select_related("book")
"""
        ),
        why="404 is a status",
    ),
    Answer(
        "13.1",
        wrong="switch-for-each",
        source=_async_page(),
        why="under ASGI a view is async",
    ),
    Answer(
        "13.1",
        wrong="gathered-switches",
        source=_async_page(
            titles="""
    async def open_titles():
        return [loan.book.title async for loan in loans.filter(returned=None)]
""",
            returned="""
    titles, returned = await asyncio.gather(
        open_titles(), loans.exclude(returned=None).acount()
    )
""",
        ),
        why="what is gathered costs one switch",
    ),
    Answer(
        "13.1",
        wrong="switch-for-each",
        source=_page(
            returned="""
    from asgiref.sync import async_to_sync
    returned = async_to_sync(loans.exclude(returned=None).acount)()
"""
        ),
        why="the async twin is the newer one",
    ),
    Answer(
        "13.1",
        wrong="loop-under-wsgi",
        source=_SYNC_PAGE
        + """

async def member_page(request, pk):
    return await sync_to_async(sync_page)(request, pk)
""",
        why="one crossing is one crossing",
    ),
    Answer(
        "13.1",
        wrong="loop-under-wsgi",
        source="@sync_to_async" + _page(),
        why="what touches the database wears the adapter",
    ),
    Answer(
        "13.1",
        wrong="sync-query",
        source=_page().replace("def member_page", "async def member_page"),
        why="takes the a's away, and leaves the first one",
    ),
    Answer(
        "13.1",
        wrong="query-on-the-loop",
        source="import os\n\n"
        + _SYNC_PAGE
        + """

async def member_page(request, pk):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        return sync_page(request, pk)
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
""",
        why="no switch is cheaper than one",
    ),
    Answer(
        "13.1",
        wrong="twin-without-await",
        source=_page(
            member="""
    member = aget_object_or_404(Member, pk=pk)
    loans = member.loans.select_related("book")
"""
        ),
        why="forgets one of the a's",
    ),
    Answer(
        "13.1",
        wrong="other-text",
        source=_page(
            returned="""
    returned = loans.exclude(returned=None).acount()
"""
        ),
        why="forgets another one, whose coroutine stands on the page",
    ),
    Answer(
        "13.1",
        wrong="no-404",
        source=_page().replace("get_object_or_404(Member, ", "Member.objects.get("),
        why="the plain method is the sync twin",
    ),
    Answer(
        "13.1",
        wrong="query-for-each",
        source=_page().replace('.select_related("book")', ""),
        why="in a sync view the dot may ask",
    ),
    Answer(
        "13.1",
        wrong="other-text",
        source=_page().replace(
            '.select_related("book")', '.select_related("book").order_by("-due")'
        ),
        why="the last one first",
    ),
    Answer(
        "13.1",
        wrong="other-status",
        source=_page(
            member="""
    member = Member.objects.filter(pk=pk).first()
    if member is None:
        return HttpResponse("nobody")
    loans = member.loans.select_related("book")
"""
        ),
        why="a page for everybody",
    ),
    Answer(
        "13.1",
        wrong="no-response",
        source=_page(
            response="""
    f"{member.name}: {', '.join(titles)} ({returned} returned)"
"""
        ),
        why="the last line is what comes of it",
    ),
    Answer(
        "13.1",
        wrong="query-in-pool",
        source="from concurrent.futures import ThreadPoolExecutor\n\n"
        + _SYNC_PAGE
        + """

def member_page(request, pk):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(sync_page, request, pk).result()
""",
        why="a thread for the work of each visitor",
    ),
    Answer(
        "13.1",
        wrong="query-elsewhere",
        source="import threading\n"
        + _SYNC_PAGE
        + """

def member_page(request, pk):
    pages = []
    thread = threading.Thread(target=lambda: pages.append(sync_page(request, pk)))
    thread.start()
    thread.join()
    return pages[0]
""",
        why="so that the worker is free",
    ),
    Answer(
        "13.1",
        wrong="forgotten-await",
        source=_SYNC_PAGE
        + """

async def member_page(request, pk):
    return sync_to_async(sync_page)(request, pk)
""",
        why="the adapter gives the page",
    ),
    Answer(
        "13.1",
        wrong="hidden-async",
        source=_SYNC_PAGE
        + """

class MemberPage:
    async def __call__(self, request, pk):
        return await sync_to_async(sync_page)(request, pk)


member_page = MemberPage()
""",
        why="what can be called is a view",
    ),
    Answer(
        "13.1",
        wrong="swallowed",
        source="pages = {}\n"
        + _SYNC_PAGE
        + """

def member_page(request, pk):
    if pk not in pages:
        pages[pk] = sync_page(request, pk)
    return pages[pk]
""",
        why="the cheapest query is the one of last time",
    ),
    Answer(
        "13.1",
        wrong="async-for-over-a-list",
        source=_async_page(
            titles="""
    out = await sync_to_async(list)(loans.filter(returned=None))
    titles = [loan.book.title async for loan in out]
"""
        ),
        why="every loop has an `async` here",
    ),
    Answer(
        "13.1",
        right="a class",
        source="from django.views import View\n\n"
        + _SYNC_PAGE
        + """

class MemberPage(View):
    def get(self, request, pk):
        return sync_page(request, pk)


member_page = MemberPage.as_view()
""",
    ),
    Answer(
        "13.1",
        right="two queries",
        source="""
def member_page(request, pk):
    member = get_object_or_404(Member.objects.prefetch_related("loans__book"), pk=pk)
    loans = sorted(member.loans.all(), key=lambda loan: (loan.due, loan.pk))
    titles = [loan.book.title for loan in loans if loan.returned is None]
    returned = len(loans) - len(titles)
    return HttpResponse(f"{member.name}: {', '.join(titles)} ({returned} returned)")
""",
    ),
    Answer(
        "13.1",
        right="raises Http404 itself",
        source="from django.http import Http404\n"
        + _page(
            member="""
    try:
        member = Member.objects.get(pk=pk)
    except Member.DoesNotExist:
        raise Http404 from None
    loans = member.loans.select_related("book")
"""
        ),
    ),
]


def _import(body: str, decorator: str = "@transaction.atomic", last: str = "") -> str:
    """An import whose rows go through one function of the worker."""
    last = last or "return await sync_to_async(add_or_rename)()"
    lines = body.strip("\n")
    return f"""
async def import_members(rows):
    {decorator}
    def add_or_rename():
{lines}

    {last}
""".replace("    \n", "")


_FOR = """
        new = 0
        for name, email in rows:
            _, created = Member.objects.update_or_create({"name": name}, email=email)
            new += created
        return new
"""

IMPORTS = [
    Answer(
        "13.2",
        wrong="other-name",
        source="""
async def import_members(rows):
    @transaction.atomic
    def add_or_rename():
        new = 0
        for name, email in rows:
            names = {"name": name and " ".join(name.split())}
            _, created = Member.objects.update_or_create(names, email=email)
            new += created
        return new

    return await sync_to_async(add_or_rename)()
""",
        why="blanks in a file are there by mistake",
    ),
    Answer(
        "13.2",
        wrong="half-imported",
        source="""
async def import_members(rows):
    def add_or_rename():
        before, added = {}, []
        try:
            for name, email in rows:
                before[email] = Member.objects.filter(email=email).first()
                member, created = Member.objects.update_or_create({"name": name}, email=email)
                if created:
                    added.append(member.pk)
        except Exception:
            Member.objects.filter(pk__in=added).delete()
            for member in before.values():
                if member is not None:
                    member.save()
            raise
        return len(added)

    return await sync_to_async(add_or_rename)()
""",
        why="what has been done can be undone",
    ),
    Answer(
        "13.2",
        wrong="other-address",
        source="""
async def import_members(rows):
    @transaction.atomic
    def add_or_rename():
        new = 0
        for name, email in rows:
            if not Member.objects.filter(email__iexact=email).update(name=name):
                Member.objects.create(name=name, email=email)
                new += 1
        return new

    return await sync_to_async(add_or_rename)()
""",
        why="capitals do not matter in an address",
    ),
    Answer(
        "13.2",
        wrong="counts-others",
        source="""
async def import_members(rows):
    def add_or_rename():
        before = Member.objects.count()
        with transaction.atomic():
            for name, email in rows:
                Member.objects.update_or_create({"name": name}, email=email)
        return Member.objects.count() - before

    return await sync_to_async(add_or_rename)()
""",
        why="what has been added is the difference",
    ),
    Answer(
        "13.2",
        wrong="switch-for-each-row",
        source="""
async def import_members(rows):
    new = 0
    for name, email in rows:
        _, created = await Member.objects.aupdate_or_create({"name": name}, email=email)
        new += created
    return new
""",
        why="each `await` frees the loop, and that is what async is for",
    ),
    Answer(
        "13.2",
        wrong="gathered-hops",
        source="""
async def import_members(rows):
    done = await asyncio.gather(
        *[Member.objects.aupdate_or_create({"name": name}, email=email) for name, email in rows]
    )
    return sum(created for _, created in done)
""",
        why="together is one crossing",
    ),
    Answer(
        "13.2",
        wrong="query-in-pool",
        source=_import(_FOR, last="return await asyncio.to_thread(add_or_rename)"),
        why="a thread is a thread",
    ),
    Answer(
        "13.2",
        wrong="query-in-pool",
        source=_import(
            _FOR, last="return await sync_to_async(add_or_rename, thread_sensitive=False)()"
        ),
        why="so that nobody waits for the import",
    ),
    Answer(
        "13.2",
        wrong="sync-query",
        source=_import(_FOR, last="return add_or_rename()"),
        why="no switch is the cheapest",
    ),
    Answer(
        "13.2",
        wrong="query-on-the-loop",
        source="import os\n"
        + _import(
            _FOR,
            last="""os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        return add_or_rename()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]""",
        ),
        why="nobody else is served at night",
    ),
    Answer(
        "13.2",
        wrong="waits-on-the-loop",
        source="from concurrent.futures import ThreadPoolExecutor\n"
        + _import(
            _FOR,
            last="""with ThreadPoolExecutor(1) as pool:
        return pool.submit(add_or_rename).result()""",
        ),
        why="off the loop is off the loop",
    ),
    Answer(
        "13.2",
        wrong="second-loop",
        source=_import(
            _FOR,
            last="""def run():
        return asyncio.run(sync_to_async(add_or_rename)())

    return await asyncio.to_thread(run)""",
        ),
        why="a thread with a loop of its own",
    ),
    Answer(
        "13.2",
        wrong="query-elsewhere",
        source="from asgiref.sync import ThreadSensitiveContext\n"
        + _import(
            _FOR,
            last="""async with ThreadSensitiveContext():
        return await sync_to_async(add_or_rename)()""",
        ),
        why="a worker of its own, so that nobody stands in line",
    ),
    Answer(
        "13.2",
        wrong="returned-coroutine",
        source=_import(_FOR, last="return sync_to_async(add_or_rename)()"),
        why="forgets the `await`",
    ),
    Answer(
        "13.2",
        wrong="known-address",
        source="""
async def import_members(rows):
    members = [Member(name=name, email=email) for name, email in rows]
    return len(await Member.objects.abulk_create(members))
""",
        why="one query for all rows",
    ),
    Answer(
        "13.2",
        wrong="keeps-old-name",
        source=_import(_FOR.replace("update_or_create", "get_or_create")),
        why="creates what is missing",
    ),
    Answer(
        "13.2",
        wrong="keeps-old-name",
        source="""
async def import_members(rows):
    members = [Member(name=name, email=email) for name, email in rows]
    return len(await Member.objects.abulk_create(members, ignore_conflicts=True))
""",
        why="conflicts are ignored",
    ),
    Answer(
        "13.2",
        wrong="counts-rows",
        source="""
async def import_members(rows):
    members = [Member(name=name, email=email) for name, email in rows]
    how = {"update_conflicts": True, "update_fields": ["name"], "unique_fields": ["email"]}
    return len(await Member.objects.abulk_create(members, **how))
""",
        why="what comes back was created",
    ),
    Answer(
        "13.2",
        wrong="rows-used-up",
        source=_import(
            _FOR,
            last="""number = len(list(rows))
    await sync_to_async(add_or_rename)()
    return number""",
        ),
        why="counts them first",
    ),
    Answer(
        "13.2",
        wrong="no-length",
        source=_import(
            _FOR,
            last="""if len(rows) == 0:
        return 0
    return await sync_to_async(add_or_rename)()""",
        ),
        why="rows are a list",
    ),
    Answer(
        "13.2",
        wrong="no-length",
        source=_import(_FOR.replace("in rows:", "in rows[:]:")),
        why="goes through a copy",
    ),
    Answer(
        "13.2",
        wrong="half-imported",
        source=_import(_FOR, decorator=""),
        why="each row is a transaction, as before",
    ),
    Answer(
        "13.2",
        wrong="swallowed",
        source=_import(
            _FOR,
            last="""try:
        return await sync_to_async(add_or_rename)()
    except Exception:
        return 0""",
        ),
        why="none of them was added",
    ),
    Answer(
        "13.2",
        wrong="cancel-swallowed",
        source=_import(
            _FOR,
            last="""try:
        return await sync_to_async(add_or_rename)()
    except asyncio.CancelledError:
        return 0""",
        ),
        why="whoever has left wants no number",
    ),
    Answer(
        "13.2",
        wrong="loses-loans",
        source=_import("""
        new = 0
        for name, email in rows:
            new += not Member.objects.filter(email=email).delete()[0]
            Member.objects.create(name=name, email=email)
        return new
"""),
        why="the new row takes the place of the old one",
    ),
    Answer(
        "13.2",
        wrong="other-members",
        source=_import("""
        new, seen = 0, set()
        for name, email in rows:
            if email not in seen:
                _, created = Member.objects.update_or_create({"name": name}, email=email)
                new += created
                seen.add(email)
        return new
"""),
        why="an address that came is done",
    ),
    Answer(
        "13.2",
        wrong="switches-again",
        source="""
async def import_members(rows):
    names = {email: name for name, email in rows}
    known = await Member.objects.filter(email__in=names).acount()
    members = [Member(name=name, email=email) for email, name in names.items()]
    how = {"update_conflicts": True, "update_fields": ["name"], "unique_fields": ["email"]}
    await Member.objects.abulk_create(members, **how)
    return len(names) - known
""",
        why="a constant number of switches is one",
    ),
    Answer(
        "13.2",
        wrong="reads-on-the-loop",
        source=_import(
            _FOR.replace("in rows:", "in read:"),
            last="""read = list(rows)
    return await sync_to_async(add_or_rename)()""",
        ),
        why="only the queries have to be over there",
    ),
    Answer(
        "13.2",
        wrong="nothing-given",
        source=_import("""
        names = {email: name for name, email in rows}
        if not names:
            return None
        new = 0
        for email, name in names.items():
            _, created = Member.objects.update_or_create({"name": name}, email=email)
            new += created
        return new
"""),
        why="no rows, no number",
    ),
    Answer(
        "13.2",
        wrong="async-with",
        source="""
async def import_members(rows):
    new = 0
    async with transaction.atomic():
        for name, email in rows:
            _, created = await Member.objects.aupdate_or_create({"name": name}, email=email)
            new += created
    return new
""",
        why="in async code a block is async",
    ),
    Answer(
        "13.2",
        right="a block",
        source="""
def add_or_rename(rows):
    with transaction.atomic():
        made = [Member.objects.update_or_create({"name": n}, email=e)[1] for n, e in rows]
    return made.count(True)


async def import_members(rows):
    return await sync_to_async(add_or_rename)(rows)
""",
    ),
    Answer(
        "13.2",
        right="reads the file first",
        source=_import(
            _FOR.replace("        new = 0", "        read = list(rows)\n        new = 0").replace(
                "in rows:", "in read:"
            )
        ),
    ),
    Answer(
        "13.2",
        right="the decorator",
        source="""
@sync_to_async
@transaction.atomic
def import_members(rows):
    new = 0
    for name, email in rows:
        _, created = Member.objects.update_or_create({"name": name}, email=email)
        new += created
    return new
""",
    ),
    Answer(
        "13.2",
        right="two queries for all rows",
        source=_import("""
        names = {email: name for name, email in rows}
        known = Member.objects.filter(email__in=names).count()
        members = [Member(name=name, email=email) for email, name in names.items()]
        Member.objects.bulk_create(
            members, update_conflicts=True, update_fields=["name"], unique_fields=["email"]
        )
        return len(names) - known
"""),
    ),
]

_times = in_pieces(
    "async def times_faster(old, new, rounds, clock):",
    seconds="""
    async def seconds(function):
        start = clock()
        await function()
        return clock() - start
""",
    warm="""
    await old()
    await new()
""",
    rounds="""
    olds, news = [], []
    for _ in range(rounds):
        olds.append(await seconds(old))
        news.append(await seconds(new))
""",
    ratio="""
    return median(olds) / median(news)
""",
)

BENCHMARKS = [
    Answer(
        "13.3",
        wrong="cold",
        source="""
async def times_faster(old, new, rounds, clock):
    async def mean(function):
        start = clock()
        for _ in range(rounds):
            await function()
        return (clock() - start) / rounds

    return await mean(old) / await mean(new)
""",
        why="more rounds, more truth",
    ),
    Answer(
        "13.3",
        wrong="other-number",
        source="""
async def times_faster(old, new, rounds, clock):
    async def seconds(function):
        start = clock()
        await function()
        return clock() - start

    await old()
    await new()
    olds, news = [], []
    for _ in range(rounds // 2):
        olds += [await seconds(old), await seconds(old)]
        news += [await seconds(new), await seconds(new)]
    return median(olds) / median(news)
""",
        why="two calls of each make a turn",
    ),
    Answer("13.3", wrong="cold", source=_times(warm=""), why="a median leaves the cold one out"),
    Answer(
        "13.3",
        wrong="cold",
        source=_times(warm="    await old()\n"),
        why="the machine is warm then",
    ),
    Answer(
        "13.3",
        wrong="cold-counted",
        source=_times(warm="").replace("range(rounds)", "range(rounds + 1)"),
        why="one round more, for the warmth",
    ),
    Answer(
        "13.3",
        wrong="one-sample",
        source=_times(
            rounds="""
    return await seconds(old) / await seconds(new)
""",
            ratio="",
        ),
        why="warm is enough",
    ),
    Answer(
        "13.3",
        wrong="mean",
        source="from statistics import mean\n" + _times().replace("median(", "mean("),
        why="an average is an average",
    ),
    Answer(
        "13.3",
        wrong="mean",
        source=_times(
            ratio="""
    return sum(olds) / sum(news)
"""
        ),
        why="all of the time, against all of the time",
    ),
    Answer(
        "13.3",
        wrong="fastest",
        source=_times().replace("median(", "min("),
        why="the least disturbed call is the truest",
    ),
    Answer(
        "13.3",
        wrong="upside-down",
        source=_times(
            ratio="""
    return median(news) / median(olds)
"""
        ),
        why="new against old",
    ),
    Answer(
        "13.3",
        wrong="mean",
        source="from statistics import mean\n"
        + _times(
            ratio="""
    return mean([one / other for one, other in zip(olds, news)])
"""
        ),
        why="a ratio for each round, and what is usual of those",
    ),
    Answer(
        "13.3",
        wrong="upside-down",
        source=_times(
            ratio="""
    return median([other / one for one, other in zip(olds, news)])
"""
        ),
        why="new against old, round by round",
    ),
    Answer(
        "13.3",
        wrong="cold-counted",
        source=_times(warm="")
        .replace("range(rounds)", "range(rounds + 1)")
        .replace(
            "median(olds) / median(news)",
            "median([one / other for one, other in zip(olds, news)])",
        ),
        why="a cold pair is out of the middle",
    ),
    Answer(
        "13.3",
        wrong="one-of-two",
        source=_times(
            ratio="""
    return sorted(olds)[rounds // 2] / sorted(news)[rounds // 2]
"""
        ),
        why="the one in the middle",
    ),
    Answer(
        "13.3",
        wrong="in-blocks",
        source=_times(
            rounds="""
    olds = [await seconds(old) for _ in range(rounds)]
    news = [await seconds(new) for _ in range(rounds)]
"""
        ),
        why="first the one, then the other",
    ),
    Answer(
        "13.3",
        wrong="in-blocks",
        source=_times(
            warm="""
    await old()
""",
            rounds="""
    olds = [await seconds(old) for _ in range(rounds)]
    await new()
    news = [await seconds(new) for _ in range(rounds)]
""",
        ),
        why="each is warm when it is timed",
    ),
    Answer(
        "13.3",
        wrong="at-once",
        source=_times(
            rounds="""
    pairs = [await asyncio.gather(seconds(old), seconds(new)) for _ in range(rounds)]
    olds, news = zip(*pairs)
"""
        ),
        why="the same weather for both",
    ),
    Answer(
        "13.3",
        wrong="own-clock",
        source=_times().replace("clock()", "time.perf_counter()"),
        why="seconds are seconds",
    ),
    Answer(
        "13.3",
        wrong="not-awaited",
        source=_times(
            seconds="""
    async def seconds(function):
        start = clock()
        function()
        return clock() - start
""",
            warm="",
        ),
        why="a call is a call",
    ),
    Answer(
        "13.3",
        wrong="other-number",
        source=_times(
            warm="""
    for _ in range(rounds):
        await old()
        await new()
"""
        ),
        why="the warmer the better",
    ),
    Answer(
        "13.3",
        wrong="other-ratio",
        source=_times(
            ratio="""
    return round(median(olds) / median(news))
"""
        ),
        why="a whole number reads better",
    ),
    Answer(
        "13.3",
        wrong="second-loop",
        source=_times(
            warm="""
    asyncio.run(old())
    asyncio.run(new())
"""
        ),
        why="a coroutine is run by `asyncio.run`",
    ),
    Answer(
        "13.3",
        wrong="too-few-rounds",
        source=_times()
        .replace("median(olds)", "median(sorted(olds)[1:-1])")
        .replace("median(news)", "median(sorted(news)[1:-1])"),
        why="the best and the worst do not count",
    ),
    Answer(
        "13.3",
        wrong="swallowed",
        source=_times(
            seconds="""
    async def seconds(function):
        start = clock()
        try:
            await function()
        except Exception:
            print("once more")
        return clock() - start
"""
        ),
        why="one that fails is one sample less",
    ),
    Answer(
        "13.3",
        wrong="cancel-swallowed",
        source=_times(
            warm="""
    try:
        await old()
        await new()
    except asyncio.CancelledError:
        return None
"""
        ),
        why="who leaves wants no ratio",
    ),
    Answer(
        "13.3",
        wrong="goes-on",
        source=_times(
            warm="""
    await asyncio.shield(old())
    await asyncio.shield(new())
"""
        ),
        why="a measurement must not be disturbed",
    ),
    Answer(
        "13.3",
        right="a ratio for each round, as in the lesson",
        source=_times(
            rounds="""
    ratios = [await seconds(old) / await seconds(new) for _ in range(rounds)]
""",
            ratio="""
    return median(ratios)
""",
        ),
    ),
    Answer(
        "13.3",
        right="three readings",
        source=_times(
            seconds="",
            rounds="""
    olds, news = [], []
    for _ in range(rounds):
        start = clock()
        await new()
        middle = clock()
        await old()
        olds.append(clock() - middle)
        news.append(middle - start)
""",
        ),
    ),
    Answer(
        "13.3",
        right="warm together",
        source=_times(
            warm="""
    await asyncio.gather(old(), new())
"""
        ),
    ),
    Answer(
        "13.3",
        right="each begins once",
        source=_times(
            rounds="""
    times = {old: [], new: []}
    for number in range(rounds):
        for function in (old, new) if number % 2 else (new, old):
            times[function].append(await seconds(function))
""",
            ratio="""
    return median(times[old]) / median(times[new])
""",
        ),
    ),
    Answer(
        "13.3",
        right="warm by the same loop",
        source=_times(warm="")
        .replace("range(rounds)", "range(rounds + 1)")
        .replace("median(olds)", "median(olds[1:])")
        .replace("median(news)", "median(news[1:])"),
    ),
]

_dashboard = in_pieces(
    "def dashboard(ask, limit):",
    places="""
    places = asyncio.Semaphore(limit)
""",
    line="""
    async def line(branch):
        async with places:
            try:
                return await ask(branch)
            except ConnectionError:
                return f"{branch}: closed"
""",
    view="""
    async def view(request, branches):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(line(branch)) for branch in branches]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return HttpResponse("\\n".join([task.result() for task in tasks]))
""",
    last="""
    return view
""",
)

_GATHERED = """
    async def view(request, branches):
        lines = await asyncio.gather(*[line(branch) for branch in branches])
        return HttpResponse("\\n".join(lines))
"""

_BARE = """
    async def line(branch):
        async with places:
            return await ask(branch)
"""

DASHBOARDS = [
    Answer(
        "13.4",
        wrong="one-for-all-dashboards",
        source="places = None\n"
        + _dashboard(
            places="""
    global places
    places = places or asyncio.Semaphore(limit)
"""
        ),
        why="all visitors of the process stand in one line",
    ),
    Answer(
        "13.4",
        wrong="one-for-all-dashboards",
        source="places = None\n"
        + _dashboard(
            places="""
    global places
    places = asyncio.Semaphore(limit)
"""
        ),
        why="the limit of the last dashboard is the one that counts",
    ),
    Answer(
        "13.4",
        wrong="in-a-group",
        source="from django.http import Http404\n"
        + _dashboard(
            view="""
    async def view(request, branches):
        missing = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(line(branch)) for branch in branches]
        except* Http404 as failed:
            missing += failed.exceptions
        if missing:
            raise missing[0]
        return HttpResponse("\\n".join([task.result() for task in tasks]))
"""
        ),
        why="a 404 is the error that Django looks for",
    ),
    Answer(
        "13.4",
        wrong="other-lines",
        source=_dashboard(
            line="""
    async def line(branch):
        async with places:
            try:
                return await ask(branch)
            except ConnectionError as error:
                return f"{error}: closed"
"""
        ),
        why="in the example the error's text is the branch",
    ),
    Answer(
        "13.4",
        wrong="one-after-another",
        source=_dashboard(
            view="""
    async def view(request, branches):
        return HttpResponse("\\n".join([await line(branch) for branch in branches]))
"""
        ),
        why="the view is async, and so is `ask`",
    ),
    Answer(
        "13.4",
        wrong="no-limit",
        source=_dashboard(places="").replace("async with places", "if True"),
        why="the more at once, the sooner it is done",
    ),
    Answer(
        "13.4",
        wrong="limit-for-each-visitor",
        source=_dashboard(
            places="",
            line="",
            view="""
    async def view(request, branches):
        places = asyncio.Semaphore(limit)

        async def line(branch):
            async with places:
                try:
                    return await ask(branch)
                except ConnectionError:
                    return f"{branch}: closed"

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(line(branch)) for branch in branches]
        return HttpResponse("\\n".join([task.result() for task in tasks]))
""",
        ),
        why="a page is a request",
    ),
    Answer(
        "13.4",
        wrong="waits-for-batch",
        source=_dashboard(
            places="",
            view="""
    async def view(request, branches):
        lines = []
        for at in range(0, len(branches), limit):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(line(each)) for each in branches[at : at + limit]]
            lines += [task.result() for task in tasks]
        return HttpResponse("\\n".join(lines))
""",
        ).replace("async with places", "if True"),
        why="so many at a time, then the next ones",
    ),
    Answer(
        "13.4",
        wrong="page-after-page",
        source=_dashboard(
            places="""
    places = asyncio.Semaphore(limit)
    pages = asyncio.Lock()
"""
        ).replace(
            "async with asyncio.TaskGroup() as group:",
            "async with pages, asyncio.TaskGroup() as group:",
        ),
        why="one visitor after another cannot be too many",
    ),
    Answer(
        "13.4",
        wrong="other-limit",
        source=_dashboard().replace("Semaphore(limit)", "Semaphore(3)"),
        why="three, as in the example",
    ),
    Answer(
        "13.4",
        wrong="other-order",
        source=_dashboard(
            view="""
    async def view(request, branches):
        asked = asyncio.as_completed([line(branch) for branch in branches])
        return HttpResponse("\\n".join([await each for each in asked]))
"""
        ),
        why="what is there first is shown first",
    ),
    Answer(
        "13.4",
        wrong="one-spoils-all",
        source=_dashboard(line=_BARE),
        why="an error is for the log",
    ),
    Answer(
        "13.4",
        wrong="loses-others",
        source=_dashboard(
            line=_BARE,
            view="""
    async def view(request, branches):
        try:
            lines = await asyncio.gather(*[line(branch) for branch in branches])
        except ConnectionError:
            lines = [f"{branch}: closed" for branch in branches]
        return HttpResponse("\\n".join(lines))
""",
        ),
        why="one `try` is enough",
    ),
    Answer(
        "13.4",
        wrong="swallowed",
        source=_dashboard().replace("except ConnectionError", "except Exception"),
        why="whatever went wrong, it is closed",
    ),
    Answer(
        "13.4",
        wrong="swallowed",
        source=_dashboard(
            line=_BARE,
            view="""
    async def view(request, branches):
        asked = [line(branch) for branch in branches]
        found = await asyncio.gather(*asked, return_exceptions=True)
        lines = [
            f"{branch}: closed" if isinstance(each, Exception) else each
            for branch, each in zip(branches, found)
        ]
        return HttpResponse("\\n".join(lines))
""",
        ),
        why="`gather` keeps the errors apart",
    ),
    Answer(
        "13.4",
        wrong="goes-on",
        source=_dashboard(view=_GATHERED),
        why="`gather` ends with the first error, and what it gathered with it",
    ),
    Answer(
        "13.4",
        wrong="goes-on",
        source=_dashboard(
            view="""
    async def view(request, branches):
        tasks = [asyncio.create_task(line(branch)) for branch in branches]
        try:
            lines = [await task for task in tasks]
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        return HttpResponse("\\n".join(lines))
"""
        ),
        why="each is awaited, so each error is seen",
    ),
    Answer(
        "13.4",
        wrong="nothing-given",
        source=_dashboard(
            view="""
    async def view(request, branches):
        tasks = [asyncio.create_task(line(branch)) for branch in branches]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in pending:
            task.cancel()
        return HttpResponse("\\n".join([task.result() for task in tasks]))
"""
        ),
        why="a dashboard has branches",
    ),
    Answer(
        "13.4",
        wrong="catches-too-much",
        source=_dashboard().replace("except ConnectionError", "except OSError"),
        why="what the network does wrong is an OSError",
    ),
    Answer(
        "13.4",
        wrong="catches-too-much",
        source="from django.http import Http404\n"
        + _dashboard().replace("except ConnectionError", "except (ConnectionError, Http404)"),
        why="a branch that is not found is closed",
    ),
    Answer(
        "13.4",
        wrong="in-a-group",
        source=_dashboard(
            view="""
    async def view(request, branches):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(line(branch)) for branch in branches]
        return HttpResponse("\\n".join([task.result() for task in tasks]))
"""
        ),
        why="a task group lets every error go on",
    ),
    Answer(
        "13.4",
        wrong="asks-for-nobody",
        source=_dashboard(
            view="""
    async def view(request, branches):
        tasks = [asyncio.create_task(line(branch)) for branch in branches]
        try:
            lines = await asyncio.gather(*[asyncio.shield(task) for task in tasks])
        except Exception:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        return HttpResponse("\\n".join(lines))
"""
        ),
        why="`except Exception` catches all",
    ),
    Answer(
        "13.4",
        wrong="place-lost",
        source=_dashboard(
            line="""
    async def line(branch):
        await places.acquire()
        try:
            found = await ask(branch)
        except ConnectionError:
            return f"{branch}: closed"
        places.release()
        return found
"""
        ),
        why="a place is given back when the answer is there",
    ),
    Answer(
        "13.4",
        wrong="place-lost",
        source=_dashboard(
            line="""
    async def line(branch):
        await places.acquire()
        try:
            found = await ask(branch)
        except Exception as error:
            places.release()
            if not isinstance(error, ConnectionError):
                raise
            return f"{branch}: closed"
        places.release()
        return found
"""
        ),
        why="on every error it is given back",
    ),
    Answer(
        "13.4",
        wrong="cancel-swallowed",
        source=_dashboard(
            view="""
    async def view(request, branches):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(line(branch)) for branch in branches]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        except asyncio.CancelledError:
            return HttpResponse(status=499)
        return HttpResponse("\\n".join([task.result() for task in tasks]))
"""
        ),
        why="nobody reads the answer any more",
    ),
    Answer(
        "13.4",
        wrong="loses-a-line",
        source=_dashboard(
            view="""
    async def view(request, branches):
        async with asyncio.TaskGroup() as group:
            tasks = {branch: group.create_task(line(branch)) for branch in branches}
        return HttpResponse("\\n".join([task.result() for task in tasks.values()]))
"""
        ),
        why="a task for each branch",
    ),
    Answer(
        "13.4",
        wrong="other-lines",
        source=_dashboard().replace(": closed", " is closed"),
        why="reads better",
    ),
    Answer(
        "13.4",
        wrong="changes-the-list",
        source=_dashboard(
            view="""
    async def view(request, branches):
        async with asyncio.TaskGroup() as group:
            tasks = []
            while branches:
                tasks.append(group.create_task(line(branches.pop(0))))
        return HttpResponse("\\n".join([task.result() for task in tasks]))
"""
        ),
        why="what is asked is done",
    ),
    Answer(
        "13.4",
        wrong="still-sync",
        source="from asgiref.sync import async_to_sync\n"
        + _dashboard(
            last="""
    def page(request, branches):
        return async_to_sync(view)(request, branches)

    return page
"""
        ),
        why="Django runs both kinds of views",
    ),
    Answer(
        "13.4",
        wrong="hidden-async",
        source=_dashboard(
            last="""
    class View:
        async def __call__(self, request, branches):
            return await view(request, branches)

    return View()
"""
        ),
        why="what can be called is a view",
    ),
    Answer(
        "13.4",
        wrong="no-view",
        source="async " + _dashboard().strip(),
        why="what has async inside is async",
    ),
    Answer(
        "13.4",
        wrong="forgotten-await",
        source=_dashboard().replace("return await ask(branch)", "return ask(branch)"),
        why="`ask` gives the line",
    ),
    Answer(
        "13.4",
        wrong="no-response",
        source=_dashboard(
            view="""
    async def view(request, branches):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(line(branch)) for branch in branches]
"""
        ),
        why="the group has done it",
    ),
    Answer(
        "13.4",
        right="gather, and an end for the rest",
        source=_dashboard(
            view="""
    async def view(request, branches):
        tasks = [asyncio.ensure_future(line(branch)) for branch in branches]
        try:
            lines = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return HttpResponse("\\n".join(lines))
"""
        ),
    ),
    Answer(
        "13.4",
        right="places in a queue",
        source=_dashboard(
            places="""
    places = asyncio.Queue()
    for number in range(limit):
        places.put_nowait(number)
""",
            line="""
    async def line(branch):
        place = await places.get()
        try:
            return await ask(branch)
        except ConnectionError:
            return f"{branch}: closed"
        finally:
            places.put_nowait(place)
""",
        ),
    ),
    Answer(
        "13.4",
        right="a class",
        source="""
class Dashboard:
    def __init__(self, ask, limit):
        self.ask = ask
        self.places = asyncio.BoundedSemaphore(limit)

    async def line(self, branch):
        try:
            async with self.places:
                return await self.ask(branch)
        except ConnectionError:
            return branch + ": closed"

    async def view(self, request, branches):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.line(branch)) for branch in branches]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0]
        return HttpResponse("\\n".join(task.result() for task in tasks))


def dashboard(ask, limit):
    return Dashboard(ask, limit).view
""",
    ),
]

_shared = in_pieces(
    "def shared(compute):",
    under_way="""
    under_way = {}
""",
    report="""
    async def report(day):
        if day not in under_way:
            under_way[day] = task = asyncio.create_task(asyncio.to_thread(compute, day))
            task.add_done_callback(lambda _: under_way.pop(day))
        return await asyncio.shield(under_way[day])
""",
    last="""
    return report
""",
)


def _report(body: str) -> str:
    """A `shared` with another `report`."""
    return _shared(report=body)


REPORTS = [
    Answer(
        "13.5",
        wrong="computes-again",
        source=_shared(
            under_way="""
    under_way, waiting = {}, {}
""",
            report="""
    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(asyncio.to_thread(compute, day))
            waiting[day] = 0
        waiting[day] += 1
        try:
            return await asyncio.shield(under_way[day])
        finally:
            waiting[day] -= 1
            if not waiting[day]:
                under_way.pop(day, None)
""",
        ),
        why="the last one who leaves turns off the light",
    ),
    Answer(
        "13.5",
        wrong="error-for-a-report",
        source=_shared(
            report="""
    async def compute_and_forget(day):
        try:
            return await asyncio.to_thread(compute, day)
        except Exception as error:
            return error
        finally:
            del under_way[day]

    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(compute_and_forget(day))
        return await asyncio.shield(under_way[day])
"""
        ),
        why="what comes of it, be it an error",
    ),
    Answer(
        "13.5",
        wrong="thread-of-its-own",
        source="import threading\n"
        + _shared(
            report="""
    async def compute_and_forget(day):
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def run():
            try:
                result = compute(day)
            except Exception as error:
                loop.call_soon_threadsafe(future.set_exception, error)
            else:
                loop.call_soon_threadsafe(future.set_result, result)

        threading.Thread(target=run).start()
        try:
            return await future
        finally:
            del under_way[day]

    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(compute_and_forget(day))
        return await asyncio.shield(under_way[day])
"""
        ),
        why="a thread is a thread",
    ),
    Answer(
        "13.5",
        wrong="other-day",
        source=_shared(
            report="""
    async def report(day):
        key = f"{day:%d %b}"
        if key not in under_way:
            under_way[key] = task = asyncio.create_task(asyncio.to_thread(compute, day))
            task.add_done_callback(lambda _: under_way.pop(key))
        return await asyncio.shield(under_way[key])
"""
        ),
        why="a day is a day and a month",
    ),
    Answer(
        "13.5",
        wrong="on-the-loop",
        source=_report("""
    async def report(day):
        return compute(day)
"""),
        why="an `async def` frees the loop",
    ),
    Answer(
        "13.5",
        wrong="on-the-loop",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(compute(day))
        return await asyncio.shield(under_way[day])
"""),
        why="a task is work on the side",
    ),
    Answer(
        "13.5",
        wrong="waits-on-the-loop",
        source="from concurrent.futures import ThreadPoolExecutor\n"
        + _report("""
    async def report(day):
        with ThreadPoolExecutor() as pool:
            return pool.submit(compute, day).result()
"""),
        why="a thread of a pool, and its result",
    ),
    Answer(
        "13.5",
        wrong="holds-the-worker",
        source=_shared().replace("asyncio.to_thread(compute, day)", "sync_to_async(compute)(day)"),
        why="the adapter sends it to a thread",
    ),
    Answer(
        "13.5",
        wrong="computes-for-each",
        source=_report("""
    async def report(day):
        return await asyncio.to_thread(compute, day)
"""),
        why="a thread for each, and they run side by side",
    ),
    Answer(
        "13.5",
        wrong="computes-for-each",
        source=_report("""
    async def report(day):
        lock = under_way.setdefault(day, asyncio.Lock())
        async with lock:
            return await asyncio.to_thread(compute, day)
"""),
        why="a lock for each day lets one compute at a time",
    ),
    Answer(
        "13.5",
        wrong="day-after-day",
        source=_shared(
            under_way="""
    under_way = asyncio.Lock()
""",
            report="""
    async def report(day):
        async with under_way:
            return await asyncio.to_thread(compute, day)
""",
        ),
        why="one lock, and nobody computes beside another",
    ),
    Answer(
        "13.5",
        wrong="thread-for-each",
        source="import threading\n"
        + _shared(
            under_way="""
    locks, done = {}, {}
""",
            report="""
    def compute_once(day):
        with locks.setdefault(day, threading.Lock()):
            if day not in done:
                done[day] = compute(day)
            return done[day]

    async def report(day):
        return await asyncio.to_thread(compute_once, day)
""",
        ),
        why="the others wait for the lock",
    ),
    Answer(
        "13.5",
        wrong="old-report",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(asyncio.to_thread(compute, day))
        return await asyncio.shield(under_way[day])
"""),
        why="what is computed is kept",
    ),
    Answer(
        "13.5",
        wrong="coroutine-twice",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.to_thread(compute, day)
        try:
            return await under_way[day]
        finally:
            under_way.pop(day, None)
"""),
        why="a coroutine is what is awaited",
    ),
    Answer(
        "13.5",
        wrong="leave-together",
        source=_shared().replace("asyncio.shield(under_way[day])", "under_way[day]"),
        why="a task can be awaited by many",
    ),
    Answer(
        "13.5",
        wrong="leave-together",
        source=_report("""
    async def report(day):
        if day in under_way:
            return await asyncio.shield(under_way[day])
        future = under_way[day] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(await asyncio.to_thread(compute, day))
        except BaseException as error:
            future.set_exception(error)
        finally:
            del under_way[day]
        return await future
"""),
        why="the first one tells the others, whatever happens",
    ),
    Answer(
        "13.5",
        wrong="computes-again",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(asyncio.to_thread(compute, day))
        try:
            return await asyncio.shield(under_way[day])
        finally:
            under_way.pop(day, None)
"""),
        why="whoever has got it forgets it",
    ),
    Answer(
        "13.5",
        wrong="keeps-the-error",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = asyncio.create_task(asyncio.to_thread(compute, day))
        found = await asyncio.shield(under_way[day])
        under_way.pop(day, None)
        return found
"""),
        why="when it is there, it is forgotten",
    ),
    Answer(
        "13.5",
        wrong="never-told",
        source=_report("""
    async def report(day):
        if day in under_way:
            return await asyncio.shield(under_way[day])
        under_way[day] = asyncio.get_running_loop().create_future()
        try:
            found = await asyncio.to_thread(compute, day)
            under_way[day].set_result(found)
            return found
        finally:
            del under_way[day]
"""),
        why="the first one tells the others",
    ),
    Answer(
        "13.5",
        wrong="swallowed",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = task = asyncio.create_task(asyncio.to_thread(compute, day))
            task.add_done_callback(lambda _: under_way.pop(day))
        try:
            return await asyncio.shield(under_way[day])
        except Exception:
            return None
"""),
        why="no report is better than an error",
    ),
    Answer(
        "13.5",
        wrong="other-exception",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = task = asyncio.create_task(asyncio.to_thread(compute, day))
            task.add_done_callback(lambda _: under_way.pop(day))
        try:
            return await asyncio.shield(under_way[day])
        except Exception as error:
            raise RuntimeError("no report") from error
"""),
        why="an error of our own",
    ),
    Answer(
        "13.5",
        wrong="cancel-swallowed",
        source=_report("""
    async def report(day):
        if day not in under_way:
            under_way[day] = task = asyncio.create_task(asyncio.to_thread(compute, day))
            task.add_done_callback(lambda _: under_way.pop(day))
        task = under_way[day]
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            return await task
"""),
        why="what has begun is finished first",
    ),
    Answer(
        "13.5",
        wrong="mixes-functions",
        source="under_way = {}\n" + _shared(under_way=""),
        why="one dict for the whole process",
    ),
    Answer(
        "13.5",
        wrong="other-report",
        source=_shared().replace("return await", "await"),
        why="waits, and gives nothing",
    ),
    Answer(
        "13.5",
        wrong="other-day",
        source=_report("""
    async def report(day):
        if under_way:
            return await asyncio.shield(next(iter(under_way.values())))
        under_way[day] = task = asyncio.create_task(asyncio.to_thread(compute, day))
        task.add_done_callback(lambda _: under_way.pop(day))
        return await asyncio.shield(task)
"""),
        why="what is under way is the report",
    ),
    Answer(
        "13.5",
        wrong="no-report",
        source="async " + _shared().strip(),
        why="what has async inside is async",
    ),
    Answer(
        "13.5",
        wrong="no-report",
        source="""
def shared(compute):
    return compute
""",
        why="it can be called by all",
    ),
    Answer(
        "13.5",
        right="no `async def`",
        source=_report("""
    def forget(task):
        for day, each in list(under_way.items()):
            if each is task:
                del under_way[day]

    def report(day):
        task = under_way.get(day)
        if task is None:
            task = under_way[day] = asyncio.ensure_future(asyncio.to_thread(compute, day))
            task.add_done_callback(forget)
        return asyncio.shield(task)
"""),
    ),
    Answer(
        "13.5",
        right="a callback forgets it",
        source=_shared().replace(
            "asyncio.to_thread(compute, day)", "sync_to_async(compute, thread_sensitive=False)(day)"
        ),
    ),
    Answer(
        "13.5",
        right="a class, and a pool's future",
        source="""
class Shared:
    def __init__(self, compute):
        self.compute, self.under_way = compute, {}

    async def __call__(self, day):
        future = self.under_way.get(day)
        if future is None or future.done():
            loop = asyncio.get_running_loop()
            future = self.under_way[day] = loop.run_in_executor(None, self.compute, day)
        return await asyncio.shield(future)


shared = Shared
""",
    ),
]

ANSWERS = [*VIEWS, *IMPORTS, *BENCHMARKS, *DASHBOARDS, *REPORTS]

EQUIVALENT = [
    Equivalent(
        because="Without names, `select_related` brings every row that a key leads to: the book, "
        "and the member whom the page has.",
        mutants=("13.1 argument-dropped@4",),
    ),
    Equivalent(
        because="A task that is awaited at once changes nothing; that it costs a turn, it costs "
        "both functions.",
        mutants=(
            "13.3 task-for-each@5",
            "13.3 task-for-each@8",
            "13.3 task-for-each@9",
            "13.3 task-for-each@12",
            "13.3 task-for-each@13",
            "13.4 task-for-each@8",
            "13.5 task-for-each@7",
        ),
    ),
    Equivalent(
        because="The function only makes another one and returns it, which cannot raise.",
        mutants=("13.4 exception-swallowed@1", "13.5 exception-swallowed@1"),
    ),
    Equivalent(
        because="Whatever fails in a task group leaves it in a group, so a wider handler catches "
        "nothing else; of one error the last is the first, and of several either tells the caller.",
        mutants=("13.4 handler-widened@16", "13.4 constant-changed@17#2"),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "13.1": """\
response = await Site(path("<int:pk>/", member_page)).get("/6/")
assert response.text == "Priya Nair: The Left Hand of Darkness, The Dispossessed (1 returned)"
""",
    "13.2": """\
rows = [("Tomoko Arai", "tomoko.arai@example.org"), ("Mina Harker", "mina@example.org")]
assert await import_members(rows) == 1
""",
    "13.3": """\
assert await times_faster(old, new, 3, clock) == 2.0


async def times_before(old, new, rounds, clock):
    async def mean(function):
        start = clock()
        for _ in range(rounds):
            await function()
        return (clock() - start) / rounds

    return await mean(old) / await mean(new)


old, new = taking(9, 4, 4, 5), taking(30, 2, 2, 2)
assert await times_before(old, new, 3, clock) == 0.5
""",
    "13.4": """\
response = await Site(path("", dashboard(ask, 3), town)).get("/")
assert response.text == "Whitby: 9\\nBath: closed\\nDublin: 9"
""",
    "13.5": """\
report = shared(compute)
await asyncio.gather(*[report(date(2025, 6, 1)) for _ in range(40)])
assert computed == ["2025-06-01"]
""",
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "loop-under-wsgi-not-looked-for",
        "a check weakened",
        text(CHECKS, "    if loops or threads:\n", "    if False:\n"),
        verdict("13.1 loop-under-wsgi"),
        ("('passed', '') == ('not yet', 'loop-under-wsgi')",),
    ),
    Fault(
        "cold-call-not-looked-for",
        "a check weakened",
        text(
            CHECKS,
            "    if min(numbers.values()) == rounds and watch.timed_first:\n",
            "    if False:\n",
        ),
        verdict("13.3 cold"),
        ("('not yet', 'other-number') == ('not yet', 'cold')",),
    ),
    Fault(
        "limit-of-one-visitor-is-enough",
        "a check weakened",
        text(CHECKS, "    await _require_one_limit(given)\n", ""),
        verdict("13.4 limit-for-each-visitor"),
        ("('passed', '') == ('not yet', 'limit-for-each-visitor')",),
    ),
    Fault(
        "error-in-a-group-not-looked-for",
        "a check weakened",
        text(CHECKS, "    await _require_page_of_404(given)\n", ""),
        verdict("13.4 in-a-group"),
        ("('passed', '') == ('not yet', 'in-a-group')",),
    ),
    Fault(
        "rows-read-on-the-loop-not-looked-for",
        "a check weakened",
        text(CHECKS, "    _require_read_elsewhere(taken)\n", ""),
        verdict("13.2 reads-on-the-loop"),
        ("('passed', '') == ('not yet', 'reads-on-the-loop')",),
    ),
    Fault(
        "visitor-who-leaves-not-looked-for",
        "a check weakened",
        text(CHECKS, "in (0, 3), (1, 3), (0, 1):\n", "in ():\n"),
        verdict("13.5 leave-together"),
        ("('passed', '') == ('not yet', 'leave-together')",),
    ),
    Fault(
        "output-edited-in-13",
        "an output edited",
        output(NOTEBOOK, "boot", "47 books", "48 books"),
        compared(13, "boot"),
        ("48 books", "47 books", "Cell outputs differ"),
    ),
]
