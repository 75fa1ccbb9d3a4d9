"""What is done in the app and what the backend answers, read back with pandas from a demo's files."""

from pathlib import Path

import pandas as pd

from healthmate_bi_pipeline_tests.sources.demo.reading import BAD, read_device

DATASETS = (
    "users", "health_readings", "activity_intervals", "sleep_sessions", "medication_doses", "symptom_logs",
    "login_sessions", "app_events", "billing_events", "api_requests", "host_samples",
)  # fmt: skip
"""All of them, whichever the catalog has by now."""


def good_rows(landing: Path, dataset: str, device: str, key: list[str]) -> pd.DataFrame:
    """The rows in their last versions that break no rule, without those that are taken back."""
    rows = pd.concat([read_device(landing, dataset, device, late=late) for late in (False, True)])
    rows = rows[~BAD[dataset](rows)]
    rows = rows.sort_values("updated_at", kind="stable", na_position="first").drop_duplicates(
        key, keep="last"
    )
    return rows[rows["is_deleted"].isna()].reset_index(drop=True)


def local_times(rows: pd.DataFrame, column: str) -> pd.Series:
    """Wall-clock times of rows in UTC that tell their offset."""
    return rows[column].dt.tz_localize(None) + pd.to_timedelta(rows["utc_offset_minutes"], unit="min")


def week_of(local: pd.Series) -> pd.Series:
    """The Monday of the week of wall-clock times."""
    day = local.dt.normalize()
    return day - pd.to_timedelta(day.dt.day_of_week, unit="D")
