"""Fitting BG/BB by maximum likelihood, and saying plainly whether it worked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from healthmate_bi_pipeline.domain.bgbb import BgBb, Floats, Patterns

STARTS: tuple[tuple[float, float, float, float], ...] = (
    (1.0, 1.0, 1.0, 1.0),
    (1.0, 0.5, 0.5, 3.0),
    (0.5, 2.0, 0.5, 5.0),
    (3.0, 1.0, 2.0, 20.0),
    (2.0, 5.0, 0.3, 1.0),
)
"""Where the search begins, from uneven to even people and from loyal to fickle ones."""

FARTHEST_MEAN = 12.0
"""The log odds of a mean beyond which the search does not go: 6 in a million."""

LEAST_EVENNESS, GREATEST_EVENNESS = 1e-3, 1e4
"""Alpha + beta, and gamma + delta: near the least everybody always or never does it, at the greatest all are alike."""

_LEVEL = 1e-6
"""The steepest slope of the mean log-likelihood, per unit of a coordinate, that counts as level."""

_SAME = 1e-8
"""How near to the best the mean log-likelihood of another start must come to confirm it."""

_OPEN = np.log(10)
"""A mean whose odds have a standard error larger than a factor of ten is not told by the data."""

_OF_ACTIVITY, _OF_LEAVING = (
    0,
    2,
)  # the places of the two means among the coordinates; evenness stands behind each


@dataclass(frozen=True)
class Fit:
    """The best parameters that were found, and whether they are a maximum.

    Attributes:
        model: with the parameters.
        errors: standard errors, from the curvature, of the log odds of being active, the logarithm of
            alpha + beta, the log odds of leaving, and the logarithm of gamma + delta; infinite at an edge.
        log_likelihood: of all people.
        people: how many people it rests on; those who had no opportunity yet tell nothing and do not count.
        starts_agreeing: from how many of ``STARTS`` the search came to the same height.
        is_converged: whether the place is level, was found from at least two starts, and tells both means.
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

    The search (L-BFGS-B, from each of ``STARTS``) runs over the mean of each of the two distributions, as log odds,
    and how even people are in it, as a logarithm. Real people are often so alike in how they leave that the
    likelihood rises for ever towards them being all the same: then the edge of evenness is the maximum, what it
    forecasts no longer depends on how far the edge is, and the fit says so. The cost is that of the distinct
    patterns, however many people have them.

    Raises:
        ValueError: nobody had an opportunity.
    """
    told = _telling(patterns)
    people = int(told.people.sum())
    if not people:
        raise ValueError("nobody has had an opportunity to be active: there is nothing to fit")

    def loss(place: Floats) -> tuple[float, Floats]:
        likelihood, slopes = _score(place, told)
        return -likelihood / people, -slopes / people

    edges = _edges()
    results = [
        scipy.optimize.minimize(
            loss,
            _place(start),
            method="L-BFGS-B",
            jac=True,
            bounds=list(zip(*edges, strict=True)),
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1_000, "maxcor": 20},
        )
        for start in STARTS
    ]
    highest = min(float(result.fun) for result in results)
    agreeing = [result for result in results if float(result.fun) - highest <= _SAME]
    # Of those that came to the same height the one on the most level place.
    best = min(agreeing, key=_steepness)
    errors = _errors(best.x, told)
    failing = _failing(best, errors=errors, agreeing=len(agreeing))
    return Fit(
        model=_model(best.x),
        errors=errors,
        log_likelihood=-float(best.fun) * people,
        people=people,
        starts_agreeing=len(agreeing),
        is_converged=failing is None,
        reason=failing
        or f"{len(agreeing)} of {len(STARTS)} starts came to the same maximum{_limits(best.x)}",
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


def _place(parameters: tuple[float, float, float, float]) -> Floats:
    """The coordinates of the search: log odds of the mean and logarithm of the sum, of each distribution."""
    alpha, beta, gamma, delta = parameters
    return np.log([alpha / beta, alpha + beta, gamma / delta, gamma + delta])


def _edges() -> tuple[Floats, Floats]:
    evenness = np.log([LEAST_EVENNESS, GREATEST_EVENNESS])
    low, high = ([sign * FARTHEST_MEAN, evenness[side]] * 2 for side, sign in enumerate((-1, 1)))
    return np.array(low), np.array(high)


def _model(place: Floats) -> BgBb:
    parameters = [
        float(value)
        for mean in (_OF_ACTIVITY, _OF_LEAVING)
        for value in np.exp(place[mean + 1]) * scipy.special.expit([place[mean], -place[mean]])
    ]
    return BgBb(*parameters)


def _score(place: Floats, patterns: Patterns) -> tuple[float, Floats]:
    """The log-likelihood and its slopes by the coordinates."""
    model = _model(place)
    likelihood, by_parameter = model.score(patterns)
    slopes = np.empty(4)
    for mean, (first, second) in (
        (_OF_ACTIVITY, (model.alpha, model.beta)),
        (_OF_LEAVING, (model.gamma, model.delta)),
    ):
        by_first, by_second = by_parameter[mean], by_parameter[mean + 1]
        slopes[mean] = first * second / (first + second) * (by_first - by_second)
        slopes[mean + 1] = first * by_first + second * by_second
    return likelihood, slopes


def _steepness(result: scipy.optimize.OptimizeResult) -> float:
    """The steepest slope at a place, leaving out what leads over an edge."""
    low, high = _edges()
    leads_out = ((result.x <= low) & (result.jac > 0)) | ((result.x >= high) & (result.jac < 0))
    return float(np.abs(np.where(leads_out, 0, result.jac)).max())


def _at_edge(place: Floats) -> npt.NDArray[np.bool_]:
    low, high = _edges()
    return np.asarray((place <= low + 1e-6) | (place >= high - 1e-6))


def _errors(place: Floats, patterns: Patterns) -> tuple[float, float, float, float]:
    """Standard errors from the inverse of the observed information (differences of the slopes)."""
    free = np.flatnonzero(~_at_edge(place))
    errors = np.full(4, np.inf)
    if len(free):
        step = 1e-4
        rows = []
        for number in free:
            aside = step * np.eye(4)[number]
            above, below = (_score(place + sign * aside, patterns)[1] for sign in (1, -1))
            rows.append((below - above)[free] / (2 * step))
        information = np.array(rows)
        values, vectors = np.linalg.eigh((information + information.T) / 2)
        # What the slopes cannot resolve is a plain: as good as without bound.
        values = np.maximum(values, 1e-9 * max(float(values[-1]), 1.0))
        errors[free] = np.sqrt((vectors**2 / values).sum(axis=1))
    first, second, third, fourth = (float(error) for error in errors)
    return first, second, third, fourth


def _failing(best: scipy.optimize.OptimizeResult, *, errors: tuple[float, ...], agreeing: int) -> str | None:
    """What speaks against the best place, or nothing."""
    if not np.isfinite(best.fun) or _steepness(best) > _LEVEL:
        return f"the search stopped on a slope ({best.message})"
    means = {"are active": errors[_OF_ACTIVITY], "leave": errors[_OF_LEAVING]}
    untold = [name for name, error in means.items() if error > _OPEN]
    if untold:
        return f"the data do not tell how often people {' and '.join(untold)}: the odds are open by more than a factor of ten"
    if agreeing < 2:
        return "only one start came to the best place, which may not be the best there is"
    return None


def _limits(place: Floats) -> str:
    """In what people are as even, or as uneven, as the search allows."""
    low, high = _edges()
    found = []
    for mean, what in ((_OF_ACTIVITY, "being active"), (_OF_LEAVING, "leaving")):
        if place[mean + 1] >= high[mean + 1] - 1e-6:
            found.append(f"; in {what} all people are alike")
        elif place[mean + 1] <= low[mean + 1] + 1e-6:
            found.append(f"; in {what} people are all or nothing")
    return "".join(found)
