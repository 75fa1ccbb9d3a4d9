"""The rows of a demo file, before they are given a clock and a format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Times


class Format(StrEnum):
    """What a file is written in; the value is the ending of its name."""

    PARQUET = "parquet"
    CSV = "csv"
    CSV_GZIP = "csv.gz"
    CSV_ZSTD = "csv.zst"
    NDJSON = "ndjson"
    NDJSON_GZIP = "ndjson.gz"
    NDJSON_ZSTD = "ndjson.zst"


class Clock(StrEnum):
    """How a device writes times."""

    UTC = "UTC"
    LOCAL_WITH_OFFSET = "wall-clock time with its offset"  # in text only
    WALL = "wall-clock time"


@dataclass(frozen=True)
class FileStyle:
    """The files of one device or program: a year or a quarter each, and what came too late for them apart.

    Attributes:
        dataset: where they go.
        device: what they are called by.
        format: what they are written in.
        clock: how they write times.
        has_offset: they have the column ``utc_offset_minutes``.
        has_updated_at: all rows say when they were changed, and not only the changed ones.
        is_quarterly: a file holds a quarter.
        is_tidy: nothing is late, corrected or wrong.
        comes_twice: the first file is delivered once more, under another name.
    """

    dataset: str
    device: str
    format: Format
    clock: Clock
    has_offset: bool = False
    has_updated_at: bool = False
    is_quarterly: bool = False
    is_tidy: bool = False
    comes_twice: bool = False

    def file_name(self, part: str, *, again: str = "") -> str:
        """The name of a part; ``again`` tells a copy from it."""
        return f"demo-{self.device}{again}-{part}.{self.format}"


@dataclass(frozen=True)
class DemoRows:
    """Rows of one style.

    Attributes:
        style: of their files.
        person: the number of each row's person in the block.
        day: the number of the day on which it was recorded.
        table: the columns of the dataset; times are UTC, whatever the file will say.
        recorded_at: when each row was first known, UTC.
        marks: which rows were made wrong, or odd, from the start, by what is odd about them.
    """

    style: FileStyle
    person: Integers
    day: Integers
    table: pa.Table
    recorded_at: Times
    marks: Mapping[str, Flags] = field(default_factory=dict)


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row."""
    texts = [part if isinstance(part, str) else part.cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def instants(utc: Times) -> pa.Array:
    """Instants (UTC) as a column; NaT is null."""
    return pa.array(utc.astype("datetime64[us]"), pa.timestamp("us"))


def coded(codes: npt.NDArray[Any], texts: tuple[str, ...]) -> pa.Array:
    """Texts by their numbers, kept as such until they are written."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(texts, pa.string()))


def same(text: str, count: int) -> pa.Array:
    """The same text in every row."""
    return coded(np.zeros(count, dtype=np.int8), (text,))


def constant(value: bool, count: int) -> pa.Array:  # noqa: FBT001 - it is a value, no switch
    """The same truth in every row."""
    return pa.repeat(value, count)
