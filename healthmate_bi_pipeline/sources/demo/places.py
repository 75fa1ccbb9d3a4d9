"""Where people live: time zones, the side of the equator, the units of the shops there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Place:
    """A region that people live in or travel to.

    Attributes:
        zone: IANA name of its time zone, whose offset changes on whole hours of UTC only.
        share: of the people who live there.
        is_southern: its summer is in January.
        currency: what people pay with, ISO 4217.
        is_imperial: people weigh themselves in pounds, measure fevers in °F and are told glucose in mg/dL.
    """

    zone: str
    share: float
    currency: str
    is_southern: bool = False
    is_imperial: bool = False


PLACES = (
    Place("Europe/Berlin", 0.24, "EUR"),
    Place("America/New_York", 0.19, "USD", is_imperial=True),
    Place("Asia/Kolkata", 0.08, "INR"),  # half an hour beside the others, and no clock changes
    Place("Pacific/Auckland", 0.07, "NZD", is_southern=True),  # clock changes the other way round
    Place("Europe/Madrid", 0.22, "EUR"),
    Place("Europe/London", 0.12, "GBP"),
    Place("America/Los_Angeles", 0.08, "USD", is_imperial=True),
)
ZONES = tuple(place.zone for place in PLACES)
SHARES = np.array([place.share for place in PLACES])
IS_SOUTHERN = np.array([place.is_southern for place in PLACES])
IS_IMPERIAL = np.array([place.is_imperial for place in PLACES])
CURRENCIES = ("EUR", "USD", "INR", "NZD", "GBP")
CURRENCY_OF_PLACE = np.array([CURRENCIES.index(place.currency) for place in PLACES])
PRICE_FACTORS = np.array([1.0, 1.1, 40.0, 1.8, 0.9])[CURRENCY_OF_PLACE]
"""What costs 1 euro costs about so much where people live."""
