"""Pages in which JupyterLab is there already, and in which notebooks come and go.

Loading JupyterLab takes a processor five seconds, and opening a notebook in it a tenth of that.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.browser import Lab, Notebook, new_page


class Desks:
    """The pages of one browser that show one JupyterLab. Whoever needs one gets it for itself.

    Args:
        browser: a playwright browser.
        lab: the server.
    """

    def __init__(self, browser, lab: Lab):
        self.lab = lab
        self._browser = browser
        self._free = []

    @contextmanager
    def lent(self, wide: int = 1200, high: int = 900) -> Iterator:
        """A page with JupyterLab and no notebook; at the end, what is open in it is closed.

        Args:
            wide, high: of the page, in pixels.
        """
        page = self._free.pop() if self._free else self._load()
        page.set_viewport_size({"width": wide, "height": high})
        page.reported, page.asked = [], []
        yield page
        page.evaluate(CLEAR)
        # A page that a test has spoiled does not come so far, and is not lent again.
        self._free.append(page)

    @contextmanager
    def opened(self, name: str, *cells: str, theme="light", wide=1200, high=900) -> Iterator:
        """A notebook of these cells, after Run All, as a `Notebook`.

        Args:
            name: of its file, below the served folder.
            wide, high: of the page, in pixels.
        """
        with self.lent(wide, high) as page:
            lesson = Notebook(page, self.lab).open(self.lab.write(name, *cells), theme)
            lesson.run_all()
            lesson.wait_until_idle()
            yield lesson

    def _load(self):
        context = self._browser.new_context()
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = new_page(context)
        # A workspace of its own: what is open in another page stays there.
        page.goto(f"{self.lab.url}/lab/workspaces/desk{time.monotonic_ns()}")
        page.wait_for_function("window.jupyterapp?.shell")
        page.evaluate("jupyterapp.restored")
        return page


CLEAR = """async () => {
    for (const panel of [...jupyterapp.shell.widgets("main")].filter((each) => each.context)) {
        await panel.context.save();
        await panel.sessionContext?.shutdown();
        panel.close();
    }
    // Where nothing is left open JupyterLab puts its launcher, a while later and in front.
    while (jupyterapp.shell.isEmpty("main")) await new Promise((later) => setTimeout(later, 20));
}"""
