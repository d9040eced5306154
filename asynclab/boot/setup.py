"""Any project: its folder on the path, its settings imported, and `django.setup()`."""

import importlib
import os
import sys
from pathlib import Path

from ..ground.errors import LabError

DEMO_SETTINGS = "config.settings"


class BootError(LabError):
    """Django cannot be set up in this kernel."""


def set_up_project(name: str) -> str:
    """Set up the reader's own project, and say so. Lanes show this function by its name."""
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
        raise BootError(
            f"{name!r} is not the name of a settings module. "
            "boot() takes a dotted name, such as boot('mysite.settings')."
        )
    _find_project(name.partition(".")[0])
    set_up(name)
    return f"Django is set up with {name}. Its data is untouched."


def _find_project(package):
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "manage.py").is_file():
            put_on_path(folder, [package])
            return


def put_on_path(folder, packages):
    """Make a project importable, unless another module of the same name was imported already."""
    for package in packages:
        module, expected = sys.modules.get(package), folder / package
        if module is None or not expected.is_dir():
            continue
        if expected.resolve() not in [
            Path(path).resolve() for path in getattr(module, "__path__", ())
        ]:
            raise BootError(
                f"Another module named {package!r} is imported in this kernel already. "
                "Restart the kernel, and call boot() before anything imports that one."
            )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def set_up(name):
    """Run django.setup() with these settings, once in a kernel."""
    import django
    from django.apps import apps
    from django.conf import settings

    configured_with = settings.SETTINGS_MODULE if settings.configured else name
    if configured_with != name:
        other = configured_with or "settings.configure()"
        raise BootError(
            f"Django is set up with {other} in this kernel already, and it takes one project a "
            f"process. Restart the kernel, and call {_call(name)} first."
        )
    if apps.ready:
        return
    if settings.configured:
        raise BootError(
            f"An earlier set-up of {name} failed half-way in this kernel. Restart the kernel."
        )
    _import_settings(name)
    os.environ["DJANGO_SETTINGS_MODULE"] = name
    try:
        django.setup()
    except Exception as error:
        raise _broken(name, error) from error


def _call(settings):
    return "boot()" if settings == DEMO_SETTINGS else f"boot({settings!r})"


def _import_settings(name):
    """Import the module by itself first, so that a wrong name leaves no trace in the kernel."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _broken(name, error) from error
        raise BootError(
            f"There is no module {error.name!r} to import. Check the name, or put the folder of "
            "manage.py on the path: import sys; sys.path.insert(0, 'path/to/your/project')"
        ) from error
    except Exception as error:
        raise _broken(name, error) from error
    if not any(setting.isupper() for setting in vars(module)):
        raise BootError(f"{name!r} holds no settings. Did you mean boot('{name}.settings')?")


def _broken(name, error):
    return BootError(
        f"{name} fails with {type(error).__name__}: {error}\n"
        "Restart the kernel once `python manage.py check` passes in this kernel's environment."
    )
