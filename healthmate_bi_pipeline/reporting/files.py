"""Where reports lie below the reports folder, and how files get there: whole or not at all.

``<type>/<cadence or range>/<first day>_<last day>/v<n>.html|json``, and beside them ``v<n>.<table>.csv`` for the
figures of each table and chart; personal reports lie under ``personal/`` with the same names, readable by their
owner only.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Literal

from healthmate_bi_pipeline.catalog.reports import REPORT_CADENCES, REPORT_TYPE_BY_NAME
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import UsageError, telling_full_disk
from healthmate_bi_pipeline.reporting.document import RANGE, Audience

PERSONAL_FOLDER = "personal"
CADENCES = (*REPORT_CADENCES, RANGE)
_TABLE = re.compile(r"[A-Za-z0-9_-]*")
_FOLDER = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)")


def report_path(
    report_type: str,
    *,
    cadence: str,
    window: Window,
    version: int,
    extension: Literal["html", "json", "csv"],
    audience: Audience = "groups",
    table: str = "",
) -> PurePosixPath:
    """The path of a report's file below the reports folder; a CSV file has a table's or a chart's name.

    >>> from datetime import date
    >>> march = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
    >>> str(report_path("health_summary", cadence="monthly", window=march, version=2, extension="html"))
    'health_summary/monthly/2026-03-01_2026-03-31/v2.html'

    Raises:
        UsageError: there is no such type, cadence, version, extension or table.
    """
    if report_type not in REPORT_TYPE_BY_NAME:
        raise UsageError(
            f"There is no report type {report_type!r}; there are {', '.join(REPORT_TYPE_BY_NAME)}."
        )
    if cadence not in CADENCES:
        raise UsageError(f"There is no cadence {cadence!r}; there are {', '.join(CADENCES)}.")
    if version < 1 or extension not in {"html", "json", "csv"}:
        raise UsageError(f"A report's file is v1.html, v1.json, v2.html …; v{version}.{extension} is none.")
    if bool(table) != (extension == "csv") or not _TABLE.fullmatch(table):
        raise UsageError(f"A CSV file has the name of a table, as in v1.rows.csv; {table!r} is none.")
    days = f"{window.first_day:%Y-%m-%d}_{window.last_day:%Y-%m-%d}"
    name = f"v{version}.{table}.csv" if table else f"v{version}.{extension}"
    path = PurePosixPath(report_type, str(cadence), days, name)
    return PERSONAL_FOLDER / path if audience == "personal" else path


def write_file(root: Path, path: PurePosixPath | str, *, text: str) -> Path:
    """Write a file below the reports folder so that it is there whole or not at all.

    What lies under ``personal/`` gets mode 0600 in folders of mode 0700, everything else what the process's
    mask allows.

    Raises:
        UsageError: the path leads out of the folder, or nothing may be written there.
        DiskFullError: there is no room for it.
    """
    target = _confined(root, path=PurePosixPath(path))
    is_private = PurePosixPath(path).parts[0] == PERSONAL_FOLDER
    try:
        with telling_full_disk("the reports", root):
            _make_folders(root.resolve(), target.parent, is_private=is_private)
            _write_whole(target, text=text, mode=0o600 if is_private else 0o666)
    except PermissionError:
        raise UsageError(
            f"The reports folder {root} may not be written to. Let this user write there, or set HEALTHMATE_REPORTS."
        ) from None
    return target


def _write_whole(target: Path, *, text: str, mode: int) -> None:
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def report_folders(
    root: Path, report_type: str, *, cadence: str, audience: Audience = "groups"
) -> list[tuple[Window, Path]]:
    """The folders of the reports of a type and cadence, with the days that each is about, in order."""
    parent = (root / PERSONAL_FOLDER if audience == "personal" else root) / report_type / cadence
    found = []
    for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
        days = _FOLDER.fullmatch(folder.name)
        if days is not None and folder.is_dir() and not folder.is_symlink():
            first, last = (date.fromisoformat(day) for day in days.groups())
            found.append((Window.of_days(first, last), folder))
    return found


def remove_folder(root: Path, folder: Path) -> None:
    """Delete the files of all versions of a report; it may be gone already.

    Raises:
        UsageError: the folder is none of the reports folder.
    """
    shutil.rmtree(_confined(root, path=PurePosixPath(folder.relative_to(root))), ignore_errors=False)


def _confined(root: Path, *, path: PurePosixPath) -> Path:
    """The place of a path below the root, links followed."""
    target = (root / path).resolve()
    if (
        path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or not target.is_relative_to(root.resolve())
    ):
        raise UsageError(f"The path {str(path)!r} does not lie in the reports folder.")
    return target


def _make_folders(root: Path, folder: Path, *, is_private: bool) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for depth in range(len(folder.relative_to(root).parts) - 1, -1, -1):
        one = folder if depth == 0 else folder.parents[depth - 1]
        one.mkdir(mode=0o700 if is_private else 0o777, exist_ok=True)
