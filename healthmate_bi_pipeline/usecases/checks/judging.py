"""Measuring and judging are apart.

A measurement has a numerator (what is wrong) and a denominator (what was looked at), and counts; never values of a
person. How much may be wrong, and how grave it is then, is said with the check and can be set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.settings import CheckSettings, Severity
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline


class Verdict(StrEnum):
    """What a check comes to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    ERROR = "error"


@dataclass(frozen=True)
class Measurement:
    """What a check found.

    Attributes:
        wrong: rows, or what the check counts, that are not as they should be.
        of: how many were looked at.
        counts: more figures, for people.
        days: first days of the partitions that are not as they should be.
        note: why there is nothing to look at, if that needs a word.
        details: what is not as it should be, in whole sentences, if figures do not say it.
    """

    wrong: int
    of: int
    counts: Mapping[str, int] = field(default_factory=dict)
    days: tuple[date, ...] = ()
    note: str = ""
    details: str = ""


@dataclass(frozen=True)
class CheckSpec:
    """One check.

    Attributes:
        name: what is checked.
        asset: of which asset.
        description: what has to hold.
        measure: counts in a window, or everything.
        is_of_all: whether it looks at everything, whatever the window.
        counted: what is counted.
        severity: how grave it is when it fails; ``checks.severity`` can say otherwise.
        tolerated: the share that may be wrong; ``checks.tolerated`` can say otherwise.
        is_blocking: whether nothing is made from what it fails for.
        is_by_clock: whether it is about what has not been made, and so is looked at by the clock and not by a run.
    """

    name: str
    asset: str
    description: str
    measure: Callable[[Pipeline, Window | None], Measurement]
    is_of_all: bool = False
    counted: str = "rows"
    severity: Severity = Severity.CRITICAL
    tolerated: float = 0.0
    is_blocking: bool = False
    is_by_clock: bool = False

    def severity_in(self, settings: CheckSettings) -> Severity:
        """How grave it is."""
        return settings.severity.get(self.name, self.severity)

    def tolerated_in(self, settings: CheckSettings) -> float:
        """The share that may be wrong."""
        return settings.tolerated.get(self.name, self.tolerated)


@dataclass(frozen=True)
class Judgement:
    """A verdict, and the measurement that it rests on; none where measuring failed."""

    verdict: Verdict
    measurement: Measurement | None
    reason: str


def check(pipeline: Pipeline, spec: CheckSpec, window: Window | None) -> Judgement:
    """Measure and judge.

    Lake and books do not commit together. What seems wrong is therefore counted once more while no other run
    is writing these days.
    """
    try:
        measured = spec.measure(pipeline, window)
        if measured.wrong and measured.days:
            suspect = Window.of_days(min(measured.days), max(measured.days))
            with pipeline.warehouse.hold(spec.asset, suspect):
                measured = spec.measure(pipeline, window)
    except HealthMateError as error:
        return Judgement(Verdict.ERROR, None, str(error))
    return judge(spec, measured, pipeline.settings.checks)


def judge(spec: CheckSpec, measured: Measurement, settings: CheckSettings) -> Judgement:
    """What a measurement means."""
    judged = _judged(spec, measured, settings)
    return replace(judged, reason=f"{judged.reason} {measured.details}") if measured.details else judged


def _judged(spec: CheckSpec, measured: Measurement, settings: CheckSettings) -> Judgement:
    tolerated = spec.tolerated_in(settings)
    if measured.wrong > tolerated * measured.of:
        days = f", first on {measured.days[0]}" if measured.days and measured.days[0] != UNPARTITIONED else ""
        reason = f"{measured.wrong} of {measured.of} {spec.counted}{days}: not so: {spec.description}"
        return Judgement(Verdict.FAILED, measured, reason)
    if measured.of == 0:
        return Judgement(Verdict.NOT_APPLICABLE, measured, measured.note or f"There are no {spec.counted}.")
    if measured.wrong:
        reason = f"All but {measured.wrong} of {measured.of} {spec.counted}, {tolerated:.1%} may be. {spec.description}"
        return Judgement(Verdict.PASSED, measured, reason)
    return Judgement(Verdict.PASSED, measured, f"All {measured.of} {spec.counted}. {spec.description}")
