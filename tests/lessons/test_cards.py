"""What the cards and the hints say belongs to their exercise, and their examples come true."""

import ast
import builtins
import functools
import inspect
import math
import re
import textwrap
from collections import Counter

import pytest
from nbformat import NotebookNode

from asynclab.authoring.notebooks import CHECKOUT, find, read
from asynclab.exercises.book import Exercise, every_exercise
from asynclab.exercises.stubs import exercise_cells
from tests.harness.cells import Kernel
from tests.harness.gate import solutions_of
from tests.lessons import lesson

EXERCISES = {exercise.number: exercise for exercise in every_exercise()}
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)

CODE = re.compile(r"`([^`\n]+)`")
PARTS = re.compile(r"\*\*(Given|Goal|Example):\*\* (.+?)(?=\n\n\*\*[A-Z])", re.DOTALL)
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}


@functools.cache
def cells_of(number: int) -> tuple[NotebookNode, ...]:
    """The cells of a lesson's solutions."""
    return tuple(read(solutions_of(number)).cells)


def own(exercise: Exercise) -> list[NotebookNode]:
    """The cells from an exercise's card to its check."""
    cells = cells_of(exercise.lesson)
    ids = [cell.id for cell in cells]
    number = exercise.number.replace(".", "-")
    return list(cells[ids.index(f"card-{number}") : ids.index(f"check-{number}") + 1])


def card(exercise: Exercise) -> str:
    return own(exercise)[0].source


def parts(exercise: Exercise) -> dict[str, str]:
    """What stands under Given, Goal and Example."""
    return dict(PARTS.findall(card(exercise)))


# ---------------------------------------------------------------- the card, its cell and its check


@each_exercise
def test_a_card_has_the_number_and_the_title_of_its_exercise(exercise):
    heading = card(exercise).partition("\n")[0]
    assert heading.casefold() == f"## {exercise.number} {exercise.title}".casefold()
    first, *_, check = own(exercise)
    assert f'await check("{exercise.number}")' in check.source
    assert set(re.findall(r'\("(\d+\.\d+)"\)', check.source)) == {exercise.number}
    assert exercise.number in exercise_cells(NotebookNode(cells=own(exercise)))


@each_exercise
def test_a_card_names_what_is_to_be_written(exercise):
    stub = next(cell.source for cell in own(exercise) if "tags" in cell.metadata)
    named = card(exercise) + stub
    assert [name for name in exercise.names if not re.search(rf"\b{name}\b", named)] == []


# ---------------------------------------------------------------- names

PLACEHOLDERS = {"that_function"}
"""In hints: what the reader has to name."""


def names(code: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", code))


def known(exercise: Exercise) -> set[str]:
    """The names in an exercise's cells, in those before it, and in what others have answered."""
    cells = cells_of(exercise.lesson)
    before = [
        cell.source for cell in cells[: cells.index(own(exercise)[0])] if cell.cell_type == "code"
    ]
    answers = [
        each.source for each in lesson(exercise.lesson).ANSWERS if each.number == exercise.number
    ]
    return names("\n".join([*before, *(cell.source for cell in own(exercise)), *answers]))


def diagnoses(exercise: Exercise) -> list[str]:
    """The texts of the diagnoses that stand in an exercise's own check."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(exercise.grade)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    said = [call.args[1:] for call in calls if getattr(call.func, "id", "") == "NotYet"]
    return [
        "".join(c.value for part in parts for c in ast.walk(part) if _is_text(c)) for parts in said
    ]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@each_exercise
def test_the_code_in_its_hints_and_diagnoses_is_of_this_exercise(exercise):
    told = [*exercise.hints, exercise.why, *diagnoses(exercise)]
    unknown = {name for text in told for code in CODE.findall(text) for name in names(code)}
    own = lesson(exercise.lesson).NAMES_IN_HINTS.get(exercise.number, ())
    assert unknown - known(exercise) - PLACEHOLDERS - set(dir(builtins)) == set(own)


# ---------------------------------------------------------------- what the code in them says

OPERATORS = (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp)


def parsed(code: str) -> ast.AST | None:
    """A piece of code as a tree; None for what is none of Python's, such as an option."""
    try:
        return ast.parse(textwrap.dedent(re.sub(r"^%.*$", "", code, flags=re.MULTILINE)))
    except SyntaxError:
        return None


def said_by(code: str) -> ast.expr | None:
    """The expression, if it calculates, compares or calls with arguments; `Content-Length` not."""
    tree = parsed(code)
    if tree is None or not isinstance(tree.body[0], ast.Expr):
        return None
    expression = tree.body[0].value
    calls = isinstance(expression, ast.Call) and (expression.args or expression.keywords)
    operates = any(isinstance(node, OPERATORS) for node in ast.walk(expression))
    return expression if calls or (operates and " " in code) else None


def stands_in(expression: ast.expr, code: str) -> bool:
    """Whether code has it: a call on whatever object, and anything where it has dots."""
    wanted = re.escape(ast.unparse(expression)).replace(re.escape("..."), ".*")
    written = re.compile(rf"(.*\.)?{wanted}", re.DOTALL)
    nodes = ast.walk(parsed(code) or ast.Module())
    return any(isinstance(n, ast.expr) and written.fullmatch(ast.unparse(n)) for n in nodes)


# The answers write them in another way, which is as good.
IN_SHORT = {"annotate(Count(...))", "aget(returned=None)"}


@each_exercise
def test_what_the_code_in_its_hints_says_stands_where_it_belongs(exercise):
    """In what is given, or in a right answer: its names alone do not say what is done with them."""
    given = [cell.source for cell in cells_of(exercise.lesson) if cell.cell_type == "code"]
    given += CODE.findall(card(exercise))
    answers = [each for each in lesson(exercise.lesson).ANSWERS if each.number == exercise.number]
    known = given + [each.source for each in answers if each.right]
    told = {code for text in (*exercise.hints, exercise.why) for code in CODE.findall(text)}
    said = {code: tree for code in told - IN_SHORT if (tree := said_by(code)) is not None}
    wrong = [code for code, tree in said.items() if not any(stands_in(tree, c) for c in known)]
    assert wrong == []


FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\([^)]*\)")
FIGURE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)")


def section_of(exercise: Exercise) -> str:
    """What stands in its lesson's module from its check to the next one's."""
    lines = inspect.getsource(inspect.getmodule(exercise.grade)).splitlines()
    same = [each for each in EXERCISES.values() if each.lesson == exercise.lesson]
    begins = sorted(each.grade.__code__.co_firstlineno - 1 for each in same)
    here = exercise.grade.__code__.co_firstlineno - 1
    return "\n".join(lines[here : next((at for at in begins if at > here), None)])


@each_exercise
def test_a_figure_of_its_card_is_one_of_its_check(exercise):
    """A limit that the check does not know of would be refused, or passed, by another."""
    known = {*FIGURE.findall(section_of(exercise))}
    known |= {figure for cell in own(exercise)[1:-1] for figure in FIGURE.findall(cell.source)}
    said = {name: FENCED.sub("", text) for name, text in parts(exercise).items()}
    figures = {
        figure
        for name, text in said.items()
        if name != "Example"
        for figure in FIGURE.findall(LINK.sub("]", text))
    }
    assert figures - known == set()


# ---------------------------------------------------------------- whose text it is


def words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z_]{3,}", text.casefold())}


@functools.cache
def vocabulary(exercise: Exercise, without: str) -> frozenset[str]:
    """The words of an exercise's cells, check, answers and texts, but for one part of these."""
    answers = [each for each in lesson(exercise.lesson).ANSWERS if each.number == exercise.number]
    texts = {
        "cards": card(exercise),
        "hints": " ".join([*exercise.hints, exercise.why]),
        "title": exercise.title,
        "cells": "\n".join(cell.source for cell in own(exercise)[1:-1]),
        "check": check_of(exercise),
        "answers": " ".join(f"{each.source} {each.wrong} {each.why}" for each in answers),
    }
    return frozenset(words("\n".join(text for name, text in texts.items() if name != without)))


def check_of(exercise: Exercise) -> str:
    """The source of an exercise's check, without the hints and titles above it."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(exercise.grade))).body
    function.decorator_list = []
    return ast.unparse(function)


@functools.cache
def weights(without: str) -> dict[str, float]:
    """How much each word counts: the rarer, the more."""
    often = Counter(word for each in EXERCISES.values() for word in vocabulary(each, without))
    return {word: math.log((len(EXERCISES) + 1) / (n + 0.5)) for word, n in often.items()}


def shared(text: str, without: str) -> dict[str, float]:
    """How much of a text each exercise shares, as a part of what the one shares that has most."""
    weight, said = weights(without), words(text)
    theirs = {number: vocabulary(each, without) for number, each in EXERCISES.items()}
    much = {
        # Whoever has more words shares more by chance.
        number: sum(weight[word] for word in said & known) / math.sqrt(len(known))
        for number, known in theirs.items()
    }
    return {number: each / max(much.values()) for number, each in much.items()}


A_HINT, ALL_HINTS, A_PART = 0.45, 0.7, 0.7
"""What an exercise has to share of them, with room for answers to come: one hint says little."""


@each_exercise
def test_its_hints_and_its_card_are_about_this_exercise(exercise):
    number, hints = exercise.number, [*exercise.hints, exercise.why]
    assert [each for each in hints if shared(each, "hints")[number] < A_HINT] == []
    assert shared(" ".join(hints), "hints")[number] >= ALL_HINTS
    long = [
        text for name, text in parts(exercise).items() if name != "Example" if len(words(text)) > 5
    ]
    assert [text for text in long if shared(text, "cards")[number] < A_PART] == []


@functools.cache
def sections() -> dict[str, frozenset[str]]:
    """The words of the lessons' sections, code and all, by the address that a card links to.

    A section that sets an exercise is left out: it has the exercise's words, and explains none.
    """
    texts, address = {}, ""
    for path in find("notebooks"):
        for cell in read(path).cells:
            if cell.cell_type == "markdown" and re.search("^##+ ", cell.source, re.MULTILINE):
                address = f"../notebooks/{path.name}#cell-id={cell.id}"
            texts[address] = f"{texts.get(address, '')}\n{cell.source}"
    return {
        address: frozenset(words(text))
        for address, text in texts.items()
        if "**Goal:**" not in text
    }


def practised(exercise: Exercise) -> str:
    return re.search(r"\*\*From the lesson:\*\* \[.*\]\((.*)\)", card(exercise))[1]


def about(exercise: Exercise) -> dict[str, float]:
    """How much each section shares with an exercise, as a part of what its own section shares."""
    often = Counter(word for known in sections().values() for word in known)
    text = card(exercise).partition("**From the lesson:**")[0]
    cells = [cell.source for cell in own(exercise)[1:-1]]
    mine = words("\n".join([text, *cells, *exercise.hints, exercise.why]))
    much = {
        link: sum(math.log((len(sections()) + 1) / (often[word] + 0.5)) for word in mine & known)
        / math.sqrt(len(known))
        for link, known in sections().items()
        if known
    }
    return {link: each / much[practised(exercise)] for link, each in much.items()}


@each_exercise
def test_its_card_links_to_the_section_that_it_practises(exercise):
    """No other that the cards of its lesson link to is clearly closer, and none in the lesson."""
    links = {practised(each) for each in EXERCISES.values() if each.lesson == exercise.lesson}
    page = practised(exercise).partition("#")[0]
    close = about(exercise)
    assert [link for link in links if close[link] > 1.4] == []
    assert [link for link in close if link.startswith(page) and close[link] > 1.9] == []


def test_a_text_of_another_exercise_is_noticed():
    """Of all that could change places, 2 of 3 hints are noticed, and 95 of 100 sets of hints."""
    sets = {number: [*each.hints, each.why] for number, each in EXERCISES.items()}
    hints = [(own, text) for own, texts in sets.items() for text in texts]
    assert unseen(hints, A_HINT) < 1 / 3
    assert unseen([(own, " ".join(texts)) for own, texts in sets.items()], ALL_HINTS) < 0.05


def unseen(texts: list[tuple[str, str]], least: float) -> float:
    """The part of the texts that would not be noticed if they stood with another exercise."""
    others = [
        much >= least
        for own, text in texts
        for number, much in shared(text, "hints").items()
        if number != own
    ]
    return sum(others) / len(others)


# ---------------------------------------------------------------- the examples


def test_every_exercise_has_its_example_as_code():
    written = [
        number
        for at in {each.lesson for each in EXERCISES.values()}
        for number in lesson(at).EXAMPLES
    ]
    assert sorted(written) == sorted(EXERCISES)


@each_exercise
def test_the_example_of_a_card_is_what_is_run(exercise):
    """Each piece of code in the example, and each number, stands in the cell that tries it."""
    example, cell = parts(exercise)["Example"], lesson(exercise.lesson).EXAMPLES[exercise.number]
    assert [code for code in CODE.findall(example) if code not in cell] == []
    prose = CODE.sub("", example)
    numbers = [
        *re.findall(r"\b\d+\b", prose),
        *(str(n) for word, n in NUMBERS.items() if re.search(rf"\b{word}\b", prose)),
    ]
    assert [number for number in numbers if not re.search(rf"\b{number}\b", cell)] == []
    assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell)))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel for all lessons."""
    kernel = Kernel(CHECKOUT / "solutions", stacks=tmp_path_factory.mktemp("examples") / "stacks")
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def solved(kernel):
    """Runs the cells of the solutions up to an exercise's check; each runs once."""
    ran = set()

    def run(exercise):
        for cell in cells_of(exercise.lesson):
            if (
                cell.cell_type == "code"
                and "await check(" not in cell.source
                and (exercise.lesson, cell.id) not in ran
            ):
                outcome = kernel.run(cell.source)
                assert outcome.error == "", cell.source
            ran.add((exercise.lesson, cell.id))
            if cell is own(exercise)[-1]:
                break

    return run


@each_exercise
def test_the_example_comes_true(exercise, kernel, solved):
    solved(exercise)
    kernel.run("boot()")
    assert kernel.run(lesson(exercise.lesson).EXAMPLES[exercise.number]).error == ""
