"""Checks that files come with the columns that they used to come with.

A landing file may lack an optional column and may have more than its dataset knows. So nothing is refused when an
exporter drops ``unit``, calls it ``units``, or writes a number as text: the figures just become null. This tells it,
from the books alone.

Compared are the files that were read in the last ``TOLD_FOR`` with those that were read before them: in the delivery
before, however long ago, and in the ``REACH`` before that. A change is

- a column of the dataset that nearly all files before had, and this one has not;
- a column that the dataset does not know and no file before had;
- a column of the dataset with a type that none of them had. Only Parquet has types, and a column without a single
  value has none there either; whole and other numbers are the same.

No change is

- what one of the files before had all of, types too: exporters of different make may deliver in alternation;
- a known column more: that is how a dataset is meant to grow;
- the first delivery, and what lies in one delivery: nothing of it is before the other. Columns that nobody reads are
  counted and named of it all the same; it fails for one that is spelled nearly like a column that it lacks.

A change that is wanted needs nothing: after ``TOLD_FOR`` it is what files are compared with. It is told for that long
also when the next file is as it was before, since the rows in between still lack what they lack. A file that was
delivered once more, with the column, is another file: the old one is told until its time is over.

Files and columns are named, as in the messages of ingest; a name that does not look like a column's was never kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from healthmate_bi_pipeline.catalog.datasets import DATASETS, Dataset
from healthmate_bi_pipeline.domain.file_columns import Drift, find_drift, unread_columns, with_meant
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.usecases.checks.judging import CheckSpec, Measurement
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse.file_columns import NewColumns, find_new_columns

TOLD_FOR = timedelta(days=14)
"""So long a change is told; then it is how it is."""

REACH = timedelta(days=35)
"""What delivers at least monthly is among the files before."""

MOST_CHANGES = 5
MOST_COLUMNS = 8
"""So many are named; how many more there are is said."""


def _changed_columns(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    del window  # files have no days
    known = [field.name for field in dataset.fields]
    with pipeline.warehouse.transaction() as connection:
        files, found = find_new_columns(connection, dataset.name, since=pipeline.now - TOLD_FOR, reach=REACH)
    changes = [(new, drift) for new in found if (drift := _drift_of(new, known))]
    # The same columns may be new twice; the first count holds the second.
    changed = {frozenset(new.columns.items()): new.files for new, _ in reversed(changes)}
    first = {name for new in found if not new.files_before for name in unread_columns(new.columns, known)}
    unread = sorted(first.difference(*(drift.unknown for _, drift in changes)))
    told = [_change(dataset, new, drift, known) for new, drift in changes[:MOST_CHANGES]]
    if more := len(changes) - len(told):
        told.append(f"{more} more changes.")
    if unread:
        told.append(f"Of the first files nobody reads {_listed(unread)}.")
    return Measurement(
        sum(changed.values()),
        files,
        {
            "columns lost": len({name for _, drift in changes for name in drift.lost}),
            "columns unknown": len({name for _, drift in changes for name in drift.unknown}),
            "columns of another type": len({one.name for _, drift in changes for one in drift.retyped}),
            "unread columns of first files": len(unread),
        },
        note=f"No file came in the last {TOLD_FOR.days} days.",
        details=" ".join(told),
    )


def _drift_of(new: NewColumns, known: Sequence[str]) -> Drift:
    return find_drift(new.columns, new.before, files=new.files_before, known=known)


def _change(dataset: Dataset, new: NewColumns, drift: Drift, known: Sequence[str]) -> str:
    more = f" and {new.files - 1} more" if new.files > 1 else ""
    return f"{dataset.name}/{new.name}{more}: {'; '.join(_differences(new, drift, known))}."


def _differences(new: NewColumns, drift: Drift, known: Sequence[str]) -> Iterator[str]:
    if drift.lost:
        yield f"without {_listed(drift.lost)}, which nearly all files before had ({new.files_before})"
    if drift.unknown:
        yield f"nobody reads {_listed(with_meant(drift.unknown, new.columns, known))}"
    if drift.retyped:
        yield _listed([f"{one.name} is {one.now} and was {' or '.join(one.before)}" for one in drift.retyped])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_COLUMNS])
    return f"{shown} and {len(names) - MOST_COLUMNS} more" if len(names) > MOST_COLUMNS else shown


DRIFT: tuple[CheckSpec, ...] = tuple(
    CheckSpec(
        "columns_are_usual",
        f"staged/{dataset.name}",
        "Files have the columns that the files before them had, of the same types.",
        partial(_changed_columns, dataset=dataset),
        is_of_all=True,
        counted="files",
        severity=Severity.WARNING,
    )
    for dataset in DATASETS
)
