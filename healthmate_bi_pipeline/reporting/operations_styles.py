"""How the figures of the reports on the pipeline itself are written."""

from __future__ import annotations

from healthmate_bi_pipeline.reporting.style import Style


def _share(label: str, short: str, *, decimals: int = 1) -> Style:
    return Style(label, "%", decimals, short, 0.05, scale=100, change_unit="points")


OPERATIONS_STYLES: dict[str, Style] = {
    "fresh_datasets": _share("Fresh datasets", "fresh", decimals=0),
    "freshness_hours": Style("Age of the newest row", "h", 1, "age", 24),
    "partitions_present": _share("Partitions made", "made"),
    "pipeline_runs": Style("Runs", "", 0, "runs", 10),
    "run_success_rate": _share("Runs that succeeded", "succeeded"),
    "run_duration_p95": Style("Duration of a run, p95", "s", 1, "duration", 10),
    "rows_staged": Style("Rows read", "", 0, "rows", 100),
    "late_rows": _share("Late rows", "late", decimals=2),
    "quarantine_share": _share("Rows set aside", "set aside", decimals=2),
    "rejected_lines": _share("Lines rejected", "rejected", decimals=2),
    "quality_checks_passed": _share("Quality checks passed", "passed", decimals=0),
    "rows_unaccounted": Style("Rows not accounted for", "", 0, "unaccounted", 10),
    "partitions_overdue": Style("Partitions overdue", "", 0, "overdue", 10),
    "reports_written": Style("Reports on the period", "", 0, "reports", 10),
    "figures_withheld": Style("Figures withheld", "", 0, "withheld", 10),
    "audited_actions": Style("Actions in the audit log", "", 0, "actions", 10),
    "actions_refused": Style("Actions failed or denied", "", 0, "refused", 10),
}
