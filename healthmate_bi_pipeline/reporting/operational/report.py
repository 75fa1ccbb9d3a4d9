"""The report on operations: whether the data came, and whether the pipeline did its work.

A pure function from ``OperationalInputs`` to a ``Report``. Counts of rows about people go through ``suppression``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from healthmate_bi_pipeline.catalog.operations import FRESH_HOURS
from healthmate_bi_pipeline.catalog.tables import (
    INGESTED_FILE_DAYS,
    INGESTED_FILES,
    PARTITIONS,
    PIPELINE_RUNS,
)
from healthmate_bi_pipeline.reporting.assembly import Content, assemble, notices
from healthmate_bi_pipeline.reporting.blocks import Absence, Comparison, Count, KeyFigure, Number
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion
from healthmate_bi_pipeline.reporting.document import DataSource, Report, Stamp, Summary
from healthmate_bi_pipeline.reporting.operational.evidence import (
    age_hours,
    days_without_rows,
    evidence,
    is_regular,
)
from healthmate_bi_pipeline.reporting.operational.inputs import OperationalInputs
from healthmate_bi_pipeline.reporting.operational.key_figures import book_figure, with_a_value
from healthmate_bi_pipeline.reporting.operational.sections import (
    disk_section,
    freshness_section,
    partitions_section,
    runs_section,
    volume_section,
)
from healthmate_bi_pipeline.reporting.operational.shown import (
    ShownDataset,
    known_sum,
    share_of,
    show_datasets,
    show_qualities,
)
from healthmate_bi_pipeline.reporting.row_quality import ABOUT_PEOPLE, rows_note
from healthmate_bi_pipeline.reporting.standard_sections import (
    dataset_label,
    definitions_section,
    quality_section,
)
from healthmate_bi_pipeline.reporting.suppression import ShownQuality
from healthmate_bi_pipeline.reporting.wording import (
    count_text,
    mid_sentence,
    number_text,
    period_text,
    value_with_unit,
)

_HEADLINE = (
    "fresh_datasets", "partitions_present", "run_success_rate", "late_rows", "rows_staged", "quarantine_share",
)  # fmt: skip
_REMARK = "All of it comes from the pipeline's own books; times are UTC, days those of the people's clocks."


def operational(inputs: OperationalInputs, *, stamp: Stamp) -> Report:
    """The report on a window."""
    datasets = show_datasets(inputs)
    people = {one.dataset: one.is_about_people for one in inputs.datasets}
    qualities = show_qualities(inputs.quality, people, settings=inputs.settings)
    metrics = _metrics(inputs, datasets, qualities)
    return assemble(
        inputs,
        Content(
            summary=Summary(
                sentences=_sentences(inputs, datasets, metrics),
                people=None,
                headline=with_a_value(metrics, _HEADLINE),
                notices=notices(inputs),
                reading=_reading(inputs),
            ),
            metrics=tuple(metrics.values()),
            sections=(
                freshness_section(inputs, datasets),
                partitions_section(inputs),
                runs_section(inputs),
                volume_section(inputs, datasets),
                quality_section(
                    [one for one in qualities if one.staged != 0 or one.files],
                    accuracy=None,
                    note=rows_note(inputs, about=ABOUT_PEOPLE),
                ),
                disk_section(inputs),
                definitions_section(tuple(metrics.values()), remark=_REMARK),
            ),
            evidence=evidence(inputs, datasets=datasets, qualities=qualities),
            confidence_inputs=_confidence_inputs(inputs, datasets, qualities),
            data_sources=tuple(
                DataSource(table.name, table.description)
                for table in (PARTITIONS, PIPELINE_RUNS, INGESTED_FILES, INGESTED_FILE_DAYS)
            ),
        ),
        stamp=stamp,
    )  # fmt: skip


def _reading(inputs: OperationalInputs) -> tuple[str, ...]:
    note = rows_note(inputs, about=ABOUT_PEOPLE)
    return (note,) if note else ()


def _metrics(
    inputs: OperationalInputs, datasets: Sequence[ShownDataset], qualities: Sequence[ShownQuality]
) -> dict[str, KeyFigure]:
    begun = [one for one in datasets if one.state.last_day is not None]
    ages = {one.state.dataset: age for one in begun if (age := age_hours(inputs, one)) is not None}
    fresh = sum(age <= FRESH_HOURS for age in ages.values())
    expected = sum(one.expected for one in inputs.partitions)
    present = sum(one.present for one in inputs.partitions)
    ended, succeeded = (sum(getattr(one, name) for one in inputs.runs) for name in ("ended", "succeeded"))
    durations = [one.seconds_p95 for one in inputs.runs if one.seconds_p95 is not None]
    judged, late = (
        known_sum([getattr(one, name) for one in datasets]) for name in ("judged_rows", "late_rows")
    )
    rows = known_sum([one.rows for one in datasets])
    staged, aside = (
        known_sum([getattr(one, name) for one in qualities]) for name in ("staged", "quarantined")
    )
    began = "No day of the period closed since the first file was read."
    figures = (
        book_figure("fresh_datasets", _share(fresh, len(ages)), basis=f"{fresh} of {len(ages)} datasets"),
        book_figure("freshness_hours", max(ages.values(), default=Absence.NO_DATA), basis="of the oldest dataset"),
        book_figure(
            "partitions_present", _share(present, expected),
            basis=f"{count_text(present)} of {count_text(expected)} partitions",
        ),
        book_figure("pipeline_runs", float(sum(one.runs for one in inputs.runs))),
        book_figure(
            "run_success_rate", _share(succeeded, ended), basis=f"{count_text(succeeded)} of {count_text(ended)} runs",
            note="No run began in this period.",
        ),
        book_figure(
            "run_duration_p95", max(durations, default=Absence.NO_DATA), basis="of the slowest group of assets",
            note="No run began in this period.",
        ),
        book_figure(
            "rows_staged", float(rows), basis=f"in {sum(one.rows != 0 for one in datasets)} datasets",
            comparison=_comparison(inputs, datasets),
        ),
        book_figure("late_rows", _share(late, judged), basis=f"of {count_text(judged)} rows whose day has closed", note=began),
        book_figure("quarantine_share", _share(aside, staged), basis=f"of {count_text(staged)} rows"),
        book_figure("rejected_lines", _rejected(qualities, datasets), basis="of the lines of the files with rows in the period"),
    )  # fmt: skip
    return {one.figure: one for one in figures}


def _share(part: int, whole: int) -> Number:
    return part / whole if whole else Absence.NO_DATA


def _rejected(qualities: Sequence[ShownQuality], datasets: Sequence[ShownDataset]) -> Number:
    rejected = known_sum([one.rejected_lines for one in qualities])
    return share_of(rejected, known_sum([one.lines for one in datasets]))


def _comparison(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> Comparison | None:
    """Against the rows of the period before, of the datasets that both may show."""
    if inputs.previous_window is None:
        return None
    before = known_sum([one.previous_rows for one in datasets])
    change = known_sum([one.rows for one in datasets]) - before
    against = mid_sentence(period_text(inputs.cadence, inputs.previous_window))
    return Comparison(against, inputs.previous_window, float(before), float(change))


def _sentences(
    inputs: OperationalInputs, datasets: Sequence[ShownDataset], metrics: Mapping[str, KeyFigure]
) -> tuple[str, ...]:
    period = period_text(inputs.cadence, inputs.window)
    with_rows = [one for one in datasets if one.rows != 0]
    if not with_rows:
        return (f"No rows came for {mid_sentence(period)}.", *_problems(inputs, datasets))
    rows: Count = known_sum([one.rows for one in datasets])
    opening = f"{period}: {count_text(rows)} rows in {len(with_rows)} datasets"
    made = metrics["partitions_present"].value
    if not isinstance(made, Absence):
        opening += (
            "; all partitions were made"
            if made == 1
            else f"; {value_with_unit('partitions_present', made)} of the partitions were made"
        )
    return (f"{opening}.", *_problems(inputs, datasets))


def _problems(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> tuple[str, ...]:
    """What whoever runs the pipeline should look at first; one sentence where there is nothing."""
    told = []
    stale = [
        f"{dataset_label(one.state.dataset)} ({number_text(age, decimals=0)} h)"
        for one in datasets
        if (age := age_hours(inputs, one)) is not None and age > FRESH_HOURS and is_regular(inputs, one)
    ]
    if stale:
        told.append(f"Stopped coming: {', '.join(stale)}.")
    gaps = [
        f"{dataset_label(one.state.dataset)} ({len(days)})"
        for one in datasets
        if (days := days_without_rows(inputs, one))
    ]
    if gaps:
        told.append(f"Days without rows: {', '.join(gaps)}.")
    missing = sum(len(one.missing) for one in inputs.partitions)
    if missing:
        told.append(f"{count_text(missing)} partitions are missing.")
    failed = sum(one.failed for one in inputs.runs)
    if failed:
        told.append(f"{count_text(failed)} runs did not succeed.")
    if not inputs.runs and inputs.makers:
        runs = count_text(sum(one.runs for one in inputs.makers))
        told.append(f"Nothing ran in the period itself: it was made later, by {runs} runs.")
    return tuple(told) or ("Everything came and everything was made; there is nothing to do.",)


def _confidence_inputs(
    inputs: OperationalInputs, datasets: Sequence[ShownDataset], qualities: Sequence[ShownQuality]
) -> tuple[ConfidenceInput, ...]:
    """How good the books are: one input for what was made, one for the files."""
    expected = sum(one.expected for one in inputs.partitions)
    if not any(one.rows != 0 for one in datasets):
        return ()
    staged, aside = (
        known_sum([getattr(one, name) for one in qualities]) for name in ("staged", "quarantined")
    )
    judged, whole = (
        sum(getattr(one.state, name) for one in datasets) for name in ("judged_days", "whole_days")
    )
    loaded = "" if judged else ": none, the period was loaded afterwards"
    days, of = (
        sum(getattr(one.state, name) for one in datasets if is_regular(inputs, one))
        for name in ("days", "days_expected")
    )
    return (
        ConfidenceInput(
            "partitions",
            (
                Portion(
                    "coverage", sum(one.present for one in inputs.partitions), expected,
                    "partitions that were made of those that there are rows for",
                ),
            ),
        ),
        ConfidenceInput(
            "files",
            (
                Portion("coverage", days, of, "days with rows of the days of regular datasets"),
                Portion("validity", staged - aside, staged, "rows that broke no rule of all rows"),
                Portion(
                    "timeliness", whole, judged,
                    f"days whose rows had all come before they closed, of those that closed since the first import{loaded}",
                ),
            ),
        ),
    )  # fmt: skip
