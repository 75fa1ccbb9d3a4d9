"""A block of people: the unit that is drawn at once, and its streams of random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Span

BLOCK_SIZE = 50
"""People who are drawn together; at two years they need some 300 MB. Another number makes another demo."""


@dataclass(frozen=True)
class Block:
    """Some of the people, and the days of the demo.

    A block is always drawn whole, and the rows of who is not asked for are left out at last: nobody's data
    depend on how many others there are.

    Attributes:
        seed: of the whole demo.
        number: of the block, from 0.
        total: people who are asked for, in all blocks.
        span: the days.
    """

    seed: int
    number: int
    total: int
    span: Span

    @property
    def person_numbers(self) -> Integers:
        """The people's numbers among all, from 0."""
        return self.number * BLOCK_SIZE + np.arange(BLOCK_SIZE)

    @property
    def is_asked_for(self) -> Flags:
        """Who is part of the demo."""
        return self.person_numbers < self.total

    @property
    def shape(self) -> tuple[int, int]:
        """People × days."""
        return BLOCK_SIZE, self.span.days

    def rng(self, purpose: str) -> np.random.Generator:
        """A stream of random numbers of its own per purpose, so that one part does not change another."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([self.seed, self.number, crc32(purpose.encode())]))
        )
