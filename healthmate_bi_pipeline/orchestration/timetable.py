"""When everything is due: periods and reports after their end, and what is done once a day, by night or in between.

Pure functions of the settings. All times are UTC; a period has ended for everybody, also west of Greenwich,
``period.settle_hours`` after its end, and is complete ``period.grace_hours`` later.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import dagster as dg

from healthmate_bi_pipeline.catalog.families import FAMILIES, figures_name
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSETS, OF_ALL_TIME, AssetSpec

REFRESH = "refresh"
CHECKS_JOB = "checks"
RETENTION = "retention"
VACUUM = "vacuum"
COLLECT = "collect_host_sample"
"""The jobs that are started by the clock."""

LONGEST_DELAY_IN_CRON = timedelta(days=27)
"""Later than this day of the month no month is sure to have; such a schedule asks every day."""


@dataclass(frozen=True)
class Due:
    """When a job is started.

    Attributes:
        name: of the schedule.
        cron: when; several times are several ticks.
        description: for people.
        job: its name.
        assets: of a refresh: what is made, and all that it is made from.
        is_hourly: whether the next tick makes all that this one would.
        starts_by_itself: whether ``schedules.enabled`` starts it; else only somebody in the UI does.
    """

    name: str
    cron: tuple[str, ...]
    description: str
    job: str = REFRESH
    assets: tuple[str, ...] = ()
    is_hourly: bool = False
    starts_by_itself: bool = True


def timetable(settings: Settings, assets: tuple[AssetSpec, ...] = ASSETS) -> list[Due]:
    """Everything that is due by the clock.

    Raises:
        UsageError: the settings name a schedule that there is not, or a time that is none.
    """
    found = [
        *(_figures(settings, period, assets) for period in Period),
        *_reports(settings, assets),
        *_jobs(settings),
    ]
    own = settings.schedules.cron
    _refuse_wrong(own, {due.name for due in found})
    return [replace(due, cron=(own[due.name],)) if due.name in own else due for due in found]


def schedules_by_asset(
    settings: Settings, assets: tuple[AssetSpec, ...] = ASSETS
) -> dict[str, tuple[str, ...]]:
    """Which schedules make an asset: those that name it or something that is made from it."""
    found: dict[str, tuple[str, ...]] = {asset.name: () for asset in assets}
    for due in timetable(settings, assets):
        wanted = set(due.assets)
        for asset in reversed(assets):  # each stands after what it is made from
            if asset.name in wanted:
                found[asset.name] += (due.name,)
                wanted.update(asset.upstream)
    return found


def _figures(settings: Settings, period: Period, assets: tuple[AssetSpec, ...]) -> Due:
    names = [figures_name(family, period) for family in FAMILIES]
    if period is Period.HOURLY:
        every = "Every hour: takes new files in and makes the hours of the running day."
        return Due("figures_hourly", ("5 * * * *",), every, assets=tuple(names), is_hourly=True)
    kept = settings.period
    minute = 10 + 5 * list(Period).index(period)
    times = (timedelta(hours=kept.settle_hours), kept.delay)
    cron = tuple(dict.fromkeys(after_the_end(period, delay, minute=minute) for delay in times))
    what = f"The {period} figures, when the period is over for everybody and when late data are no longer waited for."
    if period is Period.DAILY:
        names += [asset.name for asset in assets if asset.name in OF_ALL_TIME and asset.group != "reports"]
        what += " And what looks at all of history."
    return Due(f"figures_{period}", cron, what, assets=tuple(names))


def _reports(settings: Settings, assets: tuple[AssetSpec, ...]) -> list[Due]:
    """Of the usual cadences, after the figures that they stand on."""
    return [
        Due(
            asset.name.replace("reports/", "report_"),
            (after_the_end(asset.partitioned_by, settings.period.delay, minute=45),),
            f"The report {asset.name.removeprefix('reports/')}, when late data of its period are no longer waited for.",
            assets=(asset.name,),
        )
        for asset in assets
        if asset.group == "reports" and asset.wanted is not None and asset.partitioned_by is not None
    ]


def _jobs(settings: Settings) -> list[Due]:
    """What is about no period."""
    return [
        Due(
            "checks_daily",
            ("15 13 * * *",),
            "Once a day: every check over everything, also whether all that is due has been made.",
            job=CHECKS_JOB,
        ),
        Due(
            "retention_nightly",
            ("40 3 * * *",),
            "Every night: deletes what is past its time; fails while retention is off.",
            job=RETENTION,
            starts_by_itself=settings.retention.enabled,
        ),
        Due(
            "vacuum_nightly",
            ("10 4 * * *",),
            "Every night: deletes files of the lake that no table has needed for vacuum.keep_days.",
            job=VACUUM,
        ),
        Due(
            "collect_every_five_minutes",
            ("*/5 * * * *",),
            "Every five minutes: one sample of the host that Dagster runs on.",
            job=COLLECT,
            starts_by_itself=False,
        ),
    ]


def after_the_end(period: Period, delay: timedelta, *, minute: int) -> str:
    """The cron expression (UTC) of the first full hour at least a delay after the end of each period.

    >>> after_the_end(Period.DAILY, timedelta(hours=12), minute=15)
    '15 12 * * *'
    >>> after_the_end(Period.WEEKLY, timedelta(hours=84), minute=45)
    '45 12 * * 4'
    >>> after_the_end(Period.QUARTERLY, timedelta(hours=84), minute=45)
    '45 12 4 1,4,7,10 *'
    """
    days, hour = divmod(math.ceil(delay / timedelta(hours=1)), 24)
    months = {Period.MONTHLY: "*", Period.QUARTERLY: "1,4,7,10", Period.YEARLY: "1"}
    if period is Period.WEEKLY:
        return f"{minute} {hour} * * {(1 + days) % 7}"
    if period in months and timedelta(days=days) < LONGEST_DELAY_IN_CRON:
        return f"{minute} {hour} {1 + days} {months[period]} *"
    return f"{minute} {hour} * * *"


def _refuse_wrong(cron: dict[str, str], names: set[str]) -> None:
    for name, text in cron.items():
        if name not in names:
            raise UsageError(
                f"schedules.cron: there is no schedule {name}; there are {', '.join(sorted(names))}."
            )
        try:
            dg.ScheduleDefinition(name=name, cron_schedule=text, job_name=name)
        except dg.DagsterInvalidDefinitionError:
            raise UsageError(
                f"schedules.cron.{name}: {text!r} is no time; expected five fields like '15 12 * * *'."
            ) from None
