"""The mutated answers: how they are made, that the command can fail, and a few that are tried.

`python -m tests.proof.mutants` tries them all.
"""

import ast
from contextlib import closing

import pytest

from asynclab.exercises.book import every_exercise
from tests.harness.gate import Kernel
from tests.lessons import Equivalent
from tests.proof.mutants import Mutant
from tests.proof.mutants import __main__ as command
from tests.proof.mutants.equivalents import known_equivalents, reasons
from tests.proof.mutants.generate import every_mutant, mutants_of
from tests.proof.mutants.operators import OPERATORS, operator
from tests.proof.mutants.report import tally
from tests.proof.mutants.run import ALIVE, KILLED, LEAKS, RUINED, Bench, Result
from tests.proof.mutants.tree import replaced

QUICK = ("0.1", "2.1", "5.1")
"""Exercises that are checked in a moment, of three lessons."""

WORKER = """
async def lend(pk):
    def count_and_lend():
        with atomic():
            a = count(pk)
            return create(a)
    await sync_to_async(count_and_lend)()
"""
CLEANUP = """
async def ask(x):
    def work():
        try:
            return count(x)
        finally:
            connection.close()
    await sync_to_async(work)()
"""
LOOP = """
async def lend(pks):
    def work():
        for pk in pks:
            create(pk)
    await sync_to_async(work)()
"""

SITES = {
    "adapter-exchanged": ("sync_to_async(f)(x)", ["async_to_sync(f)(x)"]),
    "adapter-for-await": ("await f(x)", ["async_to_sync(f)(x)"]),
    "adapter-for-thread": ("to_thread(f, x)", ["sync_to_async(f)(x)"]),
    "adapter-removed": ("await sync_to_async(f)(x)", ["f(x)", "await f(x)"]),
    "argument-dropped": ("f(a, b)", ["f(b)", "f(a)"]),
    "arguments-exchanged": ("f(a, b)", ["f(b, a)"]),
    "arithmetic-changed": ("a + b", ["a - b", "a"]),
    "assertion-turned": ("self.assertIn(a, b)", ["self.assertNotIn(a, b)"]),
    "async-added": ("def f(): pass", ["async def f(): pass"]),
    "async-orm-adapted": (
        "await q.acount()",
        [
            "await sync_to_async(q.acount)()",
            "await sync_to_async(q.count, thread_sensitive=False)()",
        ],
    ),
    "atomic-left-out": ("with atomic(): f()", ["f()"]),
    "atomic-moved-out": (
        "def f():\n def g():\n  with atomic(): h()\n run(g)",
        ["def f():\n def g():\n  h()\n with atomic(): run(g)"],
    ),
    "atomic-narrowed": (
        "with atomic():\n f()\n g()",
        ["if True:\n with atomic(): f()\n g()", "if True:\n f()\n with atomic(): g()"],
    ),
    "await-removed": ("await f()", ["f()"]),
    "base-changed": ("class A(B): pass", ["class A: pass"]),
    "brackets-mixed": ("sync_to_async(f)(x)", ["sync_to_async(f, x)"]),
    "branch-always": ("a if c else b", ["a", "b"]),
    "callback-called": ("t.add_done_callback(f)", ["t.add_done_callback(f(t))"]),
    "called-too-soon": ("sync_to_async(f)(x)", ["sync_to_async(f(x))()"]),
    "cleanup-split": (CLEANUP, 3),
    "comparison-changed": ("a < b", ["a <= b"]),
    "condition-dropped": ("a and b", ["b", "a", "a or b"]),
    "condition-negated": ("a if c else b", ["a if not c else b"]),
    "connection-of-the-loop": (CLEANUP, 1),
    "connection-passed": (
        "def f():\n def g(): connection.cursor()\n run(g)",
        [
            "def f():\n taken = connection.cursor()\n def g(): taken\n run(g)",
            "def f():\n taken = connection.cursor\n def g(): taken()\n run(g)",
        ],
    ),
    "constant-changed": ("f(3)", ["f(4)", "f(2)"]),
    "context-manager-dropped": ("with a, b: f()", ["with b: f()", "with a: f()"]),
    "context-not-copied": ("copy_context()", ["contextvars.Context()"]),
    "decorator-removed": ("staticmethod(f)", ["f"]),
    "exception-swallowed": (
        "def f(): g()",
        ["def f():\n try: g()\n except Exception: pass"],
    ),
    "finally-dropped": ("try: f()\nfinally: g()", ["f()"]),
    "finally-on-success": ("try: f()\nfinally: g()", ["if True:\n f()\n g()"]),
    "function-called": ("def f(): return g", ["def f(): return g()"]),
    "gather-as-completed": (
        "await gather(*[f(x) for x in xs])",
        ["[await job for job in asyncio.as_completed([f(x) for x in xs])]"],
    ),
    "gather-sequential": ("await gather(*[f(x) for x in xs])", ["[await f(x) for x in xs]"]),
    "handler-dropped": ("try: f()\nexcept E: g()", ["f()"]),
    "handler-silenced": ("try: f()\nexcept E: g()", ["try: f()\nexcept E: pass"]),
    "handler-widened": ("try: f()\nexcept E: g()", ["try: f()\nexcept Exception: g()"]),
    "helper-split": (WORKER, 3),
    "job-named-not-called": ("await f(x)", ["await f"]),
    "keyword-dropped": ("f(a=1, b=2)", ["f(b=2)", "f(a=1)"]),
    "list-cut": ("[x for x in xs]", ["[x for x in xs[1:]]"]),
    "list-reversed": ("def f(): return [x for x in y]", ["def f(): return [x for x in y][::-1]"]),
    "lookup-changed": ("f(due__lt=d)", ["f(due__lte=d)", "f(due__gt=d)"]),
    "loop-ends-early": ("for x in xs: f()", ["for x in xs:\n f()\n break"]),
    "loop-taken-out": (LOOP, 1),
    "query-lazy": (
        "[x async for x in q]",
        ["q", "await sync_to_async(q)()", "await sync_to_async(list, thread_sensitive=False)(q)"],
    ),
    "query-step-dropped": ("q.filter(a=b).count()", ["q.count()"]),
    "raise-dropped": ("def f(): raise E", ["def f(): pass", "def f(): return"]),
    "reset-flattened": ("var.reset(token)", ["var.set(None)"]),
    "return-exceptions-turned": ("gather(a)", ["gather(a, return_exceptions=True)"]),
    "returns-none": ("def f(): return a", ["def f(): return None"]),
    "run-for-adapter": ("async_to_sync(f)(x)", ["asyncio.run(f(x))"]),
    "run-for-task": ("create_task(c)", ["asyncio.run(c)"]),
    "sequential-gathered": (
        "[await f(x) for x in xs]",
        ["await asyncio.gather(*[f(x) for x in xs])"],
    ),
    "shared-made-anew": (
        "def f():\n s = set()\n async def g(): s.add(1)",
        ["def f():\n pass\n async def g(): set().add(1)"],
    ),
    "slice-dropped": ("a[:3]", ["a"]),
    "statement-deleted": ("f()", ["pass"]),
    "sync-orm": ("await q.acount()", ["q.count()"]),
    "task-for-each": ("await f(x)", ["await asyncio.create_task(f(x))"]),
    "task-for-run": ("asyncio.run(c)", ["asyncio.create_task(c)"]),
    "task-removed": ("await create_task(c)", ["await c"]),
    "test-not-run": ("def test_a(): pass", ["def _test_a(): pass"]),
    "thread-and-run": ("await f(x)", ["await asyncio.to_thread(lambda: asyncio.run(f(x)))"]),
    "thread-for-adapter": ("sync_to_async(f)(x)", ["asyncio.to_thread(f, x)"]),
    "thread-sensitive-turned": (
        "sync_to_async(f, thread_sensitive=False)",
        ["sync_to_async(f, thread_sensitive=True)"],
    ),
    "values-exchanged": ("f(a=1, b=2)", ["f(a=2, b=1)"]),
    "variable-global": ('ContextVar("a", default=None)', 1),
    "variable-thread-local": ('ContextVar("a", default=None)', 1),
    "wait-for-instead": ("wait([job], timeout=s)", ["asyncio.wait_for(job, timeout=s)"]),
}


def changes(name: str, source: str) -> list[str]:
    """What one operator makes of a source, each as text."""
    tree = ast.parse(source)
    made = [
        normal(replaced(tree, (node, instead)))
        for node in ast.walk(tree)
        for instead in OPERATORS[name].change(node)
    ]
    return list(dict.fromkeys(made))


def normal(tree: ast.AST | str) -> str:
    tree = ast.parse(tree) if isinstance(tree, str) else tree
    return ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operator_makes_one_change(name):
    before, after = SITES[name]
    made = changes(name, before)
    if isinstance(after, int):
        assert len(set(made) - {normal(before)}) == after
    else:
        assert made == [normal(each) for each in after]


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operator_leaves_alone_what_is_not_its_subject(name):
    assert changes(name, "x") in ([], ["pass"])


def test_split_helper_keeps_its_transaction_in_both_halves():
    both, first_here, second_here = changes("helper-split", WORKER)
    assert both.count("with atomic()") == 2
    assert both.count("await sync_to_async") == 2
    assert "    first()" in first_here
    assert "return second()" in second_here


def test_helper_is_split_with_the_words_of_its_adapter():
    pool = CLEANUP.replace("(work)", "(work, thread_sensitive=False)")
    assert changes("cleanup-split", pool)[0].count("thread_sensitive=False") == 2


def test_two_operators_cannot_share_a_name():
    with pytest.raises(ValueError, match="await-removed"):
        operator("await-removed")(lambda node: iter(()))


CELL = """
def given():
    return await_me(1)

async def ask():
    ### BEGIN SOLUTION
    return await f(1)
    ### END SOLUTION
"""


def test_only_the_answer_is_mutated():
    mutants = mutants_of("9.9", CELL)
    assert mutants
    assert all("return await_me(1)" in mutant.source for mutant in mutants)
    assert {mutant.line for mutant in mutants} == {5, 7}


def test_ids_name_exercise_operator_and_line():
    ids = [mutant.id for mutant in mutants_of("9.9", CELL)]
    assert {"9.9 await-removed@7", "9.9 constant-changed@7", "9.9 constant-changed@7#2"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_what_does_not_compile_is_no_mutant():
    cell = CELL.replace("async def ask", "def ask").replace("await f(1)", "f(1)")
    for mutant in mutants_of("9.9", cell):
        compile(mutant.source, "cell", "exec")


@pytest.mark.parametrize("exercise", every_exercise(), ids=lambda exercise: exercise.number)
def test_every_exercise_has_mutants(exercise):
    mutants = every_mutant()[exercise.number]
    assert len(mutants) >= 8
    assert len({mutant.source for mutant in mutants}) == len(mutants)


def test_equivalents_are_in_step_with_the_mutants():
    known = {mutant.id for mutants in every_mutant().values() for mutant in mutants}
    assert sorted(set(known_equivalents()) - known) == [], "tests/lessons lists what is no mutant"


def test_equivalent_without_reason_or_listed_twice_is_refused():
    with pytest.raises(ValueError, match="a, b: right without a reason"):
        Equivalent(because=" ", mutants=("a", "b"))
    entries = [Equivalent(because=why, mutants=("a",)) for why in ("same", "again")]
    with pytest.raises(ValueError, match="tests/lessons lists a twice"):
        reasons(entries)


def test_tally_counts_and_names_what_is_out_of_order():
    results = [
        Result("killed", KILLED, ""),
        Result("right", ALIVE, ""),
        Result("alive", ALIVE, "passed"),
        Result("listed", KILLED, "sequential"),
        Result("ruins", RUINED, ""),
        Result("leaks", LEAKS, ""),
    ]
    counted = tally(1, results, {"right": "same", "listed": "same"})
    assert (counted.mutants, counted.killed, counted.equivalent) == (6, 1, 1)
    assert [fault.split()[0] for fault in counted.faults] == ["alive", "listed", "ruins", "leaks"]


@pytest.mark.parametrize("number", QUICK)
def test_no_mutant_of_a_quick_exercise_lives(number):
    assert command.try_lesson(int(number[0]), every_mutant()[number]).faults == []


@pytest.mark.nightly
def test_no_mutant_lives():
    assert command.main([]) == 0


ACCEPTING = """
import dataclasses
from asynclab.exercises import book

async def accept(given):
    return None

book._exercises["0.1"] = dataclasses.replace(book.find("0.1"), grade=accept)
"""


def test_check_that_accepts_everything_lets_every_mutant_live(capsys):
    def start(lesson):
        kernel = Kernel(lesson)
        kernel.run(ACCEPTING)
        return kernel

    with closing(Bench(0, start)) as bench:
        results = list(bench.results(every_mutant()["0.1"]))
    assert {result.outcome for result in results} == {ALIVE}
    assert command.report([tally(0, results, known_equivalents())]) == 1
    assert "0.1 await-removed@3 alive" in capsys.readouterr().out


class HastyKernel(Kernel):
    """One that waits no longer than a dead kernel deserves."""

    SECONDS = 20


@pytest.mark.nightly
def test_mutant_that_ruins_the_kernel_is_named_and_the_next_one_gets_a_new_kernel():
    ruins = Mutant("0.1", "ruin", 3, 1, "check = None\ncount_books = ...")
    dies = Mutant("0.1", "die", 3, 1, "import os\nos._exit(1)")
    wrong = Mutant("0.1", "wrong", 3, 1, "async def count_books(): return 1")
    with closing(Bench(0, HastyKernel)) as bench:
        results = list(bench.results([ruins, dies, wrong]))
    assert [result.outcome for result in results] == [RUINED, RUINED, KILLED]


def test_command_lists_the_mutants_of_a_lesson_or_an_exercise(capsys):
    assert command.main(["--list", "00", "3.4"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed == [mutant.id for number in ("0.1", "3.4") for mutant in every_mutant()[number]]


@pytest.mark.parametrize("name", ["99", "3.99", "three", ""])
def test_command_says_what_it_takes(capsys, name):
    assert command.main([name]) == 2
    (line,) = capsys.readouterr().out.splitlines()
    assert "There is no exercise in" in line
