"""What starts jobs by the clock: the timetable as Dagster's schedules."""

from collections.abc import Callable

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import is_refreshing, refresh_config
from healthmate_bi_pipeline.orchestration.timetable import REFRESH, Due, timetable
from healthmate_bi_pipeline.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """All schedules; ``schedules.enabled`` starts them, the UI starts and stops each.

    Raises:
        UsageError: the settings name a schedule that there is not, or a time that is none.
    """
    is_enabled = settings.schedules.enabled
    return [_schedule(due, is_running=is_enabled and due.starts_by_itself) for due in timetable(settings)]


def _schedule(due: Due, *, is_running: bool) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=due.name,
        cron_schedule=due.cron if len(due.cron) > 1 else due.cron[0],
        job_name=due.job,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description=due.description,
        execution_fn=_asking(due) if due.job == REFRESH else None,
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
