"""What alerts there are, what each means, and what to do; told in messages and in docs/alerts.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from healthmate_bi_pipeline.domain.alerts import Kind
from healthmate_bi_pipeline.domain.service_levels import Urgency
from healthmate_bi_pipeline.settings import Severity

LOOK_BACK = timedelta(days=30)
"""How far back runs that failed are looked at."""

KEPT = timedelta(days=400)
"""How long alerts that are over, and results of checks that were made again, are kept."""

TOLD_WITHIN = timedelta(days=7)
"""A channel that was down for longer is not told any more of what is over."""

RUN_PATIENCE = timedelta(minutes=2)
"""What is transient is tried again within a minute, and is nobody's business."""

CRITICAL_ATTEMPTS = 3
"""Runs that failed one after the other, from which on it does not look as if it mended itself."""

LEAST_BREACH_MINUTES = 15
"""A threshold that was broken for a shorter time is for those who look: three times five minutes."""

URGENCIES: dict[Urgency, Severity] = {Urgency.PAGE: Severity.CRITICAL, Urgency.TICKET: Severity.WARNING}
"""How grave a burning error budget is."""

DAILY_DAYS, DAILY_ARRIVALS = 7, 5
"""A dataset comes daily when files of it came on so many days of the last so many up to its last file."""


@dataclass(frozen=True)
class AlertKind:
    """A kind of alert.

    Attributes:
        title: a few words.
        meaning: when it holds.
        remedy: what to do.
    """

    title: str
    meaning: str
    remedy: str


ALERT_KINDS: dict[Kind, AlertKind] = {
    Kind.RUN: AlertKind(
        "a run failed",
        f"A run failed or its process was killed within the last {LOOK_BACK.days} days, and the same days were not made"
        f" since; critical from {CRITICAL_ATTEMPTS} attempts on.",
        "Open the run in Dagster (or `healthmate-bi status`) and read its error, which says what to do; then"
        " `healthmate-bi run`, which makes what is missing.",
    ),
    Kind.CHECK: AlertKind(
        "a check failed",
        "Rows do not add up, or another check of an asset failed, and the same days have not passed it since; or the"
        " check could not be made at all.",
        "Open the asset's checks in Dagster: the counts say where rows are missing. Make the named days again with"
        " `healthmate-bi run --select ASSET --from DAY --to DAY`; if it stays, rows were changed from outside.",
    ),
    Kind.INCIDENT: AlertKind(
        "a service breaks its promise",
        "A threshold or the burn rate of an error budget is broken (bi_performance_incidents) and goes on. Burn rates"
        " that call for a page are critical; a threshold broken for less than"
        f" {LEAST_BREACH_MINUTES} minutes is info.",
        "Look at the service: its errors, its last deployment. The report system_performance names the routes.",
    ),
    Kind.OVERDUE: AlertKind(
        "figures are overdue",
        "Partitions of periods that ended for everyone are missing or stale, and were for longer than"
        " `alerts.overdue_hours`.",
        "See that the schedule runs and that no run fails; `healthmate-bi run` makes them.",
    ),
    Kind.SILENCE: AlertKind(
        "a dataset is silent",
        f"Files of a dataset came on at least {DAILY_ARRIVALS} of {DAILY_DAYS} days, and none has come for longer than"
        " `alerts.silent_hours`.",
        "Ask who delivers them; see that the landing folder is read (`healthmate-bi status` counts new files).",
    ),
    Kind.CHANNEL: AlertKind(
        "a channel does not take messages",
        "The last message to it could not be delivered; it is tried again with every look.",
        "`healthmate-bi alerts --test` says how each channel answers.",
    ),
}  # fmt: skip
"""All kinds."""
