"""A measured figure beside its budget, and a table of them."""

from dataclasses import dataclass
from typing import NamedTuple


class Budget(NamedTuple):
    """How much a figure may be, or with `at_least`, must be."""

    amount: float
    at_least: bool = False


@dataclass
class Figure:
    """One line of the table.

    `value` is None where something could not be measured; `note` then says why.
    """

    what: str
    value: float | None
    unit: str = "x"
    budget: Budget | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the budget is kept, in a word."""
        if self.value is None:
            return "not measured"
        if self.budget is None:
            return ""
        kept = (
            self.value >= self.budget.amount
            if self.budget.at_least
            else self.value <= self.budget.amount
        )
        return "kept" if kept else "OVER BUDGET"

    def row(self) -> str:
        """The line, in columns."""
        value = "-" if self.value is None else f"{self.value:.4g} {self.unit}"
        budget = ""
        if self.budget is not None:
            sign = ">=" if self.budget.at_least else "<="
            budget = f"{sign} {self.budget.amount:g} {self.unit}"
        line = f"{self.what:<52}{value:>12}  {budget:>14}  {self.verdict:<12}"
        return (f"{line}  {self.note}" if self.note else line).rstrip()
