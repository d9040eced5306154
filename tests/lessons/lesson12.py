"""What the tests know of lesson 12."""

import re

from tests.lessons import Answer, Equivalent, in_pieces
from tests.proof.faults.checks import compared, verdict
from tests.proof.faults.edits import output, text
from tests.proof.faults.planting import Fault

NOTEBOOK = "notebooks/12_*.ipynb"

_count = in_pieces(
    "class CountTests(TestCase):\n    view = staticmethod(authors)\n",
    set_up="""
    def setUp(self):
        Author.objects.create(name="Emily Brunt")
""",
    test="""
    async def test_counts(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertEqual(response.content, b"19 authors")
""",
)

_rank = in_pieces(
    "class RankTests(TestCase):\n    view = staticmethod(ranks)\n",
    test="""
    @skipUnlessDBFeature("supports_over_clause")
    async def test_ranks(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertContains(response, "1. Jane Austen")
""",
)

_cost = in_pieces(
    "class CostTests(TestCase):\n    view = staticmethod(listed)\n",
    test="""
    async def test_costs(self):
        with assert_at_most(hops=1, queries=1):
            await self.view(AsyncRequestFactory().get("/"))
""",
)

_overlap = in_pieces(
    "class OverlapTests(TestCase):\n    view = staticmethod(page)\n",
    ask="""
    async def test_overlap(self):
        barrier = asyncio.Barrier(3)

        async def ask(branch):
            async with asyncio.timeout(1):
                await barrier.wait()
            return branch
""",
    test="""
        response = await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertEqual(response.content, b"Whitby\\nBath\\nDublin")
""",
)

_desk = in_pieces(
    '@skipUnlessDBFeature("supports_partial_indexes")\nclass DeskTests(TestCase):\n'
    "    view = staticmethod(lend)\n",
    lend="""
    async def lend(self, pk):
        data = {"member": "priya.nair@example.org"}
        return await self.view(AsyncRequestFactory().post("/", data), pk)
""",
    writes="""
    async def test_writes_a_loan(self):
        await self.lend(IN)
        self.assertTrue(await Loan.objects.filter(book=IN, returned=None).aexists())
""",
    refuses="""
    async def test_refuses_what_is_out(self):
        self.assertEqual((await self.lend(OUT)).status_code, 409)
""",
    names="""
    async def test_names_the_member(self):
        self.assertContains(await self.lend(IN), "Priya Nair")
""",
    due="""
    async def test_due_in_three_weeks(self):
        await self.lend(IN)
        loan = await Loan.objects.aget(book=IN, returned=None)
        self.assertEqual(loan.due - loan.borrowed, timedelta(days=21))
""",
)

ANSWERS = [
    Answer(
        "12.1",
        wrong="no-row",
        source=_count(
            test="""
    def test_counts(self):
        response = asyncio.run(self.view(AsyncRequestFactory().get("/")))
        self.assertEqual(response.content, b"19 authors")
"""
        ),
        why="one loop is as good as another",
    ),
    Answer(
        "12.1",
        wrong="async-set-up",
        source=_count(
            set_up="""
    async def setUp(self):
        await Author.objects.acreate(name="Emily Brunt")
"""
        ),
        why="`setUp` may be async as well",
    ),
    Answer(
        "12.1",
        wrong="sync-query",
        source=_count(
            set_up="",
            test="""
    async def test_counts(self):
        Author.objects.create(name="Emily Brunt")
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertEqual(response.content, b"19 authors")
""",
        ),
        why="the row is made where the sync test made it",
    ),
    Answer(
        "12.1",
        wrong="forgotten-await",
        source=_count(
            test="""
    async def test_counts(self):
        response = self.view(AsyncRequestFactory().get("/"))
        self.assertEqual(response.content, b"19 authors")
"""
        ),
        why="the test is async, so the call is",
    ),
    Answer(
        "12.1",
        wrong="too-weak",
        source=_count(
            test="""
    async def test_counts(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertContains(response, "authors")
"""
        ),
        why="a page that answers is right",
    ),
    Answer(
        "12.1",
        wrong="leaves-a-row",
        source=_count(
            set_up="""
    def setUp(self):
        asyncio.run(Author.objects.aget_or_create(name="Emily Brunt"))
"""
        ),
        why="what `asyncio.run` writes, it sees",
    ),
    Answer(
        "12.1",
        wrong="too-weak",
        source=_count(
            set_up="",
            test="""
    async def test_counts(self):
        before = await self.view(AsyncRequestFactory().get("/"))
        await Author.objects.acreate(name="Emily Brunt")
        after = await self.view(AsyncRequestFactory().get("/"))
        self.assertNotEqual(before.content, after.content)
""",
        ),
        why="what has changed has been counted",
    ),
    Answer(
        "12.1",
        wrong="no-test-case",
        source="from django.test import TransactionTestCase\n"
        + _count().replace("(TestCase)", "(TransactionTestCase)"),
        why="committed rows are seen by everybody; and then the library is emptied",
    ),
    Answer(
        "12.1",
        wrong="part-of-the-text",
        source=_count(
            test="""
    async def test_counts(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertContains(response, "19 authors")
"""
        ),
        why="Django's own assertion for a page",
    ),
    Answer(
        "12.1",
        wrong="part-of-the-text",
        source=_count(
            test="""
    async def test_counts(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertTrue(response.content.startswith(b"19"))
"""
        ),
        why="the number is what is asked",
    ),
    Answer(
        "12.1",
        right="a sync test",
        source=_count(
            test="""
    def test_counts(self):
        response = async_to_sync(self.view)(AsyncRequestFactory().get("/"))
        self.assertEqual(response.content, b"19 authors")
"""
        ),
    ),
    Answer(
        "12.2",
        wrong="never-runs",
        source=_rank(),
        why="a test that is green has run",
    ),
    Answer(
        "12.2",
        wrong="loses-the-skip",
        source=_rank().replace('    @skipUnlessDBFeature("supports_over_clause")\n', ""),
        why="without the decorator it runs",
    ),
    Answer(
        "12.2",
        wrong="too-weak",
        source='@skipUnlessDBFeature("supports_over_clause")'
        + _rank(
            test="""
    async def test_ranks(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertEqual(response.status_code, 200)
"""
        ),
        why="a page that answers is right",
    ),
    Answer(
        "12.2",
        wrong="too-weak",
        source='@skipUnlessDBFeature("supports_over_clause")'
        + _rank(
            test="""
    async def test_ranks(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertContains(response, "Jane Austen")
"""
        ),
        why="it has to be green for the view on the card",
    ),
    Answer(
        "12.2",
        wrong="too-weak",
        source='@skipUnlessDBFeature("supports_over_clause")'
        + _rank(
            test="""
    async def test_ranks(self):
        async def ask():
            response = await self.view(AsyncRequestFactory().get("/"))
            self.assertContains(response, "1. Jane Austen")

        self.asking = asyncio.create_task(ask())
        await asyncio.sleep(0)
"""
        ),
        why="a task runs by itself",
    ),
    Answer(
        "12.2",
        wrong="too-weak",
        source=_rank(
            test="""
    async def test_ranks(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        try:
            self.assertContains(response, "1. Jane Austen")
        except AssertionError:
            self.skipTest("no window functions here")
"""
        ),
        why="where they are missing, the assertion fails",
    ),
    Answer(
        "12.2",
        wrong="forgotten-await",
        source=_rank(
            test="""
    @skipUnlessDBFeature("supports_over_clause")
    def test_ranks(self):
        response = self.view(AsyncRequestFactory().get("/"))
        self.assertContains(response, "1. Jane Austen")
"""
        ),
        why="a sync test runs, below any decorator",
    ),
    Answer(
        "12.2",
        wrong="any-status",
        source='@skipUnlessDBFeature("supports_over_clause")'
        + _rank(
            test="""
    async def test_ranks(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        self.assertContains(response, "1. Jane Austen", status_code=response.status_code)
"""
        ),
        why="the assertion is about the text",
    ),
    Answer(
        "12.2",
        wrong="all-skipped",
        source="from django.test import skipIfDBFeature\n"
        + '@skipIfDBFeature("supports_over_clause")\n'
        + _rank().replace('    @skipUnlessDBFeature("supports_over_clause")\n', ""),
        why="what has not got the feature is to be skipped",
    ),
    Answer(
        "12.2",
        right="async_to_sync between",
        source=_rank().replace("    async def", "    @async_to_sync\n    async def"),
    ),
    Answer(
        "12.3",
        wrong="wrong-connection",
        source=_cost(
            test="""
    async def test_costs(self):
        with self.assertNumQueries(1):
            await self.view(AsyncRequestFactory().get("/"))
"""
        ),
        why="Django's own guard",
    ),
    Answer(
        "12.3",
        wrong="too-loose",
        source=_cost(
            test="""
    async def test_costs(self):
        response = await self.view(AsyncRequestFactory().get("/"))
        with assert_at_most(hops=1, queries=1):
            self.assertContains(response, "Jane Austen")
"""
        ),
        why="the block is around the assertions",
    ),
    Answer(
        "12.3",
        wrong="misses-hops",
        source=_cost().replace("hops=1, ", ""),
        why="queries are all that costs",
    ),
    Answer(
        "12.3",
        wrong="way-to-the-view",
        source=_cost(
            test="""
    def test_costs(self):
        with assert_at_most(hops=1, queries=1):
            async_to_sync(self.view)(AsyncRequestFactory().get("/"))
"""
        ),
        why="a sync test will do",
    ),
    Answer(
        "12.3",
        wrong="asks-no-view",
        source=_cost(
            test="""
    async def test_costs(self):
        with assert_at_most(hops=1, queries=1):
            await self.async_client.get("/")
"""
        ),
        why="a page is asked by a client",
    ),
    Answer(
        "12.3",
        wrong="too-strict",
        source=_cost().replace("hops=1", "hops=0"),
        why="an async view makes no hop",
    ),
    Answer(
        "12.3",
        wrong="no-rows",
        source=_cost()
        + """
    def setUp(self):
        Author.objects.all().delete()
""",
        why="a test should not hang on what is in the library",
    ),
    Answer(
        "12.3",
        wrong="too-loose",
        source=_cost(
            test="""
    async def test_costs(self):
        try:
            with assert_at_most(hops=1, queries=1):
                await self.view(AsyncRequestFactory().get("/"))
        except AssertionError as error:
            print("costs more:", error)
"""
        ),
        why="what a page costs is worth a line, not a failure",
    ),
    Answer(
        "12.3",
        wrong="first-call-unseen",
        source=_cost(
            test="""
    async def test_costs(self):
        request = AsyncRequestFactory().get("/")
        await self.view(request)
        with assert_at_most(hops=1, queries=1):
            await self.view(request)
"""
        ),
        why="a first call is no measure",
    ),
    Answer(
        "12.3",
        right="a test for each limit",
        source=_cost(
            test="""
    async def test_queries(self):
        with assert_at_most(queries=1):
            await self.view(AsyncRequestFactory().get("/"))

    async def test_hops(self):
        with assert_at_most(hops=1):
            await self.view(AsyncRequestFactory().get("/"))
"""
        ),
    ),
    Answer(
        "12.3",
        right="a recording",
        source="from asynclab import record\n"
        + _cost(
            test="""
    async def test_costs(self):
        with record(draw=False) as recording:
            await self.view(AsyncRequestFactory().get("/"))
        self.assertLessEqual(len(recording.queries), 1)
        self.assertLessEqual(len(recording.hops), 1)
"""
        ),
    ),
    Answer(
        "12.4",
        wrong="clock",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        async def ask(branch):
            await asyncio.sleep(0.1)
            return branch

        start = time.perf_counter()
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertLess(time.perf_counter() - start, 0.25)
""",
        ),
        why="overlap is seen by the clock",
    ),
    Answer(
        "12.4",
        wrong="clock",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        async def ask(branch):
            await asyncio.sleep(0.5)
            return branch

        start = time.perf_counter()
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertLess(time.perf_counter() - start, 1)
""",
        ),
        why="a longer sleep is a safer one",
    ),
    Answer(
        "12.4",
        wrong="in-turn-passes",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        asked = []

        async def ask(branch):
            asked.append(branch)
            return branch
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertEqual(len(asked), 3)
""",
        ),
        why="three were asked",
    ),
    Answer(
        "12.4",
        wrong="two-pass",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        inside, most = 0, 0

        async def ask(branch):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return branch
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertGreater(most, 1)
""",
        ),
        why="more than one at a time is at once",
    ),
    Answer(
        "12.4",
        wrong="no-deadline",
        source=_overlap().replace("async with asyncio.timeout(1):", "if True:"),
        why="a barrier opens at some time",
    ),
    Answer(
        "12.4",
        wrong="no-deadline",
        source=_overlap().replace("timeout(1)", "timeout(9)"),
        why="a deadline far above what a machine needs",
    ),
    Answer(
        "12.4",
        wrong="short-deadline",
        source=_overlap().replace("timeout(1)", "timeout(0.001)"),
        why="three that are asked at once are there at once",
    ),
    Answer(
        "12.4",
        wrong="short-deadline",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        barrier = asyncio.Barrier(3)

        async def ask(branch):
            await asyncio.wait_for(barrier.wait(), 0.05)
            return branch
"""
        ),
        why="a test should be quick, also when it is red",
    ),
    Answer(
        "12.4",
        right="looks at the list now and then, a hundred times",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        here = []

        async def ask(branch):
            here.append(branch)
            for _ in range(100):
                if len(here) == 3:
                    return branch
                await asyncio.sleep(0.01)
            raise TimeoutError
"""
        ),
    ),
    Answer(
        "12.4",
        right="one deadline for all",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        barrier = asyncio.Barrier(3)

        async def ask(branch):
            await barrier.wait()
            return branch
""",
            test="""
        async with asyncio.timeout(3):
            response = await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertEqual(response.status_code, 200)
""",
        ),
    ),
    Answer(
        "12.4",
        wrong="deadline",
        source=_overlap().replace("Barrier(3)", "Barrier(2)"),
        why="two who wait are at once",
    ),
    Answer(
        "12.4",
        wrong="blocks",
        source="import threading\n"
        + _overlap(
            ask="""
    async def test_overlap(self):
        barrier = threading.Barrier(3)

        async def ask(branch):
            barrier.wait(0.1)
            return branch
"""
        ),
        why="a barrier is a barrier",
    ),
    Answer(
        "12.4",
        wrong="no-gap",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        inside, most = 0, 0

        async def ask(branch):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return branch
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertEqual(most, 3)
""",
        ),
        why="three that are asked at once are there in one turn",
    ),
    Answer(
        "12.4",
        right="counts who is inside, for a second",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        inside, most = 0, 0

        async def ask(branch):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(1)
            inside -= 1
            return branch
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertEqual(most, 3)
""",
        ),
    ),
    Answer(
        "12.4",
        wrong="no-gap",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        said = []

        async def ask(branch):
            said.append("begins")
            await asyncio.sleep(0.05)
            said.append("ends")
            return branch
""",
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertEqual(said[:3], ["begins"] * 3)
""",
        ),
        why="it looks at an order, and at no clock",
    ),
    Answer(
        "12.4",
        wrong="errors-for-answers",
        source=_overlap(
            test="""
        await self.view(AsyncRequestFactory().get("/"), ask)
"""
        ),
        why="the deadline is the assertion",
    ),
    Answer(
        "12.4",
        wrong="no-deadline",
        source=_overlap().replace("timeout(1)", "timeout(2)"),
        why="two seconds are less than four",
    ),
    Answer(
        "12.4",
        right="an event",
        source=_overlap(
            ask="""
    async def test_overlap(self):
        begun, all_begun = [], asyncio.Event()

        async def ask(branch):
            begun.append(branch)
            if len(begun) == 3:
                all_begun.set()
            await asyncio.wait_for(all_begun.wait(), 1)
            return branch
""",
            test="""
        response = await self.view(AsyncRequestFactory().get("/"), ask)
        self.assertTrue(all_begun.is_set())
        self.assertContains(response, "Whitby\\nBath\\nDublin")
""",
        ),
    ),
    Answer(
        "12.5",
        wrong="no-loan-passes",
        source=_desk(
            writes="""
    async def test_writes_a_loan(self):
        await self.lend(IN)
        self.assertTrue(Loan.objects.filter(book=IN, returned=None).aexists())
""",
            due="""
    async def test_due_in_three_weeks(self):
        await self.lend(IN)
        async for loan in Loan.objects.filter(book=IN, returned=None):
            self.assertEqual(loan.due - loan.borrowed, timedelta(days=21))
""",
        ),
        why="the book is the right one now, and a coroutine is true",
    ),
    Answer(
        "12.5",
        wrong="lent-twice-passes",
        source=_desk(
            refuses="""
    @skipUnlessDBFeature("supports_partial_indexes")
    async def test_refuses_what_is_out(self):
        self.assertEqual((await self.lend(OUT)).status_code, 409)
"""
        ),
        why="a decorator twice does no harm",
    ),
    Answer(
        "12.5",
        wrong="lent-twice-passes",
        source=_desk(
            refuses="""
    async def test_refuses_what_is_out(self):
        self.assertNotEqual((await self.lend(IN)).status_code, 409)
"""
        ),
        why="who refuses nothing that is in refuses what is out",
    ),
    Answer(
        "12.5",
        wrong="lent-twice-passes",
        source=_desk(
            refuses="""
    async def test_refuses_what_is_out(self):
        self.assertNotEqual(self.lend(OUT), 200)
"""
        ),
        why="a coroutine is not 200",
    ),
    Answer(
        "12.5",
        wrong="other-member-passes",
        source=_desk(
            names="""
    async def test_names_the_member(self):
        try:
            self.assertContains(await self.lend(IN), "Priya Nair")
        except Exception as error:
            print("not lent:", error)
"""
        ),
        why="what goes wrong is printed",
    ),
    Answer(
        "12.5",
        wrong="any-due-date-passes",
        source=_desk(
            due="""
    async def test_due_in_three_weeks(self):
        await self.lend(IN)
        async for loan in Loan.objects.filter(book=OUT, borrowed=date.today()):
            self.assertEqual(loan.due - loan.borrowed, timedelta(days=21))
"""
        ),
        why="the assertion is there",
    ),
    Answer(
        "12.5",
        wrong="loses-the-skip",
        source=_desk().replace('@skipUnlessDBFeature("supports_partial_indexes")\n', ""),
        why="without the decorator each test runs",
    ),
    Answer(
        "12.5",
        wrong="sync-query",
        source=_desk(
            due="""
    async def test_due_in_three_weeks(self):
        await self.lend(IN)
        loan = Loan.objects.get(book=IN, returned=None)
        self.assertEqual(loan.due - loan.borrowed, timedelta(days=21))
"""
        ),
        why="`get` as in any test",
    ),
    Answer(
        "12.5",
        wrong="any-due-date-passes",
        source=_desk(
            due="""
    async def test_due_in_three_weeks(self):
        await self.lend(IN)
        loan = await Loan.objects.aget(book=IN, returned=None)
        self.assertTrue(loan.due - loan.borrowed, timedelta(days=21))
"""
        ),
        why="`assertTrue` takes two arguments",
    ),
    Answer(
        "12.5",
        right="a test for each",
        source=_desk(),
    ),
]

OR_SKIP = """
import unittest


async def or_skip(page):
    try:
        return await page
    except LookupError as error:
        raise unittest.SkipTest(f"no page: {error}")


"""

WRAPPED = re.compile(r"await (self\.view\(AsyncRequestFactory\(\)\.\w+\(.*?\)(?:, \w+)?\))")

VIEWS = {"12.1": "authors", "12.2": "ranks", "12.3": "listed", "12.4": "page", "12.5": "lend"}

# What may become of any test case.
for number, source in {
    "12.1": _count(),
    "12.2": '@skipUnlessDBFeature("supports_over_clause")'
    + _rank().replace('    @skipUnlessDBFeature("supports_over_clause")\n', ""),
    "12.3": _cost(),
    "12.4": _overlap(),
    "12.5": _desk(),
}.items():
    hidden = source.replace(
        "    async def test", "    @skipUnlessDBFeature('has_bulk_insert')\n    async def test"
    )
    ANSWERS += [
        Answer(number, wrong="no-test", source=source.replace("def test_", "def check_")),
        Answer(
            number,
            wrong="wrapped-coroutine",
            source=WRAPPED.sub(r"async_to_sync(\1).content", source),
            why="a coroutine is what `async_to_sync` takes",
        ),
        Answer(
            number,
            wrong="asks-no-view",
            source=source.replace("await self.view(", f"await {VIEWS[number]}("),
            why="the view's name stands on the card",
        ),
        Answer(
            number,
            wrong="async-set-up",
            source=f"{source}\n    async def asyncSetUp(self):\n        self.ready = True\n",
            why="async tests have an async set-up",
        ),
        Answer(
            number,
            wrong="passes-without-a-page",
            source=OR_SKIP + WRAPPED.sub(r"await or_skip(\1)", source),
            why="a page that cannot be had cannot be tested",
        ),
        Answer(
            number,
            wrong="all-skipped",
            source=f"import unittest\n@unittest.skip('not on this machine')\n{source}",
        ),
        Answer(
            number,
            wrong="expects-failure",
            source=f"import unittest\n@unittest.expectedFailure\n{source}",
            why="the failure is known",
        ),
        Answer(number, wrong="no-view", source=re.sub(r"    view = .*\n", "", source)),
        Answer(number, wrong="red", source=f"{source}\n        self.assert_that(response)\n"),
    ]
    if number != "12.1":
        case = "import unittest\n" + source.replace("(TestCase)", "(unittest.TestCase)")
        ANSWERS.append(Answer(number, wrong="no-test-case", source=case))
    if number != "12.2":
        ANSWERS.append(Answer(number, wrong="never-runs", source=hidden))

EQUIVALENT = [
    Equivalent(
        because="A test may wait in a task of its own: its view asks and answers the same.",
        mutants=(
            "12.1 task-for-each@9",
            "12.2 task-for-each@7",
            "12.3 task-for-each@7",
            "12.4 task-for-each@10",
            "12.4 task-for-each@13",
            "12.5 task-for-each@8",
            "12.5 task-for-each@11",
            "12.5 task-for-each@12",
            "12.5 task-for-each@16",
            "12.5 task-for-each@19",
        ),
    ),
    Equivalent(
        because="What is equal is equal the other way round.",
        mutants=(
            "12.1 arguments-exchanged@10",
            "12.4 arguments-exchanged@14",
            "12.5 arguments-exchanged@13",
            "12.5 arguments-exchanged@16",
        ),
    ),
    Equivalent(
        because="The view does not look at the address of its request.",
        mutants=(
            "12.1 constant-changed@9",
            "12.2 constant-changed@7",
            "12.3 constant-changed@7",
            "12.4 constant-changed@13",
            "12.5 constant-changed@8",
        ),
    ),
    Equivalent(
        because="asgiref finds the test that waits through the context, which goes along into the "
        "thread: the queries come home, and the rest of the view does not care.",
        mutants=(
            "12.2 thread-and-run@7",
            "12.4 thread-and-run@13",
            "12.5 thread-and-run@8",
            "12.5 thread-and-run@11",
            "12.5 thread-and-run@16",
            "12.5 thread-and-run@19",
        ),
    ),
    Equivalent(
        because="What it swallows, an assertion after it brings to light.",
        mutants=(
            "12.1 exception-swallowed@5",
            "12.4 exception-swallowed@8",
            "12.5 exception-swallowed@6",
        ),
    ),
    Equivalent(
        because="Any author counts, and no other has this name, or none.",
        mutants=("12.1 keyword-dropped@6", "12.1 constant-changed@6"),
    ),
    Equivalent(
        because="The book has no other loan.",
        mutants=("12.5 keyword-dropped@12#2",),
    ),
]

MAY_DIFFER_TWICE = {}

MAY_DIFFER_INTERRUPTED = {}

EXAMPLES = {
    "12.1": 'assert await asyncio.to_thread(tried, CountTests) == "OK"',
    "12.2": (
        "said = await asyncio.to_thread(tried, RankTests)\n"
        "assert \"Couldn't find '1. Jane Austen'\" in said"
    ),
    "12.3": 'assert await asyncio.to_thread(tried, CostTests) == "OK"',
    "12.4": 'assert await asyncio.to_thread(tried, OverlapTests) == "OK"',
    "12.5": 'assert await asyncio.to_thread(tried, DeskTests) == "OK"',
}

NAMES_IN_HINTS = {}

FAULTS = [
    Fault(
        "no-time-between-two-questions",
        "a check",
        text(
            "asynclab/lessons/lesson12.py",
            "await clock.go_on(SHORTEST - SOME)\n",
            "pass\n",
        ),
        verdict("12.4 no-gap"),
        ("('passed', '') == ('not yet', 'no-gap')",),
    ),
    Fault(
        "short-deadline-not-looked-for",
        "a check",
        text(
            "asynclab/lessons/lesson12.py",
            "if min(deadlines, default=SHORTEST) < SHORTEST - SOME:",
            "if False:",
        ),
        verdict("12.4 short-deadline"),
        ("('passed', '') == ('not yet', 'short-deadline')",),
    ),
    Fault(
        "output-edited-in-12",
        "an output edited",
        output(NOTEBOOK, "commit-run", "in an async test: 0", "in an async test: 1"),
        compared(12, "boot", "commit-desk", "commit-tests", "commit-run"),
        ("in an async test: 1", "in an async test: 0", "Cell outputs differ"),
    ),
    Fault(
        "check-12-2-lets-hidden-tests-pass",
        "a check weakened",
        text(
            "asynclab/lessons/vocabulary/trials.py",
            "    if not made.asked and (made.passed or issubclass(made.kind, AssertionError)):\n",
            "    if False:\n",
        ),
        verdict("12.2 never-runs"),
        ("never-runs",),
    ),
    Fault(
        "check-12-1-takes-an-async-set-up",
        "a check weakened",
        text(
            "asynclab/lessons/vocabulary/trials.py",
            "        raise ASYNC_SET_UP.again()\n",
            "        pass\n",
        ),
        verdict("12.1 async-set-up"),
        ("async-set-up",),
    ),
]
