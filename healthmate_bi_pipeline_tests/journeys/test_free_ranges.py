"""Free ranges of days: what is merged from months inside and days at the edges is what all the days give.

Rows of every measure of three families over a leap year and its edges; every component of every measure is compared,
so whatever the native grain of a measure is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.engagement import ENGAGEMENT_MEASURES
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, HEALTH, PERFORMANCE, Family
from healthmate_bi_pipeline.catalog.measures import COMPONENTS, HEALTH_MEASURES
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.transforms.state import merge_states
from healthmate_bi_pipeline.usecases import engagement_ranges, health, performance
from healthmate_bi_pipeline.usecases.families import scan_state
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.ranges import (
    FIGURE_COLUMNS,
    PeoplePart,
    added_rows,
    scan_tiles,
    tiles_of,
)
from healthmate_bi_pipeline_tests.journeys import engagement_rolling, rolling_rows
from healthmate_bi_pipeline_tests.performance_rows import PLACE, host_samples, skewed_requests
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

pytestmark = pytest.mark.slow

FIRST, LAST = date(2023, 12, 27), date(2025, 1, 6)
RANDOM = np.random.default_rng(20_240_229)


def _random_range() -> Window:
    first, last = sorted(int(day) for day in RANDOM.integers(0, (LAST - FIRST).days, 2))
    return Window.of_days(FIRST + timedelta(days=first), FIRST + timedelta(days=last))


RANGES = {
    "within a month": Window.of_days(date(2024, 3, 5), date(2024, 3, 30)),
    "over the end of a month": Window.of_days(date(2024, 3, 20), date(2024, 4, 10)),
    "a leap day": Window.of_days(date(2024, 2, 29), date(2024, 2, 29)),
    "over a leap day": Window.of_days(date(2024, 1, 30), date(2024, 3, 2)),
    "a month": Window.of_days(date(2024, 2, 1), date(2024, 2, 29)),
    "a quarter": Window.of_days(date(2024, 1, 1), date(2024, 3, 31)),
    "from the first of a month": Window.of_days(date(2024, 1, 1), date(2024, 2, 3)),
    "a year": Window.of_days(date(2024, 1, 1), date(2024, 12, 31)),
    "a year and three days": Window.of_days(date(2023, 12, 31), date(2025, 1, 2)),
    "beyond all data": Window.of_days(date(2023, 6, 15), date(2025, 6, 15)),
    **{f"any {number}": _random_range() for number in range(4)},
}
WHOLE = {"a month": Period.MONTHLY, "a quarter": Period.QUARTERLY, "a year": Period.YEARLY}


@pytest.fixture(scope="module")
def pipeline(journey_settings: Settings) -> Iterator[Pipeline]:
    of_health = rolling_rows.random_rows(seed=3)
    of_app = engagement_rolling.random_rows(seed=4)
    days = pd.date_range(FIRST, LAST)
    for dataset, frame in (
        ("health_readings", of_health.readings),
        ("activity_intervals", of_health.activity),
        ("sleep_sessions", of_health.sleep),
        ("symptom_logs", of_health.symptoms),
        ("medication_doses", of_health.doses),
        ("login_sessions", of_app.sessions),
        ("app_events", of_app.events),
        ("api_requests", skewed_requests(days=days, per_day=12, seed=5)),
        ("host_samples", host_samples(days=days, per_day=2, seed=6)),
    ):
        drop_file(journey_settings, f"{dataset}/all.csv", frame.to_csv(index=False))
    with opened(journey_settings, now=datetime(2025, 3, 1, 12)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state"))
        yearly = [f"{group}/{period}" for group in GROUPS for period in WHOLE.values()]
        refresh(pipeline, names=yearly)
        yield pipeline


GROUPS = ("health_metrics", "user_engagement", "engagement_groups", "system_performance")


def _merged(pipeline: Pipeline, family: Family, window: Window, *, is_tiled: bool) -> pd.DataFrame:
    """The state of a window: one row per key, measure and item, with all components."""
    key = [*family.key_names, "measure", "item"]
    with pipeline.engine() as engine:
        if is_tiled:
            states = scan_tiles(pipeline, engine, family, [window])
        else:
            states = scan_state(pipeline, engine, family, Grain.DAY, window)
        rows = engine.rows(merge_states(states, key))
    columns = [*key, *(component.column.name for component in COMPONENTS)]
    return pd.DataFrame(rows, columns=columns).sort_values(key).reset_index(drop=True)


@pytest.mark.parametrize("family", [HEALTH, ENGAGEMENT, PERFORMANCE], ids=lambda family: family.name)
@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_the_merge_of_its_days(pipeline: Pipeline, family: Family, name: str) -> None:
    found, expected = (_merged(pipeline, family, RANGES[name], is_tiled=tiled) for tiled in (True, False))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    exact = [one.column.name for one in COMPONENTS if one.column.type is Type.EXACT]
    assert found[exact].equals(expected[exact])
    measures = {HEALTH: HEALTH_MEASURES, ENGAGEMENT: ENGAGEMENT_MEASURES}.get(family, ())
    if name in {"a year", "a year and three days", "beyond all data"}:
        assert set(found["measure"]) >= {measure.name for measure in measures}


@pytest.mark.parametrize("family", [HEALTH, ENGAGEMENT, PERFORMANCE], ids=lambda family: family.name)
def test_months_inside_are_read_whole_and_every_day_once(pipeline: Pipeline, family: Family) -> None:
    for name, window in RANGES.items():
        with pipeline.warehouse.transaction() as connection:
            tiles = tiles_of(pipeline, connection, window, family=family)
        covered = [day for month in tiles.months for day in _days_of(month)]
        assert sorted([*covered, *tiles.days]) == list(window.each_day()), name
    with pipeline.warehouse.transaction() as connection:
        tiles = tiles_of(pipeline, connection, RANGES["a year and three days"], family=family)
    assert len(tiles.months) == 12
    assert tiles.days == (date(2023, 12, 31), date(2025, 1, 1), date(2025, 1, 2))


def _days_of(month: date) -> list[date]:
    return list(Period.MONTHLY.window(datetime(month.year, month.month, 1)).each_day())


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("family", ["health", "engagement"])
def test_figures_of_a_range_that_is_a_period_are_those_of_the_period(
    pipeline: Pipeline, name: str, family: str
) -> None:
    window, period = RANGES[name], WHOLE[name]
    if family == "health":
        found, table = health.range_figures(pipeline, [window])[0], "bi_health_groups"
    else:
        found = engagement_ranges.range_engagement(pipeline, [window])[0].figures
        table = "bi_engagement_groups"
    expected = query(
        pipeline,
        f"SELECT stratum, figure, band, {', '.join(FIGURE_COLUMNS)} FROM {table} WHERE stratum NOT LIKE '%, %'"
        " AND aggregation_period = :period AND period_start = :start",
        period=str(period), start=window.start,
    )  # fmt: skip
    key = ["stratum", "figure", "band"]
    frames = [
        frame.set_index(key).sort_index()[list(FIGURE_COLUMNS)].astype(float)
        for frame in (pd.DataFrame({"stratum": "all"} | row for row in found), expected)
    ]
    assert len(frames[0]) > 10
    pd.testing.assert_frame_equal(*frames, check_exact=True)


@pytest.mark.parametrize("name", WHOLE)
def test_activity_of_a_range_that_is_a_period_is_that_of_the_period(pipeline: Pipeline, name: str) -> None:
    window, period = RANGES[name], WHOLE[name]
    (found,) = engagement_ranges.range_engagement(pipeline, [window])
    told = {"period": str(period), "start": window.start}
    where = "WHERE aggregation_period = :period AND period_start = :start"
    (activity,) = query(pipeline, f"SELECT * FROM bi_engagement_activity {where}", **told).to_dict("records")
    for column, value in found.activity.items():
        if column != "period_start":
            assert value == activity[column], column
    curves = query(pipeline, f"SELECT * FROM bi_engagement_active_days {where}", **told)
    assert {(row["window_days"], row["active_days"]): row["people"] for row in found.curves} == {
        (row.window_days, row.active_days): row.people for row in curves.itertuples()
    }
    features = query(pipeline, f"SELECT * FROM bi_engagement_feature_use {where}", **told)
    assert {row["feature"]: (row["people"], row["uses"], row["adopters"]) for row in found.features} == {
        row.feature: (row.people, row.uses, row.adopters) for row in features.itertuples()
    }
    assert engagement_ranges.range_active_people(pipeline, [window]) == [activity["active_people"]]


@pytest.mark.parametrize("name", WHOLE)
def test_performance_of_a_range_that_is_a_period_is_that_of_the_period(pipeline: Pipeline, name: str) -> None:
    window, period = RANGES[name], WHOLE[name]
    key = [*PLACE, "metric_name"]
    found = pd.DataFrame(performance.range_figures(pipeline, [window])[0]).set_index(key)["metric_value"]
    expected = query(
        pipeline,
        f"SELECT {', '.join(key)}, metric_value FROM bi_system_performance_metrics"
        " WHERE aggregation_period = :period AND period_start = :start",
        period=str(period), start=window.start,
    ).set_index(key)["metric_value"]  # fmt: skip
    told = expected.loc[expected.index.isin(found.index)]  # the finest level is no report's
    assert len(told) == len(found) > 100
    pd.testing.assert_series_equal(found.sort_index(), told.sort_index(), rtol=1e-12)


def test_a_range_beside_another_is_what_it_is_alone(pipeline: Pipeline) -> None:
    window = RANGES["over a leap day"]
    pair = (window, Window(window.start - (window.end - window.start), window.start))
    for range_figures in (
        health.range_figures,
        performance.range_figures,
        engagement_ranges.range_engagement,
    ):
        both = range_figures(pipeline, pair)
        assert both == [one for alone in pair for one in range_figures(pipeline, [alone])]


def test_parts_of_the_people_add_up_to_all_of_them(pipeline: Pipeline) -> None:
    window = RANGES["a year and three days"]
    parts = [health.figures_of_part(pipeline, [window], PeoplePart(number, 2)) for number in range(2)]
    people = [
        row["people"]
        for part in parts
        for row in part
        if (row["stratum"], row["figure"]) == ("all", "people")
    ]
    assert sorted(people) == [1, 2]
    key = ("period_start", "stratum", "figure", "band")
    assert added_rows(parts, key=key, counts=FIGURE_COLUMNS) == health.range_figures(pipeline, [window])[0]


def _told(pipeline: Pipeline, window: Window) -> dict[str, dict[str, Any]]:
    """The figures of everybody, by name."""
    (rows,) = health.range_figures(pipeline, [window])
    return {row["figure"]: row for row in rows if (row["stratum"], row["band"]) == ("all", -1)}


def test_a_month_that_is_not_what_its_days_are_is_read_from_them(pipeline: Pipeline) -> None:
    window = RANGES["a quarter"]
    before = _told(pipeline, window)
    late = {
        "user_id": 77, "metric": "heart_rate", "unit": "bpm", "value": 61, "source": "watch a",
        "recorded_at": "2024-02-14 10:00:00",
    }  # fmt: skip
    drop_file(pipeline.settings, "health_readings/late.csv", csv_text([late]))
    refresh(pipeline, groups=("staged", "raw"))
    refresh(pipeline, names=("state/health_hours", "state/health_days"))
    with pipeline.warehouse.transaction() as connection:
        tiles = tiles_of(pipeline, connection, window, family=HEALTH)
    assert tiles.months == (date(2024, 1, 1), date(2024, 3, 1))
    assert len(tiles.days) == 29
    found = _told(pipeline, window)
    assert found["people"]["people"] == before["people"]["people"] + 1
    assert found["avg_heart_rate"]["total"] == pytest.approx(before["avg_heart_rate"]["total"] + 61, abs=1e-6)
    refresh(pipeline, names=("state/health_months",))
    with pipeline.warehouse.transaction() as connection:
        assert not tiles_of(pipeline, connection, window, family=HEALTH).days
    assert _told(pipeline, window) == found
