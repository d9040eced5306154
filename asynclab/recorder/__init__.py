"""What a recording is, and where it comes from. Data flows one way: taps -> Recording.

events   plain data: the events, and the spans that they make
roles    the jobs of threads, which lanes are named after
hooks    the one owner of every method of others that the kit replaces
taps     the sources of events: asyncio, executors, asgiref's waits and Django's queries
workers  what is known of asgiref's private executors
"""
