"""The published example of Benjamini & Hochberg, and the property that names the method."""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.domain.multiple_testing import FALSE_DISCOVERY_RATE, adjusted_p_values

GOLDEN = [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1]  # fmt: skip


def test_four_of_the_golden_tests_are_findings() -> None:
    assert (adjusted_p_values(GOLDEN) <= FALSE_DISCOVERY_RATE).tolist() == [True] * 4 + [False] * 11


def test_the_rule_as_the_paper_states_it() -> None:
    dice = np.random.default_rng(3)
    for _ in range(100):
        given = np.concatenate((dice.random(30), dice.random(5) / 500))
        ordered = np.sort(given)
        passing = np.flatnonzero(ordered <= np.arange(1, 36) / 35 * FALSE_DISCOVERY_RATE)
        last = ordered[passing[-1]] if len(passing) else -1
        assert ((adjusted_p_values(given) <= FALSE_DISCOVERY_RATE) == (given <= last)).all()


def test_no_tests_give_no_findings() -> None:
    assert len(adjusted_p_values([])) == 0
