"""Corrections, deletions and late data: which version of a row counts, and which partitions are made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.conform import build_raw
from healthmate_bi_pipeline.usecases.graph import ASSETS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.accounts import (
    INGEST,
    assert_books_balance,
    day_counts,
    fates,
    lake_frame,
)
from healthmate_bi_pipeline_tests.running import (
    csv_text,
    drop_file,
    health,
    opened,
    query,
    refresh,
    window_of,
)

NOW = datetime(2026, 3, 10, 12)
A, B, FAR = "2026-03-01", "2026-03-04", "2024-02-29"

Rows = list[dict[str, Any]]


def at(day: str, value: float | None, *, time: str = "T10:00:00Z", **more: Any) -> dict[str, Any]:
    """A reading with an id."""
    return {
        "reading_id": "r", "metric": "heart_rate", "value": value, "unit": "bpm", "recorded_at": f"{day}{time}",
        "source": "watch",
    } | more  # fmt: skip


def plain(day: str, value: float | None, **more: Any) -> dict[str, Any]:
    """A reading without one."""
    return at(day, value, reading_id=None, **more)


DELETED = {"is_deleted": "true"}
CASES: dict[str, tuple[list[Rows], dict[str, list[float]], dict[str, int]]] = {
    # files, then the values that count on each day, then what became of the rows
    "the later file wins": ([[plain(A, 60)], [plain(A, 61)]], {A: [61]}, {"kept": 1, "superseded": 1}),
    "the later row wins": ([[plain(A, 60), plain(A, 61)]], {A: [61]}, {"kept": 1, "superseded": 1}),
    "a later update wins against the order of files": (
        [[plain(A, 60, updated_at="2026-03-03")], [plain(A, 61, updated_at="2026-03-02")], [plain(A, 62)]],
        {A: [60]}, {"kept": 1, "superseded": 2},
    ),
    "an equal row is a duplicate": ([[plain(A, 60)], [plain(A, 60)], [plain(A, 60)]], {A: [60]}, {"kept": 1, "duplicates": 2}),
    "a deletion takes back": ([[plain(A, 60)], [plain(A, None, **DELETED)]], {}, {"superseded": 2}),
    "a deletion without a target": ([[plain(A, None, **DELETED)]], {}, {"superseded": 1}),
    "a row after its deletion": ([[plain(A, 60)], [plain(A, None, **DELETED)], [plain(A, 61)]], {A: [61]}, {"kept": 1, "superseded": 2}),
    "a deletion that is older than the row": (
        [[plain(A, 60, updated_at="2026-03-05")], [plain(A, None, **DELETED, updated_at="2026-03-04")]],
        {A: [60]}, {"kept": 1, "superseded": 1},
    ),
    "a correction that makes no sense takes nothing away": ([[plain(A, 60)], [plain(A, 999)]], {A: [60]}, {"kept": 1, "quarantined": 1}),
    "an id moves to another day in the same file": ([[at(A, 60), at(B, 61)]], {B: [61]}, {"kept": 1, "superseded": 1}),
    "an id moves in a later file": ([[at(A, 60)], [at(B, 61)]], {B: [61]}, {"kept": 1, "superseded": 1}),
    "an id moves to an earlier day": ([[at(B, 60)], [at(A, 61)]], {A: [61]}, {"kept": 1, "superseded": 1}),
    "an id moves far away": ([[at(A, 60)], [at(FAR, 61)]], {FAR: [61]}, {"kept": 1, "superseded": 1}),
    "an id moves by a day": ([[at(A, 60)], [at("2026-03-02", 61)]], {"2026-03-02": [61]}, {"kept": 1, "superseded": 1}),
    "an id moves and comes back": ([[at(A, 60)], [at(B, 61)], [at(A, 62)]], {A: [62]}, {"kept": 1, "superseded": 2}),
    "an id comes back as it was": ([[at(A, 60)], [at(B, 61)], [at(A, 60)]], {A: [60]}, {"kept": 1, "superseded": 2}),
    "an id stays where its later update is": (
        [[at(A, 60, updated_at="2026-03-05")], [at(B, 61, updated_at="2026-03-04")], [at(B, 62)]],
        {A: [60]}, {"kept": 1, "superseded": 2},
    ),
    "an id does not move for a value that makes no sense": ([[at(A, 60)], [at(B, 999)]], {A: [60]}, {"kept": 1, "quarantined": 1}),
    "an id does not move to no day": ([[at(A, 60)], [at("some day", 61, time="")]], {A: [60]}, {"kept": 1}),
    "an id moves over a bad correction": ([[at(A, 60)], [at(B, 999)], [at(FAR, 61)]], {FAR: [61]}, {"kept": 1, "quarantined": 1, "superseded": 1}),
    "both twins of an id that moves are superseded": ([[at(A, 60), at(A, 60)], [at(B, 61)]], {B: [61]}, {"kept": 1, "superseded": 2}),
    "an id is deleted from another day": ([[at(A, 60)], [at(B, None, **DELETED)]], {}, {"superseded": 2}),
    "an id is deleted where it is": ([[at(A, 60)], [at(A, None, **DELETED)]], {}, {"superseded": 2}),
    "an id comes again after its deletion": ([[at(A, 60)], [at(B, None, **DELETED)], [at(FAR, 61)]], {FAR: [61]}, {"kept": 1, "superseded": 2}),
    "an id is deleted far away and comes again here": ([[at(A, 60)], [at(FAR, None, **DELETED)], [at(A, 61)]], {A: [61]}, {"kept": 1, "superseded": 2}),
    "the metric is compared without regard to case": ([[at(A, 60)], [at(B, 61, metric="Heart_Rate")]], {B: [61]}, {"kept": 1, "superseded": 1}),
    "the two values of a blood pressure move together": (
        [
            [at(A, 120, metric="blood_pressure_systolic", unit="mmHg"), at(A, 80, metric="blood_pressure_diastolic", unit="mmHg")],
            [at(B, 121, metric="blood_pressure_systolic", unit="mmHg"), at(B, 81, metric="blood_pressure_diastolic", unit="mmHg")],
        ],
        {B: [81, 121]}, {"kept": 2, "superseded": 2},
    ),
    "another metric of the id does not move with it": (
        [[at(A, 120, metric="blood_pressure_systolic", unit="mmHg"), at(A, 80, metric="blood_pressure_diastolic", unit="mmHg")],
         [at(B, 121, metric="blood_pressure_systolic", unit="mmHg")]],
        {A: [80], B: [121]}, {"kept": 2, "superseded": 1},
    ),
    "an offset moves a row over midnight": (
        [[plain(A, 60, time="T23:30:00Z")], [plain(A, 60, time="T23:30:00Z", utc_offset_minutes=60)]],
        {"2026-03-02": [60]}, {"kept": 1, "superseded": 1},
    ),
    "an offset moves a row back over midnight": (
        [[plain("2026-03-02", 60, time="T00:30:00+01:00")], [plain(A, 60, time="T23:30:00Z", utc_offset_minutes=0)]],
        {A: [60]}, {"kept": 1, "superseded": 1},
    ),
    "a wall-clock time and its instant are one key": (
        [[plain(A, 60, time=" 23:30:00", utc_offset_minutes=-120)], [plain("2026-03-02", 61, time="T01:30:00Z", utc_offset_minutes=-120)]],
        {A: [61]}, {"kept": 1, "superseded": 1},
    ),
}  # fmt: skip
PERSON = {name: number for number, name in enumerate(CASES, start=1)}


def drop_version(settings: Settings, number: int) -> None:
    """The file with this number: the rows of all cases."""
    rows = [
        row | {"user_id": PERSON[name]}
        for name, (files, _, _) in CASES.items()
        for row in (files[number] if number < len(files) else [])
    ]
    drop_file(settings, f"health_readings/{number}.csv", csv_text(rows))


@pytest.fixture(scope="module")
def in_three_runs(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    with opened(settings, now=NOW) as pipeline:
        for number in range(3):
            drop_version(settings, number)
            refresh(pipeline, groups=INGEST)
        yield pipeline


@pytest.fixture(scope="module")
def in_one_run(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    for number in range(3):
        drop_version(settings, number)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        yield pipeline


@pytest.fixture(params=["in_three_runs", "in_one_run"])
def made(request: pytest.FixtureRequest) -> Pipeline:
    pipeline: Pipeline = request.getfixturevalue(request.param)
    return pipeline


def values_of(pipeline: Pipeline) -> dict[int, dict[str, list[float]]]:
    """The values that count, by person and day."""
    found: dict[int, dict[str, list[float]]] = {}
    for row in lake_frame(pipeline, raw_table(HEALTH_READINGS).name).sort_values("value").to_dict("records"):
        found.setdefault(row["user_id"], {}).setdefault(str(row["day"]), []).append(row["value"])
    return found


def test_the_right_version_counts_on_the_right_day(made):
    found = values_of(made)
    assert {name: found.get(person, {}) for name, person in PERSON.items()} == {
        name: values for name, (_, values, _) in CASES.items()
    }


def test_what_became_of_all_rows_is_in_the_books(made):
    expected: dict[str, int] = {}
    for _, _, case in CASES.values():
        for fate, number in case.items():
            expected[fate] = expected.get(fate, 0) + number
    assert fates(made, HEALTH_READINGS) == expected
    assert_books_balance(made)


def test_the_days_are_the_same_whether_made_alone_or_together(in_three_runs, in_one_run):
    before = {
        day: counts for day, counts in day_counts(in_one_run, HEALTH_READINGS).items() if counts.get("staged")
    }
    other = day_counts(in_three_runs, HEALTH_READINGS)
    assert {day: other[day] for day in before} == before
    for day in before:
        build_raw(in_one_run, Window.of_days(day, day), dataset=HEALTH_READINGS)
    after = day_counts(in_one_run, HEALTH_READINGS)
    assert {day: after[day] for day in before} == before


def test_a_row_that_was_noted_but_never_staged_moves_nothing(new_settings):
    """What a kill between the index of ids and the commit leaves behind, and the file is gone."""
    settings = new_settings()
    drop_file(settings, "health_readings/1.csv", csv_text([at(A, 60) | {"user_id": 1}]))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        lost = drop_file(settings, "health_readings/2.csv", csv_text([at(B, 61) | {"user_id": 1}]))
        log = Path(settings.lake_uri) / "staged" / "health_readings" / "_delta_log"
        log.rename(log.with_name("away"))
        log.write_text("")  # the commit fails, after the id was noted
        with pytest.raises(Exception, match="."):
            refresh(pipeline, groups=("staged",))
        log.unlink()
        log.with_name("away").rename(log)
        lost.unlink()
        drop_file(settings, "health_readings/3.csv", csv_text([at(A, 62) | {"user_id": 1}]))
        refresh(pipeline, groups=INGEST)
        assert values_of(pipeline) == {1: {A: [62]}}
        assert_books_balance(pipeline)


# --- what is made again ---

FIRST, DAYS = date(2023, 3, 1), 3 * 365


def _regular() -> Rows:
    """One reading of person 1 (Berlin) on every day, and of person 2 late on some evenings."""
    rows = [
        plain(f"{FIRST + timedelta(days=number)}", 60 + number % 20) | {"user_id": 1}
        for number in range(DAYS)
    ]
    return rows + [plain(f"2024-05-{day}", 70, time="T22:30:00Z") | {"user_id": 2} for day in range(10, 20)]


@pytest.fixture(scope="module")
def three_years(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    drop_file(settings, "health_readings/0.csv", csv_text(_regular()))
    people = [{"user_id": user, "time_zone": "Europe/Berlin", "source": "app"} for user in (1, 2)]
    drop_file(settings, "users/0.csv", csv_text(people))
    with opened(settings, now=NOW) as pipeline:
        wave(pipeline)
        yield pipeline


UP_TO_FIGURES = tuple(asset for asset in ASSETS if asset.group != "reports")


def stale_by_asset(pipeline: Pipeline) -> dict[str, list[date]]:
    """What is stale now. Reports are left out: they also say how many rows were duplicates."""
    found = {
        asset.name: stale_partitions(pipeline, asset) for asset in UP_TO_FIGURES if asset.inputs is not None
    }
    return {name: days for name, days in found.items() if days}


def wave(pipeline: Pipeline) -> dict[str, list[date]]:
    """Everything stale is made, asset by asset; what was stale when its turn came."""
    found = {}
    for asset in UP_TO_FIGURES:
        stale = stale_partitions(pipeline, asset)
        if asset.group == "staged" or stale:
            asset.build(pipeline, window_of(asset, stale))
            found[asset.name] = stale
    return {name: days for name, days in found.items() if not name.startswith("staged/")}


def figures(pipeline: Pipeline) -> pd.DataFrame:
    return query(
        pipeline, "SELECT * FROM bi_health_metric_rows ORDER BY aggregation_period, period_start, user_id"
    )


@pytest.mark.slow
def test_nothing_is_stale_when_all_is_made(three_years):
    assert stale_by_asset(three_years) == {}
    assert wave(three_years) == {}


@pytest.mark.slow
def test_one_late_row_makes_what_holds_it_and_nothing_else(three_years):
    before = figures(three_years)
    late = date(2024, 8, 1)  # the day before is in another month
    row = plain(f"{late}", 99, time="T12:00:00Z") | {"user_id": 1}
    drop_file(three_years.settings, "health_readings/late.csv", csv_text([row]))
    # A wall clock may be on the day before or after.
    around = [late - timedelta(days=1), late, late + timedelta(days=1)]
    assert wave(three_years) == {
        "raw/health_readings": around,
        "state/health_hours": around,
        "state/health_days": around,
        "state/health_months": [late],
        "health_metrics/hourly": [late],
        "health_metrics/daily": [late],
        "health_metrics/weekly": [date(2024, 7, 29)],
        "health_metrics/monthly": [late],
        "health_metrics/quarterly": [date(2024, 7, 1)],
        "health_metrics/yearly": [date(2024, 1, 1)],
        "health_metrics/starts": [date(1970, 1, 1)],
        "state/device_readings": [date(2024, 7, 1), late],
        "health_metrics/device_changes": [late, date(2024, 9, 1)],
    }
    after = figures(three_years)
    key = ["user_id", "aggregation_period", "period_start"]
    both = before.merge(after, on=key, how="outer", suffixes=("", "_after"), indicator=True)
    new = both[both["_merge"] == "right_only"]
    assert list(new["aggregation_period"]) == ["hourly"]
    counted = both[
        (both["heart_rate_readings"] != both["heart_rate_readings_after"]) & (both["_merge"] == "both")
    ]
    said = [
        name for name in before.columns if name not in (*key, "state_version", "created_at", "updated_at")
    ]
    changed = pd.concat(
        [
            (both[name] != both[f"{name}_after"]) & ~(both[name].isna() & both[f"{name}_after"].isna())
            for name in said
        ],
        axis=1,
    )
    assert set(both[changed.any(axis=1) & (both["_merge"] == "both")].index) == set(counted.index)
    assert set(counted["aggregation_period"]) == {"daily", "weekly", "monthly", "quarterly", "yearly"}
    assert len(counted) == 5


@pytest.mark.slow
def test_a_late_duplicate_ends_where_the_state_comes_out_the_same(three_years):
    before = figures(three_years)
    twin = next(row for row in _regular() if row["recorded_at"].startswith("2025-01-15"))
    drop_file(three_years.settings, "health_readings/twin.csv", csv_text([twin]))
    around = [date(2025, 1, 14), date(2025, 1, 15), date(2025, 1, 16)]
    assert wave(three_years) == {
        "raw/health_readings": around,
        "state/health_hours": around,
        "state/health_days": around,
        "state/device_readings": [date(2025, 1, 1)],
    }
    pd.testing.assert_frame_equal(figures(three_years), before)


@pytest.mark.slow
def test_a_corrected_record_moves_the_days_of_that_person_only(three_years):
    """Person 2 was in New York all the time: the evenings are of the day before."""
    before = health(three_years, "daily")
    told = {"user_id": 2, "time_zone": "America/New_York", "source": "app"}
    drop_file(three_years.settings, "users/1.csv", csv_text([told]))
    made_again = wave(three_years)
    own = [date(2024, 5, day) for day in range(9, 21)]
    assert made_again["raw/users"] == [date(1970, 1, 1)]
    for name in ("raw/health_readings", "state/health_hours", "state/health_days"):
        assert made_again[name] == own, name
    assert made_again["state/health_months"] == [date(2024, 5, 1)]
    assert set(made_again["health_metrics/daily"]) <= set(own)
    assert made_again["health_metrics/monthly"] == [date(2024, 5, 1)]
    assert made_again["health_metrics/yearly"] == [date(2024, 1, 1)]
    assert "raw/activity_intervals" not in made_again
    after = health(three_years, "daily")
    days = [start.day for user, start in after.index if user == 2]
    assert ([start.day for user, start in before.index if user == 2], days) == (
        list(range(11, 21)),  # 22:30 UTC was past midnight in Berlin
        list(range(10, 20)),
    )
    stamps = ["state_version", "updated_at", "created_at", "is_complete"]
    pd.testing.assert_frame_equal(after.loc[[1]].drop(columns=stamps), before.loc[[1]].drop(columns=stamps))
    assert_books_balance(three_years)


@pytest.mark.slow
def test_a_record_that_says_nothing_new_makes_nothing_again(three_years):
    told = {"user_id": 1, "time_zone": "Europe/Berlin", "source": "app", "origin": "another file"}
    drop_file(three_years.settings, "users/2.csv", csv_text([told]))
    assert wave(three_years) == {"raw/users": [date(1970, 1, 1)]}


@pytest.mark.slow
def test_another_ranking_of_sources_makes_states_again_and_no_raw_day(three_years):
    settings = three_years.settings
    ranks = settings.source.model_copy(update={"ranks": (("all", ("*",)),)})
    with opened(settings.model_copy(update={"source": ranks}), now=NOW) as other:
        stale = stale_by_asset(other)
    assert not any(name.startswith(("raw/", "health_metrics/")) for name in stale)
    assert len(stale["state/health_days"]) >= DAYS


@pytest.mark.slow
def test_a_period_becomes_complete_by_time_alone(three_years):
    later = NOW + timedelta(days=30)
    with opened(three_years.settings, now=later) as pipeline:
        # The last row lies in February: all that ended by then was complete before.
        assert stale_by_asset(pipeline) == {"health_metrics/quarterly": [date(2026, 1, 1)]}
        wave(pipeline)
        rows = health(pipeline, "quarterly")
        assert bool(rows.loc[(1, pd.Timestamp(2026, 1, 1)), "is_complete"]) is True
        assert stale_by_asset(pipeline) == {}


def test_versions_do_not_depend_on_the_process_or_the_order(new_settings):
    """The same files in two homes give the same versions of state, and so the same figures."""
    outputs: list[Mapping[str, Any]] = []
    for order in ([0, 1], [1, 0]):
        settings = new_settings()
        for place, number in enumerate(order):
            drop_file(
                settings,
                f"health_readings/{place}.csv",
                csv_text([plain(A, 60 + number) | {"user_id": number + 1}]),
            )
        with opened(settings, now=NOW) as pipeline:
            refresh(pipeline, groups=(*INGEST, "baselines", "state"))
            rows = query(
                pipeline,
                "SELECT asset, partition, output_version FROM bi_partitions WHERE asset LIKE 'state/%'",
            )
            outputs.append(
                {(row["asset"], row["partition"]): row["output_version"] for row in rows.to_dict("records")}
            )
    assert outputs[0] == outputs[1]
    assert any(outputs[0].values())
