"""What the other rooms stand on. Nothing here imports one of them.

environment   refuses an environment that lacks a package
errors        the kit's own exceptions
interrupts    holds an interrupt back, or raises an exception in another thread
folders       temporary folders that another process can sweep
connections   closes what a thread has opened of Django's database connections
labconfig     how Jupyter is set up for the course
shell         the IPython that this code runs in, if any
prose         Markdown's code as HTML
first_cell    says in one line that a notebook's first cell was not run
"""
