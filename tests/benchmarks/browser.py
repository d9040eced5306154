"""The live lanes in a real JupyterLab: how late a span is seen, and how many frames a second.

    latency(chromium)   milliseconds from a span's beginning to the page that counts it
    frames(chromium)    frames a second while 10,000 spans are zoomed

`python -m tests.benchmarks.browser` prints both.
"""

import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.browser import Notebook, browser_of, new_page, running_lab
from tests.harness.chromium import find_chromium

LOAD = "import json, time\nfrom asynclab import span\n%load_ext asynclab"

# One span every 50 ms, while the loop is blocked.
STEPS = """%%lanes
at = []
for _ in range({spans}):
    at.append(time.time() * 1000)
    with span("step"):
        time.sleep(0.05)
"""
SAY = "print('at', json.dumps(at))"

# The page's clock each time a picture says how many spans it shows.
WATCH = """() => {
    window.seen = [];
    new MutationObserver((changes) => {
        const at = performance.timeOrigin + performance.now();
        for (const { target } of changes) window.seen.push([at, Number(target.dataset.spans)]);
    }).observe(document.body, { subtree: true, attributeFilter: ["data-spans"] });
}"""

MANY = """%%lanes
for _ in range({spans} // 4):
    with span("outer"):
        for name in ("first", "second", "third"):
            with span(name):
                pass
"""

# Zoom in and out, a step a frame.
ZOOM = """async (seconds) => {
    const canvas = [...document.querySelectorAll(".al-canvas")].at(-1);
    const box = canvas.getBoundingClientRect();
    const began = performance.now();
    const frames = [began];
    for (let step = 0; performance.now() - began < seconds * 1000; step++) {
        canvas.dispatchEvent(new WheelEvent("wheel", {
            ctrlKey: true, cancelable: true, deltaY: step % 40 < 20 ? -1 : 1,
            clientX: box.left + box.width / 2, clientY: box.top + 40,
        }));
        await new Promise(requestAnimationFrame);
        frames.push(performance.now());
    }
    return frames;
}"""


@contextmanager
def notebook(chromium: str, *cells: str) -> Iterator[Notebook]:
    """A notebook of these cells, open in a JupyterLab of its own."""
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "lab"
        served.mkdir()
        with running_lab(served) as lab, browser_of(chromium) as browser:
            page = new_page(browser.new_context(viewport={"width": 1200, "height": 900}))
            yield Notebook(page, lab).open(lab.write("benchmark.ipynb", *cells))


def latency(chromium: str, spans: int = 80) -> dict[str, float]:
    """Milliseconds from the beginning of a span in the kernel to the page that shows it.

    Args:
        chromium: the browser's path.
        spans: how many spans, one every 50 ms, on a blocked event loop.

    Returns:
        `median`, `worst` and `spans`.
    """
    with notebook(chromium, LOAD, STEPS.format(spans=spans), SAY) as lesson:
        lesson.page.evaluate(WATCH)
        lesson.run_all()
        lesson.wait_until_idle()
        said = lesson.page.locator("pre", has_text="at [").last.inner_text()
        seen = lesson.page.evaluate("seen")
    began = json.loads(said.removeprefix("at "))
    # The cell's own span is the first, so step number n is there once n + 2 spans are.
    late = [
        next(at for at, count in seen if count >= number + 2) - start
        for number, start in enumerate(began)
    ]
    return {"median": statistics.median(late), "worst": max(late), "spans": spans}


def frames(chromium: str, spans: int = 10_000, seconds: float = 4) -> dict[str, float]:
    """Frames a second while a recording is zoomed in and out, a step a frame.

    Args:
        chromium: the browser's path.
        spans: how many spans the recording has.
        seconds: how long to zoom.

    Returns:
        `rate` (frames a second), `slowest` (milliseconds, the 95th percentile of a frame), and
        `spans`, how many the page really has, the cell's own among them.
    """
    with notebook(chromium, LOAD, MANY.format(spans=spans)) as lesson:
        lesson.run_all()
        lesson.wait_until_idle()
        shown = ".asynclab-lanes[data-state=ended]:visible"
        lesson.page.wait_for_selector(shown)
        has = int(lesson.page.locator(shown).get_attribute("data-spans"))
        at = lesson.page.evaluate(ZOOM, seconds)
    took = sorted(b - a for a, b in zip(at, at[1:], strict=False))
    return {
        "rate": 1000 * len(took) / (at[-1] - at[0]),
        "slowest": took[int(len(took) * 0.95)],
        "spans": has,
    }


if __name__ == "__main__":
    path = find_chromium()
    print("event to browser, ms:", latency(path))
    print("10,000 spans, frames a second:", frames(path))
