"""Lifecycle, trailing users and the L-curve: their identities, and sets of people counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from healthmate_bi_pipeline.domain.lifecycle import (
    Lifecycle,
    l_curve,
    lifecycles,
    stickiness,
    trailing_users,
)

tables = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


@given(active=tables)
def test_the_identities_of_the_lifecycle(active: np.ndarray) -> None:
    of = lifecycles(active)
    counts = {stage: flags.sum(axis=0) for stage, flags in of.items()}
    users = active.sum(axis=0)
    before = np.r_[0, users[:-1]]
    new, returning = counts[Lifecycle.NEW], counts[Lifecycle.RETURNING]
    resurrecting, dormant = counts[Lifecycle.RESURRECTING], counts[Lifecycle.DORMANT]
    assert (users == new + returning + resurrecting).all()
    assert (users == before - dormant + new + resurrecting).all()
    assert (sum(flags.astype(int) for flags in of.values()) <= 1).all()


@given(active=tables)
def test_each_interval_follows_from_its_definition(active: np.ndarray) -> None:
    of = lifecycles(active)
    for person, flags in enumerate(active):
        for interval, is_active in enumerate(flags):
            before, ever = interval > 0 and flags[interval - 1], flags[:interval].any()
            stage = None
            if is_active:
                stage = Lifecycle.RETURNING if before else Lifecycle.RESURRECTING if ever else Lifecycle.NEW
            elif before:
                stage = Lifecycle.DORMANT
            assert [found for found, table in of.items() if table[person, interval]] == (
                [stage] if stage else []
            )


@given(active=tables)
def test_a_person_is_new_once_at_most(active: np.ndarray) -> None:
    assert (lifecycles(active)[Lifecycle.NEW].sum(axis=1) == active.any(axis=1)).all()


@given(active=tables, days=st.integers(1, 45))
def test_trailing_users_are_distinct_people(active: np.ndarray, days: int) -> None:
    found = trailing_users(active, days=days)
    for day, users in enumerate(found):
        people = {
            person
            for earlier in range(max(0, day - days + 1), day + 1)
            for person in np.flatnonzero(active[:, earlier])
        }
        assert users == len(people)


@given(active=tables, days=st.integers(1, 28))
def test_the_l_curve_holds_every_trailing_user_once(active: np.ndarray, days: int) -> None:
    curve = l_curve(active, days=days)
    assert len(curve) == days
    assert curve.sum() == trailing_users(active, days=days)[-1]
    assert (curve * np.arange(1, days + 1)).sum() == active[:, -days:].sum()


def test_stickiness_is_the_mean_share_of_days() -> None:
    """One of two monthly users comes every day, the other once: (28 + 1) / 28 a day of 2."""
    active = np.zeros((3, 40), dtype=bool)
    active[0], active[1, 39] = True, True
    assert stickiness(active) == pytest.approx(29 / 28 / 2)
    assert np.isnan(stickiness(np.zeros((3, 28), dtype=bool)))


@given(active=arrays(bool, st.tuples(st.integers(1, 30), st.integers(28, 60))))
def test_stickiness_is_the_mean_of_the_l_curve(active: np.ndarray) -> None:
    curve = l_curve(active, days=28)
    if curve.sum():
        mean_days = (curve * np.arange(1, 29)).sum() / curve.sum()
        assert stickiness(active) == pytest.approx(mean_days / 28)


def test_a_list_is_no_table_of_people() -> None:
    with pytest.raises(ValueError, match="people by intervals"):
        lifecycles([True, False])
