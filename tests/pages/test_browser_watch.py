"""The table of a database's connections in a real JupyterLab: live while a cell blocks the loop."""

import pytest

from tests.harness.browser import Notebook, contrasts

pytestmark = pytest.mark.browser

# As much of a PostgreSQL as can be watched.
SERVER = """
import pathlib, time
from collections import Counter
from types import SimpleNamespace
from asynclab import watch
from asynclab.servers.observation import Observation

class Server:
    log, slots, sessions = "", 4, []
    states = Counter({"active": 1, "idle": 2})
    def observe(self):
        return Observation(self)
"""
BLOCKS = """
with watch(Server()):
    while not pathlib.Path("seen").exists():
        time.sleep(0.05)
"""


def test_the_table_is_live_while_the_loop_is_blocked_and_a_picture_stays(page, lab):
    lesson = Notebook(page, lab).open(lab.write("watch.ipynb", SERVER, BLOCKS), "dark")
    lesson.run_all()
    table = page.locator("table", has_text="3 of 4 connections")
    try:
        table.wait_for()
        rows = table.locator("tr").all_inner_texts()
        assert [" ".join(row.split()) for row in rows] == ["active 1", "idle 2"]
        assert min(ratio for ratio, *_ in contrasts(table.locator("td, caption"))) > 4.5
        lesson.shoot("watch-live-dark")
    finally:
        (lab.folder / "seen").touch()
    lesson.wait_until_idle()
    page.locator(".jp-OutputArea img").wait_for()
    assert table.count() == 0
    lesson.shoot("watch-dark")
    assert page.reported == []
