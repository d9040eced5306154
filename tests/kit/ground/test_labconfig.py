"""What JupyterLab saves, and what it shows of that on the next day."""

import copy
import json

import pytest

from asynclab.ground import labconfig
from tests.harness.browser import Notebook, new_page, running_lab

CELLS = (
    "%load_ext asynclab\nfrom asynclab import predict",
    "%%lanes\nimport asyncio\nawait asyncio.sleep(0.01)",
    'predict("Does it rain in Whitby?", ["yes", "no"])',
)
SAVE_AND_LEAVE = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.save();
    await panel.sessionContext.shutdown();
}"""


@pytest.fixture
def configured_lab(tmp_path):
    """A JupyterLab with the course's configuration, and nothing else."""
    labconfig.configure(tmp_path)
    folder = tmp_path / "course"
    folder.mkdir()
    with running_lab(folder, tmp_path / "etc" / "jupyter") as lab:
        yield lab


@pytest.mark.browser
def test_the_next_day_a_picture_is_a_still_and_nothing_is_broken(browser, configured_lab):
    name = configured_lab.write("whitby.ipynb", *CELLS)
    context = browser.new_context()
    today = Notebook(new_page(context), configured_lab).open(name)
    today.run_all()
    today.wait_until_idle()
    today.lanes.first.wait_for()
    today.page.evaluate(SAVE_AND_LEAVE)
    assert today.lanes.count() == 1

    tomorrow = Notebook(new_page(browser.new_context()), configured_lab).open(name)
    tomorrow.page.locator(".jp-OutputArea img").wait_for()
    assert tomorrow.page.get_by_text("Does it rain in Whitby?").last.is_visible()
    assert tomorrow.page.get_by_text("Error displaying widget").count() == 0
    assert tomorrow.lanes.count() == 0


def test_other_settings_stay(tmp_path):
    path = tmp_path / "etc" / "jupyter" / "jupyter_server_config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"ContentsManager": {"allow_hidden": true}, "ServerApp": {"port": 8889}}')
    labconfig.configure(tmp_path)
    labconfig.configure(tmp_path)
    found = json.loads(path.read_text())
    assert found["ContentsManager"].pop("pre_save_hook").startswith("asynclab.")
    assert found == {"ContentsManager": {"allow_hidden": True}, "ServerApp": {"port": 8889}}


def test_what_kernels_run_at_their_start_is_added_once(tmp_path):
    path = tmp_path / "etc" / "ipython" / "ipython_kernel_config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"IPKernelApp": {"exec_lines": ["import math"]}}')
    labconfig.configure(tmp_path)
    labconfig.configure(tmp_path)
    found = json.loads(path.read_text())
    assert found["IPKernelApp"]["exec_lines"] == ["import math", labconfig.RUN_FIRST_CELL]


def test_what_has_no_view_is_saved_as_it_is():
    picture = {"output_type": "display_data", "data": {"image/png": "aGk="}, "metadata": {}}
    printed = {"output_type": "stream", "name": "stdout", "text": "hi"}
    view = {labconfig.WIDGET_VIEW: {"model_id": "1"}}
    both = {"output_type": "display_data", "data": {**view, "text/plain": "5"}, "metadata": {}}
    alone = {"output_type": "display_data", "data": {**view}, "metadata": {}}
    cell = {"cell_type": "code", "outputs": [picture, printed, both, alone]}
    content = {"cells": [{"cell_type": "markdown", "source": "# Emma"}, cell]}

    labconfig.drop_widget_views({"type": "notebook", "content": content}, path="a.ipynb")

    assert [output.get("data", output.get("text")) for output in cell["outputs"]] == [
        {"image/png": "aGk="},
        "hi",
        {"text/plain": "5"},
    ]


def test_other_files_are_left_alone():
    model = {"type": "file", "content": json.dumps({"cells": 5})}
    given = copy.deepcopy(model)
    labconfig.drop_widget_views(given, path="a.txt")
    assert given == model
