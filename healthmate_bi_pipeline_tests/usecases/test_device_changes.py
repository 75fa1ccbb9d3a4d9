"""How devices changed between two months, from landing files to the report: a population by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest

from healthmate_bi_pipeline.catalog.readings import SYSTOLIC
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.device_changes import DEVICE_CHANGES_ASSET
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.health_summary import gather_health_summary
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.usecases.retention.deleting import delete_due, find_due
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh
from healthmate_bi_pipeline_tests.usecases.retention.keeping import kept

NOW = datetime(2026, 4, 20, 12)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
MADE_FROM = ("staged", "baselines", "raw", "state")
Rows = list[dict[str, Any]]


def readings(
    user: int, source: str, month: date, value: float, *, count: int = 3, metric: str = SYSTOLIC
) -> Rows:  # fmt: skip
    """A person's readings of a month around a mean: its first days, and its last evening."""
    spread = 4.0 if metric == SYSTOLIC else 0.2
    days = [(2, "08:00", 0.0), (3, "08:00", -spread), (28, "23:30", spread)][:count]
    return [
        {
            "user_id": user, "metric": metric, "value": value + off, "unit": "mmHg" if "pressure" in metric else "°C",
            "recorded_at": month.replace(day=day).isoformat() + f"T{time}:00", "source": source,
        }
        for day, time, off in days
    ]  # fmt: skip


def both_months(
    user: int, source: str, change: float, *, before: float | None = None, metric: str = SYSTOLIC
) -> Rows:
    before = 120.0 + user if before is None else before
    return [
        *readings(user, source, FEBRUARY, before, metric=metric),
        *readings(user, source, MARCH, before + change, metric=metric),
    ]


def _population() -> Rows:
    rows: Rows = []
    for user in range(1, 13):  # 12 people of A: 9 and 7 in turns
        rows += both_months(user, "cuff A", 8 + (-1) ** user)
    for user in range(13, 24):  # 11 of B: six times -3, five times -1
        rows += both_months(user, "cuff B", -2 + (-1) ** user)
    for user in (24, 25):
        rows += both_months(user, "cuff C", 0)
    rows += both_months(26, "cuff A", 8) + both_months(26, "cuff B", -2)  # has two
    rows += readings(27, "cuff A", FEBRUARY, 100, count=2) + readings(27, "cuff A", MARCH, 180)  # too few
    rows += readings(28, "cuff A", MARCH, 180)  # is new
    rows += readings(29, "cuff A", FEBRUARY, 100) + readings(29, "cuff B", MARCH, 180)  # has another now
    return rows + both_months(1, "thermometer", 0, metric="body_temperature", before=36.0)  # is not compared


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    drop_file(settings, "health_readings/1.csv", csv_text(_population()))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=(*MADE_FROM, "health_metrics"))
        yield pipeline


def changes(pipeline: Pipeline) -> dict[tuple[date, str, str], tuple[float, ...]]:
    rows = query(pipeline, "SELECT * FROM bi_device_changes")
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in rows.itertuples(index=False)}


def test_each_device_is_held_against_the_people_who_have_only_others(made: Pipeline) -> None:
    assert changes(made) == {
        (MARCH, SYSTOLIC, "cuff A"): (13, 96 + 8, 780 + 64, 11 + 2, -23, 59),
        (MARCH, SYSTOLIC, "cuff B"): (12, -23 - 2, 59 + 4, 12 + 2, 96, 780),
        # who has two devices counts once among the others, with the mean of both changes: 3
        (MARCH, SYSTOLIC, "cuff C"): (2, 0, 0, 12 + 11 + 1, 96 - 23 + 3, 780 + 59 + 9),
    }


def report_on(pipeline: Pipeline, period: Period, start: date) -> Any:
    window = period.window(datetime.combine(start, datetime.min.time()))
    found = gather_health_summary(pipeline, Subject(HEALTH_SUMMARY, period, window))
    assert found is not None
    return found, health_summary(found, stamp=STAMP)


def test_the_report_on_the_month_tells_of_the_device(made: Pipeline) -> None:
    found, report = report_on(made, Period.MONTHLY, MARCH)
    assert {device.source for device in found.devices} == {"cuff A", "cuff B", "cuff C"}
    (insight,) = (one for one in report.insights if one.rule == "device_shift")
    assert (insight.subject, insight.figures) == ("cuff A", ("avg_blood_pressure_systolic",))
    # 104 / 13 against -23 / 13, as they are shown of so few people
    assert insight.estimate == pytest.approx(8 + 23 / 13, abs=0.5)
    assert insight.low < 8 + 23 / 13 < insight.high
    assert insight.people == 15, "13, rounded"
    (advice,) = (one for one in report.recommendations if insight.insight_id in one.insight_ids)
    assert "cuff A" in advice.text
    assert "bi_device_changes" in {source.name for source in report.data_sources}


def test_other_cadences_and_the_first_month_tell_of_none(made: Pipeline) -> None:
    for period, start in ((Period.MONTHLY, FEBRUARY), (Period.WEEKLY, date(2026, 3, 2))):
        found, report = report_on(made, period, start)
        assert found.devices == ()
        assert not [one for one in report.insights if one.rule == "device_shift"]


def stale(pipeline: Pipeline) -> list[date]:
    return stale_partitions(pipeline, ASSET_BY_NAME[DEVICE_CHANGES_ASSET])


def test_late_data_make_their_month_and_the_next_again(settings: Settings) -> None:
    late = readings(27, "cuff A", FEBRUARY, 172)[2:]
    drop_file(settings, "health_readings/1.csv", csv_text(_population()))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=MADE_FROM)
        assert stale(pipeline) == [FEBRUARY, MARCH]
        refresh(pipeline, names=(DEVICE_CHANGES_ASSET,))
        before = changes(pipeline)
        assert stale(pipeline) == []

        drop_file(settings, "health_readings/2.csv", csv_text(late))
        refresh(pipeline, groups=MADE_FROM)
        assert stale(pipeline) == [FEBRUARY, MARCH]
        refresh(pipeline, names=(DEVICE_CHANGES_ASSET,))
        after = changes(pipeline)
        key = (MARCH, SYSTOLIC, "cuff A")
        assert (before[key][0], after[key][0]) == (13, 14)
        assert after[key][1] == pytest.approx(104 + 180 - (100 + 96 + 176) / 3)
        other = (MARCH, SYSTOLIC, "cuff B")
        assert (before[other][3], after[other][3]) == (14, 15)

        drop_file(settings, "health_readings/3.csv", csv_text(readings(28, "cuff C", MARCH, 150)))
        refresh(pipeline, groups=MADE_FROM)
        assert stale(pipeline) == [MARCH]


def test_months_together_are_as_each_by_itself(settings: Settings) -> None:
    drop_file(settings, "health_readings/1.csv", csv_text(_population()))
    asset = ASSET_BY_NAME[DEVICE_CHANGES_ASSET]
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=MADE_FROM)
        built = asset.build(pipeline, Window(datetime(2026, 2, 1), datetime(2026, 4, 1)))
        together = changes(pipeline)
        assert built.rows == {FEBRUARY: 0, MARCH: 3}
        asset.build(pipeline, Window(datetime(2026, 3, 1), datetime(2026, 4, 1)))
        assert changes(pipeline) == together


def test_they_are_kept_as_long_as_monthly_figures(settings: Settings) -> None:
    drop_file(settings, "health_readings/1.csv", csv_text(_population()))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=MADE_FROM)
        refresh(pipeline, names=(DEVICE_CHANGES_ASSET,))
    with opened(kept(settings, periods={"monthly": "6 months"}), now=datetime(2026, 12, 20)) as pipeline:
        due = [one for one in find_due(pipeline).things if one.object == DEVICE_CHANGES_ASSET]
        assert [(one.rows, one.last_day) for one in due] == [(3, date(2026, 5, 31))]
        delete_due(pipeline)
        assert changes(pipeline) == {}
        assert stale(pipeline) == []
