"""The form of a prediction in the page: options, and a button that locks one."""

import functools
from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Form(anywidget.AnyWidget):
    """A form of one question.

    It is not made of ipywidgets' radio buttons: JupyterLab takes the arrow keys and Enter away from
    those, so that only the first option could be chosen without a mouse.

    Args:
        question: one sentence.
        labels: the options.
        choice: the option selected, or None.
        locked: whether the choice stays.
    """

    _esm = HERE / "form.js"
    _css = HERE / "form.css"
    question = traitlets.Unicode().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    choice = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    locked = traitlets.Bool(False).tag(sync=True)


_forms: dict[tuple[str, ...], Form] = {}


def form_of(question: str, labels: list[str]) -> Form:
    """A new form, or the one on which the same question is locked already.

    The click that locks a prediction makes its cell the active one, so the next Shift+Enter runs
    that cell again. What the learner committed to must outlive that.
    """
    key = question, *labels
    known = _forms.get(key)
    if known is not None and known.locked:
        return known
    form = _forms[key] = Form(question=question, labels=labels)
    if known is not None:
        known.observe(functools.partial(_hand_on, form), "locked")
    return form


def _hand_on(form: Form, change: dict) -> None:
    """Let a form have what was locked on the one before it.

    The page holds a click back while an earlier one is on its way, and Shift+Enter may overtake it.
    """
    if change["new"] and not form.locked:
        form.choice = change["owner"].choice
        form.locked = True
