"""BG/BB against the published fit, against the integral that it stands for, and against itself."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, logsumexp, roots_jacobi

from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline_tests.domain.donations import DONATIONS
from healthmate_bi_pipeline_tests.domain.simulation import simulated_patterns

PUBLISHED = BgBb(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)

parameters = st.floats(0.05, 50)
models = st.builds(BgBb, parameters, parameters, parameters, parameters)


def all_patterns(opportunities: int) -> Patterns:
    """Every pattern of so many opportunities, with the number of histories that have it."""
    rows = [(0, 0, 1)] + [
        (active, last, math.comb(last - 1, active - 1))
        for last in range(1, opportunities + 1)
        for active in range(1, last + 1)
    ]
    active, last, histories = zip(*rows, strict=True)
    return Patterns.of(active, last, opportunities, histories)


def textbook_log_likelihood(model: BgBb, active: int, last: int, opportunities: int) -> float:
    """Equation 5 as it is printed, term by term."""

    def term(a: float, b: float, c: float, d: float) -> float:
        ab, cd = betaln(model.alpha, model.beta), betaln(model.gamma, model.delta)
        return float(betaln(a, b) - ab + betaln(c, d) - cd)

    a, b, c, d = model.alpha, model.beta, model.gamma, model.delta
    terms = [term(a + active, b + opportunities - active, c, d + opportunities)]
    terms += [
        term(a + active, b + last - active + i, c + 1, d + last + i) for i in range(opportunities - last)
    ]
    return float(logsumexp(terms))


def test_the_published_fit_of_the_donations() -> None:
    result = fit(DONATIONS)
    model = result.model
    assert [round(value, 3) for value in (model.alpha, model.beta, model.gamma, model.delta)] == [
        1.204,
        0.750,
        0.657,
        2.783,
    ]
    assert round(result.log_likelihood, 2) == -33225.58
    assert result.people == 11_104
    assert result.is_converged
    assert result.starts_agreeing >= 3


def test_the_published_probabilities_of_being_alive() -> None:
    model = fit(DONATIONS).model
    alive = model.probability_alive(Patterns.of([0, 2, 6], [0, 4, 6], 6), ahead=1)
    assert alive.round(3).tolist() == [0.108, 0.590, 0.930]


def beta_nodes(first: float, second: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights with which means over a beta distribution are exact for polynomials up to degree 59."""
    places, weights = roots_jacobi(30, second - 1, first - 1)
    return (1 + places) / 2, weights / weights.sum()


@given(model=models, opportunities=st.integers(1, 10))
def test_the_likelihood_is_the_mean_over_people(model: BgBb, opportunities: int) -> None:
    """One person with probabilities p and q is alive and active, or left; the mean over both beta distributions."""
    (p, of_p), (q, of_q) = beta_nodes(model.alpha, model.beta), beta_nodes(model.gamma, model.delta)
    p, q = p[:, np.newaxis], q[np.newaxis, :]
    patterns = all_patterns(opportunities)
    computed = np.exp(model.log_likelihoods(patterns))
    for active, last, likelihood in zip(patterns.active, patterns.last_active, computed, strict=True):
        history = p**active * (1 - p) ** (opportunities - active) * (1 - q) ** opportunities
        for leaving in range(last, opportunities):
            history = history + p**active * (1 - p) ** (leaving - active) * q * (1 - q) ** leaving
        assert likelihood == pytest.approx(of_p @ history @ of_q, rel=1e-6)


@given(model=models, opportunities=st.integers(1, 12))
def test_the_probabilities_of_all_histories_add_up_to_one(model: BgBb, opportunities: int) -> None:
    patterns = all_patterns(opportunities)
    assert patterns.people.sum() == 2**opportunities
    assert patterns.people @ np.exp(model.log_likelihoods(patterns)) == pytest.approx(1, rel=1e-9)


@given(model=models, opportunities=st.integers(0, 260), data=st.data())
def test_the_shared_table_gives_what_the_printed_formula_gives(
    model: BgBb, opportunities: int, data: st.DataObject
) -> None:
    """Also beside histories that are longer, with which it shares the table of sums."""
    last = data.draw(st.integers(0, opportunities))
    active = data.draw(st.integers(min(last, 1), last))
    patterns = Patterns.of([active, 0, 260], [last, 0, 260], [opportunities, 260, 260])
    computed = model.log_likelihoods(patterns)
    assert computed[0] == pytest.approx(
        textbook_log_likelihood(model, active, last, opportunities), rel=1e-9, abs=1e-9
    )


@given(model=models, opportunities=st.integers(1, 40))
def test_the_slopes_are_what_small_steps_give(model: BgBb, opportunities: int) -> None:
    patterns = all_patterns(opportunities)
    rare = Patterns.of(patterns.active, patterns.last_active, opportunities, 1 + patterns.active % 7)
    names = ("alpha", "beta", "gamma", "delta")
    for name, slope in zip(names, model.score(rare)[1], strict=True):
        step = 1e-5 * getattr(model, name)
        above, below = (
            dataclasses.replace(model, **{name: getattr(model, name) + sign * step}).log_likelihood(rare)
            for sign in (1, -1)
        )
        assert slope == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-3)


@given(model=models, opportunities=st.integers(1, 6), ahead=st.integers(1, 6))
@settings(max_examples=30)
def test_what_is_expected_is_what_all_continuations_give(model: BgBb, opportunities: int, ahead: int) -> None:
    """Every history is continued in every way; the longer histories' own probabilities say how likely each is."""
    patterns = all_patterns(opportunities)
    chance, expected = np.zeros(len(patterns.active)), np.zeros(len(patterns.active))
    so_far = np.exp(model.log_likelihoods(patterns))
    for steps in itertools.product((0, 1), repeat=ahead):
        more = sum(steps)
        last = opportunities + max((place + 1 for place, step in enumerate(steps) if step), default=0)
        longer = Patterns.of(
            patterns.active + more, last if more else patterns.last_active, opportunities + ahead
        )
        likelihoods = np.exp(model.log_likelihoods(longer)) / so_far
        chance += likelihoods * bool(more)
        expected += likelihoods * more
    np.testing.assert_allclose(model.probability_active(patterns, ahead=ahead), chance, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.expected_active(patterns, ahead=ahead), expected, rtol=1e-6, atol=1e-9)


@given(model=models, opportunities=st.integers(1, 40))
def test_probabilities_lie_between_0_and_1_and_fall_with_time(model: BgBb, opportunities: int) -> None:
    patterns = all_patterns(opportunities)
    now, next_one, later = (model.probability_alive(patterns, ahead=ahead) for ahead in (0, 1, 20))
    assert (now <= 1 + 1e-9).all()
    assert (next_one <= now).all()
    assert (later <= next_one).all()
    assert (later >= 0).all()
    is_active_in_last = patterns.last_active == patterns.opportunities
    np.testing.assert_allclose(now[is_active_in_last], 1, rtol=1e-9)


def test_the_fit_finds_the_parameters_of_people_who_were_made_with_them() -> None:
    truth = BgBb(alpha=1.5, beta=2.5, gamma=0.8, delta=8.0)
    opportunities = np.random.default_rng(5).integers(0, 53, 60_000)
    people = simulated_patterns(truth, opportunities, seed=6)
    result = fit(people)
    assert result.is_converged, result.reason
    assert result.log_likelihood >= truth.log_likelihood(people)
    assert result.people == np.count_nonzero(opportunities)
    # Likelihoods of nested models: twice the difference is chi-squared with 4 degrees; 23.5 is passed once in 10,000.
    assert 2 * (result.log_likelihood - truth.log_likelihood(people)) < 23.5


def test_people_who_leave_alike_are_a_maximum_at_the_edge() -> None:
    """The likelihood rises for ever towards all being the same: what is forecast is right all the same."""
    truth = BgBb(alpha=1.0, beta=1.5, gamma=2e5, delta=98e5)  # 2 % a week, everybody
    people = simulated_patterns(truth, np.full(20_000, 30), seed=0)
    result = fit(people)
    assert result.is_converged, result.reason
    assert "alike" in result.reason
    assert result.log_likelihood >= truth.log_likelihood(people) - 1
    mean = result.model.gamma / (result.model.gamma + result.model.delta)
    assert mean == pytest.approx(0.02, rel=0.05)
    for ahead in (1, 10):
        found, true = (model.probability_alive(people, ahead=ahead) for model in (result.model, truth))
        np.testing.assert_allclose(found, true, atol=0.03)


def test_order_and_splitting_of_patterns_change_nothing() -> None:
    order = np.random.default_rng(1).permutation(len(DONATIONS.active))
    half = DONATIONS.people // 2
    shuffled = Patterns.of(
        np.r_[DONATIONS.active[order], DONATIONS.active],
        np.r_[DONATIONS.last_active[order], DONATIONS.last_active],
        6,
        np.r_[half[order], DONATIONS.people - half],
    )
    assert fit(shuffled) == fit(DONATIONS)


def test_people_who_have_only_come_change_nothing() -> None:
    more = Patterns.of(
        np.r_[0, DONATIONS.active],
        np.r_[0, DONATIONS.last_active],
        np.r_[0, DONATIONS.opportunities],
        np.r_[5000, DONATIONS.people],
    )
    assert fit(more) == fit(DONATIONS)
    assert PUBLISHED.probability_alive(Patterns.of(0, 0, 0), ahead=0).tolist() == [1.0]


def test_a_fit_that_the_data_do_not_tell_says_so() -> None:
    """Nobody was ever active again: they left at once or come very rarely, and nothing tells which."""
    result = fit(Patterns.of(0, 0, 10, 500))
    assert not result.is_converged
    assert "the data do not tell how often" in result.reason


def test_without_an_opportunity_there_is_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit(Patterns.of(0, 0, 0, 7))


@pytest.mark.parametrize(
    ("active", "last", "opportunities", "people"),
    [(2, 1, 6, 1), (1, 7, 6, 1), (0, 3, 6, 1), (-1, 0, 6, 1), (1, 1, 6, -1)],
)
def test_a_pattern_that_cannot_be_is_refused(active: int, last: int, opportunities: int, people: int) -> None:
    with pytest.raises(ValueError, match="a pattern needs"):
        Patterns.of(active, last, opportunities, people)


def test_a_frequency_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(TypeError):
        Patterns.of(1.5, 2, 6)


@settings(max_examples=40)
@given(st.builds(BgBb, parameters, parameters, st.floats(0.2, 5), st.floats(0.2, 50)), st.floats(0.05, 0.5))
def test_discounted_activities_are_the_sum_over_all_opportunities_to_come(
    model: BgBb, discount: float
) -> None:
    patterns = all_patterns(4)
    ahead = math.ceil(math.log(1e-9) / -math.log1p(discount))
    upto = np.array([model.expected_active(patterns, ahead=steps) for steps in range(ahead + 1)])
    summed = (np.diff(upto, axis=0) / (1 + discount) ** np.arange(1, ahead + 1)[:, np.newaxis]).sum(axis=0)
    found = model.expected_discounted(patterns, discount=discount)
    assert found == pytest.approx(summed, rel=1e-5, abs=1e-12)


def test_residual_activities_need_a_discount() -> None:
    with pytest.raises(ValueError, match="above 0"):
        PUBLISHED.expected_discounted(all_patterns(2), discount=0)
