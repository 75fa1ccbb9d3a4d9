from dataclasses import fields, replace
from datetime import UTC, date, datetime

import pytest

from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, REPORTS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse import books, queries
from healthmate_bi_pipeline.warehouse.queries import GroupFigures, ReportEntry, ReportRecord, RowCounts
from healthmate_bi_pipeline.warehouse.windows import replace_window
from healthmate_bi_pipeline_tests.warehouse.rows import FIRST, reader

MARCH, APRIL = datetime(2026, 3, 1), datetime(2026, 4, 1)
MARCH_WINDOW = Period.MONTHLY.window(MARCH)

REPORT = ReportRecord(
    report_id="health_summary-monthly-2026-03-01-v1",
    report_type="health_summary",
    cadence="monthly",
    version=1,
    period_start=MARCH,
    period_end=APRIL,
    audience="groups",
    generated_at=datetime(2026, 4, 5, tzinfo=UTC),
    generated_by="ann",
    confidence_score=None,
    content_sha256="ab",
    html_path="a.html",
    json_path="a.json",
    data_sources=["raw/health_readings"],
    summary={"people": 15},
    metrics={"avg_bmi": [1.5, None]},
    insights=[],
    recommendations=[],
    input_versions={"health_metrics/monthly": -(2**62)},
)


@pytest.fixture
def connection(warehouse):
    with warehouse.transaction() as opened:
        yield opened


def group(start, figure, band, stratum="all"):
    return {
        "aggregation_period": "monthly", "period_start": start, "period_end": Period.MONTHLY.next(start),
        "stratum": stratum, "figure": figure, "band": band, "people": 12, "total": 1.5, "total_squared": None,
        "low": 0.0, "high": 1.0, "is_complete": False, "state_version": 7, "registry_version": 1,
    }  # fmt: skip


def test_the_values_are_the_columns():
    assert tuple(column.name for column in fields(GroupFigures)) == HEALTH_GROUPS.column_names
    assert {column.name for column in fields(ReportRecord)} == set(REPORTS.column_names)


def test_days_of_people_are_added_up_per_figure(connection):
    days = Window.of_days(date(2026, 3, 1), date(2026, 3, 3))
    rows = [
        group(start.start, figure, band, stratum) | {"aggregation_period": "daily", "period_end": start.end}
        for start in Period.DAILY.windows(days)
        for figure, band, stratum in (("avg_bmi", -1, "all"), ("avg_bmi", 1, "all"), ("avg_bmi", -1, "women"))
    ]
    replace_window(
        connection,
        table=HEALTH_GROUPS,
        period=Period.DAILY,
        window=days,
        rows=reader(rows, HEALTH_GROUPS),
        now=FIRST,
    )
    assert queries.person_days(connection, days) == {"avg_bmi": 36}
    assert queries.person_days(connection, Window.of_days(date(2026, 3, 2), date(2026, 3, 2))) == {
        "avg_bmi": 12
    }
    assert queries.person_days(connection, Window.of_days(date(2026, 4, 2), date(2026, 4, 2))) == {}


def test_figures_of_groups_come_in_order_for_one_window_and_stratum(connection):
    for start in (MARCH, APRIL):
        replace_window(
            connection,
            table=HEALTH_GROUPS,
            period=Period.MONTHLY,
            window=Period.MONTHLY.window(start),
            rows=reader(
                [
                    group(start, "total_steps", -1),
                    group(start, "avg_bmi", 1),
                    group(start, "avg_bmi", -1),
                    group(start, "avg_bmi", -1, "women"),
                ],
                HEALTH_GROUPS,
            ),
            now=FIRST,
        )
    found = queries.group_figures(connection, period=Period.MONTHLY, window=MARCH_WINDOW)
    assert [(row.figure, row.band) for row in found] == [("avg_bmi", -1), ("avg_bmi", 1), ("total_steps", -1)]
    expected = {**group(MARCH, "avg_bmi", -1), "created_at": FIRST, "updated_at": FIRST}
    assert found[0] == GroupFigures(**expected)
    assert (
        len(
            queries.group_figures(
                connection, period=Period.MONTHLY, window=Window(MARCH, APRIL.replace(day=2))
            )
        )
        == 6
    )
    women = queries.group_figures(connection, period=Period.MONTHLY, window=MARCH_WINDOW, stratum="women")
    assert len(women) == 1
    assert queries.group_figures(connection, period=Period.DAILY, window=MARCH_WINDOW) == []


def test_counts_of_rows_are_added_up_by_asset_and_rule(connection):
    def record(asset, day, **counts):
        return books.PartitionRecord(asset, day, 1, 1, 0, counts, None, FIRST)

    books.record_partitions(
        connection,
        [
            record(
                "raw/a",
                date(2026, 3, 1),
                staged=10,
                kept=5,
                duplicates=2,
                quarantined=3,
                rules={"negative": 3},
            ),
            record(
                "raw/a",
                date(2026, 3, 31),
                staged=4,
                superseded=1,
                quarantined=3,
                rules={"negative": 1, "missing": 2},
            ),
            record("raw/a", date(2026, 4, 1), staged=1000, rules={"negative": 1000}),
            record("raw/b", date(2026, 3, 1), staged=2**40),
        ],
    )
    assert queries.row_counts(connection, ["raw/b", "raw/a", "raw/c"], MARCH_WINDOW) == {
        "raw/a": RowCounts(
            staged=14, kept=5, duplicates=2, superseded=1, quarantined=6,
            quarantined_by_rule={"missing": 2, "negative": 4},
        ),
        "raw/b": RowCounts(staged=2**40),
        "raw/c": RowCounts(),
    }  # fmt: skip


def test_the_newest_version_of_a_report_is_the_latest(connection):
    asked = ("health_summary", "monthly", MARCH_WINDOW, "groups")
    assert queries.latest_report(connection, *asked) is None
    queries.record_report(connection, REPORT)
    assert queries.latest_report(connection, *asked) == REPORT
    second = replace(REPORT, report_id="r2", version=2, summary={"people": 20})
    queries.record_report(connection, second)
    assert queries.latest_report(connection, *asked) == second
    for other in (("other", *asked[1:]), (*asked[:3], "personal"), (asked[0], "range", *asked[2:])):
        assert queries.latest_report(connection, *other) is None


def test_a_version_is_entered_once(warehouse):
    with warehouse.transaction() as connection:
        queries.record_report(connection, REPORT)
    with pytest.raises(IntegrityError, match="bi_reports_version"), warehouse.transaction() as connection:
        queries.record_report(connection, replace(REPORT, report_id="another"))


def test_reports_are_listed_by_their_newest_version_with_the_latest_first(connection):
    made = [
        REPORT,
        replace(REPORT, report_id="r2", version=2),
        replace(REPORT, report_id="r3", period_start=APRIL, period_end=datetime(2026, 5, 1)),
        replace(REPORT, report_id="r4", audience="personal"),
        replace(REPORT, report_id="r5", cadence="daily", period_end=datetime(2026, 3, 2)),
    ]
    for report in made:
        queries.record_report(connection, report)
    listed = queries.list_reports(connection)
    assert [entry.report_id for entry in listed] == ["r5", "r3", "r2", "r4"]
    assert [entry.report_id for entry in queries.list_reports(connection, audience="groups")] == [
        "r5",
        "r3",
        "r2",
    ]
    assert listed[2] == ReportEntry(
        **{column.name: getattr(made[1], column.name) for column in fields(ReportEntry)}
    )
