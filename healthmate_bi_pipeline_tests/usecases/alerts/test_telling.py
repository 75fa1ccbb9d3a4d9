"""From the books to the channels: real rows, a real mail server, a real server for webhooks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import BusyError
from healthmate_bi_pipeline.settings import AlertSettings, Settings, Severity
from healthmate_bi_pipeline.usecases.alerts.listing import list_alerts
from healthmate_bi_pipeline.usecases.alerts.telling import (
    LOCK,
    Delivery,
    Evaluation,
    tell_alerts,
    try_channels,
)
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books, runs
from healthmate_bi_pipeline.warehouse.check_results import CheckResult, record_result
from healthmate_bi_pipeline_tests.receivers import (
    PASSWORD,
    USER,
    Authority,
    Hook,
    MailServer,
    hook_server,
    mail_server,
)
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TOKEN = "T0PSECRET-token-4711"
DAY = date(2026, 3, 2)


@dataclass
class Desk:
    """A pipeline whose clock the test sets, and the servers that its alerts go to."""

    pipeline: Pipeline
    mail: MailServer
    hook: Hook
    now: datetime = NOW
    evaluations: list[Evaluation] = field(default_factory=list)

    def tick(self, *, minutes: float = 1) -> Evaluation:
        self.now += timedelta(minutes=minutes)
        self.evaluations.append(tell_alerts(replace(self.pipeline, now=self.now)))
        return self.evaluations[-1]

    def fail(self, asset: str = "raw/users", *, outcome: str = "failed", day: date | None = None) -> None:
        run_id = f"{uuid4()}:{asset}:0"
        window = str(Window.of_days(day, day)) if day else None
        with self.pipeline.warehouse.transaction() as connection:
            runs.start_run(connection, run_id=run_id, assets=[asset], window=window, now=self.now)
            runs.finish_run(connection, run_id=run_id, outcome=outcome, rows=0, now=self.now)

    def mend(self, asset: str = "raw/users", *, day: date | None = None) -> None:
        self.fail(asset, outcome="succeeded", day=day)

    def check(self, verdict: str, *, name: str = "rows_add_up") -> None:
        failed = verdict == "failed"
        found = CheckResult(
            "raw/health_readings", name, str(Window.of_days(DAY, DAY)), self.now, verdict, Severity.CRITICAL, 5 * failed,
            14, {"kept": 9}, (DAY,) if failed else (), "r",
        )  # fmt: skip
        with self.pipeline.warehouse.transaction() as connection:
            record_result(connection, found, keep=timedelta(days=400))

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"].removeprefix("HealthMate BI: ") for mail in self.mail.mails]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def desk(settings: Settings, authority: Authority) -> Iterator[Desk]:
    with mail_server(authority) as mail, hook_server() as hook:
        alerts = AlertSettings.model_validate(
            {
                "smtp": {
                    "host": "localhost", "port": mail.port, "user": USER, "password": PASSWORD, "ca_file": authority.file,
                    "sender": "bi@example.org", "recipients": ["on-call@example.org"],
                },
                "webhooks": {"chat": {"url": f"{hook.url}/{TOKEN}", "format": "json"}},
            }
        )  # fmt: skip
        with opened(settings.model_copy(update={"alerts": alerts}), now=NOW) as pipeline:
            yield Desk(pipeline, mail, hook)


def test_nothing_is_told_where_all_is_well(desk: Desk) -> None:
    assert desk.tick() == Evaluation([], [])
    assert (desk.mail.mails, desk.hook.posts) == ([], [])


def test_what_is_wrong_at_once_is_one_message_and_told_once(desk: Desk) -> None:
    desk.fail("raw/users")
    desk.fail("state/health_days", day=DAY)
    desk.fail("raw/app_events", outcome="abandoned", day=DAY)
    desk.check("failed")
    desk.tick(minutes=5)
    assert desk.subjects == ["4 new (critical)"]
    (text,) = desk.mail.texts
    for expected in (
        "[critical] The check rows_add_up of raw/health_readings failed of 2026-03-02: 5 of 14 rows.",
        "[warning] 1 run of raw/users failed, the last at 2026-03-10 12:00 UTC.",
        "[warning] 1 run of state/health_days failed for 2026-03-02",
        "[warning] 1 run of raw/app_events failed for 2026-03-02",
        "When a run failed: ",
        "When a check failed: ",
    ):
        assert expected in text
    (body,) = desk.hook.bodies
    assert [one["fingerprint"] for one in body["opened"]] == [
        "check:raw/health_readings:rows_add_up", "run:raw/app_events", "run:raw/users", "run:state/health_days",
    ]  # fmt: skip
    for _ in range(10):
        desk.tick()
    assert (len(desk.mail.mails), len(desk.hook.posts)) == (1, 1)


def test_what_was_mended_is_told_once(desk: Desk) -> None:
    desk.fail()
    desk.check("failed")
    desk.tick(minutes=5)
    desk.mend()
    desk.check("passed")
    for _ in range(15):
        desk.tick()
    assert desk.subjects == ["2 new (critical)", "2 over"]
    over = desk.hook.bodies[1]["resolved"]
    assert [one["fingerprint"] for one in over] == ["check:raw/health_readings:rows_add_up", "run:raw/users"]
    assert over[0]["cleared_at"] == "2026-03-10T12:06:00+00:00"
    assert list_alerts(desk.pipeline.warehouse, now=desk.now) == []
    assert len(list_alerts(desk.pipeline.warehouse, now=desk.now, every=True)) == 2


def test_what_comes_and_goes_is_one_alert(desk: Desk) -> None:
    desk.fail()
    desk.tick(minutes=5)
    for _ in range(4):
        desk.mend()
        desk.tick(minutes=3)
        desk.fail()
        desk.tick(minutes=3)
    assert desk.subjects == ["1 new (warning)"]
    (open_one,) = list_alerts(desk.pipeline.warehouse, now=desk.now)
    assert open_one.returns == 4


def test_a_run_that_is_tried_again_at_once_is_nobodys_business(desk: Desk) -> None:
    desk.fail()
    desk.tick()
    desk.mend()
    desk.tick()
    assert desk.mail.mails == []
    assert list_alerts(desk.pipeline.warehouse, now=desk.now, every=True) == []


def test_what_becomes_worse_is_told(desk: Desk) -> None:
    for _ in range(4):
        desk.fail()
        desk.tick(minutes=5)
    assert desk.subjects == ["1 new (warning)", "1 worse (critical)"]


def test_who_knows_is_reminded_after_a_day(desk: Desk) -> None:
    desk.fail()
    desk.tick(minutes=5)
    desk.fail("raw/app_events", day=DAY)
    desk.tick(minutes=60 * 12)
    for _ in range(4):
        desk.tick(minutes=60 * 12)
    assert desk.subjects == [
        "1 new (warning)",
        "1 new (warning)",
        "2 still open (warning)",
        "2 still open (warning)",
    ]


def test_a_channel_that_is_down_keeps_no_other_from_being_told_and_is_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.hook.status = 500
    desk.fail()
    found = desk.tick(minutes=5)
    failure = "The webhook did not take the message (status 500)."
    assert found.deliveries == [
        Delivery("log", 1), Delivery("smtp", 1), Delivery("webhook:chat", 0, failure),
    ]  # fmt: skip
    assert f"alerts: webhook:chat: {failure} It is tried again." in caplog.messages
    desk.tick()
    desk.tick()
    # Those who can be reached are told, once, that somebody else cannot.
    assert desk.subjects == ["1 new (warning)", "1 new (warning)"]
    assert "The channel webhook:chat does not take messages." in desk.mail.texts[1]
    assert len(desk.hook.posts) == 3
    desk.hook.status = 200
    desk.tick()
    assert {one["kind"] for one in desk.hook.bodies[-1]["opened"]} == {"run", "channel"}
    for _ in range(12):
        desk.tick()
    assert desk.subjects[2:] == ["1 over"]
    assert len(desk.hook.posts) == 5
    assert [one["fingerprint"] for one in desk.hook.bodies[-1]["resolved"]] == ["channel:webhook:chat"]


def test_a_channel_that_is_gone_from_the_settings_is_no_trouble_any_more(desk: Desk) -> None:
    desk.hook.status = 500
    desk.fail()
    desk.tick(minutes=5)
    alerts = desk.pipeline.settings.alerts.model_copy(update={"webhooks": {}})
    settings = desk.pipeline.settings.model_copy(update={"alerts": alerts})
    desk.pipeline = replace(desk.pipeline, settings=settings)
    desk.tick()
    assert [one.fingerprint for one in desk.tick(minutes=15).open] == ["run:raw/users"]


def test_one_that_was_killed_after_the_message_tells_it_twice_and_never_not_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the mail and the books of it."""
    desk.fail()
    take = MailServer.handle_DATA

    async def take_and_die(self: MailServer, *arguments: object) -> str:
        answer = await take(self, *arguments)  # type: ignore[arg-type]
        with desk.pipeline.warehouse.transaction() as connection:
            connection.execute(text("ALTER TABLE bi_alerts RENAME TO bi_alerts_away"))
        return answer

    monkeypatch.setattr(MailServer, "handle_DATA", take_and_die)
    with pytest.raises(Exception, match="bi_alerts"):
        desk.tick(minutes=5)
    monkeypatch.undo()
    with desk.pipeline.warehouse.transaction() as connection:
        connection.execute(text("ALTER TABLE bi_alerts_away RENAME TO bi_alerts"))
    desk.tick()
    desk.tick()
    assert desk.subjects == ["1 new (warning)"] * 2
    assert len(desk.hook.posts) == 1


def test_two_at_once_do_not_tell_it_twice(desk: Desk) -> None:
    desk.fail()
    desk.now += timedelta(minutes=5)
    desk.hook.seconds = 0.3
    threads = [threading.Thread(target=desk.tick, kwargs={"minutes": 0}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(desk.mail.mails), len(desk.hook.posts)) == (1, 1)
    with desk.pipeline.warehouse.hold_alone(LOCK), pytest.raises(BusyError):
        tell_alerts(desk.pipeline, wait_seconds=0.1)


def test_incidents_that_go_on_are_told_and_older_ones_are_not(desk: Desk) -> None:
    with desk.pipeline.warehouse.transaction() as connection:
        for service, ended in (("api", "2026-03-10 11:50"), ("web", "2026-03-10 09:00")):
            connection.execute(
                text(
                    "INSERT INTO bi_performance_incidents VALUES (:service, 'production', 'burn_1h', '2026-03-10 08:00',"
                    " :ended, 50, 20, 14.4, '1', 1000, 20)"
                ),
                {"service": service, "ended": ended},
            )
    desk.tick()
    assert desk.subjects == ["1 new (critical)"]
    assert "api (production) breaks burn_1h" in desk.mail.texts[0]
    desk.tick(minutes=110)
    desk.tick(minutes=10)
    assert desk.subjects == ["1 new (critical)", "1 over"]


def test_a_dataset_that_does_not_come_any_more_is_told(desk: Desk) -> None:
    with desk.pipeline.warehouse.transaction() as connection:
        for ago in range(2, 9):
            for dataset, is_daily in (("app_events", True), ("symptom_logs", ago < 5)):
                if is_daily:
                    _register(connection, dataset, NOW - timedelta(days=ago))
        for _ in range(9):  # years of history, taken in at once
            _register(connection, "sleep_sessions", NOW - timedelta(days=10))
    desk.tick(minutes=0)
    assert desk.subjects == []
    desk.tick(minutes=1)
    assert desk.subjects == ["1 new (warning)"]
    assert "No rows of app_events have come since 2026-03-08 12:00 UTC." in desk.mail.texts[0]


def _register(connection, dataset: str, at: datetime) -> None:  # type: ignore[no-untyped-def]
    account = books.FileAccount(
        uuid4().hex, dataset, uuid4().int % 10**9, "f", 1, 1, 1, 0, 1, 0, at, days={DAY: 1}
    )
    books.register_files(connection, [account])


def test_days_that_are_not_made_are_told_after_a_while(desk: Desk) -> None:
    event = {"user_id": 1, "event": "page_view", "name": "home", "occurred_at": f"{DAY}T08:00:00Z"}
    drop_file(desk.pipeline.settings, "app_events/e.csv", csv_text([event]))
    refresh(desk.pipeline, names=["staged/app_events"])
    desk.tick()
    desk.tick(minutes=23 * 60)
    assert desk.subjects == []
    overdue = desk.tick(minutes=61).open
    assert [one.fingerprint for one in overdue] == ["overdue:raw/app_events"]
    assert desk.subjects == ["1 new (warning)"]
    assert (
        "raw/app_events has 3 partitions from 2026-03-01 to 2026-03-03 that are missing or stale."
        in (desk.mail.texts[0])
    )
    refresh(desk.pipeline, names=["raw/app_events"])
    # A look that is not thorough says nothing of it.
    tell_alerts(replace(desk.pipeline, now=desk.now + timedelta(minutes=30)), is_thorough=False)
    assert desk.subjects == ["1 new (warning)"]
    desk.tick(minutes=40)
    desk.tick(minutes=15)
    assert desk.subjects == ["1 new (warning)", "1 over"]


def test_what_ended_long_ago_is_forgotten(desk: Desk) -> None:
    desk.fail()
    desk.tick(minutes=5)
    desk.mend()
    desk.tick()
    desk.tick(minutes=15)
    assert len(query(desk.pipeline, "SELECT * FROM bi_alerts")) == 1
    desk.tick(minutes=401 * 1440)
    assert len(query(desk.pipeline, "SELECT * FROM bi_alerts")) == 0


def test_no_secret_is_in_a_message_a_log_a_table_or_the_settings_as_text(
    desk: Desk, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.fail()
    desk.tick(minutes=5)
    desk.hook.status = 500
    desk.mail.refusing = f"554 {PASSWORD} {TOKEN}"
    desk.fail("raw/app_events", day=DAY)
    found = desk.tick(minutes=5)
    assert [bool(one.failure) for one in found.deliveries] == [False, True, True]
    tried = try_channels(desk.pipeline.settings.alerts, now=desk.now)
    kept = query(desk.pipeline, "SELECT * FROM bi_alerts").to_csv()
    everything = [
        *desk.mail.texts, *map(str, desk.hook.bodies), str(found), str(tried), kept, repr(desk.pipeline.settings),
        str(desk.pipeline.settings),
    ]  # fmt: skip
    # The library tells the path of a request to who asks for all that it does, and the mail server its own words.
    everything += [
        record.getMessage() for record in caplog.records if not record.name.startswith(("urllib3", "mail"))
    ]
    for secret in (TOKEN, PASSWORD):
        assert not any(secret in text for text in everything)


def test_every_channel_is_tried_and_says_how_it_answered(desk: Desk) -> None:
    assert try_channels(desk.pipeline.settings.alerts, now=NOW) == {"log": "", "smtp": "", "webhook:chat": ""}
    assert desk.subjects == ["a test"]
    desk.hook.status = 403
    assert try_channels(desk.pipeline.settings.alerts, now=NOW)["webhook:chat"].endswith("(status 403).")
