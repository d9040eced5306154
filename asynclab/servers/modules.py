"""Modules that a cell has written, where a server in another process can import them, too."""

import atexit
import functools
import importlib.util
import linecache
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from ..ground import folders
from ..ground.errors import LabError


@functools.cache
def folder() -> Path:
    """The folder of these modules, gone with the kernel."""
    made = Path(tempfile.mkdtemp(prefix=folders.prefix()))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def write_module(name: str, source: str) -> ModuleType:
    """Write the text of a module, and run it as an import would.

    Args:
        name: what it is imported by. It may be one that was written before.
        source: the text.

    Raises:
        LabError: the name is none for a module, or belongs to another one.
        BaseException: what the text raises; the module is not imported then.
    """
    __tracebackhide__ = True
    if not isinstance(name, str) or not name.isidentifier():
        raise LabError(f"{name!r} is no name for a module. Write, for example: %%module polls")
    file = folder() / f"{name}.py"
    if not file.exists() and _is_taken(name):
        raise LabError(f"There is a module {name!r} already. Choose another name.")
    # Each time: `sys.path` may have been replaced since, by a check that puts it back, for example.
    if str(folder()) not in sys.path:
        sys.path.append(str(folder()))
    # Not left over from before: half a module, or its text, would be imported elsewhere.
    sys.modules.pop(name, None)
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    linecache.checkcache(str(file))
    try:
        exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102  the reader's own text
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_taken(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None
