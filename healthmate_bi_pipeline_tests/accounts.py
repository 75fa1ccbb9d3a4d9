"""The lake's tables as frames, and whether all books balance: counted here from the lake, not by the checks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from healthmate_bi_pipeline.catalog.datasets import DATASETS, PARTITIONED_DATASETS, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import quarantine_table, raw_table, staged_table
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import query

FATES = ("kept", "duplicates", "superseded", "quarantined")
INGEST = ("staged", "raw")
"""The groups of assets from the landing folder to checked rows."""


def lake_frame(pipeline: Pipeline, name: str) -> pd.DataFrame:
    """All rows of a lake table; an empty frame when nothing was ever written to it."""
    table = pipeline.lake.open(name)
    return pd.DataFrame() if table is None else table.to_pandas()


def day_counts(pipeline: Pipeline, dataset: Dataset) -> dict[date, dict[str, Any]]:
    """What the books say of a dataset's raw days."""
    rows = query(
        pipeline, "SELECT partition, counts FROM bi_partitions WHERE asset = :asset", asset=f"raw/{dataset.name}"
    )  # fmt: skip
    return {} if rows.empty else dict(zip(rows["partition"], rows["counts"], strict=True))


def fates(pipeline: Pipeline, dataset: Dataset) -> dict[str, int]:
    """Rows of all days by what became of them; what there is none of is left out."""
    totals = dict.fromkeys(FATES, 0)
    for counts in day_counts(pipeline, dataset).values():
        for fate in FATES:
            totals[fate] += counts.get(fate, 0)
    return {fate: number for fate, number in totals.items() if number}


def rules(pipeline: Pipeline, dataset: Dataset) -> dict[str, int]:
    """Quarantined rows of all days by rule."""
    frame = lake_frame(pipeline, quarantine_table(dataset).name)
    return {} if frame.empty else {str(rule): int(n) for rule, n in frame["rule"].value_counts().items()}


def assert_books_balance(pipeline: Pipeline) -> None:
    """Every line of every file is accounted for, in the books and in the lake, on one day and with one fate.

    Everything must have been made up to the raw days.
    """
    files = query(pipeline, "SELECT * FROM bi_ingested_files")
    for dataset in DATASETS:
        staged = lake_frame(pipeline, staged_table(dataset).name)
        own = files[files["dataset"] == dataset.name] if len(files) else files
        if staged.empty:
            assert own.empty or own["lines"].sum() == 0
            continue
        assert not staged.duplicated(["file_hash", "row_number"]).any()
        assert (own["lines"] == own["rows"] + own["rejected"]).all()
        assert (own["rows"] == own["staged"] + own["undated"]).all()
        in_lake = staged.groupby("file_hash").agg(
            file_number=("file_number", "first"),
            lines=("row_number", "size"),
            rejected=("defect", lambda defects: (defects == "malformed_line").sum()),
            staged=("defect", lambda defects: defects.isna().sum()),
        )
        in_books = own[own["lines"] > 0].set_index("file_hash")[list(in_lake.columns)]
        pd.testing.assert_frame_equal(
            in_lake.sort_index(), in_books.sort_index(), check_dtype=False, check_names=False
        )
    for dataset in PARTITIONED_DATASETS:
        _assert_days_balance(pipeline, dataset)


def _assert_days_balance(pipeline: Pipeline, dataset: Dataset) -> None:
    staged = lake_frame(pipeline, staged_table(dataset).name)
    if staged.empty:
        return
    per_staged_day = query(
        pipeline,
        "SELECT day, sum(rows) AS rows FROM bi_ingested_file_days WHERE dataset = :dataset GROUP BY day"
        " HAVING sum(rows) > 0",
        dataset=dataset.name,
    )
    booked = (
        {} if per_staged_day.empty else dict(zip(per_staged_day["day"], per_staged_day["rows"], strict=True))
    )
    assert booked == staged[staged["defect"].isna()].groupby("day").size().to_dict()
    days = day_counts(pipeline, dataset)
    for day, counts in days.items():
        assert counts.get("staged", 0) == sum(counts.get(fate, 0) for fate in FATES), day
        assert counts.get("quarantined", 0) == sum(counts.get("rules", {}).values()), day
    assert sum(counts.get("staged", 0) for counts in days.values()) == int(staged["defect"].isna().sum())
    kept = lake_frame(pipeline, raw_table(dataset).name)
    kept = kept[kept["piece"] == 0] if "piece" in kept.columns else kept
    bad = lake_frame(pipeline, quarantine_table(dataset).name)
    for fate, rows in (("kept", kept), ("quarantined", bad)):
        expected = {day: counts[fate] for day, counts in days.items() if counts.get(fate, 0)}
        assert expected == ({} if rows.empty else rows.groupby("day").size().to_dict()), fate
        if not rows.empty:
            assert not rows.duplicated(["file_number", "row_number"]).any()
