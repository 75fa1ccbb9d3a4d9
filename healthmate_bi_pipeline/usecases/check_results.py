"""Checking, and keeping what was found, so that alerts and reports can read it without Dagster."""

from __future__ import annotations

from datetime import datetime

from healthmate_bi_pipeline.catalog.alerts import KEPT
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.usecases.checks import CheckSpec, Judgement, Verdict, check
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.warehouse.check_results import CheckResult, record_result

MOST_DAYS = 400
"""So many wrong days are named; who has more has other worries."""


def check_and_record(
    pipeline: Pipeline, spec: CheckSpec, window: Window | None, *, at: datetime
) -> Judgement:
    """Measure, judge and keep the result.

    Args:
        pipeline: where to look.
        spec: the check.
        window: the days; ``None``: all.
        at: the instant of the result.
    """
    judgement = check(pipeline, spec, window)
    measured = judgement.measurement
    days = measured.days if measured is not None and measured.wrong else ()
    result = CheckResult(
        asset=spec.asset,
        check_name=spec.name,
        window="" if window is None or spec.is_of_all else str(window),
        at=at,
        verdict=judgement.verdict.value,
        severity=severity_of(judgement),
        wrong=None if measured is None else measured.wrong,
        of=None if measured is None else measured.of,
        counts=None if measured is None else measured.counts,
        days=tuple(day for day in days if day != UNPARTITIONED)[:MOST_DAYS],
        run_id=pipeline.run_id,
    )
    with pipeline.warehouse.transaction() as connection:
        record_result(connection, result, keep=KEPT)
    return judgement


def severity_of(judgement: Judgement) -> Severity:
    """How grave a judgement is: rows that do not add up are, a check that could not be made may be next time."""
    match judgement.verdict:
        case Verdict.FAILED:
            return Severity.CRITICAL
        case Verdict.ERROR:
            return Severity.WARNING
        case _:
            return Severity.INFO
