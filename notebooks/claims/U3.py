"""topics/async, "Async safety", says:

Jupyter notebooks and IPython interactive shells both transparently provide an active event loop so
that it is easier to interact with asynchronous APIs."""

import sys

import asgiref
import django
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from jupyter_client.manager import run_kernel

print(f"{__doc__}\nDjango {django.__version__} asgiref {asgiref.__version__} Python {sys.version}")
PLAIN = """import asyncio
print("a loop runs" if asyncio._get_running_loop() else "no loop")"""
WAITING = PLAIN + "\nawait asyncio.sleep(0)"
with run_kernel() as client:
    for name, cell in (("plain", PLAIN), ("with await", WAITING)):
        print(f"Found: Jupyter, a cell {name}:", end=" ", flush=True)
        client.execute_interactive(cell, timeout=60)
shell = TerminalInteractiveShell.instance(history_length=0)
for name, cell in (("plain", PLAIN), ("with await", WAITING)):
    print(f"Found: IPython, a cell {name}:", end=" ", flush=True)
    shell.run_cell(cell)
