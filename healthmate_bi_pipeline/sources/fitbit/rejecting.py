"""The rows of a file that cannot be read: kept as text in a landing file of their own, and named."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.sources.fitbit.formats import ExportFile
from healthmate_bi_pipeline.sources.fitbit.mapping import Fault, MappedLines, malformed_row
from healthmate_bi_pipeline.sources.imports import MAX_PROBLEMS_PER_FILE, Problem
from healthmate_bi_pipeline.sources.writing import LandingBatch


class RejectedRows:
    """The rejected rows of one input file, written as a CSV file with all columns of its dataset.

    Rows are written as they come, so that a file of nothing but bad lines does not fill the memory. When the
    ``with`` block is left by an error, nothing of it reaches landing.

    Attributes:
        count: how many there are.
        problems: the first of them, by line, as messages name them.
    """

    def __init__(self, batch: LandingBatch, file: ExportFile) -> None:
        self._batch = batch
        self._file = file
        self._dataset = DATASET_BY_NAME[file.kind.dataset]
        self._stack = ExitStack()
        self._writer: Any = None
        self._part: Any = None
        self._problems: list[Problem] = []
        self.count = 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong in the file."""
        return tuple(sorted(self._problems, key=lambda problem: problem.line or 0))

    def add(self, mapped: MappedLines) -> None:
        """Take the rejected rows of some lines."""
        self._note(mapped.faults)
        if mapped.rejected.num_rows:
            self._write(mapped.rejected.to_pylist())

    def add_malformed(self, line: int, text: str) -> None:
        """Take a line that could not be split."""
        self._note((Fault(line, None, "malformed_line"),))
        self._write([malformed_row(self._file, line=line, text=text, moment=self._dataset.moment[0])])

    def _note(self, faults: tuple[Fault, ...]) -> None:
        self.count += len(faults)
        room = MAX_PROBLEMS_PER_FILE - len(self._problems)
        self._problems += [
            Problem(self._file.name, fault.line, fault.column, fault.rule) for fault in faults[:room]
        ]

    def _write(self, rows: list[dict[str, str]]) -> None:
        if self._writer is None:
            self._part = self._batch.start(self._dataset.name)
            stream = self._stack.enter_context(self._part.open("w", encoding="utf-8", newline=""))
            columns = [*(field.name for field in self._dataset.fields), "line"]
            self._writer = csv.DictWriter(stream, columns, lineterminator="\n")
            self._writer.writeheader()
        # A NUL byte ends a text for some readers of CSV.
        self._writer.writerows(
            {name: text and text.replace("\0", "\N{REPLACEMENT CHARACTER}") for name, text in row.items()}
            for row in rows
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is None and self._part is not None:
            self._batch.finish(self._part, "fitbit-rejected-{digest}.csv")
