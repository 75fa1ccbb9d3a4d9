"""Each channel against a real server: what arrives, and what is said when nothing does."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from healthmate_bi_pipeline.domain.alerts import Alert, Kind, News, advance
from healthmate_bi_pipeline.errors import DeliveryError
from healthmate_bi_pipeline.messaging import smtp, webhook
from healthmate_bi_pipeline.messaging.channels import build_channels
from healthmate_bi_pipeline.messaging.log import LogChannel
from healthmate_bi_pipeline.messaging.message import SHOWN, Message
from healthmate_bi_pipeline.messaging.smtp import SmtpChannel
from healthmate_bi_pipeline.messaging.webhook import WebhookChannel
from healthmate_bi_pipeline.settings import (
    AlertSettings,
    LogSettings,
    Severity,
    SmtpSettings,
    WebhookSettings,
)
from healthmate_bi_pipeline_tests.receivers import (
    PASSWORD,
    USER,
    Authority,
    Hook,
    MailServer,
    hook_server,
    mail_server,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TOKEN = "T0PSECRET-token-4711"


def message(*alerts: Alert, ui_url: str | None = "https://dagster.example.org/") -> Message:
    moved = advance([], alerts, is_judged=lambda _: True, now=NOW, settle=NOW - NOW)
    return Message(NOW, News(opened=moved.kept), ui_url)


RUN = Alert(
    Kind.RUN, "raw/users", Severity.CRITICAL, "3 runs of raw/users failed.", {"attempts": 3}, "runs/abc"
)
CHECK = Alert(Kind.CHECK, "raw/users:rows_add_up", Severity.WARNING, "5 < 7 & <!channel> rows.", {"wrong": 5})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as opened:
        yield opened


def mail(server: MailServer, authority: Authority | None, **changed: object) -> SmtpChannel:
    settings = {
        "host": "localhost",
        "port": server.port,
        "security": "starttls" if authority else "none",
        "user": USER if authority else None,
        "password": PASSWORD if authority else None,
        "ca_file": authority.file if authority else None,
        "sender": "bi@example.org",
        "recipients": ("on-call@example.org", "data@example.org"),
        **changed,
    }
    return SmtpChannel(SmtpSettings.model_validate(settings))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_encrypted_after_a_login(authority: Authority, security: str) -> None:
    with mail_server(authority, is_tls=security == "tls") as server:
        user = USER if security == "starttls" else None
        mail(server, authority, security=security, user=user).send(message(RUN, CHECK))
    (sent,) = server.mails
    assert sent["Subject"] == "HealthMate BI: 2 new (critical)"
    assert (sent["From"], sent["To"]) == ("bi@example.org", "on-call@example.org, data@example.org")
    assert server.recipients == [["on-call@example.org", "data@example.org"]]
    assert sent["Auto-Submitted"] == "auto-generated"
    (text,) = server.texts
    assert "[critical] 3 runs of raw/users failed.\n    since 2026-03-10 12:00 UTC" in text
    assert "https://dagster.example.org/runs/abc" in text
    assert "healthmate-bi run" in text  # what to do
    assert text.index("3 runs") < text.index("5 < 7")


def test_a_local_server_needs_neither() -> None:
    with mail_server() as server:
        mail(server, None).send(message(RUN))
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, r"did not take the message \(SMTPAuthenticationError, 535\)"),
        ({"user": None}, r"did not take the message \(SMTP\w+, 530\)"),
        ({"security": "none", "user": None}, r"did not take the message \(SMTP\w+, 530\)"),
        (
            {"ca_file": None},
            r"cannot be trusted \(.*self-signed|cannot be trusted \(unable to get local issuer",
        ),
        ({"host": "127.0.0.1"}, r"cannot be trusted \(IP address mismatch"),
        ({"port": 1}, r"was not reached \(Connection refused\)"),
    ],
)
def test_a_mail_server_that_does_not_take_it_is_told_without_secrets(
    authority: Authority, changed: dict[str, object], said: str
) -> None:
    with mail_server(authority) as server, pytest.raises(DeliveryError, match=said) as failed:
        mail(server, authority, **changed).send(message(RUN))
    assert server.mails == []
    for secret in (PASSWORD, USER, "wrong", "example.org"):
        assert secret not in str(failed.value)
    assert failed.value.__cause__ is None


def test_what_the_mail_server_says_is_not_repeated() -> None:
    with mail_server() as server:
        server.refusing = "554 5.7.1 the subject 'Jane Doe' is refused"
        with pytest.raises(DeliveryError, match=r"\(SMTPDataError, 554\)") as failed:
            mail(server, None).send(message(RUN))
    assert "Jane" not in str(failed.value)


def test_a_mail_server_that_says_nothing_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch, hook: Hook
) -> None:
    """A web server does not greet whoever connects."""
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.2)
    silent = MailServer(port=int(hook.url.rpartition(":")[2]))
    with pytest.raises(DeliveryError, match="SMTPServerDisconnected"):
        mail(silent, None).send(message(RUN))


def posting(hook: Hook, **changed: object) -> WebhookChannel:
    url = f"{hook.url}/services/{TOKEN}"
    return WebhookChannel("chat", WebhookSettings.model_validate({"url": url, **changed}))


def test_slack_gets_one_text_in_its_own_markup(hook: Hook) -> None:
    posting(hook).send(message(RUN, CHECK))
    ((path, headers, body),) = hook.posts
    assert path == f"/services/{TOKEN}"
    assert headers["Content-Type"] == "application/json"
    assert list(body) == ["text"]
    lines = body["text"].splitlines()
    assert lines[0] == "*HealthMate BI: 2 new (critical)*"
    assert "<https://dagster.example.org/runs/abc|Dagster>" in lines[2]
    assert "5 &lt; 7 &amp; &lt;!channel&gt; rows." in lines[3]  # nobody is called by what stands in a text


def test_programs_get_everything(hook: Hook) -> None:
    posting(hook, format="json", headers={"Authorization": f"Bearer {TOKEN}"}).send(message(RUN))
    ((_, headers, body),) = hook.posts
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert (body["severity"], body["subject"]) == ("critical", "HealthMate BI: 1 new (critical)")
    assert (body["worsened"], body["reminded"], body["resolved"]) == ([], [], [])
    assert body["opened"] == [
        {
            "fingerprint": "run:raw/users", "kind": "run", "subject": "raw/users", "severity": "critical",
            "summary": "3 runs of raw/users failed.", "counts": {"attempts": 3},
            "opened_at": "2026-03-10T12:00:00+00:00", "last_seen_at": "2026-03-10T12:00:00+00:00",
            "cleared_at": None, "resolved_at": None, "link": "https://dagster.example.org/runs/abc",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_webhook_that_does_not_take_it_is_told_without_secrets(hook: Hook, status: int) -> None:
    hook.status = status
    with pytest.raises(DeliveryError, match=f"status {status}") as failed:
        posting(hook).send(message(RUN))
    assert TOKEN not in str(failed.value)
    assert len(hook.posts) == 1  # a redirection is not followed


def test_a_webhook_that_does_not_answer_is_not_waited_for_long(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", (0.2, 0.2))
    hook.seconds = 1
    with pytest.raises(DeliveryError, match=r"not reached \(ReadTimeout\)"):
        posting(hook).send(message(RUN))


def test_a_webhook_that_is_not_there_is_told_without_its_address() -> None:
    with pytest.raises(DeliveryError, match=r"not reached \(ConnectionError\)") as failed:
        posting(Hook("http://localhost:1")).send(message(RUN))
    assert TOKEN not in repr(failed.value)
    assert failed.value.__cause__ is None


def test_a_webhook_is_trusted_by_its_certificate_only(authority: Authority) -> None:
    with hook_server(authority) as hook:
        with pytest.raises(DeliveryError, match="SSLError"):
            posting(hook).send(message(RUN))
        posting(hook, ca_file=authority.file).send(message(RUN))
    assert len(hook.posts) == 1


def test_the_log_gets_a_line_each(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        LogChannel(LogSettings()).send(message(RUN, CHECK))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("CRITICAL", "alert opened: run:raw/users: 3 runs of raw/users failed."),
        ("WARNING", "alert opened: check:raw/users:rows_add_up: 5 < 7 & <!channel> rows."),
    ]


def test_the_log_may_be_a_file(tmp_path: Path) -> None:
    channel = LogChannel(LogSettings(path=tmp_path / "logs" / "alerts.jsonl"))
    channel.send(message(RUN))
    channel.send(message(CHECK))
    lines = [json.loads(line) for line in (tmp_path / "logs" / "alerts.jsonl").read_text().splitlines()]
    assert [(line["event"], line["kind"]) for line in lines] == [("opened", "run"), ("opened", "check")]
    with pytest.raises(DeliveryError, match="cannot be written"):
        LogChannel(LogSettings(path=tmp_path)).send(message(RUN))


def test_a_long_message_is_cut_for_people_and_whole_for_programs() -> None:
    many = [
        Alert(Kind.OVERDUE, f"raw/{number:03}", Severity.WARNING, f"No. {number}.") for number in range(40)
    ]
    long = message(*many, ui_url=None)
    for text in (long.text(), long.slack_text()):
        assert text.count("No. ") == SHOWN
        assert "… and 25 more: healthmate-bi alerts" in text
    assert len(long.as_json()["opened"]) == 40
    assert len(long.slack_text()) < 4000


def test_every_channel_of_the_settings_is_there() -> None:
    settings = AlertSettings.model_validate(
        {
            "smtp": {"host": "mail", "sender": "a@b", "recipients": ["c@d"], "minimum_severity": "critical"},
            "webhooks": {"b": {"url": "https://b"}, "a": {"url": "https://a", "minimum_severity": "info"}},
        }
    )
    assert [(channel.name, channel.minimum_severity) for channel in build_channels(settings)] == [
        ("log", "warning"), ("smtp", "critical"), ("webhook:a", "info"), ("webhook:b", "warning"),
    ]  # fmt: skip
