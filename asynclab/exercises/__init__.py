"""Exercises: `check` grades the reader's code, `hint` and `solution` help, `progress` keeps count.

book        what an exercise is, and where it is found
given       the reader's names, as a check gets them
limits      one call of the reader's code, on a thread of its own, under a time limit
leftovers   what such a call leaves behind
checking    `check`
verdicts    what `check` says
helping     `hint` and `solution`
score       the local file that remembers, and `progress`
stubs       exercises/ from solutions/
"""

from .checking import check
from .helping import hint, solution
from .score import progress

__all__ = ["check", "hint", "progress", "solution"]
