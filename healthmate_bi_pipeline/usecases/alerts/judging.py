"""Which alerts hold now, from facts alone.

Subjects and sentences are made of names of the graph, of checks, services and thresholds, of days and of counts: never
of an error's text, a file's name or a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from healthmate_bi_pipeline.catalog.alerts import (
    CRITICAL_ATTEMPTS,
    DAILY_ARRIVALS,
    LEAST_BREACH_MINUTES,
    RUN_PATIENCE,
    URGENCIES,
)
from healthmate_bi_pipeline.catalog.performance import THRESHOLDS
from healthmate_bi_pipeline.domain.alerts import Alert, Kind
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.settings import AlertSettings, Severity
from healthmate_bi_pipeline.usecases.alerts.facts import Facts
from healthmate_bi_pipeline.usecases.check_results import wrong_days
from healthmate_bi_pipeline.usecases.checks import CHECKS, Verdict
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED
from healthmate_bi_pipeline.warehouse.alerts import Arrivals, EndedRun
from healthmate_bi_pipeline.warehouse.check_results import CheckResult
from healthmate_bi_pipeline.warehouse.performance_queries import Incident

JOB_PREFIX = "job/"
"""What is no asset but a job of Dagster's is called so, with its name behind."""

_COUNTED = {check.name: check.counted for check in CHECKS}
_EVER = Window(datetime(1, 1, 1), datetime(9999, 12, 31))
_LONGEST_NAME = 80


def judge_facts(facts: Facts, settings: AlertSettings, *, now: datetime) -> list[Alert]:
    """The alerts that hold, each once.

    Args:
        facts: what is judged.
        settings: how long what may last.
        now: the instant, with its zone.
    """
    return [
        *_failed_runs(facts),
        *_failed_checks(facts.results),
        *_incidents(facts.incidents),
        *_overdue(facts, settings),
        *_silences(facts.arrivals, settings, now=now),
    ]


def _failed_runs(facts: Facts) -> Iterator[Alert]:
    ordered = sorted(facts.runs, key=lambda run: run.asset)  # stable: in each asset by time
    for asset, of_asset in groupby(ordered, key=lambda run: run.asset):
        runs = list(of_asset)
        left = _left_to_make(runs)
        is_made_since = runs[-1].has_succeeded and not _touches(left, facts.stale.get(asset, ()))
        if not left or is_made_since:
            continue
        last = max(number for number, run in enumerate(runs) if not run.has_succeeded)
        first = 1 + max((n for n, run in enumerate(runs[:last]) if run.has_succeeded), default=-1)
        attempts = len({run.run_id for run in runs[first : last + 1]})
        yield Alert(
            kind=Kind.RUN,
            subject=asset,
            severity=Severity.CRITICAL if attempts >= CRITICAL_ATTEMPTS else Severity.WARNING,
            summary=f"{_plural(attempts, 'run')} of {asset} failed{_days(left)}, the last at"
            f" {runs[last].started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
            counts={"attempts": attempts},
            page=f"runs/{runs[last].run_id}",
            since=runs[last].started_at,
            patience=RUN_PATIENCE,
        )


def _left_to_make(runs: Iterable[EndedRun]) -> list[Window]:
    """What failed and was not made since; ``_EVER`` for what has no days."""
    left: list[Window] = []
    for run in runs:
        window = Window.parse(run.window) if run.window else _EVER
        left = [part for one in left for part in one.without(window)]
        if not run.has_succeeded:
            left.append(window)
    return sorted(left)


def _touches(windows: Sequence[Window], days: Iterable[date]) -> bool:
    return any(window.start <= midnight(day) < window.end for window in windows for day in days)


def _failed_checks(results: Iterable[CheckResult]) -> Iterator[Alert]:
    for (asset, name), of_check in groupby(results, key=lambda result: (result.asset, result.check_name)):
        found = list(of_check)
        last = found[-1]
        page = f"assets/{asset}?view=checks&checkDetail={name}"
        wrong = wrong_days(found)
        if wrong:
            failed = max((one for one in found if one.verdict == Verdict.FAILED), key=lambda one: one.at)
            yield Alert(
                kind=Kind.CHECK,
                subject=f"{asset}:{name}",
                severity=failed.severity,
                summary=f"The check {name} of {asset} failed{_of_days(wrong)}: {failed.wrong} of {failed.of}"
                f" {_COUNTED.get(name, 'rows')}.",
                counts={
                    "wrong": failed.wrong or 0,
                    "of": failed.of or 0,
                    "days": len(wrong - {UNPARTITIONED}),
                },
                page=page,
            )
        elif last.verdict == Verdict.ERROR:
            yield Alert(
                kind=Kind.CHECK,
                subject=f"{asset}:{name}",
                severity=last.severity,
                summary=f"The check {name} of {asset} could not be made.",
                page=page,
            )


def _incidents(incidents: Iterable[Incident]) -> Iterator[Alert]:
    thresholds = {threshold.name: threshold for threshold in THRESHOLDS}

    def subject_of(incident: Incident) -> str:
        place = f"{_name(incident.environment)}/{_name(incident.service_name)}"
        return f"{place}:{incident.threshold}"

    for subject, of_subject in groupby(sorted(incidents, key=subject_of), key=subject_of):
        found = list(of_subject)
        last = max(found, key=lambda incident: incident.ended_at)
        alert = thresholds[last.threshold].alert
        minutes = sum(incident.breach_minutes for incident in found)
        if alert is not None:
            severity = URGENCIES[alert.urgency]
        else:
            severity = Severity.WARNING if minutes >= LEAST_BREACH_MINUTES else Severity.INFO
        worst = max(incident.worst_value for incident in found)
        unit = "" if last.unit == "1" else f" {last.unit}"
        yield Alert(
            kind=Kind.INCIDENT,
            subject=subject,
            severity=severity,
            summary=f"{_name(last.service_name)} ({_name(last.environment)}) breaks {last.threshold}: {minutes} minutes"
            f" up to {last.ended_at:%Y-%m-%d %H:%M} UTC, at worst {worst:.4g}{unit}, limit {last.limit_value:.4g}{unit}.",
            counts={
                "breach_minutes": minutes,
                "worst_value": worst,
                "limit_value": last.limit_value,
                "requests": sum(incident.requests for incident in found),
                "errors": sum(incident.errors for incident in found),
            },
            page="assets/system_performance/incidents",
        )


def _overdue(facts: Facts, settings: AlertSettings) -> Iterator[Alert]:
    for asset, days in (facts.overdue or {}).items():
        is_whole = days[0] == UNPARTITIONED
        what = "is" if is_whole else f"has {_plural(len(days), 'partition')}{_of_days(days)} that are"
        yield Alert(
            kind=Kind.OVERDUE,
            subject=asset,
            severity=Severity.WARNING,
            summary=f"{asset} {what} missing or stale.",
            counts={"partitions": len(days)},
            page=f"assets/{asset}",
            patience=timedelta(hours=settings.overdue_hours),
        )


def _silences(arrivals: Iterable[Arrivals], settings: AlertSettings, *, now: datetime) -> Iterator[Alert]:
    for found in arrivals:
        silent = now - found.last_at
        if found.days >= DAILY_ARRIVALS and silent > timedelta(hours=settings.silent_hours):
            yield Alert(
                kind=Kind.SILENCE,
                subject=found.dataset,
                severity=Severity.WARNING,
                summary=f"No rows of {found.dataset} have come since {found.last_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
                counts={"hours": int(silent / timedelta(hours=1))},
                page=f"assets/staged/{found.dataset}",
            )


def _plural(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _of_days(days: Iterable[date]) -> str:
    known = sorted(day for day in days if day != UNPARTITIONED)
    if not known:
        return ""
    return f" from {known[0]} to {known[-1]}" if known[0] != known[-1] else f" of {known[0]}"


def _days(windows: Sequence[Window]) -> str:
    if _EVER in windows:
        return ""
    return f" for {Window(windows[0].start, max(window.end for window in windows))}"


def _name(text: str) -> str:
    """A name that comes with the data, without what could act as markup or start a line."""
    return re.sub(r"[^\w.\-]+", "_", text)[:_LONGEST_NAME]
