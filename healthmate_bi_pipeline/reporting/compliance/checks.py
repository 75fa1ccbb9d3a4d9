"""Checks of data quality by Kahn's categories, and of the conservation of rows: counts in, verdicts out.

A verdict rests on the counts that may be shown, so that it says no more than they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from healthmate_bi_pipeline.catalog.rules import MOST_VIOLATIONS, QualityCategory, category_of
from healthmate_bi_pipeline.reporting.blocks import Absence, Count
from healthmate_bi_pipeline.reporting.compliance.inputs import DatasetBooks
from healthmate_bi_pipeline.reporting.suppressed_parts import show_parts
from healthmate_bi_pipeline.reporting.suppression import show_count
from healthmate_bi_pipeline.settings import ReportSettings

MOST_MISSING_DAYS = 0.05
"""The check of days fails where more than this share of them has no rows (own)."""


DAYS_HAVE_ROWS = "days have rows"
_TOO_FEW = "Too few rows to be shown."


class Verdict(StrEnum):
    """What a check comes to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    ERROR = "error"


@dataclass(frozen=True)
class QualityCheck:
    """One check.

    Attributes:
        name: what is checked.
        dataset: of which dataset.
        violations: what breaks it.
        of: what was looked at.
        most: the largest share of violations that passes.
        verdict: what it comes to.
        reason: why there is no verdict; else empty.
    """

    category: QualityCategory
    name: str
    dataset: str
    violations: Count
    of: Count
    most: float
    verdict: Verdict
    reason: str = ""

    @property
    def is_of_days(self) -> bool:
        """Whether it counts days, not rows."""
        return self.name == DAYS_HAVE_ROWS


@dataclass(frozen=True)
class Conservation:
    """An identity of the books: what comes in, what came of it, and how much is not accounted for."""

    dataset: str
    identity: str
    total: Count
    parts: tuple[tuple[str, Count], ...]
    unaccounted: int
    verdict: Verdict


def quality_checks(books: Sequence[DatasetBooks], *, settings: ReportSettings) -> tuple[QualityCheck, ...]:
    """Every check of every dataset, by category."""
    found = [check for one in books for check in _of_dataset(one, settings)]
    order = list(QualityCategory)
    return tuple(sorted(found, key=lambda check: order.index(check.category)))


def _of_dataset(books: DatasetBooks, settings: ReportSettings) -> Iterator[QualityCheck]:
    quality = books.quality
    by_category = dict.fromkeys(QualityCategory, 0)
    for rule, count in quality.quarantined_by_rule.items():
        by_category[category_of(rule)] += count
    others = quality.staged - sum(by_category.values())
    shown = _parts([*by_category.values(), max(others, 0)], books, settings)
    staged = _one(quality.staged, books, settings)
    names = {
        QualityCategory.CONFORMANCE: "values have the agreed form",
        QualityCategory.COMPLETENESS: "values that a row needs are there",
        QualityCategory.PLAUSIBILITY: "values can be true",
    }
    for category, violations in zip(by_category, shown, strict=False):
        yield _judged(
            category, names[category], books, violations, staged, needs_days=True, settings=settings
        )
    rejected, read = _parts([quality.rejected_lines, books.rows], books, settings)
    del read
    yield _judged(
        QualityCategory.CONFORMANCE,
        "lines can be read as rows",
        books,
        rejected,
        _one(books.lines, books, settings),
        settings=settings,
    )
    undated, dated = _parts([quality.undated, books.staged_of_files], books, settings)
    del dated
    yield _judged(
        QualityCategory.COMPLETENESS,
        "rows have a day",
        books,
        undated,
        _one(books.rows, books, settings),
        settings=settings,
    )
    missing, expected = books.days_expected - books.days, books.days_expected
    if books.is_daily:
        yield _judged(
            QualityCategory.COMPLETENESS,
            DAYS_HAVE_ROWS,
            books,
            missing,
            expected,
            most=MOST_MISSING_DAYS,
            settings=settings,
        )


def _one(count: int, books: DatasetBooks, settings: ReportSettings) -> Count:
    return show_count(count, settings=settings) if books.is_about_people else count


def _parts(counts: Sequence[int], books: DatasetBooks, settings: ReportSettings) -> tuple[Count, ...]:
    return show_parts(counts, settings=settings) if books.is_about_people else tuple(counts)


def _judged(
    category: QualityCategory,
    name: str,
    books: DatasetBooks,
    violations: Count,
    of: Count,
    *,
    settings: ReportSettings,
    most: float = MOST_VIOLATIONS,
    needs_days: bool = False,
) -> QualityCheck:
    verdict, reason = _verdict(_at_most(violations, books, settings), of, most=most)
    if verdict is Verdict.FAILED and violations is Absence.SUPPRESSED:
        verdict, reason = Verdict.NOT_APPLICABLE, _TOO_FEW
    if needs_days and books.days_unmade:
        verdict = Verdict.ERROR
        reason = f"{books.days_unmade} days with rows were not checked yet: run the pipeline."
    return QualityCheck(category, name, books.dataset, violations, of, most, verdict, reason)


def _at_most(violations: Count, books: DatasetBooks, settings: ReportSettings) -> Count:
    """What is judged: of a count that is too small to be shown the most that it can be.

    Where counts are not rounded a larger one may be withheld too, so that nothing can be said of it.
    """
    if violations is Absence.SUPPRESSED and books.is_about_people and settings.round_people_to > 1:
        return settings.minimum_people - 1
    return violations


def _verdict(violations: Count, of: Count, *, most: float) -> tuple[Verdict, str]:
    if of == 0:
        return Verdict.NOT_APPLICABLE, "There is nothing to look at."
    if isinstance(violations, Absence) or isinstance(of, Absence):
        return Verdict.NOT_APPLICABLE, _TOO_FEW
    return (Verdict.FAILED if violations > most * of else Verdict.PASSED), ""


def conservation(books: Sequence[DatasetBooks], *, settings: ReportSettings) -> tuple[Conservation, ...]:
    """The identities of the books, per dataset; judged by the exact counts, whose difference is about nobody."""
    return tuple(one for of in books for one in _identities(of, settings))


def _identities(books: DatasetBooks, settings: ReportSettings) -> Iterator[Conservation]:
    quality = books.quality
    rows_of = {"rows": books.rows, "rejected": quality.rejected_lines}
    staged_of = {"staged": books.staged_of_files, "undated": quality.undated}
    fates = {
        "kept": quality.kept,
        "duplicates": quality.duplicates,
        "superseded": quality.superseded,
        "quarantined": quality.quarantined,
    }
    identities = (
        ("lines = rows + rejected", books.lines, rows_of, _missing(books.lines, rows_of)),
        ("rows = staged + undated", books.rows, staged_of, _missing(books.rows, staged_of)),
        # Of days, so that what one has too many does not make up for what another lacks.
        (f"staged = {' + '.join(fates)}", quality.staged, fates, books.rows_unaccounted),
    )
    for identity, total, parts, unaccounted in identities:
        verdict = Verdict.FAILED if unaccounted else Verdict.PASSED
        yield Conservation(
            books.dataset,
            identity,
            _one(total, books, settings),
            tuple(zip(parts, _parts(list(parts.values()), books, settings), strict=True)),
            unaccounted,
            verdict if total or unaccounted else Verdict.NOT_APPLICABLE,
        )


def _missing(total: int, parts: Mapping[str, int]) -> int:
    return abs(total - sum(parts.values()))
