"""Texts → times and numbers."""

from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.sources.fitbit.values import parse_numbers, parse_wall_clock

STYLES = ("{t.month}/{t.day}/{t.year} {t:%I:%M:%S %p}", "{t:%Y-%m-%d %H:%M:%S}", "{t:%Y-%m-%dT%H:%M:%S}")


@given(
    st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), min_size=1), st.sampled_from(STYLES)
)
def test_every_style_gives_the_time_that_was_written(moments, style):
    moments = [moment.replace(microsecond=0) for moment in moments]
    times, bad = parse_wall_clock(pa.array([style.format(t=moment) for moment in moments]))
    assert times.type == pa.timestamp("us")
    assert times.to_pylist() == moments
    assert not bad.any()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("4/12/2016 12:00:00 AM", datetime(2016, 4, 12)),
        ("4/12/2016 12:00:00 PM", datetime(2016, 4, 12, 12)),
        ("4/12/2016 1:02:03 pm", datetime(2016, 4, 12, 13, 2, 3)),
        ("04/05/2016", datetime(2016, 4, 5)),  # month first
        ("3/25/2016 14:30", datetime(2016, 3, 25, 14, 30)),
        ("2016-04-12", datetime(2016, 4, 12)),
        ("2016-04-12T00:00:00.250", datetime(2016, 4, 12, 0, 0, 0, 250_000)),
    ],
)
def test_a_time_is_read(text, moment):
    assert parse_wall_clock(pa.array([text]))[0].to_pylist() == [moment]


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "13/25/2016", "2/30/2016", "4/12/16", "2016-4-12", "4/12/2016 25:00:00",
        "4/12/2016 0:10:00 AM", "4/12/2016 13:00:00 PM", "2016-04-12T00:00:00Z", "2016-04-12 00:00:00+02:00",
        "4/12/2016 1:00:00 AM x", "1460419200",
    ],
)  # fmt: skip
def test_what_is_no_time_is_null_and_told(text):
    times, bad = parse_wall_clock(pa.array(["3/1/2016", text]))
    assert times.to_pylist() == [datetime(2016, 3, 1), None]
    assert bad.tolist() == [False, True]


def test_numbers_are_told_from_empty_cells_and_other_texts():
    texts = ["12", "-3.5", "1e3", "", "n/a", "1,234", "nan", "inf", "0x10", "1_000", "٣"]
    numbers, bad = parse_numbers(pa.array(texts))
    assert numbers.to_pylist() == [12.0, -3.5, 1000.0] + [None] * 8
    assert bad.tolist() == [False] * 4 + [True] * 7


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_what_is_not_finite_is_no_number(text):
    numbers, bad = parse_numbers(pa.array([text, "1"]))
    assert numbers.to_pylist() == [None, 1.0]
    assert bad.tolist() == [True, False]


def test_leap_days_exist_only_in_leap_years():
    times, bad = parse_wall_clock(pa.array(["2/29/2016", "2/29/2015"]))
    assert times.cast(pa.date32()).to_pylist() == [date(2016, 2, 29), None]
    assert bad.tolist() == [False, True]
