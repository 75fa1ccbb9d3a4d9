"""What people record with: the models by kind of device, named as they stand in ``source``.

The first word of a name is the kind, by which the ranks of sources know it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers


@dataclass(frozen=True)
class Kind:
    """A kind of device.

    Attributes:
        models: as they are named in ``source``.
        shares: of its owners who have each model.
    """

    models: tuple[str, ...]
    shares: tuple[float, ...]

    def names(self, model: Integers) -> npt.NDArray[np.object_]:
        """The names of models by their numbers."""
        return np.array(self.models, dtype=object)[model]

    def draw(self, rng: np.random.Generator, owns: Flags) -> Integers:
        """A model for each owner; −1 for who owns none."""
        return np.where(owns, rng.choice(len(self.models), len(owns), p=self.shares), -1)


WATCH = Kind(("watch Pulse 3", "watch Pulse 5", "watch Orbit X"), (0.6, 0.25, 0.15))
"""Pulse 3 looks at the pulse every four hours and counts by the day, the others do both by the hour."""
DENSE_NIGHTS = (0.0, 0.1, 0.25)
"""The share of nights in which each watch takes the pulse every five minutes from 3 to 7."""
PHONE = Kind(("phone Nova 8", "phone Lark 12"), (0.55, 0.45))
RING = Kind(("ring Halo",), (1.0,))
CUFF = Kind(("cuff Tensio M2", "cuff Tensio M3", "cuff Vero"), (0.4, 0.32, 0.28))
HIGH_READING_CUFF = 1
SCALE = Kind(("scale Libra", "scale Mira 2"), (0.7, 0.3))
METER = Kind(("meter GlucoCheck", "meter Sano"), (0.6, 0.4))
CGM = Kind(("cgm Freeflow 2",), (1.0,))
OXIMETER = Kind(("oximeter Clip",), (1.0,))
MANUAL = "manual entry"
LAB = "lab report"
APP = "app"
PHARMACY = "pharmacy"
