"""Who may leave, and how good that forecast was."""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.domain.period import midnight
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Block,
    Cell,
    DataTable,
    KeyFigure,
    KeyFigures,
    Number,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.suppressed_parts import (
    ratio,
    show_mean_share,
    show_parts,
    show_share,
)
from healthmate_bi_pipeline.reporting.tracked_figures import history_chart
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    Calibration,
    UserEngagementInputs,
)
from healthmate_bi_pipeline.reporting.user_engagement.use import band_chart
from healthmate_bi_pipeline.reporting.wording import (
    MONTHS,
    number_text,
    share_text,
)


def churn_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """Who is likely to leave, and how good that forecast was."""
    churn = inputs.current.churn
    if churn is None:
        return None
    blocks: list[Block] = [KeyFigures((metrics["recent_churn_risk"],))]
    line = history_chart(
        [tracked["recent_churn_risk"]],
        chart_id="trend-churn-risk",
        title="Mean churn risk of the people who were active in the last 4 weeks",
        window=inputs.window,
        minimum=inputs.settings.minimum_people,
    )
    spread = band_chart(churn, inputs=inputs, title="People by churn risk")
    blocks += [chart for chart in (line, spread) if chart is not None]
    if inputs.calibration is not None:
        blocks += calibration_blocks(inputs.calibration, inputs=inputs)
    return Section("churn", "Who may leave", blocks=tuple(blocks))


def calibration_blocks(calibration: Calibration, *, inputs: UserEngagementInputs) -> tuple[Block, ...]:
    """Forecast and outcome by tenths of the people, and the score against the plain rule."""
    settings = inputs.settings
    people = show_parts([tenth.people for tenth in calibration.tenths], settings=settings)
    rows: list[tuple[Cell, ...]] = []
    for tenth, count in zip(calibration.tenths, people, strict=True):
        observed = show_share(round(tenth.observed * tenth.people), tenth.people, settings=settings)
        predicted = show_mean_share("retention", mean=tenth.predicted, people=tenth.people, settings=settings)
        if isinstance(count, Absence):
            predicted = observed = Absence.SUPPRESSED
        rows.append((str(tenth.decile), count, predicted, observed))
    month = midnight(calibration.month)
    return (
        Text((verdict(calibration, inputs=inputs),)),
        DataTable(
            table_id="calibration",
            title=f"Forecast of {MONTHS[month.month - 1]} {month.year} and what came, by tenths of the people",
            columns=(
                TableColumn("Tenth"),
                TableColumn("People", is_numeric=True),
                TableColumn("Forecast to be active, %", is_numeric=True, figure="retention"),
                TableColumn("Were active, %", is_numeric=True, figure="retention"),
            ),
            rows=tuple(rows),
            note="Tenth 1 has the lowest forecasts. People with one forecast stay together, so that tenths differ in"
            " size and some may be empty.",
        ),
    )


def brier_scores(calibration: Calibration, *, inputs: UserEngagementInputs) -> tuple[Number, Number]:
    """The model's and the rule's score, as they may be shown: means of squares between 0 and 1."""
    own, rule = (
        show_mean_share("recent_churn_risk", mean=score, people=calibration.people, settings=inputs.settings)
        for score in (calibration.brier, calibration.rule_brier)
    )
    return own, rule


def verdict(calibration: Calibration, *, inputs: UserEngagementInputs) -> str:
    """Whether the model beats the plain rule, in a sentence."""
    own, rule = brier_scores(calibration, inputs=inputs)
    if isinstance(own, Absence) or isinstance(rule, Absence):
        return "Too few people to judge the forecast by."
    gain = ratio(rule - own, rule)
    better = "no better than" if own >= rule else "better than"
    much = f" ({share_text(gain)} less)" if own < rule else ""
    return (
        f"On four weeks that it was not fitted on the forecast was {better} the rule 'inactive for 14 days': Brier score"
        f" {number_text(own, decimals=3)} against {number_text(rule, decimals=3)}{much}; 0 is perfect, 0.25 is a coin."
    )
