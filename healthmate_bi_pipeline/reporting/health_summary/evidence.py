"""What a health summary looks for insights in: every watched figure over time, as its audience may see it."""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.catalog.device_changes import LEAST_PEOPLE_A_SIDE
from healthmate_bi_pipeline.catalog.watched_figures import HEALTH
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, Count, Number
from healthmate_bi_pipeline.reporting.document import RANGE
from healthmate_bi_pipeline.reporting.evidence import Contrast, Evidence, Sample, Tracked
from healthmate_bi_pipeline.reporting.health_summary.inputs import DeviceChange, HealthSummaryInputs
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.suppression import ShownFigure, show_figure
from healthmate_bi_pipeline.reporting.wording import mid_sentence, period_text


def health_evidence(
    inputs: HealthSummaryInputs, *, shown: Mapping[str, ShownFigure], people: Count
) -> Evidence:
    """The figures that have a number, with their histories; and of a month how devices changed."""
    return Evidence(
        tuple(
            _tracked(inputs, shown[watched.name], everyone=people)
            for watched in HEALTH
            if not isinstance(shown[watched.name].mean, Absence)
        ),
        contrasts=tuple(
            _contrast(inputs, device, everyone=people)
            for device in inputs.devices
            if min(device.own.people, device.others.people) >= LEAST_PEOPLE_A_SIDE
        ),
    )


def _contrast(inputs: HealthSummaryInputs, device: DeviceChange, *, everyone: Count) -> Contrast:
    own, others = (show_figure(one, settings=inputs.settings) for one in (device.own, device.others))
    before = Period.MONTHLY.window(Period.MONTHLY.previous(inputs.window.start))
    return Contrast(
        figure=own.figure,
        subject=device.source,
        own=_sample(inputs.window, own),
        others=_sample(inputs.window, others),
        previous_name=mid_sentence(period_text(inputs.cadence, before)),
        reach=_reach(own.people, everyone=everyone),
    )


def _tracked(inputs: HealthSummaryInputs, shown: ShownFigure, *, everyone: Count) -> Tracked:
    previous = previous_name = None
    if inputs.previous is not None and inputs.previous_window is not None:
        before = inputs.previous.get(shown.figure) or GroupFigure(shown.figure, 0)
        previous = _sample(inputs.previous_window, show_figure(before, settings=inputs.settings))
        previous_name = mid_sentence(period_text(inputs.cadence, inputs.previous_window))
        if inputs.cadence == RANGE:
            previous_name = f"the {inputs.previous_window.days} days before, {previous_name},"
    return Tracked(
        figure=shown.figure,
        period=inputs.history_period,
        history=_history(inputs, shown.figure),
        current=_sample(inputs.window, shown),
        previous=previous,
        previous_name=previous_name or "",
        reach=_reach(shown.people, everyone=everyone),
    )


def _sample(window: Window, shown: ShownFigure) -> Sample:
    return Sample(window, shown.mean, shown.people, shown.deviation)


def _history(inputs: HealthSummaryInputs, figure: str) -> tuple[Sample, ...]:
    """Every short period from the first point to the window's end; one without a point has no data."""
    if not inputs.history:
        return ()
    by_start = {point.period_start: point.figures for point in inputs.history}
    samples = []
    for window in inputs.history_period.windows(Window(min(by_start), inputs.window.end)):
        known = by_start.get(window.start, {}).get(figure) or GroupFigure(figure, 0)
        shown = show_figure(known, settings=inputs.settings)
        samples.append(_sample(window, shown))
    return tuple(samples)


def _reach(people: Count, *, everyone: Count) -> Number:
    if isinstance(people, Absence) or isinstance(everyone, Absence) or not everyone:
        return Absence.SUPPRESSED
    return min(people / everyone, 1.0)
