"""Confidence: the geometric mean within an input, the lowest of the inputs, and the factor that limits it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.confidence import (
    ConfidenceInput,
    Portion,
    confidence,
    geometric_mean,
)

SLEEP = ConfidenceInput(
    "Sleep",
    (
        Portion("validity", 990, 1000, "rows that broke no rule"),
        Portion("coverage", 400, 1000, "person-nights with sleep recorded"),
    ),
)
ACTIVITY = ConfidenceInput("Activity", (Portion("coverage", 1000, 1000, "person-days with steps"),))


def plain(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_the_lowest_input_decides_and_the_limiting_part_is_named():
    found = confidence([ACTIVITY, SLEEP])
    assert found.score == pytest.approx((0.99 * 0.4) ** 0.5, abs=5e-4)
    assert [one.name for one in found.inputs] == ["Sleep", "Activity"]
    assert [part.name for part in found.inputs[0].parts] == ["coverage", "validity"]
    assert plain(found.limiting) == "Sleep: coverage 40 %, 400 of 1 000 person-nights with sleep recorded."


def test_all_parts_are_printed():
    part = confidence([SLEEP]).inputs[0].parts[0]
    assert (part.share, part.numerator, part.denominator) == (0.4, 400, 1000)


def test_a_complete_report_is_limited_by_nothing():
    assert confidence([ACTIVITY]).limiting == "Nothing: every input is complete."
    assert confidence([ACTIVITY]).score == 1


def test_without_inputs_there_is_no_confidence():
    assert (confidence([]).score, confidence([]).limiting) == (0.0, "There is no input.")
    bare = confidence([ConfidenceInput("Revenue", ())])
    assert (bare.score, bare.limiting) == (0.0, "Revenue: there is nothing to rely on.")


def test_what_does_not_apply_or_may_not_be_shown_is_printed_and_left_out_of_the_mean():
    parts = (
        Portion("coverage", Absence.SUPPRESSED, Absence.SUPPRESSED, "person-days"),
        Portion("validity", 81, 100, "rows"),
        Portion("timeliness", 0, 0, "days"),
    )
    found = confidence([ConfidenceInput("Sleep", parts)])
    assert found.score == 0.81
    assert [part.share for part in found.inputs[0].parts] == [Absence.SUPPRESSED, 0.81, Absence.NO_DATA]


def test_an_input_of_which_nothing_may_be_shown_does_not_decide():
    few = ConfidenceInput("Symptoms", (Portion("validity", Absence.SUPPRESSED, Absence.SUPPRESSED, "rows"),))
    assert [one.name for one in confidence([few, ACTIVITY]).inputs] == ["Activity"]
    alone = confidence([few])
    assert (alone.score, alone.limiting) == (0.0, "Too few people or rows for any part to be shown.")


def test_a_part_that_is_missing_altogether_takes_the_whole_down():
    parts = (Portion("coverage", 0, 100, "person-days"), Portion("validity", 100, 100, "rows"))
    assert confidence([ConfidenceInput("Sleep", parts)]).score == 0


def test_more_than_expected_is_no_more_than_all():
    parts = (Portion("coverage", 120, 100, "people"),)
    assert confidence([ConfidenceInput("Steps", parts)]).score == 1


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_the_geometric_mean_lies_between_lowest_and_plain_mean(shares):
    found = geometric_mean(shares)
    assert min(shares) - 1e-12 <= found <= sum(shares) / len(shares) + 1e-12
