"""How good a forecast of yes or no was, on people and weeks that it was not made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SILENT_DAYS = 14
"""The rule that a model has to beat: who was silent for so many days will stay so."""


@dataclass(frozen=True)
class Decile:
    """A tenth of the people, by forecast.

    Attributes:
        decile: 1 for the lowest forecasts to 10 for the highest.
        people: how many they are; people of one forecast stay together, so tenths differ in size.
        predicted: the mean forecast.
        observed: the share of whom it came true.
    """

    decile: int
    people: int
    predicted: float
    observed: float


def deciles(predicted: npt.ArrayLike, came_true: npt.ArrayLike, people: npt.ArrayLike = 1) -> list[Decile]:
    """Forecast and outcome by tenths of the people; tenths that nobody falls into are absent.

    People with the same forecast are one group, and lie in the tenth that the middle of their group lies in, so that
    the result does not depend on an order.

    Args:
        predicted: the forecast probability of each group (a person, or a pattern that many people share).
        came_true: in how many people of the group it came true.
        people: how many people the group has.

    >>> [(d.decile, d.people, d.observed) for d in deciles([0.1, 0.1, 0.9, 0.9], [0, 1, 1, 1])]
    [(3, 2, 0.5), (8, 2, 1.0)]
    """
    forecast, hits, size = _groups(predicted, came_true, people)
    values, places = np.unique(forecast, return_inverse=True)
    sizes = np.bincount(places, weights=size, minlength=len(values))
    true = np.bincount(places, weights=hits, minlength=len(values))
    total = sizes.sum()
    if not total:
        return []
    middle = np.cumsum(sizes) - sizes / 2
    tenths = np.minimum((10 * middle / total).astype(np.int64), 9)
    counted = np.bincount(tenths, weights=sizes, minlength=10)
    forecasts = np.bincount(tenths, weights=sizes * values, minlength=10)
    trues = np.bincount(tenths, weights=true, minlength=10)
    return [
        Decile(
            decile=int(tenth) + 1,
            people=int(counted[tenth]),
            predicted=float(forecasts[tenth] / counted[tenth]),
            observed=float(trues[tenth] / counted[tenth]),
        )
        for tenth in np.flatnonzero(counted)
    ]


def brier_score(predicted: npt.ArrayLike, came_true: npt.ArrayLike, people: npt.ArrayLike = 1) -> float:
    """The mean squared distance of forecasts from what came (Brier 1950); 0 is perfect, 0.25 is a coin.

    Args:
        predicted: the forecast probability of each group.
        came_true: in how many people of the group it came true.
        people: how many people the group has.

    Raises:
        ValueError: there is nobody.

    >>> round(brier_score([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]), 4)
    0.0375
    """
    forecast, hits, size = _groups(predicted, came_true, people)
    total = size.sum()
    if not total:
        raise ValueError("a forecast about nobody has no score")
    return float((hits * (1 - forecast) ** 2 + (size - hits) * forecast**2).sum() / total)


def predicted_by_silence(days_silent: npt.ArrayLike, *, limit: int = SILENT_DAYS) -> Floats:
    """The forecast of the plain rule: 0 for who was silent for ``limit`` days or longer, 1 for all others.

    >>> predicted_by_silence([0, 13, 14])
    array([1., 1., 0.])
    """
    return (np.asarray(days_silent) < limit).astype(np.float64)


def _groups(
    predicted: npt.ArrayLike, came_true: npt.ArrayLike, people: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    forecast, hits, size = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (predicted, came_true, people))
    )
    if not (((forecast >= 0) & (forecast <= 1)).all() and ((hits >= 0) & (hits <= size)).all()):
        raise ValueError(
            "forecasts lie between 0 and 1, and no more people than there are can have come true"
        )
    return forecast, hits, size
