"""What real data are like: late, corrected, taken back, repeated, and now and then impossible.

What arrives in time is in the file of its year or quarter. What was recorded offline, corrections and
deletions, and some rows once more come later, in a file beside it, and on the last days in one a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.block import BackendBlock
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Span
from healthmate_bi_pipeline.sources.demo.defects import (
    CORRECTIONS,
    DEFECTS,
    defect_of,
    replace_column,
)
from healthmate_bi_pipeline.sources.demo.rows import DemoRows, FileStyle, constant, instants
from healthmate_bi_pipeline.sources.demo.world import World

DAILY_LATE_FILES = 3
"""The last days whose late rows come in a file each."""
_LATE_HOURS_SHARE = 0.01
_CORRECTED_SHARE, _DELETED_SHARE, _REPEATED_SHARE = 0.004, 0.002, 0.004
_REPORTED_AFTER = np.timedelta64(5, "m")
_CHANGED_AFTER = np.timedelta64(6, "h")
_RENEWED = ("corrected", "deleted", "repeated")


@dataclass(frozen=True)
class DisorderCounts:
    """How many rows are what.

    Attributes:
        rows: in all files together.
        bad: break a rule.
        suspected: carry a slip of units, or are swapped; not among the bad ones.
        late: arrive later than the others.
        corrected: come again with another value.
        deleted: come again to take back the first one.
        repeated: come again as they were.
        by_defect: the bad and suspected ones, by what is wrong.
    """

    rows: int = 0
    bad: int = 0
    suspected: int = 0
    late: int = 0
    corrected: int = 0
    deleted: int = 0
    repeated: int = 0
    by_defect: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: DisorderCounts) -> DisorderCounts:
        names = [name for name in vars(self) if name != "by_defect"]
        by_defect = Counter(self.by_defect) + Counter(other.by_defect)
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return DisorderCounts(**sums, by_defect=dict(sorted(by_defect.items())))


@dataclass(frozen=True)
class Part:
    """Rows of a file, whose they are, and the file's part of the name."""

    name: str
    person: Integers
    table: pa.Table


@dataclass(frozen=True)
class _Piece:
    """Rows with one fate: their places among all rows, and what has become of them."""

    places: Integers
    table: pa.Table
    is_late: Flags


def disorder(world: World, rows: DemoRows) -> tuple[list[Part], DisorderCounts]:
    """Spread rows of people over files and spoil a few of them."""
    return _disorder(
        rows,
        span=world.block.span,
        rng=world.block.rng(f"disorder of {rows.style.dataset} by {rows.style.device}"),
        is_asked=world.block.is_asked_for[rows.person],  # only now, so that nobody's draws depend on it
        is_late=world.habits.is_offline[rows.person, rows.day],
    )


def disorder_backend(block: BackendBlock, rows: DemoRows) -> tuple[list[Part], DisorderCounts]:
    """The same for rows of the backend: now and then what a host sends in an hour comes late."""
    hour = (rows.recorded_at - block.start) // np.timedelta64(1, "h")
    is_late = block.rng(f"late {rows.style.dataset}").random(len(block.hours)) < _LATE_HOURS_SHARE
    return _disorder(
        rows,
        span=block.span,
        rng=block.rng(f"disorder of {rows.style.dataset}"),
        is_asked=np.ones(rows.table.num_rows, dtype=bool),
        is_late=is_late[hour],
    )


def _disorder(
    rows: DemoRows, *, span: Span, rng: np.random.Generator, is_asked: Flags, is_late: Flags
) -> tuple[list[Part], DisorderCounts]:
    style, count = rows.style, rows.table.num_rows
    marks = {name: flags & is_asked for name, flags in rows.marks.items()}
    marked = {name: int(flags.sum()) for name, flags in marks.items()}
    if style.is_tidy or not is_asked.any():
        table = rows.table.filter(pa.array(is_asked))
        return [Part("all", rows.person[is_asked], table)], _counted(
            style.dataset, marked, {"rows": table.num_rows}
        )
    table = _with_versions(rows)
    is_marked = np.any([np.zeros(count, dtype=bool), *marks.values()], axis=0)
    is_free = is_asked & ~is_marked
    spoiled = dict(_spoil(table, rng.random(count), is_free, style))
    for places, _ in spoiled.values():
        is_free[places] = False
    whole = np.flatnonzero(is_free | is_marked)
    renewed = _renewed(rows, table, rng.random(count), is_free & ~is_late)
    odd = [
        *(_Piece(places, wrong, is_late[places]) for places, wrong in spoiled.values()),
        *(_Piece(places, again, np.ones(len(places), dtype=bool)) for places, again in renewed.values()),
    ]
    pieces = (
        _Piece(whole, table if len(whole) == count else table.take(pa.array(whole)), is_late[whole]),
        _Piece(
            np.concatenate([piece.places for piece in odd]),
            pa.concat_tables([piece.table for piece in odd]),
            np.concatenate([piece.is_late for piece in odd]),
        ),
    )
    parts = [part for piece in pieces for part in _parts(span, rows, piece)]
    by_defect = marked | {name: len(places) for name, (places, _) in spoiled.items()}
    counts = {name: len(places) for name, (places, _) in renewed.items()}
    counts |= {"rows": sum(part.table.num_rows for part in parts), "late": int((is_late & is_asked).sum())}
    return parts, _counted(style.dataset, by_defect, counts)


def _counted(dataset: str, by_defect: Mapping[str, int], counts: Mapping[str, int]) -> DisorderCounts:
    suspected = sum(count for name, count in by_defect.items() if defect_of(dataset, name).is_suspected)
    bad = sum(by_defect.values()) - suspected
    return DisorderCounts(bad=bad, suspected=suspected, by_defect=by_defect, **counts)


def _with_versions(rows: DemoRows) -> pa.Table:
    """The table with the columns that tell versions apart."""
    count = rows.table.num_rows
    updated_at = (
        instants(rows.recorded_at + _REPORTED_AFTER)
        if rows.style.has_updated_at
        else pa.nulls(count, pa.timestamp("us"))
    )
    return rows.table.append_column("updated_at", updated_at).append_column(
        "is_deleted", pa.nulls(count, pa.bool_())
    )


_Taken = tuple[Integers, pa.Table]


def _spoil(
    table: pa.Table, chance: npt.NDArray[np.float64], is_free: Flags, style: FileStyle
) -> Iterator[tuple[str, _Taken]]:
    """Break rules in some rows: for each defect the places of its rows, and what they are now."""
    defects = [each for each in DEFECTS[style.dataset] if not each.devices or style.device in each.devices]
    limits = np.cumsum([defect.share for defect in defects])
    places = np.flatnonzero((chance < limits[-1]) & is_free)
    kind = np.searchsorted(limits, chance[places], side="right")
    for number, defect in enumerate(defects):
        mine = places[kind == number]
        candidates = _plain(table.take(pa.array(mine)))
        mine = mine[np.asarray(defect.eligible(candidates))]
        yield defect.name, (mine, defect.spoil(_plain(table.take(pa.array(mine)))))


def _renewed(
    rows: DemoRows, table: pa.Table, chance: npt.NDArray[np.float64], may_be: Flags
) -> dict[str, _Taken]:
    """Rows that come again, by why."""
    limits = np.cumsum([_CORRECTED_SHARE, _DELETED_SHARE, _REPEATED_SHARE])
    places = np.flatnonzero((chance < limits[-1]) & may_be)
    kind = np.searchsorted(limits, chance[places], side="right")
    renewed = {}
    for number, name in enumerate(_RENEWED):
        mine = places[kind == number]
        again = _plain(table.take(pa.array(mine)))
        if name != "repeated":
            updated_at = instants(rows.recorded_at[mine] + _CHANGED_AFTER)
            again = replace_column(again, "updated_at", updated_at)
        if name == "corrected":
            again = CORRECTIONS[rows.style.dataset](again)
        elif name == "deleted":
            again = replace_column(again, "is_deleted", constant(value=True, count=len(mine)))
        renewed[name] = (mine, again)
    return renewed


def _parts(span: Span, rows: DemoRows, piece: _Piece) -> Iterator[Part]:
    """The rows of a piece by the files they come in."""
    if not len(piece.places):
        return
    days = span.days
    names = _period_names(span, rows.style)
    day = rows.day[piece.places]
    code = names.number[day] + np.where(piece.is_late, len(names.texts), 0)
    is_recent = piece.is_late & (day >= days - DAILY_LATE_FILES)
    code = np.where(is_recent, 2 * len(names.texts) + days - 1 - day, code).astype(np.int16)
    order = np.argsort(code, kind="stable")
    sorted_code, person = code[order], rows.person[piece.places]
    starts = np.flatnonzero(np.append(True, sorted_code[1:] != sorted_code[:-1]))
    for start, end in zip(starts, np.append(starts[1:], len(order)), strict=True):
        mine = order[start:end]
        # Taken, not sliced: a slice that waits to be written would keep the whole table in memory.
        yield Part(
            _part_name(names, int(sorted_code[start]), span), person[mine], piece.table.take(pa.array(mine))
        )


@dataclass(frozen=True)
class _Periods:
    """The names of years or quarters, and the number of each day's."""

    texts: list[str]
    number: Integers


def _period_names(span: Span, style: FileStyle) -> _Periods:
    dates = span.dates
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    quarter = (span.month - 1) // 3 + 1 if style.is_quarterly else np.zeros_like(year)
    keys, number = np.unique(year * 10 + quarter, return_inverse=True)
    texts = [f"{key // 10}q{key % 10}" if key % 10 else str(key // 10) for key in keys.tolist()]
    return _Periods(texts, number)


def _part_name(names: _Periods, code: int, span: Span) -> str:
    """A part's name; "_" sorts behind the dot of the file that is in time, so that what is late is read later."""
    count = len(names.texts)
    if code < count:
        return names.texts[code]
    if code < 2 * count:
        return f"{names.texts[code - count]}_late"
    return f"{names.texts[-1]}_late_{span.date_of(span.days - 1 - (code - 2 * count))}"


def _plain(table: pa.Table) -> pa.Table:
    """The table with numbered texts written out, so that any text may stand there."""
    fields = [
        field_.with_type(field_.type.value_type) if pa.types.is_dictionary(field_.type) else field_
        for field_ in table.schema
    ]
    return table.cast(pa.schema(fields)).combine_chunks()
