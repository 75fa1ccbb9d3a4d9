"""Every measure at every grain, and every figure of every period, against its values summed up at once.

The pipeline rolls up in steps: rows to hours, hours to days, days to weeks and months, months to years. Each
state and each figure must be what the values of its whole period give (``rolling``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.families import HEALTH, state_table
from healthmate_bi_pipeline.catalog.figures import Figure, Statistic
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES
from healthmate_bi_pipeline.catalog.measures import HEALTH_MEASURES
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import lake_frame
from healthmate_bi_pipeline_tests.comparing import PERIODS, assert_equal, period_start
from healthmate_bi_pipeline_tests.journeys.rolling import Values, values_of
from healthmate_bi_pipeline_tests.journeys.rolling_rows import ACTIVITY, Rows, random_rows
from healthmate_bi_pipeline_tests.running import drop_file, health, opened, refresh

pytestmark = pytest.mark.slow

KEY = ["user_id", "measure", "item", "slot"]
CUT = (*ACTIVITY, "exercise_minutes")
PIECE = 1e-4  # a stretch's part in an hour is kept to a millionth: sums of hundreds of them


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(seed=20_240_229)


@pytest.fixture(scope="module")
def values(rows: Rows) -> Values:
    return values_of(rows)


@pytest.fixture(scope="module")
def pipeline(rows: Rows, journey_settings: Settings) -> Iterator[Pipeline]:
    for dataset, frame in (
        ("health_readings", rows.readings),
        ("activity_intervals", rows.activity),
        ("sleep_sessions", rows.sleep),
        ("symptom_logs", rows.symptoms),
        ("medication_doses", rows.doses),
    ):
        drop_file(journey_settings, f"{dataset}/all.csv", frame.to_csv(index=False))
    with opened(journey_settings, now=datetime(2025, 3, 1, 12)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state", "health_metrics"))
        yield pipeline


def _values(values: Values, grain: Grain) -> pd.DataFrame:
    return values.of_hours if grain is Grain.HOUR else values.of_days


def test_every_measure_has_values_to_be_compared(values: Values) -> None:
    names = {measure.name for measure in HEALTH_MEASURES}
    assert set(values.of_days["measure"]) == names, "a new measure needs its values in journeys/rolling.py"
    hourly = {measure.name for measure in HEALTH_MEASURES if measure.native_grain is Grain.HOUR}
    assert set(values.of_hours["measure"]) == hourly


@pytest.mark.parametrize("grain", [Grain.HOUR, Grain.DAY, Grain.MONTH])
def test_the_state_is_that_of_the_whole(pipeline: Pipeline, values: Values, grain: Grain) -> None:
    frame = lake_frame(pipeline, state_table(HEALTH, grain).name)
    slot = pd.to_datetime(frame["month" if grain is Grain.MONTH else "day"])
    if grain is Grain.HOUR:
        slot += pd.to_timedelta(frame["hour"], unit="h")
    state = frame.assign(slot=slot).set_index(KEY)
    mine = _values(values, grain)
    period = {Grain.HOUR: "hourly", Grain.DAY: "daily", Grain.MONTH: "monthly"}[grain]
    mine = mine.assign(slot=period_start(mine["at"], period), day=mine["at"].dt.normalize())
    grouped = mine.groupby(KEY)
    assert_equal(state["n"], grouped.size())
    squares = (mine["value"] ** 2).groupby([mine[name] for name in KEY]).sum(min_count=1)
    for is_cut in (True, False):  # stretches are cut into hours, readings and nights are not
        atol = PIECE if is_cut else 1e-5  # a resting heart rate is a mean, kept to a millionth
        for found, expected, scale in (
            (state["total"], grouped["value"].sum(min_count=1), 1),
            (state["total_squared"], squares, 100),
            (state["low"], grouped["value"].min(), 1),
            (state["high"], grouped["value"].max(), 1),
        ):
            assert_equal(
                found[_is_cut(found) == is_cut],
                expected[_is_cut(expected) == is_cut],
                rtol=1e-7 if is_cut else 1e-9,
                atol=atol * scale,
            )
    readings = mine[mine["implausible"].notna()]
    implausible = readings["implausible"].astype(int).groupby([readings[name] for name in KEY]).sum()
    assert_equal(state["implausible"], implausible)
    if grain is not Grain.HOUR:
        assert_equal(state["days"], grouped["day"].nunique())
        first_days = pd.to_datetime(state["first_day"]).sort_index()
        assert (first_days == grouped["day"].min().reindex(first_days.index)).all()
    ordered = mine[mine["order"].notna()].sort_values("order").groupby(KEY)["value"]
    assert_equal(state["first_value"], ordered.first())
    assert_equal(state["last_value"], ordered.last())


def _is_cut(series: pd.Series) -> np.ndarray:
    return series.index.get_level_values("measure").isin(CUT)


def _given(counts: pd.Series) -> pd.Series:
    """Counts without those that are zero: where nothing was counted, there may be a zero or no row."""
    return counts.replace(0, np.nan)


def _expected(values: pd.DataFrame, figure: Figure, period: str) -> pd.Series:
    mine = values[values["measure"] == figure.measure]
    by = [mine["user_id"], period_start(mine["at"], period)]
    grouped = mine["value"].groupby(by)
    days = mine["at"].dt.normalize().groupby(by).nunique()
    match figure.statistic:
        case Statistic.MEAN:
            found = grouped.mean()
        case Statistic.MINIMUM:
            found = grouped.min()
        case Statistic.MAXIMUM:
            found = grouped.max()
        case Statistic.DEVIATION:
            found = grouped.std()
        case Statistic.TOTAL:
            found = grouped.sum()
        case Statistic.PER_DAY:
            found = grouped.sum() / days
        case Statistic.COUNT:
            found = grouped.size()
        case Statistic.DAYS:
            found = days
        case Statistic.CHANGE:
            in_order = mine.sort_values("order")
            change = in_order["value"].groupby([part.reindex(in_order.index) for part in by])
            found = (change.last() - change.first()).where(change.size() > 1)
        case _:
            raise AssertionError(figure.statistic)
    return found / figure.divisor


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(
    "figure",
    [figure for figure in HEALTH_FIGURES if figure.statistic is not None],
    ids=lambda figure: figure.name,
)
def test_the_figure_is_that_of_the_whole(
    pipeline: Pipeline, values: Values, figure: Figure, period: str
) -> None:
    found = health(pipeline, period)[figure.name]
    if PERIODS.index(period) < PERIODS.index(figure.shortest):
        assert found.isna().all()
        return
    expected = _expected(values.of_hours if period == "hourly" else values.of_days, figure, period)
    assert expected.notna().any()
    is_count = figure.type is Type.INTEGER
    atol = PIECE if figure.measure in CUT else 1e-5
    assert_equal(_given(found) if is_count else found, _given(expected) if is_count else expected, atol=atol)


@pytest.mark.parametrize("period", PERIODS)
def test_the_sources_are_those_of_the_whole(pipeline: Pipeline, values: Values, period: str) -> None:
    mine = values.of_hours if period == "hourly" else values.of_days
    mine = mine[mine["measure"] == "source"]
    expected = mine["item"].groupby([mine["user_id"], period_start(mine["at"], period)]).nunique()
    assert_equal(health(pipeline, period)["source_count"], expected)
