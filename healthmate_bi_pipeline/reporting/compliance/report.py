"""The report on compliance: whether the data can be relied on, and whether the rules were kept.

A pure function from ``ComplianceInputs`` to a ``Report``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from healthmate_bi_pipeline.catalog.tables import (
    AUDIT_LOG,
    INGESTED_FILES,
    PARTITIONS,
    REPORTS,
    RETENTION_RECEIPTS,
)
from healthmate_bi_pipeline.reporting.assembly import Content, assemble, notices
from healthmate_bi_pipeline.reporting.blocks import Absence, KeyFigure, Number
from healthmate_bi_pipeline.reporting.compliance.checks import (
    Conservation,
    QualityCheck,
    Verdict,
    conservation,
    quality_checks,
)
from healthmate_bi_pipeline.reporting.compliance.inputs import ComplianceInputs
from healthmate_bi_pipeline.reporting.compliance.sections import (
    audit_section,
    conservation_section,
    overdue_section,
    quality_checks_section,
    retention_section,
    suppression_section,
)
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion
from healthmate_bi_pipeline.reporting.document import DataSource, Report, Stamp, Summary
from healthmate_bi_pipeline.reporting.evidence import Evidence, Fact
from healthmate_bi_pipeline.reporting.operational.key_figures import book_figure, with_a_value
from healthmate_bi_pipeline.reporting.operational.shown import known_sum, share_of, show_qualities, show_rows
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
    period_text,
    share_text,
    value_with_unit,
)

_HEADLINE = (
    "quality_checks_passed", "rows_unaccounted", "quarantine_share", "partitions_overdue", "actions_refused",
    "figures_withheld",
)  # fmt: skip
_REFUSED = ("failed", "denied")
_REMARK = (
    "All of it comes from the pipeline's own books, its audit log and the reports that it wrote. That a check passed"
    " says that few rows break a rule, not that the values are right."
)


@dataclass(frozen=True)
class _Found:
    """What was worked out from the inputs, as it may be shown."""

    checks: tuple[QualityCheck, ...]
    identities: tuple[Conservation, ...]
    qualities: tuple[ShownQuality, ...]

    @property
    def judged(self) -> list[QualityCheck]:
        """The checks with a verdict of passed or failed."""
        return [check for check in self.checks if check.verdict in {Verdict.PASSED, Verdict.FAILED}]

    @property
    def failed(self) -> list[QualityCheck]:
        """Those that failed."""
        return [check for check in self.checks if check.verdict is Verdict.FAILED]

    @property
    def unaccounted(self) -> int:
        """Lines and rows that are not accounted for."""
        return sum(one.unaccounted for one in self.identities)


def compliance(inputs: ComplianceInputs, *, stamp: Stamp) -> Report:
    """The report on a window."""
    people = {one.dataset: one.is_about_people for one in inputs.books}
    found = _Found(
        quality_checks(inputs.books, settings=inputs.settings),
        conservation(inputs.books, settings=inputs.settings),
        show_qualities(inputs.quality, people, settings=inputs.settings),
    )
    metrics = _metrics(inputs, found)
    note = rows_note(inputs, about=ABOUT_PEOPLE)
    return assemble(
        inputs,
        Content(
            summary=Summary(
                sentences=_sentences(inputs, found),
                people=None,
                headline=with_a_value(metrics, _HEADLINE),
                notices=notices(inputs),
                reading=(note,) if note else (),
            ),
            metrics=tuple(metrics.values()),
            sections=(
                overdue_section(inputs),
                quality_checks_section(found.checks, note=note),
                conservation_section(found.identities, note=note),
                quality_section([one for one in found.qualities if one.staged != 0 or one.files], accuracy=None, note=note),
                suppression_section(inputs),
                retention_section(inputs),
                audit_section(inputs),
                definitions_section(tuple(metrics.values()), remark=_REMARK),
            ),
            evidence=Evidence(facts=tuple(_facts(inputs, found))),
            confidence_inputs=_confidence_inputs(inputs, found),
            data_sources=tuple(
                DataSource(table.name, table.description)
                for table in (PARTITIONS, INGESTED_FILES, REPORTS, AUDIT_LOG, RETENTION_RECEIPTS)
            ),
        ),
        stamp=stamp,
    )  # fmt: skip


def _overdue(inputs: ComplianceInputs) -> int:
    return sum(len(one.missing) + len(one.stale) for one in inputs.overdue)


def _refused(inputs: ComplianceInputs) -> int:
    return sum(one.entries for one in inputs.actions if one.outcome in _REFUSED)


def _metrics(inputs: ComplianceInputs, found: _Found) -> dict[str, KeyFigure]:
    judged, failed = len(found.judged), len(found.failed)
    staged, aside, rejected = (
        known_sum([getattr(one, name) for one in found.qualities])
        for name in ("staged", "quarantined", "rejected_lines")
    )
    lines = known_sum(
        [
            show_rows(one.lines, is_about_people=one.is_about_people, settings=inputs.settings)
            for one in inputs.books
        ]
    )
    passed: Number = (judged - failed) / judged if judged else Absence.NO_DATA
    entries = sum(one.entries for one in inputs.actions)
    reports = sum(one.reports for one in inputs.reports)
    figures = (
        book_figure("quality_checks_passed", passed, basis=f"{judged - failed} of {judged} checks that could be made"),
        book_figure(
            "rows_unaccounted", float(found.unaccounted) if found.identities else Absence.NO_DATA,
            basis=f"in {len(found.identities)} identities of the books",
        ),
        book_figure("quarantine_share", share_of(aside, staged), basis=f"of {count_text(staged)} rows"),
        book_figure(
            "rejected_lines", share_of(rejected, lines),
            basis="of the lines of the files with rows in the period",
        ),
        book_figure("partitions_overdue", float(_overdue(inputs)), basis=f"of {count_text(inputs.partitions_due)} that are due"),
        book_figure("audited_actions", float(entries)),
        book_figure("actions_refused", float(_refused(inputs)), basis=f"of {count_text(entries)} entries of the audit log"),
        book_figure("reports_written", float(reports)),
        book_figure(
            "figures_withheld",
            float(sum(one.withheld for one in inputs.reports)) if reports else Absence.NO_DATA,
            basis=f"in {count_text(reports)} reports", note="No other report on this period was written.",
        ),
    )  # fmt: skip
    return {one.figure: one for one in figures}


def _sentences(inputs: ComplianceInputs, found: _Found) -> tuple[str, ...]:
    period = period_text(inputs.cadence, inputs.window)
    if not inputs.books:
        return (
            f"No rows came for {mid_sentence(period)}, so there is nothing to check.",
            *_todo(inputs, found),
        )
    judged = len(found.judged)
    opening = f"{period}: {judged - len(found.failed)} of {judged} quality checks passed"
    conserved = "every row is accounted for" if not found.unaccounted else "not every row is accounted for"
    return (f"{opening}; {conserved}.", *_todo(inputs, found))


def _todo(inputs: ComplianceInputs, found: _Found) -> tuple[str, ...]:
    """What a data steward should see to first; one sentence where there is nothing."""
    told = []
    if found.failed:
        named = ", ".join(
            dict.fromkeys(f"{dataset_label(check.dataset)} ({check.name})" for check in found.failed[:3])
        )
        more = f" and {len(found.failed) - 3} more" if len(found.failed) > 3 else ""
        told.append(f"Failed: {named}{more}.")
    errors = sum(check.verdict is Verdict.ERROR for check in found.checks)
    if errors:
        told.append(f"{errors} checks could not be made, because their days are still to be made.")
    overdue = _overdue(inputs)
    if overdue:
        told.append(f"{count_text(overdue)} partitions of complete periods are missing or stale.")
    refused = _refused(inputs)
    if refused:
        told.append(f"{count_text(refused)} actions failed or were denied.")
    past = sum(one.partitions for one in inputs.retention.past_their_time)
    if past:
        told.append(f"{count_text(past)} partitions are past their time and still there.")
    return tuple(told) or ("Nothing is overdue and no action was refused; there is nothing to do.",)


def _facts(inputs: ComplianceInputs, found: _Found) -> Iterator[Fact]:
    for check in found.failed:
        share = share_of(check.violations, check.of)
        if isinstance(share, Absence):
            continue
        yield Fact(
            rule="missing_partitions" if check.is_of_days else "rows_set_aside",
            figures=("quality_checks_passed",),
            subject=dataset_label(check.dataset),
            text=(
                f"{dataset_label(check.dataset)} fails the {check.category.value} check \u201c{check.name}\u201d:"
                f" {count_text(check.violations)} of {count_text(check.of)} break it ({share_text(share)}; at most"
                f" {share_text(check.most)} may)."
            ),
            estimate=share,
            effect=share / check.most,
        )
    if found.unaccounted:
        yield Fact(
            rule="rows_lost",
            figures=("rows_unaccounted",),
            text=f"{count_text(found.unaccounted)} lines or rows are not accounted for.",
            estimate=float(found.unaccounted),
            effect=100.0,
        )
    yield from _overdue_facts(inputs)


def _overdue_facts(inputs: ComplianceInputs) -> Iterator[Fact]:
    overdue = _overdue(inputs)
    if overdue and inputs.partitions_due:
        worst = max(inputs.overdue, key=lambda one: (len(one.missing) + len(one.stale), one.asset))
        yield Fact(
            rule="overdue",
            figures=("partitions_overdue",),
            text=(
                f"{count_text(overdue)} of {count_text(inputs.partitions_due)} partitions of complete periods are missing or"
                f" stale, most of them of {worst.asset}."
            ),
            estimate=float(overdue),
            effect=1 + 10 * overdue / inputs.partitions_due,
        )  # fmt: skip
    refused, entries = _refused(inputs), sum(one.entries for one in inputs.actions)
    if refused:
        value = value_with_unit("actions_refused", float(refused))
        yield Fact(
            rule="action_refused",
            figures=("actions_refused",),
            text=f"{value} of {count_text(entries)} entries of the audit log failed or were denied.",
            estimate=float(refused),
            effect=1 + refused / entries,
        )


def _confidence_inputs(inputs: ComplianceInputs, found: _Found) -> Sequence[ConfidenceInput]:
    if not inputs.books:
        return ()
    applicable = [check for check in found.checks if check.of != 0]
    rows: Mapping[str, int] = {
        name: known_sum([getattr(one, name) for one in found.qualities]) for name in ("staged", "quarantined")
    }
    due = inputs.partitions_due
    return (
        ConfidenceInput(
            "quality checks",
            (
                Portion(
                    "coverage", len(found.judged), len(applicable),
                    "checks that could be judged of those with something to look at",
                ),
                Portion("validity", rows["staged"] - rows["quarantined"], rows["staged"], "rows that broke no rule of all rows"),
            ),
        ),
        ConfidenceInput(
            "partitions",
            (Portion("timeliness", max(due - _overdue(inputs), 0), due, "partitions of complete periods that are not overdue"),),
        ),
    )  # fmt: skip
