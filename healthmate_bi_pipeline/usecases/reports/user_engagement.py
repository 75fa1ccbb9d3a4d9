"""What the report on user engagement is made from: groups in the warehouse; of free ranges, the states that tile them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.engagement import CHURN_RISK_BANDS
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, ENGAGEMENT_GROUPS, figures_name, state_name
from healthmate_bi_pipeline.catalog.lake_tables import CHURN_FITS
from healthmate_bi_pipeline.catalog.reports import USER_ENGAGEMENT
from healthmate_bi_pipeline.domain.lifecycle import Lifecycle
from healthmate_bi_pipeline.domain.period import Grain, Period, Window, midnight
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    Activity,
    Calibration,
    CohortCell,
    FeatureUse,
    PeriodEngagement,
    Tenth,
    UserEngagementInputs,
)
from healthmate_bi_pipeline.reporting.user_engagement.report import user_engagement
from healthmate_bi_pipeline.usecases.churn import CALIBRATION, HOLD_OUT_WEEKS, RETENTION
from healthmate_bi_pipeline.usecases.engagement_ranges import (
    RangeEngagement,
    range_engagement,
    range_lifecycle,
)
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.group_figures import deviation, group_figures
from healthmate_bi_pipeline.usecases.reports.recipe import Reach, Reading, ReportRecipe
from healthmate_bi_pipeline.usecases.reports.rows import arrivals, common_inputs
from healthmate_bi_pipeline.usecases.reports.scope import Subject, evidence_of, previous_window
from healthmate_bi_pipeline.warehouse import books, engagement_queries

_COHORTS = f"{ENGAGEMENT.group}/cohorts"
_STARTS = f"{ENGAGEMENT.group}/starts"
_SHORT = (Period.DAILY, Period.WEEKLY, Period.MONTHLY)
MOST_COHORTS = 12
"""Cohorts of the heat map, and intervals that each is followed over."""


def gather_user_engagement(pipeline: Pipeline, subject: Subject) -> UserEngagementInputs | None:
    """What the report is made from, or ``None`` where nothing is known of its days."""
    window = subject.window
    before = previous_window(subject.period, window)
    period, span = evidence_of(subject.period, window)
    with pipeline.warehouse.transaction() as connection:
        read = _Reader(connection, period)
        history = read.history(period, span)
        days = books.partition_records(connection, state_name(ENGAGEMENT, Grain.DAY), window=window)
        filled = sum(1 for record in days.values() if record.rows)
        if subject.period is not None:
            current, previous = (read.period(subject.period, part) for part in (window, before))
            curves = engagement_queries.active_days(connection, period=subject.period, window=window)
            lifecycle = _filled(
                engagement_queries.lifecycle(connection, period=subject.period, window=window),
                is_over=pipeline.is_complete(window.end),
            )
            active_before = previous.activity.active if previous.activity else None
        elif filled:
            now, then = range_engagement(pipeline, (window, before))
            current, previous = (
                read.completed(_of_range(part, found)) for part, found in ((window, now), (before, then))
            )
            stages = range_lifecycle(pipeline, window)
            curves, lifecycle, active_before = now.curves, stages.stages, stages.active_before
        else:
            return None
        if current.activity is None:
            return None
        week_end = Period.WEEKLY.floor(window.end).date()
        told, known = engagement_queries.forecast_coverage(connection, week_end)
        interval = Period.MONTHLY if period is Period.MONTHLY else Period.WEEKLY
        return UserEngagementInputs(
            **common_inputs(
                pipeline,
                connection,
                subject,
                datasets=ENGAGEMENT.datasets,
                rests_on=(state_name(ENGAGEMENT, Grain.DAY), _COHORTS, CALIBRATION),
            ),
            current=current,
            previous=previous if previous.activity and previous.activity.active else None,
            period=period,
            history=history,
            lifecycle=lifecycle,
            active_before=active_before,
            curves=_curves(curves),
            cohort_interval=interval,
            cohorts=read.cohorts(interval, window),
            first_day=engagement_queries.first_day(connection),
            forecast_people=told,
            known_people=known,
            calibration=read.calibration(window),
            days_with_data=filled,
            arrivals=arrivals(connection, ENGAGEMENT.datasets, window, delay=pipeline.settings.period.delay),
        )


def _filled(stages: Mapping[str, int], *, is_over: bool) -> dict[str, int]:
    """The stages with those that hold nobody; who fell silent is not said before it is over."""
    told = [stage for stage in Lifecycle if is_over or stage is not Lifecycle.DORMANT]
    return {str(stage): stages.get(stage, 0) for stage in told}


class _Reader:
    """Reads periods of groups; ``interval`` is what retention is told by."""

    def __init__(self, connection: Connection, interval: Period) -> None:
        self._connection = connection
        self._interval = interval

    def period(self, period: Period, window: Window) -> PeriodEngagement:
        """One period."""
        (found,) = self.history(period, window)
        return self.completed(found)

    def history(self, period: Period, span: Window) -> list[PeriodEngagement]:
        """All periods that start in a span, in order, none left out."""
        activity = {
            row["period_start"]: _activity(row)
            for row in engagement_queries.activity(self._connection, period=period, window=span)
        }
        figures = _by_start(engagement_queries.figures(self._connection, period=period, window=span))
        features = _by_start(engagement_queries.feature_use(self._connection, period=period, window=span))
        found = [
            PeriodEngagement(
                window=part,
                activity=activity.get(part.start),
                figures=group_figures(figures.get(part.start, ())),
                features=_features(features.get(part.start, ())),
            )
            for part in period.windows(span)
        ]
        return self._with_churn(self._with_retention(found))

    def completed(self, one: PeriodEngagement) -> PeriodEngagement:
        """The same with retention and churn risk."""
        (found,) = self._with_churn(self._with_retention([one]))
        return found

    def _with_retention(self, periods: Sequence[PeriodEngagement]) -> list[PeriodEngagement]:
        """With who came one interval before, and stayed, of the intervals that lie in each period."""
        first = self._interval.previous(self._interval.floor(periods[0].window.start))
        rows = engagement_queries.cohorts(
            self._connection,
            interval=self._interval,
            first=first.date(),
            last=periods[-1].window.last_day,
            numbers=(1, 1),
        )
        ends = [
            (self._interval.window(self._interval.next(midnight(row["cohort_start"]))), row) for row in rows
        ]
        found = []
        for one in periods:
            own = [
                row
                for interval, row in ends
                if one.window.start <= interval.start and interval.end <= one.window.end
            ]
            came, stayed = (sum(row[name] for row in own) for name in ("people", "active_people"))
            found.append(replace(one, came=came, stayed=stayed))
        return found

    def _with_churn(self, periods: Sequence[PeriodEngagement]) -> list[PeriodEngagement]:
        ends = {Period.WEEKLY.floor(one.window.end).date() for one in periods}
        rows = engagement_queries.churn_risks(self._connection, week_ends=ends, bands=CHURN_RISK_BANDS)
        by_end = {row["week_end"]: _churn(row) for row in rows}
        return [replace(one, churn=by_end.get(Period.WEEKLY.floor(one.window.end).date())) for one in periods]

    def cohorts(self, interval: Period, window: Window) -> list[CohortCell]:
        """The newest cohorts of an interval, in the intervals that were over at the window's end."""
        first = interval.floor(window.end)
        for _ in range(MOST_COHORTS + 1):
            first = interval.previous(first)
        rows = engagement_queries.cohorts(
            self._connection,
            interval=interval,
            first=first.date(),
            last=window.last_day,
            numbers=(0, MOST_COHORTS),
        )
        cells = [
            CohortCell(row["cohort_start"], row["number"], row["people"], row["active_people"])
            for row in rows
        ]
        return [cell for cell in cells if _end_of(cell, interval) <= window.end]

    def calibration(self, window: Window) -> Calibration | None:
        """The last judgement of the churn model whose hold-out was over at the window's end."""
        before = window.end - timedelta(weeks=HOLD_OUT_WEEKS)
        rows = engagement_queries.calibration(self._connection, before=before.date())
        if not rows:
            return None
        whole, *tenths = rows
        return Calibration(
            month=whole["month"],
            tenths=[Tenth(row["decile"], row["people"], row["predicted"], row["observed"]) for row in tenths],
            people=whole["people"],
            brier=whole["brier_score"],
            rule_brier=whole["rule_brier_score"],
        )


def _end_of(cell: CohortCell, interval: Period) -> datetime:
    end = midnight(cell.start)
    for _ in range(cell.number + 1):
        end = interval.next(end)
    return end


def _of_range(window: Window, found: RangeEngagement) -> PeriodEngagement:
    return PeriodEngagement(
        window=window,
        activity=_activity(found.activity),
        figures=group_figures(found.figures),
        features=_features(found.features),
    )


def _activity(row: Mapping[str, Any]) -> Activity:
    return Activity(
        active=row["active_people"],
        daily=row["mean_daily_active_people"],
        weekly=row["weekly_active_people"],
        monthly=row["monthly_active_people"],
        stickiness=row["stickiness"],
    )


def _features(rows: Iterable[Mapping[str, Any]]) -> dict[str, FeatureUse]:
    return {
        row["feature"]: FeatureUse(row["feature"], row["people"], row["uses"], row["adopters"])
        for row in rows
    }


def _churn(row: Mapping[str, Any]) -> GroupFigure:
    people = row["people"]
    return GroupFigure(
        "recent_churn_risk",
        people,
        float(row["total"]) / people,
        band_people=tuple(row[f"band_{number}"] for number in range(len(CHURN_RISK_BANDS))),
        deviation=deviation(people, row["total"], row["total_squared"]),
    )


def _curves(rows: Iterable[Mapping[str, Any]]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for row in rows:
        found[row["window_days"]][row["active_days"]] = row["people"]
    return dict(found)


def _by_start(rows: Iterable[Mapping[str, Any]]) -> dict[datetime, list[Mapping[str, Any]]]:
    found: dict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["period_start"]].append(row)
    return found


def _reads(period: Period) -> tuple[Reading, ...]:
    return (
        Reading(figures_name(ENGAGEMENT_GROUPS, period), Reach.OWN),
        Reading(figures_name(ENGAGEMENT, period), Reach.OWN),
        *(Reading(figures_name(ENGAGEMENT_GROUPS, short), Reach.TREND, short) for short in _SHORT),
        *(Reading(figures_name(ENGAGEMENT, short), Reach.TREND, short) for short in _SHORT),
        *(Reading(RETENTION, Reach.TREND, short) for short in _SHORT),
        *(Reading(asset, Reach.BESIDE) for asset in (_STARTS, _COHORTS, CALIBRATION)),
        Reading(state_name(ENGAGEMENT, Grain.DAY), Reach.BEFORE),
        Reading(CHURN_FITS.name, Reach.BEFORE),
        *(Reading(f"raw/{dataset.name}", Reach.INSIDE) for dataset in ENGAGEMENT.datasets),
    )


USER_ENGAGEMENT_RECIPE = ReportRecipe(
    report_type=USER_ENGAGEMENT,
    exists_with=lambda period: (figures_name(ENGAGEMENT_GROUPS, period),),
    reads=_reads,
    gather=gather_user_engagement,
    build=lambda inputs, stamp: user_engagement(inputs, stamp=stamp),
)
