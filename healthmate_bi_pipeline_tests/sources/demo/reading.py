"""Demo files read back with pandas, and judged by the catalog: a second way beside the ingest's."""

import io
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.catalog.readings import METRIC_BY_CODE


def read_file(path: Path) -> pd.DataFrame:
    """A landing file as it is; times in text stay text."""
    name = path.name
    if name.endswith(".parquet"):
        return pd.read_parquet(path)
    packing = {"gz": "gzip", "zst": "zstd"}.get(name.rsplit(".", 1)[-1])
    with pa.input_stream(str(path), compression=packing) as stream:
        data = stream.read()
    if "ndjson" in name:
        return pd.DataFrame([json.loads(line) for line in data.splitlines()])
    return pd.read_csv(io.BytesIO(data))


def read_device(landing: Path, dataset: str, device: str, part: int = 1) -> pd.DataFrame:
    """A part of a device's file."""
    (path,) = (landing / dataset).glob(f"demo-{device}-{part}.*")
    return read_file(path)


def read_dataset(landing: Path, dataset: str) -> pd.DataFrame:
    """All files of a dataset, with the name of each."""
    frames = [read_file(path).assign(file=path.name) for path in sorted((landing / dataset).iterdir())]
    frames = [frame.dropna(axis="columns", how="all") for frame in frames]
    for frame in frames:
        for column in frame.columns.intersection(["recorded_at", "started_at", "ended_at", "updated_at"]):
            frame[column] = instants(frame[column])
    return pd.concat(frames, ignore_index=True)


def instants(times: pd.Series) -> pd.Series:
    """Times with an offset as UTC; wall-clock times as if they were UTC."""
    return pd.to_datetime(times, utc=True, format="ISO8601")


def count_bad(frame: pd.DataFrame, dataset: str) -> int:
    """How many rows break a rule of the catalog."""
    if dataset == "health_readings":
        metrics = frame["metric"].map(METRIC_BY_CODE)
        low, high = (metrics.map(lambda metric, side=side: metric.hard[side]) for side in (0, 1))
        units = {
            (metric.code, unit.spelling): unit for metric in METRIC_BY_CODE.values() for unit in metric.units
        }
        unit = pd.Series(list(zip(frame["metric"], frame["unit"], strict=True)), frame.index).map(units)
        factor = unit.map(lambda unit: unit.factor, na_action="ignore").astype(float)
        offset = unit.map(lambda unit: unit.offset, na_action="ignore").astype(float)
        kept = frame["value"] * factor + offset
        return int((frame["recorded_at"].isna() | unit.isna() | ~kept.between(low, high)).sum())
    bad = frame["started_at"].isna() | (frame["ended_at"] < frame["started_at"])
    for field in DATASET_BY_NAME[dataset].fields:
        if field.limits is not None and field.name in frame:
            bad |= frame[field.name].notna() & ~frame[field.name].between(*field.limits)
    return int(bad.sum())
