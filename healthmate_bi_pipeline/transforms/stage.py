"""Landing rows → staged rows: types, and the day a row is laid under.

A field whose text is not of the column's type becomes null and its text is kept in ``unparsed``; whether that
matters is decided when the raw day is made, so that a changed rule can take the row up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import UTC_OFFSET_MINUTES, Dataset, Field
from healthmate_bi_pipeline.catalog.lake_tables import staged_table
from healthmate_bi_pipeline.domain.time_zones import DISTANT_FUTURE, DISTANT_PAST
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES, first_rule, minutes

UNPARSED_SEPARATOR = "\n"
"""Between the fields in ``unparsed``, each as ``column: text``."""

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_OFFSET = r"\s*(?:[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)$"
_EXACT_FLOATS = 2**53
_LINEAGE = ("file_hash", "file_number", "row_number", "first_seen_at")
FUTURE_TOLERANCE = timedelta(hours=14)  # no wall clock is further ahead of UTC


@dataclass(frozen=True)
class LandingFile:
    """What is known of a file before its rows are.

    Attributes:
        file_hash: SHA-256 of its bytes.
        file_number: its place in the order of files.
        first_seen_at: when it is read, UTC, naive.
    """

    file_hash: str
    file_number: int
    first_seen_at: datetime


@dataclass(frozen=True)
class _Parsed:
    """A field's values as stored columns, and the texts that are not of its type."""

    values: dict[str, Any]
    is_failed: Any | None = None
    text: Any | None = None


def with_lineage(rows: ir.Table, file: LandingFile) -> ir.Table:
    """Rows of a landing file with what is known of it. The rows of several files may then be put together."""
    return rows.mutate(
        file_hash=ibis.literal(file.file_hash),
        file_number=ibis.literal(file.file_number, type="int64"),
        first_seen_at=ibis.literal(file.first_seen_at, type="timestamp(6)"),
        row_number=rows["row_number"].cast("int64"),
    )


def stage_rows(rows: ir.Table, dataset: Dataset) -> ir.Table:
    """Type the rows of landing files.

    Args:
        rows: columns as they came, named as in the catalog, and what ``with_lineage`` adds.
        dataset: what they are rows of.

    Returns:
        The columns of ``staged_table``; ``day`` is null and ``defect`` set for a row without a day.
    """
    parsed = [_parse(rows, field) for field in dataset.fields]
    values: dict[str, Any] = {}
    for part in parsed:
        values |= part.values
    typed = rows.select(*_LINEAGE, **values, unparsed=_unparsed(dataset, parsed))
    return _with_day(typed, dataset)


def _unparsed(dataset: Dataset, parsed: list[_Parsed]) -> Any:
    """The fields that are not of their type, with their text; null where all are."""
    nothing = ibis.null("string")
    failures = [
        (part.is_failed, part.is_failed.ifelse(ibis.literal(f"{field.name}: ") + part.text, nothing))
        for field, part in zip(dataset.fields, parsed, strict=True)
        if part.is_failed is not None
    ]
    if not failures:
        return nothing
    texts = ibis.array([text for _, text in failures]).filter(lambda text: text.notnull())
    # Nearly all rows are as they should be: for them no text is made.
    is_any = ibis.or_(*(is_failed for is_failed, _ in failures))
    return is_any.ifelse(texts.join(UNPARSED_SEPARATOR).nullif(""), nothing)


def rejected_lines(rejected: ir.Table, dataset: Dataset) -> ir.Table:
    """Lines that could not be split, in the shape of staged rows, so that nothing is lost.

    Args:
        rejected: ``line``, and what ``with_lineage`` adds.
        dataset: what they should have been.
    """
    lines = rejected.select(*_LINEAGE, unparsed="line")
    return _shaped(lines.mutate(defect=ibis.literal("malformed_line"), day=ibis.null("date")), dataset)


def _with_day(typed: ir.Table, dataset: Dataset) -> ir.Table:
    if not dataset.is_partitioned:
        return _shaped(typed.mutate(defect=ibis.null("string")), dataset)
    moments: list[Any] = []
    for name in dataset.moment:
        is_time = dataset.field_named(name).type is Type.TIMESTAMP
        moments += [typed[name], typed[f"local_{name}"]] if is_time else [typed[name].cast("timestamp(6)")]
    moment = ibis.coalesce(*moments)
    latest = typed.first_seen_at + ibis.interval(FUTURE_TOLERANCE)
    defect = first_rule(
        [
            (moment.isnull(), "undated"),
            (moment < ibis.timestamp("1970-01-01 00:00:00"), "before_1970"),
            (moment > latest, "in_the_future"),
        ]
    )
    dated = typed.mutate(defect=defect, moment=moment)
    day = dated["defect"].isnull().ifelse(dated["moment"].date(), ibis.null("date"))
    return _shaped(dated.mutate(day=day), dataset)


def _shaped(rows: ir.Table, dataset: Dataset) -> ir.Table:
    """All columns of the staged table, in order; what a row does not have is null."""
    return rows.select(
        **{
            column.name: rows[column.name]
            if column.name in rows.columns
            else ibis.null(IBIS_TYPES[column.type])
            for column in staged_table(dataset).columns
        }
    )


def _parse(rows: ir.Table, field: Field) -> _Parsed:
    if field.name not in rows.columns:
        return _Parsed({name: ibis.null(IBIS_TYPES[field.type]) for name in _stored_names(field)})
    column: Any = rows[field.name]
    if field.type is Type.TIMESTAMP:
        return _parse_time(column, field)
    if column.type().is_string():
        text = column.strip().nullif("")
        return _judged(field, text, _from_text(text, field.type))
    if field.type is Type.TEXT:
        return _Parsed({field.name: column.cast("string").strip().nullif("")})
    value = _from_value(column, field.type)
    return _Parsed({field.name: value}, column.notnull() & value.isnull(), column.cast("string"))


def _stored_names(field: Field) -> tuple[str, ...]:
    return (field.name, f"local_{field.name}") if field.type is Type.TIMESTAMP else (field.name,)


def _judged(field: Field, text: Any, value: Any) -> _Parsed:
    if field.type is Type.TEXT:
        return _Parsed({field.name: value})
    return _Parsed({field.name: value}, text.notnull() & value.isnull(), text)


def _from_text(text: Any, type_: Type) -> Any:
    match type_:
        case Type.TEXT:
            return text
        case Type.INTEGER:  # a plain cast would round 12.7
            return text.re_search(r"^[+-]?\d+(\.0*)?$").ifelse(text, ibis.null("string")).try_cast("int64")
        case Type.NUMBER:
            return _finite(text.try_cast("float64"))
        case Type.DATE:
            return _in_calendar(text.try_cast("date"))
        case _:
            return text.try_cast(IBIS_TYPES[type_])


def _from_value(column: Any, type_: Type) -> Any:
    kind = column.type()
    if type_ is Type.INTEGER and kind.is_floating():
        number = column.try_cast("int64")  # rounded; beyond 2^53 a float cannot tell two ids apart
        is_whole = (number.cast("float64") == column) & number.between(-_EXACT_FLOATS, _EXACT_FLOATS)
        return is_whole.ifelse(number, ibis.null("int64"))
    if type_ is Type.NUMBER and kind.is_numeric():
        return _finite(column.cast("float64"))
    if type_ is Type.INTEGER and kind.is_integer():
        return column.try_cast("int64")
    if type_ is Type.BOOLEAN and kind.is_boolean():
        return column
    if type_ is Type.DATE and (kind.is_date() or kind.is_timestamp()):
        return _in_calendar(column.date() if kind.is_timestamp() else column)
    return _from_text(column.cast("string"), type_)


def _finite(value: Any) -> Any:
    return (value.isnan() | value.isinf()).ifelse(ibis.null("float64"), value)


def _in_calendar(value: Any) -> Any:
    """A date or time in the years 1 to 9999; what lies outside is none, as infinity is."""
    first, last = (ibis.literal(bound).cast(value.type()) for bound in (DISTANT_PAST, DISTANT_FUTURE))
    return value.between(first, last).ifelse(value, ibis.null(value.type()))


def _parse_time(column: Any, field: Field) -> _Parsed:
    """A time as an instant (UTC) and a wall-clock time, whichever of them it tells.

    An offset of zero, however it is spelled, tells the instant only: programs write UTC that way for rows
    from anywhere (RFC 9557 §2 says so of ``Z``). A person who really was at UTC has ``utc_offset_minutes``.
    """
    kind = column.type()
    local_name = f"local_{field.name}"
    nothing = ibis.null("timestamp(6)")
    if kind.is_timestamp() or kind.is_date():
        moment = _in_calendar(column.try_cast("timestamp(6)"))
        names = (
            (field.name, local_name) if kind.is_timestamp() and kind.timezone else (local_name, field.name)
        )
        failed = column.notnull() & moment.isnull()
        text = column.try_cast("string").fill_null("out of range")
        return _Parsed({names[0]: moment, names[1]: nothing}, failed, text)
    text = column.cast("string").strip().nullif("")
    tail = text.re_extract(f"{_CLOCK}({_OFFSET})", 1)
    wall = _in_calendar(text.left(text.length() - tail.length()).try_cast("timestamp(6)"))
    digits = tail.re_extract(r"([+-]\d{2}):?(\d{2})?", 0).replace(":", "")
    hours = digits.substr(1, 2).nullif("").try_cast("int64")
    quarter = digits.substr(3, 2).nullif("").try_cast("int64").fill_null(0)
    offset = ((hours * 60 + quarter) * digits.startswith("-").ifelse(-1, 1)).fill_null(0)
    has_tail = tail.length() > 0
    is_offset = offset.between(*UTC_OFFSET_MINUTES) & (quarter < 60)
    moment = is_offset.ifelse(wall, nothing)
    instant = has_tail.ifelse(moment - minutes(offset), nothing)
    local = ((offset != 0) | ~has_tail).ifelse(moment, nothing)
    failed = text.notnull() & moment.isnull()
    return _Parsed({field.name: instant, local_name: local}, failed, text)
