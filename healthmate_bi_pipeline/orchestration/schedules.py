"""When things are made by themselves: each period and report by the timetable, and a look at this host."""

from collections.abc import Callable

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import is_refreshing, refresh_config
from healthmate_bi_pipeline.orchestration.timetable import Due, timetable
from healthmate_bi_pipeline.settings import Settings

EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_NIGHT = "40 3 * * *"


def build_schedules(
    settings: Settings,
    refresh: dg.JobDefinition,
    collect: dg.JobDefinition,
    retention: dg.JobDefinition,
) -> list[dg.ScheduleDefinition]:
    """The schedules; ``schedules.enabled`` starts those of the timetable, the UI starts and stops each."""
    status = (
        dg.DefaultScheduleStatus.RUNNING if settings.schedules.enabled else dg.DefaultScheduleStatus.STOPPED
    )
    collect_every_five_minutes = dg.ScheduleDefinition(
        name="collect_every_five_minutes",
        cron_schedule=EVERY_FIVE_MINUTES,
        job=collect,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every five minutes: one sample of the host that Dagster runs on.",
    )
    retention_nightly = dg.ScheduleDefinition(
        name="retention_nightly",
        cron_schedule=EVERY_NIGHT,
        job=retention,
        execution_timezone="UTC",
        default_status=status if settings.retention.enabled else dg.DefaultScheduleStatus.STOPPED,
        description="Every night: deletes what is past its time; fails while retention is off.",
    )
    return [
        *(_schedule(due, refresh, status) for due in timetable(settings)),
        collect_every_five_minutes,
        retention_nightly,
    ]


def _schedule(due: Due, refresh: dg.JobDefinition, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=due.name,
        cron_schedule=due.cron if len(due.cron) > 1 else due.cron[0],
        job=refresh,
        execution_timezone="UTC",
        default_status=status,
        description=due.description,
        execution_fn=_asking(due),
    )


def _asking(due: Due) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]:
    def ask(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # The hour after makes it too. All others wait in the queue for the refresh before them (``dagster.yaml``),
        # so that no tick is lost to a long one.
        if due.is_hourly and is_refreshing(context.instance):
            return dg.SkipReason("The last refresh is not done yet.")
        return dg.RunRequest(
            run_key=f"{due.name} {context.scheduled_execution_time:%Y-%m-%dT%H:%M}",
            run_config=refresh_config(select=[f'+key:"{name}"' for name in due.assets]),
            tags={"healthmate/schedule": due.name},
        )

    return ask
