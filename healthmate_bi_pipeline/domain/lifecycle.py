"""Who comes, stays, leaves and comes back; how many are active, and how often.

Everything is told from one table of people by intervals (days, weeks, months): active or not. Lifecycle after
PostHog, "Lifecycle insights"; trailing users, stickiness and the L-curve are the common definitions of growth
accounting. People who are counted over several intervals are counted once: distinct counts do not add up.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WEEK_DAYS, MONTH_DAYS = 7, 28
"""How far back a weekly and a monthly active user were active; 28 days have four of each weekday."""


class Lifecycle(StrEnum):
    """What an interval is in the life of a person with the app."""

    NEW = "new"  # active, for the first time ever
    RETURNING = "returning"  # active, and in the interval before too
    RESURRECTING = "resurrecting"  # active, not in the interval before, but at some time before that
    DORMANT = "dormant"  # not active, but in the interval before: the first empty one only


def lifecycles(active: npt.ArrayLike) -> dict[Lifecycle, Flags]:
    """For each stage the intervals that it holds in, in the shape of ``active``.

    Every active interval has exactly one of the first three stages. Beyond the first empty one, and before the first
    activity, a person has none. The first interval is taken for the first there ever was.

    Args:
        active: people x intervals, the intervals in order and without gaps.

    >>> of = lifecycles([[0, 1, 1, 0, 0, 1]])
    >>> {str(stage): flags.nonzero()[1].tolist() for stage, flags in of.items()}
    {'new': [1], 'returning': [2], 'resurrecting': [5], 'dormant': [3]}
    """
    now = _flags(active)
    before = np.zeros_like(now)
    before[:, 1:] = now[:, :-1]
    ever_before = np.zeros_like(now)
    ever_before[:, 1:] = np.logical_or.accumulate(now, axis=1)[:, :-1]
    return {
        Lifecycle.NEW: now & ~ever_before,
        Lifecycle.RETURNING: now & before,
        Lifecycle.RESURRECTING: now & ever_before & ~before,
        Lifecycle.DORMANT: ~now & before,
    }


def trailing_users(active: npt.ArrayLike, *, days: int) -> Integers:
    """For each day, how many distinct people were active in the ``days`` days that end with it.

    Days before the first one of the table had no activity.

    >>> trailing_users([[1, 0, 0], [0, 1, 0]], days=2)
    array([1, 2, 1])
    """
    return np.asarray(np.count_nonzero(_days_in_window(active, days=days), axis=0), dtype=np.int64)


def stickiness(active: npt.ArrayLike, *, month: int = MONTH_DAYS) -> float:
    """Mean daily users / monthly users, over the last ``month`` days of the table; no users is not a number.

    >>> stickiness([[1, 1, 0, 0], [1, 0, 0, 0]], month=4)
    0.375
    """
    days = _flags(active)[:, -month:]
    monthly = np.count_nonzero(days.any(axis=1))
    return float(np.count_nonzero(days) / month / monthly) if monthly else float("nan")


def l_curve(active: npt.ArrayLike, *, days: int) -> Integers:
    """How many people were active on exactly 1, 2, … ``days`` of the last ``days`` days: L7, L28.

    >>> l_curve([[1, 1, 0], [0, 1, 0], [0, 0, 0]], days=3)
    array([1, 1, 0])
    """
    counts = np.count_nonzero(_flags(active)[:, -days:], axis=1)
    return np.bincount(counts, minlength=days + 1)[1:].astype(np.int64)


def _days_in_window(active: npt.ArrayLike, *, days: int) -> Integers:
    """On how many of the trailing days each person was active."""
    reached = np.cumsum(_flags(active), axis=1, dtype=np.int64)
    left = np.zeros_like(reached)
    left[:, days:] = reached[:, :-days]
    return reached - left


def _flags(active: npt.ArrayLike) -> Flags:
    table = np.asarray(active, dtype=bool)
    if table.ndim != 2:
        raise ValueError(f"activity is a table of people by intervals, and this has {table.ndim} dimensions")
    return table
