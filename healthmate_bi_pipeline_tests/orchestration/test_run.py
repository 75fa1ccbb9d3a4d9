"""What a run makes, in which order, and what it leaves alone; on toys, recorded in Dagster."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime

import dagster as dg
import pytest
from dagster._core.storage.tags import TagType, get_tag_type

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.errors import DataError, UsageError
from healthmate_bi_pipeline.orchestration.dead_runs import process_tags
from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.orchestration.watching import RunSummary, Step
from healthmate_bi_pipeline.settings import Settings, Severity
from healthmate_bi_pipeline.usecases.checks import CheckSpec, Measurement
from healthmate_bi_pipeline.usecases.graph import Stage
from healthmate_bi_pipeline_tests.orchestration.toys import Toys

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST_DAY = date(2025, 12, 20)

Run = Callable[..., RunSummary]


@pytest.fixture
def toys() -> Toys:
    return Toys()


@pytest.fixture
def run(toys: Toys, settings: Settings, memory_instance: dg.DagsterInstance) -> Iterator[Run]:
    """Runs the toys."""
    known = settings.model_copy(update={"start_date": FIRST_DAY})

    def call(**arguments: object) -> RunSummary:
        toys.made.clear()
        return run_pipeline(
            known, assets=toys.graph(), now=NOW, instance=memory_instance, **arguments
        )  # fmt: skip

    with nullcontext():
        yield call


def _materialized(instance: dg.DagsterInstance, name: str) -> set[str]:
    return instance.get_materialized_partitions(dg.AssetKey(name.split("/")))


def test_files_are_taken_in_even_when_nothing_is_stale(toys: Toys, run: Run) -> None:
    summary = run()
    assert toys.made == [("staged/toys", "None")]
    assert summary.failures == []
    assert summary.messages == ["staged/toys: a message"]


def test_what_is_stale_is_made_with_all_that_is_made_from_it(
    toys: Toys, run: Run, memory_instance: dg.DagsterInstance
) -> None:
    toys.inputs["raw/toys"] = {date(2026, 1, 31): 1, date(2026, 2, 2): 1, date(2026, 2, 20): 1}
    toys.inputs["state/months"] = {date(2026, 1, 1): 1, date(2026, 2, 1): 1}
    toys.inputs["figures/yearly"] = {date(2026, 1, 1): 1}
    summary = run()
    # A gap of some days is made along; one of weeks is not. Days before months before years.
    assert toys.made == [
        ("staged/toys", "None"),
        ("raw/toys", "2026-01-31…2026-02-02"),
        ("state/days", "2026-01-31…2026-02-02"),
        ("raw/toys", "2026-02-20"),
        ("state/days", "2026-02-20"),
        ("state/months", "2026-01-01…2026-02-28"),
        ("figures/yearly", "2026-01-01…2026-12-31"),
    ]
    assert _materialized(memory_instance, "raw/toys") == {
        "2026-01-31",
        "2026-02-01",
        "2026-02-02",
        "2026-02-20",
    }
    assert _materialized(memory_instance, "state/months") == {"2026-01-01", "2026-02-01"}
    assert summary.partitions["raw/toys"] == {
        date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2), date(2026, 2, 20)
    }  # fmt: skip
    assert summary.rows["raw/toys"] == 4

    run()
    assert toys.made == [("staged/toys", "None")]


def test_rows_and_counts_are_told_to_dagster(
    toys: Toys, run: Run, memory_instance: dg.DagsterInstance
) -> None:
    toys.inputs["raw/toys"] = {date(2026, 1, 30): 1, date(2026, 1, 31): 1}
    run(select=["raw/toys"])
    records = memory_instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(["raw", "toys"]), asset_partitions=["2026-01-31"]), limit=1
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    told = {name: value.value for name, value in materialization.metadata.items()}
    assert told["dagster/partition_row_count"] == 1
    assert told["kept"] == 1
    assert told["messages"] == "- raw/toys: a message"


def test_an_input_that_moves_while_it_is_made_ends(toys: Toys, run: Run) -> None:
    version = iter(range(1_000))
    toys.inputs["raw/toys"] = {date(2026, 1, 31): 0}

    def moves() -> None:
        toys.inputs["raw/toys"] = {date(2026, 1, 31): next(version) + 1}

    toys.failing["state/days"] = moves
    run()
    assert [name for name, _ in toys.made] == ["staged/toys", *["raw/toys", "state/days"] * 2]


def test_days_make_every_partition_that_they_touch(toys: Toys, run: Run) -> None:
    summary = run(first_day=date(2026, 1, 30), last_day=date(2026, 2, 1))
    assert toys.made == [
        ("staged/toys", "None"),
        ("raw/toys", "2026-01-30…2026-02-01"),
        ("state/days", "2026-01-30…2026-02-01"),
        ("state/months", "2026-01-01…2026-02-28"),
        ("figures/yearly", "2026-01-01…2026-12-31"),
    ]
    assert summary.partitions["state/months"] == {date(2026, 1, 1), date(2026, 2, 1)}


def test_what_is_frozen_is_made_again_only_by_name(
    toys: Toys, settings: Settings, memory_instance: dg.DagsterInstance
) -> None:
    usual = replace(
        toys.asset("state/usual", Period.MONTHLY, "staged/toys"), is_frozen=True, stage=Stage.BASELINES
    )
    days = replace(
        toys.asset("raw/toys", Period.DAILY, "staged/toys", "state/usual"), upstream_before=("state/usual",)
    )
    toys.inputs["state/usual"] = {date(2026, 1, 1): 1}

    def call(*select: str, dry_run: bool = False) -> tuple[RunSummary, list[str]]:
        toys.made.clear()
        summary = run_pipeline(
            settings.model_copy(update={"start_date": FIRST_DAY}),
            assets=(toys.asset("staged/toys", None), usual, days),
            now=NOW,
            instance=memory_instance,
            first_day=date(2026, 1, 30),
            last_day=date(2026, 1, 31),
            select=select,
            dry_run=dry_run,
        )
        return summary, [name for name, _ in toys.made]

    assert "state/usual" not in call(dry_run=True)[0].partitions
    assert call()[1] == ["staged/toys", "state/usual", "raw/toys"]  # the first time
    assert call()[1] == ["staged/toys", "raw/toys"]
    assert call("state/usual")[1] == ["state/usual"]


def test_days_before_the_first_one_are_left_out(toys: Toys, run: Run) -> None:
    run(first_day=date(2020, 1, 1), last_day=date(2025, 12, 21), select=["raw/toys", "figures/yearly"])
    assert toys.made == [("raw/toys", "2025-12-20…2025-12-21"), ("figures/yearly", "2025-01-01…2025-12-31")]


def test_days_that_do_not_exist_are_told(run: Run) -> None:
    with pytest.raises(UsageError, match="days are known from 2025-12-20"):
        run(first_day=date(2020, 1, 1), last_day=date(2020, 1, 2), select=["raw/toys"])
    with pytest.raises(UsageError, match="lies before the first"):
        run(first_day=date(2026, 1, 2), last_day=date(2026, 1, 1), select=["raw/toys"])


def test_an_asset_that_fails_leaves_the_others(toys: Toys, run: Run) -> None:
    toys.inputs["raw/toys"] = {date(2026, 1, 31): 1, date(2026, 2, 20): 1}
    toys.inputs["state/months"] = {date(2026, 2, 1): 1}

    def fails() -> None:
        raise DataError("the toy is broken.")

    toys.failing["raw/toys"] = fails
    steps: list[Step] = []
    summary = run(on_progress=steps.append)
    assert toys.made == [("staged/toys", "None"), ("state/months", "2026-02-01…2026-02-28")]
    assert summary.failures == [
        "raw/toys 2026-01-31: the toy is broken.",
        "state/days 2026-01-31: not made, because of what failed before.",
        "raw/toys 2026-02-20: the toy is broken.",
        "state/days 2026-02-20: not made, because of what failed before.",
    ]
    assert [step.text for step in steps if step.kind == "failed"] == summary.failures

    del toys.failing["raw/toys"]
    assert run().failures == []
    assert ("raw/toys", "2026-01-31") in toys.made


def test_unexpected_errors_keep_their_text_to_themselves(
    toys: Toys, run: Run, memory_instance: dg.DagsterInstance
) -> None:
    toys.inputs["raw/toys"] = {date(2026, 1, 31): 1}

    def fails() -> None:
        raise RuntimeError("patient 4711 has 142 mmHg")

    toys.failing["raw/toys"] = fails
    (line, _) = run().failures
    assert line.startswith("raw/toys 2026-01-31: Unexpected RuntimeError at")
    for record in memory_instance.get_runs():
        for entry in memory_instance.all_logs(record.run_id):
            assert "4711" not in str(entry)


def test_selection_by_name_group_and_expression(toys: Toys, run: Run) -> None:
    days = {"first_day": date(2026, 2, 1), "last_day": date(2026, 2, 1)}
    run(select=["raw/toys"], **days)
    assert [name for name, _ in toys.made] == ["raw/toys"]
    run(select=["state"], **days)
    assert [name for name, _ in toys.made] == ["state/days", "state/months"]
    run(select=['key:"state/months"+', "raw"], **days)
    assert [name for name, _ in toys.made] == ["raw/toys", "state/months", "figures/yearly"]
    for text in ('key:"raw/toys"+', "raw/toys+", "raw/toys+ or figures/yearly"):
        run(select=[text], **days)
        assert [name for name, _ in toys.made] == ["raw/toys", "state/days", "state/months", "figures/yearly"]
    run(select=["+state/months and not raw/toys"], **days)
    assert [name for name, _ in toys.made] == ["staged/toys", "state/days", "state/months"]
    for text in ("nothing", "group:nothing", "raw/+/("):
        with pytest.raises(UsageError, match="no asset is called so"):
            run(select=[text])


def test_a_plan_makes_nothing(toys: Toys, run: Run, memory_instance: dg.DagsterInstance) -> None:
    toys.inputs["raw/toys"] = {date(2026, 1, 31): 1}
    summary = run(dry_run=True)
    assert toys.made == []
    assert memory_instance.get_runs() == []
    assert {name: days for name, days in summary.partitions.items() if name != "staged/toys"} == {
        "raw/toys": {date(2026, 1, 31)},
        "state/days": {date(2026, 1, 31)},
        "state/months": {date(2026, 1, 1)},
        "figures/yearly": {date(2026, 1, 1)},
    }
    planned = run(dry_run=True, first_day=date(2026, 2, 28), last_day=date(2026, 3, 1), select=["state"])
    assert planned.partitions == {
        "state/days": {date(2026, 2, 28), date(2026, 3, 1)},
        "state/months": {date(2026, 2, 1), date(2026, 3, 1)},
    }


def test_runs_say_which_process_they_are_of(run: Run, memory_instance: dg.DagsterInstance) -> None:
    run(tags={"cause": "a test"})
    (recorded,) = memory_instance.get_runs()
    assert set(process_tags()) <= set(recorded.tags)
    # Not for people: what a list of runs shows is what it was asked for.
    assert all(get_tag_type(tag) is TagType.HIDDEN for tag in process_tags())
    assert recorded.tags["cause"] == "a test"


def test_a_stop_is_obeyed_between_assets(toys: Toys, run: Run) -> None:
    toys.inputs["raw/toys"] = {date(2026, 1, 31): 1}
    toys.inputs["state/months"] = {date(2026, 1, 1): 1}

    def stops() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException:  # noqa: BLE001 - native code swallows it just so
            raise RuntimeError("Query interrupted") from None

    toys.failing["raw/toys"] = stops
    with pytest.raises(KeyboardInterrupt):
        run()
    assert toys.made == [("staged/toys", "None")]


def test_nothing_is_made_from_what_a_blocking_check_fails_for(
    toys: Toys, settings: Settings, memory_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"rows": 1}

    def judged(name: str, severity: Severity, *, is_blocking: bool = False) -> CheckSpec:
        return CheckSpec(
            name, "raw/toys", "It holds.", lambda _pipeline, _window: Measurement(wrong["rows"], 10),
            severity=severity, is_blocking=is_blocking,
        )  # fmt: skip

    checks = (
        judged("holds", Severity.CRITICAL, is_blocking=True),
        judged("is_usual", Severity.WARNING),
    )
    monkeypatch.setattr("healthmate_bi_pipeline.orchestration.run.CHECKS", checks)
    known = settings.model_copy(update={"start_date": FIRST_DAY})
    for name, day in (("raw/toys", 31), ("state/days", 31), ("state/months", 1), ("figures/yearly", 1)):
        toys.inputs[name] = {date(2026, 1, day): 1}

    def run() -> RunSummary:
        toys.made.clear()
        return run_pipeline(known, assets=toys.graph(), now=NOW, instance=memory_instance)

    summary = run()
    assert [name for name, _ in toys.made] == ["staged/toys", "raw/toys"]
    assert summary.failures == [
        "raw/toys 2026-01-31: check holds: 1 of 10 rows: not so: It holds.",
        "state/days 2026-01-31: not made, because of what failed before.",
        "state/months: 1 partitions from 2026-01-01 on not made, because a check of what they stand on failed.",
        "figures/yearly: 1 partitions from 2026-01-01 on not made, because a check of what they stand on failed.",
    ]
    assert summary.messages[-1] == "raw/toys 2026-01-31: check is_usual: 1 of 10 rows: not so: It holds."
    # Another run does not make them either, as long as the check has not passed.
    assert "state/days: 1 partitions from 2026-01-31 on not made" in run().failures[0]
    assert [name for name, _ in toys.made] == ["staged/toys"]

    wrong["rows"] = 0
    toys.inputs["raw/toys"][date(2026, 1, 31)] = 2
    assert run().failures == []
    assert [name for name, _ in toys.made][1:] == ["raw/toys", "state/days", "state/months", "figures/yearly"]
