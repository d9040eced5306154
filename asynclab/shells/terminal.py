"""Terminal IPython and plain Python: processes that `driver.py` feeds with cells."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from .session import MOST_SHOWN, START_LIMIT, Session, death
from .table import Outcome

_DRIVER = Path(__file__).with_name("driver.py")
_COMMANDS = {
    "python": [sys.executable, "-c"],
    "ipython": [
        *(
            sys.executable,
            "-m",
            "IPython",
            "--simple-prompt",
            "--no-banner",
            "--no-confirm-exit",
        ),
        *(
            "--no-term-title",
            "--HistoryManager.enabled=False",
            "--colors=nocolor",
            "-i",
            "-c",
        ),
    ],
}


async def play(session: Session, folder: Path) -> Outcome | None:
    """Run the cells of `session`; return how the shell died, if it did."""
    leash, hand = os.pipe()
    order = {
        "cells": session.cells,
        "alarm": int(START_LIMIT + session.timeout + 10),
        "leash": leash,
    }
    try:
        return await _play(session, folder, order)
    finally:
        os.close(leash)
        os.close(hand)


async def _play(session: Session, folder: Path, order: dict) -> Outcome | None:
    process = await asyncio.create_subprocess_exec(
        *_COMMANDS[session.shell],
        _DRIVER.read_text(),
        env=session.environment(folder) | {"ASYNCLAB_SHELL": json.dumps(order)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[order["leash"]],
    )
    try:
        async for shown, report in _reports(process.stdout):
            if "start" in report:
                session.started(report["start"])
            else:
                session.ended(report["end"], shown, report["error"])
            if not session.unfinished:
                return None
        return death(await process.wait())
    finally:
        _kill_session(process.pid)
        await process.wait()


async def _reports(stream: asyncio.StreamReader) -> AsyncIterator[tuple[str, dict]]:
    """Yield each report of the driver with the text that was shown before it."""
    buffer = b""
    while chunk := await stream.read(65_536):
        *complete, buffer = (buffer + chunk).split(b"\x1f")
        buffer = buffer[-10 * MOST_SHOWN :]
        for part in complete:
            shown, _, report = part.decode(errors="replace").rpartition("\x1e")
            yield shown, json.loads(report)


def _kill_session(leader: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.killpg(leader, signal.SIGKILL)
