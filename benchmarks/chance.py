"""Chance in SQL: numbers that differ like real ones, and are the same in every run and on any number of threads.

DuckDB's ``random()`` depends on its threads; a hash of what a row is about does not.
"""

from __future__ import annotations


def uniform(salt: str, *columns: str) -> str:
    """An expression above 0 and up to 1, different for every combination of the columns and for every salt.

    The hash of several values is an exclusive or at its end, so that two salts alone would give numbers that hang
    together; hashed once more they do not.
    """
    return f"((hash(hash('{salt}', {', '.join(columns)})) >> 11) + 1) / 9007199254740992.0"


def exponential(salt: str, *columns: str) -> str:
    """An expression with an exponential distribution of mean 1: waiting times, lengths, counts of a person."""
    return f"(-ln({uniform(salt, *columns)}))"


def normal(salt: str, *columns: str) -> str:
    """An expression with a normal distribution of mean 0 and deviation 1 (Box and Muller 1958)."""
    radius = f"sqrt(2 * {exponential(salt, *columns)})"
    return f"({radius} * cos(2 * pi() * {uniform(salt + ' angle', *columns)}))"


def picked(weights: dict[str, float], chance: str) -> str:
    """An expression that is one of some texts, each as often as its weight says."""
    total, reached, cases = sum(weights.values()), 0.0, []
    for name, weight in weights.items():
        reached += weight / total
        cases.append(f"WHEN {chance} <= {reached!r} THEN '{name}'")
    return f"CASE {' '.join(cases)} ELSE '{next(reversed(weights))}' END"
