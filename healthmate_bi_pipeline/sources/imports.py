"""What an importer of a foreign format hands back: files, rows, identities, and all that it did not take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Progress = Callable[[str, float], None]
"""Called with what is being worked on and the share of all work that is done, 0 to 1."""


def no_progress(what: str, share: float) -> None:
    """The progress that nobody looks at."""


@dataclass(frozen=True, order=True)
class Problem:
    """One place of the input that cannot be used as it is.

    Attributes:
        file: path below the imported folder.
        line: line of the file, the header being 1; ``None`` if it is about the whole file.
        column: the input's column, if it is about one.
        rule: the name of the rule, see ``catalog.rules``.
    """

    file: str
    line: int | None
    column: str | None
    rule: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.rule}:{self.column}" if self.column else f"{place}: {self.rule}"


@dataclass(frozen=True)
class InputFile:
    """A file that was read: ``lines`` without the header and blank ones, ``rejected`` of them set aside."""

    path: str
    kind: str
    lines: int
    rejected: int


@dataclass(frozen=True)
class UnusedFile:
    """A file that was found and not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    Every line of an input file is in a row of the landing files, or merged into one (two exports that hold
    the same hour), or in a file of rejected rows, which the ordinary ingest sets aside by its own rules.

    Attributes:
        files: the landing files that were written, those of rejected rows among them.
        rows: rows per dataset, without the rejected ones.
        rejected: rejected rows per dataset.
        identities: ``pyarrow.Table`` of user_id (int64) and foreign_id (string), ordered by foreign_id; ``None``:
            the input is not about people.
        inputs: the files that were read.
        unused: the files that were not.
        problems: what is wrong where; at most ``MAX_PROBLEMS_PER_FILE`` per file, all of them are counted in
            ``inputs``.
    """

    files: tuple[Path, ...]
    rows: Mapping[str, int]
    rejected: Mapping[str, int]
    identities: Any
    inputs: tuple[InputFile, ...]
    unused: tuple[UnusedFile, ...]
    problems: tuple[Problem, ...]


MAX_PROBLEMS_PER_FILE = 1_000
