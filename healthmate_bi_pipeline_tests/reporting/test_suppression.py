import itertools
import math
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.catalog.health_groups import FIGURE_BY_NAME, HEADLINE_FIGURES
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.json import render_json, report_document
from healthmate_bi_pipeline.reporting.suppression import (
    shares,
    show_count,
    show_everyone,
    show_figure,
    show_mean,
    show_quality,
    withheld_cells,
)
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting.samples import (
    CENTRES,
    GROUPS,
    PERSONAL,
    STAMP,
    inputs,
    quality,
    trend,
)

SETTINGS = st.builds(
    ReportSettings, minimum_people=st.integers(1, 20), round_people_to=st.sampled_from([1, 2, 5, 10])
)
SYSTOLIC = "avg_blood_pressure_systolic"  # five bands


def whole(bands, figure=SYSTOLIC):
    return GroupFigure(figure, sum(bands), 127.0, 80.0, 190.0, tuple(bands))


@given(st.integers(0, 5000), SETTINGS)
def test_no_small_count_is_ever_shown(count, settings):
    shown = show_count(count, settings=settings)
    if 0 < count < settings.minimum_people:
        assert shown is Absence.SUPPRESSED
    elif count == 0:
        assert shown == 0
    else:
        assert shown % settings.round_people_to == 0
        assert shown >= settings.minimum_people
        assert abs(shown - count) < settings.round_people_to


def compositions(total, parts):
    for cuts in itertools.combinations(range(total + parts - 1), parts - 1):
        edges = (-1, *cuts, total + parts - 1)
        yield tuple(after - before - 1 for before, after in itertools.pairwise(edges))


@pytest.mark.parametrize(
    ("minimum", "parts", "most"), [(4, 2, 24), (4, 3, 18), (4, 4, 13), (6, 3, 22), (3, 5, 9)]
)
def test_someone_who_knows_the_rule_and_all_exact_numbers_cannot_work_out_a_withheld_band(
    minimum, parts, most
):
    """Every table there is, by what is published of it: what is withheld must stay open among those alike."""
    alike = defaultdict(list)
    for total in range(minimum, most + 1):
        for counts in compositions(total, parts):
            withheld = withheld_cells(counts, minimum=minimum)
            published = tuple(None if at in withheld else count for at, count in enumerate(counts))
            alike[total, published].append(counts)
    is_any_withheld = False
    for (total, published), tables in alike.items():
        hidden = [at for at, count in enumerate(published) if count is None]
        shown = [count for count in published if count is not None]
        assert not any(0 < count < minimum for count in shown)
        if hidden:
            is_any_withheld = True
            assert total - sum(shown) >= minimum, "the withheld bands together are a small group"
            for at in hidden:
                assert len({counts[at] for counts in tables}) >= math.ceil((minimum - 1) / 2)
    assert is_any_withheld


@given(st.lists(st.integers(0, 60), min_size=5, max_size=5), st.sampled_from([1, 5]))
def test_total_minus_the_other_bands_is_never_a_small_group(bands, step):
    settings = ReportSettings(round_people_to=step)
    shown = show_figure(whole(bands), settings=settings)
    if isinstance(shown.people, Absence) or shown.people == 0:
        assert all(isinstance(count, Absence) or count == 0 for count in shown.bands)
        return
    hidden = [at for at, count in enumerate(shown.bands) if isinstance(count, Absence)]
    assert len(hidden) != 1
    assert not hidden or sum(bands[at] for at in hidden) >= settings.minimum_people
    assert all(
        count == 0 or count >= settings.minimum_people for count in shown.bands if count not in {*Absence}
    )


@given(st.lists(st.integers(0, 400), min_size=5, max_size=5))
def test_percentages_follow_the_rounded_counts(bands):
    shown = show_figure(whole(bands), settings=GROUPS)
    parts = shares(shown.bands, total=shown.people)
    known = [count for count in shown.bands if not isinstance(count, Absence)]
    for count, share in zip(shown.bands, parts, strict=True):
        if isinstance(count, Absence):
            assert share is count
        elif share is not Absence.NO_DATA:
            # a share of anything that is shown gives back a rounded number, never a true one
            assert share * max(sum(known), shown.people if len(known) < 5 else 0) == pytest.approx(count)
            assert 0 <= share <= 1
    assert sum(share for share in parts if not isinstance(share, Absence)) <= 1 + 1e-9


@pytest.mark.parametrize("figure", HEADLINE_FIGURES)
def test_a_mean_of_whole_numbers_does_not_give_away_how_many_people_it_is_of(figure):
    """Were all digits shown, the one denominator in the rounded count's range that fits would be n."""
    for people in (17, 23, 41):
        shown_people = show_count(people, settings=GROUPS)
        alike = [n for n in range(11, 60) if show_count(n, settings=GROUPS) == shown_people]
        for total in range(people * 70, people * 71):
            scale = 1 if CENTRES[figure][0] > 1 else 100
            mean = show_mean(figure, mean=total / people / scale, people=people, settings=GROUPS)
            fitting = [
                n
                for n in alike
                if any(
                    show_mean(figure, mean=one / n / scale, people=n, settings=GROUPS) == mean
                    for one in (math.floor(mean * scale * n), math.ceil(mean * scale * n))
                )
            ]
            assert len(fitting) > 1


def test_smallest_and_largest_figures_are_single_persons_and_never_shown():
    shown = show_figure(whole([50, 50, 50, 50, 50]), settings=GROUPS)
    assert (shown.low, shown.high) == (None, None)
    personal = show_figure(whole([0, 1, 1, 0, 0]), settings=PERSONAL)
    assert (personal.low, personal.high, personal.bands) == (80.0, 190.0, (0, 1, 1, 0, 0))


def test_exact_counts_do_not_show_the_whole_where_few_are_without_a_figure():
    exact = ReportSettings(round_people_to=1)
    few_without = [GroupFigure(SYSTOLIC, 97, 127.0)]
    assert show_everyone(100, groups=few_without, settings=exact) is Absence.SUPPRESSED
    assert show_everyone(100, groups=[GroupFigure(SYSTOLIC, 80, 127.0)], settings=exact) == 100
    assert show_everyone(100, groups=few_without, settings=GROUPS) == 100
    assert show_everyone(3, groups=[GroupFigure(SYSTOLIC, 1, 127.0)], settings=PERSONAL) == 3


@given(st.integers(11, 300), st.data())
def test_rounding_leaves_open_how_many_are_without_a_figure(people, data):
    with_figure = data.draw(st.integers(11, people))
    shown = show_count(people, settings=GROUPS), show_count(with_figure, settings=GROUPS)
    near = range(max(11, people - 6), people + 7)
    possible = {
        one - other
        for one in near
        for other in range(max(11, with_figure - 6), with_figure + 7)
        if one >= other and (show_count(one, settings=GROUPS), show_count(other, settings=GROUPS)) == shown
    }
    assert len(possible) > 4


def test_rows_are_about_somebody():
    shown = show_quality(
        quality(staged=1, kept=1, duplicates=0, quarantined=0, quarantined_by_rule={}), settings=GROUPS
    )
    assert (shown.staged, shown.kept) == (Absence.SUPPRESSED, Absence.SUPPRESSED)
    shown = show_quality(quality(quarantined=4, quarantined_by_rule={"negative:steps": 4}), settings=GROUPS)
    assert (shown.kept, shown.quarantined, shown.by_rule) == (83_905, Absence.SUPPRESSED, None)
    shown = show_quality(quality(quarantined=24, quarantined_by_rule={"a": 20, "b": 4}), settings=GROUPS)
    assert dict(shown.by_rule) == {"a": Absence.SUPPRESSED, "b": Absence.SUPPRESSED}
    shown = show_quality(quality(), settings=PERSONAL)
    assert (shown.staged, dict(shown.by_rule)) == (
        84_213,
        {"impossible_value:value": 70, "unknown_unit:unit": 53},
    )


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_exact_rows_follow_the_rule_of_bands(parts):
    kept, duplicates, superseded, quarantined = parts
    row = quality(
        staged=sum(parts), kept=kept, duplicates=duplicates, superseded=superseded, quarantined=quarantined,
        quarantined_by_rule={"negative:steps": quarantined} if quarantined else {},
    )  # fmt: skip
    shown = show_quality(row, settings=ReportSettings(round_people_to=1))
    cells = (shown.kept, shown.duplicates, shown.superseded, shown.quarantined)
    if not isinstance(shown.staged, Absence):
        rest = shown.staged - sum(cell for cell in cells if not isinstance(cell, Absence))
        assert rest == 0 or rest >= 11


def test_bands_that_do_not_hold_the_people_are_refused():
    with pytest.raises(IntegrityError, match="do not add up"):
        show_figure(replace(whole([20, 20, 20, 20, 20]), people=99), settings=GROUPS)
    with pytest.raises(IntegrityError, match="has 5 bands in the registry and 2"):
        show_figure(whole([20, 20]), settings=GROUPS)


BANDED = {name: len(FIGURE_BY_NAME[name].bands) for name in HEADLINE_FIGURES if FIGURE_BY_NAME[name].bands}
LOW, HIGH = 17.171717, 987.654321


@st.composite
def cohorts(draw):
    """Figures of few and many people, each with somebody's own lowest and highest value planted."""
    made = {}
    for name in draw(st.sets(st.sampled_from(sorted(BANDED)), min_size=1, max_size=4)):
        bands = draw(st.lists(st.integers(0, 30), min_size=BANDED[name], max_size=BANDED[name]))
        made[name] = GroupFigure(name, sum(bands), CENTRES[name][0], LOW, HIGH, tuple(bands))
    extra = draw(st.integers(0, 12))
    return made, max(one.people for one in made.values()) + extra


def numbers_with_status(document):
    """Every ``{value, status}`` of a document, with the name that it stands under."""
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, dict) and set(value) == {"value", "status"}:
                yield name, value
            yield from numbers_with_status(value)
    elif isinstance(document, list):
        for value in document:
            yield from numbers_with_status(value)


@given(cohorts(), st.integers(0, 30))
def test_a_whole_report_shows_no_small_group_and_no_single_person(cohort, trend_people):
    current, people = cohort
    given_inputs = inputs(
        people,
        current=current,
        previous=current,
        trend=trend(inputs().window, people=trend_people, figures=tuple(current)),
        quality=[quality(staged=people, kept=people, duplicates=0, quarantined=0, quarantined_by_rule={})],
    )
    report = health_summary(given_inputs, stamp=STAMP)
    for name, number in numbers_with_status(report_document(report)):
        if name == "people" and number["status"] == "shown":
            assert number["value"] == 0 or (number["value"] >= 11 and number["value"] % 5 == 0)
        if number["status"] != "shown":
            assert number["value"] is None
    for metric in report.metrics:
        if 0 < given_inputs.current.get(metric.figure, GroupFigure(metric.figure, 0)).people < 11:
            assert (metric.people, metric.value) == (Absence.SUPPRESSED, Absence.SUPPRESSED)
    for text in (render_html(report), render_json(report)):
        assert "17.17" not in text
        assert "987.6" not in text
