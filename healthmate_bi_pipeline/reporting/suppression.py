"""What may be shown to whom: turns the figures of ``inputs`` into values that may stand on a page.

For ``groups`` (STANDARDS §5), with the default sizes:

* a count of 1–10 people is not shown, nor a mean of theirs; nobody at all may be said;
* other counts are rounded to 5, and never into 1–10; shares come from the rounded counts;
* smallest and largest figures are single persons' and never shown;
* means keep the digits that a page shows: with more, ``total / n`` would give back the exact n; of few people they
  keep fewer (``show_mean``), and so do the deviations beside them, which tell as much (``show_deviation``);
* of a distribution as many further bands are withheld as it takes for none of them to follow from the total
  and the others (``withheld_cells``); which of them was the small one is not said;
* counts of rows are treated as counts of people, for a row is about somebody.

For ``personal`` nothing is suppressed or rounded. The builders of reports take ``Shown…`` values only, so
that the type checker sees a figure that went around this module.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from healthmate_bi_pipeline.catalog.figures import GroupOnlyFigure
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.reporting.blocks import Absence, Count, Number
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality, GroupFigure
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.settings import ReportSettings


@dataclass(frozen=True)
class ShownFigure:
    """A figure of a group as its audience may see it; ``low`` and ``high`` only where it is personal."""

    figure: str
    people: Count
    mean: Number
    low: float | None = None
    high: float | None = None
    bands: tuple[Count, ...] = ()
    deviation: Number = Absence.NO_DATA


@dataclass(frozen=True)
class ShownQuality:
    """The rows of a dataset as an audience may see them.

    Attributes:
        by_rule: rule -> rows set aside; ``None`` where even the rules are withheld.
    """

    dataset: str
    staged: Count
    kept: Count
    duplicates: Count
    superseded: Count
    quarantined: Count
    by_rule: tuple[tuple[str, Count], ...] | None
    files: int
    rejected_lines: Count
    undated: Count


def show_count(count: int, *, settings: ReportSettings) -> Count:
    """A count of people (or of rows about them) as it may be shown.

    >>> [str(show_count(n, settings=ReportSettings())) for n in (0, 10, 11, 18, 1242)]
    ['0', 'suppressed', '15', '20', '1240']
    """
    if settings.audience == "personal" or count == 0:
        return count
    if count < settings.minimum_people:
        return Absence.SUPPRESSED
    step = settings.round_people_to
    least = -(-settings.minimum_people // step) * step
    return max((count + step // 2) // step * step, least)


def show_mean(
    figure: str, *, mean: float | None, people: int, settings: ReportSettings, deviation: float | None = None
) -> Number:
    """A mean as it may be shown; with the deviation between the people rounded as ``show_sum`` rounds their sum.

    The means of two versions of a report, one of them with somebody more, would tell by their difference what that
    person has. So a mean is rounded to what about ``round_people_to`` people who are one deviation away from it move it
    by, and no finer than a page shows it.

    >>> groups = ReportSettings()
    >>> [
    ...     show_mean("avg_weight", mean=78.234, people=n, settings=groups, deviation=12.0)
    ...     for n in (20, 200, 2000)
    ... ]
    [78.0, 78.2, 78.2]
    """
    if people == 0 or mean is None or not math.isfinite(mean):
        return Absence.NO_DATA
    if settings.audience == "personal":
        return mean
    if people < settings.minimum_people:
        return Absence.SUPPRESSED
    digits = style_of(figure).digits
    if not deviation or settings.round_people_to == 1:
        return round(mean, digits)
    step = _step_below(settings.round_people_to * deviation / people)
    return round(round(mean / step) * step if step > 10.0**-digits else mean, max(digits, 0))


def show_deviation(figure: str, *, deviation: float | None, people: int, settings: ReportSettings) -> Number:
    """The deviation between some people, rounded as their mean is; upwards, for it says how sure something is.

    With the means of two versions of a report go two sums of squares, and their difference would tell how far the
    person who came is from the others.

    >>> [
    ...     show_deviation("avg_weight", deviation=12.34, people=n, settings=ReportSettings())
    ...     for n in (20, 200, 2000)
    ... ]
    [14.0, 12.4, 12.4]
    """
    shown = show_mean(figure, mean=deviation, people=people, settings=settings)
    if isinstance(shown, Absence) or not deviation or settings.audience == "personal":
        return shown
    digits = style_of(figure).digits
    step = 10.0**-digits
    if settings.round_people_to > 1:
        step = max(step, _step_below(settings.round_people_to * deviation / people))
    return round(math.ceil(deviation / step - 1e-9) * step, max(digits, 0))


def _step_below(most: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above a number."""
    power = 10.0 ** math.floor(math.log10(most) + 1e-12)
    return next(step for step in (5 * power, 2 * power, power) if step <= most * (1 + 1e-12))


def withheld_cells(
    counts: Sequence[int], *, minimum: int, also: frozenset[int] = frozenset()
) -> frozenset[int]:
    """Which cells of a distribution whose total is known must not be shown.

    Small cells are withheld, then others until nothing follows: at least two cells, together at least
    ``minimum`` people (else they are a small cell themselves), and, if all of them are small, a sum that
    leaves each at least half of the small values (10 + 10 = 20 would tell both). The next one to go is the
    nearest that is not empty: a choice by size would tell the size to those who know the rule. If only empty
    cells remain, all are withheld. ``also`` are cells that are withheld for another reason.

    >>> sorted(withheld_cells([3, 40, 50, 0], minimum=11))
    [0, 1]
    """
    withheld = {index for index, count in enumerate(counts) if 0 < count < minimum} | also
    if not withheld:
        return frozenset()
    while not _is_ambiguous([counts[index] for index in withheld], minimum=minimum):
        others = [index for index, count in enumerate(counts) if count and index not in withheld]
        if not others:
            break
        withheld.add(min(others, key=lambda index: (min(abs(index - one) for one in withheld), index)))
    if all(index in withheld or count == 0 for index, count in enumerate(counts)):
        return frozenset(range(len(counts)))
    return frozenset(withheld)


def _is_ambiguous(withheld: Sequence[int], *, minimum: int) -> bool:
    """Whether the sum of the withheld cells, which anyone can work out, says little about each of them."""
    total, others = sum(withheld), len(withheld) - 1
    if others == 0 or total < minimum:
        return False
    if any(count >= minimum for count in withheld):
        return True
    most = minimum - 1
    lowest, highest = max(1, total - others * most), min(most, total - others)
    return highest - lowest + 1 >= math.ceil(most / 2)


def show_figure(group: GroupFigure, *, settings: ReportSettings) -> ShownFigure:
    """A figure of a group as it may be shown.

    Raises:
        IntegrityError: the bands do not hold the group's people; what is withheld would then be wrong.
    """
    _check_bands(group)
    people = show_count(group.people, settings=settings)
    known = figure_named(group.figure)
    if isinstance(known, GroupOnlyFigure) and known.is_share_of_people:
        return ShownFigure(group.figure, people, _show_share_of_people(group, settings=settings))
    mean = show_mean(
        group.figure, mean=group.mean, people=group.people, settings=settings, deviation=group.deviation
    )
    deviation = show_deviation(
        group.figure, deviation=group.deviation, people=group.people, settings=settings
    )
    if settings.audience == "personal":
        return ShownFigure(
            group.figure, people, mean, group.low, group.high, group.band_people, deviation=deviation
        )
    if isinstance(people, Absence):
        return ShownFigure(group.figure, people, mean, bands=(Absence.SUPPRESSED,) * len(group.band_people))
    withheld = withheld_cells(group.band_people, minimum=settings.minimum_people)
    bands = tuple(
        Absence.SUPPRESSED if index in withheld else show_count(count, settings=settings)
        for index, count in enumerate(group.band_people)
    )
    return ShownFigure(group.figure, people, mean, bands=bands, deviation=deviation)


def _show_share_of_people(group: GroupFigure, *, settings: ReportSettings) -> Number:
    """The share of a few would tell how many they are: it is shown as their number is."""
    from healthmate_bi_pipeline.reporting.suppressed_parts import show_share  # noqa: PLC0415 - it builds on this module

    return show_share(round((group.mean or 0) * group.people), group.people, settings=settings)


def _check_bands(group: GroupFigure) -> None:
    known = figure_named(group.figure)
    bands = known.bands if known else ()
    if not group.band_people:
        return
    if len(group.band_people) != len(bands):
        raise IntegrityError(
            f"The figure {group.figure} has {len(bands)} bands in the registry and {len(group.band_people)}"
            " in its group rows; make its partition again."
        )
    if sum(group.band_people) != group.people:
        raise IntegrityError(
            f"The bands of {group.figure} do not add up to its people; make its partition again."
        )


def show_everyone(people: int, *, groups: Sequence[GroupFigure], settings: ReportSettings) -> Count:
    """The number of people with any data, beside which the figures' own numbers stand.

    Everyone minus those with a figure are those without it. Rounding leaves that open; exact counts do not,
    so that then the whole is withheld where those without would be a small cell.
    """
    is_exact = settings.audience == "groups" and settings.round_people_to == 1
    if is_exact and any(0 < people - group.people < settings.minimum_people for group in groups):
        return Absence.SUPPRESSED
    return show_count(people, settings=settings)


def shares(counts: Sequence[Count], *, total: Count) -> tuple[Number, ...]:
    """Each count's share, from numbers that are shown: of their sum, or of the total where one is withheld.

    >>> shares((15, 45, Absence.SUPPRESSED), total=100)
    (0.15, 0.45, <Absence.SUPPRESSED: 'suppressed'>)
    """
    known = sum(count for count in counts if not isinstance(count, Absence))
    is_whole = not any(isinstance(count, Absence) for count in counts)
    whole = known if is_whole or isinstance(total, Absence) else max(known, total)
    return tuple(
        count if isinstance(count, Absence) else (count / whole if whole else Absence.NO_DATA)
        for count in counts
    )


def show_quality(quality: DatasetQuality, *, settings: ReportSettings) -> ShownQuality:
    """The rows of a dataset as they may be shown."""
    parts = (quality.kept, quality.duplicates, quality.superseded, quality.quarantined)
    is_exact = settings.round_people_to == 1
    kept, duplicates, superseded, quarantined = _show_rows(parts, settings=settings, is_exact=is_exact)
    rules = sorted(quality.quarantined_by_rule.items())
    by_rule = None
    if not isinstance(quarantined, Absence):
        counts = _show_rows([count for _, count in rules], settings=settings, is_exact=True)
        by_rule = tuple(zip((rule for rule, _ in rules), counts, strict=True))
    return ShownQuality(
        dataset=quality.dataset,
        staged=show_count(quality.staged, settings=settings),
        kept=kept,
        duplicates=duplicates,
        superseded=superseded,
        quarantined=quarantined,
        by_rule=by_rule,
        files=quality.files,
        rejected_lines=show_count(quality.rejected_lines, settings=settings),
        undated=show_count(quality.undated, settings=settings),
    )


def exact_quality(quality: DatasetQuality) -> ShownQuality:
    """The rows of a dataset that is not about people, as they are."""
    return ShownQuality(
        dataset=quality.dataset,
        staged=quality.staged,
        kept=quality.kept,
        duplicates=quality.duplicates,
        superseded=quality.superseded,
        quarantined=quality.quarantined,
        by_rule=tuple(sorted(quality.quarantined_by_rule.items())),
        files=quality.files,
        rejected_lines=quality.rejected_lines,
        undated=quality.undated,
    )


def _show_rows(counts: Sequence[int], *, settings: ReportSettings, is_exact: bool) -> tuple[Count, ...]:
    """Parts of a known total; ``is_exact``: no rounding hides what the total minus the others tells."""
    shown = tuple(show_count(count, settings=settings) for count in counts)
    if settings.audience == "personal" or not is_exact:
        return shown
    withheld = withheld_cells(counts, minimum=settings.minimum_people)
    return tuple(Absence.SUPPRESSED if index in withheld else count for index, count in enumerate(shown))
