"""CSV lines → columns of text with the number of each line; what cannot be split is told apart.

No quoted cell of these files holds a comma or a line break, so that a line is a line: quotes are only taken
off. That keeps one stray quote from swallowing the lines behind it, and the numbers of the lines right.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from healthmate_bi_pipeline.errors import UnreadableFileError
from healthmate_bi_pipeline.sources.fitbit.formats import ExportFile, open_file

BLOCK_BYTES = 4 << 20
"""Bytes of text that are read at a time: 115,000 lines of heart rate. The import then holds 0.4 GB; with 16
MB it holds 0.8 GB and is no faster (11 million lines, 11 s)."""

Malformed = Callable[[int, str], None]
"""Called with the number and the text of a line that cannot be split."""


@dataclass(frozen=True)
class Lines:
    """Some lines of a file: their numbers, the header being 1, and their cells by column, without quotes."""

    numbers: npt.NDArray[np.int64]
    cells: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.numbers)

    def text_of(self, place: int) -> str:
        """A line as it was, quotes and spaces around cells apart."""
        return ",".join(str(cells[place]) for cells in self.cells.values())


def read_lines(file: ExportFile, *, malformed: Malformed, block_bytes: int = BLOCK_BYTES) -> Iterator[Lines]:
    """The lines of a file, some at a time; blank ones are left out.

    Raises:
        UnreadableFileError: the file ends in the middle of its packing, or a line is longer than a block.
    """
    broken: dict[int, str] = {}
    next_line = 2

    def note(row: pa_csv.InvalidRow) -> str:
        broken[row.number] = row.text
        return "skip"

    try:
        with open_file(file.path) as source:
            reader = pa_csv.open_csv(
                pa.PythonFile(_AlwaysUtf8(source), mode="r"),
                read_options=pa_csv.ReadOptions(
                    use_threads=False, block_size=block_bytes, column_names=file.columns, skip_rows=1
                ),
                # An empty line becomes a row of empty cells, so that it is counted.
                parse_options=pa_csv.ParseOptions(
                    quote_char=False, ignore_empty_lines=False, invalid_row_handler=note
                ),
                convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(file.columns, pa.string())),
            )
            for batch in reader:
                numbers, next_line = _number(batch.num_rows, next_line, broken)
                lines, undecodable = _clean(numbers, batch)
                for number, text in sorted((undecodable | _take_before(broken, next_line)).items()):
                    malformed(number, text)
                if len(lines):
                    yield lines
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
        raise UnreadableFileError(f"{file.name} cannot be read to its end.") from error
    for number, text in sorted(broken.items()):
        malformed(number, _original(text)[0])


class _AlwaysUtf8(io.RawIOBase):
    """Bytes as they are where they are ASCII, else each as the character of its number.

    The CSV reader fails on a line that is no UTF-8; this way it sees none, and the original bytes can be had
    back cell by cell.
    """

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        return data if data.isascii() else data.decode("latin-1").encode()


def _original(text: str) -> tuple[str, bool]:
    """A text before ``_AlwaysUtf8``, and whether it was UTF-8."""
    data = text.encode("latin-1")
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode(errors="backslashreplace"), False


def _number(count: int, first: int, broken: dict[int, str]) -> tuple[npt.NDArray[np.int64], int]:
    """The numbers of ``count`` good lines from ``first`` on, and the number of the line behind them."""
    skipped = np.array(sorted(number for number in broken if number >= first), dtype=np.int64)
    # The n-th broken line stands before every good line whose rank is at least its own number less n.
    before = np.searchsorted(skipped - np.arange(len(skipped)) - first, np.arange(count), side="right")
    numbers = first + np.arange(count, dtype=np.int64) + before
    return numbers, int(numbers[-1]) + 1 if count else first


def _take_before(broken: dict[int, str], line: int) -> dict[int, str]:
    """Remove and return the broken lines before a line."""
    return {number: _original(broken.pop(number))[0] for number in [n for n in broken if n < line]}


def _clean(numbers: npt.NDArray[np.int64], batch: pa.RecordBatch) -> tuple[Lines, dict[int, str]]:
    """The lines without blank ones, and those that are no UTF-8."""
    cells = {
        name: pc.utf8_trim(column, ' "')
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    keep = np.zeros(len(numbers), dtype=bool)
    strange = np.zeros(len(numbers), dtype=bool)
    for column in cells.values():
        keep |= pc.not_equal(column, "").to_numpy(zero_copy_only=False)
        strange |= ~pc.string_is_ascii(column).to_numpy(zero_copy_only=False)
    undecodable: dict[int, str] = {}
    if strange.any():
        cells, undecodable = _decode(numbers, cells, strange)
        keep &= ~np.isin(numbers, list(undecodable))
    if not keep.all():
        cells = {name: column.filter(pa.array(keep)) for name, column in cells.items()}
        numbers = numbers[keep]
    return Lines(numbers, cells), undecodable


def _decode(
    numbers: npt.NDArray[np.int64], cells: dict[str, pa.Array], strange: npt.NDArray[np.bool_]
) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """The cells with their original text, and the lines that were no UTF-8."""
    places = np.flatnonzero(strange)
    undecodable: dict[int, str] = {}
    originals = {
        name: [_original(text) for text in column.take(places).to_pylist()] for name, column in cells.items()
    }
    for rank, place in enumerate(places):
        if not all(column[rank][1] for column in originals.values()):
            undecodable[int(numbers[place])] = ",".join(column[rank][0] for column in originals.values())
    mask = pa.array(strange)
    repaired = {
        name: pc.replace_with_mask(column, mask, pa.array([text for text, _ in originals[name]], pa.string()))
        for name, column in cells.items()
    }
    return repaired, undecodable
