"""What is known of the person behind a row: the record at the period's end, age, and how long the period was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.transforms.placing import period_floor

AGE_BANDS: tuple[tuple[str, int], ...] = (("under 18", 0), ("18-39", 18), ("40-64", 40), ("65+", 65))
"""Names and first ages; by the year of birth, so a year's end early at most."""

UNKNOWN = "unknown"
_EARLIEST = ibis.timestamp("0001-01-02 00:00:00")
_RECORD = (
    "height_cm",
    "birth_year",
    "sex",
    "is_bp_treated",
    "is_lipid_treated",
    "has_diabetes",
    "nicotine_use",
    "mepa_score",
)


def real_lengths(shifts: ir.Table | None, period: Period | Window) -> Iterator[ir.Table]:
    """By how many minutes the periods of people were longer than their wall clock says.

    Args:
        shifts: ``clock_shifts`` of the people; ``None`` where nobody asks, as of free ranges of days.
        period: the period.

    Yields:
        user_id, period_start, ``shift_minutes``; periods without a clock change are left out.
    """
    if shifts is not None and isinstance(period, Period):
        placed = shifts.mutate(period_start=period_floor(shifts.local_at, period))
        yield placed.group_by(["user_id", "period_start"]).agg(shift_minutes=placed.shift_minutes.sum())


def with_person(rows: ir.Table, users: ir.Table) -> ir.Table:
    """Add the period's real length, and what the person's record says at its end.

    Args:
        rows: user_id, period_start, period_end, ``height_seen``: a measured height, for those whose record has none,
            and ``shift_minutes``; without it the clock's own length is told.
        users: rows of ``raw/users``.
    """
    records = _records(users)
    joined = rows.left_join(
        records,
        [rows.user_id == records.person, rows.period_end > records.since, rows.period_end <= records.until],
    )
    shift: Any = joined.shift_minutes.fill_null(0) if "shift_minutes" in rows.columns else 0
    nominal = joined.period_end.delta(joined.period_start, unit="hour")
    return joined.select(
        *(joined[name] for name in rows.columns if name not in {"height_seen", "shift_minutes"}),
        *(joined[name] for name in _RECORD if name not in {"height_cm", "birth_year", "sex"}),
        hours_covered=nominal + shift / 60,
        height_cm=ibis.coalesce(joined.height_cm, joined.height_seen),
        age_band=_age_band(joined.birth_year, joined.period_end),
        sex=joined.sex.fill_null(UNKNOWN),
        has_user_record=joined.since.notnull(),
    )


def accounts(users: ir.Table, moments: ir.Table) -> ir.Table:
    """How many people have an account at some moments, by what their records say then.

    Args:
        users: rows of ``raw/users``.
        moments: ``moment``, each once.

    Returns:
        moment, age_band, sex, ``accounts``; an account without a day of its making was always there.
    """
    records = _records(users)
    known = moments.join(
        records,
        [
            moments.moment > records.since,
            moments.moment <= records.until,
            records.created_at.fill_null(_EARLIEST) < moments.moment,
        ],
    )
    told = known.select(
        "moment", age_band=_age_band(known.birth_year, known.moment), sex=known.sex.fill_null(UNKNOWN)
    )
    counted = told.group_by(["moment", "age_band", "sex"]).agg(accounts=told.count())
    return counted.order_by("moment", "age_band", "sex")


def _records(users: ir.Table) -> ir.Table:
    """The versions of people's records with the stretch that each holds for: ``person``, ``since``, ``until``."""
    order = ibis.window(group_by="user_id", order_by=ibis.asc("valid_from", nulls_first=True))
    return users.select(
        *_RECORD,
        "created_at",
        person="user_id",
        since=(ibis.row_number().over(order) == 0).ifelse(_EARLIEST, users.valid_from),
        until=users.valid_from.lead().over(order).fill_null(ibis.timestamp("9999-12-30 00:00:00")),
    )


def _age_band(birth_year: Any, moment: Any) -> Any:
    """The band of the age at the end of a period."""
    age = (moment - ibis.interval(microseconds=1)).year() - birth_year
    return ibis.cases(*((age >= low, name) for name, low in reversed(AGE_BANDS)), else_=UNKNOWN)
