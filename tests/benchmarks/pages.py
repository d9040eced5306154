"""The live lanes in Chromium: how late, and how smooth."""

from tests.benchmarks.figures import Budget, Figure


def figures() -> list[Figure]:
    """Latency from event to page, and the frame rate with 10,000 spans."""
    from tests.harness.chromium import find_chromium

    path = find_chromium()
    if path is None:
        return [Figure("the live lanes in a browser", None, note="install Chromium")]
    from tests.benchmarks.browser import frames, latency

    late, smooth = latency(path), frames(path)
    return [
        Figure("event to browser, median", late["median"], "ms", Budget(25)),
        Figure("event to browser, worst", late["worst"], "ms"),
        Figure("10,000 spans, zooming", smooth["rate"], "frames/s", Budget(30, at_least=True)),
        Figure("10,000 spans, in the page", smooth["spans"], "", Budget(10_000, at_least=True)),
    ]
