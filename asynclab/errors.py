"""The errors that the kit raises on purpose. Plain data; knows no Django, no Jupyter."""


class LabError(Exception):
    """Something that the reader of the message can put right.

    The message says what is wrong and what to do, in one or two lines. IPython shows that message
    alone, because a traceback through the kit would tell the reader nothing. Plain Python shows the
    usual traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints in place of a traceback.

        Source: ``InteractiveShell.showtraceback`` and ``_user_obj_error`` call this method.
        """
        return [f"{type(self).__name__}: {self}"]
