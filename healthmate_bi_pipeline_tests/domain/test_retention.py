"""Cohort retention: sets of people counted one by one, and the cells that are not there yet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from healthmate_bi_pipeline.domain.lifecycle import Lifecycle, lifecycles
from healthmate_bi_pipeline.domain.retention import cohort_retention

tables = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=25))


@given(active=tables, data=st.data())
def test_cells_are_sets_of_people(active: np.ndarray, data: st.DataObject) -> None:
    finished = data.draw(st.integers(0, active.shape[1]))
    cells = cohort_retention(active, finished=finished)
    cohorts: dict[int, set[int]] = {}
    for person, flags in enumerate(active):
        if flags.any():
            cohorts.setdefault(int(flags.argmax()), set()).add(person)
    expected = [
        (cohort, interval, len(people), sum(active[person, cohort + interval] for person in people))
        for cohort, people in sorted(cohorts.items())
        for interval in range(finished - cohort)
    ]
    found = zip(cells.cohort, cells.interval, cells.people, cells.active, strict=True)
    assert [tuple(int(value) for value in cell) for cell in found] == expected


@given(active=tables)
def test_cohorts_are_those_who_were_new_and_their_diagonals_the_active(active: np.ndarray) -> None:
    length = active.shape[1]
    cells = cohort_retention(active, finished=length)
    starts = cells.interval == 0
    assert (cells.share[starts] == 1).all()
    new = lifecycles(active)[Lifecycle.NEW].sum(axis=0)
    assert dict(zip(cells.cohort[starts], cells.people[starts], strict=True)) == {
        interval: count for interval, count in enumerate(new) if count
    }
    by_interval = np.bincount(cells.cohort + cells.interval, weights=cells.active, minlength=length)
    assert by_interval.tolist() == active.sum(axis=0).tolist()


def test_an_interval_that_is_not_over_has_no_cell() -> None:
    active = np.ones((4, 3), dtype=bool)
    assert cohort_retention(active, finished=2).interval.tolist() == [0, 1]
    assert cohort_retention(active, finished=0).interval.tolist() == []


@pytest.mark.parametrize("finished", [-1, 4])
def test_more_cannot_be_over_than_there_are(finished: int) -> None:
    with pytest.raises(ValueError, match="cannot be over"):
        cohort_retention(np.ones((2, 3), dtype=bool), finished=finished)
