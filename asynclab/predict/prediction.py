"""A prediction: made with the mouse or the keyboard, locked, then held against the machine."""

import html
from collections.abc import Sequence

from ..ground.errors import LabError
from ..ground.interrupts import held

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def predict(question: str, options: Sequence[object]) -> "Prediction":
    """Ask the learner what a later cell will do. Show the result, and reveal the answer later.

    Args:
        question: one sentence.
        options: the answers to choose from, shown by `str()`; all different.

    Raises:
        LabError: no question, fewer than two options, or two that look the same.
    """
    return Prediction(question, options)


class Prediction:
    """A question with its options, and what the learner chose.

    Nothing waits for a click: under Run All the question is shown and the notebook goes on.
    """

    def __init__(self, question: str, options: Sequence[object]):
        labels = [] if isinstance(options, str) else [str(option) for option in options]
        if not str(question).strip():
            raise LabError('predict() needs a question: predict("Is a loop running?", [...]).')
        if len(labels) < 2:
            raise LabError('predict() needs a list of two options or more, such as ["yes", "no"].')
        if len(set(labels)) < len(labels):
            raise LabError(f"predict() needs options that differ; got {', '.join(labels)}.")
        self.question = str(question)
        self.labels = labels
        with held():  # a package half imported is of no use to the next prediction
            from .form import form_of  # anywidget takes a while to import

        self._form = form_of(self.question, labels)
        self._form.observe(self._renew, "locked")
        self._shown: list = []

    @property
    def locked(self) -> bool:
        """Whether the prediction can no longer change."""
        return self._form.locked

    @property
    def choice(self) -> str | None:
        """The option locked in, or else the one selected; None without either."""
        return self._form.choice

    def reveal(self, machine: object) -> "Reveal":
        """Hold the prediction against `machine`, the result that the machine gave.

        What is selected by now is locked. An exception counts by its type's name. A result that
        is none of the options is shown as it is.
        """
        self._form.locked = self.choice is not None
        return Reveal(self, _answer(machine))

    def __repr__(self) -> str:
        locked = self.choice if self.locked else None
        options = [f"  ({'x' if label == locked else ' '}) {label}" for label in self.labels]
        said = [] if locked is None else [f"Locked: you predict {locked}."]
        return "\n".join([f"Predict: {self.question}", *options, *said])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        # Known by an id: what stands in the cell can be renewed.
        self._shown.append(display(self._repr_mimebundle_(), raw=True, display_id=True))

    def _renew(self, _change) -> None:
        """Let the text behind the form say what is locked: it is what a saved notebook keeps."""
        for shown in self._shown:
            shown.update(self._repr_mimebundle_(), raw=True)

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self._form.model_id}
        return {"text/plain": repr(self), _WIDGET_VIEW: view}


class Reveal:
    """The machine's answer beside the learner's prediction."""

    def __init__(self, prediction: Prediction, machine: str):
        self.machine = machine
        self.choice = prediction.choice
        self.expected = machine in prediction.labels

    @property
    def agrees(self) -> bool | None:
        """Whether the prediction came true; None if there was none."""
        return None if self.choice is None else self.choice == self.machine

    def _sentences(self) -> tuple[str, str]:
        aside = "" if self.expected else " (none of the options)"
        verdict = {
            None: "You made no prediction.",
            True: f"✓ You predicted {self.choice}: the machine agrees.",
            False: f"✗ You predicted {self.choice}: the machine disagrees.",
        }[self.agrees]
        return f"{self.machine}{aside}.", verdict

    def __repr__(self) -> str:
        return "The machine says: {} {}".format(*self._sentences())

    def _repr_html_(self) -> str:
        answer, verdict = map(html.escape, self._sentences())
        return f"<p><strong>The machine says:</strong> {answer} {verdict}</p>"


def _answer(machine: object) -> str:
    return type(machine).__name__ if isinstance(machine, BaseException) else str(machine)
