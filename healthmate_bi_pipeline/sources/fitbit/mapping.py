"""Lines of each kind of file → rows of our datasets, and those that cannot become one.

A line is rejected for what makes it unreadable (no person, no time, no number), not for what it says. A
rejected row keeps its texts, under the names of our columns, and goes to landing as well: the ordinary ingest
sets it aside by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.domain.identity import foreign_user_id
from healthmate_bi_pipeline.sources.fitbit import formats
from healthmate_bi_pipeline.sources.fitbit.formats import ExportFile, Kind
from healthmate_bi_pipeline.sources.fitbit.lines import Lines
from healthmate_bi_pipeline.sources.fitbit.values import Mask, as_mask, parse_numbers, parse_wall_clock

SYSTEM = "fitbit"
TRACKER = "fitbit tracker"
MANUAL = "fitbit manual"
SCALE = "fitbit scale"

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Cells:
    """A column of our dataset: its values, and the texts that they were read from.

    Attributes:
        values: typed; null where the text could not be read.
        texts: what a rejected row says where there is no value.
        is_text_kept: a rejected row says the text even where there is a value.
    """

    values: pa.Array
    texts: pa.Array
    is_text_kept: bool = False

    def plus(self, duration: timedelta) -> Cells:
        """Times that lie later."""
        return replace(self, values=pc.add(self.values, pa.scalar(duration, pa.duration("us"))))

    def floored_to_day(self) -> Cells:
        """The midnights before times."""
        return replace(self, values=pc.floor_temporal(self.values, unit="day"))

    def for_rejected(self) -> pa.Array:
        """What a rejected row says."""
        return self.texts if self.is_text_kept else pc.coalesce(self.values.cast(pa.string()), self.texts)


@dataclass(frozen=True)
class Fault:
    """Why a line was rejected."""

    line: int
    column: str | None
    rule: str


@dataclass(frozen=True)
class MappedLines:
    """What became of some lines: rows, rejected rows as text with the ``line`` itself, and why."""

    rows: pa.Table
    rejected: pa.Table
    faults: tuple[Fault, ...]


class People:
    """The people of an import: a number each, and where they were first seen."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._first_origin: dict[int, str] = {}

    def numbers_of(self, ids: pa.Array) -> pa.Array:
        """The numbers of foreign ids; null where there is no id."""
        encoded = ids.dictionary_encode()
        numbers = pa.array([self._number_of(text) for text in encoded.dictionary.to_pylist()], pa.int64())
        return numbers.take(encoded.indices)

    def _number_of(self, foreign_id: str) -> int | None:
        if not foreign_id:
            return None
        if foreign_id not in self._numbers:
            self._numbers[foreign_id] = foreign_user_id(SYSTEM, foreign_id)
        return self._numbers[foreign_id]

    def note_origins(self, first_origins: dict[int, str]) -> None:
        """Remember where a file has the first row of each person, unless a file before it had one."""
        self._first_origin = first_origins | self._first_origin

    def identities(self) -> pa.Table:
        """Everyone's number and foreign id."""
        ids = sorted(self._numbers)
        return pa.table(
            {
                "user_id": pa.array([self._numbers[text] for text in ids], pa.int64()),
                "foreign_id": pa.array(ids, pa.string()),
            }
        )

    def user_rows(self, time_zone: str) -> pa.Table:
        """The rows of ``users``: everyone who has a row."""
        users = sorted(self._first_origin)
        count = len(users)
        return pa.table(
            {
                "user_id": pa.array(users, pa.int64()),
                "valid_from": pa.nulls(count, pa.timestamp("us")),
                "time_zone": pa.array([time_zone] * count, pa.string()),
                "source": pa.array([SYSTEM] * count, pa.string()),
                "origin": pa.array([self._first_origin[user] for user in users], pa.string()),
            }
        )


class LineReader:
    """Reads the cells of some lines and remembers which of them cannot be read."""

    def __init__(self, lines: Lines, people: People) -> None:
        self._lines = lines
        self._people = people
        self._faults: list[tuple[Mask, str, str]] = []

    def text(self, column: str) -> pa.Array:
        """The texts of a column; empty where the file has no such column."""
        return self._lines.cells.get(column, self.constant("").values)

    def constant(self, value: str | bool) -> Cells:  # noqa: FBT001 - it is a value, no switch
        """The same value in every row."""
        values = pa.repeat(value, len(self._lines))
        return Cells(values, values.cast(pa.string()))

    def person(self) -> Cells:
        """The person's number."""
        ids = self.text("id")
        numbers = self._people.numbers_of(ids)
        self.refuse(as_mask(pc.is_null(numbers)), "id", "missing")
        return Cells(numbers, ids)

    def time(self, column: str) -> Cells:
        """A wall-clock time."""
        texts = self.text(column)
        values, bad = parse_wall_clock(texts)
        self.refuse(bad, column, "undated")
        return Cells(values, texts)

    def number(self, column: str, factor: float = 1.0) -> Cells:
        """A number, null where the cell is empty."""
        texts = self.text(column)
        values, bad = parse_numbers(texts)
        self.refuse(bad, column, "wrong_type")
        return Cells(pc.multiply(values, factor) if factor != 1.0 else values, texts)

    def refuse(self, bad: Mask, column: str, rule: str) -> None:
        """Say that some lines cannot be read, and why."""
        if bad.any():
            self._faults.append((bad, column, rule))

    def bad(self) -> Mask:
        """Which lines cannot be read."""
        bad = np.zeros(len(self._lines), dtype=bool)
        for mask, _, _ in self._faults:
            bad |= mask
        return bad

    def faults(self) -> Iterator[Fault]:
        """The first reason of every line that cannot be read, in the order of lines."""
        reasons: dict[int, Fault] = {}
        for mask, column, rule in self._faults:
            for place in np.flatnonzero(mask).tolist():
                reasons.setdefault(place, Fault(int(self._lines.numbers[place]), column, rule))
        return (reasons[place] for place in sorted(reasons))


Columns = dict[str, Cells]


def map_lines(lines: Lines, file: ExportFile, people: People) -> MappedLines:
    """Turn lines of a file into rows of its kind's dataset (for minuteSleep: minutes, see ``merging``)."""
    reader = LineReader(lines, people)
    columns = _MAPPINGS[file.kind](reader)
    bad = reader.bad()
    origin = origins(file, lines.numbers)
    keep = pa.array(~bad)
    rows = pa.table({name: cells.values for name, cells in columns.items()} | {"origin": origin}).filter(keep)
    places = np.flatnonzero(bad).tolist()
    texts = {name: cells.for_rejected() for name, cells in columns.items() if name != "log_id"}
    rejected = pa.table(texts | {"origin": origin}).take(pa.array(places, pa.int64()))
    rejected = rejected.append_column(
        "line", pa.array([lines.text_of(place) for place in places], pa.string())
    )
    return MappedLines(rows, rejected, tuple(reader.faults()))


def malformed_row(file: ExportFile, *, line: int, text: str, moment: str) -> dict[str, str]:
    """A line that could not be split, as a rejected row.

    Its text stands where the time should be as well, so that the ingest finds the row undated and keeps it.
    """
    return {moment: text, "source": TRACKER, "origin": f"{file.name}:{line}", "line": text}


def origins(file: ExportFile, numbers: npt.NDArray[np.int64]) -> pa.Array:
    """``<file>:<line>`` of each line."""
    return pc.binary_join_element_wise(file.name, pa.array(numbers).cast(pa.string()), ":")


def _daily_activity(reader: LineReader) -> Columns:
    day = reader.time("activitydate").floored_to_day()
    return {
        "user_id": reader.person(),
        "started_at": day,
        "ended_at": day.plus(_DAY),
        "steps": reader.number("totalsteps"),
        "calories_kcal": reader.number("calories"),
        "moderate_minutes": reader.number("fairlyactiveminutes"),
        "vigorous_minutes": reader.number("veryactiveminutes"),
        "distance_m": reader.number("totaldistance", 1000.0),
        "is_daily_total": reader.constant(value=True),
        "source": reader.constant(TRACKER),
    }


def _hourly_activity(reader: LineReader) -> Columns:
    hour = reader.time("activityhour")
    return {
        "user_id": reader.person(),
        "started_at": hour,
        "ended_at": hour.plus(_HOUR),
        "steps": reader.number("steptotal"),
        "calories_kcal": reader.number("calories"),
        "intensity_points": reader.number("totalintensity"),
        "is_daily_total": reader.constant(value=False),
        "source": reader.constant(TRACKER),
    }


def _sleep_day(reader: LineReader) -> Columns:
    night = reader.time("sleepday")
    return {
        "user_id": reader.person(),
        "night_on": replace(night, values=night.values.cast(pa.date32(), safe=False)),
        "asleep_minutes": reader.number("totalminutesasleep"),
        "in_bed_minutes": reader.number("totaltimeinbed"),
        "source": reader.constant(TRACKER),
    }


def _minute_sleep(reader: LineReader) -> Columns:
    log_id, texts = reader.text("logid"), reader.text("value")
    minute, person, state = reader.time("date"), reader.person(), reader.number("value")
    is_known = as_mask(pc.is_in(state.values, pa.array([1.0, 2.0, 3.0])))
    reader.refuse(~is_known, "value", "unknown_code")
    reader.refuse(as_mask(pc.equal(log_id, "")), "logid", "missing")
    is_asleep = pc.equal(state.values, 1.0).cast(pa.int64())
    return {
        "user_id": person,
        "started_at": minute,
        "log_id": Cells(log_id, log_id),
        # No number in a rejected row: a single minute must not pass for a session.
        "asleep_minutes": Cells(
            is_asleep, pc.binary_join_element_wise("value", texts, " "), is_text_kept=True
        ),
        "source": reader.constant(TRACKER),
    }


def _weight_log(reader: LineReader) -> Columns:
    log_id = reader.text("logid")
    is_manual = pc.equal(pc.utf8_lower(reader.text("ismanualreport")), "true")
    source = pc.if_else(is_manual, MANUAL, SCALE)
    reading_id = pc.if_else(pc.equal(log_id, ""), pa.scalar(None, pa.string()), log_id)
    return {
        "user_id": reader.person(),
        "reading_id": Cells(reading_id, log_id),
        "metric": reader.constant("weight"),
        "value": reader.number("weightkg"),
        "unit": reader.constant("kg"),
        "recorded_at": reader.time("date"),
        "source": Cells(source, source),
    }


def _heart_rate(reader: LineReader) -> Columns:
    return {
        "user_id": reader.person(),
        "metric": reader.constant("heart_rate"),
        "value": reader.number("value"),
        "unit": reader.constant("bpm"),
        "recorded_at": reader.time("time"),
        "source": reader.constant(TRACKER),
    }


_MAPPINGS: dict[Kind, Callable[[LineReader], Columns]] = {
    formats.DAILY_ACTIVITY: _daily_activity,
    formats.HOURLY_ACTIVITY: _hourly_activity,
    formats.SLEEP_DAY: _sleep_day,
    formats.MINUTE_SLEEP: _minute_sleep,
    formats.WEIGHT_LOG: _weight_log,
    formats.HEART_RATE: _heart_rate,
}
