"""Figures past their time: all tables of a family go together, what stays is as it was, and nothing comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.reporting.compliance.inputs import Retention
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.keeping import horizon
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.deletions import gather_retention
from healthmate_bi_pipeline.usecases.reports.pipeline_books import counted_until, reference_of
from healthmate_bi_pipeline.usecases.retention.deleting import delete_due, find_due
from healthmate_bi_pipeline.usecases.retention.figures import delete_figures, find_figures
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.usecases.status import find_status
from healthmate_bi_pipeline.warehouse import removing
from healthmate_bi_pipeline_tests.running import opened, query, refresh
from healthmate_bi_pipeline_tests.usecases.retention.keeping import (
    FIGURE_TABLES,
    NOW,
    assert_checks_pass,
    deliver,
    kept,
    reading,
    receipts,
    table_rows,
)

GROUPS = ("staged", "raw", "baselines", "state", "health_metrics", "system_performance")
FIRST_KEPT = {"hourly": date(2026, 6, 10), "daily": date(2025, 7, 10), "weekly": date(2024, 7, 8)}
"""30 days, 365 days, and 104 weeks before the tenth of July 2026, a Friday."""


KNOWN = (
    date(2024, 6, 28), date(2024, 7, 6), date(2024, 7, 9), date(2025, 3, 4), date(2025, 3, 20), date(2025, 7, 9),
    date(2025, 7, 10), date(2026, 6, 9), date(2026, 6, 10), date(2026, 7, 8),
)  # fmt: skip
"""Days with rows, some of them the last that goes or the first that stays."""


@pytest.fixture(scope="module")
def two_years(new_settings: Callable[[], Settings]) -> Settings:
    """Readings and requests of a few days of two years."""
    settings = new_settings()
    deliver(settings, "health_readings/a.csv", [reading(day, user=user) for day in KNOWN for user in (1, 2)])
    deliver(settings, "api_requests/a.csv", [request(day) for day in KNOWN])
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
    return settings


@pytest.fixture
def home(two_years: Settings, copy_of: Callable[[Settings], Settings]) -> Settings:
    return copy_of(two_years)


@pytest.fixture
def pipeline(home: Settings) -> Iterator[Pipeline]:
    with opened(kept(home), now=NOW) as pipeline:
        yield pipeline


def request(day: date) -> dict[str, object]:
    return {
        "service": "web", "environment": "production", "instance_id": "a", "route": "GET /", "status_code": 200,
        "duration_ms": 12, "occurred_at": f"{day}T11:00:00Z",
    }  # fmt: skip


def snapshot(pipeline: Pipeline) -> dict[str, pd.DataFrame]:
    return {table: table_rows(pipeline, table) for table in FIGURE_TABLES}


def texts(rows: pd.DataFrame) -> list[str]:
    return [] if rows.empty else sorted(map(str, rows["row"]))


def assert_same(before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame]) -> None:
    for table in FIGURE_TABLES:
        assert texts(before[table]) == texts(after[table]), table


def survivors(before: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """What the defaults leave, by the rows' own columns."""
    found = {}
    for table, rows in before.items():
        if not rows.empty:
            first = rows["period"].map(lambda period: FIRST_KEPT.get(period, date(1970, 1, 1)))
            rows = rows[rows["period_start"].dt.date >= first]
        found[table] = rows
    return found


def test_off_by_default(home: Settings) -> None:
    with opened(home, now=NOW) as pipeline:
        before = snapshot(pipeline)
        with pytest.raises(UsageError, match="Retention is off, so nothing was deleted"):
            delete_due(pipeline)
        assert_same(before, snapshot(pipeline))
        assert receipts(pipeline).empty
        assert {due.object for due in find_due(pipeline).things} >= {
            "health_metrics/daily"
        }  # told all the same


def test_what_is_over_goes_and_what_stays_is_the_same(pipeline: Pipeline) -> None:
    before = snapshot(pipeline)
    told = find_due(pipeline)
    assert_same(before, snapshot(pipeline))
    assert receipts(pipeline).empty

    deleted = delete_due(pipeline)
    assert [due for due in told.things if due not in deleted.things] == []
    after, expected = snapshot(pipeline), survivors(before)
    assert_same(expected, after)
    gone = sum(len(before[table]) - len(after[table]) for table in FIGURE_TABLES)
    assert gone == deleted.rows > 400

    written = receipts(pipeline)
    assert set(written["outcome"]) == {"done"}
    assert written["rows"].sum() == gone
    daily = written.loc["health_metrics/daily"]
    assert (daily["last_day"], daily["rule"], daily["privacy"]) == (
        date(2025, 7, 9),
        "figures 365 days",
        "identified",
    )
    assert written.loc["system_performance/hourly", "privacy"] == "aggregate"
    log = query(pipeline, "SELECT object, rows FROM bi_audit_log WHERE action = 'retention'")
    assert dict(zip(log["object"], log["rows"], strict=True)) == written["rows"].to_dict()

    # Nothing comes back, nothing is due again, and the books balance.
    assert stale_partitions(pipeline, ASSET_BY_NAME["health_metrics/daily"]) == []
    refresh(pipeline, groups=GROUPS)
    assert_same(expected, snapshot(pipeline))
    assert delete_due(pipeline).things == []
    assert_checks_pass(pipeline)
    status = find_status(pipeline)
    assert (status.deleted.rows, status.deleted.unfinished) == (gone, 0)
    totals = status.assets["health_metrics/daily"].totals
    assert totals is not None
    assert totals.first == date(2025, 7, 10)


def test_a_late_row_counts_in_what_is_kept_alone(pipeline: Pipeline) -> None:
    delete_due(pipeline)
    before = snapshot(pipeline)
    day = date(2025, 3, 4)
    deliver(pipeline.settings, "health_readings/late.csv", [reading(day, 100, user=1, at="12:00")])
    made = refresh(pipeline, groups=GROUPS)
    assert "health_metrics/monthly" in made
    assert "health_metrics/daily" not in made
    assert "health_metrics/hourly" not in made
    rows = snapshot(pipeline)["bi_health_metric_rows"]
    assert len(rows) == len(before["bi_health_metric_rows"])
    march = [row for row in rows["row"] if row["aggregation_period"] == "monthly" and row["user_id"] == 1]
    assert {row["max_heart_rate"] for row in march if row["period_start"] == "2025-03-01T00:00:00"} == {100}
    assert_checks_pass(pipeline)


def test_who_asks_for_days_gets_them(pipeline: Pipeline) -> None:
    before = snapshot(pipeline)
    delete_due(pipeline)
    daily = ASSET_BY_NAME["health_metrics/daily"]
    march = Window.of_days(date(2025, 3, 1), date(2025, 3, 31))
    daily.build(pipeline, march)
    again = snapshot(pipeline)["bi_health_metric_rows"]
    is_march = (again["period"] == "daily") & (again["period_start"].dt.strftime("%Y-%m") == "2025-03")
    was = before["bi_health_metric_rows"]
    was_march = (was["period"] == "daily") & (was["period_start"].dt.strftime("%Y-%m") == "2025-03")
    assert texts(again[is_march]) == texts(was[was_march])
    assert stale_partitions(pipeline, daily) == []
    assert_checks_pass(pipeline)

    (due,) = delete_due(pipeline).things  # and the next night they go again
    assert (due.object, due.partitions, due.first_day) == ("health_metrics/daily", 31, date(2025, 3, 1))
    assert_same(survivors(before), snapshot(pipeline))


def test_what_is_past_its_time_is_not_made_at_all(settings: Settings) -> None:
    deliver(settings, "health_readings/a.csv", [reading(day) for day in (date(2024, 2, 1), date(2026, 7, 1))])
    with opened(kept(settings), now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
        found = query(
            pipeline,
            "SELECT aggregation_period AS period, min(period_start)::date AS first FROM bi_health_metric_rows GROUP BY 1",
        )
    assert dict(zip(found["period"], found["first"], strict=True)) == {
        "hourly": date(2026, 7, 1), "daily": date(2026, 7, 1), "weekly": date(2026, 6, 29),
        "monthly": date(2024, 2, 1), "quarterly": date(2024, 1, 1), "yearly": date(2024, 1, 1),
    }  # fmt: skip


def test_a_failure_in_the_middle_leaves_all_as_it_was(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(pipeline)
    (due,) = (due for due in find_figures(pipeline) if due.object == "health_metrics/daily")
    with monkeypatch.context() as patched:

        def killed(*_arguments: object, **_more: object) -> int:
            raise KeyboardInterrupt

        patched.setattr(removing, "mark_removed", killed)
        with pytest.raises(KeyboardInterrupt):
            delete_figures(pipeline, due)
    assert_same(before, snapshot(pipeline))
    assert receipts(pipeline).empty
    delete_due(pipeline)
    assert_same(survivors(before), snapshot(pipeline))


def test_hours_stay_until_their_month_is_complete(settings: Settings) -> None:
    hourly = ASSET_BY_NAME["health_metrics/hourly"]
    with opened(kept(settings, periods={"hourly": "4 days"}), now=NOW) as pipeline:
        for now, first in (
            (datetime(2026, 7, 4, 11), date(2026, 6, 1)),  # June closes 84 hours after its end
            (datetime(2026, 7, 4, 12), date(2026, 6, 30)),
            (datetime(2026, 7, 10, 12), date(2026, 7, 1)),
        ):
            at = replace(pipeline, now=now.replace(tzinfo=UTC))
            assert horizon(at, hourly) == first
        assert horizon(pipeline, ASSET_BY_NAME["health_metrics/yearly"]) is None
        assert Period.WEEKLY.floor(midnight(date(2024, 7, 12))).date() == horizon(
            pipeline, ASSET_BY_NAME["health_metrics/weekly"]
        )
        assert horizon(pipeline, ASSET_BY_NAME["health_metrics/monthly"]) == date(2021, 7, 1)
        assert NOW.date() - timedelta(days=365) == horizon(pipeline, ASSET_BY_NAME["health_metrics/daily"])


def test_the_report_on_compliance_tells_of_it(home: Settings) -> None:
    july = Period.MONTHLY.window(datetime(2026, 7, 1))

    def told(settings: Settings, now: datetime) -> Retention:
        with opened(settings, now=now) as pipeline, pipeline.warehouse.transaction() as connection:
            until = counted_until(pipeline, july)
            return gather_retention(
                pipeline, connection, july, until=until, reference=reference_of(pipeline, july)
            )

    off = told(home, NOW)
    assert (off.is_enabled, off.deletions, off.past_their_time) == (False, [], [])
    late = {one.asset: one for one in told(kept(home), NOW + timedelta(days=2)).past_their_time}
    assert late["health_metrics/daily"].first_day == date(2024, 6, 28)
    assert "health_metrics/yearly" not in late
    with opened(kept(home), now=NOW) as pipeline:
        deleted = delete_due(pipeline)
    after = told(kept(home), NOW + timedelta(days=1))
    assert after.past_their_time == []  # the night for the days of the tenth is still to come
    missed = told(kept(home), NOW + timedelta(days=2)).past_their_time
    assert {one.first_day for one in missed} == {date(2026, 6, 10), date(2025, 7, 10)}
    assert {one.object: one.rows for one in after.deletions} == {
        due.object: due.rows for due in deleted.things
    }
    assert told(kept(home), NOW).deletions == []  # a month that runs is told up to the last midnight
