"""How long people go on with the app: each week they may fall away for good.

This is the model that the churn figures assume (BG/BB: Fader, Hardie & Shang 2010), so that they can be checked
against the truth: from the week after their first on, a person falls away with a chance of their own before
each week, and opens the app in a week, as long as they have not, with another, which is ``People.interest``.
"""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Integers
from healthmate_bi_pipeline.sources.demo.people import INTEREST, People

ACTIVITY_ALPHA, ACTIVITY_BETA = INTEREST
DROPOUT_GAMMA, DROPOUT_DELTA = 0.9, 110.0
_LEAST_DROPOUT = 1e-9


def draw_lifetimes(block: Block, people: People) -> Integers:
    """The day from which on each does not open the app any more, a Monday; ``NEVER`` for who goes on.

    What the stories do to it is in ``app_use``.
    """
    rng, span = block.rng("lifetimes"), block.span
    dropout = np.maximum(rng.beta(DROPOUT_GAMMA, DROPOUT_DELTA, len(people)), _LEAST_DROPOUT)
    first_week = span.week[np.minimum(people.first_day, span.days - 1)]
    weeks = np.minimum(rng.geometric(dropout), span.days)  # geometric: 1 is the week after the first
    monday = span.monday_of(first_week + weeks)
    return np.where(monday < span.days, monday, NEVER)
