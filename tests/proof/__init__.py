"""What proves that the checks can fail: faults, mutants, and other stacks."""
