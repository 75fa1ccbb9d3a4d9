"""How much somebody uses the app: four sub-indices between 0 and 1, and their mean as a score.

Click depth, recency, loyalty and interaction after Taki et al. (2017), "Assessing User Engagement of an mHealth
Intervention: Development and Implementation of the Growing Healthy App Engagement Index", JMIR mHealth and uHealth
5(6):e89, doi 10.2196/mhealth.7236. Use is not benefit, and the reports say so.

All take single numbers or arrays of one shape, and give what is not a number where there was nothing to judge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SUB_INDICES = ("click_depth", "recency", "loyalty", "interaction")
"""The names of the sub-indices, in the order that they are shown in."""

DEEP_SESSION_PAGES = 3
"""A session with so many page views or more goes deep."""

ADOPTION_INTERVALS = 2
"""A feature is adopted by those who used it in so many intervals or more: once may be curiosity."""


def click_depth(deep_sessions: npt.ArrayLike, sessions: npt.ArrayLike) -> Floats:
    """Ci: sessions with at least three page views / sessions.

    >>> click_depth([3, 0], [4, 0])
    array([0.75,  nan])
    """
    return _share(deep_sessions, sessions)


def recency(days_since_last_session: npt.ArrayLike) -> Floats:
    """Ri: 1 / (1 + days since the last session), counted from the end of the period; no session is not a number.

    >>> recency([0, 1, 3, np.nan])
    array([1.  , 0.5 , 0.25,  nan])
    """
    return np.asarray(1 / (1 + np.asarray(days_since_last_session, dtype=np.float64)))


def loyalty(sessions: npt.ArrayLike) -> Floats:
    """Li: 1 - 1 / sessions.

    >>> loyalty([0, 1, 4])
    array([ nan, 0.  , 0.75])
    """
    return np.asarray(1 - _share(1, sessions))


def interaction(opened: npt.ArrayLike, received: npt.ArrayLike) -> Floats:
    """Ii: notifications opened / notifications received.

    One that was received in the period before may be opened in this one, so the share is capped at 1.

    >>> interaction([1, 3, 0], [4, 2, 0])
    array([0.25, 1.  ,  nan])
    """
    return np.asarray(np.minimum(_share(opened, received), 1))


def engagement_score(*sub_indices: npt.ArrayLike) -> tuple[Floats, Integers]:
    """100 x the mean of the sub-indices that there are, and how many there are.

    Without any there is no score.

    >>> engagement_score([0.75, np.nan], [0.5, np.nan], [0.75, np.nan], [np.nan, np.nan])
    (array([66.66666667,         nan]), array([3, 0]))
    """
    given = np.stack(np.broadcast_arrays(*(np.asarray(index, dtype=np.float64) for index in sub_indices)))
    is_known = ~np.isnan(given)
    available = is_known.sum(axis=0).astype(np.int64)
    return np.asarray(100 * _share(np.where(is_known, given, 0).sum(axis=0), available)), available


def feature_breadth(used: npt.ArrayLike, available: npt.ArrayLike) -> Floats:
    """Distinct features that a person used / features that there are.

    >>> feature_breadth([2, 0], 8)
    array([0.25, 0.  ])
    """
    return _share(used, available)


def feature_reach(users: npt.ArrayLike, active: npt.ArrayLike) -> Floats:
    """People who used a feature / people who were active.

    >>> feature_reach(30, 120)
    array(0.25)
    """
    return _share(users, active)


def is_adopted(intervals_used: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether a feature was used in at least two distinct intervals.

    >>> is_adopted([0, 1, 2])
    array([False, False,  True])
    """
    return np.asarray(intervals_used) >= ADOPTION_INTERVALS


def _share(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    parts, wholes = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    shares = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
