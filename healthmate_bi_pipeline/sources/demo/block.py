"""Blocks of people, and of days of the backend: what is drawn at once, and its streams of random numbers."""

from __future__ import annotations

from collections.abc import Iterator
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
        return _generator(self.seed, self.number, purpose)


DAYS_OF_A_BACKEND_BLOCK = 7
BACKEND_DAYS = 126
"""How long the log and the samples of the backend are kept: what is older has been removed."""


@dataclass(frozen=True)
class BackendBlock:
    """Some of the days of the backend, UTC: the unit in which its rows are drawn.

    Attributes:
        seed: of the whole demo.
        number: of the block, from 0.
        span: the days of the demo.
    """

    seed: int
    number: int
    span: Span

    @property
    def first(self) -> int:
        """The number of its first day."""
        return self.number * DAYS_OF_A_BACKEND_BLOCK

    @property
    def hours(self) -> Integers:
        """The numbers of its hours among all."""
        end = min(self.first + DAYS_OF_A_BACKEND_BLOCK, self.span.days)
        return np.arange(self.first * 24, end * 24)

    @property
    def start(self) -> np.datetime64:
        """The midnight it begins with."""
        midnight: np.datetime64 = self.span.midnights[self.first]
        return midnight

    def rng(self, purpose: str) -> np.random.Generator:
        """A stream of random numbers of its own per purpose, and none of a block of people."""
        return _generator(self.seed, self.number, f"backend: {purpose}")


def backend_blocks(seed: int, span: Span) -> Iterator[BackendBlock]:
    """The last days of the demo, block by block."""
    first = max(span.days - BACKEND_DAYS, 0) // DAYS_OF_A_BACKEND_BLOCK
    for number in range(first, -(-span.days // DAYS_OF_A_BACKEND_BLOCK)):
        yield BackendBlock(seed, number, span)


def _generator(seed: int, number: int, purpose: str) -> np.random.Generator:
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([seed, number, crc32(purpose.encode())]))
    )
