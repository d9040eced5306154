"""Answers that the gate tries on every exercise: wrong ones with a diagnosis, and right ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What somebody might write in an exercise's cell.

    Args:
        number: the exercise's number.
        source: the whole cell.
        wrong: the diagnosis that this answer earns, if it is wrong.
        right: what is different from the reference, if it is right.
        why: the thought behind a wrong answer.
    """

    number: str
    source: str
    wrong: str = ""
    right: str = ""
    why: str = ""

    def __post_init__(self):
        if bool(self.wrong) == bool(self.right):
            raise ValueError(f"an answer to {self.number} is either wrong or right")

    @property
    def label(self) -> str:
        return f"{self.number} {self.wrong or self.right}"
