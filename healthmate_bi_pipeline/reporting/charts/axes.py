"""Axes between round numbers, and labels that do not lie on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high`` with a line every ``step``."""

    low: float
    high: float
    step: float

    @property
    def values(self) -> list[float]:
        """Where its lines lie."""
        count = round((self.high - self.low) / self.step)
        return [round(self.low + self.step * number, self.decimals) for number in range(count + 1)]

    @property
    def decimals(self) -> int:
        """Digits behind the point that tell its lines apart."""
        return max(0, -math.floor(math.log10(self.step) + 1e-9))


def nice_axis(low: float, high: float, *, steps: int = 4) -> Axis:
    """The shortest axis between round numbers that contains both ends, with about so many steps.

    >>> nice_axis(121.3, 133.1)
    Axis(low=120.0, high=135.0, step=5.0)
    """
    rough = max(high - low, 1e-6) / steps
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * 0.999)
    bottom, top = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return Axis(
        round(bottom * step, digits),
        round(max(top, bottom + 1) * step, digits),
        round(step, digits),
    )


def apart(places: Sequence[float], *, least: float = 13, last: float = math.inf) -> list[float]:
    """Places moved so that no two are nearer than ``least``, and none lies beyond ``last`` if they fit.

    >>> apart([50, 52, 20])
    [50, 63, 20]
    >>> apart([95, 97], last=100)
    [87, 100]
    """
    order = sorted(range(len(places)), key=lambda one: (places[one], one))
    moved = list(places)
    free_from = -math.inf
    for one in order:
        moved[one] = max(places[one], free_from)
        free_from = moved[one] + least
    free_to = last
    for one in reversed(order):
        moved[one] = min(moved[one], free_to)
        free_to = moved[one] - least
    return moved


def cut(text: str, *, length: int) -> str:
    """A text that is not longer than so many letters.

    >>> cut("notification-dispatcher", length=12)
    'notificatio…'
    """
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
