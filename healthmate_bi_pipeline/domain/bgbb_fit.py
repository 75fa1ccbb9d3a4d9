"""Fitting BG/BB by maximum likelihood, and saying plainly whether it worked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from healthmate_bi_pipeline.domain.bgbb import BgBb, Floats, Patterns

STARTS: tuple[tuple[float, float, float, float], ...] = (
    (1.0, 1.0, 1.0, 1.0),
    (1.0, 0.5, 0.5, 3.0),
    (0.5, 2.0, 0.5, 5.0),
    (3.0, 1.0, 2.0, 20.0),
    (2.0, 5.0, 0.3, 1.0),
)
"""Where the search begins, from uneven to even people and from loyal to fickle ones."""

LEAST, GREATEST = 1e-4, 1e4
"""The edges of the search. A parameter beyond them is one that the data do not tell."""

_LEVEL = 1e-6
"""The steepest slope of the mean log-likelihood, per factor e of a parameter, that counts as level."""

_SAME = 1e-8
"""How near to the best the mean log-likelihood of another start must come to confirm it."""

_OPEN = np.log(10)
"""A parameter whose standard error is larger than a factor of ten is not told by the data."""

_NAMES = ("alpha", "beta", "gamma", "delta")


@dataclass(frozen=True)
class Fit:
    """The best parameters that were found, and whether they are a maximum.

    Attributes:
        model: with the parameters.
        errors: the standard error of the logarithm of each parameter, from the curvature; infinite on a plain.
        log_likelihood: of all people.
        people: how many people it rests on; those who had no opportunity yet tell nothing and do not count.
        starts_agreeing: from how many of ``STARTS`` the search came to the same height.
        is_converged: whether the place is level, a summit and no plain, inside the edges, and found from at least
            two starts.
        reason: one sentence that says why, without a value of a person.
    """

    model: BgBb
    errors: tuple[float, float, float, float]
    log_likelihood: float
    people: int
    starts_agreeing: int
    is_converged: bool
    reason: str


def fit(patterns: Patterns) -> Fit:
    """The parameters under which the patterns are most probable.

    The search runs over the logarithms of the parameters (L-BFGS-B) from each of ``STARTS``. The cost is that of the
    distinct patterns, however many people have them.

    Raises:
        ValueError: nobody had an opportunity.
    """
    told = _telling(patterns)
    people = int(told.people.sum())
    if not people:
        raise ValueError("nobody has had an opportunity to be active: there is nothing to fit")

    def loss(logarithms: Floats) -> tuple[float, Floats]:
        likelihood, slopes = _score(logarithms, told)
        return -likelihood / people, -slopes / people

    results = [
        minimize(
            loss,
            np.log(start),
            method="L-BFGS-B",
            jac=True,
            bounds=[(np.log(LEAST), np.log(GREATEST))] * 4,
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1_000, "maxcor": 20},
        )
        for start in STARTS
    ]
    highest = min(float(result.fun) for result in results)
    agreeing = [result for result in results if float(result.fun) - highest <= _SAME]
    # Of those that came to the same height the one on the most level place.
    best = min(agreeing, key=lambda result: float(np.abs(result.jac).max()))
    errors = _errors(best.x, told)
    failing = _failing(best, errors=errors, agreeing=len(agreeing))
    return Fit(
        model=_model(best.x),
        errors=errors,
        log_likelihood=-float(best.fun) * people,
        people=people,
        starts_agreeing=len(agreeing),
        is_converged=failing is None,
        reason=failing or f"{len(agreeing)} of {len(STARTS)} starts came to the same summit",
    )


def _telling(patterns: Patterns) -> Patterns:
    """The patterns that tell something, each once."""
    tells = (patterns.opportunities > 0) & (patterns.people > 0)
    return Patterns(
        patterns.active[tells],
        patterns.last_active[tells],
        patterns.opportunities[tells],
        patterns.people[tells],
    ).counted()


def _model(logarithms: Floats) -> BgBb:
    return BgBb(*(float(value) for value in np.exp(logarithms)))


def _score(logarithms: Floats, patterns: Patterns) -> tuple[float, Floats]:
    """The log-likelihood and its slopes by the logarithms of the parameters."""
    likelihood, slopes = _model(logarithms).score(patterns)
    return likelihood, np.asarray(slopes * np.exp(logarithms))


def _errors(logarithms: Floats, patterns: Patterns) -> tuple[float, float, float, float]:
    """Standard errors from the inverse of the observed information (differences of the slopes)."""
    step = 1e-4
    information = np.empty((4, 4))
    for number in range(4):
        aside = step * np.eye(4)[number]
        above, below = (_score(logarithms + sign * aside, patterns)[1] for sign in (1, -1))
        information[number] = (below - above) / (2 * step)
    values, vectors = np.linalg.eigh((information + information.T) / 2)
    # What the slopes cannot resolve is a plain: there the error has no bound.
    if values[0] <= 1e-9 * max(values[-1], 1.0):
        return (np.inf,) * 4
    variances = (vectors**2 / values).sum(axis=1)
    first, second, third, fourth = (float(error) for error in np.sqrt(variances))
    return first, second, third, fourth


def _failing(best: OptimizeResult, *, errors: tuple[float, ...], agreeing: int) -> str | None:
    """What speaks against the best place, or nothing."""
    edges = np.log(LEAST) + 1e-6, np.log(GREATEST) - 1e-6
    at_edge = [name for name, value in zip(_NAMES, best.x, strict=True) if not edges[0] < value < edges[1]]
    if at_edge:
        return f"the data do not tell {', '.join(at_edge)}: the likelihood rises up to the edge of the search"
    if not np.isfinite(best.fun) or np.abs(best.jac).max() > _LEVEL:
        return f"the search stopped on a slope ({best.message})"
    untold = [name for name, error in zip(_NAMES, errors, strict=True) if error > _OPEN]
    if untold:
        return f"the data do not tell {', '.join(untold)}: the standard error is larger than a factor of ten"
    if agreeing < 2:
        return "only one start came to the best place, which may not be the best there is"
    return None
