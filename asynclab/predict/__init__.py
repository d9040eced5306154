"""A question that the learner answers before a cell runs.

prediction   the question, what the learner chose, and the machine's answer beside it
form         its form in the page
"""

from .prediction import predict

__all__ = ["predict"]
