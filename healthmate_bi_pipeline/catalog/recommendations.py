"""What to do about what was found, as data: which findings call for it, who would do it, how soon, and why.

A line holds for insights of its figures or rules, with its tone. The first line that fits an insight is its advice, so
that special lines stand before general ones. Guideline lines quote what STANDARDS cites; else it says ``own``. Advice
about people is for those who run a programme, or for the person themself: it is not medical advice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """What to do about a kind of finding.

    Attributes:
        cause: insights of one cause are answered once.
        figures: the figures that it is about; empty: any.
        rules: the rules that it is about; empty: any that finds a change.
        tones: ``worse``, ``better``, ``neutral``.
        text: what is to be done; ``{subjects}`` names whom it is about.
        owner: who would do it.
        urgency: ``now``, ``this week`` or ``at the next review``.
        guideline: the line behind it, with its source, or ``own``.
        personal_text: the same, said to the person; empty: nothing is said to a person.
    """

    cause: str
    text: str
    owner: str
    urgency: str
    guideline: str
    figures: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    tones: tuple[str, ...] = ("worse",)
    personal_text: str = ""


_CLINICAL, _PROGRAMME, _PRODUCT = "clinical lead", "programme manager", "product manager"
_DEVICES = "clinical lead with the device team"
_ENGINEER, _DATA, _FINANCE, _COMPLIANCE = (
    "service owner",
    "data engineer",
    "finance lead",
    "compliance officer",
)
_NOW, _WEEK, _REVIEW = "now", "this week", "at the next review"

HEALTH_ADVICE: tuple[Advice, ...] = (
    Advice(
        "device",
        "Find out what changed with {subjects} (firmware, calibration, a new way of measuring) and hold it against a"
        " reference device, a cuff against one that is validated; change no treatment because of its readings until then.",
        _DEVICES, _WEEK,
        "AHA 2019, Muntner, Hypertension 73:e35: measure with validated devices; ISO 81060-2:2018: a cuff's mean"
        " error is at most 5 mmHg, the deviation of its errors at most 8.",
        rules=("device_shift",), tones=("worse", "better", "neutral"),
        personal_text="Hold the device against another one, at your doctor's or a pharmacy, before you rely on what it says"
        " now.",
    ),
    Advice(
        "blood_pressure",
        "Look at the blood pressure of {subjects}: which devices and which people the change comes from; invite those in"
        " stage 2 to have it measured again.",
        _CLINICAL, _WEEK,
        "AHA/ACC 2017, kept in 2025: stage 1 from 130/80 mmHg, stage 2 from 140/90 mmHg; a category rests on 12 readings"
        " on 3 days.",
        figures=(
            "avg_blood_pressure_systolic", "avg_blood_pressure_diastolic", "stage_2_blood_pressure_share",
        ),
        personal_text="Measure on at least 3 days, 12 readings in all, at rest; if the mean stays at 130/80 mmHg or above,"
        " talk to your doctor about it.",
    ),
    Advice(
        "glucose",
        "Look at the glucose of {subjects} by device and by time of day, and offer those out of range a review of their"
        " plan.",
        _CLINICAL, _WEEK,
        "Battelino 2019: more than 70 % of readings in 70–180 mg/dL, variation no more than 36 %.",
        figures=("avg_blood_sugar", "blood_sugar_in_range", "avg_hba1c"),
        personal_text="Look at which times of the day the higher values come from, and bring them to your next"
        " appointment.",
    ),
    Advice(
        "activity",
        "Look at which groups move less, and remind {subjects} of goals that fit the season.",
        _PROGRAMME, _REVIEW,
        "WHO 2020: 150–300 minutes of moderate activity a week; Paluch 2022: the benefit of steps levels off at 8 000–10 000"
        " a day, from 60 years at 6 000–8 000.",
        figures=("avg_steps_per_day", "avg_exercise_minutes_per_day", "activity_guideline_share"),
        personal_text="Plan moderate activity for this week, 150 minutes in all; any of it counts.",
    ),
    Advice(
        "sleep",
        "Look at whether nights are shorter or only recorded less, and offer {subjects} the sleep content of the app.",
        _PROGRAMME, _REVIEW,
        "NSF: adults sleep 7–9 hours, from 65 years 7–8; an efficiency of 85 % or more is good.",
        figures=("avg_sleep_hours", "sleep_quality_score", "sleep_regularity_index"),
        personal_text="Try going to bed and getting up at the same times for two weeks, with 7–9 hours between them.",
    ),
    Advice(
        "adherence",
        "Check first whether doses are missed or only not logged, then the reminders of {subjects}.",
        _CLINICAL, _WEEK,
        "PQA: 80 % of doses or of days covered is the threshold of adherence.",
        figures=("medication_adherence_rate",),
        personal_text="See which doses are missed most, and move their reminders; do not change a dose without asking"
        " your doctor.",
    ),
    Advice(
        "symptoms",
        "Read which symptoms {subjects} log more of, and since when; look for a common cause before answering each.",
        _CLINICAL, _WEEK, "own",
        figures=("total_symptoms_logged", "avg_symptom_severity"),
        personal_text="If a symptom is new, stronger or does not go away, talk to your doctor about it.",
    ),
    Advice(
        "heart",
        "Look at the heart rates of {subjects} by device: a change of firmware or of wearing shows here first.",
        _CLINICAL, _REVIEW, "own; a resting heart rate has no standard (Speed 2023, PLOS Digit Health)",
        figures=("resting_heart_rate", "avg_heart_rate"), tones=("worse", "neutral"),
        personal_text="Watch it for another week: little sleep, a cold or a new device can be behind it.",
    ),
    Advice(
        "oxygen",
        "Compare the oxygen saturation of {subjects} by device before anything else.",
        _CLINICAL, _WEEK, "own",
        figures=("avg_oxygen_saturation",),
        personal_text="Measure again at rest with warm hands; if it stays low or you are short of breath, call your doctor.",
    ),
    Advice(
        "cardiovascular_health",
        "See which component lowers the mean of {subjects}, and begin with the one that most people can change.",
        _PROGRAMME, _REVIEW,
        "AHA Life's Essential 8: below 50 is low, 50 to below 80 moderate, 80 and above high.",
        figures=("overall_health_score",),
        personal_text="See which component lowers your mean, and choose one of them to work on.",
    ),
    Advice(
        "plausibility",
        "Find the source whose readings became implausible, and set it aside until it is mended.",
        _DATA, _WEEK, "Kahn 2016, eGEMs 4:1244: plausibility is judged after conformance and completeness.",
        figures=("data_accuracy",),
        personal_text="See which device gives values that cannot be right, and check how it is set.",
    ),
)  # fmt: skip

ENGAGEMENT_ADVICE: tuple[Advice, ...] = (
    Advice(
        "churn",
        "Look at whom the model counts as leaving among {subjects}, and ask some of them why before anything is sent.",
        _PRODUCT, _WEEK, "own, by the BG/BB model of Fader, Hardie and Shang 2010",
        figures=(
            "churn_risk", "recent_churn_risk", "retention_score", "retention", "dormant_people", "returning_people",
            "churned_people",
        ),
    ),
    Advice(
        "activity_in_app",
        "Find what changed in the app or in its messages when {subjects} became less active: releases, outages, seasons.",
        _PRODUCT, _WEEK, "own; use is not benefit",
        figures=(
            "active_people", "daily_active_people", "weekly_active_people", "monthly_active_people", "stickiness",
            "new_people", "resurrected_people", "total_sessions", "engagement_score", "health_data_entries",
            "actions_performed", "login_count", "active_days",
        ),
    ),
    Advice(
        "adoption",
        "Look at where people of {subjects} stop on their way to the features, and mend that place first.",
        _PRODUCT, _REVIEW, "own, after Taki 2017, JMIR mHealth 5:e89",
        figures=("feature_adoption_rate", "feature_reach", "features_used_count"),
    ),
    Advice(
        "churn_model",
        "Do not act on churn risks of this period; fit the model again on a longer history.",
        _DATA, _WEEK, "Brier 1950: a forecast is of use when it is better than the plain rule.",
        rules=("churn_model_off",),
    ),
)  # fmt: skip

PERFORMANCE_ADVICE: tuple[Advice, ...] = (
    Advice(
        "error_budget",
        "Hold releases of {subjects} and spend the time on what failed; see the incidents for where to begin.",
        _ENGINEER, _NOW, "The Site Reliability Workbook: when the budget is spent, reliability comes before features.",
        rules=("slo_broken", "budget_burning"),
    ),
    Advice(
        "failures",
        "Find the route and the release that the failures of {subjects} began with.",
        _ENGINEER, _NOW, "The Site Reliability Workbook, chapter 5: alert on the rate at which the budget burns.",
        figures=("error_rate", "availability"),
    ),
    Advice(
        "latency",
        "Compare slow routes of {subjects} before and after the change; look at the database and at the load.",
        _ENGINEER, _WEEK, "The Site Reliability Workbook: latency is judged by percentiles, never by means of them.",
        figures=("response_time_p50", "response_time_p95", "response_time_p99", "slow_share", "apdex"),
    ),
    Advice(
        "capacity",
        "Plan more room for {subjects}, or remove what fills it, before the limit is reached.",
        _ENGINEER, _WEEK, "own, by the Theil-Sen slope",
        figures=(
            "cpu_percent_p95", "cpu_percent_mean", "memory_percent_p95", "memory_percent_mean", "disk_percent_p95",
            "disk_percent_mean", "disk_percent_max",
        ),
    ),
    Advice(
        "capacity",
        "Plan more room for {subjects}, or remove what fills it, before the limit is reached.",
        _ENGINEER, _WEEK, "own, by the Theil-Sen slope", rules=("limit_ahead",),
    ),
    Advice(
        "threshold",
        "See when {subjects} broke its threshold, and whether the threshold or the service has to change.",
        _ENGINEER, _WEEK, "own", rules=("threshold_broken",),
    ),
    Advice(
        "load",
        "Check whether the change in requests of {subjects} is wanted: a release, a campaign, a client that repeats itself.",
        _ENGINEER, _REVIEW, "The Site Reliability Workbook: traffic is one of the four golden signals.",
        figures=("requests", "throughput", "client_error_rate"), tones=("worse", "neutral"),
    ),
)  # fmt: skip

REVENUE_ADVICE: tuple[Advice, ...] = (
    Advice(
        "payments",
        "Go through the failed payments by provider and by card, and retry those that can be retried.",
        _FINANCE, _WEEK, "own", figures=("failed_payment_share",),
    ),
    Advice(
        "payments",
        "Go through the failed payments by provider and by card, and retry those that can be retried.",
        _FINANCE, _WEEK, "own", rules=("payments_failed",),
    ),
    Advice(
        "revenue",
        "See which movement the change of revenue comes from, new, contraction or churn, and in which plan.",
        _FINANCE, _REVIEW, "own",
        figures=(
            "monthly_recurring_revenue", "new_revenue", "expansion_revenue", "contraction_revenue", "churned_revenue",
            "revenue_per_active_person", "lifetime_value", "paying_people", "refunded_revenue", "paying_people_growth",
            "paying_people_churn_rate", "recurring_revenue_growth", "revenue_churn_rate", "collected_revenue",
            "revenue_per_paying_person", "net_revenue_retention", "paying_share",
        ),
    ),
)  # fmt: skip

OPERATION_ADVICE: tuple[Advice, ...] = (
    Advice(
        "lost_rows",
        "Stop passing on figures of {subjects} and find where the rows went; then make the days again.",
        _DATA, _NOW, "Kahn 2016, eGEMs 4:1244: completeness.", rules=("rows_lost",),
    ),
    Advice(
        "quarantine",
        "Look at the rules that set rows of {subjects} aside; mend the source or the rule, then `healthmate-bi requeue`.",
        _DATA, _WEEK, "Kahn 2016, eGEMs 4:1244: conformance and plausibility.",
        figures=("quarantine_share", "duplicate_share"),
    ),
    Advice(
        "quarantine",
        "Look at the rules that set rows of {subjects} aside; mend the source or the rule, then `healthmate-bi requeue`.",
        _DATA, _WEEK, "Kahn 2016, eGEMs 4:1244: conformance and plausibility.", rules=("rows_set_aside",),
    ),
    Advice(
        "deliveries",
        "Ask the source of {subjects} what changed in its deliveries, and import what is missing.",
        _DATA, _WEEK, "Kahn 2016, eGEMs 4:1244: completeness.",
        figures=("rows_staged", "rows_per_day", "late_row_share", "freshness_hours"), tones=("worse", "neutral"),
    ),
    Advice(
        "deliveries",
        "Ask the source of {subjects} what changed in its deliveries, and import what is missing.",
        _DATA, _WEEK, "Kahn 2016, eGEMs 4:1244: completeness.", rules=("late_data", "missing_partitions"),
    ),
    Advice(
        "runs",
        "Read why runs failed or became slower, mend it, and make what is missing with `healthmate-bi run`.",
        _DATA, _NOW, "own", rules=("runs_failed",),
    ),
    Advice(
        "runs",
        "Read why runs failed or became slower, mend it, and make what is missing with `healthmate-bi run`.",
        _DATA, _WEEK, "own", figures=("failed_run_share", "run_failures", "run_duration_seconds"),
    ),
    Advice("disk", "Make room where the data lie, or move them.", _DATA, _NOW, "own", rules=("disk_low",)),
    Advice(
        "disk", "Make room where the data lie, or move them.", _DATA, _REVIEW, "own",
        figures=("disk_bytes",), tones=("neutral",),
    ),
    Advice(
        "refused",
        "Look up in bi_audit_log who was refused what, and whether it was a mistake or an attempt.",
        _COMPLIANCE, _WEEK, "45 CFR 164.308(a)(1)(ii)(D): information system activity review.", rules=("action_refused",),
    ),
    Advice(
        "overdue", "Find out why partitions were left, and make them with `healthmate-bi run` or a backfill in Dagster.",
        _DATA, _NOW, "own", rules=("overdue",),
    ),
)  # fmt: skip

ADVICE = (*HEALTH_ADVICE, *ENGAGEMENT_ADVICE, *PERFORMANCE_ADVICE, *REVENUE_ADVICE, *OPERATION_ADVICE)
