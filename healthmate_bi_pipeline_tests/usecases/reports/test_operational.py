"""The report on operations, from files and runs to what it says; what is late, missing, failed, and what makes it stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.json import content_sha256
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, refresh

RECIPE = RECIPE_BY_TYPE["operational"]
WEEK = Window.of_days(date(2026, 3, 9), date(2026, 3, 15))
MONDAY = datetime(2026, 3, 9)
LATER = datetime(2026, 3, 25, 12)
FAMILY = ("staged", "raw", "state", "system_performance")


def samples(first: str, *, days: int, per_day: int = 24) -> str:
    """Samples of one host, so many a day."""
    start = datetime.fromisoformat(first)
    return csv_text(
        {
            "service": "api", "environment": "production", "instance_id": "api-1", "cpu_percent": 20,
            "memory_percent": 30, "disk_percent": 40 + day, "sampled_at": (start + timedelta(days=day, hours=24 * at / per_day)).isoformat() + "Z",
        }
        for day in range(days)
        for at in range(per_day)
    )  # fmt: skip


def readings(day: str, count: int) -> str:
    rows: list[dict[str, Any]] = [
        {"user_id": user, "metric": "heart_rate", "value": 60, "unit": "bpm", "recorded_at": f"{day}T10:00:00Z", "source": "watch"}
        for user in range(1, count + 1)
    ]  # fmt: skip
    return csv_text(rows)


def gathered(pipeline: Pipeline, window: Window = WEEK, *, period: Period | None = Period.WEEKLY):
    inputs = RECIPE.gather(pipeline, Subject(RECIPE.report_type, period, window))
    assert inputs is not None
    return inputs


def fed(settings: Settings, name: str, text: str, *, at: datetime) -> None:
    """Read a file, and make all of it, at an instant."""
    drop_file(settings, name, text)
    with opened(settings, now=at) as pipeline:
        refresh(pipeline, groups=FAMILY)


def metric(report, name):
    return next(one for one in report.metrics if one.figure == name)


def test_rows_that_came_after_their_day_closed_are_late(settings: Settings) -> None:
    for day in range(7):
        at = MONDAY + timedelta(days=day)
        fed(
            settings,
            f"host_samples/{day}.csv",
            samples(f"{at:%Y-%m-%d}", days=1),
            at=at + timedelta(days=1, hours=1),
        )
    # Tuesday closes 84 hours after its end: Saturday noon.
    late = samples("2026-03-10T00:30:00", days=1, per_day=6)
    fed(settings, "host_samples/late.csv", late, at=datetime(2026, 3, 14, 13))
    with opened(settings, now=LATER) as pipeline:
        inputs = gathered(pipeline)
        (hosts,) = inputs.datasets
        report = RECIPE.build(inputs, STAMP)
    assert (hosts.rows, hosts.days, hosts.days_expected) == (7 * 24 + 6, 7, 7)
    assert (hosts.judged_days, hosts.whole_days) == (7, 6)
    assert (hosts.judged_rows, hosts.late_rows) == (7 * 24 + 6, 6)
    assert metric(report, "late_rows").value == pytest.approx(6 / 174)
    assert {one.rule for one in report.insights} == {"late_data"}
    assert inputs.reference == WEEK.end
    assert metric(report, "freshness_hours").value == pytest.approx(1)
    assert metric(report, "partitions_present").value == 1


def test_a_history_that_is_taken_in_is_not_late_and_its_makers_are_named(settings: Settings) -> None:
    fed(settings, "host_samples/all.csv", samples("2026-02-01", days=43), at=LATER)
    with opened(settings, now=LATER + timedelta(hours=1)) as pipeline:
        inputs = gathered(pipeline)
        report = RECIPE.build(inputs, STAMP)
    assert inputs.datasets[0].judged_days == 0
    assert metric(report, "late_rows").value is Absence.NO_DATA
    assert list(inputs.runs) == []
    makers = {one.group: one for one in inputs.makers}
    assert set(makers) == {"raw", "state", "system_performance"}
    assert all(one.succeeded == one.runs > 0 and one.failed == 0 for one in inputs.makers)
    assert "made later" in " ".join(report.summary.sentences)
    assert report.insights == ()
    assert inputs.disks[0].highest == 40 + 42


def test_a_day_without_rows_and_a_source_that_stopped_are_told(settings: Settings) -> None:
    before = samples("2026-02-01", days=38)  # up to Tuesday
    fed(settings, "host_samples/a.csv", before, at=LATER)
    fed(settings, "host_samples/b.csv", samples("2026-03-12", days=2), at=LATER)  # Thursday and Friday
    with opened(settings, now=LATER) as pipeline:
        report = RECIPE.build(gathered(pipeline), STAMP)
    told = {one.rule: one for one in report.insights}
    assert told["missing_partitions"].estimate == 3  # Wednesday, Saturday, Sunday
    assert "11 Mar, 14 Mar, 15 Mar" in told["missing_partitions"].text
    assert told["late_data"].estimate == pytest.approx(49)  # from Friday 23:00
    assert metric(report, "fresh_datasets").value == 0


def test_what_was_not_made_is_missing(settings: Settings) -> None:
    drop_file(settings, "host_samples/a.csv", samples("2026-03-09", days=7))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=("staged",))
        nothing_made = gathered(pipeline)
        refresh(pipeline, groups=("raw", "state"))
        no_figures = gathered(pipeline)
        refresh(pipeline, groups=("system_performance",))
        all_made = gathered(pipeline)
    assert [(one.asset, one.expected, len(one.missing)) for one in nothing_made.partitions] == [
        ("raw/host_samples", 7, 7)
    ]
    missing = {one.asset: len(one.missing) for one in no_figures.partitions if one.missing}
    assert missing == {
        "system_performance/hourly": 7, "system_performance/daily": 7, "system_performance/weekly": 1,
    }  # fmt: skip
    assert not any(one.missing for one in all_made.partitions)
    report = RECIPE.build(no_figures, STAMP)
    assert [one.rule for one in report.insights] == ["overdue"]
    assert metric(report, "partitions_present").value == pytest.approx(1 - 15 / sum(one.expected for one in no_figures.partitions))  # fmt: skip


def test_runs_are_those_that_began_in_the_period(settings: Settings) -> None:
    fed(settings, "host_samples/a.csv", samples("2026-03-09", days=7), at=LATER)
    with opened(settings, now=LATER) as pipeline:
        with pipeline.warehouse.transaction() as connection:
            for number, outcome in enumerate(("succeeded", "succeeded", "failed", "abandoned")):
                at = datetime(2026, 3, 10 + number, 3, tzinfo=UTC)
                runs.start_run(
                    connection, run_id=f"r{number}", assets=["raw/host_samples"], window=None, now=at
                )
                runs.finish_run(
                    connection,
                    run_id=f"r{number}",
                    outcome=outcome,
                    rows=5,
                    now=at + timedelta(seconds=10 + number),
                )
            outside = WEEK.end.replace(tzinfo=UTC)
            runs.start_run(connection, run_id="after", assets=["raw/host_samples"], window=None, now=outside)
        inputs = gathered(pipeline)
        report = RECIPE.build(inputs, STAMP)
    (group,) = inputs.runs
    assert (group.group, group.runs, group.succeeded, group.failed, group.running) == ("raw", 4, 2, 2, 0)
    assert (group.seconds_p50, group.seconds_max) == (10.5, 11.0)
    assert [(one.asset, one.outcome) for one in inputs.failed] == [
        ("raw/host_samples", "abandoned"), ("raw/host_samples", "failed"),
    ]  # fmt: skip
    assert metric(report, "run_success_rate").value == 0.5
    assert metric(report, "pipeline_runs").value == 4
    assert metric(report, "run_duration_p95").value == pytest.approx(10.95)  # of 10 and 11 seconds
    assert [one.rule for one in report.insights] == ["runs_failed"]


def test_counts_of_rows_about_people_are_rounded_and_small_ones_withheld(settings: Settings) -> None:
    fed(settings, "health_readings/a.csv", readings("2026-03-10", 7), at=LATER)
    fed(settings, "health_readings/b.csv", readings("2026-03-12", 33), at=LATER)
    fed(settings, "health_readings/c.csv", readings("2026-03-15", 53), at=LATER)
    with opened(settings, now=LATER) as pipeline:
        inputs = gathered(pipeline)
        report = RECIPE.build(inputs, STAMP)
    assert inputs.datasets[0].rows == 93
    assert metric(report, "rows_staged").value == 95
    (volume,) = (section for section in report.sections if section.section_id == "volume")
    values = {point.period_start: point.value for point in volume.subsections[0].blocks[0].series[0].points}
    assert values[datetime(2026, 3, 10)] is Absence.SUPPRESSED
    # Else the sum minus the others would tell the few.
    assert values[datetime(2026, 3, 12)] is Absence.SUPPRESSED
    assert values[datetime(2026, 3, 15)] == 55
    assert values[datetime(2026, 3, 11)] == 0
    assert volume.subsections[0].blocks[0].series[0].limits is None


def test_a_week_without_rows_between_others_has_a_report_that_says_so(settings: Settings) -> None:
    fed(settings, "host_samples/a.csv", samples("2026-02-20", days=10), at=LATER)
    asset = ASSET_BY_NAME["reports/operational_weekly"]
    with opened(settings, now=LATER) as pipeline:
        report = RECIPE.build(gathered(pipeline), STAMP)
        assert report.summary.sentences[0] == "No rows came for week 11 of 2026."
        assert report.confidence.score == 0
        assert stale_partitions(pipeline, asset) == [date(2026, 3, 9)]  # the last complete one
    with opened(settings, now=LATER) as pipeline:
        before = Window.of_days(date(2026, 1, 5), date(2026, 1, 11))
        assert RECIPE.gather(pipeline, Subject(RECIPE.report_type, Period.WEEKLY, before)) is None


def test_a_report_is_not_made_stale_by_its_own_making_but_by_what_it_reads(settings: Settings) -> None:
    fed(settings, "host_samples/a.csv", samples("2026-03-02", days=14), at=LATER)
    asset = ASSET_BY_NAME["reports/operational_weekly"]
    assert asset.inputs is not None
    with opened(settings, now=LATER) as pipeline:
        assert refresh(pipeline, names=(asset.name,))[asset.name].rows == {date(2026, 3, 9): 1}
        first = content_sha256(RECIPE.build(gathered(pipeline), STAMP))
        assert stale_partitions(pipeline, asset) == []
    with opened(settings, now=LATER + timedelta(days=3)) as pipeline:
        assert refresh(pipeline, groups=FAMILY).keys() >= {"staged/host_samples"}  # tried, and nothing new
        assert date(2026, 3, 9) not in stale_partitions(pipeline, asset)
        assert content_sha256(RECIPE.build(gathered(pipeline), STAMP)) == first
        with pipeline.warehouse.transaction() as connection:  # a run of that week ends up in the books
            at = datetime(2026, 3, 11, tzinfo=UTC)
            runs.start_run(connection, run_id="x", assets=["raw/host_samples"], window=None, now=at)
        assert date(2026, 3, 9) in stale_partitions(pipeline, asset)
    fed(settings, "host_samples/b.csv", samples("2026-03-10T00:15:00", days=1), at=LATER + timedelta(days=4))
    with opened(settings, now=LATER + timedelta(days=4)) as pipeline:
        assert date(2026, 3, 9) in stale_partitions(pipeline, asset)


def test_a_period_that_runs_is_read_up_to_the_last_midnight(settings: Settings) -> None:
    at = datetime(2026, 3, 12, 9)
    fed(settings, "host_samples/a.csv", samples("2026-02-25", days=15), at=at)
    with opened(settings, now=at) as pipeline:
        morning = gathered(pipeline)
        evening = gathered(replace(pipeline, now=pipeline.now + timedelta(hours=10)))
    assert morning.reference == morning.runs_until == datetime(2026, 3, 12)
    assert not morning.is_complete
    assert content_sha256(RECIPE.build(morning, STAMP)) == content_sha256(RECIPE.build(evening, STAMP))
