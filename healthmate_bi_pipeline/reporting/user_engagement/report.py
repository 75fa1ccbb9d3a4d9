"""The report on user engagement: who uses the app, how often, what of it, who stays, and who is likely to leave.

A pure function from ``UserEngagementInputs`` to a ``Report``; its sections are in ``sections``.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.catalog.engagement import GROUP_FIGURES
from healthmate_bi_pipeline.catalog.engagement_tables import (
    CHURN_CALIBRATION,
    ENGAGEMENT_ACTIVITY,
    ENGAGEMENT_COHORTS,
    ENGAGEMENT_FEATURE_USE,
    ENGAGEMENT_FIGURE_GROUPS,
    ENGAGEMENT_LIFECYCLE,
    USER_RETENTION,
)
from healthmate_bi_pipeline.domain.lifecycle import Lifecycle
from healthmate_bi_pipeline.reporting.assembly import Content, assemble, notices
from healthmate_bi_pipeline.reporting.blocks import Absence, Count, KeyFigure
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion
from healthmate_bi_pipeline.reporting.document import DataSource, Report, Section, Stamp, Summary, Tone
from healthmate_bi_pipeline.reporting.evidence import Evidence, Fact, Sample, Tracked
from healthmate_bi_pipeline.reporting.row_quality import rows_note, timeliness, validity
from healthmate_bi_pipeline.reporting.standard_sections import (
    dataset_description,
    definitions_section,
    quality_section,
)
from healthmate_bi_pipeline.reporting.suppression import show_count, show_quality
from healthmate_bi_pipeline.reporting.tracked_figures import is_shown, key_figure, told
from healthmate_bi_pipeline.reporting.user_engagement import churn, cohorts, sections, use
from healthmate_bi_pipeline.reporting.user_engagement.figures import (
    COUNTS,
    tracked_features,
    tracked_figures,
    watched,
)
from healthmate_bi_pipeline.reporting.user_engagement.inputs import UserEngagementInputs
from healthmate_bi_pipeline.reporting.wording import (
    NOUNS,
    mid_sentence,
    people_text,
    period_text,
)

HEADLINE = (
    "active_people",
    "monthly_active_people",
    "stickiness",
    "new_people",
    "dormant_people",
    "retention",
    "recent_churn_risk",
    "total_sessions",
    "engagement_score",
)
_REMARK = (
    "Counts are of different people and do not add up over periods. Means are over people: each person counts once."
    " Days are those of the person's own clock. " + sections.USE_IS_NOT_BENEFIT
)


def user_engagement(inputs: UserEngagementInputs, *, stamp: Stamp) -> Report:
    """The report on a window."""
    tracked = tracked_figures(inputs)
    lifecycle = sections.shown_lifecycle(inputs)
    metrics = _metrics(inputs, tracked=tracked, lifecycle=lifecycle)
    # Where it may not be said how many people there are, nothing is said of them.
    is_told = bool(is_shown(metrics["active_people"].value) and metrics["active_people"].value)
    headline = tuple(name for name in HEADLINE if name in metrics and is_shown(metrics[name].value))
    features = tracked_features(inputs)
    return assemble(
        inputs,
        Content(
            summary=Summary(
                sentences=_sentences(inputs, metrics=metrics, lifecycle=lifecycle),
                people=None,
                headline=headline if is_told else (),
                notices=notices(inputs),
                reading=_reading(inputs) if is_told else (),
            ),
            metrics=tuple(metrics.values()),
            sections=_sections(inputs, metrics=metrics, tracked=tracked, lifecycle=lifecycle),
            evidence=Evidence(watched([*tracked.values(), *features]), _facts(inputs))
            if is_told
            else Evidence(),
            confidence_inputs=_confidence(inputs, metrics=metrics),
            data_sources=_data_sources(inputs),
        ),
        stamp=stamp,
    )


def _metrics(
    inputs: UserEngagementInputs, *, tracked: Mapping[str, Tracked], lifecycle: Mapping[str, Count]
) -> dict[str, KeyFigure]:
    minimum = inputs.settings.minimum_people
    labels = {"retention": f"Retention after a {NOUNS[inputs.period]}"}
    found = {
        name: key_figure(one, minimum=minimum, label=labels.get(name, "")) for name, one in tracked.items()
    }
    for stage, figure in sections.STAGES.items():
        if stage in lifecycle:
            one = Tracked(figure, inputs.period, (), Sample(inputs.window, lifecycle[stage]))
            found[figure] = key_figure(one, minimum=minimum)
    order = (
        *COUNTS,
        *sections.STAGES.values(),
        "stickiness",
        "retention",
        "recent_churn_risk",
        *GROUP_FIGURES,
    )
    return {name: found[name] for name in order if name in found}


def _sentences(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], lifecycle: Mapping[str, Count]
) -> tuple[str, ...]:
    period = period_text(inputs.cadence, inputs.window)
    active = inputs.current.activity.active if inputs.current.activity else 0
    if not active:
        return (f"Nobody was active in the app in {mid_sentence(period)}.",)
    people = show_count(active, settings=inputs.settings)
    if isinstance(people, Absence):
        few = people_text(people, minimum=inputs.settings.minimum_people)
        return (f"{period}: {few} were active in the app, too few for any figure to be shown.",)
    so_far = "" if inputs.is_complete else " so far"
    verb = "was" if people == 1 else "were"
    change = told(metrics["active_people"], with_label=False).partition("(")[2]
    against = ""
    if change and inputs.previous is not None:
        before = mid_sentence(period_text(inputs.cadence, inputs.previous.window))
        against = f" ({change.removesuffix(')')} against {before})"
    opening = f"{period}: {people_text(people)} {verb} active in the app{so_far}{against}."
    found = [opening]
    stages = _stage_text(lifecycle)
    if stages:
        found.append(stages)
    names = ("stickiness", "retention", "recent_churn_risk", "total_sessions", "time_spent_in_app_minutes")
    known = [told(metrics[name]) for name in names if is_shown(metrics[name].value)]
    if known:
        found.append(f"{known[0][0].upper()}{known[0][1:]}{''.join(f'; {text}' for text in known[1:])}.")
    return tuple(found)


def _stage_text(lifecycle: Mapping[str, Count]) -> str:
    words = {
        Lifecycle.NEW: "were new",
        Lifecycle.RETURNING: "had been there before too",
        Lifecycle.RESURRECTING: "came back after a gap",
        Lifecycle.DORMANT: "of the people before fell silent",
    }
    parts = [
        f"{lifecycle[stage]} {word}"
        for stage, word in words.items()
        if stage in lifecycle and not isinstance(lifecycle[stage], Absence) and lifecycle[stage]
    ]
    return f"{'; '.join(parts)}." if parts else ""


def _reading(inputs: UserEngagementInputs) -> tuple[str, ...]:
    settings = inputs.settings
    if settings.audience == "personal":
        return (sections.USE_IS_NOT_BENEFIT,)
    rounded = (
        f"; numbers of people are rounded to {settings.round_people_to}, shares come from the rounded numbers"
        if settings.round_people_to > 1
        else ""
    )
    return (
        f"Nothing about fewer than {settings.minimum_people} people is shown{rounded}.",
        sections.USE_IS_NOT_BENEFIT,
    )


def _sections(
    inputs: UserEngagementInputs,
    *,
    metrics: Mapping[str, KeyFigure],
    tracked: Mapping[str, Tracked],
    lifecycle: Mapping[str, Count],
) -> tuple[Section, ...]:
    found: list[Section] = []
    if is_shown(metrics["active_people"].value) and metrics["active_people"].value:
        made = (
            sections.activity_section(inputs, metrics=metrics, tracked=tracked),
            sections.lifecycle_section(inputs, metrics=metrics, shown=lifecycle),
            cohorts.retention_section(inputs, metrics=metrics, tracked=tracked),
            sections.frequency_section(inputs),
            use.feature_section(inputs),
            use.use_section(inputs, metrics=metrics, tracked=tracked),
            churn.churn_section(inputs, metrics=metrics, tracked=tracked),
        )
        found += [section for section in made if section is not None]
    qualities = [show_quality(one, settings=inputs.settings) for one in inputs.quality]
    found.append(quality_section(qualities, accuracy=None, note=rows_note(inputs)))
    if any(is_shown(metric.value) for metric in metrics.values()):
        found.append(definitions_section(tuple(metrics.values()), remark=_REMARK))
    return tuple(found)


def _facts(inputs: UserEngagementInputs) -> tuple[Fact, ...]:
    """That the churn forecast was no better than the plain rule, where it was judged in these days."""
    calibration = inputs.calibration
    if calibration is None:
        return ()
    own, rule = churn.brier_scores(calibration, inputs=inputs)
    if isinstance(own, Absence) or isinstance(rule, Absence) or own < rule:
        return ()
    return (
        Fact(
            rule="churn_model_off",
            figures=("recent_churn_risk",),
            text=churn.verdict(calibration, inputs=inputs),
            estimate=own - rule,
            effect=own / rule if rule else 1.0,
            tone=Tone.WORSE,
            people=show_count(calibration.people, settings=inputs.settings),
        ),
    )


def _confidence(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure]
) -> tuple[ConfidenceInput, ...]:
    days = inputs.window.days
    given = [metric for metric in metrics.values() if metric.value is not Absence.NO_DATA]
    shown = sum(is_shown(metric.value) for metric in given)
    found = [
        ConfidenceInput(
            "Use of the app",
            (
                Portion("coverage", inputs.days_with_data, days, "days with any use"),
                validity(inputs),
                Portion("sufficiency", shown, len(given), "figures that rest on enough people to be shown"),
                timeliness(inputs.arrivals),
            ),
        )
    ]
    if inputs.current.churn is not None:
        told, known = (
            show_count(count, settings=inputs.settings)
            for count in (inputs.forecast_people, inputs.known_people)
        )
        found.append(
            ConfidenceInput(
                "Churn forecast",
                (Portion("coverage", told, known, "people who were ever active have a forecast"),),
            )
        )
    return tuple(found)


def _data_sources(inputs: UserEngagementInputs) -> tuple[DataSource, ...]:
    tables = (
        ENGAGEMENT_ACTIVITY,
        ENGAGEMENT_FIGURE_GROUPS,
        ENGAGEMENT_FEATURE_USE,
        ENGAGEMENT_LIFECYCLE,
        ENGAGEMENT_COHORTS,
        USER_RETENTION,
        CHURN_CALIBRATION,
    )
    read = [
        DataSource(one.dataset, dataset_description(one.dataset))
        for one in inputs.quality
        if one.staged or one.files
    ]
    return (*(DataSource(table.name, table.description) for table in tables), *read)
