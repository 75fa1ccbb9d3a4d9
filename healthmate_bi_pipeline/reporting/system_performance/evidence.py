"""What insights on system performance rest on: figures of services and machines over time, and what happened."""

from __future__ import annotations

from collections.abc import Iterator

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.domain.service_levels import LEAST_APDEX_SAMPLES
from healthmate_bi_pipeline.reporting.blocks import Absence, Number
from healthmate_bi_pipeline.reporting.evidence import Evidence, Fact, Sample, Tracked
from healthmate_bi_pipeline.reporting.system_performance.episodes import (
    LEAST_FAILURES,
    THRESHOLD_LABELS,
    Episode,
    episodes,
    excess,
    value_text,
)
from healthmate_bi_pipeline.reporting.system_performance.inputs import (
    Figures,
    Place,
    Places,
    SystemPerformanceInputs,
)
from healthmate_bi_pipeline.reporting.system_performance.resources import (
    RESOURCES,
    Filling,
    filling_resources,
    mean_of,
)
from healthmate_bi_pipeline.reporting.wording import (
    HARD_SPACE,
    count_text,
    mid_sentence,
    number_text,
    period_text,
    short_day_text,
    value_with_unit,
)

# Availability is not watched beside the error rate: it is one minus that, and would be found twice.
OF_SERVICES = ("error_rate", "response_time_p95", "requests")
OF_MACHINES = tuple(mean_of(resource) for resource in RESOURCES)
LEAST_REQUESTS = LEAST_APDEX_SAMPLES
"""Of fewer requests a missed objective is not told: one failure is more than 99.9 % allow."""


def evidence(inputs: SystemPerformanceInputs) -> Evidence:
    """Everything that is watched, of the environment that matters the most, and what happened there."""
    return Evidence(tracked=tuple(_tracked(inputs)), facts=tuple(_facts(inputs)))


def _tracked(inputs: SystemPerformanceInputs) -> Iterator[Tracked]:
    if inputs.evidence_window is None:
        return
    main = inputs.main_environment
    total = _value(inputs.current, Place("*", main), "requests")
    for place in inputs.services:
        if place.environment == main:
            own = _value(inputs.current, place, "requests")
            reach: Number = Absence.NO_DATA
            if not isinstance(own, Absence) and not isinstance(total, Absence) and total:
                reach = own / total
            for figure in OF_SERVICES:
                yield _of(inputs, place, figure, reach=reach)
    machines = [place for place in inputs.machines if place.environment == main]
    for place in machines:
        for figure in OF_MACHINES:
            if figure in inputs.current[place]:
                yield _of(inputs, place, figure, reach=1 / len(machines))


def _of(inputs: SystemPerformanceInputs, place: Place, figure: str, *, reach: Number) -> Tracked:
    assert inputs.evidence_window is not None  # noqa: S101 - asked before
    by_start = {point.period_start: point.places for point in inputs.evidence}
    windows = list(inputs.evidence_period.windows(inputs.evidence_window))
    history = tuple(
        Sample(window, _value(by_start.get(window.start, {}), place, figure)) for window in windows
    )
    before = None
    if inputs.previous_window is not None:
        before = Sample(inputs.previous_window, _value(inputs.previous, place, figure))
    return Tracked(
        figure=figure,
        period=inputs.evidence_period,
        history=history,
        current=Sample(inputs.window, _value(inputs.current, place, figure)),
        previous=before,
        previous_name=_period_name(inputs, before.window) if before else "",
        subject=inputs.label(place),
        reach=reach,
    )


def _period_name(inputs: SystemPerformanceInputs, window: Window) -> str:
    return mid_sentence(period_text(inputs.cadence, window))


def _value(places: Places, place: Place, figure: str) -> Number:
    found: Figures = places.get(place, {})
    return found[figure].value if figure in found else Absence.NO_DATA


def _facts(inputs: SystemPerformanceInputs) -> Iterator[Fact]:
    main = inputs.main_environment
    for episode in episodes([one for one in inputs.incidents if one.place.environment == main]):
        yield _incident_fact(inputs, episode)
    for place in missed_objectives(inputs):
        yield _objective_fact(inputs, place)
    for place in slow_services(inputs):
        yield _slow_fact(inputs, place)
    for filling in filling_resources(inputs.resources):
        yield _resource_fact(inputs, filling)


def missed_objectives(inputs: SystemPerformanceInputs) -> tuple[Place, ...]:
    """Services of the main environment that used up more than their error budget, by more than a few failures."""
    return tuple(
        place
        for place in inputs.services
        if place.environment == inputs.main_environment
        and inputs.current[place]["requests"].value >= LEAST_REQUESTS
        and "error_budget_left" in inputs.current[place]
        and inputs.current[place]["error_budget_left"].value < 0
        and inputs.current[place]["errors"].value >= LEAST_FAILURES
    )


def slow_services(inputs: SystemPerformanceInputs) -> tuple[Place, ...]:
    """Services of the main environment whose 95th percentile is above what was promised."""
    return tuple(
        place
        for place in inputs.services
        if place.environment == inputs.main_environment
        and "response_time_p95" in inputs.current[place]
        and inputs.current[place]["response_time_p95"].samples >= LEAST_REQUESTS
        and inputs.current[place]["response_time_p95"].value > inputs.levels[place.service].response_time_ms
    )


def _incident_fact(inputs: SystemPerformanceInputs, episode: Episode) -> Fact:
    worst = episode.worst
    figure = "error_rate" if episode.has_failures else "response_time_p95"
    what = f"{THRESHOLD_LABELS[worst.threshold]} reached {value_text(worst, worst.worst_value)}"
    if episode.has_failures:
        failed = f"{count_text(episode.failures)} of {count_text(episode.requests)} requests failed"
        what = f"{failed} in the minutes counted; {what}"
    else:
        what = f"95{HARD_SPACE}% of its responses took up to {value_text(worst, worst.worst_value)}"
    return Fact(
        rule="budget_burning" if worst.threshold.startswith("burn_") else "threshold_broken",
        figures=(figure,),
        subject=inputs.label(episode.place),
        text=(
            f"{inputs.label(episode.place)} had an incident, {stretch_text(episode)}: {what} against a limit of"
            f" {value_text(worst, worst.limit_value)}."
        ),
        estimate=episode.failures / episode.requests if episode.has_failures else worst.worst_value,
        effect=excess(worst),
    )


def stretch_text(episode: Episode) -> str:
    """From when to when, and how long."""
    start, end = episode.started_at, episode.ended_at
    minutes = int((end - start).total_seconds()) // 60
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{short_day_text(end)} {end:%H:%M}"
    long = (
        f"{minutes}{HARD_SPACE}min"
        if minutes < 120
        else f"{number_text(minutes / 60, decimals=1)}{HARD_SPACE}h"
    )
    return f"{short_day_text(start)} {start:%H:%M} to {until} UTC ({long})"


def _objective_fact(inputs: SystemPerformanceInputs, place: Place) -> Fact:
    figures, level = inputs.current[place], inputs.levels[place.service]
    requests = figures["requests"].value
    allowed = requests * (1 - level.availability)
    return Fact(
        rule="slo_broken",
        figures=("availability", "error_budget_left"),
        subject=inputs.label(place),
        text=(
            f"{inputs.label(place)} missed its objective: {value_with_unit('availability', figures['availability'].value)}"
            f" of {count_text(round(requests))} requests were answered without failure, promised are"
            f" {number_text(level.availability * 100, decimals=2)}{HARD_SPACE}%:"
            f" {count_text(round(figures['errors'].value))} failures where {number_text(allowed, decimals=1)} were allowed."
        ),
        estimate=figures["availability"].value,
        effect=figures["burn_rate"].value,
    )  # fmt: skip


def _slow_fact(inputs: SystemPerformanceInputs, place: Place) -> Fact:
    value = inputs.current[place]["response_time_p95"].value
    limit = inputs.levels[place.service].response_time_ms
    return Fact(
        rule="threshold_broken",
        figures=("response_time_p95",),
        subject=inputs.label(place),
        text=(
            f"{inputs.label(place)} answered too slowly: 95{HARD_SPACE}% of its responses came within"
            f" {value_with_unit('response_time_p95', value)}, promised are"
            f" {value_with_unit('response_time_p95', limit)}."
        ),
        estimate=value,
        effect=value / limit,
    )


def _resource_fact(inputs: SystemPerformanceInputs, filling: Filling) -> Fact:
    forecast = filling.forecast
    return Fact(
        rule="limit_ahead",
        figures=(filling.figure,),
        subject=inputs.label(filling.place),
        text=(
            f"The {RESOURCES[filling.resource]} of {inputs.label(filling.place)} fills up by"
            f" {number_text(forecast.trend.slope, decimals=2)} points a day"
            f" ({number_text(forecast.trend.low, decimals=2)} to {number_text(forecast.trend.high, decimals=2)}) over"
            f" {forecast.points} days; from {value_with_unit(filling.figure, forecast.level)} on"
            f" {short_day_text(filling.last_day)} it reaches 100{HARD_SPACE}% in {days_text(forecast.days)}"
            f" ({days_text(forecast.earliest)} to {days_text(forecast.latest)})."
        ),
        estimate=forecast.trend.slope,
        effect=30 / max(forecast.days, 1.0),
    )


def days_text(days: float) -> str:
    """A number of days to come, as exactly as such a forecast is.

    >>> days_text(0.4).replace(HARD_SPACE, " "), days_text(8.6).replace(HARD_SPACE, " ")
    ('less than a day', '9 days')
    """
    if days < 1:
        return "less than a day"
    whole = round(days)
    return f"{count_text(whole)}{HARD_SPACE}{'day' if whole == 1 else 'days'}"
