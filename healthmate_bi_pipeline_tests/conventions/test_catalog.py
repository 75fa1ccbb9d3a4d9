"""The catalog holds together: every reference in it leads somewhere, and a change of meaning is noticed."""

import hashlib
from pathlib import Path

from healthmate_bi_pipeline.catalog import performance
from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.catalog.golden import OF_NAMED, golden_test, performance_test
from healthmate_bi_pipeline.catalog.health import (
    FIGURE_BY_NAME,
    HEADLINE_FIGURES,
    HEALTH_FIGURES,
    REGISTRY_VERSION,
)
from healthmate_bi_pipeline.catalog.measures import HEALTH_MEASURES, STATE_VERSION
from healthmate_bi_pipeline.catalog.readings import METRICS
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


def test_the_health_table_has_every_column_of_the_contract() -> None:
    (view,) = VIEWS
    assert view.name == "bi_aggregated_health_metrics"
    assert set(SPECIFIED.split()) <= set(view.column_names)


def test_every_key_names_columns_and_no_column_stands_twice() -> None:
    for table in (*TABLES, *VIEWS):
        assert set(table.key) <= set(table.column_names), table.name
        assert len(set(table.column_names)) == len(table.columns), table.name


def test_every_figure_names_a_measure_that_exists_at_its_grain() -> None:
    measures = {measure.name: measure for measure in HEALTH_MEASURES}
    for figure in HEALTH_FIGURES:
        if figure.measure is not None and measures[figure.measure].native_grain is Grain.DAY:
            assert figure.shortest is not Period.HOURLY, figure.name


def test_every_figure_is_held_by_a_test_that_exists() -> None:
    folder = Path(__file__).resolve().parents[1]
    named = {figure.name for figure in HEALTH_FIGURES if figure.statistic is None}
    assert set(OF_NAMED) == named
    for figure in HEALTH_FIGURES:
        path, _, name = golden_test(figure).partition("::")
        assert f"def {name}(" in (folder / path).read_text(), figure.name


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


def test_headline_figures_have_bands_that_rise() -> None:
    for name in HEADLINE_FIGURES:
        bands = FIGURE_BY_NAME[name].bands
        assert list(bands) == sorted(set(bands)), name


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


KNOWN_FIGURES = {2: "f97a6f05d7eb"}
KNOWN_PERFORMANCE = {(1, 1): "3c17dd4c6161"}
KNOWN_MEASURES = {2: "057df62af164"}


def test_a_change_of_meaning_raises_the_version() -> None:
    """Whoever changes a figure or a measure raises its version, so that what was made of the old one is stale.

    A change of words alone is entered here under the same version.
    """
    figures = hashlib.sha256(repr(HEALTH_FIGURES).encode()).hexdigest()[:12]
    measures = hashlib.sha256(repr(HEALTH_MEASURES).encode()).hexdigest()[:12]
    assert KNOWN_FIGURES[REGISTRY_VERSION] == figures
    assert KNOWN_MEASURES[STATE_VERSION] == measures
    said = repr((performance.PERFORMANCE_FIGURES, performance.PERFORMANCE_MEASURES, performance.THRESHOLDS))
    digest = hashlib.sha256(said.encode()).hexdigest()[:12]
    assert KNOWN_PERFORMANCE[performance.REGISTRY_VERSION, performance.STATE_VERSION] == digest
