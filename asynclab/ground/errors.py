"""The errors that the kit raises on purpose. This module imports neither Django nor Jupyter."""


class LabError(Exception):
    """A problem that the reader of the message can solve.

    The message says what is wrong and what to do, in one or two lines. IPython shows only that
    message, because a traceback through the kit would not help the reader. Plain Python shows the
    usual traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints in place of a traceback.

        Source: ``InteractiveShell.showtraceback`` and ``_user_obj_error`` call this method.
        """
        return [f"{type(self).__name__}: {self}"]
