"""Many tests at once: how many of the findings may be false (Benjamini & Hochberg 1995, J R Stat Soc B 57:289)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.05
"""q: the share of the findings that may be expected to be false."""


def adjusted_p_values(p_values: npt.ArrayLike) -> Floats:
    """Each p value as the least q at which its test would still be a finding; in the order given.

    Holds for tests that are independent of each other or depend positively (Benjamini & Yekutieli 2001).

    Args:
        p_values: of all tests that were made, also of those that found nothing.

    >>> adjusted_p_values([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    given = np.asarray(p_values, dtype=np.float64)
    return np.asarray(scipy.stats.false_discovery_control(given, method="bh")) if len(given) else given
