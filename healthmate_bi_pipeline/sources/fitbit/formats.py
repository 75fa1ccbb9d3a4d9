"""The files of a Fitbit export, recognised by their headers.

Column names are compared without regard to case. Add a kind here when a further file is to be read, and its
mapping in ``mapping``.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from healthmate_bi_pipeline.errors import UnreadableFileError

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_LONGEST_HEADER = 1 << 16


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        label: what messages call it.
        dataset: where its rows go.
        moment: the column of our rows that orders them in time.
        required: columns that the header has.
        any_of: columns of which the header has at least one; empty if that does not matter.
        unused_because: why its rows are not wanted; ``None`` if they are.
    """

    label: str
    dataset: str
    moment: str
    required: frozenset[str]
    any_of: frozenset[str] = frozenset()
    unused_because: str | None = None

    def is_header(self, columns: tuple[str, ...]) -> bool:
        """Whether a file with these columns is of this kind."""
        names = frozenset(columns)
        return self.required <= names and (not self.any_of or bool(self.any_of & names))


def _kind(label: str, target: str, required: str, any_of: str = "") -> Kind:
    dataset, _, moment = target.partition(".")
    return Kind(label, dataset, moment, frozenset(required.split()), frozenset(any_of.split()))


def _unused(label: str, required: str, reason: str) -> Kind:
    return Kind(label, "", "", frozenset(required.split()), unused_because=reason)


DAILY_ACTIVITY = _kind("dailyActivity", "activity_intervals.started_at", "id activitydate totalsteps")
HOURLY_ACTIVITY = _kind(
    "hourlySteps, hourlyCalories, hourlyIntensities", "activity_intervals.started_at",
    "id activityhour", "steptotal calories totalintensity",
)  # fmt: skip
SLEEP_DAY = _kind("sleepDay", "sleep_sessions.night_on", "id sleepday totalminutesasleep totaltimeinbed")
MINUTE_SLEEP = _kind("minuteSleep", "sleep_sessions.started_at", "id date value logid")
WEIGHT_LOG = _kind("weightLogInfo", "health_readings.recorded_at", "id date weightkg logid")
HEART_RATE = _kind("heartrate_seconds", "health_readings.recorded_at", "id time value")

_BY_THE_MINUTE = "by the minute, while activity is kept by the hour"

KINDS: tuple[Kind, ...] = (
    DAILY_ACTIVITY,
    HOURLY_ACTIVITY,
    SLEEP_DAY,
    MINUTE_SLEEP,
    WEIGHT_LOG,
    HEART_RATE,
    _unused(
        "minuteSteps, minuteCalories, minuteIntensities, minuteMETs", "id activityminute", _BY_THE_MINUTE
    ),
    _unused("minuteStepsWide", "id activityhour steps00", _BY_THE_MINUTE),
    _unused("minuteCaloriesWide", "id activityhour calories00", _BY_THE_MINUTE),
    _unused("minuteIntensitiesWide", "id activityhour intensity00", _BY_THE_MINUTE),
    _unused(
        "dailySteps, dailyCalories, dailyIntensities", "id activityday", "a part of what dailyActivity holds"
    ),
)
"""Every kind that is known; the first that fits a header counts."""

READ_KINDS = tuple(kind for kind in KINDS if kind.unused_because is None)


@dataclass(frozen=True)
class ExportFile:
    """A file of an export that is to be read.

    Attributes:
        path: where it is.
        name: its path below the imported folder, with slashes.
        kind: what it holds.
        columns: its header, in lower case.
    """

    path: Path
    name: str
    kind: Kind
    columns: tuple[str, ...]


def open_file(path: Path) -> BinaryIO:
    """Open a plain or gzip file, told apart by their first bytes."""
    file = path.open("rb")
    if file.read(2) == _GZIP_MAGIC:
        file.close()
        return cast("BinaryIO", gzip.open(path, "rb"))
    file.seek(0)
    return file


def read_header(path: Path) -> tuple[str, ...]:
    """The columns that a CSV file's first line names, in lower case; empty if that line is no text.

    Raises:
        UnreadableFileError: the file cannot be opened or unpacked.
    """
    try:
        with open_file(path) as file:
            line = file.readline(_LONGEST_HEADER)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"{path.name} cannot be opened or unpacked.") from error
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ()
    return tuple(cell.strip(' "\r\n').lower() for cell in text.split(","))


def recognise(path: Path, name: str) -> ExportFile | str:
    """A file as one to be read, or the reason why it is none.

    Raises:
        UnreadableFileError: the file cannot be opened or unpacked.
    """
    columns = read_header(path)
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        return "it is empty"
    if start == _ZIP_MAGIC:
        return "it is an archive, which must be unpacked first"
    kind = next((kind for kind in KINDS if kind.is_header(columns)), None)
    if kind is None:
        return "its first line is not the header of a known file of an export"
    if kind.unused_because is not None:
        return kind.unused_because
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        return f"its header names a column twice: {', '.join(twice)}"
    return ExportFile(path=path, name=name, kind=kind, columns=columns)


def files_below(folder: Path) -> list[tuple[Path, str]]:
    """All files of a folder and its subfolders with their names below it, hidden ones left out, in order."""
    found = [
        (path, path.relative_to(folder).as_posix())
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    return sorted(found, key=lambda item: item[1])
