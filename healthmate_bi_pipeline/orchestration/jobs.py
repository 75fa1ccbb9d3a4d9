"""The jobs: ``refresh`` makes all that is stale, ``report`` one report, ``retention`` deletes what is over.

``vacuum`` gives the disk back what the lake does not need, and ``collect_host_sample`` looks at this host.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, overload

import dagster as dg

from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration.dead_runs import sign
from healthmate_bi_pipeline.orchestration.failures import told_to_dagster
from healthmate_bi_pipeline.orchestration.reports import ReportOrder, write_recorded_report
from healthmate_bi_pipeline.orchestration.retention import apply_retention
from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.orchestration.timetable import COLLECT, REFRESH, RETENTION, VACUUM
from healthmate_bi_pipeline.orchestration.watching import RunSummary, Step
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.collect_host import host_place, sample_host
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.vacuum import vacuum_lake

REPORT = "report"

CAUSE_TAG = "healthmate/refresh"
"""On the runs that a refresh starts: the run that they belong to."""

ONE_AT_A_TIME_TAG = "healthmate/one_at_a_time"
"""Runs with the same value wait in the queue for each other; ``dagster.yaml`` says so."""

_REFRESH_OP = "make_stale_partitions"

_REPORT_NAMES = dg.Enum("ReportType", [dg.EnumValue(name) for name in REPORT_TYPE_BY_NAME])

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def build_refresh(settings: Settings) -> dg.JobDefinition:
    """The job that makes what is stale: of everything, of what is selected, or of what some raw days have changed.

    One Dagster run cannot mix partitionings, and what is stale in one layer is known only when the one before
    was made. So its one step does what ``healthmate-bi run`` does: it starts the runs that are needed, one
    after the other, in its own process.
    """

    @dg.op(
        name=_REFRESH_OP,
        config_schema={
            "select": dg.Field(
                [str],
                default_value=[],
                description="Assets, groups or expressions, as of `run --select`; none: all.",
            ),
            "days": dg.Field(
                [dg.Array(str)],
                default_value=[],
                description="First and last day of stretches of raw days; none: all. What is made from them is stale"
                " or not.",
            ),
            "from": dg.Field(
                str,
                is_required=False,
                description="First day, YYYY-MM-DD, as of `run --from`: with `from` or `to` all that touches these"
                " days is made, stale or not.",
            ),
            "to": dg.Field(str, is_required=False, description="Last day, inclusive, YYYY-MM-DD."),
        },
    )
    def make_stale_partitions(context: dg.OpExecutionContext) -> None:
        sign(context.instance, context.run_id)
        asked = context.op_config
        with told_to_dagster(context):
            summary = run_pipeline(
                settings,
                first_day=_day(asked.get("from")),
                last_day=_day(asked.get("to")),
                select=asked["select"],
                raw_days=[_days(first, last) for first, last in asked["days"]],
                instance=context.instance,
                tags={CAUSE_TAG: context.run_id},
                on_progress=_logging(context.log.info),
            )
        context.add_output_metadata(_metadata(summary))
        if summary.failures:
            raise dg.Failure("\n".join(summary.failures), allow_retries=False)

    @dg.job(
        name=REFRESH,
        description="Takes new files in and makes all that is stale, in runs of its own.",
        executor_def=dg.in_process_executor,
        tags={ONE_AT_A_TIME_TAG: REFRESH},
    )
    def refresh() -> None:
        make_stale_partitions()

    return refresh


def refresh_config(*, select: Sequence[str] = (), days: Sequence[Window] = ()) -> dict[str, Any]:
    """What a refresh is asked for, as its run configuration: see ``build_refresh``."""
    asked = {
        "select": list(select),
        "days": [[str(window.first_day), str(window.last_day)] for window in days],
    }
    return {"ops": {_REFRESH_OP: {"config": asked}}}


def build_collect(settings: Settings) -> dg.JobDefinition:
    """The job that takes one sample of the host that it runs on, as ``healthmate-bi collect`` does."""

    @dg.op(name="sample_host")
    def sample(context: dg.OpExecutionContext) -> None:
        sign(context.instance, context.run_id)
        collected = sample_host(settings, host_place(settings))
        context.add_output_metadata({"samples": collected.samples, "files": len(collected.files)})

    @dg.job(
        name=COLLECT,
        description="Samples processors, memory and disk of this host into the landing folder.",
        executor_def=dg.in_process_executor,
    )
    def collect_host_sample() -> None:
        sample()

    return collect_host_sample


def build_report_job(settings: Settings) -> dg.JobDefinition:
    """The job that writes one report over any days, as ``healthmate-bi report`` does.

    What it is asked for stands in its run configuration: ``type``, ``from`` and ``to`` (days, both inclusive) and
    ``generated_by``.
    """

    @dg.op(
        name="write_report",
        config_schema={
            "type": dg.Field(_REPORT_NAMES, description="The type of report."),
            "from": dg.Field(str, description="First day, YYYY-MM-DD."),
            "to": dg.Field(str, description="Last day, inclusive, YYYY-MM-DD."),
            "generated_by": dg.Field(
                str, is_required=False, description="Whose name stands in it; by default the process's user."
            ),
        },
    )
    def write_one(context: dg.OpExecutionContext) -> None:
        sign(context.instance, context.run_id)
        asked = context.op_config
        with told_to_dagster(context):
            order = ReportOrder(
                REPORT_TYPE_BY_NAME[asked["type"]],
                _days(asked["from"], asked["to"]),
                asked.get("generated_by") or None,
            )
            written = write_recorded_report(settings, order, instance=context.instance)
        context.add_output_metadata({**written.links, "report": dg.MetadataValue.md(written.summary)})

    @dg.job(
        name=REPORT,
        description="Writes one report over any days: type, from, to, generated_by.",
        executor_def=dg.in_process_executor,
    )
    def report() -> None:
        write_one()

    return report


def build_retention(settings: Settings) -> dg.JobDefinition:
    """The job that deletes what is past its time, as ``healthmate-bi retention`` does."""

    @dg.op(name="delete_what_is_over")
    def delete(context: dg.OpExecutionContext) -> None:
        sign(context.instance, context.run_id)
        with told_to_dagster(context):
            deleted = apply_retention(
                settings, dry_run=False, instance=context.instance, run_id=context.run_id
            )
        for message in deleted.messages:
            context.log.warning(message)
        lines = [
            f"- {due.object} {due.window}: {due.rows:,} rows, {due.bytes:,} bytes" for due in deleted.things
        ]
        context.add_output_metadata(
            {
                "things": len(deleted.things),
                "rows": deleted.rows,
                "bytes": deleted.bytes,
                "deleted": dg.MetadataValue.md("\n".join(lines)),
            }
        )

    @dg.job(
        name=RETENTION,
        description="Deletes what is past its time, with receipts; fails while retention is off.",
        executor_def=dg.in_process_executor,
    )
    def retention() -> None:
        delete()

    return retention


def build_vacuum(settings: Settings) -> dg.JobDefinition:
    """The job that deletes files that no table of the lake needs, as ``healthmate-bi vacuum`` does."""

    @dg.op(name="delete_what_nobody_needs")
    def delete(context: dg.OpExecutionContext) -> None:
        sign(context.instance, context.run_id)
        with told_to_dagster(context), Pipeline.open(settings) as opened:
            freed = vacuum_lake(replace(opened, run_id=context.run_id), dry_run=False)
        lines = [f"- {one.table}: {one.files:,} files, {one.bytes:,} bytes" for one in freed]
        context.add_output_metadata(
            {
                "files": sum(one.files for one in freed),
                "bytes": sum(one.bytes for one in freed),
                "deleted": dg.MetadataValue.md("\n".join(lines)),
            }
        )

    @dg.job(
        name=VACUUM,
        description="Deletes files of the lake that no table has needed for vacuum.keep_days; no row of a table.",
        executor_def=dg.in_process_executor,
    )
    def vacuum() -> None:
        delete()

    return vacuum


def _days(first: str, last: str) -> Window:
    """The days from the first to the last.

    Raises:
        UsageError: they are no days, or in the wrong order.
    """
    first_day, last_day = _day(first), _day(last)
    if first_day > last_day:
        raise UsageError("`from` comes after `to`.")
    return Window.of_days(first_day, last_day)


@overload
def _day(text: str) -> date: ...
@overload
def _day(text: str | None) -> date | None: ...
def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError("`from` and `to` are days like 2026-01-31.") from None


def is_refreshing(instance: dg.DagsterInstance) -> bool:
    """Whether a refresh waits or runs."""
    return bool(instance.get_runs(dg.RunsFilter(job_name=REFRESH, statuses=UNFINISHED), limit=1))


def _logging(log: Callable[[str], None]) -> Callable[[Step], None]:
    def tell(step: Step) -> None:
        if step.kind in ("made", "failed"):
            days = f" {step.window}" if step.window else ""
            log(step.text or f"{step.asset}{days}: {step.rows} rows")

    return tell


def _metadata(summary: RunSummary) -> dict[str, int]:
    return {
        "partitions": sum(len(days) for days in summary.partitions.values()),
        "rows": sum(summary.rows.values()),
        "failures": len(summary.failures),
        "messages": len(summary.messages),
    }
