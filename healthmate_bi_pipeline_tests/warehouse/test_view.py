from datetime import datetime

import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.catalog.tables import HEALTH_METRIC_ROWS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse.windows import replace_window
from healthmate_bi_pipeline_tests.warehouse.rows import FIRST, health_row, reader


def fill(warehouse, rows):
    for row in rows:
        period = Period(row["aggregation_period"])
        with warehouse.transaction() as connection:
            replace_window(
                connection,
                table=HEALTH_METRIC_ROWS,
                period=period,
                window=Window(row["period_start"], row["period_end"]),
                rows=reader([row]),
                now=FIRST,
            )


def trends(warehouse):
    with warehouse.transaction() as connection:
        found = connection.execute(
            text("SELECT aggregation_period, period_start, bmi_trend FROM bi_aggregated_health_metrics")
        )
        return {(period, start): trend for period, start, trend in found}


@pytest.mark.parametrize(
    "moment", [datetime(2026, 1, 1), datetime(2024, 3, 1), datetime(2026, 12, 31, 23)], ids=str
)
def test_a_trend_is_the_difference_to_the_period_before(warehouse, moment):
    rows, expected = [], {}
    for period in Period:
        last = period.floor(moment)
        before = period.previous(last)
        earliest = period.previous(period.previous(before))  # there is a gap after it
        for start, bmi, trend in ((earliest, 30.0, None), (before, 20.0, None), (last, 21.5, 1.5)):
            rows.append(health_row(1, period, start, avg_bmi=bmi))
            expected[str(period), start] = trend
    fill(warehouse, rows)
    assert trends(warehouse) == expected


def test_a_trend_looks_at_the_same_person_and_needs_both_figures(warehouse):
    june, july = datetime(2026, 6, 1), datetime(2026, 7, 1)
    with warehouse.transaction() as connection:
        for start, people in ((june, {1: 20.0, 2: None}), (july, {1: None, 2: 25.0, 3: 26.0})):
            replace_window(
                connection,
                table=HEALTH_METRIC_ROWS,
                period=Period.MONTHLY,
                window=Period.MONTHLY.window(start),
                rows=reader(
                    [health_row(user, Period.MONTHLY, start, avg_bmi=bmi) for user, bmi in people.items()]
                ),
                now=FIRST,
            )
    with warehouse.transaction() as connection:
        found = connection.execute(
            text("SELECT count(*), count(bmi_trend) FROM bi_aggregated_health_metrics")
        ).one()
    assert tuple(found) == (5, 0)


@pytest.fixture
def filled(warehouse):
    """A few thousand days, so that the planner has a choice."""
    with warehouse.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO bi_health_metric_rows (user_id, aggregation_period, period_start, period_end,"
                " has_user_record, is_complete, state_version, registry_version, created_at, updated_at)"
                " SELECT person, 'daily', day, day + interval '1 day', true, true, 1, 1, now(), now()"
                " FROM generate_series(1, 50) AS person,"
                " generate_series(timestamp '2026-03-01', '2026-06-30', '1 day') AS day"
            )
        )
        connection.execute(text("ANALYZE bi_health_metric_rows"))
    return warehouse


def plan(warehouse, query):
    with warehouse.transaction() as connection:
        return "\n".join(connection.scalars(text(f"EXPLAIN (COSTS OFF) {query}")))


def test_a_person_and_a_period_are_found_by_the_key_also_before_it(filled):
    found = plan(
        filled,
        "SELECT * FROM bi_aggregated_health_metrics WHERE user_id = 7 AND aggregation_period = 'daily'"
        " AND period_start = '2026-05-01'",
    )
    assert found.count("bi_health_metric_rows_daily_pkey") == 2
    assert "hourly_pkey" not in found


def test_a_window_is_found_by_its_start(filled):
    found = plan(
        filled,
        "SELECT avg_bmi FROM bi_aggregated_health_metrics WHERE aggregation_period = 'daily'"
        " AND period_start >= '2026-05-01' AND period_start < '2026-05-02'",
    )
    assert "bi_health_metric_rows_daily_period_start_idx" in found
    assert "Join" not in found  # without a trend nothing is looked up
