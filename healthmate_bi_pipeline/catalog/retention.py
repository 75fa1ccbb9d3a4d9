"""How long things are kept: the defaults, what the settings may name beside them, and what would be nonsense.

Nothing is deleted until ``retention.enabled``. Finished figures and reports have defaults (STANDARDS §5); rows of
datasets and states go only where they are named. What is made as a whole from all days (first days, cohorts,
revenue, the churn model) needs what it is made from for ever, so that cannot be named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from healthmate_bi_pipeline.catalog.datasets import BILLING_EVENTS, PARTITIONED_DATASETS
from healthmate_bi_pipeline.catalog.families import FAMILIES, state_name
from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME
from healthmate_bi_pipeline.domain.keeping import Keeping, Unit, parse_keeping
from healthmate_bi_pipeline.domain.period import Grain, Period
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import RetentionSettings

PERIODS_KEPT: dict[Period, Keeping | None] = {
    Period.HOURLY: Keeping(30, Unit.DAYS),
    Period.DAILY: Keeping(365, Unit.DAYS),
    Period.WEEKLY: Keeping(104, Unit.WEEKS),
    Period.MONTHLY: Keeping(60, Unit.MONTHS),
    Period.QUARTERLY: None,
    Period.YEARLY: None,
}
REPORTS_KEPT = Keeping(2_555, Unit.DAYS)
RUNS_KEPT = Keeping(90, Unit.DAYS)
"""Of Dagster's log; what tells the newest state of a partition stays. The audit log stays for ever."""

LEAST_DAYS_OF_INPUTS = 62
"""A month is made again from its days until it is complete, and looks at the days of the month before."""

DATASETS_KEPT_FOR = tuple(dataset for dataset in PARTITIONED_DATASETS if dataset is not BILLING_EVENTS)
"""The datasets that may be named. Records of people have no day, and revenue is made from all billing events."""

STATES_KEPT_FOR: dict[str, tuple[Period, ...]] = {
    state_name(family, grain).removeprefix("state/"): tuple(
        period for period in Period if period.state_grain is grain
    )
    for family in FAMILIES
    for grain in family.grains
    if grain is not Grain.MONTH
}
"""The states that may be named, and the periods whose figures are made straight from them."""


@dataclass(frozen=True)
class Rules:
    """How long each thing is kept; ``None``, or no entry: for ever.

    Attributes:
        is_enabled: whether anything is deleted.
        periods: finished figures.
        reports: by type of report.
        datasets: rows of datasets.
        states: by the name of the asset, ``state/health_hours``.
        runs: Dagster's runs and their events.
    """

    is_enabled: bool
    periods: Mapping[Period, Keeping | None]
    reports: Mapping[str, Keeping | None]
    datasets: Mapping[str, Keeping | None]
    states: Mapping[str, Keeping | None]
    runs: Keeping | None

    def longest(self, shortest: Period) -> Keeping | None:
        """The longest of what is kept of a period and of those that are longer."""
        found = [
            self.periods[period]
            for period in Period
            if list(Period).index(period) >= list(Period).index(shortest)
        ]
        known = [keeping for keeping in found if keeping is not None]
        return max(known, key=lambda keeping: keeping.least_days) if len(known) == len(found) else None


def retention_rules(settings: RetentionSettings, *, delay: timedelta) -> Rules:
    """The defaults with what the settings say instead.

    Args:
        settings: ``[retention]``.
        delay: how long after its end a period counts as complete.

    Raises:
        UsageError: something is named that there is not or that has to stay, or is kept too short for what is made
            from it.
    """
    _refuse_unknown("periods", settings.periods, tuple(str(period) for period in Period))
    _refuse_unknown("report_types", settings.report_types, tuple(REPORT_TYPE_BY_NAME))
    _refuse_unknown("datasets", settings.datasets, tuple(dataset.name for dataset in DATASETS_KEPT_FOR))
    _refuse_unknown("states", settings.states, tuple(STATES_KEPT_FOR))
    reports = REPORTS_KEPT if settings.reports is None else parse_keeping(settings.reports)
    rules = Rules(
        is_enabled=settings.enabled,
        periods=PERIODS_KEPT | {Period(name): parse_keeping(text) for name, text in settings.periods.items()},
        reports=dict.fromkeys(REPORT_TYPE_BY_NAME, reports) | _parsed(settings.report_types),
        datasets=_parsed(settings.datasets),
        states={f"state/{name}": keeping for name, keeping in _parsed(settings.states).items()},
        runs=RUNS_KEPT if settings.runs is None else parse_keeping(settings.runs),
    )
    _refuse_too_short(rules, delay)
    return rules


def _parsed(named: Mapping[str, str]) -> dict[str, Keeping | None]:
    return {name: parse_keeping(text) for name, text in named.items()}


def _refuse_unknown(part: str, named: Mapping[str, str], known: tuple[str, ...]) -> None:
    for name in named:
        if name not in known:
            raise UsageError(
                f"retention.{part}.{name}: there is no such thing, or it has to stay because what is made from it looks"
                f" at all of it. Expected one of {', '.join(known)}."
            )


def _refuse_too_short(rules: Rules, delay: timedelta) -> None:
    least = delay.days + 1
    named = {f"periods.{period}": keeping for period, keeping in rules.periods.items()}
    named |= {f"report_types.{name}": keeping for name, keeping in rules.reports.items()}
    for name, keeping in named.items():
        if keeping is not None and keeping.least_days < least:
            raise UsageError(
                f"retention.{name}: {keeping} is shorter than the {least} days that late data are waited for"
                " (period.grace_hours): it would go before it is complete."
            )
    inputs = {f"datasets.{name}": keeping for name, keeping in rules.datasets.items()}
    inputs |= {f"states.{name.removeprefix('state/')}": keeping for name, keeping in rules.states.items()}
    for name, keeping in inputs.items():
        if keeping is not None and keeping.least_days < max(LEAST_DAYS_OF_INPUTS, least + 31):
            raise UsageError(
                f"retention.{name}: {keeping} is too short: a month is made again from its days until it is complete, and"
                f" looks at the days of the month before. Keep them for {max(LEAST_DAYS_OF_INPUTS, least + 31)} days or"
                " longer."
            )
    for name, keeping in rules.states.items():
        for period in STATES_KEPT_FOR[name.removeprefix("state/")]:
            _refuse_shorter(name, keeping, period, rules.periods[period])


def _refuse_shorter(name: str, keeping: Keeping | None, period: Period, figures: Keeping | None) -> None:
    if keeping is None or (figures is not None and figures.least_days <= keeping.least_days):
        return
    raise UsageError(
        f"retention.states.{name.removeprefix('state/')}: {keeping} is shorter than retention.periods.{period}"
        f" ({figures or 'for ever'}): late rows could not be counted in figures that are still kept. Keep the state"
        " longer, or the figures shorter."
    )
