"""A real Jupyter kernel, and what each of its cells showed."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.kernels import start_kernel

TIMEOUT = 60
# The one thing that IPython has to say when a notebook runs a second time.
LOADED = "The asynclab extension is already loaded. To reload it, use:\n  %reload_ext asynclab\n"


@dataclass
class Outcome:
    """What a cell showed: printed text, displayed texts, its error, its last value, and help."""

    status: str = ""
    printed: str = ""
    shown: list[str] = field(default_factory=list)
    views: int = 0
    value: str | None = None
    error: str = ""
    traceback: str = ""
    help: str = ""

    @property
    def lanes(self) -> list[str]:
        """The lines of the one recording that the cell shows."""
        [text] = self.shown
        return text.splitlines()


class Kernel:
    """A Jupyter kernel, and its cells by their outcome."""

    def __init__(self, cwd, stacks=None):
        self.manager, self.client = start_kernel(cwd=cwd)
        self._stacks = stacks or Path(cwd, "stacks.txt")
        self._note_stacks()

    def _note_stacks(self):
        self.run(
            "import faulthandler, signal\n"
            f"_stacks = open({str(self._stacks)!r}, 'w')\n"
            "faulthandler.register(signal.SIGUSR1, file=_stacks)\n"
            "del faulthandler, signal"
        )

    def run(self, source, when_printed=None, timeout=TIMEOUT):
        """Run a cell. `when_printed` is called once, on the first line that the cell prints."""
        outcome, waiting = Outcome(), [when_printed] if when_printed else []

        def collect(message):
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    outcome.printed += content["text"]
                    if waiting:
                        waiting.pop()()
                case "display_data":
                    plain = content["data"].get("text/plain")
                    if plain is None:
                        outcome.views += 1
                    else:
                        outcome.shown.append(plain)
                case "execute_result":
                    outcome.value = content["data"]["text/plain"]
                case "error":
                    outcome.error = f"{content['ename']}: {content['evalue']}"
                    outcome.traceback = plain_text("\n".join(content["traceback"]))

        try:
            reply = self.client.execute_interactive(source, output_hook=collect, timeout=timeout)
        except TimeoutError:
            raise AssertionError(f"no reply in {timeout} s: {source}\n{self._stack()}") from None
        outcome.status = reply["content"]["status"]
        for payload in reply["content"].get("payload", ()):
            outcome.help += plain_text(payload.get("data", {}).get("text/plain", ""))
        return outcome

    def interrupt(self, source):
        """Run a cell that prints a line, and interrupt it there."""
        return self.run(source, when_printed=self.manager.interrupt_kernel)

    def _stack(self):
        """What each thread of the kernel does."""
        if not self.manager.is_alive():
            return "the kernel is dead"
        os.kill(self.manager.provisioner.pid, signal.SIGUSR1)
        time.sleep(1)
        return self._stacks.read_text()

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def words(cell):
    """What a notebook's cell says: printed text, results as text, errors by name and message."""
    printed, shown = {}, []
    for output in cell.outputs:
        if output.output_type == "stream":
            printed[output.name] = printed.get(output.name, "") + output.text
        elif output.output_type == "error":
            shown.append(f"{output.ename}: {output.evalue}")
        else:
            shown.append(output.data.get("text/plain", ""))
    return [*(printed[name].replace(LOADED, "") for name in sorted(printed)), *shown]


def plain_text(coloured):
    return "".join(part.partition("m")[2] for part in f"m{coloured}".split("\x1b["))
