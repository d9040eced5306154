"""The list of mutants that are right answers."""

from pathlib import Path

import yaml

LIST = Path(__file__).with_name("equivalent.yml")


def read_equivalents(path: Path = LIST) -> dict[str, str]:
    """Why a mutant is a right answer, by its id.

    Raises:
        ValueError: an id is listed twice, or without a reason.
    """
    reasons: dict[str, str] = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        for mutant in entry["mutants"]:
            if mutant in reasons or not entry["because"].strip():
                raise ValueError(f"{path.name}: {mutant} is listed twice, or without a reason")
            reasons[mutant] = entry["because"].strip()
    return reasons
