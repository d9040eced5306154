"""Exercises: `check` grades the reader's code, `hint` and `solution` help, `progress` keeps count.

book          what an exercise is, and where it is found
given         the reader's names, as a check gets them
limits        one call of the reader's code, on a thread of its own, under a time limit
endings       how threads are waited for, and ended
processes     the processes that such a call has begun
surroundings  what the whole process shares, as it was before a call
leftovers     what such a call leaves behind
apart         a check's own code, on a thread of its own
checking      `check`
verdicts      what `check` says
texts         texts that the reader's code makes, as they can be shown
helping       `hint` and `solution`
score         the local file that remembers, and `progress`
stubs         exercises/ from solutions/
"""

from .checking import check
from .helping import hint, solution
from .score import progress

__all__ = ["check", "hint", "progress", "solution"]
