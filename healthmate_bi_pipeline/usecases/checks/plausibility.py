"""Checks of what came: how much of it is set aside, whether its people are known, and whether it is as much as usual."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from healthmate_bi_pipeline.catalog.datasets import DATASETS, PARTITIONED_DATASETS, USERS, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.domain.control_charts import TRIAL_BELOW, control_limits
from healthmate_bi_pipeline.domain.period import Period, Window, is_complete, midnight
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.transforms import raw
from healthmate_bi_pipeline.usecases.checks.conservation import recorded_counts
from healthmate_bi_pipeline.usecases.checks.judging import CheckSpec, Measurement
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import known_window
from healthmate_bi_pipeline.warehouse import books

JUDGED_DAYS = 7
"""Of the days of a run so many are compared with the same weekday of the weeks before: who backfills years knows."""
WEEKS_BEFORE = 26


def _set_aside(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    recorded = recorded_counts(pipeline, f"raw/{dataset.name}", window)
    staged = sum(counts.get("staged", 0) for counts in recorded.values())
    wrong = {day: aside for day, counts in recorded.items() if (aside := counts.get(raw.QUARANTINED, 0))}
    return Measurement(sum(wrong.values()), staged, days=tuple(sorted(wrong)))


def _of_unknown_people(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    users, table = raw_table(USERS), raw_table(dataset)
    with pipeline.engine() as engine:
        known = engine.scan(pipeline.lake.files(users.name), schema=arrow_schema(users.columns))
        if not engine.rows(known.limit(1).select("user_id")):
            return Measurement(0, 0, note="There are no records of people.")
        files = pipeline.lake.files(table.name, window=window)
        rows = engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")
        (total,) = engine.rows(rows.agg(n=rows.count()))
        unknown = rows.anti_join(known.select("user_id").distinct(), "user_id")
        per_day = engine.rows(unknown.group_by("day").agg(n=unknown.count()).order_by("day"))
    return Measurement(
        sum(row["n"] for row in per_day), total["n"], days=tuple(row["day"] for row in per_day)
    )


def _unusual_volumes(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    """Days with more or fewer rows than the same weekday varies by (XmR chart, NHS England, Making Data Count)."""
    looked_at = window or known_window(pipeline)
    delay = pipeline.settings.period.delay
    over = [
        day
        for day in looked_at.each_day()
        if is_complete(end=Period.DAILY.window(midnight(day)).end, now=pipeline.utc_now, delay=delay)
    ][-JUDGED_DAYS:]
    if not over:
        return Measurement(0, 0, note="No day is over.")
    reach = Window.of_days(over[0] - timedelta(weeks=WEEKS_BEFORE), over[-1])
    with pipeline.warehouse.transaction() as connection:
        rows = books.staged_rows(connection, dataset.name, reach)
    if not rows:
        return Measurement(0, 0)
    begun = min(rows)
    judged: list[date] = []
    wrong: list[date] = []
    for day in over:
        same_weekday = [day - timedelta(weeks=weeks) for weeks in range(WEEKS_BEFORE, 0, -1)]
        before = [rows.get(other, 0) for other in same_weekday if other >= begun]
        limits = control_limits(before) if len(before) >= TRIAL_BELOW else None
        if limits is None:
            continue
        judged.append(day)
        if not limits.lower <= rows.get(day, 0) <= limits.upper:
            wrong.append(day)
    note = f"There are fewer than {TRIAL_BELOW} weeks to compare with."
    return Measurement(len(wrong), len(judged), days=tuple(wrong), note=note)


PLAUSIBILITY: tuple[CheckSpec, ...] = (
    *(
        CheckSpec(
            "few_rows_set_aside",
            f"raw/{dataset.name}",
            "No more than the tolerated share of the staged rows is in quarantine.",
            partial(_set_aside, dataset=dataset),
            severity=Severity.WARNING,
            tolerated=0.05,
        )
        for dataset in DATASETS
    ),
    *(
        CheckSpec(
            "people_are_known",
            f"raw/{dataset.name}",
            "No more than the tolerated share of the rows is of people without a record in users.",
            partial(_of_unknown_people, dataset=dataset),
            severity=Severity.WARNING,
            tolerated=0.05,
        )
        for dataset in PARTITIONED_DATASETS
        if "user_id" in raw_table(dataset).column_names
    ),
    *(
        CheckSpec(
            "volume_is_usual",
            f"raw/{dataset.name}",
            "A day has as many rows as that weekday varies by.",
            partial(_unusual_volumes, dataset=dataset),
            counted="days",
            severity=Severity.WARNING,
        )
        for dataset in PARTITIONED_DATASETS
    ),
)
