"""Checking, and keeping what was found, so that alerts and reports can read it without Dagster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby

from healthmate_bi_pipeline.catalog.alerts import KEPT
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.settings import CheckSettings, Severity
from healthmate_bi_pipeline.usecases.checks import CHECKS, CheckSpec, Judgement, Verdict, check
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.warehouse.check_results import CheckResult, record_result, results_since_trouble

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
        severity=severity_of(judgement, spec, pipeline.settings.checks),
        wrong=None if measured is None else measured.wrong,
        of=None if measured is None else measured.of,
        counts=None if measured is None else measured.counts,
        days=tuple(day for day in days if day != UNPARTITIONED)[:MOST_DAYS],
        run_id=pipeline.run_id,
    )
    with pipeline.warehouse.transaction() as connection:
        record_result(connection, result, keep=KEPT)
    return judgement


def severity_of(judgement: Judgement, spec: CheckSpec, settings: CheckSettings) -> Severity:
    """How grave a judgement is: what failed as the check says, what could not be checked may be next time."""
    match judgement.verdict:
        case Verdict.FAILED:
            return spec.severity_in(settings)
        case Verdict.ERROR:
            return Severity.WARNING
        case _:
            return Severity.INFO


def wrong_days(results: Iterable[CheckResult]) -> set[date]:
    """The days of a check whose last result was a failure; ``UNPARTITIONED`` for what has none.

    A result says of all days that it looked at whether they are right; of others it says nothing.
    """
    wrong: set[date] = set()
    for result in results:
        if result.verdict == Verdict.ERROR:
            continue
        window = Window.parse(result.window) if result.window else None
        wrong = {
            day for day in wrong if window is not None and not window.start <= midnight(day) < window.end
        }
        if result.verdict == Verdict.FAILED:
            wrong |= set(result.days) or ({window.first_day} if window is not None else {UNPARTITIONED})
    return wrong


def blocking_days(pipeline: Pipeline, checks: Iterable[CheckSpec] = CHECKS) -> dict[str, set[date]]:
    """The days that blocking checks last failed for, by asset: nothing is to be made from them."""
    settings = pipeline.settings.checks
    blocking = {
        (spec.asset, spec.name)
        for spec in checks
        if spec.is_blocking and spec.severity_in(settings) is Severity.CRITICAL
    }
    with pipeline.warehouse.transaction() as connection:
        results = results_since_trouble(connection)
    found: dict[str, set[date]] = {}
    for (asset, name), of_check in groupby(results, key=lambda result: (result.asset, result.check_name)):
        if (asset, name) in blocking and (days := wrong_days(of_check)):
            found.setdefault(asset, set()).update(days)
    return found
