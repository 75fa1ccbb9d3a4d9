"""Something breaks, people are told, it is mended, people are told: over Dagster's real runs, by mail and webhook.

The rows are of a person whose values must not be found in any message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pyarrow as pa
import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.store import Lake, arrow_schema
from healthmate_bi_pipeline.orchestration.alerts import send_alerts
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.settings import AlertSettings, CheckSettings, Settings
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse
from healthmate_bi_pipeline_tests.receivers import Hook, MailServer, hook_server, mail_server
from healthmate_bi_pipeline_tests.running import csv_text, drop_file

pytestmark = pytest.mark.slow

DAYS = [date(2026, 3, day) for day in (2, 3, 4)]
ASSET = "raw/health_readings"
CHOSEN = ["staged/health_readings", "staged/users", "raw/users", ASSET]
PLANTED_ID, PLANTED_VALUE, PLANTED_TEXT = 987_654_321_012_345, 143.21987, "planted-source-of-a-person"
PLANTED = (str(PLANTED_ID), str(PLANTED_VALUE), PLANTED_TEXT)


@dataclass
class World:
    """Settings whose alerts go to real servers, and an instance of Dagster."""

    settings: Settings
    instance: dg.DagsterInstance
    mail: MailServer
    hook: Hook

    def look(self, *, minutes: float) -> list[str]:
        """What is open when it is looked at so many minutes from now."""
        now = datetime.now(UTC) + timedelta(minutes=minutes)
        found = send_alerts(self.settings, instance=self.instance, now=now)
        assert not any(delivery.failure for delivery in found.deliveries)
        return [episode.fingerprint for episode in found.open]

    def run(self, *days: date) -> None:
        """Make the readings: of some days, or what is stale."""
        arguments = {"first_day": days[0], "last_day": days[-1]} if days else {}
        run_pipeline(self.settings, instance=self.instance, select=CHOSEN, **arguments)

    def check(self) -> None:
        """Make the checks of the readings without making them, as one does in the UI."""
        definitions = build_definitions(self.settings)
        keys = {
            key
            for checks in definitions.asset_checks or ()
            for key in checks.check_keys
            if key.asset_key == dg.AssetKey(ASSET.split("/"))
        }
        job = definitions.resolve_implicit_global_asset_job_def()
        part = job.get_subset(asset_selection=set(), asset_check_selection=keys)
        part.execute_in_process(
            instance=self.instance, raise_on_error=False
        )  # fails where a blocking one does

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"].removeprefix("HealthMate BI: ") for mail in self.mail.mails]


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with mail_server() as mail, hook_server() as hook, dg.DagsterInstance.ephemeral() as instance:
        alerts = {
            "ui_url": "http://localhost:3000",
            "smtp": {
                "host": "localhost", "port": mail.port, "security": "none", "sender": "bi@example.org",
                "recipients": ["on-call@example.org"],
            },
            "webhooks": {"chat": {"url": f"{hook.url}/hook"}},
        }  # fmt: skip
        # One of the four rows is bad on purpose.
        checks = CheckSettings(tolerated={"few_rows_set_aside": 1.0})
        told = settings.model_copy(update={"alerts": AlertSettings.model_validate(alerts), "checks": checks})
        yield World(told, instance, mail, hook)


def _drop_files(settings: Settings) -> None:
    drop_file(settings, "users/u.csv", csv_text([{"user_id": PLANTED_ID, "time_zone": "UTC"}]))
    reading = {
        "user_id": PLANTED_ID, "metric": "heart_rate", "value": PLANTED_VALUE, "unit": "bpm", "source": PLANTED_TEXT,
    }  # fmt: skip
    rows = [{**reading, "recorded_at": f"{day}T08:00:00Z"} for day in DAYS]
    bad = {**rows[0], "value": -PLANTED_VALUE, "unit": PLANTED_TEXT}
    drop_file(settings, f"health_readings/{PLANTED_TEXT}.csv", csv_text([*rows, bad]))


def _lose_a_day(settings: Settings) -> None:
    """Somebody empties a day of the lake behind the pipeline's back."""
    table = raw_table(HEALTH_READINGS)
    nothing = pa.table({field.name: pa.array([], field.type) for field in arrow_schema(table.columns)})
    window = Window.of_days(DAYS[1], DAYS[1])
    Lake(settings.lake_uri).replace(table.name, nothing.to_reader(), partition_by="day", window=window)


def test_a_lost_day_is_told_and_told_to_be_mended(world: World) -> None:
    _drop_files(world.settings)
    world.run()
    world.check()
    assert world.look(minutes=5) == []
    assert world.mail.mails == []

    _lose_a_day(world.settings)
    world.check()
    alert = "check:raw/health_readings:lake_holds_all_rows"
    assert world.look(minutes=6) == [alert]
    assert world.look(minutes=7) == [alert]
    assert world.subjects == ["1 new (critical)"]
    (mail,) = world.mail.texts
    assert "The check lake_holds_all_rows of raw/health_readings failed of 2026-03-03: 1 of" in mail
    link = "http://localhost:3000/assets/raw/health_readings?view=checks&checkDetail=lake_holds_all_rows"
    assert link in mail

    world.run(DAYS[1])
    assert world.look(minutes=8) == [alert]  # it may come back
    assert world.look(minutes=20) == []
    assert world.subjects == ["1 new (critical)", "1 over"]
    assert len(world.hook.posts) == 2


def test_a_connection_that_is_lost_is_told_and_told_to_be_back(world: World) -> None:
    """The table of raw days' books is away while a run wants it."""
    _drop_files(world.settings)
    world.run()
    drop_file(
        world.settings,
        "health_readings/later.csv",
        csv_text([{"user_id": PLANTED_ID, "metric": "heart_rate", "value": PLANTED_VALUE, "unit": "bpm",
                   "source": PLANTED_TEXT, "recorded_at": f"{DAYS[2]}T09:00:00Z"}]),
    )  # fmt: skip
    refuse = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        f" 'Key (user_id)=({PLANTED_ID}) of {PLANTED_TEXT}' USING ERRCODE = 'unique_violation'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON bi_partitions EXECUTE FUNCTION refuse()"
    )
    with Warehouse.open(world.settings) as warehouse:
        with warehouse.transaction() as connection:
            connection.execute(text(refuse))
        world.run()
        assert world.look(minutes=5) == ["run:raw/health_readings"]
        with warehouse.transaction() as connection:
            connection.execute(text("DROP FUNCTION refuse CASCADE"))
    world.run()
    world.look(minutes=6)
    assert world.look(minutes=20) == []
    assert world.subjects == ["1 new (warning)", "1 over"]
    assert "run of raw/health_readings failed for 2026-03-0" in world.mail.texts[0]
    told = [*world.mail.texts, *map(str, world.hook.bodies)]
    with Warehouse.open(world.settings) as warehouse, warehouse.transaction() as connection:
        for table in ("bi_alerts", "bi_check_results"):
            told += map(str, connection.scalars(text(f"SELECT t::text FROM {table} t")))
    assert len(told) > 10
    assert not [value for value in PLANTED for text in told if value in text]
