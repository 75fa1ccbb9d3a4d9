"""People of whom BG/BB is true, week by week."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns


def simulated_weeks(model: BgBb, opportunities: npt.NDArray[np.int64], *, seed: int) -> npt.NDArray[np.bool_]:
    """People x weeks: active or not; weeks that a person does not have are not active."""
    dice = np.random.default_rng(seed)
    size = len(opportunities)
    p, q = dice.beta(model.alpha, model.beta, size), dice.beta(model.gamma, model.delta, size)
    # With probability q the person leaves before each of the weeks.
    stays = np.minimum(dice.geometric(np.maximum(q, 1e-12)) - 1, opportunities)
    weeks = np.arange(1, opportunities.max() + 1)
    return (dice.random((size, len(weeks))) < p[:, np.newaxis]) & (weeks <= stays[:, np.newaxis])


def simulated_patterns(model: BgBb, opportunities: npt.NDArray[np.int64], *, seed: int) -> Patterns:
    """The patterns of such people."""
    weeks = simulated_weeks(model, opportunities, seed=seed)
    last = np.where(weeks.any(axis=1), weeks.shape[1] - weeks[:, ::-1].argmax(axis=1), 0)
    return Patterns.of(weeks.sum(axis=1), last, opportunities)
