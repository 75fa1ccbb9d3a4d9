"""Figures of the pipeline beside figures of pandas: periods of wall-clock times, and series that must be equal."""

from __future__ import annotations

import pandas as pd

FREQUENCY = {"hourly": "h", "daily": "D", "weekly": "W-SUN", "monthly": "M", "quarterly": "Q", "yearly": "Y"}
PERIODS = tuple(FREQUENCY)


def period_start(at: pd.Series, period: str) -> pd.Series:
    """The start of the period that each wall-clock time lies in, as pandas counts periods."""
    start: pd.Series = at.dt.to_period(FREQUENCY[period]).dt.start_time
    return start


def assert_equal(found: pd.Series, expected: pd.Series, *, rtol: float = 1e-9, atol: float = 0) -> None:
    """Two series hold the same values under the same keys; a missing value is as good as a missing key."""
    found, expected = found.dropna().astype(float).sort_index(), expected.dropna().astype(float).sort_index()
    pd.testing.assert_series_equal(
        found, expected, check_names=False, rtol=rtol, atol=atol, check_index_type=False
    )
