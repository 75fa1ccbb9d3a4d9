"""Which alerts hold, from facts: the books that facts come from are tried in test_telling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from healthmate_bi_pipeline.domain.alerts import Alert
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import AlertSettings, Severity
from healthmate_bi_pipeline.usecases.alerts.facts import Facts
from healthmate_bi_pipeline.usecases.alerts.judging import judge_facts
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED
from healthmate_bi_pipeline.warehouse.alerts import Arrivals, EndedRun
from healthmate_bi_pipeline.warehouse.check_results import CheckResult
from healthmate_bi_pipeline.warehouse.performance_queries import Incident

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ASSET = "raw/health_readings"


def judged(
    *,
    runs: Sequence[EndedRun] = (),
    results: Sequence[CheckResult] = (),
    incidents: Sequence[Incident] = (),
    stale: Mapping[str, Sequence[date]] | None = None,
    overdue: Mapping[str, Sequence[date]] | None = None,
    arrivals: Sequence[Arrivals] = (),
) -> list[Alert]:
    facts = Facts(runs, results, incidents, arrivals, stale or {}, overdue)
    return judge_facts(facts, AlertSettings(), now=NOW)


def run(number: int, window: str | None, *, ok: bool, asset: str = ASSET) -> EndedRun:
    return EndedRun(asset, window, NOW - timedelta(minutes=60 - number), f"r{number}", has_succeeded=ok)


def march(first: int, last: int | None = None) -> str:
    return str(Window.of_days(date(2026, 3, first), date(2026, 3, last or first)))


@pytest.mark.parametrize(
    ("runs", "stale", "expected"),
    [
        ([(march(1), False)], (), 1),
        ([(march(1), False), (march(1), False)], (), 2),
        ([(march(1), False), (march(1), True)], (), 0),
        ([(march(1, 9), True), (march(1), False)], (), 1),
        # What was made since is subtracted, wherever it came in pieces.
        ([(march(1, 9), False), (march(1, 4), True), (march(5, 9), True)], (), 0),
        ([(march(1, 9), False), (march(1, 4), True), (march(6, 9), True)], (date(2026, 3, 5),), 1),
        # The asset was made since, and nothing of what failed is to be made any more.
        ([(march(1, 9), False), (march(1, 4), True)], (), 0),
        ([(march(1, 9), False), (march(1, 4), True)], (date(2026, 3, 20),), 0),
        # Other days do not mend it.
        ([(march(1), False), (march(2), True)], (date(2026, 3, 1),), 1),
        ([(None, False)], (), 1),
        ([(None, False), (None, True)], (), 0),
    ],
)
def test_a_run_that_failed_is_an_alert_until_its_days_were_made(
    runs: list[tuple[str | None, bool]], stale: tuple[date, ...], expected: int
) -> None:
    found = judged(
        runs=[run(number, window, ok=ok) for number, (window, ok) in enumerate(runs)], stale={ASSET: stale}
    )
    assert [alert.counts["attempts"] for alert in found] == ([expected] if expected else [])


def test_a_run_that_fails_again_and_again_is_critical() -> None:
    failing = [run(number, march(1), ok=False) for number in range(3)]
    (twice,), (thrice,) = judged(runs=failing[:2]), judged(runs=failing)
    assert (twice.severity, thrice.severity) == (Severity.WARNING, Severity.CRITICAL)
    assert thrice.fingerprint == "run:raw/health_readings"
    assert (
        thrice.summary
        == "3 runs of raw/health_readings failed for 2026-03-01, the last at 2026-03-10 11:02 UTC."
    )
    assert thrice.page == "runs/r2"
    # Attempts within one run are one.
    again = EndedRun(ASSET, march(1), NOW, "r2", has_succeeded=False)
    (same,) = judged(runs=[*failing, again])
    assert same.counts == {"attempts": 3}


def test_each_asset_is_an_alert_of_its_own() -> None:
    found = judged(runs=[run(0, None, ok=False, asset="raw/users"), run(1, march(1), ok=False)])
    assert [alert.subject for alert in found] == ["raw/health_readings", "raw/users"]


def result(number: int, window: str, verdict: str, *days: int, name: str = "rows_add_up") -> CheckResult:
    is_error = verdict == "error"
    return CheckResult(
        asset=ASSET,
        check_name=name,
        window=window,
        at=NOW + timedelta(minutes=number),
        verdict=verdict,
        severity=Severity.CRITICAL if verdict == "failed" else Severity.WARNING,
        wrong=None if is_error else 5 * (verdict == "failed"),
        of=None if is_error else 14,
        counts=None if is_error else {},
        days=tuple(date(2026, 3, day) for day in days),
        run_id=f"r{number}",
    )


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([(march(1, 9), "failed", 2, 5)], " from 2026-03-02 to 2026-03-05"),
        ([(march(1, 9), "failed", 2, 5), (march(2), "passed")], " of 2026-03-05"),
        ([(march(1, 9), "failed", 2, 5), (march(2), "passed"), (march(5), "passed")], None),
        ([(march(1, 9), "failed", 2, 5), (march(1, 9), "failed", 7)], " of 2026-03-07"),
        ([(march(1, 9), "failed", 2), ("", "passed")], None),
        # A run over other days does not mend it.
        ([(march(1, 9), "failed", 2), (march(3, 9), "passed")], " of 2026-03-02"),
        ([(march(1, 9), "failed", 2), (march(1, 9), "error")], " of 2026-03-02"),
        ([(march(1, 9), "failed", 2), (march(2), "not applicable")], None),
        ([("", "failed")], ""),
        ([("", "failed"), ("", "passed")], None),
        ([("", "passed"), ("", "passed")], None),
    ],
)
def test_a_check_that_failed_is_an_alert_until_its_days_passed(
    results: list[tuple[object, ...]], expected: str | None
) -> None:
    found = judged(results=[result(number, *of) for number, of in enumerate(results)])  # type: ignore[arg-type]
    sentences = (
        [] if expected is None else [f"The check rows_add_up of {ASSET} failed{expected}: 5 of 14 rows."]
    )
    assert [alert.summary for alert in found] == sentences
    assert [alert.severity for alert in found] == [Severity.CRITICAL] * len(sentences)


def test_what_a_check_counts_is_called_by_its_name() -> None:
    (found,) = judged(results=[replace(result(0, "", "failed"), check_name="columns_are_usual")])
    assert found.summary == f"The check columns_are_usual of {ASSET} failed: 5 of 14 files."


def test_a_check_that_could_not_be_made_is_an_alert_until_it_could() -> None:
    (found,) = judged(results=[result(0, "", "error")])
    assert found.summary == f"The check rows_add_up of {ASSET} could not be made."
    assert (found.severity, found.fingerprint) == (Severity.WARNING, f"check:{ASSET}:rows_add_up")
    assert judged(results=[result(0, "", "error"), result(1, march(1), "passed")]) == []


def incident(threshold: str, minutes: int, *, service: str = "api") -> Incident:
    return Incident(
        service, "production", threshold, datetime(2026, 3, 10, 11), datetime(2026, 3, 10, 11, 55), minutes, 20.0, 14.4,
        "1", 1000, 20,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "minutes", "severity"),
    [
        ("burn_1h", 5, Severity.CRITICAL),
        ("burn_6h", 5, Severity.CRITICAL),
        ("burn_1d", 5, Severity.WARNING),
        ("burn_3d", 5, Severity.WARNING),
        ("error_rate", 10, Severity.INFO),
        ("error_rate", 15, Severity.WARNING),
        ("response_time", 15, Severity.WARNING),
    ],
)
def test_what_calls_for_a_page_is_critical(threshold: str, minutes: int, severity: Severity) -> None:
    (found,) = judged(incidents=[incident(threshold, minutes)])
    assert (found.severity, found.fingerprint) == (severity, f"incident:production/api:{threshold}")


def test_incidents_of_one_threshold_are_one_alert() -> None:
    (found,) = judged(incidents=[incident("burn_1h", 20), incident("burn_1h", 10)])
    assert found.counts["breach_minutes"] == 30
    assert found.summary == (
        "api (production) breaks burn_1h: 30 minutes up to 2026-03-10 11:55 UTC, at worst 20, limit 14.4."
    )


def test_the_name_of_a_service_cannot_act_as_markup_or_start_a_line() -> None:
    (found,) = judged(incidents=[incident("burn_1h", 20, service="a\r\nBcc: x@y <!channel>" + "z" * 500)])
    assert "\n" not in found.summary
    assert "<" not in found.summary
    assert len(found.subject) < 200


def test_figures_that_are_overdue_are_told_after_a_while() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2)]
    found = judged(overdue={"health_metrics/daily": days, "raw/users": [UNPARTITIONED]})
    assert [alert.summary for alert in found] == [
        "health_metrics/daily has 2 partitions from 2026-03-01 to 2026-03-02 that are missing or stale.",
        "raw/users is missing or stale.",
    ]
    assert {alert.patience for alert in found} == {timedelta(hours=24)}


@pytest.mark.parametrize(
    ("days", "hours", "is_told"), [(7, 49, True), (7, 48, False), (5, 49, True), (4, 500, False)]
)
def test_a_dataset_that_came_daily_and_does_not_come_is_told(days: int, hours: int, is_told: bool) -> None:
    found = judged(arrivals=[Arrivals("app_events", NOW - timedelta(hours=hours), days)])
    assert [alert.fingerprint for alert in found] == ["silence:app_events"] * is_told
