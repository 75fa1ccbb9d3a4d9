"""The sections of the report on compliance: quality, conservation, suppression, audit, what is overdue."""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME
from healthmate_bi_pipeline.catalog.rules import QualityCategory
from healthmate_bi_pipeline.reporting.blocks import Absence, Block, Cell, Count, DataTable, TableColumn, Text
from healthmate_bi_pipeline.reporting.compliance.checks import Conservation, QualityCheck, Verdict
from healthmate_bi_pipeline.reporting.compliance.inputs import ComplianceInputs
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.operational.shown import show_rows
from healthmate_bi_pipeline.reporting.standard_sections import dataset_label
from healthmate_bi_pipeline.reporting.wording import (
    ADJECTIVES,
    HARD_SPACE,
    count_text,
    number_text,
)

NAMED_DAYS = 3


def quality_checks_section(checks: Sequence[QualityCheck], *, note: str) -> Section:
    """Every check with its counts and verdict, those that failed first, and how many there are of which."""
    if not checks:
        return Section("quality-checks", "Quality checks", blocks=(Text(("No rows lie in this period.",)),))
    summary = DataTable(
        "checks-by-category",
        "Checks by category",
        (TableColumn("Category"), *(TableColumn(verdict.value.capitalize(), is_numeric=True) for verdict in Verdict)),
        tuple(
            (
                category.value.capitalize(),
                *(
                    sum(check.category is category and check.verdict is verdict for check in checks)
                    for verdict in Verdict
                ),
            )
            for category in QualityCategory
        ),
        note=(
            "Categories after Kahn et al. 2016: conformance (do values have the agreed form), completeness (are they"
            " there), plausibility (can they be true)."
        ),
    )  # fmt: skip
    order = (Verdict.FAILED, Verdict.ERROR, Verdict.PASSED, Verdict.NOT_APPLICABLE)
    listed = sorted(checks, key=lambda check: order.index(check.verdict))
    table = DataTable(
        "checks",
        "All checks",
        (
            TableColumn("Dataset"),
            TableColumn("Check"),
            TableColumn("Category"),
            TableColumn("Verdict"),
            TableColumn("Violations", is_numeric=True),
            TableColumn("Of", is_numeric=True),
            TableColumn("Share", is_numeric=True),
            TableColumn("Most", is_numeric=True),
        ),
        tuple(
            (
                dataset_label(check.dataset),
                check.name,
                check.category.value,
                check.verdict.value if not check.reason else f"{check.verdict.value}: {check.reason}",
                check.violations,
                check.of,
                _share(check.violations, check.of),
                f"{number_text(check.most * 100, decimals=0)}{HARD_SPACE}%",
            )
            for check in listed
        ),
        note=note,
    )
    return Section("quality-checks", "Quality checks", blocks=(summary, table))


def _share(part: Count, whole: Count) -> Cell:
    if isinstance(part, Absence) or isinstance(whole, Absence):
        return Absence.SUPPRESSED
    return f"{number_text(100 * part / whole, decimals=2)}{HARD_SPACE}%" if whole else ""


def conservation_section(identities: Sequence[Conservation], *, note: str) -> Section:
    """Whether every line and row is accounted for."""
    if not identities:
        return Section("conservation", "Conservation of rows", blocks=(Text(("There are no rows.",)),))
    wrong = [one for one in identities if one.verdict is Verdict.FAILED]
    told = (
        "Every line and every row is accounted for."
        if not wrong
        else f"{count_text(sum(one.unaccounted for one in wrong))} lines or rows are not accounted for; this is a defect"
        " of the pipeline: report it, and do not publish figures of these datasets."
    )
    table = DataTable(
        "conservation-table",
        "What came in, and what came of it",
        (
            TableColumn("Dataset"),
            TableColumn("Identity"),
            TableColumn("Left side", is_numeric=True),
            TableColumn("Right side"),
            TableColumn("Not accounted for", is_numeric=True),
            TableColumn("Verdict"),
        ),
        tuple(
            (
                dataset_label(one.dataset),
                one.identity,
                one.total,
                ", ".join(f"{name} {count_text(count)}" for name, count in one.parts),
                one.unaccounted,
                one.verdict.value,
            )
            for one in identities
        ),
        note=f"Lines and rows of whole files with rows in the period; staged rows of its days. {note}".strip(),
    )
    return Section("conservation", "Conservation of rows", blocks=(Text((told,)), table))


def suppression_section(inputs: ComplianceInputs) -> Section:
    """What the published reports on the period kept back."""
    settings = inputs.settings
    if not inputs.reports:
        text = "No other report on a period inside this one has been written yet."
        return Section("suppression", "Reports and suppression", blocks=(Text((text,)),))
    rows: list[tuple[Cell, ...]] = [
        (
            REPORT_TYPE_BY_NAME[one.report_type].title
            if one.report_type in REPORT_TYPE_BY_NAME
            else one.report_type,
            ADJECTIVES.get(one.cadence, one.cadence),
            one.reports,
            one.versions,
            one.withheld,
            one.reports_with_withheld,
        )
        for one in inputs.reports
    ]
    table = DataTable(
        "reports-written",
        "Reports on periods inside this one, and what they withheld",
        (
            TableColumn("Report"),
            TableColumn("Cadence"),
            TableColumn("Reports", is_numeric=True),
            TableColumn("Versions", is_numeric=True),
            TableColumn("Numbers withheld", is_numeric=True),
            TableColumn("Reports with any", is_numeric=True),
        ),
        tuple(rows),
        note=(
            f"Of the newest version of each, its figures with their counts of people and comparisons; withheld is what is"
            f" about fewer than {settings.minimum_people} people. Reports on compliance are left out, personal ones too."
        ),
    )  # fmt: skip
    return Section("suppression", "Reports and suppression", blocks=(table,))


def audit_section(inputs: ComplianceInputs) -> Section:
    """What was done to the data, as the audit log has it."""
    if not inputs.actions:
        text = "The audit log has no entry of this period: nothing was read, made, asked or purged through the pipeline in it."
        return Section("audit", "Audit log", blocks=(Text((text,)),))
    table = DataTable(
        "actions",
        "Actions in the period",
        (
            TableColumn("Action"),
            TableColumn("Outcome"),
            TableColumn("Entries", is_numeric=True),
            TableColumn("Actors", is_numeric=True),
        ),
        tuple((one.action, one.outcome, one.entries, one.actors) for one in inputs.actions),
        note=(
            "An entry is one piece of work, one table that was replaced, one report or one query. Who did what stands in"
            " bi_audit_log."
        ),
    )
    return Section("audit", "Audit log", blocks=(table,))


def overdue_section(inputs: ComplianceInputs) -> Section:
    """Partitions of complete periods that are missing or stale."""
    if not inputs.overdue:
        due = count_text(inputs.partitions_due)
        text = f"Nothing is overdue: all {due} partitions of complete periods are made and up to date."
        if not inputs.partitions_due:
            text = "Nothing is due yet: no period inside this one is complete, or there are no rows."
        return Section("overdue", "Overdue", blocks=(Text((text,)),))
    blocks: tuple[Block, ...] = (
        DataTable(
            "overdue-table",
            "Assets with overdue partitions",
            (
                TableColumn("Asset"),
                TableColumn("Missing", is_numeric=True),
                TableColumn("Stale", is_numeric=True),
                TableColumn("First days"),
            ),
            tuple(
                (
                    one.asset,
                    len(one.missing),
                    len(one.stale),
                    _days(sorted((*one.missing, *one.stale))),
                )
                for one in inputs.overdue
            ),
            note=(
                "Missing: there are rows, and it was never made. Stale: it was made from something else than there is"
                " now. `healthmate-bi run` makes both."
            ),
        ),
    )
    return Section("overdue", "Overdue", blocks=blocks)


def retention_section(inputs: ComplianceInputs) -> Section:
    """What was deleted because its time was over, and what should have been."""
    retention = inputs.retention
    told = []
    if not retention.is_enabled:
        told.append("Retention is off: nothing is deleted because of its age.")
    elif not retention.past_their_time:
        told.append("Nothing is kept longer than it may be.")
    else:
        late = ", ".join(
            f"{one.asset} ({count_text(one.partitions)}, from {one.first_day})"
            for one in retention.past_their_time
        )
        told.append(f"Past their time and still there at the end of the period: partitions of {late}.")
    unfinished = sum(one.unfinished for one in retention.deletions)
    if unfinished:
        told.append(
            f"{count_text(unfinished)} deletions were begun and not finished; the next run of it goes on with them."
        )
    if not retention.deletions:
        told.append("Nothing was deleted in the period.")
        return Section("retention", "Retention", blocks=(Text(tuple(told)),))
    table = DataTable(
        "deletions",
        "Deleted in the period, because its time was over",
        (
            TableColumn("What"),
            TableColumn("Kept for"),
            TableColumn("Partitions, files or runs", is_numeric=True),
            TableColumn("Rows", is_numeric=True),
            TableColumn("Gone up to"),
        ),
        tuple(
            (
                one.object,
                one.rule.partition(" ")[2],
                one.partitions,
                show_rows(one.rows, is_about_people=one.is_about_people, settings=inputs.settings),
                str(one.last_day),
            )
            for one in retention.deletions
        ),
        note="Every deletion has a receipt in bi_retention_receipts, with bytes, rule, time and who did it.",
    )
    return Section("retention", "Retention", blocks=(Text(tuple(told)), table))


def _days(days: Sequence[object]) -> str:
    named = ", ".join(str(day) for day in days[:NAMED_DAYS])
    return f"{named} and {len(days) - NAMED_DAYS} more" if len(days) > NAMED_DAYS else named
