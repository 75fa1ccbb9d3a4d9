"""The report on system performance: how the services do, and what needs doing.

A pure function from ``SystemPerformanceInputs`` to a ``Report``. None of it is about people: nothing is suppressed.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.catalog.datasets import API_REQUESTS, HOST_SAMPLES
from healthmate_bi_pipeline.catalog.performance import ALL, PERFORMANCE_FIGURES
from healthmate_bi_pipeline.catalog.performance_tables import (
    PERFORMANCE_INCIDENTS,
    SYSTEM_PERFORMANCE_METRICS,
)
from healthmate_bi_pipeline.domain.service_levels import LEAST_APDEX_SAMPLES
from healthmate_bi_pipeline.reporting.assembly import Content, assemble, notices
from healthmate_bi_pipeline.reporting.blocks import Absence, Comparison, KeyFigure
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion
from healthmate_bi_pipeline.reporting.document import DataSource, Report, Section, Stamp, Summary
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality
from healthmate_bi_pipeline.reporting.standard_sections import (
    dataset_description,
    definitions_section,
    quality_section,
)
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppression import exact_quality
from healthmate_bi_pipeline.reporting.system_performance.episodes import episodes
from healthmate_bi_pipeline.reporting.system_performance.evidence import (
    days_text,
    evidence,
    missed_objectives,
    slow_services,
    stretch_text,
)
from healthmate_bi_pipeline.reporting.system_performance.incident_section import incidents_section
from healthmate_bi_pipeline.reporting.system_performance.inputs import Place, SystemPerformanceInputs
from healthmate_bi_pipeline.reporting.system_performance.resources import RESOURCES, filling_resources
from healthmate_bi_pipeline.reporting.system_performance.sections import (
    objectives_section,
    resources_section,
    routes_section,
    signals_section,
)
from healthmate_bi_pipeline.reporting.wording import (
    HARD_SPACE,
    count_text,
    mid_sentence,
    period_text,
    value_with_unit,
)

METRICS = (
    "availability", "error_rate", "response_time_p95", "apdex", "requests", "error_budget_left", "burn_rate",
    "throughput", "response_time_p50", "response_time_p90", "response_time_p99", "failed_response_time_p95",
    "client_error_rate",
)  # fmt: skip
_HEADLINE = METRICS[:6]
_UNITS = {figure.name: figure.unit or "" for figure in PERFORMANCE_FIGURES}
_ON_FIGURES = (
    "Figures of several services together are merged from the counts and the sketches of each; none is a mean of"
    " figures. All times are UTC."
)


def system_performance(inputs: SystemPerformanceInputs, *, stamp: Stamp) -> Report:
    """The report on a window."""
    metrics = {name: _key_figure(inputs, name) for name in METRICS}
    known = [metric for metric in metrics.values() if not isinstance(metric.value, Absence)]
    return assemble(
        inputs,
        Content(
            summary=Summary(
                sentences=_sentences(inputs, metrics),
                people=None,
                headline=tuple(name for name in _HEADLINE if metrics[name] in known),
                notices=notices(inputs),
                reading=_reading(inputs),
            ),
            metrics=tuple(metrics.values()),
            sections=_sections(inputs, metrics),
            evidence=evidence(inputs),
            confidence_inputs=_confidence_inputs(inputs),
            data_sources=_data_sources(inputs),
        ),
        stamp=stamp,
    )


def _whole(inputs: SystemPerformanceInputs) -> Place:
    """All services of the environment that matters the most."""
    return Place(ALL, inputs.main_environment)


def _key_figure(inputs: SystemPerformanceInputs, name: str) -> KeyFigure:
    measured = inputs.current.get(_whole(inputs), {}).get(name)
    note = "" if measured else "No data in this period."
    if name.startswith("failed_") and not measured and inputs.services:
        note = "No failure whose duration is known."
    basis = f"from {count_text(measured.samples)} requests" if measured else ""
    return KeyFigure(
        figure=name,
        label=style_of(name).label,
        unit=_UNITS[name],
        value=measured.value if measured else Absence.NO_DATA,
        people=None,
        comparison=_comparison(inputs, name) if measured else None,
        note=note,
        basis="" if name == "requests" else basis,
    )


def _comparison(inputs: SystemPerformanceInputs, name: str) -> Comparison | None:
    if inputs.previous_window is None:
        return None
    before = inputs.previous.get(_whole(inputs), {}).get(name)
    against = mid_sentence(period_text(inputs.cadence, inputs.previous_window))
    if before is None:
        return Comparison(against, inputs.previous_window, Absence.NO_DATA, Absence.NO_DATA)
    change = inputs.current[_whole(inputs)][name].value - before.value
    return Comparison(against, inputs.previous_window, before.value, change)


def _sentences(inputs: SystemPerformanceInputs, metrics: Mapping[str, KeyFigure]) -> tuple[str, ...]:
    period = period_text(inputs.cadence, inputs.window)
    main = [place for place in inputs.services if place.environment == inputs.main_environment]
    if not main:
        samples = " There are host samples only." if inputs.machines else ""
        return (f"No requests were logged in {mid_sentence(period)}.{samples}",)
    services = f"{len(main)} service{'' if len(main) == 1 else 's'}"
    opening = (
        f"{period}: {count_text(round(_number(metrics['requests'])))} requests to {services} in"
        f" {inputs.main_environment}; {value_with_unit('availability', metrics['availability'].value)} were answered"
        " without failure"
    )
    p95 = metrics["response_time_p95"]
    if not isinstance(p95.value, Absence):
        opening += (
            f", 95{HARD_SPACE}% of the answers within {value_with_unit('response_time_p95', p95.value)}"
        )
    return (f"{opening}.", " ".join(_happened(inputs)))


def _number(metric: KeyFigure) -> float:
    return 0.0 if isinstance(metric.value, Absence) else metric.value


def _happened(inputs: SystemPerformanceInputs) -> tuple[str, ...]:
    """What a person on call should know first; one sentence where there is nothing."""
    told = []
    found = episodes([one for one in inputs.incidents if one.place.environment == inputs.main_environment])
    pages = [one for one in found if one.is_page]
    if pages:
        texts = [f"{inputs.label(one.place)}, {stretch_text(one)}" for one in pages[:3]]
        more = f" and {len(pages) - 3} more" if len(pages) > 3 else ""
        told.append(f"{'Incident' if len(pages) == 1 else 'Incidents'}: {'; '.join(texts)}{more}.")
    missed = [inputs.label(place) for place in missed_objectives(inputs)]
    if missed:
        told.append(f"Missed their objective: {', '.join(missed)}.")
    slow = [inputs.label(place) for place in slow_services(inputs)]
    if slow:
        told.append(f"Slower than promised: {', '.join(slow)}.")
    told.extend(
        f"The {RESOURCES[one.resource]} of {inputs.label(one.place)} is full in about"
        f" {days_text(one.forecast.days)} if it goes on like this."
        for one in filling_resources(inputs.resources)[:3]
    )
    return tuple(told) or ("No service missed its objective, and nobody had to be woken.",)


def _reading(inputs: SystemPerformanceInputs) -> tuple[str, ...]:
    environments = sorted({place.environment for place in inputs.services} - {inputs.main_environment})
    if not environments:
        return ()
    others = f"{' and '.join(environments)} {'is' if len(environments) == 1 else 'are'} in the tables only"
    return (f"The figures above are of {inputs.main_environment}, which has the most requests; {others}.",)


def _sections(inputs: SystemPerformanceInputs, metrics: Mapping[str, KeyFigure]) -> tuple[Section, ...]:
    sections = []
    if inputs.services:
        sections += [
            incidents_section(inputs),
            signals_section(inputs),
            objectives_section(inputs),
            routes_section(inputs),
        ]
    sections.append(resources_section(inputs))
    qualities = [exact_quality(one) for one in inputs.quality if one.staged or one.files]
    sections.append(quality_section(qualities, accuracy=None, note=""))
    if inputs.services:
        sections.append(definitions_section(tuple(metrics.values()), remark=_ON_FIGURES))
    return tuple(sections)


def _confidence_inputs(inputs: SystemPerformanceInputs) -> tuple[ConfidenceInput, ...]:
    """How good requests and samples are; one that there is none of is not relied on, but for requests."""
    main = inputs.main_environment
    quality = {one.dataset: one for one in inputs.quality}
    services = [place for place in inputs.services if place.environment == main]
    enough = sum(inputs.current[place]["requests"].samples >= LEAST_APDEX_SAMPLES for place in services)
    machines = [place for place in inputs.machines if place.environment == main]
    hours = inputs.hours.get(main, {}).get((ALL, ALL), 0)
    found = []
    if services:
        found.append(
            ConfidenceInput(
                API_REQUESTS.name,
                (
                    Portion("coverage", hours, inputs.hours_expected, f"hours with requests in {main} of those that passed"),
                    *_common(inputs, quality.get(API_REQUESTS.name)),
                    Portion("sufficiency", enough, len(services), f"services with {LEAST_APDEX_SAMPLES} requests or more of all"),
                ),
            )
        )  # fmt: skip
    else:
        found.append(ConfidenceInput(API_REQUESTS.name, ()))
    if machines:
        # STANDARDS have no gate for samples: how many there are is said by the coverage.
        sampled = [
            inputs.sampled_hours.get(main, {}).get((place.service, place.instance), 0) for place in machines
        ]
        found.append(
            ConfidenceInput(
                HOST_SAMPLES.name,
                (
                    Portion(
                        "coverage", sum(sampled), inputs.hours_expected * len(machines),
                        "hours of machines with samples of those that passed",
                    ),
                    *_common(inputs, quality.get(HOST_SAMPLES.name)),
                ),
            )
        )  # fmt: skip
    return tuple(found)


def _common(inputs: SystemPerformanceInputs, quality: DatasetQuality | None) -> tuple[Portion, ...]:
    if quality is None:
        return ()
    come = inputs.arrivals.get(quality.dataset)
    clean = quality.staged - quality.quarantined
    meaning = "days whose data came before they closed, of those that closed since the first import"
    if come is None or come.days == 0:
        timely = Portion("timeliness", 0, 0, f"{meaning}: none, the period was loaded afterwards")
    else:
        timely = Portion("timeliness", come.in_time, come.days, meaning)
    return (
        Portion("validity", clean, quality.staged, "rows that broke no rule, of the rows that came"),
        timely,
    )


def _data_sources(inputs: SystemPerformanceInputs) -> tuple[DataSource, ...]:
    return (
        DataSource(SYSTEM_PERFORMANCE_METRICS.name, SYSTEM_PERFORMANCE_METRICS.description),
        DataSource(PERFORMANCE_INCIDENTS.name, PERFORMANCE_INCIDENTS.description),
        *(
            DataSource(one.dataset, dataset_description(one.dataset))
            for one in inputs.quality
            if one.staged or one.files
        ),
    )
