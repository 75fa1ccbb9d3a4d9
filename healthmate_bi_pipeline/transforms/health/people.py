"""What is known of the person behind a row: the record at the period's end, age, and how long the period was."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.transforms.health.placing import period_end, period_floor

AGE_BANDS: tuple[tuple[str, int], ...] = (("under 18", 0), ("18-39", 18), ("40-64", 40), ("65+", 65))
"""Names and first ages; by the year of birth, so a year's end early at most."""

UNKNOWN = "unknown"
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


def with_person(rows: ir.Table, users: ir.Table, shifts: ir.Table, period: Period | Window) -> ir.Table:
    """Add the period's end and real length, and what the person's record says at its end.

    Args:
        rows: user_id, period_start, ``height_seen``: a measured height, for those whose record has none.
        users: rows of ``raw/users``.
        shifts: ``clock_shifts`` of the people.
        period: the period, or the window of a free range of days.
    """
    rows = rows.mutate(period_end=period_end(rows.period_start, period))
    per_period = _placed_shifts(shifts, period)
    shifted = per_period.group_by(["user_id", "period_start"]).agg(shift_minutes=ibis._.shift_minutes.sum())
    joined = rows.left_join(shifted, ["user_id", "period_start"])
    nominal = rows.period_end.delta(rows.period_start, unit="hour")
    rows = joined.select(
        *(joined[name] for name in rows.columns),
        hours_covered=nominal + joined.shift_minutes.fill_null(0) / 60,
    )
    order = ibis.window(group_by="user_id", order_by=ibis.asc("valid_from", nulls_first=True))
    records = users.select(
        "user_id",
        *_RECORD,
        since=(ibis.row_number().over(order) == 0).ifelse(
            ibis.timestamp("0001-01-02 00:00:00"), users.valid_from
        ),
        until=users.valid_from.lead().over(order).fill_null(ibis.timestamp("9999-12-30 00:00:00")),
    )
    joined = rows.left_join(
        records,
        [rows.user_id == records.user_id, rows.period_end > records.since, rows.period_end <= records.until],
    )
    last_year = (joined.period_end - ibis.interval(microseconds=1)).year()
    age = last_year - joined.birth_year
    return joined.select(
        *(joined[name] for name in rows.columns if name != "height_seen"),
        *(joined[name] for name in _RECORD if name not in {"height_cm", "birth_year", "sex"}),
        height_cm=ibis.coalesce(joined.height_cm, joined.height_seen),
        age_band=ibis.cases(*((age >= low, name) for name, low in reversed(AGE_BANDS)), else_=UNKNOWN),
        sex=joined.sex.fill_null(UNKNOWN),
        has_user_record=joined.since.notnull(),
    )


def _placed_shifts(shifts: ir.Table, period: Period | Window) -> ir.Table:
    if isinstance(period, Period):
        return shifts.mutate(period_start=period_floor(shifts.local_at, period))
    start, end = (ibis.literal(moment, type="timestamp(6)") for moment in (period.start, period.end))
    inside = shifts.filter((shifts.local_at >= start) & (shifts.local_at < end))
    return inside.mutate(period_start=start)
