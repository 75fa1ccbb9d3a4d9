"""The churn model's cost does not grow with people: counting patterns does, fitting them does not."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit

TRUTH = BgBb(alpha=0.9, beta=1.4, gamma=0.6, delta=9.0)
WEEKS = 104
_CHUNK = 50_000


def measure(people: int) -> None:
    """Fit the model to a hundredth, a tenth and the whole of so many people, and print how long it takes."""
    active, last_active, weeks = simulated(people)
    print(f"\nBG/BB, up to {WEEKS} weeks, of {people:,} people and fewer")
    for number in (people // 100, people // 10, people):
        some = Patterns.of(active[:number], last_active[:number], weeks[:number])
        started = time.perf_counter()
        patterns = some.counted()
        counted = time.perf_counter()
        result = fit(patterns)
        fitted = time.perf_counter()
        result.model.probability_alive(patterns)
        ended = time.perf_counter()
        print(
            f"{number:>9,} people, {len(patterns.active):>7,} patterns: counted in {counted - started:5.2f} s,"
            f" fitted in {fitted - counted:5.2f} s, alive in {ended - fitted:5.3f} s; {result.reason}",
            flush=True,
        )


def simulated(people: int) -> tuple[npt.NDArray[np.int64], ...]:
    """People of whom the model is true and who came over time: active, last_active, opportunities."""
    dice = np.random.default_rng(2010)
    parts = [_some(min(_CHUNK, people - start), dice) for start in range(0, people, _CHUNK)]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _some(people: int, dice: np.random.Generator) -> tuple[npt.NDArray[np.int64], ...]:
    weeks = dice.integers(0, WEEKS + 1, people)
    p, q = dice.beta(TRUTH.alpha, TRUTH.beta, people), dice.beta(TRUTH.gamma, TRUTH.delta, people)
    stays = np.minimum(dice.geometric(np.maximum(q, 1e-12)) - 1, weeks)
    number = np.arange(1, WEEKS + 1)
    is_active = (dice.random((people, WEEKS)) < p[:, np.newaxis]) & (number <= stays[:, np.newaxis])
    last = np.where(is_active.any(axis=1), WEEKS - is_active[:, ::-1].argmax(axis=1), 0)
    return is_active.sum(axis=1), last, weeks
