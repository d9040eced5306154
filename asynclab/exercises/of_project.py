"""What all code of a Django project shares beside names: its settings, their name, its models.

Each is read, compared and put back as a `Namespace` of `surroundings.py` is.
"""

import os
from collections.abc import Iterable

ABSENT = object()

PLACES = frozenset({"DATABASES"})
"""Settings that `boot()` changes, and puts back by itself."""

PLAIN = frozenset({str, bytes, int, float, bool, set})
"""Whose comparison comes to an end."""


class ProjectSettings:
    """The project's settings, by name; of lists and dictionaries, what they hold."""

    label = "settings"

    def __init__(self):
        from django.conf import settings

        self._holder = settings._wrapped

    def read(self) -> dict[str, tuple[object, object]]:
        """Each setting, and a copy that nobody else has."""
        return {name: (value, _copied(value)) for name, value in _settings().items()}

    def changed(self, before: dict[str, tuple[object, object]]) -> dict[str, object]:
        """What those settings were that are something else now."""
        now = _settings()
        return {
            name: value if _same(value, copy) else _copied(copy)
            for name, (value, copy) in before.items()
            if not _same(now.get(name, ABSENT), copy)
        }

    def put_back(self, before: dict[str, tuple[object, object]], but: Iterable[str] = ()) -> None:
        """Let each be what it was, `but` for these, and Django forget what it made of it."""
        changed = self.changed(before)
        if not changed:
            return
        from django.conf import Settings, UserSettingsHolder, settings
        from django.test.signals import setting_changed

        if not isinstance(settings._wrapped, Settings | UserSettingsHolder):
            settings.__dict__["_wrapped"] = self._holder
        for name in changed.keys() - set(but):
            settings.__setattr__(name, changed[name])
            told = {"setting": name, "value": changed[name], "enter": False}
            setting_changed.send_robust(sender=ProjectSettings, **told)


class NameOfSettings:
    """The variable that names the settings: Django's handlers and servers ask it once more."""

    label = "os.environ"

    def read(self) -> dict[str, str | None]:
        """Which settings it names."""
        from django.conf import ENVIRONMENT_VARIABLE

        return {ENVIRONMENT_VARIABLE: os.environ.get(ENVIRONMENT_VARIABLE)}

    def changed(self, before: dict[str, str | None]) -> dict[str, str | None]:
        """Which it named, if these are others."""
        return {} if self.read() == before else before

    def put_back(self, before: dict[str, str | None], but: Iterable[str] = ()) -> None:
        """Let it name the same again."""
        for name, value in self.changed(before).items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class ProjectModels:
    """The models of the project's apps: one that a reader adds is deleted from as well."""

    label = "models"

    def read(self) -> dict[str, type]:
        """Each model, by its app and name."""
        return {
            f"{app}.{name}": model
            for app, found in _registered().items()
            for name, model in found.items()
        }

    def changed(self, before: dict[str, type]) -> dict[str, object]:
        """What there was in place of each that is new or another one."""
        now = self.read()
        if now == before:
            return {}
        names = before.keys() | now.keys()
        return {
            name: before.get(name, ABSENT)
            for name in names
            if before.get(name) is not now.get(name)
        }

    def put_back(self, before: dict[str, type], but: Iterable[str] = ()) -> None:
        """Let there be those of before, `but` for these, and no relation to others."""
        changed = self.changed(before)
        if not changed:
            return
        from django.apps import apps

        for path in changed.keys() - set(but):
            app, _, name = path.partition(".")
            if changed[path] is ABSENT:
                del apps.all_models[app][name]
            else:
                apps.all_models[app][name] = changed[path]
        # `clear_cache()` would make each manager anew.
        apps.get_models.cache_clear()
        for model in apps.get_models(include_auto_created=True):
            model._meta._expire_cache(forward=False)


def _settings() -> dict[str, object]:
    """By name. Read past `settings` itself, which keeps what it was once asked for."""
    from django.conf import settings

    found = settings._wrapped
    names = [name for name in dir(found) if name.isupper() and name not in PLACES]
    return {name: getattr(found, name) for name in names}


def _registered() -> dict[str, dict[str, type]]:
    from django.apps import apps

    return {app: apps.all_models[app] for app in apps.app_configs}


def _copied(value: object) -> object:
    if type(value) is dict:
        return {key: _copied(each) for key, each in value.items()}
    if type(value) is list:
        return [_copied(each) for each in value]
    return set(value) if type(value) is set else value


def _same(value: object, copy: object) -> bool:
    """Whether they hold the same; of what is no plain value, whether it is the same object."""
    if value is copy or type(value) is not type(copy):
        return value is copy
    if type(value) is dict:
        return value.keys() == copy.keys() and all(_same(value[key], copy[key]) for key in value)
    if type(value) in (list, tuple):
        return len(value) == len(copy) and all(map(_same, value, copy))
    return type(value) in PLAIN and value == copy
