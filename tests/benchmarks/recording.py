"""What recording costs: a worker that awaits 3,000 hops, plainly and under each recorder.

The conditions take turns in one kernel; each is held against the plain runs before and after it.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from tests.benchmarks.figures import Budget, Figure

ROOT = Path(__file__).resolve().parents[2]
HOPS = 3_000
ROUNDS = 11
# The last plain run of a round against its first: how far this machine is to be believed.
AGAIN = "plain, again"
BUDGETS = {"taps": Budget(1.10), "taps and live lanes": Budget(1.20)}
PEERS = "`python3 start.py bench` installs it"


def nothing():
    pass


async def worker(hops=HOPS):
    hop = sync_to_async(nothing)
    for _ in range(hops):
        await hop()


@contextmanager
def plain():
    yield


@contextmanager
def taps():
    from asynclab.recorder import taps

    with taps.recording():
        yield


@contextmanager
def taps_and_live():
    from asynclab.lanes import LiveLanes
    from asynclab.recorder.taps import recording

    live = LiveLanes()
    live.begin()
    with recording() as current:
        live.follow(current)
        yield
    live.finish()


@contextmanager
def viztracer():
    from viztracer import VizTracer

    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "trace.json")
        tracer = VizTracer(verbose=0, output_file=file, tracer_entries=HOPS * 400)
        tracer.start()
        try:
            yield
        finally:
            tracer.stop()
            tracer.clear()


async def timed() -> tuple[float, float]:
    """Seconds on the wall and of this process's CPU that the worker takes."""
    began, began_cpu = perf_counter(), process_time()
    await asyncio.create_task(worker())
    return perf_counter() - began, process_time() - began_cpu


async def under(recorder) -> tuple[float, float]:
    # A context, so that each run has a new thread to hop to: VizTracer sees only new threads.
    async with ThreadSensitiveContext():
        with recorder():
            return await timed()


async def under_asyncflow() -> tuple[float, float]:
    from wigglystuff import AsyncFlow

    async with ThreadSensitiveContext():
        return await AsyncFlow().run(timed())


RUNS = {
    "taps": partial(under, taps),
    "taps and live lanes": partial(under, taps_and_live),
    "wigglystuff AsyncFlow": under_asyncflow,
    "VizTracer": partial(under, viztracer),
}


async def measure(rounds: int = ROUNDS) -> dict:
    """Run in a kernel: ratios to plain, on the wall and in CPU time, by recorder.

    Returns:
        `us`, microseconds of a plain hop; `ratios`, the medians; and `noise`, between which two
        ratios half of those of plain to plain are.
    """
    runs = {}
    for name, run in RUNS.items():
        # A peer that is not installed, or needs a newer Python.
        with suppress(ImportError, AttributeError):
            await run()
            runs[name] = run
    ratios, bare = {name: [] for name in (AGAIN, *runs)}, []
    for number in range(rounds):
        first = await under(plain)
        # From either end in turn, so that no recorder always comes first.
        found = {name: await runs[name]() for name in list(runs)[:: 1 if number % 2 else -1]}
        last = await under(plain)
        base = [(a + b) / 2 for a, b in zip(first, last, strict=True)]
        bare.append(base[0])
        ratios[AGAIN].append([b / a for a, b in zip(first, last, strict=True)])
        for name, took in found.items():
            ratios[name].append([a / b for a, b in zip(took, base, strict=True)])
    columns = {name: list(zip(*found, strict=True)) for name, found in ratios.items()}
    quarters = [statistics.quantiles(column, n=4) for column in columns[AGAIN]]
    return {
        "us": statistics.median(bare) / HOPS * 1e6,
        "ratios": {name: [*map(statistics.median, found)] for name, found in columns.items()},
        "noise": [[low, high] for low, _, high in quarters],
    }


def figures() -> list[Figure]:
    """The recorders beside each other, measured in a Jupyter kernel."""
    found = json.loads(in_kernel())
    wall, cpu_time = (f"noise {low:.2f} to {high:.2f}" for low, high in found["noise"])
    lines = [Figure("a hop, plain", found["us"], "us")]
    for name in (AGAIN, *RUNS):
        line = Figure(f"3,000 hops, {name}", None, budget=BUDGETS.get(name))
        if name in found["ratios"]:
            line.value, cpu = found["ratios"][name]
            line.note = f"{wall}; in CPU time {cpu:.3f} x, {cpu_time}"
        else:
            line.note = "needs Python 3.12" if too_old(name) else PEERS
        lines.append(line)
    return lines


def too_old(name: str) -> bool:
    return "AsyncFlow" in name and sys.version_info < (3, 12)


def in_kernel() -> str:
    from tests.harness.cells import Kernel

    kernel = Kernel(ROOT)
    try:
        outcome = kernel.run(
            "import json\nfrom tests.benchmarks.recording import measure\n"
            "print(json.dumps(await measure()))",
            timeout=600,
        )
    finally:
        kernel.stop()
    if outcome.status != "ok":
        raise RuntimeError(outcome.error)
    return outcome.printed.splitlines()[-1]
