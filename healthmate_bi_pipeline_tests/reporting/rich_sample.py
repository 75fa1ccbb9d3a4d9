"""A report with everything in it: every kind of block, insights of every tone, withheld cells, gaps, long names."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Band,
    BandChart,
    Bar,
    BarChart,
    CalendarChart,
    ControlLimits,
    DataTable,
    HeatMap,
    KeyFigure,
    KeyFigures,
    Point,
    Series,
    Span,
    TableColumn,
    Text,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion, confidence
from healthmate_bi_pipeline.reporting.document import Insight, Recommendation, Section, Tone, Urgency
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline_tests.reporting.samples import MARCH, STAMP, inputs

START = datetime(2026, 3, 1)
STEPS, SHARE, SCORE = "avg_steps_per_day", "data_accuracy", "overall_health_score"
AS_OF = datetime(2026, 4, 4, 5, 12)


def points(values, *, people=240, step=timedelta(days=1), start=START):
    """A point per value, a day apart."""
    return tuple(
        Point(
            start + step * at,
            f"{start + step * at:%d %b %Y}",
            value,
            value if isinstance(value, Absence) and people else people,
        )
        for at, value in enumerate(values)
    )


def _waves(count, *, centre, height):
    return [
        round(centre + height * math.sin(at * 1.3) + height * math.cos(at * 0.47), 1) for at in range(count)
    ]


CONTROLLED = TrendChart(
    "controlled",
    "Steps per day",
    "Steps per day over 28 days; three points lie outside the control limits.",
    "steps",
    "daily",
    (
        Series(
            STEPS,
            "Steps per day",
            points(
                [
                    *_waves(12, centre=7400, height=250),
                    9400.0,
                    *_waves(5, centre=7400, height=250),
                    Absence.SUPPRESSED,
                    Absence.NO_DATA,
                    *_waves(6, centre=7400, height=250),
                    5200.0,
                    5100.0,
                ]
            ),
            ControlLimits(7380.0, 6300.0, 8460.0),
            (12, 26, 27),
        ),
    ),
    Window(START + timedelta(days=21), START + timedelta(days=28)),
    "The shaded days are those of the report. Two days are not drawn: too few people.",
)
PLANS = TrendChart(
    "plans",
    "Active people by plan",
    "Three plans over 14 days.",
    "",
    "daily",
    tuple(
        Series(name, label, points(_waves(14, centre=centre, height=9), people=None))
        for name, label, centre in (
            ("avg_heart_rate", "Free plan", 70),
            ("resting_heart_rate", "Family plan with an uncommonly long name", 62),
            ("avg_blood_sugar", "Premium", 120),
        )
    ),
)
BANDS = BandChart(
    "spread",
    "People by steps per day",
    "Most people walk 5 000 to 10 000 steps; two bands are not shown.",
    STEPS,
    "steps",
    (
        Band("under 5 000", 0, 5000, 55, 0.23),
        Band("5 000 to <7 500", 5000, 7500, 75, 0.31),
        Band("7 500 to <10 000", 7500, 10000, 80, 0.33),
        Band("10 000 to <15 000", 10000, 15000, Absence.SUPPRESSED, Absence.SUPPRESSED),
        Band("15 000 or more", 15000, None, Absence.SUPPRESSED, Absence.SUPPRESSED),
    ),
    "Two bands are not shown: about too few people.",
)
MOVEMENTS = BarChart(
    "movements",
    "Change of the mean by group",
    "Points of the mean by group, against February 2026; it fell in two groups.",
    SCORE,
    "points",
    (
        Bar("New accounts", 3.2, 85, "since 1 March"),
        Bar("Returning after a pause of four weeks or longer", 1.1, 40),
        Bar("Plan: premium", -2.4, 120),
        Bar("Plan: family", -0.6, 60, "three price changes"),
        Bar("Plan: trial", Absence.SUPPRESSED, Absence.SUPPRESSED),
        Bar("Plan: retired", Absence.NO_DATA, 0),
    ),
    "One group is not shown: about too few people.",
)
COHORTS = HeatMap(
    "cohorts",
    "Retention by month of the first visit",
    "Share of each cohort that came back; later cohorts stay longer.",
    SHARE,
    "%",
    "First visit",
    "Months after",
    tuple(f"{month} 2025" for month in ("July", "August", "September", "October", "November", "December")),
    tuple(str(month) for month in range(7)),
    tuple(
        tuple(
            Absence.NO_DATA
            if row + column > 6
            else (
                Absence.SUPPRESSED
                if (row, column) in {(0, 5), (0, 6)}
                else round(max(0.05, (0.62 + 0.03 * row) ** column), 2)
            )
            for column in range(7)
        )
        for row in range(6)
    ),
    "Cells of fewer than 11 people are not shown.",
)
CALENDAR = CalendarChart(
    "days",
    "Steps per day, day by day",
    "Weekends lie below weekdays; two days have no data.",
    STEPS,
    "steps",
    points(
        [
            Absence.NO_DATA
            if at in {40, 41}
            else (Absence.SUPPRESSED if at == 60 else 7000.0 + 900 * math.cos(at * 0.9))
            for at in range(90)
        ],
        start=datetime(2026, 1, 1),
    ),
)
INCIDENTS = TimelineChart(
    "incidents",
    "Incidents",
    "Four incidents in two services, the longest of 26 hours.",
    MARCH,
    (
        Span("api", datetime(2026, 3, 3, 4, 10), datetime(2026, 3, 3, 9, 40), "error rate 3.1 %, page"),
        Span("api", datetime(2026, 3, 19, 22, 5), datetime(2026, 3, 21, 0, 15), "p95 above 200 ms"),
        Span(
            "notification-dispatcher",
            datetime(2026, 3, 12, 1),
            datetime(2026, 3, 12, 1, 5),
            "error rate 12 %",
        ),
        Span("notification-dispatcher", datetime(2026, 3, 30, 12), datetime(2026, 4, 1), "still open"),
    ),
)
SERVICES = DataTable(
    "services",
    "Services",
    (
        TableColumn("Service"),
        TableColumn("Requests", is_numeric=True),
        TableColumn("Good", is_numeric=True, figure=SHARE),
        TableColumn("Owner"),
        TableColumn("Last seen"),
    ),
    (
        ("api", 1_240_310, 0.9991, "platform", datetime(2026, 3, 31, 23, 55)),
        ("=cmd|' /C calc'!A0", 12, 0.5, "nobody", datetime(2026, 3, 1)),
        (
            "notification-dispatcher",
            Absence.SUPPRESSED,
            Absence.NO_DATA,
            "messaging",
            datetime(2026, 3, 31, 9, 5),
        ),
    ),
    "A name that looks like a formula is only a name.",
)
WITHOUT_PEOPLE = KeyFigures(
    (
        KeyFigure(SHARE, "Requests answered well", "1", 0.99871, None, basis="of 1 240 322 requests"),
        KeyFigure(
            "avg_heart_rate", "Deployments", "1", Absence.NO_DATA, None, note="No data in this period."
        ),
    )
)


def insight(name, text, tone, **changes):
    """An insight; ``changes`` replace fields."""
    made = Insight(
        insight_id=name,
        text=text,
        rule="shift",
        standard="XmR chart, NHS Making Data Count: 7 or more points on one side of the mean",
        figures=(STEPS,),
        subject="",
        tone=tone,
        statistic="points on one side",
        statistic_value=9,
        estimate=-1240.0,
        low=-1610.0,
        high=-870.0,
        p_value=0.0004,
        adjusted_p=0.003,
        people=240,
        points=28,
        effect=1.4,
        as_of=AS_OF,
    )
    return replace(made, **changes)


INSIGHTS = (
    insight(
        "fall-steps",
        "Steps per day have been below their mean for 9 days: 6 160 steps on average, 1 240 fewer than before.",
        Tone.WORSE,
    ),
    insight(
        "trend-systolic",
        "Systolic blood pressure falls by 0.4 mmHg a week over 12 weeks.",
        Tone.BETTER,
        rule="trend",
        standard="Mann-Kendall test with the Theil-Sen slope",
        figures=("avg_blood_pressure_systolic",),
        statistic="Z",
        statistic_value=-2.9,
        estimate=-0.4,
        low=-0.6,
        high=-0.1,
        points=12,
    ),
    insight(
        "premium-score",
        "People on the premium plan have a partial cardiovascular-health mean 2.4 points below that of February 2026.",
        Tone.WORSE,
        subject="plan: premium",
        figures=(SCORE,),
        people=120,
    ),
    insight(
        "weekend",
        "Heart rate moved outside its limits on 21 March 2026, up by 3 bpm; the next day it was back.",
        Tone.NEUTRAL,
        figures=("avg_heart_rate",),
        estimate=Absence.NO_DATA,
        low=Absence.NO_DATA,
        high=Absence.NO_DATA,
        p_value=None,
        adjusted_p=None,
    ),
    insight(
        "small-group",
        "A group too small to be shown reported more symptoms.",
        Tone.NEUTRAL,
        figures=("avg_symptom_severity",),
        people=Absence.SUPPRESSED,
        estimate=Absence.SUPPRESSED,
        low=Absence.SUPPRESSED,
        high=Absence.SUPPRESSED,
    ),
)
RECOMMENDATIONS = (
    Recommendation(
        "activity",
        "Find out what changed on 23 March: a step counter that stopped looks like people who stopped walking.",
        "data engineering",
        Urgency.NOW,
        ("fall-steps",),
        "WHO 2020: 150–300 minutes of moderate activity a week.",
    ),
    Recommendation(
        "pressure",
        "Keep the reminder to measure in the morning, and compare again in four weeks.",
        "clinical lead",
        Urgency.NEXT_REVIEW,
        ("trend-systolic", "premium-score"),
        "AHA/ACC 2017: lower is better down to 120/80 mmHg.",
    ),
)
CONFIDENCE = confidence(
    [
        ConfidenceInput(
            "Health readings",
            (
                Portion("coverage", 170, 240, "people with a reading of people with an account"),
                Portion("validity", 83_907, 84_213, "rows kept of rows read"),
                Portion("sufficiency", 130, 170, "people with enough readings of people with any"),
                Portion("timeliness", 29, 31, "days closed in time of days"),
            ),
        ),
        ConfidenceInput(
            "Activity",
            (
                Portion("coverage", 220, 240, "people with activity of people with an account"),
                Portion("validity", 12_000, 12_010, "rows kept of rows read"),
                Portion("sufficiency", Absence.SUPPRESSED, 220, "people with enough days of people with any"),
                Portion("timeliness", 0, 0, "days closed in time of days"),
            ),
        ),
    ]
)
SECTIONS = (
    Section("activity-over-time", "Activity over time", blocks=(CONTROLLED, PLANS)),
    Section(
        "groups",
        "Groups",
        subsections=(
            Section("spread-panel", "Steps", blocks=(Text(("Who walks how far.",)), BANDS)),
            Section("movement-panel", "Movement", blocks=(MOVEMENTS,)),
        ),
    ),
    Section("retention", "Retention", blocks=(COHORTS,)),
    Section("calendar", "Calendar", blocks=(CALENDAR,)),
    Section("service", "Service", blocks=(WITHOUT_PEOPLE, INCIDENTS, SERVICES)),
)


def rich_report(given_inputs=None):
    """A health summary with every kind of block added, and the first and the last two of its own sections."""
    report = health_summary(given_inputs or inputs(), stamp=STAMP)
    return replace(
        report,
        insights=INSIGHTS,
        recommendations=RECOMMENDATIONS,
        confidence=CONFIDENCE,
        sections=(*SECTIONS, report.sections[0], *report.sections[-2:]),
        not_measured=("Retention receipts: not kept yet.",),
    )
