"""Recommendations: only from insights, one for a cause, and fit for whom they are said to."""

from dataclasses import replace

import pytest

from healthmate_bi_pipeline.catalog.insight_rules import FACT_RULES, RULE_BY_NAME
from healthmate_bi_pipeline.catalog.recommendations import ADVICE, HEALTH_ADVICE
from healthmate_bi_pipeline.catalog.watched_figures import WATCHED_FIGURES, Better, watched_figure
from healthmate_bi_pipeline.reporting.document import Tone, Urgency
from healthmate_bi_pipeline.reporting.recommendations import advice_for, recommend
from healthmate_bi_pipeline_tests.reporting.samples import AN_INSIGHT

SYSTOLIC, DIASTOLIC = "avg_blood_pressure_systolic", "avg_blood_pressure_diastolic"


def insight(figure, *, rule="shift", tone=Tone.WORSE, subject=""):
    name = f"{rule}-{figure}-{subject}".rstrip("-")
    return replace(AN_INSIGHT, insight_id=name, figures=(figure,), rule=rule, tone=tone, subject=subject)


def test_without_insights_nothing_is_recommended():
    assert recommend([], report_type="health_summary") == ()


def test_two_insights_of_one_cause_give_one_recommendation_that_names_both():
    (found,) = recommend([insight(SYSTOLIC), insight(DIASTOLIC)], report_type="health_summary")
    assert found.insight_ids == (f"shift-{SYSTOLIC}", f"shift-{DIASTOLIC}")
    assert "blood pressure of the people" in found.text
    assert (found.owner, found.urgency) == ("clinical lead", Urgency.THIS_WEEK)
    assert found.guideline.startswith("AHA/ACC 2017")


def test_good_news_calls_for_nothing():
    assert recommend([insight(SYSTOLIC, tone=Tone.BETTER)], report_type="health_summary") == ()


def test_a_person_is_spoken_to_as_one():
    (found,) = recommend([insight(SYSTOLIC)], report_type="health_summary", audience="personal")
    assert found.owner == "you"
    assert found.text.startswith("Measure on at least 3 days")
    assert "invite" not in found.text


def test_what_is_for_operators_is_not_said_to_a_person():
    assert recommend([insight("error_rate")], report_type="system_performance", audience="personal") == ()


def test_the_urgent_comes_first_and_subjects_are_named():
    found = recommend(
        [
            insight("avg_steps_per_day"),
            insight("error_rate", subject="api"),
            insight("error_rate", subject="web"),
        ],
        report_type="system_performance",
    )
    assert [one.urgency for one in found] == [Urgency.NOW, Urgency.NEXT_REVIEW]
    assert "the failures of api and web began with" in found[0].text


def test_many_subjects_are_not_listed():
    insights = [insight("error_rate", subject=name) for name in "abcde"]
    (found,) = recommend(insights, report_type="system_performance")
    assert "a, b, c and others" in found.text


def test_a_broken_limit_has_advice_of_its_own():
    found = advice_for(insight("availability", rule="slo_broken"))
    assert found.cause == "error_budget"
    assert advice_for(insight("availability")).cause == "failures"


@pytest.mark.parametrize("rule", [rule.name for rule in FACT_RULES if rule.name != "target_missed"])
def test_every_kind_of_fact_has_advice(rule):
    assert advice_for(insight("no_figure", rule=rule)) is not None


def test_bad_news_of_every_watched_figure_has_advice():
    without = {
        one.name
        for one in WATCHED_FIGURES
        if one.better is not Better.NEITHER and not advice_for(insight(one.name))
    }
    assert without == set()


def test_the_catalog_names_what_there_is():
    for advice in ADVICE:
        assert [watched_figure(name).name for name in advice.figures] == list(advice.figures)
        assert set(advice.rules) <= set(RULE_BY_NAME)
        assert advice.figures or advice.rules
        assert {Tone(tone) for tone in advice.tones}
        assert Urgency(advice.urgency)


def test_health_advice_has_words_for_a_person_and_promises_no_treatment():
    assert all(advice.personal_text for advice in HEALTH_ADVICE)
    for advice in HEALTH_ADVICE:
        assert not {"prescribe", "diagnose", "stop taking"} & set(advice.text.lower().split())
