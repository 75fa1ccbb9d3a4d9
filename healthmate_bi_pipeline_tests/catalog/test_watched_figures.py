"""The catalog of what reports watch: complete, without doubles, and strict about what it does not know."""

import pytest

from healthmate_bi_pipeline.catalog.device_changes import COMPARED_FIGURES
from healthmate_bi_pipeline.catalog.health_groups import HEADLINE_FIGURES
from healthmate_bi_pipeline.catalog.insight_rules import INSIGHT_RULES, RULE_BY_NAME
from healthmate_bi_pipeline.catalog.readings import METRIC_BY_CODE
from healthmate_bi_pipeline.catalog.watched_figures import HEALTH, WATCHED_FIGURES, watched_figure
from healthmate_bi_pipeline.errors import IntegrityError


def test_every_headline_figure_of_health_is_watched_but_two():
    unwatched = {"health_score_components", "activity_minutes_a_week"}
    assert {figure.name for figure in HEALTH} == set(HEADLINE_FIGURES) - unwatched


def test_names_are_there_once():
    assert len({figure.name for figure in WATCHED_FIGURES}) == len(WATCHED_FIGURES)
    assert len(RULE_BY_NAME) == len(INSIGHT_RULES)


def test_every_smallest_change_is_one():
    assert all(figure.smallest_change > 0 and figure.reason for figure in WATCHED_FIGURES)


def test_what_matters_of_a_figure_that_grows_with_the_business_grows_too():
    assert watched_figure("requests").matters(25, level=100)
    assert not watched_figure("requests").matters(25, level=1000)
    assert not watched_figure("requests").matters(0, level=0)
    assert watched_figure("avg_steps_per_day").matters(-500, level=9000)


def test_devices_are_compared_by_figures_whose_smallest_change_has_a_unit():
    compared = [watched_figure(name) for name in COMPARED_FIGURES.values()]
    assert not any(figure.is_relative or figure.is_share_of_people for figure in compared)
    assert set(COMPARED_FIGURES) <= set(METRIC_BY_CODE)


def test_a_figure_without_a_line_is_refused():
    with pytest.raises(IntegrityError, match="catalog/watched_figures"):
        watched_figure("moon_phase")
