import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.reporting.csv import csv_files, csv_names, safe
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline_tests.reporting.rich_sample import rich_report
from healthmate_bi_pipeline_tests.reporting.samples import STAMP, inputs

REPORT = rich_report()
FILES = {file.name: list(csv.DictReader(io.StringIO(file.text))) for file in csv_files(REPORT)}


def test_there_is_a_file_for_the_key_figures_and_for_every_table_and_chart():
    blocks = [
        block
        for section in REPORT.sections
        for part in (section, *section.subsections)
        for block in part.blocks
    ]
    named = {getattr(block, "chart_id", getattr(block, "table_id", None)) for block in blocks} - {None}
    assert set(FILES) == named | {"metrics"} == csv_names(REPORT)


def test_key_figures_keep_all_digits_that_may_be_seen():
    by_name = {line["figure"]: line for line in FILES["metrics"]}
    for metric in REPORT.metrics:
        line = by_name[metric.figure]
        assert float(line["value"]) == metric.value
        assert int(line["people"]) == metric.people
        assert line["compared_with"] == ("February 2026" if metric.comparison else "")


def test_what_is_not_shown_has_no_number_and_says_why():
    assert {line["status"] for line in FILES["spread"]} == {"shown", "suppressed"}
    for line in FILES["spread"]:
        if line["status"] == "suppressed":
            assert (line["people"], line["share"]) == ("", "")
    assert [line["status"] for line in FILES["movements"]][-2:] == ["suppressed", "no_data"]
    assert len(FILES["cohorts"]) == 6 * 7
    tiny = {file.name: file.text for file in csv_files(health_summary(inputs(6), stamp=STAMP))}
    assert "suppressed" in tiny["metrics"]
    assert not any(
        line["value"] or line["people"] not in {"", "0"}
        for line in csv.DictReader(io.StringIO(tiny["metrics"]))
    )


def test_signals_and_limits_stand_beside_the_points():
    signals = [at for at, line in enumerate(FILES["controlled"]) if line["is_signal"] == "1"]
    assert signals == [12, 26, 27]
    assert {line["upper"] for line in FILES["controlled"]} == {"8460.0"}


def test_instants_are_utc():
    assert FILES["incidents"][0]["start"] == "2026-03-03T04:10:00Z"


def test_a_cell_that_looks_like_a_formula_is_text():
    assert FILES["services"][1]["Service"] == "'=cmd|' /C calc'!A0"
    assert FILES["movements"][2]["value"] == "-2.4"


@given(st.text())
def test_no_text_begins_like_a_formula(text):
    assert not str(safe(text)).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("number", [-1, -2.5, 0, 3])
def test_numbers_are_left_alone(number):
    assert safe(number) == number


def test_two_tables_of_one_name_are_no_report():
    twice = replace(REPORT, sections=(*REPORT.sections, replace(REPORT.sections[0], section_id="again")))
    with pytest.raises(IntegrityError, match="controlled"):
        csv_files(twice)
