"""What the tests know of lesson 02."""

from tests.lessons import Answer, Equivalent
from tests.proof.faults.checks import CENSUS, compared, complete, rules, verdict
from tests.proof.faults.edits import (
    both,
    drop_answer,
    drop_cell,
    notebook,
    output,
    rename,
    source,
    swap,
    text,
)
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/02_*.ipynb"
SOLUTIONS = "solutions/02_*.ipynb"
CHECKS = "asynclab/lessons/lesson02.py"
OVERDUE = "return await Loan.objects.filter(returned=None, due__lt=day).acount()"

ANSWERS = [
    Answer(
        "2.1",
        wrong="sync-query",
        source="""
async def count_overdue(day):
    return Loan.objects.filter(returned=None, due__lt=day).count()
""",
        why="`async def` alone makes a query async",
    ),
    Answer(
        "2.1",
        wrong="returned-coroutine",
        source="""
def count_overdue(day):
    return Loan.objects.filter(returned=None, due__lt=day).acount()
""",
        why="the a-method alone runs the query",
    ),
    Answer(
        "2.1",
        wrong="fetches-rows",
        source="""
async def count_overdue(day):
    loans = Loan.objects.filter(returned=None, due__lt=day)
    return len([loan async for loan in loans])
""",
        why="`len` does not work on a queryset, so fetch the rows and count those",
    ),
    Answer(
        "2.1",
        wrong="counts-returned",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(due__lt=day).acount()
""",
        why="overdue is a matter of `due` alone",
    ),
    Answer(
        "2.1",
        wrong="counts-due-today",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(returned=None, due__lte=day).acount()
""",
        why="due today is overdue",
    ),
    Answer(
        "2.1",
        wrong="other-number",
        source="""
async def count_overdue(day):
    return await Loan.objects.filter(returned=None).acount()
""",
        why="forgets the day",
    ),
    Answer(
        "2.1",
        wrong="no-query",
        source="""
async def count_overdue(day):
    return 3
""",
        why="copies the number from the example",
    ),
    Answer(
        "2.1",
        wrong="query-in-pool",
        source="""
import asyncio

async def count_overdue(day):
    late = Loan.objects.filter(returned=None, due__lt=day)
    return await asyncio.to_thread(late.count)
""",
        why="`to_thread` is what asyncio has for sync code",
    ),
    Answer(
        "2.1",
        wrong="second-loop",
        source="""
import asyncio

async def count_overdue(day):
    late = Loan.objects.filter(returned=None, due__lt=day)
    return await asyncio.to_thread(lambda: asyncio.run(late.acount()))
""",
        why="`asyncio.run` works where no loop is, so on another thread",
    ),
    Answer(
        "2.1",
        wrong="swallowed",
        source="""
async def count_overdue(day):
    try:
        return await Loan.objects.filter(returned=None, due__lt=day).acount()
    except Exception:
        return 0
""",
        why="no number is as good as zero",
    ),
    Answer(
        "2.1",
        right="sync_to_async",
        source="""
@sync_to_async
def count_overdue(day):
    return Loan.objects.filter(returned__isnull=True, due__lt=day).count()
""",
    ),
    Answer(
        "2.1",
        right="aggregate",
        source="""
from django.db.models import Count

async def count_overdue(day):
    loans = Loan.objects.filter(returned=None).exclude(due__gte=day)
    return (await loans.aaggregate(number=Count("pk")))["number"]
""",
    ),
    Answer(
        "2.2",
        wrong="loops-on-the-loop",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).select_related("book", "member")
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="select_related is the fix, so the loop may stay",
    ),
    Answer(
        "2.2",
        wrong="awaited-queryset",
        source="""
async def loan_lines():
    loans = await Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="`await` in front of a query makes it async",
    ),
    Answer(
        "2.2",
        wrong="no-query",
        source="""
loans = Loan.objects.filter(returned=None).order_by("due", "pk").select_related("book", "member")
lines = [f"{loan.book}: {loan.member}" async for loan in loans]

async def loan_lines():
    return lines
""",
        why="the list is there already, so give it",
    ),
    Answer(
        "2.2",
        wrong="generator",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    async for loan in loans.select_related("book", "member"):
        yield f"{loan.book}: {loan.member}"
""",
        why="the caller may loop over the lines",
    ),
    Answer(
        "2.2",
        wrong="loops-on-the-loop",
        source="""
async def loan_lines():
    loans = await sync_to_async(Loan.objects.filter)(returned=None)
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="sends the building of the queryset, not its asking",
    ),
    Answer(
        "2.2",
        wrong="lazy-key",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" async for loan in loans]
""",
        why="`async for` is all it takes",
    ),
    Answer(
        "2.2",
        wrong="lazy-key",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk").select_related("book")
    return [f"{loan.book}: {loan.member}" async for loan in loans]
""",
        why="joins one of the two keys",
    ),
    Answer(
        "2.2",
        wrong="query-per-loan",
        source="""
@sync_to_async
def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" for loan in loans]
""",
        why="no error, so no problem",
    ),
    Answer(
        "2.2",
        wrong="query-per-loan",
        source="""
async def loan_lines():
    lines = []
    async for loan in Loan.objects.filter(returned=None).order_by("due", "pk"):
        book = await Book.objects.aget(pk=loan.book_id)
        member = await Member.objects.aget(pk=loan.member_id)
        lines.append(f"{book}: {member}")
    return lines
""",
        why="each lazy key gets an a-method of its own",
    ),
    Answer(
        "2.2",
        wrong="query-per-table",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    fetched = loans.prefetch_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in fetched]
""",
        why="prefetch_related is select_related for async code",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.order_by("due", "pk").select_related("book", "member")
    return [f"{loan.book}: {loan.member}" async for loan in loans]
""",
        why="lists the returned ones too",
    ),
    Answer(
        "2.2",
        wrong="other-lines",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("pk")
    return [f"{loan.book}: {loan.member}" async for loan in loans.select_related("book", "member")]
""",
        why="loans come in the order of their keys anyway",
    ),
    Answer(
        "2.2",
        wrong="query-in-pool",
        source="""
import asyncio

async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    joined = loans.select_related("book", "member")
    return [f"{loan.book}: {loan.member}" for loan in await asyncio.to_thread(list, joined)]
""",
        why="`list` belongs on any other thread",
    ),
    Answer(
        "2.2",
        wrong="swallowed",
        source="""
async def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    try:
        joined = loans.select_related("book", "member")
        return [f"{loan.book}: {loan.member}" async for loan in joined]
    except Exception:
        return []
""",
        why="an empty list is better than an error",
    ),
    Answer(
        "2.2",
        right="values",
        source="""
async def loan_lines():
    rows = Loan.objects.filter(returned=None).order_by("due", "pk")
    rows = rows.values_list("book__title", "member__name")
    return [f"{title}: {name}" async for title, name in rows]
""",
    ),
    Answer(
        "2.2",
        right="one sync function",
        source="""
@sync_to_async
def loan_lines():
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    return [f"{loan.book}: {loan.member}" for loan in loans.select_related("book", "member")]
""",
    ),
    Answer(
        "2.3",
        wrong="half-done",
        source="""
async def hand_over(loan_pk, member_pk, day):
    loan = await Loan.objects.aget(pk=loan_pk)
    loan.returned = day
    await loan.asave()
    await Loan.objects.acreate(
        book_id=loan.book_id, member_id=member_pk, borrowed=day, due=day + timedelta(days=21)
    )
""",
        why="two a-methods are as good as a transaction",
    ),
    Answer(
        "2.3",
        wrong="async-with",
        source="""
async def hand_over(loan_pk, member_pk, day):
    async with transaction.atomic():
        loan = await Loan.objects.aget(pk=loan_pk)
        loan.returned = day
        await loan.asave()
        await Loan.objects.acreate(
            book_id=loan.book_id, member_id=member_pk, borrowed=day, due=day + timedelta(days=21)
        )
""",
        why="everything has an async form",
    ),
    Answer(
        "2.3",
        wrong="atomic-on-the-loop",
        source="""
async def hand_over(loan_pk, member_pk, day):
    with transaction.atomic():
        loan = await Loan.objects.aget(pk=loan_pk)
        loan.returned = day
        await loan.asave()
        await Loan.objects.acreate(
            book_id=loan.book_id, member_id=member_pk, borrowed=day, due=day + timedelta(days=21)
        )
""",
        why="`atomic()` outside, a-methods inside",
    ),
    Answer(
        "2.3",
        wrong="lazy-key",
        source="""
async def hand_over(loan_pk, member_pk, day):
    loan = await Loan.objects.aget(pk=loan_pk)
    loan.returned = day
    await loan.asave()
    due = day + timedelta(days=21)
    await Loan.objects.acreate(book=loan.book, member_id=member_pk, borrowed=day, due=due)
""",
        why="every step has an a-method, so nothing is sync",
    ),
    Answer(
        "2.3",
        wrong="wrong-order",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    loan = Loan.objects.get(pk=loan_pk)
    due = day + timedelta(days=21)
    Loan.objects.create(book=loan.book, member_id=member_pk, borrowed=day, due=due)
    loan.returned = day
    loan.save()
""",
        why="in a transaction the order of the steps does not matter",
    ),
    Answer(
        "2.3",
        wrong="swallowed",
        source="""
@sync_to_async
def hand_over(loan_pk, member_pk, day):
    try:
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            Loan.objects.create(book=loan.book, member_id=member_pk, borrowed=day, due=due)
    except Exception:
        print("It did not work.")
""",
        why="the data is safe, so the error is dealt with",
    ),
    Answer(
        "2.3",
        wrong="not-handed-over",
        source="""
async def hand_over(loan_pk, member_pk, day):
    await Loan.objects.filter(pk=loan_pk).aupdate(member_id=member_pk, due=day)
""",
        why="changes the old loan, and its history with it",
    ),
    Answer(
        "2.3",
        wrong="two-crossings",
        source="""
async def hand_over(loan_pk, member_pk, day):
    loan = await Loan.objects.aget(pk=loan_pk)

    def close_and_open():
        with transaction.atomic():
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await sync_to_async(close_and_open)()
""",
        why="the read needs no transaction, so it can go first",
    ),
    Answer(
        "2.3",
        wrong="reads-outside",
        source="""
async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        loan = Loan.objects.get(pk=loan_pk)
        loan.returned = day
        with transaction.atomic():
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await sync_to_async(close_and_open)()
""",
        why="only what writes belongs into a transaction",
    ),
    Answer(
        "2.3",
        wrong="query-in-pool",
        source="""
import asyncio

async def hand_over(loan_pk, member_pk, day):
    def close_and_open():
        with transaction.atomic():
            loan = Loan.objects.get(pk=loan_pk)
            loan.returned = day
            loan.save()
            due = day + timedelta(days=21)
            loan.book.loans.create(member_id=member_pk, borrowed=day, due=due)

    await asyncio.to_thread(close_and_open)
""",
        why="a transaction needs a thread without a loop, whichever",
    ),
    Answer(
        "2.3",
        right="decorators",
        source="""
@sync_to_async
@transaction.atomic
def hand_over(loan_pk, member_pk, day):
    loan = Loan.objects.select_for_update().get(pk=loan_pk)
    Loan.objects.filter(pk=loan_pk).update(returned=day)
    due = day + timedelta(days=21)
    Loan.objects.create(book_id=loan.book_id, member_id=member_pk, borrowed=day, due=due)
""",
    ),
    Answer(
        "2.4",
        wrong="lazy-user",
        source="""
async def greet(request):
    name = request.user.username or "guest"
    return HttpResponse(f"Good evening, {name}.")
""",
        why="an attribute is no query",
    ),
    Answer(
        "2.4",
        wrong="awaited-user",
        source="""
async def greet(request):
    user = await request.user
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="`await` makes anything async",
    ),
    Answer(
        "2.4",
        wrong="coroutine-user",
        source="""
async def greet(request):
    user = request.auser()
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="the a-method alone gives the user",
    ),
    Answer(
        "2.4",
        wrong="wrapped-lazy",
        source="""
async def greet(request):
    user = await sync_to_async(lambda: request.user)()
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="what went through sync_to_async is loaded",
    ),
    Answer(
        "2.4",
        wrong="forgot-the-guest",
        source="""
async def greet(request):
    user = await request.auser()
    return HttpResponse(f"Good evening, {user.username}.")
""",
        why="everybody is logged in",
    ),
    Answer(
        "2.4",
        wrong="other-text",
        source="""
async def greet(request):
    user = await request.auser()
    return HttpResponse(f"Good evening, {user}")
""",
        why="loses the full stop",
    ),
    Answer(
        "2.4",
        wrong="second-loop",
        source="""
import asyncio

async def greet(request):
    user = await asyncio.to_thread(lambda: asyncio.run(request.auser()))
    return HttpResponse(f"Good evening, {user.username or 'guest'}.")
""",
        why="`auser` needs a loop, so it gets one",
    ),
    Answer(
        "2.4",
        wrong="swallowed",
        source="""
async def greet(request):
    try:
        name = (await request.auser()).username or "guest"
    except Exception:
        name = "guest"
    return HttpResponse(f"Good evening, {name}.")
""",
        why="who cannot be found is a guest",
    ),
    Answer(
        "2.4",
        right="sync_to_async",
        source="""
async def greet(request):
    name = await sync_to_async(lambda: request.user.username)()
    return HttpResponse(f"Good evening, {name or 'guest'}.")
""",
    ),
    Answer(
        "2.5",
        wrong="no-query",
        source="""
loans = Loan.objects.filter(returned=None).order_by("due", "pk").select_related("book", "member")
loans = [loan async for loan in loans]

async def dashboard(request):
    user = await request.auser()
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="fetches once, when the module is imported",
    ),
    Answer(
        "2.5",
        wrong="awaited-queryset",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = await open_loans.select_related("book", "member")
    context = {"user": await request.auser(), "loans": loans, "count": len(loans)}
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="`await` in front of a query makes it async",
    ),
    Answer(
        "2.5",
        wrong="lazy-user",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans.select_related("book", "member")]
    context = {"user": request.user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="repairs what has a query in its name",
    ),
    Answer(
        "2.5",
        wrong="hidden-query",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    context = {"user": await request.auser(), "loans": loans}
    context["count"] = len(loans)
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="only the user was the problem",
    ),
    Answer(
        "2.5",
        wrong="hidden-query",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = loans.select_related("book", "member")
    context = {"user": await request.auser(), "loans": loans}
    context["count"] = await loans.acount()
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="a count by an a-method brings the rows",
    ),
    Answer(
        "2.5",
        wrong="lazy-context",
        source="""
async def dashboard(request):
    loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = loans.select_related("book", "member")
    context = {"user": await request.auser(), "loans": loans, "count": 6, "first": "Orlando"}
    return HttpResponse(page.render(context))
""",
        why="a queryset in a context is data",
    ),
    Answer(
        "2.5",
        wrong="lazy-key",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans]
    context = {"user": await request.auser(), "loans": loans, "count": len(loans)}
    context["first"] = loans[0].book
    return HttpResponse(page.render(context))
""",
        why="rows that are fetched are complete",
    ),
    Answer(
        "2.5",
        wrong="many-queries",
        source="""
async def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    open_loans = open_loans.select_related("book", "member")
    context = {
        "user": await request.auser(),
        "count": await open_loans.acount(),
        "first": (await open_loans.afirst()).book,
        "loans": [loan async for loan in open_loans],
    }
    return HttpResponse(page.render(context))
""",
        why="an a-method for each trap",
    ),
    Answer(
        "2.5",
        wrong="other-text",
        source="""
async def dashboard(request):
    loans = [loan async for loan in Loan.objects.select_related("book", "member")]
    context = {"user": await request.auser(), "loans": loans}
    context |= {"count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="lists the returned ones too",
    ),
    Answer(
        "2.5",
        wrong="query-in-pool",
        source="""
import asyncio

async def dashboard(request):
    user = await request.auser()
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = await asyncio.to_thread(list, open_loans.select_related("book", "member"))
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="`list` belongs on any other thread",
    ),
    Answer(
        "2.5",
        wrong="second-loop",
        source="""
import asyncio

async def dashboard(request):
    user = await asyncio.to_thread(lambda: asyncio.run(request.auser()))
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = [loan async for loan in open_loans.select_related("book", "member")]
    context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
        why="`auser` needs a loop, so it gets one",
    ),
    Answer(
        "2.5",
        wrong="swallowed",
        source="""
async def dashboard(request):
    try:
        user = await request.auser()
        open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
        loans = [loan async for loan in open_loans.select_related("book", "member")]
        context = {"user": user, "loans": loans, "count": len(loans), "first": loans[0].book}
        return HttpResponse(page.render(context))
    except Exception:
        return HttpResponse("Nothing to show.")
""",
        why="an empty page is better than an error",
    ),
    Answer(
        "2.5",
        right="the whole view on the worker",
        source="""
@sync_to_async
def dashboard(request):
    open_loans = Loan.objects.filter(returned=None).order_by("due", "pk")
    loans = list(open_loans.select_related("book", "member"))
    context = {"user": request.user, "loans": loans, "count": len(loans), "first": loans[0].book}
    return HttpResponse(page.render(context))
""",
    ),
]

EQUIVALENT = [
    Equivalent(
        because=(
            "Only a query, a session or a user is awaited here. None of them sets a context "
            "variable, so a task in between changes nothing; a result, an exception and a "
            "cancel pass through it."
        ),
        mutants=("2.1 task-for-each@3", "2.4 task-for-each@3", "2.5 task-for-each@3"),
    ),
    Equivalent(
        because="The model's own ordering, `Meta.ordering`, is by `due` and `pk` already.",
        mutants=("2.2 query-step-dropped@3", "2.5 query-step-dropped@4"),
    ),
    Equivalent(
        because="The order of the foreign keys in `select_related` means nothing.",
        mutants=("2.2 arguments-exchanged@4", "2.5 arguments-exchanged@5"),
    ),
]

MAY_DIFFER_TWICE = {
    "u2-right-jobs": "a loan can be closed once",
}

MAY_DIFFER_INTERRUPTED = {}

FAULTS = [
    Fault(
        "output-edited-in-02",
        "an output edited",
        output(NOTEBOOK, "first-error", "use a thread or sync_to_async.", "use a thread."),
        compared(2, "boot", "models", "first-error"),
        ("use a thread.", "use a thread or sync_to_async.", "Cell outputs differ"),
    ),
    Fault(
        "claims-cell-deleted",
        "a claim not shown",
        drop_cell(NOTEBOOK, "u5-variable"),
        CENSUS,
        ("Claim U5 has no compared evidence in its lesson.",),
        fast=True,
    ),
    Fault(
        "quotation-with-another-word",
        "a quotation",
        text("notebooks/claims.yml", "a thread where there is", "a task where there is"),
        ("tests/lessons/test_quotations.py::test_the_documentation_says_so[U1-0-6.1]",),
        ("Not below the heading 'Async safety' on topics/async of 6.1: If you try",),
    ),
    Fault(
        "box-says-otherwise",
        "a quotation",
        source(NOTEBOOK, "u1-box", "exactly right", "exactly wrong"),
        ("tests/lessons/test_claims.py::test_the_boxes_of_the_course",),
        ("cell u1-box is not what `authoring boxes` writes",),
    ),
    Fault(
        "error-that-no-cell-shows",
        "a rule of style",
        source(NOTEBOOK, "errors", "object is not iterable", "object is not callable"),
        rules("notebooks/02_synchronous_only_operation"),
        ("no cell of it shows the error TypeError: 'SyncToAsync' object is not callable",),
    ),
    Fault(
        "minutes-understated",
        "a rule of style",
        notebook(NOTEBOOK, lambda found: rename(found, "Time: 45 minutes", "Time: 10 minutes")),
        rules("notebooks/02_synchronous_only_operation"),
        ("states 10 core minutes;",),
    ),
    Fault(
        "stub-already-solved",
        "a stub",
        both(
            source(SOLUTIONS, "exercise-2-1", "    ### BEGIN SOLUTION\n", ""),
            source(SOLUTIONS, "exercise-2-1", "\n    ### END SOLUTION", ""),
        ),
        verdict("2.1 stub"),
        ("('passed', '') == ('not attempted', '')",),
    ),
    Fault(
        "exercise-without-its-cell",
        "a stub",
        drop_cell(SOLUTIONS, "exercise-2-4"),
        ("tests/lessons/test_gate.py::test_every_solution_cell_has_an_exercise[2]",),
        ("'2.4'",),
    ),
    Fault(
        "solution-wrong",
        "an answer",
        source(SOLUTIONS, "exercise-2-1", "due__lt=day", "due__lte=day"),
        verdict("2.1 solution"),
        ("('not yet', 'counts-due-today') == ('passed', '')",),
    ),
    Fault(
        "right-answer-refused",
        "an answer",
        text(CHECKS, "    if call.value == right:\n", "    if call.value == right and False:\n"),
        verdict("2.1 aggregate"),
        ("('not yet', 'other-number') == ('passed', '')",),
    ),
    Fault(
        "wrong-answer-forgotten",
        "an answer",
        drop_answer("tests/lessons/lesson02.py", "counts-due-today"),
        complete("2.1"),
        ("no answer earns ['counts-due-today']",),
    ),
    Fault(
        "wrong-answer-to-a-shared-word-forgotten",
        "an answer",
        drop_answer("tests/lessons/lesson02.py", "no-query"),
        complete("2.1"),
        ("no answer earns ['no-query']",),
    ),
    Fault(
        "check-accepts-everything",
        "a check",
        text(
            CHECKS,
            "async def loan_lines(given):\n",
            'async def loan_lines(given):\n    return "Well done."\n',
        ),
        verdict("2.2 no-query"),
        ("('passed', '') == ('not yet', 'no-query')",),
    ),
    Fault(
        "diagnoses-swapped",
        "a check",
        swap(CHECKS, '"counts-returned"', '"counts-due-today"'),
        verdict("2.1 counts-returned"),
        ("('not yet', 'counts-due-today') == ('not yet', 'counts-returned')",),
    ),
    Fault(
        "diagnosis-that-nobody-earns",
        "a check",
        text(
            CHECKS,
            "async def loan_lines(given):\n",
            "async def loan_lines(given):\n"
            '    if given is None:\n        raise NotYet("no-reader", "Who are you?")\n',
        ),
        ("tests/lessons/test_gate.py::test_no_diagnosis_is_dead",),
        ("no wrong answer in tests/lessons earns ['no-reader']",),
    ),
    Fault(
        "verdict-gives-the-answer-away",
        "a verdict",
        text(CHECKS, '"how many loans are overdue"', f'"how to write {OVERDUE}"'),
        verdict("2.1 no-query"),
        (f"['{OVERDUE}'] == []",),
    ),
    Fault(
        "hint-removed",
        "a hint",
        text(
            CHECKS,
            '        "The database can count. What is the async twin of `count()`?",\n',
            "",
        ),
        complete("2.1"),
        ("fewer than three hints",),
    ),
]
