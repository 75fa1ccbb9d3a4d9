"""Checks that a month's state is what its days add up to."""

from __future__ import annotations

from datetime import date
from functools import partial

import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.families import (
    ENGAGEMENT_GROUPS,
    FAMILIES,
    Family,
    state_name,
    state_table,
)
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.checks.judging import CheckSpec, Measurement
from healthmate_bi_pipeline.usecases.families import scan_partitions
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import known_window
from healthmate_bi_pipeline.warehouse import books

_ADDED_UP = ("n", "total", "implausible")


def _unlike_their_days(pipeline: Pipeline, window: Window | None, *, family: Family) -> Measurement:
    """Sums of measures of a month that are not the sums of its days; of months that are not stale."""
    looked_at = Period.MONTHLY.covering(window or known_window(pipeline))
    asset = state_name(family, Grain.MONTH)
    with pipeline.warehouse.transaction() as connection:
        expected = versions.state_inputs(pipeline, connection, looked_at, family=family, grain=Grain.MONTH)
        records = books.partition_records(connection, asset, window=looked_at)
    settled = [first for first, record in records.items() if expected.get(first) == record.input_version]
    wrong: set[date] = set()
    differing = of = 0
    with pipeline.engine() as engine:
        for first in settled:  # one month after the other, so that no more than its days are held
            month = Period.MONTHLY.window(looked_at.start.replace(year=first.year, month=first.month, day=1))
            sums = {
                grain: _sums(scan_partitions(pipeline, engine, state_table(family, grain), month))
                for grain in (Grain.DAY, Grain.MONTH)
            }
            days, months = (
                sums[Grain.DAY],
                sums[Grain.MONTH].rename({f"{name}_of_month": name for name in _ADDED_UP}),
            )
            both = days.outer_join(months, "measure")
            is_same = [both[name].fill_null(0) == both[f"{name}_of_month"].fill_null(0) for name in _ADDED_UP]
            (counted,) = engine.rows(
                both.agg(of=both.count(), same=(is_same[0] & is_same[1] & is_same[2]).sum())
            )
            of += counted["of"]
            if unlike := counted["of"] - (counted["same"] or 0):
                differing += unlike
                wrong.add(first)
    return Measurement(differing, of, {"months": len(settled)}, tuple(sorted(wrong)))


def _sums(state: ir.Table) -> ir.Table:
    return state.group_by("measure").agg(**{name: state[name].sum() for name in _ADDED_UP})


ROLL_UP: tuple[CheckSpec, ...] = tuple(
    CheckSpec(
        "months_hold_their_days",
        state_name(family, Grain.MONTH),
        "What the measures of a month come to is the sum of what they come to on its days.",
        partial(_unlike_their_days, family=family),
        counted="sums",
        is_blocking=True,
    )
    for family in FAMILIES
    if family is not ENGAGEMENT_GROUPS  # the state of engagement
)
