"""What checks are written with.

cancelling        a call is cancelled while it waits: it and its work have to end
causes            conditions for an exercise's table of errors
contexts          context variables, as the task of a check finds them
cursors           on which threads, and with whose connection, cursors are used
edges             what an answer makes of no input at all, and that it leaves its input alone
failing           something fails under an answer: whoever called it has to hear of it
library           the library's data
logs              a logger for a check, which leaves logging as it was
loops             whether an answer leaves the loop free, and which loops run its coroutines
open_connections  which connections are opened, which are left open, and who closes some
own_postgresql    a real PostgreSQL of the check's own, with the library's data
queries           what a call asked of the database
requests          what a view gets, and what it answers
rivals            two requests at the same moment
serving           a view behind Django's own handler, and what the handler says of it
tasks             turns of a loop, what is under way at once, what is kept alive or lost
threads           which kind of thread something ran on, and what runs on several at once
transactions      what belongs into one transaction
trials            a test case of the reader's, tried on views that are right and wrong
upstreams         services that a view asks, real ones, and a client for them
values            what an answer returns, held against what is right
"""
