from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.document import RANGE
from healthmate_bi_pipeline.reporting.wording import (
    HARD_SPACE,
    MINUS,
    THIN_SPACE,
    band_labels,
    change_text,
    figure_text,
    instant_text,
    number_text,
    people_text,
    period_text,
    share_text,
    span_text,
    style_of,
    value_with_unit,
)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 0, "0"),
        (999.5, 0, f"1{THIN_SPACE}000"),
        (1234567.891, 1, f"1{THIN_SPACE}234{THIN_SPACE}567.9"),
        (-0.04, 1, "0.0"),
        (-12.35, 1, f"{MINUS}12.3"),
    ],
)
def test_numbers(value, decimals, text):
    assert number_text(value, decimals=decimals) == text


def test_figures_have_the_digits_of_their_kind():
    assert figure_text("avg_steps_per_day", 7342.6) == f"7{THIN_SPACE}343"
    assert figure_text("avg_sleep_hours", 6.94) == "6.9"
    assert value_with_unit("data_accuracy", 0.98765) == f"98.8{THIN_SPACE}%"
    assert value_with_unit("avg_bmi", 26.42) == f"26.4{HARD_SPACE}kg/m²"
    assert value_with_unit("avg_bmi", Absence.NO_DATA) == "no data"


def test_changes_have_a_sign_and_percentages_change_by_points():
    assert change_text("avg_heart_rate", 1.26) == f"+1.3{HARD_SPACE}bpm"
    assert change_text("avg_heart_rate", -0.01) == f"0.0{HARD_SPACE}bpm"
    assert change_text("data_accuracy", -0.0042) == f"{MINUS}0.4{HARD_SPACE}points"


def test_a_few_are_not_none_and_nearly_all_are_not_all():
    texts = [share_text(share).replace(THIN_SPACE, " ") for share in (0.0, 0.001, 0.33, 0.999, 1.0)]
    assert texts == ["0 %", "<1 %", "33 %", ">99 %", "100 %"]


def test_people():
    assert people_text(1) == f"1{HARD_SPACE}person"
    assert people_text(0) == f"0{HARD_SPACE}people"
    assert people_text(Absence.SUPPRESSED, minimum=11) == "fewer than 11 people"


@pytest.mark.parametrize(
    ("cadence", "moment", "text"),
    [
        (Period.DAILY, datetime(2024, 2, 29), "Thursday 29 February 2024"),
        (Period.WEEKLY, datetime(2027, 1, 1), "Week 53 of 2026"),
        (Period.WEEKLY, datetime(2024, 12, 31), "Week 1 of 2025"),
        (Period.MONTHLY, datetime(2026, 12, 5), "December 2026"),
        (Period.QUARTERLY, datetime(2026, 12, 5), "Quarter 4 of 2026"),
        (Period.YEARLY, datetime(2026, 12, 5), "2026"),
    ],
)
def test_periods(cadence, moment, text):
    assert period_text(cadence, cadence.window(moment)) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 3, 5), date(2026, 3, 5), "5 March 2026"),
        (date(2026, 3, 2), date(2026, 3, 8), "2–8 March 2026"),
        (date(2026, 3, 30), date(2026, 4, 5), "30 March – 5 April 2026"),
        (date(2026, 12, 28), date(2027, 1, 3), "28 December 2026 – 3 January 2027"),
    ],
)
def test_spans(first, last, text):
    window = Window.of_days(first, last)
    assert span_text(window) == text
    assert period_text(RANGE, window) == text


def test_bands_of_one_digit_and_of_none():
    assert band_labels((0, 18.5, 25)) == ("under 18.5", "18.5 to <25", "25 or more")
    assert band_labels(()) == ()


def test_instants_are_told_in_utc():
    assert instant_text(datetime(2026, 3, 5, 14, 2)) == "5 March 2026, 14:02 UTC"
    assert instant_text(datetime(2026, 3, 5, 14, 2, tzinfo=UTC)) == "5 March 2026, 14:02 UTC"
    east = timezone(timedelta(hours=2))
    assert instant_text(datetime(2026, 3, 5, 1, 2, tzinfo=east)) == "4 March 2026, 23:02 UTC"


def test_a_figure_without_a_style_goes_by_its_name():
    assert (style_of("total_nap_hours").label, style_of("total_nap_hours").unit) == ("Total nap hours", "h")
