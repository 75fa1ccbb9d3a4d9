"""Parts of a whole, sums and shares as they may be shown; the rules stand in ``suppression``.

For what is not a figure of a group with bands of its own: counts by stage or plan, sums of money, cells of cohorts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from healthmate_bi_pipeline.reporting.blocks import Absence, Count, Number
from healthmate_bi_pipeline.reporting.suppression import show_count, show_mean, withheld_cells
from healthmate_bi_pipeline.settings import ReportSettings


def show_parts(counts: Sequence[int], *, settings: ReportSettings) -> tuple[Count, ...]:
    """Parts of a whole that is told, each as it may be shown: small ones, and others from which they follow, are not.

    >>> [str(count) for count in show_parts((3, 40, 52, 0), settings=ReportSettings())]
    ['suppressed', 'suppressed', '50', '0']
    """
    is_personal = settings.audience == "personal"
    withheld = frozenset() if is_personal else withheld_cells(counts, minimum=settings.minimum_people)
    return tuple(
        Absence.SUPPRESSED if place in withheld else show_count(count, settings=settings)
        for place, count in enumerate(counts)
    )


def show_sums(
    sums: Sequence[float], *, people: Sequence[int], settings: ReportSettings
) -> tuple[Number, ...]:
    """Sums over people that add up to a sum that is told, each as it may be shown; see ``show_sum``.

    Args:
        sums: what the people of each part have together.
        people: how many they are.
        settings: what may be shown.
    """
    shown = show_parts(people, settings=settings)
    return tuple(
        count if isinstance(count, Absence) else show_sum(total, people=own, settings=settings)
        for count, own, total in zip(shown, people, sums, strict=True)
    )


def show_sum(total: float, *, people: int, settings: ReportSettings) -> Number:
    """A sum over people, rounded to about what as many people have together as counts are rounded to.

    The sum of a few is not shown. Of many, exact sums of two neighbouring periods would tell by their difference what
    a single person has, as exact counts would tell that there is one; so it is rounded to the next step of 1, 2 or 5
    times a power of ten that is not below ``round_people_to`` times the mean.

    >>> show_sum(83_412.50, people=8_000, settings=ReportSettings())
    83400.0
    >>> str(show_sum(79.90, people=10, settings=ReportSettings()))
    'suppressed'
    """
    if people == 0:
        return 0.0
    if settings.audience == "personal":
        return total
    if people < settings.minimum_people:
        return Absence.SUPPRESSED
    if settings.round_people_to == 1 or total == 0:
        return total
    step = _round_step(settings.round_people_to * abs(total) / people)
    return float(round(total / step) * step)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= least * (1 - 1e-12))


def show_share(part: int, whole: int, *, settings: ReportSettings) -> Number:
    """A part of some people as a share, from the rounded numbers; not of a small part, nor where the rest is small.

    >>> show_share(48, 61, settings=ReportSettings())
    0.8333333333333334
    >>> str(show_share(55, 61, settings=ReportSettings()))
    'suppressed'
    """
    if whole == 0:
        return Absence.NO_DATA
    if settings.audience == "personal":
        return part / whole
    shown = show_count(whole, settings=settings)
    if isinstance(shown, Absence):
        return shown
    if part in (0, whole):
        return part / whole
    count, rest = show_count(part, settings=settings), show_count(whole - part, settings=settings)
    if isinstance(count, Absence) or isinstance(rest, Absence):
        return Absence.SUPPRESSED
    return min(count / shown, 1.0)


def show_mean_amount(figure: str, *, total: float, people: int, by: int, settings: ReportSettings) -> Number:
    """What some people have together, per person of some: themselves, or more than them.

    Their spread is not known. As in ``show_sum`` their mean stands for it, so that a mean tells no more than the sum
    beside it does.

    Args:
        figure: its name.
        total: what the people have together.
        people: how many have a part of it.
        by: what it is divided by.
        settings: what may be shown.

    >>> show_mean_amount(
    ...     "revenue_per_paying_person", total=1_234.5, people=150, by=150, settings=ReportSettings()
    ... )
    8.2
    """
    if settings.audience != "personal" and 0 < people < settings.minimum_people:
        return Absence.SUPPRESSED
    spread = abs(total) / people if people else None
    return show_mean(figure, mean=total / by if by else None, people=by, settings=settings, deviation=spread)


def show_mean_share(figure: str, *, mean: float | None, people: int, settings: ReportSettings) -> Number:
    """A mean of shares of people, each between 0 and 1, whose spread is not known.

    It is at most what it would be if all of them were 0 or 1: the root of mean x (1 - mean) (Bhatia and Davis 2000).

    >>> show_mean_share("stickiness", mean=0.2134, people=150, settings=ReportSettings())
    0.21
    """
    spread = math.sqrt(max(mean * (1 - mean), 0.0)) if mean is not None and math.isfinite(mean) else None
    return show_mean(figure, mean=mean, people=people, settings=settings, deviation=spread)


def ratio(part: Number, whole: Number) -> Number:
    """One shown number divided by another one.

    >>> ratio(30, 120.0), str(ratio(Absence.SUPPRESSED, 10.0)), str(ratio(1.0, 0))
    (0.25, 'suppressed', 'no_data')
    """
    if isinstance(part, Absence):
        return part
    if isinstance(whole, Absence):
        return whole
    return part / whole if whole else Absence.NO_DATA


def linked_parts(
    counts: Mapping[str, int], wholes: Sequence[Sequence[str]], *, settings: ReportSettings
) -> dict[str, Count]:
    """Counts that are parts of several wholes which are told: what is withheld in one is withheld in all.

    Goes on until nothing more follows from what is left.

    Args:
        counts: by name.
        wholes: for each whole the names of its parts.
        settings: what may be shown.

    >>> found = linked_parts(
    ...     {"new": 60, "returning": 80, "dormant": 4},
    ...     [("new", "returning"), ("returning", "dormant")],
    ...     settings=ReportSettings(),
    ... )
    >>> [str(count) for count in found.values()]
    ['suppressed', 'suppressed', 'suppressed']
    """
    if settings.audience == "personal":
        return dict(counts)
    withheld: set[str] = set()
    while True:
        found = set(withheld)
        for names in wholes:
            also = frozenset(place for place, name in enumerate(names) if name in found)
            places = withheld_cells(
                [counts[name] for name in names], minimum=settings.minimum_people, also=also
            )
            found |= {names[place] for place in places}
        if found == withheld:
            break
        withheld = found
    return {
        name: Absence.SUPPRESSED if name in withheld else show_count(count, settings=settings)
        for name, count in counts.items()
    }


def show_everyone_of(people: int, *, parts: Sequence[int], settings: ReportSettings) -> Count:
    """A number of people beside which the numbers of its parts stand, each for itself.

    The whole minus the parts that are shown are those in the others. As in ``show_everyone`` rounding leaves that open;
    exact counts do not, so that then the whole is withheld where the others would be a small cell.

    >>> settings = ReportSettings(round_people_to=1)
    >>> [str(show_everyone_of(50, parts=parts, settings=settings)) for parts in ((43, 7), (30, 20))]
    ['suppressed', '50']
    """
    is_exact = settings.audience == "groups" and settings.round_people_to == 1
    small = sum(part for part in parts if part < settings.minimum_people)
    if is_exact and 0 < small < settings.minimum_people:
        return Absence.SUPPRESSED
    return show_count(people, settings=settings)
