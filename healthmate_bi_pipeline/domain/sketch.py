"""DDSketch: percentiles that can be merged, with a relative error that is known beforehand.

Masson, Rim & Lee (2019), "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
PVLDB 12:2195, doi 10.14778/3352063.3352135. A sketch is nothing but counts per bucket, and a bucket holds the
values between two powers of gamma, so that merging is adding counts and any period is a merge of finer ones.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ACCURACY = 0.01
"""A percentile is at most so far from the exact one, as a share of it."""

GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LOG_GAMMA = math.log(GAMMA)

LEAST_VALUE = 1e-3
"""What is smaller counts as 0: a microsecond, where values are milliseconds."""

ZERO_BUCKET = -(2**31)
"""The bucket of zero and of what is smaller than ``LEAST_VALUE``; it lies before all others."""


def bucket_of(values: npt.ArrayLike) -> Integers:
    """The bucket of each value: the i with gamma^(i-1) < value <= gamma^i.

    Raises:
        ValueError: a value is negative or no number.

    >>> bucket_of([0, 0.0005, 1, 1.02, 200])
    array([-2147483648, -2147483648,           0,           1,         265])
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(numbers) & (numbers >= 0)).all():
        raise ValueError("a sketch holds finite numbers from 0 up")
    is_zero = numbers < LEAST_VALUE
    powers = np.ceil(np.log(np.where(is_zero, 1.0, numbers)) / LOG_GAMMA).astype(np.int64)
    return np.where(is_zero, ZERO_BUCKET, powers)


def value_of(buckets: npt.ArrayLike) -> Floats:
    """The value that stands for each bucket: as far from its lower end as from its upper one, relatively.

    >>> value_of([ZERO_BUCKET, 0, 265]).round(3)
    array([  0.   ,   0.99 , 198.368])
    """
    powers = np.asarray(buckets, dtype=np.int64)
    is_zero = powers == ZERO_BUCKET
    values = 2 * np.exp(np.where(is_zero, 0, powers) * LOG_GAMMA) / (GAMMA + 1)
    return np.where(is_zero, 0.0, values)


def sketch(values: npt.ArrayLike) -> tuple[Integers, Integers]:
    """The buckets that values fall into, rising, and how many fall into each.

    >>> sketch([1, 1, 200])
    (array([  0, 265]), array([2, 1]))
    """
    buckets, counts = np.unique(bucket_of(values), return_counts=True)
    return buckets, counts.astype(np.int64)


def merged(*sketches: tuple[npt.ArrayLike, npt.ArrayLike]) -> tuple[Integers, Integers]:
    """The sketch of all values of several sketches: counts of one bucket added up.

    >>> merged(([0, 265], [2, 1]), ([265, 300], [4, 1]))
    (array([  0, 265, 300]), array([2, 5, 1]))
    """
    if not sketches:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    all_buckets = np.concatenate([np.asarray(buckets, dtype=np.int64) for buckets, _ in sketches])
    all_counts = np.concatenate([np.asarray(counts, dtype=np.int64) for _, counts in sketches])
    buckets, places = np.unique(all_buckets, return_inverse=True)
    counts = np.zeros(len(buckets), dtype=np.int64)
    np.add.at(counts, places, all_counts)
    return buckets, counts


def quantiles(buckets: npt.ArrayLike, counts: npt.ArrayLike, shares: npt.ArrayLike) -> Floats:
    """The values below which given shares of all values lie, each within ``ACCURACY`` of an exact one.

    The exact one is the value at position floor(share x (n - 1)) of the sorted values, counted from 0; nothing is
    interpolated. Of no values the quantiles are not a number.

    Args:
        buckets: in any order, each once.
        counts: how many values each holds.
        shares: between 0 and 1.

    >>> quantiles([0, 265], [99, 1], [0.5, 0.99, 1]).round(2)
    array([  0.99,   0.99, 198.37])
    """
    powers, numbers = np.asarray(buckets, dtype=np.int64), np.asarray(counts, dtype=np.int64)
    wanted = np.asarray(shares, dtype=np.float64)
    if not ((wanted >= 0) & (wanted <= 1)).all():
        raise ValueError("a share lies between 0 and 1")
    total = int(numbers.sum())
    if not total:
        return np.full(wanted.shape, np.nan)
    order = np.argsort(powers)
    reached = np.cumsum(numbers[order])
    positions = np.floor(wanted * (total - 1)).astype(np.int64)
    return value_of(powers[order][np.searchsorted(reached, positions, side="right")])
