"""The partitionings: per period, all days since the first one, in Dagster's terms.

Keys are labels of wall-clock days, and UTC only enumerates them (DESIGN, rule 5). What a period is, is in
``domain/period.py``; a test compares the two.
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.first_day import read_first_day
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings

KEY_FORMAT = "%Y-%m-%d"

CRON_SCHEDULES: dict[Period, str] = {
    Period.DAILY: "0 0 * * *",
    Period.WEEKLY: "0 0 * * 1",
    Period.MONTHLY: "0 0 1 * *",
    Period.QUARTERLY: "0 0 1 1,4,7,10 *",
    Period.YEARLY: "0 0 1 1 *",
}
"""When a period starts. Hourly has none: its rows are made a day at a time."""


def find_first_day(settings: Settings) -> date:
    """The first day of all partitionings.

    The one of the settings, else the earliest that was ever staged, else, before the first import, the start
    of this year: without any partition Dagster shows nothing.
    """
    known = settings.start_date or read_first_day(Lake(settings.lake_uri))
    return known or datetime.now(UTC).date().replace(month=1, day=1)


def partitions_of(period: Period, first_day: date) -> dg.TimeWindowPartitionsDefinition:
    """All partitions of a period since the first day, the running one among them."""
    partitioned_by = period.partitioned_by
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule=CRON_SCHEDULES[partitioned_by],
        # A start within a period would drop the days up to the next one.
        start=partitioned_by.floor(midnight(first_day)),
        fmt=KEY_FORMAT,
        timezone="UTC",
        end_offset=1,
    )


def window_of(time_window: dg.TimeWindow) -> Window:
    """Dagster's stretch of time as wall-clock days."""
    return Window(time_window.start.replace(tzinfo=None), time_window.end.replace(tzinfo=None))


def range_tags(period: Period, window: Window) -> dict[str, str]:
    """The tags by which one run makes all partitions that a window touches."""
    whole = period.partitioned_by.covering(window)
    last = period.partitioned_by.floor(whole.end - timedelta(microseconds=1))
    return {
        "dagster/asset_partition_range_start": period.label(whole.start),
        "dagster/asset_partition_range_end": period.label(last),
    }
