"""The jobs: ``refresh``, which makes all that is stale, and ``collect_host_sample``, which looks at this host."""

from collections.abc import Callable

import dagster as dg

from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.orchestration.watching import RunSummary, Step
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.collect_host import host_place, sample_host

REFRESH = "refresh"
COLLECT = "collect_host_sample"

CAUSE_TAG = "healthmate/refresh"
"""On the runs that a refresh starts: the run that they belong to."""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def build_refresh(settings: Settings) -> dg.JobDefinition:
    """The job.

    One Dagster run cannot mix partitionings, and what is stale in one layer is known only when the one before
    was made. So its one step does what ``healthmate-bi run`` does: it starts the runs that are needed, one
    after the other, in its own process.
    """

    @dg.op(name="make_stale_partitions")
    def make_stale_partitions(context: dg.OpExecutionContext) -> None:
        summary = run_pipeline(
            settings,
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
    )
    def refresh() -> None:
        make_stale_partitions()

    return refresh


def build_collect(settings: Settings) -> dg.JobDefinition:
    """The job that takes one sample of the host that it runs on, as ``healthmate-bi collect`` does."""

    @dg.op(name="sample_host")
    def sample(context: dg.OpExecutionContext) -> None:
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
