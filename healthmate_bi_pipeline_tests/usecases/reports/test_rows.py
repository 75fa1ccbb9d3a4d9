"""What reports say about the arrival of their rows: days that came in time, of those that could."""

from datetime import UTC, date, datetime, timedelta

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, SLEEP_SESSIONS
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.inputs import Arrivals
from healthmate_bi_pipeline.usecases.reports.rows import arrivals
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.books import FileAccount

MARCH = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
DELAY = timedelta(hours=84)


def account(name, seen, days):
    return FileAccount(
        file_hash=name, dataset=HEALTH_READINGS.name, file_number=1, name=name, bytes=1, lines=7, rows=7,
        rejected=0, staged=7, undated=0, first_seen_at=seen, days=dict.fromkeys(days, 1),
    )  # fmt: skip


def test_days_that_closed_before_the_first_file_are_not_judged(warehouse):
    begun = datetime(2026, 3, 10, 6, tzinfo=UTC)
    backfilled = [date(2026, 3, day) for day in range(1, 6)]  # the 5th closed on the 9th at noon
    on_time = [date(2026, 3, day) for day in range(6, 10)]
    late = date(2026, 3, 12)
    with warehouse.transaction() as connection:
        books.register_files(
            connection,
            [
                account("first", begun, [*backfilled, *on_time]),
                account("late", datetime(2026, 3, 20, tzinfo=UTC), [late, on_time[0]]),
            ],
        )
        found = arrivals(connection, [HEALTH_READINGS, SLEEP_SESSIONS], MARCH, delay=DELAY)
    assert found == {"health_readings": Arrivals(4, 5), "sleep_sessions": Arrivals(0, 0)}


def test_without_files_nothing_is_judged(warehouse):
    with warehouse.transaction() as connection:
        assert arrivals(connection, [HEALTH_READINGS], MARCH, delay=DELAY) == {
            "health_readings": Arrivals(0, 0)
        }
