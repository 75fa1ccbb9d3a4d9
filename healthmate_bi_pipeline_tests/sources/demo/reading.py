"""Demo files read back with pandas, and judged by the catalog: a second way beside the ingest's."""

import io
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.catalog.readings import METRIC_BY_CODE
from healthmate_bi_pipeline.domain.time_zones import known_time_zones

TIMES = [
    "recorded_at", "started_at", "ended_at", "scheduled_at", "taken_at", "filled_at", "updated_at",
    "occurred_at", "sampled_at",
]  # fmt: skip
UNITS = {(metric.code, unit.spelling): unit for metric in METRIC_BY_CODE.values() for unit in metric.units}


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
    return pd.read_csv(io.BytesIO(data), keep_default_na=False, na_values=[""])


def files_of(landing: Path, dataset: str, device: str = "*") -> list[Path]:
    """The files of a device, those in time first of each year or quarter; without copies."""
    return sorted(path for path in (landing / dataset).glob(f"demo-{device}-*") if "_again" not in path.name)


def is_late_file(path: Path) -> bool:
    """Whether it holds what came later."""
    return "_late" in path.name


def read_device(landing: Path, dataset: str, device: str = "*", *, late: bool = False) -> pd.DataFrame:
    """All files of a device that came in time, or those that came late; times with an offset as instants."""
    frames = [
        read_file(path).assign(file=path.name)
        for path in files_of(landing, dataset, device)
        if is_late_file(path) == late
    ]
    frames = [frame.dropna(axis="columns", how="all") for frame in frames]
    for frame in frames:
        for column in frame.columns.intersection(TIMES):
            frame[f"{column}_local"] = local_times(frame[column])
            frame[column] = instants(frame[column])
    return pd.concat(frames, ignore_index=True)


def read_dataset(landing: Path, dataset: str) -> pd.DataFrame:
    """All files of a dataset, with the name of each."""
    parts = [read_device(landing, dataset)]
    if any(is_late_file(path) for path in files_of(landing, dataset)):
        parts.append(read_device(landing, dataset, late=True))
    return pd.concat(parts, ignore_index=True)


def instants(times: pd.Series) -> pd.Series:
    """Times with an offset as UTC; wall-clock times as if they were UTC."""
    return pd.to_datetime(times, utc=True, format="ISO8601").astype("datetime64[us, UTC]")


def local_times(times: pd.Series) -> pd.Series:
    """Times in text as the clock there showed them; others as they are, without a zone."""
    if isinstance(times.dtype, pd.DatetimeTZDtype) or times.dtype.kind == "M":
        return times.dt.tz_localize(None).astype("datetime64[us]")
    return pd.to_datetime(times.str.slice(0, 19), format="ISO8601").astype("datetime64[us]")


def good_readings(readings: pd.DataFrame) -> pd.DataFrame:
    """Readings that break no rule, with ``kept``, the value in the unit that is kept."""
    kept = kept_values(readings)
    return readings.assign(kept=kept)[~is_bad_reading(readings)]


def kept_values(readings: pd.DataFrame) -> pd.Series:
    pairs = list(zip(readings["metric"], readings["unit"], strict=True))
    known = {pair: UNITS.get(pair) for pair in set(pairs)}
    factor = [unit.factor if (unit := known[pair]) else float("nan") for pair in pairs]
    offset = [unit.offset if (unit := known[pair]) else float("nan") for pair in pairs]
    return readings["value"] * factor + offset


def is_bad_reading(readings: pd.DataFrame) -> pd.Series:
    kept = kept_values(readings)
    low = readings["metric"].map({code: metric.hard[0] for code, metric in METRIC_BY_CODE.items()})
    high = readings["metric"].map({code: metric.hard[1] for code, metric in METRIC_BY_CODE.items()})
    at = readings["recorded_at"]
    return at.isna() | (at.dt.year > 2030) | ~kept.between(low, high)


def count_bad(frame: pd.DataFrame, dataset: str) -> int:
    """How many rows break a rule, by the limits and codes of the catalog and by what the README says."""
    return int(BAD[dataset](frame).sum())


def _is_bad_stretch(frame: pd.DataFrame, dataset: str, longest: int) -> pd.Series:
    elapsed = frame["ended_at"] - frame["started_at"]
    bad = frame["started_at"].isna() | (elapsed < pd.Timedelta(0)) | (elapsed > pd.Timedelta(hours=longest))
    for field in DATASET_BY_NAME[dataset].fields:
        if field.limits is not None and field.name in frame:
            bad |= frame[field.name].notna() & ~frame[field.name].between(*field.limits)
    return bad


def _is_bad_dose(frame: pd.DataFrame) -> pd.Series:
    has_no_time = frame[["scheduled_at", "taken_at", "filled_at"]].isna().all(axis=1)
    early = frame["taken_at"] < frame["scheduled_at"] - pd.Timedelta(hours=24)
    known = frame["status"].isin(["taken", "skipped", "unlogged", "filled"])
    return has_no_time | early | ~known | frame["medication"].isna()


def _is_bad_event(frame: pd.DataFrame, events: set[str], amount: str) -> pd.Series:
    at = frame["occurred_at"]
    return at.isna() | (at.dt.year > 2030) | ~frame["event"].isin(events) | (frame[amount] < 0)


def _is_bad_request(frame: pd.DataFrame) -> pd.Series:
    duration = frame["duration_ms"]
    return (
        frame["occurred_at"].isna() | ~frame["status_code"].between(100, 599) | ~duration.between(0, 86.4e6)
    )


def _is_bad_sample(frame: pd.DataFrame) -> pd.Series:
    shares = frame[["cpu_percent", "memory_percent", "disk_percent"]]
    return frame["sampled_at"].isna() | ((shares < 0) | (shares > 100)).any(axis=1)


APP_EVENTS = {
    "page_view", "feature_used", "action", "chat_message", "notification_received", "notification_opened",
    "health_data_added", "medication_logged", "symptom_logged", "goal_achieved",
}  # fmt: skip
BILLING_EVENTS = {
    "started", "renewed", "upgraded", "downgraded", "cancelled", "payment_failed", "refunded",
}  # fmt: skip

BAD = {
    "login_sessions": lambda frame: (
        frame["started_at"].isna()
        | (frame["ended_at"] < frame["started_at"])
        | (frame["ended_at"] - frame["started_at"] > pd.Timedelta(hours=24))
    ),
    "app_events": lambda frame: _is_bad_event(frame, APP_EVENTS, "count"),
    "billing_events": lambda frame: _is_bad_event(frame, BILLING_EVENTS, "amount_minor"),
    "api_requests": _is_bad_request,
    "host_samples": _is_bad_sample,
    "users": lambda frame: (frame["birth_year"] > 2030) | ~frame["time_zone"].isin(known_time_zones()),
    "health_readings": is_bad_reading,
    "activity_intervals": lambda frame: _is_bad_stretch(frame, "activity_intervals", 48),
    "sleep_sessions": lambda frame: (
        _is_bad_stretch(frame, "sleep_sessions", 24) | (frame["asleep_minutes"] > frame["in_bed_minutes"])
    ),
    "medication_doses": _is_bad_dose,
    "symptom_logs": lambda frame: (
        frame["recorded_at"].isna() | frame["symptom"].isna() | (frame["severity"] > 10)
    ),
}
