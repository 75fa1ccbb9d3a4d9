"""Checks: what has to hold of files, days, states and figures. Whoever adds one adds it to its module's tuple."""

from __future__ import annotations

from healthmate_bi_pipeline.usecases.checks.conservation import CONSERVATION
from healthmate_bi_pipeline.usecases.checks.drift import DRIFT
from healthmate_bi_pipeline.usecases.checks.judging import (
    CheckSpec,
    Judgement,
    Measurement,
    Verdict,
    check,
    judge,
)
from healthmate_bi_pipeline.usecases.checks.plausibility import PLAUSIBILITY
from healthmate_bi_pipeline.usecases.checks.roll_up import ROLL_UP
from healthmate_bi_pipeline.usecases.checks.timeliness import TIMELINESS

CHECKS: tuple[CheckSpec, ...] = (*CONSERVATION, *DRIFT, *PLAUSIBILITY, *ROLL_UP, *TIMELINESS)
"""All checks."""

__all__ = ["CHECKS", "CheckSpec", "Judgement", "Measurement", "Verdict", "check", "judge"]
