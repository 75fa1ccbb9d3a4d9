"""Checks pass over what the pipeline made, and fail when somebody tampers with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from sqlalchemy import URL, text

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS
from healthmate_bi_pipeline.catalog.families import FAMILIES, figures_name
from healthmate_bi_pipeline.catalog.lake_tables import quarantine_table, raw_table, staged_table
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import BusyError
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.settings import CheckSettings, Settings, Severity
from healthmate_bi_pipeline.usecases.checks import (
    CHECKS,
    CheckSpec,
    Judgement,
    Measurement,
    Verdict,
    check,
    judge,
)
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, refresh

NOW = datetime(2026, 3, 10, 12)
DAYS = [date(2026, 3, day) for day in (2, 3, 4)]
BY_NAME = {(spec.asset, spec.name): spec for spec in CHECKS}


@pytest.fixture
def empty(settings: Settings) -> Iterator[Pipeline]:
    with opened(settings, now=NOW) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def original(
    new_database: Callable[[URL], URL], _migrated_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> tuple[URL, Path]:
    """What was made, once for all tests: the database and the home."""
    database, home = new_database(_migrated_template), tmp_path_factory.mktemp("original") / "home"
    with opened(_settings(database, home), now=NOW) as pipeline:
        _make(pipeline)
    return database, home


@pytest.fixture
def made(
    original: tuple[URL, Path], new_database: Callable[[URL], URL], tmp_path: Path
) -> Iterator[Pipeline]:
    """A copy of it that a test may tamper with."""
    database, home = original
    shutil.copytree(home / "lake", tmp_path / "home" / "lake")
    with opened(_settings(new_database(database), tmp_path / "home"), now=NOW) as pipeline:
        yield pipeline


def _settings(database: URL, home: Path) -> Settings:
    return Settings(home=home, database_url=database.render_as_string(hide_password=False))


def _make(pipeline: Pipeline) -> None:
    """Two people, three days; a bad reading, one twice, a line that is no line, and a walk over midnight."""
    settings = pipeline.settings
    drop_file(
        settings,
        "users/u.csv",
        csv_text([{"user_id": 1, "time_zone": "UTC"}, {"user_id": 2, "time_zone": "UTC"}]),
    )
    readings = [
        {"user_id": user, "metric": "heart_rate", "value": 60 + user, "unit": "bpm", "source": "watch",
         "recorded_at": f"{day}T{hour:02}:00:00Z"}
        for user in (1, 2) for day in DAYS for hour in (8, 20)
    ]  # fmt: skip
    bad = {**readings[0], "value": -5, "recorded_at": f"{DAYS[0]}T09:00:00Z"}
    undated = {**readings[0], "recorded_at": "some day"}
    content = csv_text([*readings, readings[0], bad, undated]) + "one,field,too,many,and,still,more,of,them\n"
    drop_file(settings, "health_readings/r.csv", content)
    walk = {
        "user_id": 1,
        "started_at": f"{DAYS[0]}T23:30:00Z",
        "ended_at": f"{DAYS[1]}T00:30:00Z",
        "steps": 100,
        "source": "watch",
    }
    drop_file(settings, "activity_intervals/a.csv", csv_text([walk]))
    night = {
        "user_id": 1,
        "started_at": f"{DAYS[0]}T22:00:00Z",
        "ended_at": f"{DAYS[1]}T06:00:00Z",
        "asleep_minutes": 400,
        "source": "watch",
    }
    drop_file(settings, "sleep_sessions/s.csv", csv_text([night]))
    dose = {"user_id": 1, "medication": "A", "scheduled_at": f"{DAYS[0]}T08:00:00Z", "status": "taken"}
    drop_file(settings, "medication_doses/d.csv", csv_text([dose]))
    log = {"user_id": 1, "symptom": "headache", "severity": 3, "recorded_at": f"{DAYS[0]}T08:00:00Z"}
    drop_file(settings, "symptom_logs/l.csv", csv_text([log]))
    session = {"user_id": 1, "session_id": "s", "started_at": f"{DAYS[0]}T08:00:00Z"}
    drop_file(settings, "login_sessions/s.csv", csv_text([session]))
    event = {"user_id": 1, "event": "page_view", "name": "home", "occurred_at": f"{DAYS[0]}T08:00:00Z"}
    drop_file(settings, "app_events/e.csv", csv_text([event]))
    request = {"service": "api", "status_code": 200, "duration_ms": 9, "occurred_at": f"{DAYS[0]}T08:00:00Z"}
    drop_file(settings, "api_requests/r.csv", csv_text([request]))
    sample = {"service": "api", "instance_id": "a", "cpu_percent": 9, "sampled_at": f"{DAYS[0]}T08:00:00Z"}
    drop_file(settings, "host_samples/h.csv", csv_text([sample]))
    bill = {
        "user_id": 1,
        "event_id": "b",
        "event": "started",
        "plan": "plus",
        "amount_minor": 990,
        "currency": "EUR",
    }
    drop_file(settings, "billing_events/b.csv", csv_text([bill | {"occurred_at": f"{DAYS[0]}T08:00:00Z"}]))
    figures = ("health_metrics", "user_engagement", "engagement_groups", "system_performance")
    refresh(pipeline, groups=("staged", "baselines", "raw", "state", *figures))


def _judged(pipeline: Pipeline, asset: str, name: str, window: Window | None = None) -> Judgement:
    return check(pipeline, BY_NAME[asset, name], window)


def _tamper(pipeline: Pipeline, sql: str) -> None:
    with pipeline.warehouse.transaction() as connection:
        assert connection.execute(text(sql)).rowcount


@pytest.mark.parametrize("spec", CHECKS, ids=lambda spec: f"{spec.asset}-{spec.name}")
def test_where_nothing_is_nothing_can_be_wrong(empty: Pipeline, spec: CheckSpec) -> None:
    assert check(empty, spec, None).verdict is Verdict.NOT_APPLICABLE


def test_all_passes_over_what_was_made(made: Pipeline) -> None:
    judged = {key: check(made, spec, None) for key, spec in BY_NAME.items()}
    unlike = {key: found.verdict for key, found in judged.items() if found.verdict is not Verdict.PASSED}
    # Three days are too few to say what is usual, and the longer periods are not over.
    too_young = {key for key in judged if key[1] in ("volume_is_usual", "is_fresh")}
    of_quarantine = {("raw/health_readings", "few_rows_set_aside"): Verdict.FAILED}
    assert {key: verdict for key, verdict in unlike.items() if key not in too_young} == of_quarantine
    assert {unlike[key] for key in too_young & unlike.keys()} == {Verdict.NOT_APPLICABLE}
    lines = judged["staged/health_readings", "lines_add_up"].measurement
    assert lines is not None
    assert dict(lines.counts) == {
        "files": 1, "lines": 16, "rejected": 1, "undated": 1, "staged": 14,
    }  # fmt: skip
    rows = judged["raw/health_readings", "rows_add_up"].measurement
    assert rows is not None
    assert rows.of == 14
    assert {name: rows.counts[name] for name in ("kept", "duplicates", "quarantined")} == {
        "kept": 12, "duplicates": 1, "quarantined": 1
    }  # fmt: skip
    # A walk over midnight is one staged row and two pieces.
    walk = judged["raw/activity_intervals", "lake_holds_all_rows"].measurement
    assert walk is not None
    assert walk.of == 1


@pytest.mark.parametrize("column", ["rejected", "staged"])
def test_lines_that_are_not_accounted_for(made: Pipeline, column: str) -> None:
    _tamper(made, f"UPDATE bi_ingested_files SET {column} = {column} + 3 WHERE dataset = 'health_readings'")
    found = _judged(made, "staged/health_readings", "lines_add_up")
    assert found.verdict is Verdict.FAILED
    assert found.reason.startswith("3 of 16 rows")
    assert _judged(made, "staged/sleep_sessions", "lines_add_up").verdict is Verdict.PASSED


def test_staged_rows_that_are_on_another_day(made: Pipeline) -> None:
    _tamper(
        made,
        "UPDATE bi_ingested_file_days SET day = '2026-02-01'"
        " WHERE dataset = 'health_readings' AND day = '2026-03-04'",
    )
    found = _judged(made, "staged/health_readings", "lake_holds_all_lines")
    assert found.verdict is Verdict.FAILED
    assert "first on 2026-02-01" in found.reason


def test_staged_rows_that_are_there_twice(made: Pipeline) -> None:
    table = staged_table(HEALTH_READINGS)
    rows = made.lake.open(table.name).to_pyarrow_table()
    made.lake.append(table.name, rows.to_reader(), partition_by="day")
    found = _judged(made, "staged/health_readings", "lake_holds_all_lines")
    assert found.verdict is Verdict.FAILED
    assert found.measurement is not None
    assert found.measurement.wrong == 16


def test_rows_of_a_day_that_do_not_add_up(made: Pipeline) -> None:
    _tamper(
        made,
        "UPDATE bi_partitions SET counts = counts || '{\"duplicates\": 0}'"
        " WHERE asset = 'raw/health_readings' AND partition = '2026-03-02'",
    )
    found = _judged(made, "raw/health_readings", "rows_add_up")
    assert found.verdict is Verdict.FAILED
    assert found.reason.startswith("1 of 14 rows, first on 2026-03-02")
    # A run over other days does not see it.
    assert _judged(made, "raw/health_readings", "rows_add_up", Window.of_days(DAYS[1], DAYS[2])).verdict is (
        Verdict.PASSED
    )


@pytest.mark.parametrize("table", [raw_table(HEALTH_READINGS), quarantine_table(HEALTH_READINGS)])
def test_a_day_that_is_gone_from_the_lake(made: Pipeline, table) -> None:
    nothing = pa.table(
        {field.name: pa.array([], field.type) for field in arrow_schema(table.columns)}
    ).to_reader()
    made.lake.replace(table.name, nothing, partition_by="day", window=Window.of_days(DAYS[0], DAYS[0]))
    found = _judged(made, "raw/health_readings", "lake_holds_all_rows")
    assert found.verdict is Verdict.FAILED
    assert "first on 2026-03-02" in found.reason


def test_a_row_that_no_day_has(made: Pipeline) -> None:
    _tamper(made, "UPDATE bi_ingested_files SET staged = staged + 1 WHERE dataset = 'sleep_sessions'")
    found = _judged(made, "raw/sleep_sessions", "no_row_lost")
    assert found.verdict is Verdict.FAILED
    assert found.reason.startswith("1 of 2 rows")


def test_lost_rows_are_not_looked_for_while_days_are_to_be_made(made: Pipeline) -> None:
    _tamper(made, "DELETE FROM bi_partitions WHERE asset = 'raw/sleep_sessions' AND partition = '2026-03-03'")
    found = _judged(made, "raw/sleep_sessions", "no_row_lost")
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert found.reason == "Some days are still to be made."


@pytest.mark.parametrize("period", Period)
def test_figures_that_are_of_another_state(made: Pipeline, period: Period) -> None:
    asset = f"health_metrics/{period}"
    assert _judged(made, asset, "figures_follow_state").verdict is Verdict.PASSED
    _tamper(
        made,
        f"UPDATE bi_health_metric_rows SET state_version = 4711 WHERE aggregation_period = '{period}' AND user_id = 2",
    )
    assert _judged(made, asset, "figures_follow_state").verdict is Verdict.FAILED


def test_figures_that_are_missing(made: Pipeline) -> None:
    _tamper(
        made,
        "DELETE FROM bi_health_metric_rows WHERE aggregation_period = 'daily' AND period_start = '2026-03-03'",
    )
    found = _judged(made, "health_metrics/daily", "figures_follow_state")
    assert found.verdict is Verdict.FAILED
    assert "first on 2026-03-03" in found.reason
    window = Window.of_days(DAYS[0], DAYS[0])
    assert _judged(made, "health_metrics/daily", "figures_follow_state", window).verdict is Verdict.PASSED


def test_figures_that_are_to_be_made_again_are_let_be(made: Pipeline) -> None:
    _tamper(
        made,
        "UPDATE bi_partitions SET output_version = 4711 WHERE asset = 'state/health_days' AND partition = '2026-03-03'",
    )
    found = _judged(made, "health_metrics/daily", "figures_follow_state")
    assert found.verdict is Verdict.PASSED
    assert found.measurement is not None
    assert found.measurement.counts["rows of stale partitions"] > 0


def test_what_cannot_be_measured_is_an_error(empty: Pipeline) -> None:
    def measure(pipeline: Pipeline, window: Window | None) -> Measurement:
        raise BusyError("Another run is at it.")

    found = check(empty, CheckSpec("impossible", "raw/users", "Never.", measure), None)
    assert found == Judgement(Verdict.ERROR, None, "Another run is at it.")


def test_what_seems_wrong_is_counted_again_while_nobody_writes(empty: Pipeline) -> None:
    """Another run had committed to the lake and not yet to the books."""
    counted: list[Window | None] = []

    def measure(pipeline: Pipeline, window: Window | None) -> Measurement:
        counted.append(window)
        return Measurement(1 if len(counted) == 1 else 0, 5, days=(DAYS[0],))

    found = check(empty, CheckSpec("late", "raw/users", "Once.", measure), None)
    assert found.verdict is Verdict.PASSED
    assert len(counted) == 2


def test_judging() -> None:
    spec = BY_NAME["raw/users", "rows_add_up"]
    assert judge(spec, Measurement(0, 0), CheckSettings()).verdict is Verdict.NOT_APPLICABLE
    assert judge(spec, Measurement(0, 5), CheckSettings()).verdict is Verdict.PASSED
    assert judge(spec, Measurement(1, 5), CheckSettings()).verdict is Verdict.FAILED
    assert judge(spec, Measurement(1, 0), CheckSettings()).verdict is Verdict.FAILED


def test_a_first_day_that_comes_too_late_is_noticed(made: Pipeline) -> None:
    _tamper(made, "UPDATE bi_health_starts SET first_day = first_day + 1 WHERE user_id = 2")
    found = _judged(made, "health_metrics/starts", "starts_cover_rows")
    assert found.verdict is Verdict.FAILED
    assert found.measurement is not None
    assert (found.measurement.wrong, found.measurement.of) == (1, 6)


def test_a_first_active_day_that_is_missing_is_noticed(made: Pipeline) -> None:
    _tamper(made, "DELETE FROM bi_engagement_starts WHERE user_id = 1")
    found = _judged(made, "user_engagement/starts", "starts_cover_rows")
    assert found.verdict is Verdict.FAILED
    assert found.measurement is not None
    assert (found.measurement.wrong, found.measurement.of) == (1, 1)


def test_every_kept_dataset_and_period_is_checked() -> None:
    checked = {spec.asset for spec in CHECKS}
    kept = {name for name, asset in ASSET_BY_NAME.items() if asset.group in ("staged", "raw")}
    periods = {figures_name(family, period) for family in FAMILIES for period in Period}
    months = {name for name in ASSET_BY_NAME if name.startswith("state/") and name.endswith("_months")}
    assert checked == {*kept, *periods, *months, "health_metrics/starts", "user_engagement/starts"}


def _health_check(name: str) -> CheckSpec:
    return BY_NAME["raw/health_readings", name]


def test_what_is_tolerated_and_how_grave_it_is_can_be_set() -> None:
    spec = _health_check("few_rows_set_aside")
    asked = CheckSettings(tolerated={spec.name: 0.5}, severity={spec.name: Severity.CRITICAL})
    assert judge(spec, Measurement(5, 100), CheckSettings()).verdict is Verdict.PASSED
    assert judge(spec, Measurement(6, 100), CheckSettings()).verdict is Verdict.FAILED
    assert judge(spec, Measurement(50, 100), asked).verdict is Verdict.PASSED
    assert (spec.severity_in(CheckSettings()), spec.severity_in(asked)) == (
        Severity.WARNING,
        Severity.CRITICAL,
    )


def test_rows_of_people_without_a_record_are_told(empty: Pipeline) -> None:
    reading = {"metric": "weight", "value": 70, "unit": "kg", "recorded_at": "2026-03-02T08:00:00Z"}
    drop_file(
        empty.settings, "health_readings/r.csv", csv_text({"user_id": user, **reading} for user in (1, 2, 3))
    )
    refresh(empty)
    spec = _health_check("people_are_known")
    found = check(empty, spec, None)
    assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "There are no records of people.")
    drop_file(empty.settings, "users/u.csv", csv_text([{"user_id": 1}, {"user_id": 2}]))
    refresh(empty)
    found = check(empty, spec, None)
    assert found.measurement == Measurement(1, 3, days=(date(2026, 3, 2),))
    assert found.verdict is Verdict.FAILED


def test_a_day_with_far_fewer_rows_than_its_weekday_has_is_told(empty: Pipeline) -> None:
    """NOW is Tuesday the 10th; with 84 hours of waiting Friday the 6th is the last day that is over."""
    fridays = [date(2026, 3, 6) - timedelta(weeks=weeks) for weeks in range(14, -1, -1)]
    rows = [
        {"user_id": user, "metric": "weight", "value": 70, "unit": "kg", "recorded_at": f"{day}T08:00:00Z"}
        for number, day in enumerate(fridays)
        for user in range(2 if day == fridays[-1] else 40 + number % 3)
    ]
    drop_file(empty.settings, "health_readings/r.csv", csv_text(rows))
    refresh(empty, groups={"staged"})
    spec = _health_check("volume_is_usual")
    found = check(empty, spec, None)
    assert found.measurement is not None
    assert found.verdict is Verdict.FAILED
    assert fridays[-1] in found.measurement.days
    before = check(empty, spec, Window.of_days(fridays[-2], fridays[-2]))
    assert before.measurement is not None
    assert (before.verdict, before.measurement.of) == (Verdict.PASSED, 1)
    early = check(empty, spec, Window.of_days(fridays[3], fridays[3]))
    assert (early.verdict, early.reason) == (
        Verdict.NOT_APPLICABLE,
        "There are fewer than 12 weeks to compare with.",
    )


def test_a_month_that_is_not_its_days_is_told(made: Pipeline) -> None:
    spec = BY_NAME["state/health_months", "months_hold_their_days"]
    assert check(made, spec, None).verdict is Verdict.PASSED
    # A day is lost, and the books do not know.
    DeltaTable(f"{made.lake.uri}/state/health_days").delete(f"day = '{DAYS[0]}'")
    found = check(made, spec, None)
    assert found.verdict is Verdict.FAILED
    assert found.measurement is not None
    assert found.measurement.days == (date(2026, 3, 1),)


def test_what_is_due_and_was_not_made_is_told(made: Pipeline) -> None:
    spec = BY_NAME["health_metrics/daily", "is_fresh"]
    assert check(made, spec, None).verdict is Verdict.PASSED
    drop_file(
        made.settings,
        "health_readings/late.csv",
        csv_text(
            [
                {
                    "user_id": 1,
                    "metric": "weight",
                    "value": 70,
                    "unit": "kg",
                    "recorded_at": f"{DAYS[1]}T08:00:00Z",
                }
            ]
        ),
    )
    refresh(made, groups={"staged", "raw", "state"})
    found = check(made, spec, None)
    assert found.verdict is Verdict.FAILED
    assert found.measurement is not None
    assert found.measurement.days == (DAYS[1],)
