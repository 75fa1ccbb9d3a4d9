"""The rows of a demo file, before they are given a clock and a format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.demo.clocks import Integers


class Format(StrEnum):
    """What a file is written in; the value is the ending of its name."""

    PARQUET = "parquet"
    CSV = "csv"
    CSV_GZIP = "csv.gz"
    CSV_ZSTD = "csv.zst"
    NDJSON = "ndjson"
    NDJSON_ZSTD = "ndjson.zst"


class Clock(StrEnum):
    """How a device writes times."""

    UTC = "UTC"
    LOCAL_WITH_OFFSET = "wall-clock time with its offset"  # in text only
    WALL = "wall-clock time"


@dataclass(frozen=True)
class FileStyle:
    """A file of the demo, in two parts: what arrives in time, and what comes later.

    Attributes:
        dataset: where it goes.
        device: what it is called by.
        format: what it is written in.
        clock: how it writes times.
        has_offset: it has the column ``utc_offset_minutes``.
        has_updated_at: all of its rows say when they were changed, and not only the changed ones.
    """

    dataset: str
    device: str
    format: Format
    clock: Clock
    has_offset: bool = False
    has_updated_at: bool = False

    def file_name(self, part: int) -> str:
        """The name of its first or second part; the second sorts behind, and so counts as later."""
        return f"demo-{self.device}-{part}.{self.format}"


@dataclass(frozen=True)
class DemoRows:
    """Rows of one file.

    Attributes:
        style: the file.
        person: the number of each row's person in the block.
        day: the number of the day on which it was recorded.
        table: the columns of the dataset; times are UTC, whatever the file will say.
        moment: the column that orders the rows in time.
    """

    style: FileStyle
    person: Integers
    day: Integers
    table: pa.Table
    moment: str


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row."""
    texts = [part if isinstance(part, str) else part.cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def instants(utc: npt.NDArray[np.datetime64]) -> pa.Array:
    """Instants (UTC) as a column; NaT is null."""
    return pa.array(utc.astype("datetime64[us]"), pa.timestamp("us"))


def constant(value: str | bool, count: int) -> pa.Array:  # noqa: FBT001 - it is a value, no switch
    """The same value in every row."""
    return pa.repeat(value, count)
