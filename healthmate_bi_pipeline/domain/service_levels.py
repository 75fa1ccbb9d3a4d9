"""Service levels: Apdex, availability, error budgets and how fast they burn.

Counts in, figures out; each takes single numbers or arrays of one shape, and is not a number where there was nothing
to judge. Apdex: Apdex Alliance, Technical Specification 1.1 (2007). Budgets and burn rates: Beyer et al., The Site
Reliability Workbook (2018), chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TOLERATED_TIMES = 4
"""A response is tolerated up to so many times the target."""

LEAST_APDEX_SAMPLES = 100
"""An Apdex of fewer samples is marked: it jumps."""

FIRST_BAD_STATUS = 500
"""Status codes from here up are the service's own failures; a 4xx is a valid request that it answered."""

SLO_WINDOW = timedelta(days=30)
"""The time that an error budget is for."""


def apdex(satisfied: npt.ArrayLike, tolerating: npt.ArrayLike, samples: npt.ArrayLike) -> Floats:
    """(satisfied + tolerating / 2) / samples.

    Satisfied: answered without error within the target; tolerating: without error within four times the target;
    everything else, errors included, is frustrated.

    >>> float(apdex(40, 200, 288).round(3))
    0.486
    """
    return _share(np.asarray(satisfied) + np.asarray(tolerating) / 2, samples)


def apdex_zones(durations: npt.ArrayLike, *, is_error: npt.ArrayLike, target: float) -> tuple[int, int, int]:
    """How many requests are satisfied, tolerating and frustrated.

    Args:
        durations: of the requests, in the unit of the target.
        is_error: which requests failed, however fast.
        target: T, the time that satisfies; inclusive, as four times T is.

    >>> apdex_zones([100, 200, 201, 800, 801, 5], is_error=[0, 0, 0, 0, 0, 1], target=200)
    (2, 2, 2)
    """
    times, failed = np.asarray(durations, dtype=np.float64), np.asarray(is_error, dtype=bool)
    satisfied = int(np.count_nonzero(~failed & (times <= target)))
    tolerating = int(np.count_nonzero(~failed & (times > target) & (times <= TOLERATED_TIMES * target)))
    return satisfied, tolerating, len(times) - satisfied - tolerating


def availability(good: npt.ArrayLike, valid: npt.ArrayLike) -> Floats:
    """Good requests / valid requests.

    >>> availability([999, 0], [1000, 0])
    array([0.999,   nan])
    """
    return _share(good, valid)


def error_budget(objective: float) -> float:
    """The share of requests, or of time, that may fail.

    Raises:
        ValueError: the objective leaves nothing, or everything, to fail.

    >>> round(error_budget(0.999), 6)
    0.001
    """
    if not 0 < objective < 1:
        raise ValueError(f"an objective lies between 0 and 1, and this one is {objective}: 99.9 % is 0.999")
    return 1 - objective


def allowed_outage(objective: float, window: timedelta = SLO_WINDOW) -> timedelta:
    """How long all may be down in a window before the objective is missed.

    >>> str(allowed_outage(0.999))
    '0:43:12'
    """
    return timedelta(seconds=round(error_budget(objective) * window.total_seconds(), 6))


def budget_left(bad: npt.ArrayLike, valid: npt.ArrayLike, objective: float) -> Floats:
    """The share of the error budget that is not used up; below 0 once the objective is missed.

    >>> budget_left([0, 5, 20], 10_000, 0.999).round(6)
    array([ 1. ,  0.5, -1. ])
    """
    return np.asarray(1 - burn_rate(bad, valid, objective))


def burn_rate(bad: npt.ArrayLike, valid: npt.ArrayLike, objective: float) -> Floats:
    """How many times faster than allowed the budget is used: error rate / (1 - objective).

    >>> float(burn_rate(144, 10_000, 0.999).round(6))
    14.4
    """
    return np.asarray(_share(bad, valid) / error_budget(objective))


class Urgency(StrEnum):
    """What a burning budget calls for."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True)
class BurnAlert:
    """A pair of windows and the burn rate that both must exceed.

    Attributes:
        urgency: what it calls for.
        long: the window that shows that it matters.
        short: the window that shows that it still goes on.
        limit: the burn rate.
    """

    urgency: Urgency
    long: timedelta
    short: timedelta
    limit: float

    def is_raised(self, long_rate: npt.ArrayLike, short_rate: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether both rates exceed the limit; no data raises nothing.

        >>> BURN_ALERTS[0].is_raised([20, 20, 14.4], [15, 1, 20])
        array([ True, False, False])
        """
        return (np.asarray(long_rate) > self.limit) & (np.asarray(short_rate) > self.limit)


BURN_ALERTS: tuple[BurnAlert, ...] = (
    BurnAlert(Urgency.PAGE, timedelta(hours=1), timedelta(minutes=5), 14.4),
    BurnAlert(Urgency.PAGE, timedelta(hours=6), timedelta(minutes=30), 6.0),
    BurnAlert(Urgency.TICKET, timedelta(days=1), timedelta(hours=2), 3.0),
    BurnAlert(Urgency.TICKET, timedelta(days=3), timedelta(hours=6), 1.0),
)
"""The recommended windows: 2 %, 5 %, 10 % and 10 % of a budget of 30 days, used up within the long one."""


def _share(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    parts, wholes = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    shares = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
