"""Cohort retention: of those who came in one interval, how many were active N intervals later.

A cohort is all people whose first activity ever lies in one interval. Cell N counts who was active in interval N
itself, not who came back then or later. Cells whose interval is not over are absent: a share that can still rise
looks like a loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Retention:
    """The finished cells of a retention table; arrays of one length, by cohort and then by interval.

    Attributes:
        cohort: the interval in which these people came, by its place in the table.
        interval: N, the intervals since then; 0 is the one in which they came.
        people: how many the cohort has.
        active: how many of them were active in that interval.
    """

    cohort: Integers
    interval: Integers
    people: Integers
    active: Integers

    @property
    def share(self) -> Floats:
        """Active / people; 1 in interval 0."""
        return np.asarray(self.active / self.people)


def cohort_retention(active: npt.ArrayLike, *, finished: int) -> Retention:
    """The retention of every cohort that has anybody, in every interval that is over.

    Args:
        active: people x intervals, the intervals in order and without gaps; the first is taken for the first ever.
        finished: how many of the intervals, from the first, are over for everybody.

    >>> cells = cohort_retention([[1, 0, 1], [1, 1, 0], [0, 1, 1]], finished=2)
    >>> [*zip(cells.cohort.tolist(), cells.interval.tolist(), cells.share.tolist())]
    [(0, 0, 1.0), (0, 1, 0.5), (1, 0, 1.0)]
    """
    table = np.asarray(active, dtype=bool)
    if table.ndim != 2:
        raise ValueError(f"activity is a table of people by intervals, and this has {table.ndim} dimensions")
    length = table.shape[1]
    if not 0 <= finished <= length:
        raise ValueError(f"of {length} intervals {finished} cannot be over")
    came = table[table.any(axis=1)]
    first = came.argmax(axis=1)
    person, interval = came.nonzero()
    cells = np.zeros((length, length), dtype=np.int64)
    np.add.at(cells, (first[person], interval - first[person]), 1)
    people = np.bincount(first, minlength=length)
    cohort, since = np.indices((length, length))
    is_shown = (cohort + since < finished) & (people[:, np.newaxis] > 0)
    return Retention(cohort[is_shown], since[is_shown], people[cohort[is_shown]], cells[is_shown])
