"""Planted faults: each check of the course is shown the fault that it is there for.

    python -m tests.proof.faults [--list] [--fast] [fault ...]

catalogue   the faults, and for each the check that guards against it
edits       how a fault gets into a copy of the tree
planting    copy, plant, run the check, judge
"""
