"""What the settings may say of how long things are kept, and what is nonsense."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from healthmate_bi_pipeline.catalog.datasets import BILLING_EVENTS, USERS
from healthmate_bi_pipeline.catalog.retention import DATASETS_KEPT_FOR, STATES_KEPT_FOR, retention_rules
from healthmate_bi_pipeline.domain.keeping import Keeping, Unit
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import RetentionSettings, load_settings

DELAY = timedelta(hours=84)


def test_the_defaults() -> None:
    rules = retention_rules(RetentionSettings(), delay=DELAY)
    assert not rules.is_enabled
    assert {str(period): str(keeping) for period, keeping in rules.periods.items()} == {
        "hourly": "30 days", "daily": "365 days", "weekly": "104 weeks", "monthly": "60 months", "quarterly": "None",
        "yearly": "None",
    }  # fmt: skip
    assert {str(keeping) for keeping in rules.reports.values()} == {"2555 days"}
    assert (rules.datasets, rules.states) == ({}, {})


def test_what_may_be_named() -> None:
    assert not {USERS, BILLING_EVENTS} & set(DATASETS_KEPT_FOR)
    assert STATES_KEPT_FOR["health_days"] == (Period.DAILY, Period.WEEKLY)
    assert not [name for name in STATES_KEPT_FOR if "months" in name]


def test_settings_come_from_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "healthmate.toml").write_text(
        '[retention]\nenabled = true\nreports = "7 years"\nperiods = { hourly = "14 days", daily = "for ever" }\n'
        '[retention.report_types]\ncompliance = "for ever"\n'
    )
    monkeypatch.setenv("HEALTHMATE_RETENTION__PERIODS__HOURLY", "60 days")
    monkeypatch.setenv("HEALTHMATE_RETENTION__DATASETS__HEALTH_READINGS", "400 days")
    settings = load_settings()
    rules = retention_rules(settings.retention, delay=settings.period.delay)
    assert rules.is_enabled
    assert rules.periods[Period.HOURLY] == Keeping(60, Unit.DAYS)
    assert rules.periods[Period.DAILY] is None
    assert rules.reports["compliance"] is None
    assert rules.reports["financial"] == Keeping(7, Unit.YEARS)
    assert rules.datasets == {"health_readings": Keeping(400, Unit.DAYS)}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"periods": {"minutely": "1 day"}}, "retention.periods.minutely: there is no such thing"),
        ({"periods": {"hourly": "3 days"}}, "shorter than the 4 days that late data are waited for"),
        ({"report_types": {"weather": "9 years"}}, "retention.report_types.weather: there is no such thing"),
        ({"datasets": {"users": "400 days"}}, "it has to stay"),
        ({"datasets": {"billing_events": "400 days"}}, "it has to stay"),
        ({"datasets": {"health_readings": "61 days"}}, "Keep them for 62 days or longer"),
        ({"states": {"health_months": "9 years"}}, "it has to stay"),
        ({"states": {"health_days": "1 year"}}, r"shorter than retention.periods.weekly \(104 weeks\)"),
        ({"states": {"health_hours": "90 days"}, "periods": {"hourly": "for ever"}}, r"periods.hourly \(for ever\)"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(said: dict[str, Any], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        retention_rules(RetentionSettings(**said), delay=DELAY)


def test_a_time_that_is_none_is_refused() -> None:
    for said in ("soon", "0 days", "30", "-1 days", "30  days"):
        with pytest.raises(UsageError, match=r"retention\.runs"):
            load_settings(retention={"runs": said})


def test_a_cut_is_of_the_calendar() -> None:
    leap = date(2024, 2, 29)
    assert Keeping(1, Unit.YEARS).cut(leap) == date(2023, 2, 28)
    assert Keeping(60, Unit.MONTHS).cut(date(2026, 7, 10)) == date(2021, 7, 10)
    assert Keeping(104, Unit.WEEKS).cut(date(2026, 7, 10)) == date(2024, 7, 12)
    for count in range(1, 30):  # never fewer days than it is said to be
        keeping = Keeping(count, Unit.MONTHS)
        assert all(
            (day - keeping.cut(day)).days >= keeping.least_days
            for day in (leap + timedelta(days=n) for n in range(800))
        )
