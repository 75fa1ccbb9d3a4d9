"""Figures of complete periods that become others: noted once, with the cause and the reports that held the old ones."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

FIRST, LATER = datetime(2026, 3, 20, 12), datetime(2026, 3, 21, 12)
PEOPLE = range(1, 31)


def _readings(people: range, *, value: float = 70.0) -> str:
    return csv_text(
        {
            "user_id": person,
            "metric": "weight",
            "value": value,
            "unit": "kg",
            "recorded_at": "2026-02-03T08:00:00Z",
        }
        for person in people
    )


def _restatements(settings: Settings, now: datetime = LATER) -> pd.DataFrame:
    with opened(settings, now=now) as pipeline:
        return query(pipeline, "SELECT * FROM bi_restatements ORDER BY id")


def test_first_figures_are_no_restatement(settings: Settings) -> None:
    drop_file(settings, "health_readings/first.csv", _readings(PEOPLE))
    with opened(settings, now=FIRST) as pipeline:
        refresh(pipeline)
    assert _restatements(settings).empty


def test_late_rows_restate_the_periods_that_hold_their_day(settings: Settings) -> None:
    drop_file(settings, "health_readings/first.csv", _readings(PEOPLE))
    with opened(settings, now=FIRST) as pipeline:
        refresh(pipeline)
        reports = query(pipeline, "SELECT report_id, report_type, cadence, version FROM bi_reports")
    drop_file(settings, "health_readings/late.csv", _readings(range(31, 41), value=90.0))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline)
        found = query(pipeline, "SELECT * FROM bi_restatements ORDER BY id")
        late = query(pipeline, "SELECT file_hash FROM bi_ingested_files WHERE name = 'late.csv'")
        refresh(pipeline)  # nothing is restated twice
        assert len(query(pipeline, "SELECT id FROM bi_restatements")) == len(found)

    assert set(found["cause"]) == {"late rows"}
    assert all(files == [late["file_hash"][0]] for files in found["files"])
    assert set(found["asset"]) == {
        f"health_metrics/{period}" for period in ("hourly", "daily", "weekly", "monthly")
    }
    monthly = found[(found["aggregation_period"] == "monthly") & (found["subject"] == "all")].set_index(
        "figure"
    )
    weight = monthly.loc["avg_weight"]
    assert (weight["old_value"], weight["new_value"]) == (70.0, 75.0)
    people = monthly.loc["people"]
    assert (people["old_value"], people["new_value"]) == (30, 40)

    of_month = reports[(reports["report_type"] == "health_summary") & (reports["cadence"] == "monthly")]
    assert len(of_month) == 1
    assert of_month["report_id"].iloc[0] in weight["reports"]


def test_a_corrected_row_restates_and_no_value_of_a_person_is_kept(settings: Settings) -> None:
    drop_file(settings, "health_readings/first.csv", _readings(PEOPLE))
    with opened(settings, now=FIRST) as pipeline:
        refresh(pipeline)
    drop_file(settings, "health_readings/again.csv", _readings(range(1, 4), value=83.25))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline)
    found = _restatements(settings)
    of_people = found[found["table_name"] == "bi_health_metric_rows"]
    assert set(of_people.loc[of_people["figure"] == "avg_weight", "rows"]) == {3}
    assert of_people[["old_value", "new_value"]].isna().all(axis=None)


def test_what_is_not_complete_is_not_restated(settings: Settings) -> None:
    soon = datetime(2026, 2, 4, 12)
    drop_file(settings, "health_readings/first.csv", _readings(PEOPLE))
    with opened(settings, now=soon) as pipeline:
        refresh(pipeline)
    drop_file(settings, "health_readings/late.csv", _readings(range(31, 41)))
    with opened(settings, now=soon) as pipeline:
        refresh(pipeline)
    assert _restatements(settings).empty


@pytest.mark.parametrize(("digits", "is_noted"), [(1e-7, False), (1e-3, True)])
def test_what_differs_behind_the_printed_digits_is_no_other_figure(
    settings: Settings, digits: float, is_noted: bool
) -> None:
    drop_file(settings, "health_readings/first.csv", _readings(PEOPLE))
    with opened(settings, now=FIRST) as pipeline:
        refresh(pipeline)
    drop_file(settings, "health_readings/again.csv", _readings(PEOPLE, value=70.0 * (1 + digits)))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline)
    assert ("avg_weight" in set(_restatements(settings).get("figure", []))) is is_noted
