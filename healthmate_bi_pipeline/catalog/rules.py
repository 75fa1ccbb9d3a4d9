"""The rules that set a row aside, by name; the name is what quarantine, messages and reports say.

A rule with a column is written ``rule:column``. A file's rules refuse a line or the whole file; a row's rules
send it to quarantine, where nothing is lost.
"""

from __future__ import annotations

from enum import StrEnum


class QualityCategory(StrEnum):
    """The categories of data quality after Kahn et al. 2016, eGEMs 4(1):1244."""

    CONFORMANCE = "conformance"
    COMPLETENESS = "completeness"
    PLAUSIBILITY = "plausibility"


MOST_VIOLATIONS = 0.01
"""A check fails where more than this share of what it looks at breaks it (own)."""

FILE_RULES: dict[str, str] = {
    "unreadable_file": "the file cannot be opened or parsed as what it claims to be",
    "missing_column": "a column that the dataset needs is not there",
    "malformed_line": "the line cannot be split into the columns of the header, is no JSON object, or is no UTF-8",
    "undated": "the time that gives the row its day is missing or is no time",
    "before_1970": "the row's day lies before 1970",
    "in_the_future": "the row's time lies more than 14 hours after it was read",
}

ROW_RULES: dict[str, str] = {
    "missing": "a value that the row cannot do without is missing",
    "wrong_type": "the text is not of the column's type",
    "unknown_code": "the code is not one of those that the column takes",
    "unknown_unit": "the unit is not one that the metric is measured in",
    "missing_unit": "the metric is measured in several units and the row names none",
    "impossible_value": "the value lies outside the hard limits",
    "negative": "a count or a duration is below zero",
    "ends_before_start": "the end lies before the start",
    "too_long": "the stretch of time is longer than such a thing can last",
    "more_than_elapsed": "more minutes are claimed than the stretch of time has",
    "contradiction": "two things that the row says cannot both be so",
    "taken_too_early": "the dose was taken more than 24 hours before its schedule",
    "suspected_unit": "the value looks as if it were in another unit than it says",
    "suspected_swap": "the systolic value is not above the diastolic one; both are set aside",
    "impossible_day": "the rows of this source add up to more than a day can have",
    "reserved": "the name is *, which stands for all of them",
    "not_measured": "the row carries no measurement at all",
    "after_retention": "the row came when its day had been deleted, because the time that it is kept for was over",
}

CATEGORY_OF_RULE: dict[str, QualityCategory] = {
    **dict.fromkeys(
        (
            "unreadable_file", "missing_column", "malformed_line", "wrong_type", "unknown_code", "unknown_unit", "reserved",
        ),
        QualityCategory.CONFORMANCE,
    ),
    **dict.fromkeys(("undated", "missing", "missing_unit", "not_measured", "after_retention"), QualityCategory.COMPLETENESS),
    **dict.fromkeys(
        (
            "before_1970", "in_the_future", "impossible_value", "negative", "ends_before_start", "too_long",
            "more_than_elapsed", "contradiction", "taken_too_early", "suspected_unit", "suspected_swap", "impossible_day",
        ),
        QualityCategory.PLAUSIBILITY,
    ),
}  # fmt: skip
"""Which category a rule checks: does the value have the agreed form, is it there, can it be true."""


def category_of(rule: str) -> QualityCategory:
    """The category of a rule, with or without its column.

    >>> str(category_of("missing:user_id"))
    'completeness'
    """
    return CATEGORY_OF_RULE[rule.partition(":")[0]]
