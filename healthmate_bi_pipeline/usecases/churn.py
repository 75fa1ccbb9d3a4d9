"""Whether people are likely to come back: BG/BB, fitted once a month, told for every week, and judged.

Parameters are frozen: fitted from the days before a month when those are over, and not again when late days come.
Everything is computed per pattern of weeks; people are only joined to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.engagement_tables import CHURN_CALIBRATION, USER_RETENTION
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT
from healthmate_bi_pipeline.catalog.lake_tables import CHURN_FITS
from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.domain.calibration import (
    SILENT_DAYS,
    brier_score,
    deciles,
    predicted_by_silence,
)
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms.engagement import retention
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import make_in_chunks
from healthmate_bi_pipeline.usecases.engagement import scan_active_days
from healthmate_bi_pipeline.usecases.families import replace_partitions, warehouse_schema
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.whole_tables import ANY_TIME, build_whole
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.windows import replace_days

RETENTION = f"{ENGAGEMENT.group}/retention"
CALIBRATION = f"{ENGAGEMENT.group}/calibration"
HOLD_OUT_WEEKS = 4


def build_fits(pipeline: Pipeline, window: Window | None) -> Built:
    """Freeze the parameters of the months of a window before which all days are over; the others are left out."""
    assert window is not None  # noqa: S101 - partitioned by month
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.fits_inputs(pipeline, connection, window)
    if not inputs:
        return Built({})
    known = Window(midnight(min(inputs)), Period.MONTHLY.next(midnight(max(inputs))))
    make = partial(_build_fit, pipeline, inputs)
    # Month by month: the days before each are read.
    return make_in_chunks(
        pipeline, CHURN_FITS.name, known, dict.fromkeys(inputs, 3_000_000), unit=Period.MONTHLY, make=make
    )


def _build_fit(pipeline: Pipeline, inputs: Mapping[date, int], window: Window) -> dict[date, int]:
    with pipeline.engine() as engine:
        rows = [_fitted(pipeline, engine, part.first_day) for part in Period.MONTHLY.windows(window)]
        table = pa.Table.from_pylist([row for row in rows if row], schema=arrow_schema(CHURN_FITS.columns))
        fits = engine.memory_table(table)
        return replace_partitions(
            pipeline, engine, CHURN_FITS, fits, window=window, unit=Period.MONTHLY, inputs=inputs
        )


def _fitted(pipeline: Pipeline, engine: Engine, month: date) -> dict[str, Any] | None:
    """The parameters for a month, from the whole weeks before it; ``None`` where nobody has had a week yet."""
    end = Period.WEEKLY.floor(midnight(month)).date()
    of_people = _patterns_at(pipeline, engine, end)
    found = engine.rows(retention.counted_patterns(of_people.filter(of_people.weeks > 0)))
    if not found:
        return None
    fitted = fit(_as_patterns(found))
    return {
        "alpha": fitted.model.alpha,
        "beta": fitted.model.beta,
        "gamma": fitted.model.gamma,
        "delta": fitted.model.delta,
        "people": fitted.people,
        "log_likelihood": fitted.log_likelihood,
        "is_converged": fitted.is_converged,
        "reason": fitted.reason,
        "weeks_end": end,
        "month": month,
    }


def _patterns_at(pipeline: Pipeline, engine: Engine, end: date) -> ir.Table:
    before = Window(datetime(1970, 1, 1), midnight(end))
    weeks = retention.active_weeks(_days_before(scan_active_days(pipeline, engine, before), end))
    return engine.store(retention.patterns(weeks, engine.memory_table(retention.week_table([end]))))


def _days_before(active: ir.Table, end: date) -> ir.Table:
    return active.filter(active.day < end)


def _as_patterns(rows: list[dict[str, Any]]) -> Patterns:
    return Patterns.of(
        [row["active_weeks"] for row in rows],
        [row["last_active_week"] for row in rows],
        [row["weeks"] for row in rows],
        [row["people"] for row in rows],
    )


def models(pipeline: Pipeline, engine: Engine) -> dict[date, tuple[BgBb, date]]:
    """The frozen models that may be used, by month, and the Monday that each was fitted up to."""
    files = pipeline.lake.files(CHURN_FITS.name, partition_by="month")
    fits = engine.scan(files, schema=arrow_schema(CHURN_FITS.columns), partition_by="month")
    return {
        row["month"]: (BgBb(row["alpha"], row["beta"], row["gamma"], row["delta"]), row["weeks_end"])
        for row in engine.rows(fits.filter(fits.is_converged).order_by("month"))
    }


def build_retention(pipeline: Pipeline, window: Window | None) -> Built:
    """Tell for everyone with a first activity, at the end of the weeks of a window, whether they are still alive."""
    assert window is not None  # noqa: S101 - partitioned by week
    with pipeline.warehouse.transaction() as connection:
        people = sum(
            record.rows
            for record in books.partition_records(connection, f"{ENGAGEMENT.group}/starts").values()
        )
    sizes = {week.first_day: people for week in Period.WEEKLY.windows(window)}
    make = partial(_build_weeks, pipeline)
    return make_in_chunks(pipeline, RETENTION, window, sizes, unit=Period.WEEKLY, make=make)


def _build_weeks(pipeline: Pipeline, window: Window) -> dict[date, int]:
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.retention_inputs(pipeline, connection, window)
    with pipeline.engine() as engine:
        known = models(pipeline, engine)
        ends = [
            (midnight(week) + timedelta(days=7)).date()
            for week in inputs
            if versions.month_of_week(week) in known
        ]
        active = _days_before(scan_active_days(pipeline, engine, None), window.end.date())
        weeks = engine.store(retention.active_weeks(active))
        of_people = engine.store(retention.patterns(weeks, engine.memory_table(retention.week_table(ends))))
        found = engine.rows(
            of_people.select("week_end", "active_weeks", "last_active_week", "weeks").distinct()
        )
        rows = engine.store(
            retention.with_probability(of_people, engine.memory_table(_probabilities(found, known)))
        )
        held = {
            row["week_end"]: row["n"] for row in engine.rows(rows.group_by("week_end").agg(n=rows.count()))
        }
        made = {
            part.first_day: held.get(part.end.date(), 0) for part in Period.WEEKLY.windows(window)
        }  # fmt: skip
        with pipeline.warehouse.transaction() as connection:
            replace_days(
                connection,
                table=USER_RETENTION,
                column="week_end",
                window=Window(window.start + timedelta(days=7), window.end + timedelta(days=7)),
                rows=engine.stream(rows, schema=warehouse_schema(USER_RETENTION, rows.columns)),
            )
            books.record_partitions(
                connection,
                [
                    books.PartitionRecord(
                        RETENTION, week, inputs.get(week, 0), inputs.get(week, 0), n, {}, pipeline.run_id, pipeline.now
                    )
                    for week, n in made.items()
                ],
            )  # fmt: skip
    return made


def _probabilities(found: list[dict[str, Any]], known: Mapping[date, tuple[BgBb, date]]) -> pa.Table:
    """The probability of being alive in the next week of each pattern, by the model of the week's month."""
    by_month: dict[date, list[dict[str, Any]]] = {}
    for row in found:
        week = row["week_end"] - timedelta(days=7)
        by_month.setdefault(versions.month_of_week(week), []).append(row)
    alive = [
        row | {"probability_alive": float(probability)}
        for month, rows in by_month.items()
        for row, probability in zip(
            rows,
            known[month][0].probability_alive(_as_patterns([row | {"people": 1} for row in rows])),
            strict=True,
        )
    ]
    names = ("week_end", "active_weeks", "last_active_week", "weeks", "probability_alive")
    schema = arrow_schema(USER_RETENTION.column(name) for name in names)
    return pa.Table.from_pylist(alive, schema=schema)


def build_calibration(pipeline: Pipeline) -> Built:
    """Judge each month's model on the four weeks after those that it was fitted on."""

    def make(engine: Engine) -> dict[Table, ir.Table]:
        settled = versions.settled_day(pipeline)
        rows = [
            row
            for month, (model, end) in models(pipeline, engine).items()
            if end + timedelta(days=7 * HOLD_OUT_WEEKS) <= settled
            for row in _judged(pipeline, engine, month, model, end)
        ]
        table = pa.Table.from_pylist(rows, schema=arrow_schema(CHURN_CALIBRATION.columns))
        return {CHURN_CALIBRATION: engine.memory_table(table)}

    return build_whole(
        pipeline,
        CALIBRATION,
        version=lambda connection: versions.calibration_inputs(pipeline, connection, ANY_TIME).get(
            UNPARTITIONED, 0
        ),
        make=make,
    )


def _judged(pipeline: Pipeline, engine: Engine, month: date, model: BgBb, end: date) -> list[dict[str, Any]]:
    around = Window(
        midnight(end) - timedelta(days=31), midnight(end) + timedelta(days=7 * HOLD_OUT_WEEKS + 31)
    )
    active = scan_active_days(pipeline, engine, Period.MONTHLY.covering(around))
    found = engine.rows(
        retention.outcomes(
            _patterns_at(pipeline, engine, end),
            active,
            end=end,
            days=7 * HOLD_OUT_WEEKS,
            silent_days=SILENT_DAYS,
        )
    )
    if not found:
        return []
    predicted = model.probability_active(_as_patterns(found), ahead=HOLD_OUT_WEEKS)
    returned = np.array([row["returned"] for row in found])
    people = np.array([row["people"] for row in found])
    ruled = predicted_by_silence([SILENT_DAYS if row["is_silent"] else 0 for row in found])
    whole = {
        "month": month,
        "decile": 0,
        "people": int(people.sum()),
        "predicted": float((predicted * people).sum() / people.sum()),
        "observed": float(returned.sum() / people.sum()),
        "brier_score": brier_score(predicted, returned, people),
        "rule_brier_score": brier_score(ruled, returned, people),
    }
    tenths = [
        {
            "month": month,
            "decile": tenth.decile,
            "people": tenth.people,
            "predicted": tenth.predicted,
            "observed": tenth.observed,
            "brier_score": None,
            "rule_brier_score": None,
        }
        for tenth in deciles(predicted, returned, people)
    ]
    return [whole, *tenths]
