"""The rules that find insights, as data: what each one says and whose it is.

``reporting/insights`` applies those of ``INFERRED_RULES`` to figures over time and to devices against each other; those
of ``FACT_RULES`` are limits that a builder of a report sees broken. A new kind of fact is an entry here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InsightRule:
    """A rule.

    Attributes:
        name: as insights carry it.
        title: as a reader calls it.
        standard: the published rule behind it, or ``own``.
        meaning: when it finds something, in one sentence.
    """

    name: str
    title: str
    standard: str
    meaning: str


_XMR = "XmR chart, NHS England, Making Data Count"
_TREND = "Mann 1945, Econometrica 13:245; Sen 1968, J Am Stat Assoc 63:1379"
_SRE = "Beyer 2018, The Site Reliability Workbook, chapter 5"

INFERRED_RULES: tuple[InsightRule, ...] = (
    InsightRule(
        "outside", "Outside the control limits", _XMR,
        "A period's figure lies outside the control limits of its history.",
    ),
    InsightRule(
        "near", "Two of three near a limit", _XMR,
        "Two of three periods in a row lie in the outer third of the control limits, on one side.",
    ),
    InsightRule(
        "shift", "Shift", _XMR,
        "Seven or more periods in a row, up to the report's own, lie on one side of the centre.",
    ),
    InsightRule(
        "run", "Run", _XMR, "Seven or more periods in a row, up to the report's own, rise, or fall.",
    ),
    InsightRule(
        "trend", "Trend", _TREND,
        "The figure rises or falls over its whole history, days compared with the same weekday only.",
    ),
    InsightRule(
        "comparison", "Change against the period before", "Welch 1947, Biometrika 34:28; Newcombe 1998, Stat Med 17:873",
        "The figure differs from that of the period before by more than people, and periods, usually differ.",
    ),
    InsightRule(
        "device_shift", "Device that reads differently", "Welch 1947, Biometrika 34:28",
        "The readings of one device changed since the month before, each person held against themself, and by another"
        " amount than those of the people who have only other devices.",
    ),
)  # fmt: skip

FACT_RULES: tuple[InsightRule, ...] = (
    InsightRule(
        "slo_broken", "Service level objective missed", _SRE,
        "The error budget of the period is spent.",
    ),
    InsightRule(
        "budget_burning", "Error budget burning", _SRE,
        "The error budget burned so fast that an alert of the workbook was due.",
    ),
    InsightRule(
        "threshold_broken", "Threshold broken", "own",
        "A figure of a service lay beyond its threshold.",
    ),
    InsightRule(
        "limit_ahead", "Limit ahead", "own, by the Theil-Sen slope",
        "A resource that grows as it did will reach its limit within the time named.",
    ),
    InsightRule(
        "rows_set_aside", "Rows set aside", "Kahn 2016, eGEMs 4:1244",
        "More of a dataset's rows broke a hard rule than the limit allows.",
    ),
    InsightRule(
        "rows_lost", "Rows not accounted for", "Kahn 2016, eGEMs 4:1244",
        "Rows that were staged are neither kept, nor duplicates, nor superseded, nor set aside.",
    ),
    InsightRule(
        "missing_partitions", "Partitions missing", "own",
        "Days that should be there are not.",
    ),
    InsightRule(
        "late_data", "Late data", "own",
        "Data came after their period had closed, or the newest are older than expected.",
    ),
    InsightRule(
        "runs_failed", "Runs failed", "own",
        "Runs of the pipeline failed.",
    ),
    InsightRule(
        "disk_low", "Disk nearly full", "own",
        "Little space is left where the data lie.",
    ),
    InsightRule(
        "overdue", "Overdue", "own",
        "Something that had to be done by a day is not done.",
    ),
    InsightRule(
        "action_refused", "Actions failed or denied", "own",
        "Entries of the audit log say that something was tried and failed, or was not allowed.",
    ),
    InsightRule(
        "payments_failed", "Payments failed", "own",
        "More payments failed than the limit allows.",
    ),
    InsightRule(
        "churn_model_off", "Churn model out of calibration", "Brier 1950, Mon Weather Rev 78:1",
        "The churn forecast was no better than the rule of 14 silent days.",
    ),
    InsightRule(
        "target_missed", "Guideline missed", "own",
        "The figure lies on the wrong side of a published target.",
    ),
)  # fmt: skip

INSIGHT_RULES = (*INFERRED_RULES, *FACT_RULES)
RULE_BY_NAME = {rule.name: rule for rule in INSIGHT_RULES}
