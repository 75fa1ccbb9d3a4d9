"""What all sections of the settings have in common."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """How grave something is, from the least to the most."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place in this order, from 0.

        >>> Severity.CRITICAL.rank > Severity.WARNING.rank
        True
        """
        return list(Severity).index(self)


class Section(BaseModel):
    """A part of the settings: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
