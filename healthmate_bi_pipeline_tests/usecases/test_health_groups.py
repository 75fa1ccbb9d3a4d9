"""Groups of health, from landing files to the report: categories of blood pressure, the guideline, and who is covered.

A population by hand, in one week; all numbers are counted from how it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.health_groups import CATEGORIES, PRESSURE_SHARES
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, BandChart, DataTable, HeatMap, Text
from healthmate_bi_pipeline.reporting.csv import csv_files
from healthmate_bi_pipeline.reporting.document import Report
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.markdown import render_markdown
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.health_summary import gather_health_summary
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.reporting.walking import (
    assert_no_small_cell,
    assert_valid,
    blocks,
    metric,
    table,
)
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, health, opened, query, refresh

NOW = datetime(2026, 4, 20, 12)
MONDAY = date(2026, 3, 2)
WEEK = Window.of_days(MONDAY, MONDAY + timedelta(days=6))
Rows = list[dict[str, Any]]

PRESSURES = {
    "normal": (20, 12, 118, 76), "elevated": (15, 12, 124, 76), "stage_1": (30, 12, 134, 84),
    "stage_2": (25, 12, 150, 92), "severe": (5, 12, 185, 100), "insufficient": (12, 3, 118, 76),
}  # fmt: skip
"""Category -> people, readings of each, systolic, diastolic."""
MINUTES: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...] = (
    (40, (20,) * 4, (0,) * 4),  # 140 a week, from four days
    (30, (20, 20, 20, 20, 20, 25, 25), (0,) * 7),  # 150
    (20, (0,) * 7, (20, 20, 20, 20, 20, 25, 25)),  # 2 x 150
    (15, (43,) * 7, (0,) * 7),  # 301
    (12, (60,) * 3, (0,) * 3),  # three days: too few
)
"""People, moderate minutes by day, vigorous minutes by day; all with 5 000 steps on these days."""
FEW_STEPS = 11
"""People with steps on two days and no minutes."""
HALF = 108
FIRST_ACTIVE = 201
ACTIVE = sum(people for people, _, _ in MINUTES)
PEOPLE = HALF + ACTIVE + FEW_STEPS
ACCOUNTS, LATER = 400, 6
"""Accounts 1 to 400, the last six made after the week."""


def _readings() -> Rows:
    rows: Rows = []
    user = 0
    for people, count, upper, lower in PRESSURES.values():
        for _ in range(people):
            user += 1
            for number in range(count):  # on three days
                at = f"{MONDAY + timedelta(days=number % 3)}T{8 + number // 3:02}:00:00"
                for metric_name, value in (("systolic", upper), ("diastolic", lower)):
                    rows.append(
                        {
                            "user_id": user, "metric": f"blood_pressure_{metric_name}", "value": value, "unit": "mmHg",
                            "recorded_at": at, "reading_id": f"{user}-{number}", "source": "cuff",
                        }
                    )  # fmt: skip
    assert user == HALF - 1
    half = {
        "metric": "blood_pressure_systolic",
        "value": 118,
        "unit": "mmHg",
        "recorded_at": f"{MONDAY}T09:00:00",
    }
    return [*rows, {"user_id": HALF, "reading_id": "half", "source": "cuff", **half}]


def _activity() -> Rows:
    rows: Rows = []
    user = FIRST_ACTIVE
    days = [*MINUTES, (FEW_STEPS, (None, None), (None, None))]
    for people, moderate, vigorous in days:
        for _ in range(people):
            for number, minutes in enumerate(zip(moderate, vigorous, strict=True)):
                day = MONDAY + timedelta(days=number)
                rows.append(
                    {
                        "user_id": user, "started_at": f"{day}T10:00:00", "ended_at": f"{day}T11:30:00", "steps": 5000,
                        "moderate_minutes": minutes[0], "vigorous_minutes": minutes[1], "source": "watch",
                    }
                )  # fmt: skip
            user += 1
    return rows


def _users() -> Rows:
    """Five people of 65 and more, who have normal pressures; 58 below 40; the others are 46."""
    return [
        {
            "user_id": user,
            "birth_year": 1950 if user <= 5 else 2000 if 50 <= user < HALF else 1980,
            "sex": "female" if user % 2 else "male",
            "created_at": "2026-03-10T00:00:00Z" if user > ACCOUNTS - LATER else "2026-01-01T00:00:00Z",
            "source": "app",
        }
        for user in range(1, ACCOUNTS + 1)
    ]


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    files = {"users": _users(), "health_readings": _readings(), "activity_intervals": _activity()}
    for dataset, rows in files.items():
        drop_file(settings, f"{dataset}/1.csv", csv_text(rows))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "baselines", "state", "health_metrics"))
        yield pipeline


def groups(pipeline: Pipeline, period: str, start: date, stratum: str = "all") -> pd.DataFrame:
    """People and sums by figure and band."""
    return query(
        pipeline,
        "SELECT figure, band, people, total, low FROM bi_health_groups WHERE aggregation_period = :period"
        " AND period_start = :start AND stratum = :stratum",
        period=period, start=start, stratum=stratum,
    ).set_index(["figure", "band"])  # fmt: skip


def report_on(pipeline: Pipeline, period: Period | None, window: Window) -> Report:
    found = gather_health_summary(pipeline, Subject(HEALTH_SUMMARY, period, window))
    assert found is not None
    return health_summary(found, stamp=STAMP)


def texts(report: Report) -> str:
    return " ".join(paragraph for block in blocks(report, Text) for paragraph in block.paragraphs).replace(
        "\u00a0", " "
    )


def test_categories_and_insufficient_are_everyone_with_readings(made: Pipeline) -> None:
    week = groups(made, "weekly", MONDAY)
    category = week.loc["blood_pressure_category"]
    assert category["people"].drop(-1).to_dict() == {
        place: PRESSURES[name][0] for place, name in enumerate(CATEGORIES["blood_pressure_category"])
    }
    assert category.loc[-1, "people"] == category["people"].drop(-1).sum() == HALF - 1
    assert category["total"].isna().all()  # places of categories are not added up
    assert category["low"].isna().all()
    persons = health(made, "weekly")["blood_pressure_category"].value_counts()
    assert persons.to_dict() == {name: people for name, (people, *_) in PRESSURES.items()}
    high = week.loc[("stage_2_blood_pressure_share", -1)]
    assert (high["people"], high["total"]) == (HALF - 1 - 12, 25 + 5)
    by_sex = [
        groups(made, "weekly", MONDAY, f"sex {sex}").loc["blood_pressure_category"]
        for sex in ("female", "male")
    ]
    pd.testing.assert_series_equal(by_sex[0]["people"] + by_sex[1]["people"], category["people"])


def test_the_shares_of_readings_are_means_over_people(made: Pipeline) -> None:
    week = groups(made, "weekly", MONDAY)
    means = {name: week.loc[(figure, -1), "total"] / (HALF - 1) for name, figure in PRESSURE_SHARES.items()}
    counts = {name: people for name, (people, *_) in PRESSURES.items()}
    counts["normal"] += counts.pop("insufficient")
    assert means == pytest.approx({name: people / (HALF - 1) for name, people in counts.items()})
    assert sum(means.values()) == pytest.approx(1)
    day = groups(made, "daily", MONDAY)
    assert day.loc[("blood_pressure_share_severe", -1), "total"] == 5
    assert "blood_pressure_category" not in day.index


def test_activity_is_held_against_the_guideline(made: Pipeline) -> None:
    week = groups(made, "weekly", MONDAY)
    minutes = week.loc["activity_minutes_a_week"]
    assert minutes["people"].to_dict() == {-1: 105, 0: 40, 1: 50, 2: 15}
    assert minutes.loc[-1, "total"] == pytest.approx(40 * 140 + 30 * 150 + 20 * 300 + 15 * 301)
    met = week.loc[("activity_guideline_share", -1)]
    assert (met["people"], met["total"]) == (105, 65)
    assert "activity_minutes_a_week" not in groups(made, "daily", MONDAY).index
    # A month needs four days a week of it.
    assert "activity_minutes_a_week" not in groups(made, "monthly", date(2026, 3, 1)).index


def test_a_mean_of_steps_needs_enough_days(made: Pipeline) -> None:
    def steps(period: str, start: date) -> tuple[int, int]:
        found = groups(made, period, start)["people"]
        return found[("days_with_steps", -1)], found[("avg_steps_per_day", -1)]

    assert steps("daily", MONDAY) == (ACTIVE + FEW_STEPS, ACTIVE + FEW_STEPS)
    assert steps("weekly", MONDAY) == (ACTIVE + FEW_STEPS, ACTIVE)  # three days
    assert steps("monthly", date(2026, 3, 1)) == (ACTIVE + FEW_STEPS, ACTIVE - 12)  # four
    assert "avg_steps_per_day" not in groups(made, "quarterly", date(2026, 1, 1)).index  # twelve
    assert health(made, "monthly")["avg_steps_per_day"].count() == ACTIVE + FEW_STEPS  # a person's own stays


def test_the_report_has_the_categories_without_small_ones(made: Pipeline) -> None:
    report = report_on(made, Period.WEEKLY, WEEK)
    high = metric(report, "stage_2_blood_pressure_share")
    assert (high.value, high.people) == (30 / 95, 95)
    (chart,) = (one for one in blocks(report, BandChart) if one.figure == "blood_pressure_category")
    assert {band.label: band.people for band in chart.bands} == {
        "Normal": 20, "Elevated": 15, "Stage 1": 30, "Stage 2": Absence.SUPPRESSED, "Severe": Absence.SUPPRESSED,
        "Insufficient": 15,
    }  # fmt: skip
    rows = table(report, "blood-pressure-categories")
    assert rows["Severe"] == (
        ">180 or >120",
        Absence.SUPPRESSED,
        Absence.SUPPRESSED,
        pytest.approx(0.05, abs=0.01),
    )
    assert rows["Stage 1"][2] == pytest.approx(30 / 105)
    assert rows["Insufficient"][3] == ""


def test_the_report_holds_activity_against_the_guideline(made: Pipeline) -> None:
    report = report_on(made, Period.WEEKLY, WEEK)
    assert metric(report, "activity_guideline_share").value == 65 / 105
    (chart,) = (one for one in blocks(report, BandChart) if one.figure == "activity_minutes_a_week")
    assert [(band.label, band.people) for band in chart.bands] == [
        ("below 150", 40), ("150 to 300", 50), ("above 300", 15),
    ]  # fmt: skip
    assert "Counted were the 105 people of 115 with recorded activity on at least 4 days a week" in texts(
        report
    )
    assert "Counted were the 115 people of 130 with steps on 3 days or more." in texts(report)


def test_the_report_says_who_is_covered(made: Pipeline) -> None:
    report = report_on(made, Period.WEEKLY, WEEK)
    assert "395 people were known by their accounts at the end of the period. 235 people have data" in texts(
        report
    )
    kinds = table(report, "covered-kinds")
    assert kinds["Blood pressure"][:3] == (110, 95, 95 / 110)
    assert kinds["Steps"] == (130, 115, 115 / 130, "3 days")
    assert kinds["Active minutes"][:2] == (115, 105)
    assert set(kinds) == {"Blood pressure", "Steps", "Active minutes", "Health score"}
    small = Absence.SUPPRESSED
    columns = ("everyone", "18-39", "40-64", "65+", "female", "male")
    # Those of 65 and more would follow from those of 40-64; whose wholes are withheld, of those no part is shown.
    assert table(report, "covered-groups") == {
        "Accounts": (395, 60, small, small, 195, 195),
        "Any data": (235, 60, small, small, 120, 120),
        "Blood pressure": (110, 60, small, small, 55, 55),
        "Steps": (130, small, small, small, 65, 65),
        "Active minutes": (115, small, small, small, 60, 60),
    }
    assert table(report, "covered-enough")["Blood pressure"] == (95, 45, small, small, 50, 45)
    (heat,) = blocks(report, HeatMap)
    assert heat.columns == columns
    assert heat.cells[0][:4] == (pytest.approx(110 / 235), 1.0, small, small)


def test_every_form_of_the_report_holds_them_and_no_small_cell(made: Pipeline) -> None:
    for period, window in ((Period.WEEKLY, WEEK), (Period.DAILY, Window.of_days(MONDAY, MONDAY))):
        report = report_on(made, period, window)
        assert_valid(report)
        assert_no_small_cell(report)
        html = render_html(report)
        assert "Who is covered" in html
        assert "Blood pressure categories" in html
        assert render_markdown(report, path="here")
        names = {file.name for file in csv_files(report)}
        assert {"blood-pressure-categories", "covered-kinds", "covered-groups"} <= names


def test_a_day_is_not_judged_and_says_why(made: Pipeline) -> None:
    report = report_on(made, Period.DAILY, Window.of_days(MONDAY, MONDAY))
    assert metric(report, "stage_2_blood_pressure_share").value is Absence.NO_DATA
    assert metric(report, "activity_guideline_share").value is Absence.NO_DATA
    assert "People are not put into categories here" in texts(report)
    assert "Activity is not held against the guideline here" in texts(report)
    assert table(report, "blood-pressure-categories")["Stage 1"][1] == pytest.approx(30 / 107, abs=0.02)
    assert table(report, "covered-kinds")["Steps"] == (130, "–", "–", "not judged: too short")
    assert "covered-enough" not in {one.table_id for one in blocks(report, DataTable)}
    assert not [chart for chart in blocks(report, BandChart) if chart.figure == "blood_pressure_category"]


def test_a_month_without_enough_days_says_so(made: Pipeline) -> None:
    report = report_on(made, Period.MONTHLY, Period.MONTHLY.window(WEEK.start))
    assert "Of 115 people nobody has recorded activity on at least 4 days a week." in texts(report)
    assert metric(report, "stage_2_blood_pressure_share").people == 95


def test_a_free_range_has_the_same_sections(made: Pipeline) -> None:
    window = Window.of_days(MONDAY - timedelta(days=1), WEEK.last_day)
    report, week = report_on(made, None, window), report_on(made, Period.WEEKLY, WEEK)
    assert [section.title for section in report.sections] == [section.title for section in week.sections]
    assert table(report, "blood-pressure-categories") == table(week, "blood-pressure-categories")
    assert table(report, "covered-groups") == table(week, "covered-groups")
    assert metric(report, "activity_minutes_a_week").people == 65  # four days of eight are not four a week


def test_the_gates_enter_confidence(made: Pipeline) -> None:
    month, week, day = (
        {
            one.name: (part.numerator, part.denominator)
            for one in report_on(made, period, period.window(WEEK.start)).confidence.inputs
            for part in one.parts
            if part.name == "sufficiency"
        }
        for period in (Period.MONTHLY, Period.WEEKLY, Period.DAILY)
    )
    assert (month["Readings"], month["Activity"]) == ((95, 105), (105, 130))
    # In a week only whoever measures twice a day passes the gate of blood pressure.
    assert (week.keys() & {"Readings", "Activity"}, week["Activity"]) == ({"Activity"}, (115, 130))
    assert not day.keys() & {"Readings", "Activity"}


def test_accounts_made_later_do_not_change_an_older_report(made: Pipeline) -> None:
    found = gather_health_summary(made, Subject(HEALTH_SUMMARY, Period.WEEKLY, WEEK))
    month = gather_health_summary(
        made, Subject(HEALTH_SUMMARY, Period.MONTHLY, Period.MONTHLY.window(WEEK.start))
    )
    assert found is not None
    assert month is not None
    assert (found.accounts["all"], month.accounts["all"]) == (ACCOUNTS - LATER, ACCOUNTS)
    assert found.accounts["age 65+"] == 5
    assert found.people == PEOPLE
