"""How Jupyter is set up for the course: no prompt for news, files that can be opened again, and
kernels that say when a notebook's first cell was not run.

`python -m asynclab.ground.labconfig` writes it into the environment of this Python.
"""

import json
import sys
from pathlib import Path

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# The file's own path, wherever the kit is installed, without importing the kit.
RUN_FIRST_CELL = (
    "__import__('runpy').run_path(__import__('importlib.util').util.find_spec('asynclab')"
    ".submodule_search_locations[0] + '/ground/first_cell.py')['register'](get_ipython())"
)

# What `jupyter labextension disable`, a jupyter_server_config.py and an ipython_kernel_config.py
# would say. A later version of these programs reads the same files.
CONFIG = {
    "jupyter/labconfig/page_config.json": {
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}
    },
    "jupyter/jupyter_server_config.json": {
        "ContentsManager": {"pre_save_hook": "asynclab.ground.labconfig.drop_widget_views"}
    },
    # Each kernel would warn of sockets without encryption; they never leave this machine.
    "ipython/ipython_kernel_config.json": {
        "IPKernelApp": {"exec_lines": [RUN_FIRST_CELL], "log_level": 40}
    },
}


def configure(prefix: Path) -> None:
    """Add the configuration to what Jupyter and IPython read below `prefix` (etc)."""
    for name, settings in CONFIG.items():
        path = prefix / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for section, values in settings.items():
            merge(found.setdefault(section, {}), values)
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def merge(found: dict, values: dict) -> None:
    """Add settings to a section; to a list, those that it lacks."""
    for name, value in values.items():
        if isinstance(value, list):
            before = found.get(name, [])
            value = before + [each for each in value if each not in before]
        found[name] = value


def drop_widget_views(model: dict, **_) -> None:
    """Keep widget views out of a notebook that is saved; the open page keeps them.

    A view needs the kernel that made it. In a file that is opened again it shows "Error displaying
    widget", and hides the picture and the text that stand behind it.

    Args:
        model: what Jupyter Server is about to save. Source: `ContentsManager.pre_save_hook`.
    """
    if model["type"] != "notebook":
        return
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [out for out in map(without_view, cell["outputs"]) if out]


def without_view(output: dict) -> dict | None:
    """Return an output without its widget view, or None if nothing else is in it."""
    if "data" not in output:
        return output
    output["data"].pop(WIDGET_VIEW, None)
    output["metadata"].pop(WIDGET_VIEW, None)
    return output if output["data"] else None


if __name__ == "__main__":
    configure(Path(sys.prefix))
