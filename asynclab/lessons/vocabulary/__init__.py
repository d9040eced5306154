"""What checks are written with.

failing        something fails under an answer: whoever called it has to hear of it
recorded       what the recording of a call shows
transactions   which queries run outside of a transaction
"""
