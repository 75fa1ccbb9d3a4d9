"""Channels of alerts as people write them into healthmate.toml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Severity, load_settings


def test_nobody_is_told_by_default_but_the_log() -> None:
    alerts = load_settings().alerts
    assert (alerts.enabled, alerts.smtp, alerts.webhooks) == (False, None, {})
    assert alerts.log.path is None


def test_channels_are_written_in_the_file_and_secrets_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("healthmate.toml").write_text(
        """
[alerts]
enabled = true
ui_url = "https://dagster.example.org"

[alerts.smtp]
host = "mail.example.org"
user = "bi"
sender = "bi@example.org"
recipients = ["on-call@example.org"]

[alerts.webhooks.chat]
minimum_severity = "critical"
"""
    )
    monkeypatch.setenv("HEALTHMATE_ALERTS__SMTP__PASSWORD", "pa55")
    monkeypatch.setenv("HEALTHMATE_ALERTS__WEBHOOKS__CHAT__URL", "https://hooks.example.org/t0ken")
    monkeypatch.setenv("HEALTHMATE_ALERTS__WEBHOOKS__CHAT__HEADERS", '{"Authorization": "Bearer t0ken"}')
    settings = load_settings()
    assert settings.alerts.smtp is not None
    assert settings.alerts.smtp.password is not None
    assert settings.alerts.smtp.password.get_secret_value() == "pa55"
    assert (settings.alerts.smtp.port, settings.alerts.smtp.security) == (587, "starttls")
    chat = settings.alerts.webhooks["chat"]
    assert chat.url.get_secret_value() == "https://hooks.example.org/t0ken"
    assert chat.headers["Authorization"].get_secret_value() == "Bearer t0ken"
    assert (chat.format, chat.minimum_severity) == ("slack", Severity.CRITICAL)
    for secret in ("pa55", "t0ken"):
        assert secret not in repr(settings)
        assert secret not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            'webhooks.chat.url = "hooks.example.org/t0ken"',
            r"alerts.webhooks.chat.url: .*begins with https://",
        ),
        ('smtp = {host = "m", sender = "a@b", recipients = []}', "alerts.smtp.recipients"),
        ('smtp = {host = "m", sender = "a@b\\nBcc: t0ken@b", recipients = ["c@d"]}', "alerts.smtp.sender"),
        ('smtp = {host = "m", sender = "a@b", recipients = ["c@d, t0ken@d"]}', "alerts.smtp.recipients.0"),
        (
            'smtp = {host = "m", sender = "a@b", recipients = ["c@d"], security = "t0ken"}',
            "alerts.smtp.security",
        ),
        ('ui_url = "https://user:t0ken@dagster"', "alerts.ui_url"),
        ("remind_after_hours = -1", "alerts.remind_after_hours"),
        ("pager = true", "alerts.pager"),
    ],
)
def test_what_makes_no_sense_is_refused_without_its_value(written: str, told: str) -> None:
    Path("healthmate.toml").write_text(f"[alerts]\n{written}\n")
    with pytest.raises(UsageError, match=told) as refused:
        load_settings()
    assert "t0ken" not in str(refused.value)
