"""Mutated answers: each exercise's reference with one thought changed, which no check may pass."""

from tests.proof.mutants.generate import Mutant, count, mutants_of

__all__ = ["Mutant", "count", "mutants_of"]
