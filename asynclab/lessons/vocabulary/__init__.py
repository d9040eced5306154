"""What checks are written with.

causes         conditions for an exercise's table of errors
failing        something fails under an answer: whoever called it has to hear of it
library        the library's data
queries        what a call asked of the database
requests       what a view gets, and what it answers
tasks          turns of a loop, what is under way at once, what is kept alive or lost
threads        which kind of thread something ran on
transactions   what belongs into one transaction
"""
