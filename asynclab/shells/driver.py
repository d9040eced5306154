"""Feeds cells to the terminal shell that runs this text, and reports what became of each.

`asynclab.shells` hands this file's text to `python -c` and to `ipython -i -c`. It imports nothing
of the kit, so that the shell stays as bare as a learner's own. A report is JSON between the
control characters RS and US on standard output; what a cell shows stands between two reports.
"""


def _feed():
    import ast
    import fcntl
    import json
    import os
    import select
    import signal
    import sys

    order = json.loads(os.environ.pop("ASYNCLAB_SHELL"))
    cells = list(enumerate(order["cells"]))
    # A shell whose notebook was killed must not go on. Linux then ends the whole session, since
    # nobody holds the other end of the pipe; elsewhere the alarm ends the shell.
    leash = order["leash"]
    fcntl.fcntl(leash, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([leash], [], [], 0)[0]:
        os._exit(1)
    signal.alarm(order["alarm"])

    def report(**facts):
        print(f"\x1e{json.dumps(facts)}\x1f", end="", flush=True)

    def report_end(index, error):
        if error is None:
            report(end=index, error=None)
        else:
            message = error.msg if isinstance(error, SyntaxError) else str(error)
            report(end=index, error=[type(error).__name__, message])

    def feed_python():
        namespace = sys.modules["__main__"].__dict__
        for index, source in cells:
            report(start=index)
            error = None
            try:
                # One statement at a time in "single" mode, as the interactive prompt does.
                for statement in ast.parse(source).body:
                    code = compile(ast.Interactive([statement]), "<stdin>", "single")
                    exec(code, namespace)  # noqa: S102 (a prompt is there to run what one types)
            except SystemExit:
                raise
            except BaseException as raised:  # noqa: BLE001 (reported, like at a prompt)
                error = raised
            report_end(index, error)

    def feed_ipython(shell):
        running = []

        def next_cell():
            if not cells:
                raise EOFError
            index, source = cells.pop(0)
            running.append(index)
            report(start=index)
            return source

        def ended(result):
            if running:
                report_end(running.pop(), result.error_before_exec or result.error_in_exec)

        # The prompt is the only thing replaced: IPython's own loop runs each cell as if typed.
        shell.prompt_for_code = next_cell
        shell.displayhook.write_output_prompt = lambda: None
        shell._showtraceback = lambda *error: None
        shell.events.register("post_run_cell", ended)

    if "get_ipython" in globals():
        feed_ipython(globals()["get_ipython"]())
    else:
        feed_python()


globals().pop("_feed")()
