"""Lines of access logs → rows of ``api_requests`` as they go to the landing folder.

Nothing is judged here that the ordinary ingest judges: a status of 999 or a date that does not exist goes on as
it is. Client addresses, users, referrers, user agents and query strings are not taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.access_logs import (
    DURATIONS,
    LOG_TIME,
    METHODS,
    MILLISECONDS,
    MONTHS,
    PERSONAL_PARTS,
    REQUEST_LINE,
    REQUEST_LINES,
    STATUS_AND_SIZE,
    STATUSES,
    TARGETS,
    TIME_BEFORE_REQUEST,
    TIMES,
    WHOLE_NUMBER_UNIT,
)
from healthmate_bi_pipeline.catalog.routes import METHODS as KNOWN_METHODS
from healthmate_bi_pipeline.catalog.routes import NO_REQUEST, NOT_FOUND
from healthmate_bi_pipeline.transforms.routes import path_group

ROW_COLUMNS = ("occurred_at", "route", "status_code", "duration_ms")

_AMOUNT = r"[0-9]+(?:\.[0-9]+)?"
_UNIT = r"ns|us|µs|ms|s"
_BEHIND = (  # a duration behind a line, from the surest to the vaguest sign of one
    rf"(?:^|\s)({_AMOUNT}(?:{_UNIT}))(?:\s|$)",
    rf"(?:^|\s)(?:rt|request_time|time|duration|D)=({_AMOUNT}(?:{_UNIT})?)(?:\s|$)",
    r"(?:^|\s)([0-9]+\.[0-9]+)(?:\s|$)",
    r"(?:^|\s)([0-9]+)(?:\s|$)",
)
_NOTHING = ibis.null("string")
_COMBINED_PIECES = 7  # of a line with referrer and user agent, cut at its quotation marks


@dataclass(frozen=True)
class LogOptions:
    """What a log does not tell by itself.

    Attributes:
        duration_unit: the unit of every duration that names none; ``None``: by name and shape, see the catalog.
        duration_member: names from the outermost object to the member of a JSON line that holds the duration;
            ``None``: the known names.
    """

    duration_unit: str | None = None
    duration_member: tuple[str, ...] | None = None


def json_members(options: LogOptions) -> dict[str, tuple[str, ...]]:
    """The members of JSON lines that are looked at, by the column that each is read into."""
    groups = {
        "time": TIMES,
        "line": REQUEST_LINES,
        "method": METHODS,
        "target": TARGETS,
        "status": STATUSES,
        "duration": _duration_paths(options),
    }
    return {f"{name}_{place}": path for name, paths in groups.items() for place, path in enumerate(paths)}


def _duration_paths(options: LogOptions) -> tuple[tuple[str, ...], ...]:
    if options.duration_member is not None:
        return (options.duration_member,)
    return tuple(duration.path for duration in DURATIONS)


def split_combined(lines: ir.Table) -> ir.Table:
    """The parts of lines in the common or combined format, whatever stands behind them.

    Cut at the quotation marks: ten times faster than one pattern for the whole line.

    Args:
        lines: ``row_number`` and ``line``.

    Returns:
        ``row_number``, ``line``, ``is_read`` (whether the line is one of these), ``time``, ``method``, ``target``,
        ``status`` and ``behind``; to be stored before it goes on.
    """
    pieces = lines.select("row_number", "line", cut=lines.line.replace('\\"', "'").split('"'))
    before, request, middle = (pieces.cut[place].fill_null("") for place in range(3))
    time = before.re_extract(TIME_BEFORE_REQUEST, 1)
    method, target = _request_parts(request)
    is_combined = pieces.cut.length() >= _COMBINED_PIECES
    behind = is_combined.ifelse(
        pieces.cut[_COMBINED_PIECES - 1 :].join('"'), middle.re_replace(STATUS_AND_SIZE, " ")
    )
    return pieces.select(
        "row_number",
        "line",
        is_read=(time != "") & middle.re_search(STATUS_AND_SIZE),
        time=time,
        method=method,
        target=target,
        status=middle.re_extract(STATUS_AND_SIZE, 1).nullif("-").nullif(""),
        behind=behind,
    )


def split_json(lines: ir.Table) -> ir.Table:
    """The parts of JSON lines.

    Args:
        lines: ``row_number``, ``line`` and the columns of ``json_members``.

    Returns:
        As ``split_combined``, with ``duration_0`` … in place of ``behind``; a line is read when it has a time and
        a status.
    """
    time = _first(lines, "time", len(TIMES))
    method, target = _request_parts(_first(lines, "line", len(REQUEST_LINES)).fill_null(""))
    status = _first(lines, "status", len(STATUSES))
    return lines.select(
        "row_number",
        "line",
        *(name for name in lines.columns if name.startswith("duration_")),
        is_read=time.notnull() & status.notnull(),
        time=time,
        method=ibis.coalesce(_first(lines, "method", len(METHODS)).upper(), method),
        target=ibis.coalesce(_first(lines, "target", len(TARGETS)), target),
        status=status,
    )


def with_path_group(split: ir.Table) -> ir.Table:
    """The lines that were read, with the group of their path; to be stored before it goes on."""
    read = split.filter(split.is_read)
    return read.mutate(path_group=path_group(read.target))


def read_rows(split: ir.Table, options: LogOptions) -> ir.Table:
    """Rows from the parts of lines: ``row_number`` and ``ROW_COLUMNS``.

    Args:
        split: from ``with_path_group``.
        options: what the lines do not tell.
    """
    is_request = split.target.notnull() & (split.method.isnull() | split.method.isin(KNOWN_METHODS))
    is_missing = (split.status == "404").fill_null(ibis.literal(value=False))
    named = split.method.fill_null("") + " " + is_missing.ifelse(NOT_FOUND, split.path_group)
    is_combined = "behind" in split.columns
    return split.select(
        "row_number",
        occurred_at=_time_text(split.time),
        route=is_request.ifelse(named.strip(), NO_REQUEST),
        status_code=split.status,
        duration_ms=_duration_behind(split.behind, options)
        if is_combined
        else _duration_of_members(split, options),
    )


def without_persons(line: Any) -> Any:
    """A line that could not be read, with what may name a person blotted out."""
    for pattern, instead in PERSONAL_PARTS:
        line = line.re_replace(pattern, instead)
    return line


def _first(lines: ir.Table, name: str, count: int) -> Any:
    """The first member that has a plain value; objects and lists are none."""
    values = [lines[f"{name}_{place}"].strip().nullif("") for place in range(count)]
    return ibis.coalesce(*(value.re_search(r"^[{\[]").ifelse(_NOTHING, value) for value in values))


def _request_parts(request: Any) -> tuple[Any, Any]:
    """Method and target of a request line; null where it is none."""
    method, target = (request.re_extract(REQUEST_LINE, group).nullif("") for group in (1, 2))
    return method, target


def _time_text(time: Any) -> Any:
    """A time as text in ISO 8601: from the format of web servers, from seconds since 1970, or as it stands."""
    day, month, year, clock, offset = (time.re_extract(LOG_TIME, group) for group in range(1, 6))
    months = ibis.cases(
        *((month == name, f"{number:02}") for number, name in enumerate(MONTHS, 1)), else_="00"
    )
    of_server = year + "-" + months + "-" + day.lpad(2, "0") + " " + clock + offset
    whole = time.re_extract(r"^([0-9]+)(?:\.[0-9]+)?$", 1)
    to_microseconds = ibis.cases(
        (whole.length() <= 10, 1e6), (whole.length() <= 13, 1e3), (whole.length() <= 16, 1.0), else_=1e-3
    )
    since_1970 = (time.try_cast("decimal(30, 6)") * to_microseconds.cast("decimal(18, 3)")).try_cast("int64")
    moment = (since_1970 // 1000).as_timestamp("ms") + ibis.interval(microseconds=1) * (since_1970 % 1000)
    of_number = moment.cast("string") + "+00:00"
    return ibis.cases(
        (time.re_search(LOG_TIME), of_server),
        ((whole.length() >= 9) & (whole.length() <= 19), of_number),
        else_=time,
    )


def _duration_behind(behind: Any, options: LogOptions) -> Any:
    """Milliseconds from what stands behind a line, of whatever server: the surest sign counts."""
    plain = behind.re_replace(r'"(?:[^"\\]|\\.)*"', '"')
    found = [plain.re_extract(pattern, 1).nullif("") for pattern in _BEHIND]
    text = ibis.coalesce(*found)
    guessed = text.contains(".").ifelse(MILLISECONDS["s"], MILLISECONDS[WHOLE_NUMBER_UNIT])
    return _milliseconds(text, guessed, options)


def _duration_of_members(lines: ir.Table, options: LogOptions) -> Any:
    units = ["ms"] if options.duration_member is not None else [duration.unit for duration in DURATIONS]
    values = [_first_number(lines[f"duration_{place}"]) for place in range(len(units))]
    return ibis.coalesce(
        *(
            _milliseconds(value, ibis.literal(MILLISECONDS[unit]), options)
            for value, unit in zip(values, units, strict=True)
        )
    )


def _first_number(value: Any) -> Any:
    """A duration as it stands, else null."""
    text = value.strip()
    return text.re_search(rf"^-?{_AMOUNT}(?:[eE][-+]?[0-9]+)?\s?(?:{_UNIT})?$").ifelse(text, _NOTHING)


def _milliseconds(text: Any, guessed: Any, options: LogOptions) -> Any:
    """A duration in milliseconds: by the unit behind it, else by that of the options, else as it was guessed."""
    unit = text.re_extract(rf"({_UNIT})$", 1)
    if options.duration_unit is not None:
        guessed = ibis.literal(MILLISECONDS[options.duration_unit])
    factor = ibis.cases(*((unit == name, amount) for name, amount in MILLISECONDS.items()), else_=guessed)
    number = text.re_replace(rf"\s?(?:{_UNIT})$", "").try_cast("float64")
    # To the nanosecond: a product of floats would otherwise carry digits that nobody measured.
    return (number * factor).round(6)


def landing_rows(
    rows: ir.Table, *, constants: dict[str, str], file_name: str, fingerprint: str, fields: Sequence[str]
) -> ir.Table:
    """Rows as they are written to the landing folder, in the order of the file.

    Args:
        rows: read lines.
        constants: values that all rows have.
        file_name: as ``origin`` names it, with the line behind it.
        fingerprint: what the log is known by; with the number of the line it makes the ``request_id``, so that a
            log that has grown, or that was renamed and packed, counts once.
        fields: the columns.
    """
    number = rows.row_number.cast("string")
    filled = rows.mutate(
        origin=ibis.literal(f"{file_name}:") + number,
        request_id=ibis.literal(f"{fingerprint}:") + number,
        **{name: ibis.literal(value) for name, value in constants.items()},
    )
    return filled.order_by("row_number").select(*fields)


def rejected_rows(parts: Iterable[ir.Table], *, constants: dict[str, str], file_name: str) -> ir.Table:
    """Lines that could not be read, as rows that the ingest finds undated and keeps.

    The text stands where the time should be.
    """
    lines = [part.select("row_number", "line") for part in parts]
    first, *more = lines
    together = ibis.union(first, *more) if more else first
    return together.select(
        row_number=together.row_number,
        occurred_at=without_persons(together.line),
        status_code=_NOTHING,
        origin=ibis.literal(f"{file_name}:") + together.row_number.cast("string"),
        **{name: ibis.literal(value) for name, value in constants.items()},
    ).order_by("row_number")
