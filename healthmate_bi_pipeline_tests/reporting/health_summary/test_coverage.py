"""Who is covered, by groups: an attacker who knows all totals learns no small number."""

from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import DataTable, HeatMap
from healthmate_bi_pipeline.reporting.health_summary.coverage import MEASURED, withheld_groups
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting.samples import PERSONAL, STAMP, inputs
from healthmate_bi_pipeline_tests.reporting.walking import blocks, table

GROUPS = ReportSettings()
COUNTS = st.lists(st.integers(0, 60), min_size=2, max_size=6)


def covered(people, groups):
    """Everyone, and groups by age, all of whom have every kind of data."""
    figures = {kind.figure for kind in MEASURED} | {kind.gate for kind in MEASURED if kind.gate}
    counts = {"all": people} | {f"age {number}": count for number, count in enumerate(groups)}
    return {group: dict.fromkeys(figures, count) for group, count in counts.items()}


@given(COUNTS, st.data())
def test_no_small_number_of_a_group_follows_from_the_total_and_the_others(wholes, data):
    parts = [data.draw(st.integers(0, whole)) for whole in wholes]
    for columns in ([wholes], [parts, wholes]):
        withheld = withheld_groups(columns, minimum=GROUPS.minimum_people)
        for counts in columns:
            hidden = [counts[place] for place in withheld]
            assert not [
                count for place, count in enumerate(counts) if 0 < count < 11 and place not in withheld
            ] or (counts is not columns[0])
            if counts is columns[0] and any(hidden):
                assert len(hidden) > 1
                assert sum(hidden) >= GROUPS.minimum_people or len(hidden) == len(counts)


@given(st.lists(st.integers(0, 60), min_size=2, max_size=5).filter(lambda groups: sum(groups) >= 11))
def test_no_small_cell_stands_in_the_tables(groups):
    report = health_summary(
        inputs(sum(groups), covered=covered(sum(groups), groups), accounts={"all": 400}), stamp=STAMP
    )
    tables = [one for one in blocks(report, DataTable) if one.table_id.startswith("covered")]
    assert tables
    for one in tables:
        for row in one.rows:
            numbers = [cell for cell in row[1:] if isinstance(cell, int)]
            assert not [number for number in numbers if 0 < number < GROUPS.minimum_people]


def test_a_person_sees_what_they_have():
    report = health_summary(
        inputs(1, settings=PERSONAL, covered=covered(1, [1, 0]), accounts={"all": 1}), stamp=STAMP
    )
    assert table(report, "covered-kinds")["Steps"][:3] == (1, 1, 1.0)
    assert not [one for one in blocks(report, HeatMap) if one.chart_id == "covered"]


def test_a_quarter_asks_for_more_days_than_a_month():
    enough = {
        period: table(
            health_summary(inputs(cadence=str(period), covered=covered(240, [120, 120])), stamp=STAMP),
            "covered-kinds",
        )["Steps"][3]
        for period in (Period.DAILY, Period.WEEKLY, Period.MONTHLY, Period.QUARTERLY, Period.YEARLY)
    }
    assert list(enough.values()) == ["not judged: too short", "3 days", "4 days", "12 days", "48 days"]


def test_without_accounts_it_says_so():
    report = health_summary(inputs(covered=covered(240, [120, 120])), stamp=STAMP)
    (section,) = (one for one in report.sections if one.section_id == "coverage")
    assert section.blocks[0].paragraphs[0].startswith("No accounts were read")
