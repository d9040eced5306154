"""How JupyterLab is set up for the course: no prompt for news, and files that can be opened again.

`python -m asynclab.labconfig` writes it into the environment of this Python.
"""

import json
import sys
from pathlib import Path

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# What `jupyter labextension disable` and a jupyter_server_config.py would say. A later version of
# either program reads the same files.
CONFIG = {
    "labconfig/page_config.json": {
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}
    },
    "jupyter_server_config.json": {
        "ContentsManager": {"pre_save_hook": "asynclab.labconfig.drop_widget_views"}
    },
}


def configure(prefix: Path) -> None:
    """Add the configuration to what Jupyter reads below `prefix` (etc/jupyter)."""
    for name, settings in CONFIG.items():
        path = prefix / "etc" / "jupyter" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for section, values in settings.items():
            found.setdefault(section, {}).update(values)
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


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
