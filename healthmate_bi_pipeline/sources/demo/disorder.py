"""What real data are like: late, corrected, taken back, repeated, and now and then impossible.

The first part of a file is what arrives in time. The second one, which sorts behind it, has the rows of
people who were offline, corrections and deletions of rows of the first part, and some of its rows once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.demo.clocks import Integers
from healthmate_bi_pipeline.sources.demo.rows import DemoRows, constant
from healthmate_bi_pipeline.sources.demo.world import World

BAD_SHARE = 0.003
_CORRECTED_SHARE = 0.004
_DELETED_SHARE = 0.002
_REPEATED_SHARE = 0.004
_REPORTED_AFTER = pa.scalar(5 * 60_000_000, pa.duration("us"))
_CHANGED_AFTER = pa.scalar(6 * 3_600_000_000, pa.duration("us"))

Spoiler = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class DisorderCounts:
    """How many rows are what.

    Attributes:
        rows: in both parts together.
        bad: set aside by a rule.
        late: only in the second part.
        corrected: in the second part, with another value.
        deleted: in the second part, taking back a row of the first.
        repeated: in the second part as in the first.
    """

    rows: int = 0
    bad: int = 0
    late: int = 0
    corrected: int = 0
    deleted: int = 0
    repeated: int = 0

    def __add__(self, other: DisorderCounts) -> DisorderCounts:
        return DisorderCounts(
            *(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )


@dataclass(frozen=True)
class Part:
    """Rows of a part of a file, and whose they are."""

    person: Integers
    table: pa.Table


@dataclass(frozen=True)
class DisorderedRows:
    """The two parts of a file."""

    parts: tuple[Part, ...]
    counts: DisorderCounts


def disorder(world: World, rows: DemoRows) -> DisorderedRows:
    """Spread rows over two parts and spoil a few of them."""
    style, count = rows.style, rows.table.num_rows
    rng = world.block.rng(f"disorder of {style.dataset} by {style.device}")
    limits = np.cumsum([BAD_SHARE, _CORRECTED_SHARE, _DELETED_SHARE, _REPEATED_SHARE])
    fate = np.searchsorted(limits, rng.random(count), side="right")
    is_late = world.habits.is_offline[rows.person, rows.day]
    table = rows.table.append_column(
        "updated_at",
        pc.add(rows.table[rows.moment], _REPORTED_AFTER)
        if style.has_updated_at
        else pa.nulls(count, pa.timestamp("us")),
    ).append_column("is_deleted", pa.nulls(count, pa.bool_()))
    table = _spoil(table, fate == 0, rng, style.dataset)
    corrected, deleted, repeated = (np.flatnonzero((fate == kind) & ~is_late) for kind in (1, 2, 3))
    late = np.flatnonzero(is_late)
    second = pa.concat_tables(
        [
            _take(table, late),
            _changed(_CORRECTIONS[style.dataset](_take(table, corrected)), rows.moment),
            _set(
                _changed(_take(table, deleted), rows.moment),
                is_deleted=constant(value=True, count=len(deleted)),
            ),
            _take(table, repeated),
        ]
    )
    parts = (
        Part(rows.person[~is_late], _take(table, np.flatnonzero(~is_late))),
        Part(rows.person[np.concatenate([late, corrected, deleted, repeated])], second),
    )
    counts = DisorderCounts(
        rows=sum(part.table.num_rows for part in parts),
        bad=int((fate == 0).sum()),
        late=len(late),
        corrected=len(corrected),
        deleted=len(deleted),
        repeated=len(repeated),
    )
    return DisorderedRows(parts, counts)


def in_order(rows: DemoRows) -> DisorderedRows:
    """The rows as they are, in one part."""
    return DisorderedRows((Part(rows.person, rows.table),), DisorderCounts(rows=rows.table.num_rows))


def _spoil(table: pa.Table, is_bad: np.ndarray, rng: np.random.Generator, dataset: str) -> pa.Table:
    """Break a rule in some rows, each of the dataset's ways about equally often."""
    spoilers = _SPOILERS[dataset]
    way = rng.integers(0, len(spoilers), table.num_rows)
    for number, spoiler in enumerate(spoilers):
        mask = pa.array(is_bad & (way == number))
        spoiled = spoiler(table)
        table = _set(
            table,
            **{
                name: pc.if_else(mask, spoiled[name], table[name])
                for name in table.column_names
                if spoiled[name] is not table[name] and not spoiled[name].equals(table[name])
            },
        )
    return table


def _set(table: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _take(table: pa.Table, places: Integers) -> pa.Table:
    return table.take(pa.array(places, pa.int64()))


def _changed(table: pa.Table, moment: str) -> pa.Table:
    return _set(table, updated_at=pc.add(table[moment], _CHANGED_AFTER))


def _nothing(table: pa.Table, name: str) -> pa.Array:
    return pa.nulls(table.num_rows, table.schema.field(name).type)


_SPOILERS: dict[str, tuple[Spoiler, ...]] = {
    "health_readings": (
        lambda table: _set(table, value=pa.repeat(5_000.0, table.num_rows)),
        lambda table: _set(table, unit=pa.repeat("furlong", table.num_rows)),
        lambda table: _set(table, recorded_at=_nothing(table, "recorded_at")),
    ),
    "activity_intervals": (
        lambda table: _set(table, steps=pc.subtract(-1.0, table["steps"])),
        lambda table: _set(table, started_at=table["ended_at"], ended_at=table["started_at"]),
        lambda table: _set(table, started_at=_nothing(table, "started_at")),
    ),
    "sleep_sessions": (
        lambda table: _set(table, started_at=table["ended_at"], ended_at=table["started_at"]),
        lambda table: _set(table, asleep_minutes=pc.subtract(-1.0, table["asleep_minutes"])),
        lambda table: _set(
            table, started_at=_nothing(table, "started_at"), ended_at=_nothing(table, "ended_at")
        ),
    ),
}
"""Ways to break a rule: impossible value, unknown unit, negative count, end before start, no date."""

_CORRECTIONS: dict[str, Spoiler] = {
    "health_readings": lambda table: _set(table, value=pc.add(table["value"], 1.0)),
    "activity_intervals": lambda table: _set(table, steps=pc.add(table["steps"], 10.0)),
    "sleep_sessions": lambda table: _set(table, asleep_minutes=pc.subtract(table["asleep_minutes"], 5.0)),
}
