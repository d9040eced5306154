"""The register of operators, each a thought that may go wrong in an answer."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Change = Callable[[ast.AST], Iterator[ast.AST]]


@dataclass(frozen=True)
class Operator:
    """One kind of change.

    Args:
        name: what went wrong, as "await-removed".
        change: takes a node, and gives what may stand in its place, once for each mutant.
        whole: it works on a whole function; of an answer that is a body, on the function around.
    """

    name: str
    change: Change
    whole: bool = False


OPERATORS: dict[str, Operator] = {}


def operator(name: str, *, whole: bool = False) -> Callable[[Change], Change]:
    """Register the decorated function as an `Operator`.

    Raises:
        ValueError: the name is taken.
    """

    def register(change: Change) -> Change:
        if name in OPERATORS:
            raise ValueError(f"two operators have the name {name}")
        OPERATORS[name] = Operator(name, change, whole)
        return change

    return register
