"""The churn model finds in the demo's weeks what they were made with, and says of whom it is gone."""

from datetime import date

import numpy as np
import pytest

from healthmate_bi_pipeline.domain.bgbb import Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.sources.demo.app_use import draw_app_use
from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import Span
from healthmate_bi_pipeline.sources.demo.lifetimes import draw_lifetimes
from healthmate_bi_pipeline.sources.demo.people import draw_people
from healthmate_bi_pipeline.sources.demo.roles import Calendar
from healthmate_bi_pipeline.sources.demo.subscriptions import draw_subscriptions

PLANTED = (2.2, 1.8, 0.9, 110.0)
SPAN = Span(date(2025, 1, 6), date(2026, 9, 6))  # Monday to Sunday: whole weeks
SEEN = 60  # weeks; what comes behind them says who was there
BLOCKS = 80


@pytest.fixture(scope="module")
def weeks():
    """People × weeks: whether the app was opened; the first week of each; the week from which on they are gone."""
    opened, first, gone = [], [], []
    for number in range(BLOCKS):
        block, calendar = Block(20, number, 50 * BLOCKS, SPAN), Calendar(SPAN)
        people = draw_people(block)
        falls_away = draw_lifetimes(block, people)
        plans = draw_subscriptions(block, people, calendar, falls_away=falls_away)
        use = draw_app_use(block, people, calendar, subscriptions=plans, falls_away=falls_away)
        opened.append(use.is_open.reshape(len(people), -1, 7).any(axis=2))
        first.append(people.first_day // 7)
        gone.append(falls_away // 7)
    return np.concatenate(opened), np.concatenate(first), np.concatenate(gone)


@pytest.fixture(scope="module")
def patterns(weeks):
    """Of who came in the first 50 weeks, after the week in which they came."""
    opened, first, _ = weeks
    came = first < 50
    number = np.arange(SEEN) - first[came][:, None]
    active = opened[came, :SEEN] & (number >= 1)
    last = np.max(active * number, axis=1)
    return Patterns.of(active.sum(axis=1), last, SEEN - 1 - first[came])


def test_everyone_opens_the_app_in_the_week_in_which_they_come(weeks):
    opened, first, gone = weeks
    assert opened[np.arange(len(first)), first].all()
    number = np.arange(opened.shape[1])
    assert not opened[(number < first[:, None]) | (number >= gone[:, None])].any()


def test_the_fit_finds_the_parameters(patterns):
    found = fit(patterns)
    assert found.is_converged
    model = found.model
    fitted = (model.alpha, model.beta, model.gamma, model.delta)
    away = (np.log(fitted) - np.log(PLANTED)) / found.errors
    assert np.abs(away).max() < 3
    assert model.gamma / (model.gamma + model.delta) == pytest.approx(0.9 / 110.9, rel=0.15)


def test_the_probability_of_being_alive_is_the_share_of_who_was(weeks, patterns):
    _, first, gone = weeks
    alive = gone[first < 50] > SEEN
    told = fit(patterns).model.probability_alive(patterns)
    assert told.mean() == pytest.approx(alive.mean(), abs=0.02)
    edges = np.quantile(told, np.linspace(0, 1, 11))
    decile = np.clip(np.searchsorted(edges, told, side="right") - 1, 0, 9)
    for part in range(10):
        mine = decile == part
        if mine.sum() > 50:
            error = 4 * np.sqrt(0.25 / mine.sum())
            assert told[mine].mean() == pytest.approx(alive[mine].mean(), abs=error)
    assert told[alive].mean() > told[~alive].mean() + 0.5
