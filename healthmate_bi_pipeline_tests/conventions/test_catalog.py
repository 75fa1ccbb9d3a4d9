"""The catalog holds together: every reference in it leads somewhere, and a change of meaning is noticed."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from healthmate_bi_pipeline.catalog import engagement, finance, performance
from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.catalog.engagement import ENGAGEMENT_FIGURES, ENGAGEMENT_MEASURES
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.golden import (
    OF_ACTIVITY,
    OF_ENGAGEMENT,
    OF_FINANCE,
    OF_HEALTH_GROUPS,
    OF_NAMED,
    OF_OPERATIONS,
    golden_engagement_test,
    golden_test,
    performance_test,
)
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES, REGISTRY_VERSION
from healthmate_bi_pipeline.catalog.health_groups import (
    CATEGORIES,
    FIGURE_BY_NAME,
    GROUPED_FIGURES,
    HEALTH_GROUP_FIGURES,
)
from healthmate_bi_pipeline.catalog.measures import HEALTH_MEASURES, STATE_VERSION
from healthmate_bi_pipeline.catalog.operations import OPERATIONS_FIGURES
from healthmate_bi_pipeline.catalog.readings import METRICS
from healthmate_bi_pipeline.catalog.rules import CATEGORY_OF_RULE, FILE_RULES, ROW_RULES
from healthmate_bi_pipeline.catalog.tables import TABLES, VIEWS
from healthmate_bi_pipeline.domain.period import Grain, Period

SPECIFIED = """
user_id aggregation_period period_start period_end avg_blood_pressure_systolic
min_blood_pressure_systolic max_blood_pressure_systolic avg_blood_pressure_diastolic
min_blood_pressure_diastolic max_blood_pressure_diastolic avg_heart_rate min_heart_rate max_heart_rate
resting_heart_rate avg_weight weight_change bmi_trend avg_blood_sugar min_blood_sugar max_blood_sugar
avg_temperature min_temperature max_temperature total_steps avg_steps_per_day total_calories_burned
avg_calories_burned_per_day total_exercise_minutes avg_exercise_minutes_per_day avg_sleep_hours
total_sleep_hours sleep_quality_score medication_adherence_rate total_medications_taken
total_medications_scheduled missed_doses total_symptoms_logged avg_symptom_severity most_common_symptom
symptom_frequency overall_health_score health_score_trend data_completeness data_accuracy source_count
is_complete created_at updated_at state_version registry_version
"""


SPECIFIED_OF_ENGAGEMENT = """
user_id aggregation_period period_start period_end date login_count session_duration_minutes total_sessions
avg_session_duration_minutes features_used health_data_points_added chat_messages_sent notifications_received
engagement_score feature_adoption_rate retention_score time_spent_in_app_minutes pages_visited actions_performed
health_data_entries medication_logs symptom_logs goal_achievements active_days lifecycle churn_risk
is_complete created_at updated_at state_version registry_version
"""


@pytest.mark.parametrize(
    ("name", "specified"),
    [
        ("bi_aggregated_health_metrics", SPECIFIED),
        ("bi_user_engagement_analytics", SPECIFIED_OF_ENGAGEMENT),
    ],
)
def test_the_table_has_every_column_of_the_contract(name: str, specified: str) -> None:
    (view,) = (view for view in VIEWS if view.name == name)
    assert set(specified.split()) <= set(view.column_names)


def test_every_key_names_columns_and_no_column_stands_twice() -> None:
    for table in (*TABLES, *VIEWS):
        assert set(table.key) <= set(table.column_names), table.name
        assert len(set(table.column_names)) == len(table.columns), table.name


def test_every_figure_names_a_measure_that_exists_at_its_grain() -> None:
    measures = {measure.name: measure for measure in (*HEALTH_MEASURES, *ENGAGEMENT_MEASURES)}
    for figure in (*HEALTH_FIGURES, *ENGAGEMENT_FIGURES):
        if figure.measure is not None and measures[figure.measure].native_grain is Grain.DAY:
            assert figure.shortest is not Period.HOURLY, figure.name


@pytest.mark.parametrize(
    ("figures", "of_named", "test_of"),
    [
        (HEALTH_FIGURES, OF_NAMED, golden_test),
        (ENGAGEMENT_FIGURES, OF_ENGAGEMENT, golden_engagement_test),
    ],
    ids=["health", "engagement"],
)
def test_every_figure_is_held_by_a_test_that_exists(
    figures: tuple[Figure, ...], of_named: dict[str, str], test_of: Callable[[Figure], str]
) -> None:
    folder = Path(__file__).resolve().parents[1]
    assert set(of_named) == {figure.name for figure in figures if figure.statistic is None}
    for figure in figures:
        path, _, name = test_of(figure).partition("::")
        assert f"def {name}(" in (folder / path).read_text(), figure.name


def test_the_performance_table_has_every_column_of_the_contract() -> None:
    key = "metric_name service_name environment instance_id route_group aggregation_period period_start"
    rest = "metric_value metric_unit timestamp period_end response_time_ms error_rate throughput resource_usage tags"
    stamps = "is_complete created_at updated_at state_version registry_version"
    table = {table.name: table for table in TABLES}["bi_system_performance_metrics"]
    assert table.key == tuple(key.split())
    assert set(f"{key} {rest} {stamps}".split()) == set(table.column_names)


def test_every_figure_of_performance_is_defined_and_held_by_a_test_that_exists() -> None:
    folder = Path(__file__).resolve().parents[1]
    names = [figure.name for figure in performance.PERFORMANCE_FIGURES]
    assert len(names) == len(set(names))
    for figure in performance.PERFORMANCE_FIGURES:
        assert figure.unit, figure.name
        assert figure.source, figure.name
        assert figure.description.endswith("."), figure.name
        path, _, name = performance_test(figure).partition("::")
        assert f"def {name}(" in (folder / path).read_text(), figure.name


@pytest.mark.parametrize(
    ("figures", "held"),
    [
        (HEALTH_GROUP_FIGURES, OF_HEALTH_GROUPS),
        (engagement.ACTIVITY_FIGURES, OF_ACTIVITY),
        (finance.FINANCE_FIGURES, OF_FINANCE),
    ],
    ids=["health", "activity", "finance"],
)
def test_every_figure_of_groups_is_defined_and_held_by_a_test_that_exists(
    figures: tuple[Figure, ...], held: dict[str, str]
) -> None:
    folder = Path(__file__).resolve().parents[1]
    assert sorted(held) == sorted(figure.name for figure in figures)
    for figure in figures:
        assert figure.unit, figure.name
        assert figure.source, figure.name
        assert figure.description.endswith("."), figure.name
        path, _, name = held[figure.name].partition("::")
        assert f"def {name}(" in (folder / path).read_text(), figure.name


def test_figures_of_groups_have_bands_that_rise_and_those_of_categories_are_their_places() -> None:
    for name in GROUPED_FIGURES:
        bands = FIGURE_BY_NAME[name].bands
        assert list(bands) == sorted(set(bands)), name
        assert (FIGURE_BY_NAME[name].type is Type.TEXT) == (name in CATEGORIES), name
    for name, texts in CATEGORIES.items():
        assert FIGURE_BY_NAME[name].bands == tuple(range(len(texts)))


def test_soft_limits_lie_inside_the_hard_ones() -> None:
    for metric in METRICS:
        assert metric.hard[0] <= metric.soft[0] < metric.soft[1] <= metric.hard[1], metric.code


def test_every_description_is_a_sentence() -> None:
    for dataset in DATASETS:
        for field in dataset.fields:
            assert field.description.endswith("."), (dataset.name, field.name)
    for table in (*TABLES, *VIEWS):
        for column in table.columns:
            assert column.description.endswith((".", "…")), (table.name, column.name)


KNOWN_FIGURES = {3: "7946863acd9e"}
KNOWN_PERFORMANCE = {(1, 2): "7efa03e14ea4"}
KNOWN_FINANCE = {1: "f854ea0a024d"}
KNOWN_MEASURES = {2: "057df62af164"}
KNOWN_ENGAGEMENT_FIGURES = {2: "e5367442d11e"}
KNOWN_ENGAGEMENT_MEASURES = {1: "5b25d66fe5f1"}


def test_a_change_of_meaning_raises_the_version() -> None:
    """Whoever changes a figure or a measure raises its version, so that what was made of the old one is stale.

    A change of words alone is entered here under the same version.
    """
    said = (performance.PERFORMANCE_FIGURES, performance.PERFORMANCE_MEASURES, performance.THRESHOLDS)
    for known, version, declared in (
        (KNOWN_FIGURES, REGISTRY_VERSION, (HEALTH_FIGURES, HEALTH_GROUP_FIGURES)),
        (KNOWN_MEASURES, STATE_VERSION, HEALTH_MEASURES),
        (KNOWN_ENGAGEMENT_FIGURES, engagement.REGISTRY_VERSION, ENGAGEMENT_FIGURES),
        (KNOWN_ENGAGEMENT_MEASURES, engagement.STATE_VERSION, ENGAGEMENT_MEASURES),
        (KNOWN_FINANCE, finance.REGISTRY_VERSION, finance.FINANCE_FIGURES),
        (KNOWN_PERFORMANCE, (performance.REGISTRY_VERSION, performance.STATE_VERSION), said),
    ):
        assert known[version] == hashlib.sha256(repr(declared).encode()).hexdigest()[:12]


def test_every_figure_of_operations_is_defined_and_held_by_a_test_that_exists() -> None:
    folder = Path(__file__).resolve().parents[1]
    assert list(OF_OPERATIONS) == [figure.name for figure in OPERATIONS_FIGURES]
    for figure in OPERATIONS_FIGURES:
        assert figure.unit, figure.name
        assert figure.description.endswith("."), figure.name
        path, _, name = OF_OPERATIONS[figure.name].partition("::")
        assert f"def {name}(" in (folder / path).read_text(), figure.name
        assert f'"{figure.name}"' in (folder / path).read_text(), figure.name


def test_every_rule_has_a_category() -> None:
    assert set(CATEGORY_OF_RULE) == {*FILE_RULES, *ROW_RULES}
