"""How far a report can be relied on: as far as its weakest input.

Per input the geometric mean of coverage, validity, sufficiency and timeliness (STANDARDS §4, after the NHS Data Quality
Maturity Index); the report's confidence is the lowest input's, and the limiting factor is named. The geometric mean
lets one part that is missing altogether take the whole down, which a plain mean would hide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from healthmate_bi_pipeline.reporting.blocks import Absence, Count
from healthmate_bi_pipeline.reporting.document import Confidence, ConfidencePart, InputConfidence
from healthmate_bi_pipeline.reporting.wording import count_text, share_text

PARTS = ("coverage", "validity", "sufficiency", "timeliness")


@dataclass(frozen=True)
class Portion:
    """What there is of what should be.

    Attributes:
        part: one of ``PARTS``.
        numerator: what there is, as it may be shown.
        denominator: what there should be, likewise.
        meaning: what is counted, so that ``350 of 560`` can stand before it: ``person-days with steps``.
    """

    part: str
    numerator: Count
    denominator: Count
    meaning: str


@dataclass(frozen=True)
class ConfidenceInput:
    """An input of a report: ``portions`` of what it should be. One without any portion gives confidence 0."""

    name: str
    portions: tuple[Portion, ...]


def confidence(inputs: Sequence[ConfidenceInput]) -> Confidence:
    """The confidence of a report; 0 where it rests on nothing.

    A part whose counts may not be shown, or that does not apply (nothing is expected), is printed and left out
    of the mean. An input that has only such parts cannot be judged, and is left out.
    """
    if not inputs:
        return Confidence(0.0, (), "There is no input.")
    given = [_scored(one) for one in inputs]
    judged = [one for one in given if not one.parts or _known_parts(one.parts)]
    if not judged:
        return Confidence(0.0, tuple(given), "Too few people or rows for any part to be shown.")
    scored = sorted(judged, key=lambda one: (one.score, one.name))
    return Confidence(scored[0].score, tuple(scored), _limiting(scored[0]))


def _scored(one: ConfidenceInput) -> InputConfidence:
    parts = tuple(_part(portion) for portion in sorted(one.portions, key=lambda each: PARTS.index(each.part)))
    score = geometric_mean(share for share, _ in _known_parts(parts))
    return InputConfidence(one.name, parts, round(score, 3))


def _known_parts(parts: Sequence[ConfidencePart]) -> list[tuple[float, ConfidencePart]]:
    """The parts that have a share, with it."""
    return [(part.share, part) for part in parts if not isinstance(part.share, Absence)]


def _part(portion: Portion) -> ConfidencePart:
    share: float | Absence
    if isinstance(portion.numerator, Absence) or isinstance(portion.denominator, Absence):
        share = Absence.SUPPRESSED
    elif portion.denominator == 0:
        share = Absence.NO_DATA
    else:
        share = round(min(portion.numerator / portion.denominator, 1.0), 3)
    return ConfidencePart(portion.part, share, portion.numerator, portion.denominator, portion.meaning)


def geometric_mean(shares: Iterable[float]) -> float:
    """The geometric mean of shares; 0 of none.

    >>> round(geometric_mean([0.9, 0.4]), 3), geometric_mean([]), geometric_mean([0.0, 1.0])
    (0.6, 0.0, 0.0)
    """
    given = list(shares)
    return math.prod(given) ** (1 / len(given)) if given else 0.0


def _limiting(weakest: InputConfidence) -> str:
    known = _known_parts(weakest.parts)
    if not known:
        return f"{weakest.name}: there is nothing to rely on."
    share, part = min(known, key=lambda pair: pair[0])
    if share == 1:
        return "Nothing: every input is complete."
    of_what = f"{count_text(part.numerator)} of {count_text(part.denominator)} {part.meaning}"
    return f"{weakest.name}: {part.name} {share_text(share)}, {of_what}."
