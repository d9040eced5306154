"""Jupyter: a kernel of this very interpreter, and the messages that its cells end with."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from queue import Empty

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from ..ground import folders
from ..ground.errors import LabError
from .session import MOST_SHOWN, START_LIMIT, Session, death
from .table import Outcome

_QUIET = 1.0  # seconds of silence after which a kernel is asked whether it still answers


async def play(session: Session, folder: Path) -> Outcome | None:
    """Run the cells of `session` in a fresh kernel; return how it died, if it did."""
    with _sockets() as sockets:
        async with _kernel(session, folder, sockets) as (manager, client):
            return await _play(session, manager, client)


async def _play(session: Session, manager, client) -> Outcome | None:
    everything = range(len(session.cells))
    before = [[index] for index in everything[: session.before]]
    shown = everything[session.before :]
    asked = [shown] if session.run_all else [[index] for index in shown]
    for batch in [*before, *asked]:
        await _ask(session, manager, client, batch)
        if (status := await manager.provisioner.poll()) is not None:
            return death(status)
    return None


class KernelOfThisPython(AsyncKernelManager):
    """The ipykernel of this very interpreter, whatever kernels are installed."""

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


@contextmanager
def _sockets() -> Iterator[dict[str, str]]:
    """Where a kernel listens: in files of its own, or, where there are none, at ports.

    Jupyter looks for free ports before the kernel takes them. If another program was faster, the
    kernel dies, or it lives on and never answers.
    """
    places = [] if os.name == "nt" else folders.places_for_socket("kernel-5")
    if not places:
        yield {}
        return
    with tempfile.TemporaryDirectory(
        prefix=folders.prefix(), dir=places[0], ignore_cleanup_errors=True
    ) as folder:
        yield {"transport": "ipc", "ip": f"{folder}/kernel"}


@asynccontextmanager
async def _kernel(session: Session, folder: Path, sockets: Mapping[str, str]):
    manager = KernelOfThisPython(connection_file=str(folder / "kernel.json"), **sockets)
    client = None
    try:
        with open(folder / "kernel.log", "wb") as log:  # noqa: ASYNC230 (a small local file)
            await manager.start_kernel(env=session.environment(folder), stdout=log, stderr=log)
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=START_LIMIT)
        except RuntimeError:
            last = ((folder / "kernel.log").read_text().splitlines() or [""])[-1]
            raise LabError(f"A Jupyter kernel did not start. {last}".strip()) from None
        yield manager, client
    finally:
        if client is not None:
            client.stop_channels()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)


async def _ask(session: Session, manager, client, batch: Sequence[int]) -> None:
    """Queue the cells of `batch` at once and follow them until each has ended or was dropped."""
    session.started(batch[0])
    # An error does not stop the queue, as in cells tagged raises-exception.
    sent = {client.execute(session.cells[i], stop_on_error=False): i for i in batch}
    shown = dict.fromkeys(sent, "")
    probes = set()
    while any(index not in session.done for index in batch):
        try:
            reply = await client.get_shell_msg(timeout=_QUIET)
        except Empty:
            if not await manager.is_alive():
                return
            probes.add(client.kernel_info())
            continue
        cell, content = reply["parent_header"].get("msg_id"), reply["content"]
        if cell in sent:
            await _read_output(client, shown, until_idle=cell)
            failed = content["status"] == "error"
            error = (content["ename"], content["evalue"]) if failed else None
            session.ended(sent[cell], shown[cell], error)
        elif cell in probes:
            # The kernel answers in order: what it has not run by now, it never will.
            for index in set(batch) - session.done.keys():
                session.dropped(index)


async def _read_output(client, shown: dict[str, str], until_idle: str) -> None:
    """Add to `shown` what the kernel publishes, until the cell `until_idle` is through.

    An abandoned coroutine can make that last message carry another cell's name, so silence ends
    the wait as well. The verdict itself comes from the reply, which cannot be mixed up.
    """
    while True:
        try:
            message = await client.get_iopub_msg(timeout=_QUIET)
        except Empty:
            return
        cell, content = message["parent_header"].get("msg_id"), message["content"]
        if cell not in shown:
            continue
        match message["msg_type"]:
            case "stream" if content["name"] == "stdout":
                shown[cell] = (shown[cell] + content["text"])[:MOST_SHOWN]
            case "execute_result" | "display_data":
                shown[cell] += content["data"].get("text/plain", "") + "\n"
            case "status" if cell == until_idle and content["execution_state"] == "idle":
                return
