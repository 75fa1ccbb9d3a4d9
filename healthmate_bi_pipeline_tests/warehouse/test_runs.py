import os
import socket
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.errors import IntegrityError, UsageError
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline_tests.warehouse.processes import OtherProcess

NOW = datetime(2016, 3, 1, 12, tzinfo=UTC)  # not the clock's: a run may be told what counts as now

START = """
from datetime import UTC
from healthmate_bi_pipeline.warehouse import runs
with Warehouse.open(Settings(database_url=sys.argv[1])) as warehouse:
    with warehouse.transaction() as connection:
        now = datetime(2016, 3, 1, tzinfo=UTC)
        runs.start_run(connection, run_id="other", assets=["raw/users"], window=None, now=now)
    say("started")
    wait()
"""


def start(connection, run_id):
    runs.start_run(connection, run_id=run_id, assets=["raw/users", "raw/x"], window="2026-03-01", now=NOW)


def stored(warehouse):
    with warehouse.transaction() as connection:
        found = connection.execute(text("SELECT * FROM bi_pipeline_runs")).mappings()
        return {row["run_id"]: dict(row) for row in found}


def test_a_run_is_noted_from_start_to_end(warehouse):
    with warehouse.transaction() as connection:
        start(connection, "r1")
    row = stored(warehouse)["r1"]
    assert row["outcome"] == "running"
    assert (row["assets"], row["window"], row["started_at"]) == (["raw/users", "raw/x"], "2026-03-01", NOW)
    assert (row["host"], row["pid"]) == (socket.gethostname(), os.getpid())
    assert row["ended_at"] is None
    later = NOW + timedelta(minutes=1)
    with warehouse.transaction() as connection:
        runs.finish_run(connection, run_id="r1", outcome="succeeded", rows=5, now=later)
    row = stored(warehouse)["r1"]
    assert (row["outcome"], row["rows"], row["ended_at"]) == ("succeeded", 5, later)


def test_a_run_that_was_never_started_or_ends_oddly_is_refused(warehouse):
    with pytest.raises(IntegrityError, match="never started"), warehouse.transaction() as connection:
        runs.finish_run(connection, run_id="r9", outcome="failed", rows=None, now=NOW)
    with pytest.raises(IntegrityError, match="cannot end as fine"), warehouse.transaction() as connection:
        runs.finish_run(connection, run_id="r9", outcome="fine", rows=None, now=NOW)


def test_a_run_is_abandoned_when_its_process_was_killed_and_not_before(warehouse, database_url):
    other = OtherProcess(START, database_url.render_as_string(hide_password=False))
    other.hear()
    with warehouse.transaction() as connection:
        start(connection, "own")
        assert runs.abandon_dead_runs(connection, now=NOW) == []
    other.kill()
    with warehouse.transaction() as connection:
        assert runs.abandon_dead_runs(connection, now=NOW + timedelta(hours=1)) == ["other"]
        assert runs.abandon_dead_runs(connection, now=NOW + timedelta(hours=2)) == []
    found = stored(warehouse)
    assert (found["other"]["outcome"], found["other"]["ended_at"]) == ("abandoned", NOW + timedelta(hours=1))
    assert found["own"]["outcome"] == "running"


def test_a_later_process_with_the_same_number_is_another_one(warehouse):
    with warehouse.transaction() as connection:
        start(connection, "r1")
        connection.execute(
            text("UPDATE bi_pipeline_runs SET process_started_at = process_started_at - interval '1 day'")
        )
        assert runs.abandon_dead_runs(connection, now=NOW) == ["r1"]


def test_runs_of_other_machines_are_left_alone(warehouse):
    with warehouse.transaction() as connection:
        start(connection, "r1")
        connection.execute(text("UPDATE bi_pipeline_runs SET host = 'elsewhere', pid = 2147483000"))
        assert runs.abandon_dead_runs(connection, now=NOW) == []


def act(connection, **values):
    entry = {
        "actor": "ann", "action": "ingest", "object": "staged/users", "window": None, "rows": 5,
        "outcome": "done", "detail": {"files": ["ab"]}, "now": NOW,
    }  # fmt: skip
    runs.record_action(connection, **{**entry, **values})


def test_actions_are_logged_in_order(warehouse):
    with warehouse.transaction() as connection:
        act(connection)
        act(connection, action="sql", rows=None, detail=None, outcome="denied", window="2026-03-01")

    def act_and_fail():
        with warehouse.transaction() as connection:
            act(connection, action="undone")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        act_and_fail()
    with warehouse.transaction() as connection:
        found = connection.execute(text("SELECT * FROM bi_audit_log ORDER BY id")).mappings().all()
    assert [(row["action"], row["outcome"], row["detail"]) for row in found] == [
        ("ingest", "done", {"files": ["ab"]}),
        ("sql", "denied", None),
    ]
    assert found[0]["at"] == NOW


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bi_audit_log SET actor = 'somebody else'",
        "UPDATE bi_audit_log SET actor = actor WHERE false",
        "DELETE FROM bi_audit_log",
        "TRUNCATE bi_audit_log",
        "SET LOCAL session_replication_role = replica; DELETE FROM bi_audit_log",
    ],
)
def test_the_log_only_grows(warehouse, statement):
    with warehouse.transaction() as connection:
        act(connection)
    with pytest.raises(UsageError, match="bi_audit_log only grows"), warehouse.transaction() as connection:
        connection.execute(text(statement))
    with warehouse.transaction() as connection:
        assert connection.scalar(text("SELECT actor FROM bi_audit_log")) == "ann"


def test_an_entry_cannot_be_put_between_others(warehouse):
    with pytest.raises(IntegrityError), warehouse.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO bi_audit_log (id, at, actor, action, object, outcome)"
                " VALUES (1, now(), 'a', 'b', 'c', 'd')"
            )
        )
