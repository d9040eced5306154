"""What `python -m asynclab.authoring` has written down for this package to look up."""

import json
from pathlib import Path
from typing import TypeVar

from ..ground.errors import LabError

Row = TypeVar("Row")


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Return the rows of a JSON file, each as a `kind`, a dataclass.

    Raises:
        LabError: the file is missing or damaged.
    """
    try:
        return [kind(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise LabError(f"{path.name} cannot be read: {error}") from None
