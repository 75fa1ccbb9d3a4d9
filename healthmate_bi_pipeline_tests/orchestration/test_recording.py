"""The real pipeline through Dagster on its real storage: what is recorded, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import URL, NullPool, create_engine, text

from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.dead_runs import PID_TAG
from healthmate_bi_pipeline.orchestration.instance import FAST_EVENTS, prepare_dagster_home
from healthmate_bi_pipeline.orchestration.jobs import build_report_job
from healthmate_bi_pipeline.orchestration.reports import ReportOrder, write_recorded_report
from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.orchestration.watching import RunSummary
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.checks import CHECKS
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED
from healthmate_bi_pipeline.warehouse.server import dagster_database_url
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse
from healthmate_bi_pipeline_tests.running import csv_text, drop_file

pytestmark = pytest.mark.slow

DAYS = [date(2026, 2, 1) + timedelta(days=number) for number in range(10)]
NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
PLANTED_ID = 987_654_321_012_345
PLANTED_VALUE = 143.21987
PLANTED_TEXT = "planted-source-of-a-person"


@pytest.fixture(scope="module")
def first_run(
    new_database: Callable[[URL], URL], _migrated_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, RunSummary]:
    """What the first run made; other tests of this module may have added to it."""
    url = new_database(_migrated_template).render_as_string(hide_password=False)
    settings = Settings(home=tmp_path_factory.mktemp("recording") / "home", database_url=url)
    _drop_files(settings)
    with pytest.MonkeyPatch.context() as patch:
        _lead_to(settings, patch)
        prepare_dagster_home(settings)
        return settings, run_pipeline(settings, now=NOW)


@pytest.fixture
def summary(first_run: tuple[Settings, RunSummary]) -> RunSummary:
    return first_run[1]


@pytest.fixture
def known(first_run: tuple[Settings, RunSummary], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the first run, to which the environment leads."""
    _lead_to(first_run[0], monkeypatch)
    prepare_dagster_home(first_run[0])
    return first_run[0]


@pytest.fixture
def recorded(known: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


def _lead_to(settings: Settings, patch: pytest.MonkeyPatch) -> None:
    assert settings.database_url is not None
    patch.setenv("HEALTHMATE_HOME", str(settings.home_path))
    patch.setenv("HEALTHMATE_DATABASE_URL", settings.database_url.get_secret_value())
    for name in ("DAGSTER_HOME", *FAST_EVENTS):  # set by what is tested; taken back by this
        patch.setenv(name, "")
        patch.delenv(name)


def _drop_files(settings: Settings) -> None:
    """Some days of two people; one of them has what must not be found anywhere, good and bad."""
    people = [{"user_id": user, "time_zone": "UTC"} for user in (1, PLANTED_ID)]
    drop_file(settings, "users/u.csv", csv_text(people))
    readings = [
        {"user_id": user, "metric": "heart_rate", "value": value, "unit": "bpm", "source": PLANTED_TEXT,
         "recorded_at": f"{day}T08:00:00Z"}
        for user, value in ((1, 60), (PLANTED_ID, PLANTED_VALUE)) for day in DAYS
    ]  # fmt: skip
    bad = [
        {**readings[-1], "value": -PLANTED_VALUE},
        {**readings[-1], "unit": PLANTED_TEXT},
        {**readings[-1], "recorded_at": PLANTED_TEXT},
    ]
    drop_file(settings, "health_readings/r.csv", csv_text([*readings, *bad]))


def test_every_partition_is_recorded_and_every_check_passes(
    recorded: dg.DagsterInstance, summary: RunSummary
) -> None:
    assert summary.failures == []
    assert len(summary.messages) == 4
    assert "check few_rows_set_aside: 2 of 22 rows" in summary.messages[-1]
    for name, days in summary.partitions.items():
        key = dg.AssetKey(name.split("/"))
        assert recorded.get_latest_materialization_event(key) is not None
        if UNPARTITIONED not in days:
            assert recorded.get_materialized_partitions(key) >= {f"{day}" for day in days}
    assert {f"{day}" for day in DAYS} <= recorded.get_materialized_partitions(
        dg.AssetKey(["health_metrics", "daily"])
    )
    evaluations = [
        event.asset_check_evaluation_data
        for run in recorded.get_runs()
        for event in (
            entry.dagster_event
            for entry in recorded.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        )
        if event is not None
    ]
    checked = {(found.asset_key.to_user_string(), found.check_name) for found in evaluations}
    assert checked == {
        (spec.asset, spec.name)
        for spec in CHECKS
        if spec.asset in summary.partitions and not spec.is_by_clock
    }
    assert {found.check_name for found in evaluations if not found.passed} == {"few_rows_set_aside"}
    assert all(run.is_success for run in recorded.get_runs())


def test_what_checks_found_is_kept(known: Settings, summary: RunSummary) -> None:
    with Warehouse.open(known) as warehouse, warehouse.transaction() as connection:
        found = connection.execute(text("SELECT * FROM bi_check_results")).mappings().all()
    assert {(row["asset"], row["check_name"]) for row in found} == {
        (spec.asset, spec.name)
        for spec in CHECKS
        if spec.asset in summary.partitions and not spec.is_by_clock
    }
    assert {row["verdict"] for row in found if row["severity"] != "warning"} <= {"passed", "not applicable"}
    (added,) = (
        row
        for row in found
        if (row["asset"], row["check_name"]) == ("raw/health_readings", "rows_add_up")
        and row["window"] == f"{DAYS[0] - timedelta(days=1)}…{DAYS[-1] + timedelta(days=1)}"
    )
    assert (added["wrong"], added["of"], added["counts"]["staged"]) == (0, 22, 22)


def test_no_value_of_a_person_is_in_dagsters_storage(
    recorded: dg.DagsterInstance, known: Settings, summary: RunSummary
) -> None:
    engine = create_engine(dagster_database_url(known), poolclass=NullPool)
    planted = (str(PLANTED_ID), f"{PLANTED_VALUE}", PLANTED_TEXT)
    with engine.connect() as connection:
        tables = connection.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).all()
        assert "event_logs" in tables
        for table in tables:
            for value in planted:
                found = connection.scalar(
                    text(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE :value'),
                    {"value": f"%{value}%"},
                )
                assert found == 0, (table, value)
    assert not any(value in " ".join(summary.messages) for value in planted)


def test_a_run_of_the_ui_opens_its_own_pipeline(recorded: dg.DagsterInstance, known: Settings) -> None:
    job = build_definitions(known).resolve_implicit_global_asset_job_def()
    part = job.get_subset(asset_selection={dg.AssetKey(["health_metrics", "daily"])})
    result = part.execute_in_process(instance=recorded, partition_key=f"{DAYS[3]}")
    assert result.success
    (materialization,) = result.asset_materializations_for_node("health_metrics__daily")
    assert materialization.partition == f"{DAYS[3]}"
    assert materialization.metadata["dagster/partition_row_count"].value == 2
    # What the pages plot is a number of each partition.
    assert materialization.metadata["seconds"].value >= 0
    filled = {
        record.data["column"]: record.data["filled"]
        for record in materialization.metadata["filled columns"].value.records
    }
    assert filled["user_id"] == 2
    assert filled["avg_heart_rate"] == 2
    assert filled["avg_weight"] == 0
    run = recorded.get_run_by_id(result.run_id)
    assert run is not None
    assert PID_TAG in run.tags


def test_late_data_cost_their_own_size(known: Settings) -> None:
    late = {
        "user_id": 1, "metric": "heart_rate", "value": 70, "unit": "bpm", "source": "late",
        "recorded_at": f"{DAYS[4]}T10:00:00Z",
    }  # fmt: skip
    drop_file(known, "health_readings/late.csv", csv_text([late]))
    again = run_pipeline(known, now=NOW)
    assert again.failures == []
    around = {DAYS[3], DAYS[4], DAYS[5]}  # the wall-clock days that an instant can lie on
    assert again.partitions["raw/health_readings"] == around
    assert again.partitions["health_metrics/daily"] == around
    assert again.partitions["health_metrics/monthly"] == {date(2026, 2, 1)}
    assert again.partitions["health_metrics/yearly"] == {date(2026, 1, 1)}
    assert "raw/sleep_sessions" not in again.partitions
    assert run_pipeline(known, now=NOW).partitions.keys() == {
        f"staged/{dataset.name}" for dataset in DATASETS
    }


def test_a_first_day_that_moves_back_is_followed(known: Settings) -> None:
    early = {
        "user_id": 1, "metric": "heart_rate", "value": 70, "unit": "bpm", "source": "early",
        "recorded_at": "2025-12-24T10:00:00Z",
    }  # fmt: skip
    drop_file(known, "health_readings/early.csv", csv_text([early]))
    again = run_pipeline(known, now=NOW, select=["staged", "raw"])
    assert again.failures == []
    assert date(2025, 12, 24) in again.partitions["raw/health_readings"]
    by_days = run_pipeline(
        known,
        now=NOW,
        first_day=date(2025, 12, 24),
        last_day=date(2025, 12, 24),
        select=["state"],
    )
    assert by_days.partitions["state/health_months"] == {date(2025, 12, 1)}


def test_report_asked_for_is_recorded(recorded: dg.DagsterInstance, known: Settings) -> None:
    window = Window.of_days(date(2026, 2, 2), date(2026, 2, 8))
    paths = write_recorded_report(known, ReportOrder(HEALTH_SUMMARY, window)).paths
    assert sorted(path.suffix for path in paths) == [".html", ".json"]
    assert all(Path(path).exists() for path in paths)
    assert (paths[0].parent / "v1.metrics.csv").exists()
    key = dg.AssetKey(["reports", "health_summary_weekly"])
    assert "2026-02-02" in recorded.get_materialized_partitions(key)


def test_the_report_job_writes_what_it_is_asked_for(recorded: dg.DagsterInstance, known: Settings) -> None:
    job = build_report_job(known)
    asked = {"type": "health_summary", "from": "2026-02-02", "to": "2026-02-06", "generated_by": "An analyst"}
    result = job.execute_in_process({"ops": {"write_report": {"config": asked}}}, instance=recorded)
    assert result.success
    folder = known.reports_path / "health_summary" / "range" / "2026-02-02_2026-02-06"
    written = json.loads((folder / "v1.json").read_text(encoding="utf-8"))
    assert written["generated_by"] == "An analyst"
    assert written["privacy_class"] == "limited"
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    told = output.step_output_data.metadata
    assert told["HTML"].value == str(folder / "v1.html")
    assert told["JSON"].value == str(folder / "v1.json")
    assert "not for passing on" in told["report"].value


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"to": "2026-01-01"}, "`from` comes after `to`"),
        ({"from": "today"}, "days like 2026-01-31"),
        ({"from": "2019-01-01", "to": "2019-01-31"}, "no data"),
    ],
)
def test_the_report_job_refuses_what_cannot_be(
    recorded: dg.DagsterInstance, known: Settings, changes: dict[str, str], told: str
) -> None:
    asked = {"type": "health_summary", "from": "2026-02-02", "to": "2026-02-06"} | changes
    job = build_report_job(known)
    config = {"ops": {"write_report": {"config": asked}}}
    result = job.execute_in_process(config, instance=recorded, raise_on_error=False)
    assert not result.success
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert told in failure.step_failure_data.user_failure_data.description


def test_a_report_s_partition_links_to_its_own_files(recorded: dg.DagsterInstance, known: Settings) -> None:
    key = dg.AssetKey(["reports", "health_summary_daily"])
    told = {
        record.partition_key: record.asset_materialization.metadata
        for record in recorded.fetch_materializations(key, limit=100).records
        if record.asset_materialization is not None
    }
    written = {
        day: metadata for day, metadata in told.items() if metadata["dagster/partition_row_count"].value
    }
    assert written
    for day, metadata in written.items():
        for kind in ("HTML", "JSON"):
            path = Path(str(metadata[kind].value))
            assert path.is_file()
            assert (path.parent.name, path.suffix) == (f"{day}_{day}", f".{kind.lower()}")
    assert not [day for day in told if day not in written and "HTML" in told[day]]


def test_a_report_s_asset_shows_it_in_short(recorded: dg.DagsterInstance) -> None:
    event = recorded.get_latest_materialization_event(dg.AssetKey(["reports", "health_summary_daily"]))
    assert event is not None
    assert event.asset_materialization is not None
    told = event.asset_materialization.metadata["report"].value
    assert "Health summary" in str(told)
    assert "Confidence" in str(told)
