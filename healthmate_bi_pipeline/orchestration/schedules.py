"""When things are made by themselves: every hour, for the running day and all that came late; deleted once a night.

And every five minutes a look at this host, for who does not run ``healthmate-bi collect`` as a service.
"""

from collections.abc import Iterator

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import REFRESH, is_refreshing

EVERY_HOUR = "5 * * * *"
EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_NIGHT = "40 3 * * *"


def build_schedules(
    refresh: dg.JobDefinition, collect: dg.JobDefinition, retention: dg.JobDefinition
) -> list[dg.ScheduleDefinition]:
    """The schedules; they do not run until somebody switches them on."""

    @dg.schedule(
        name="refresh_hourly",
        cron_schedule=EVERY_HOUR,
        job=refresh,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every hour: takes new files in and makes all that is stale, the running periods too.",
    )
    def refresh_hourly(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if is_refreshing(context.instance):
            yield dg.SkipReason(f"The last {REFRESH} is not done yet.")
        else:
            yield dg.RunRequest()

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
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every night: deletes what is past its time; fails while retention is off.",
    )
    return [refresh_hourly, collect_every_five_minutes, retention_nightly]
