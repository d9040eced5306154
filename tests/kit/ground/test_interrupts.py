"""An interrupt that comes inside a held block is let through at its end, and nowhere else."""

import signal
import subprocess
import sys
import threading

import pytest

from asynclab.ground.interrupts import held, raise_in


def press():
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt):
        with held():
            press()
            done.append("the rest of the block")
        done.append("what comes after it")
    assert done == ["the rest of the block"]


def test_the_outermost_block_lets_it_through():
    done = []
    with pytest.raises(KeyboardInterrupt), held():
        with held():
            press()
        done.append("after the inner block")
    assert done == ["after the inner block"]


def test_without_an_interrupt_nothing_changes():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), held():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_of_the_block_stays_in_the_chain():
    with pytest.raises(KeyboardInterrupt) as interrupt, held():
        press()
        raise ValueError
    assert isinstance(interrupt.value.__context__, ValueError)


def test_an_ignored_interrupt_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held():
            press()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_is_left_alone():
    entered = []

    def enter():
        with held():
            entered.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [signal.getsignal(signal.SIGINT)]


IMPORT = """
import signal, sys

class Press:
    @staticmethod
    def find_spec(name, *place):
        if name == "django.db.models.query":
            sys.meta_path.remove(Press)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Press)
try:
    import asynclab
except KeyboardInterrupt:
    print("interrupted")
from asynclab import boot
boot()
"""


def test_the_kit_is_imported_whole_after_an_interrupt(tmp_path):
    command = [sys.executable, "-c", IMPORT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("interrupted\nDjango is set up."), done.stderr


class Stop(BaseException):
    pass


def test_an_error_is_raised_in_another_thread():
    started, seen = threading.Event(), []

    def work():
        try:
            started.set()
            while True:
                threading.Event().wait(0.001)
        except Stop:
            seen.append("stopped")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait()
    assert raise_in(thread, Stop)
    thread.join(timeout=10)
    assert seen == ["stopped"]


@pytest.mark.parametrize("meanwhile", [False, True], ids=["as it is", "replaced meanwhile"])
def test_no_error_is_raised_in_a_thread_that_starts_another(meanwhile, monkeypatch):
    starting, go_on = threading.Event(), threading.Event()

    class Slow(threading.Thread):
        """A thread whose start takes a while, in the place where it waits for the new one."""

        def start(self):
            self._started.wait = lambda timeout=None: (starting.set(), go_on.wait())
            super().start()

    thread = threading.Thread(target=lambda: Slow(target=int).start())
    thread.start()
    starting.wait()
    if meanwhile:
        monkeypatch.setattr(threading.Thread, "start", lambda thread: None)
    asked = raise_in(thread, Stop)
    go_on.set()
    thread.join()
    assert not asked
