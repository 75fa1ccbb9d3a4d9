"""The demo's files: the same bytes every time, the formats and clocks of devices, what is late and wrong."""

import subprocess
import sys
from collections import Counter
from datetime import date
from hashlib import sha256

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import COMMON, DATASET_BY_NAME
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline.sources.demo.block import BLOCK_SIZE
from healthmate_bi_pipeline_tests.sources.demo.app import DATASETS
from healthmate_bi_pipeline_tests.sources.demo.reading import (
    count_bad,
    files_of,
    is_late_file,
    read_dataset,
    read_device,
    read_file,
)

FIRST, LAST = date(2025, 12, 1), date(2026, 4, 19)  # clocks change in New York, Berlin and Auckland
PEOPLE = 60
KEYS = {
    "health_readings": ["user_id", "metric", "recorded_at", "source"],
    "activity_intervals": ["user_id", "source", "started_at", "ended_at"],
    "sleep_sessions": ["user_id", "source", "started_at"],
    "medication_doses": ["user_id", "dose_id"],
    "symptom_logs": ["user_id", "symptom", "recorded_at"],
    "login_sessions": ["user_id", "session_id"],
    "app_events": ["event_id"],
    "billing_events": ["event_id"],
    "api_requests": ["request_id"],
    "host_samples": ["service", "environment", "instance_id", "sampled_at"],
}
COLUMNS = {  # what is written beside the columns that the catalog has
    "users": {"is_lipid_treated", "nicotine_use", "mepa_score"},
    "medication_doses": {
        "user_id", "dose_id", "medication", "medication_class", "scheduled_at", "taken_at", "filled_at",
        "status", "is_as_needed", "days_supply",
    },
    "symptom_logs": {"user_id", "symptom", "severity", "recorded_at"},
    "login_sessions": {"user_id", "session_id", "started_at", "ended_at", "device", "app_version"},
    "app_events": {"user_id", "session_id", "event", "name", "occurred_at", "event_id", "count"},
    "billing_events": {"user_id", "event_id", "event", "plan", "amount_minor", "currency", "occurred_at"},
    "api_requests": {
        "service", "environment", "instance_id", "route", "status_code", "duration_ms", "occurred_at", "request_id",
        "count",
    },
    "host_samples": {
        "service", "environment", "instance_id", "cpu_percent", "memory_percent", "disk_percent", "sampled_at",
    },
}  # fmt: skip
VALUES = {
    "health_readings": "value",
    "activity_intervals": "steps",
    "sleep_sessions": "asleep_minutes",
    "symptom_logs": "severity",
    "app_events": "count",
    "billing_events": "amount_minor",
    "api_requests": "duration_ms",
    "host_samples": "memory_percent",
}
ABOUT_NOBODY = ("api_requests", "host_samples")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    landing = tmp_path_factory.mktemp("landing")
    return landing, write_demo(landing, first_day=FIRST, last_day=LAST, people=PEOPLE, datasets=DATASETS)


@pytest.fixture(scope="module")
def landing(demo):
    return demo[0]


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes_in_another_process(demo, tmp_path):
    landing, result = demo
    program = (
        "from datetime import date; from pathlib import Path;"
        "from healthmate_bi_pipeline.sources.demo import write_demo;"
        f"write_demo(Path({str(tmp_path / 'again')!r}), first_day=date{FIRST.year, FIRST.month, FIRST.day},"
        f"last_day=date{LAST.year, LAST.month, LAST.day}, people={PEOPLE}, seed=20, datasets={DATASETS!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONHASHSEED": "7"} | _path())
    assert hashes(tmp_path / "again") == hashes(landing)
    assert {path.relative_to(landing).as_posix() for path in result.files} == set(hashes(landing))


def _path():
    return {"PYTHONPATH": ":".join(part for part in sys.path if part)}


def test_another_seed_gives_other_people(landing, tmp_path):
    write_demo(tmp_path / "other", first_day=FIRST, last_day=LAST, people=PEOPLE, seed=21, datasets=DATASETS)
    assert not set(hashes(tmp_path / "other").values()) & set(hashes(landing).values())


@pytest.mark.parametrize("people", [1, 12])
def test_a_person_does_not_depend_on_how_many_others_there_are(landing, tmp_path, people):
    of_people = [dataset for dataset in DATASETS if dataset not in ABOUT_NOBODY]
    write_demo(tmp_path, first_day=FIRST, last_day=LAST, people=people, datasets=of_people)
    for path in sorted(tmp_path.rglob("demo-*")):
        few = read_file(path)
        many = read_file(landing / path.relative_to(tmp_path))
        many = many[many["user_id"].isin(range(1001, 1001 + people))].reset_index(drop=True)
        assert rows_of(few) == rows_of(many)


def rows_of(frame):
    """The rows as texts, whatever their order: bad ones stand behind the others of a block."""
    columns = [
        column.astype(object).where(column.notna(), "").astype(str) for _, column in sorted(frame.items())
    ]
    return sorted(tuple(text.removesuffix(".0") for text in row) for row in zip(*columns, strict=True))


def test_files_of_an_earlier_demo_go(tmp_path):
    write_demo(tmp_path, first_day=date(2024, 12, 1), last_day=date(2025, 1, 31), people=3)
    mine = tmp_path / "sleep_sessions" / "mine.csv"
    mine.write_text("user_id\n")
    again = write_demo(tmp_path, first_day=date(2025, 1, 1), last_day=date(2025, 1, 31), people=3)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {*again.files, mine}


def test_files_have_the_datasets_columns_and_several_formats(demo):
    landing, result = demo
    endings = {path.name.split(".", 1)[1] for path in result.files}
    assert endings == {"parquet", "csv", "csv.gz", "csv.zst", "ndjson", "ndjson.gz", "ndjson.zst"}
    common = {field.name for field in COMMON}
    for name, counts in result.counts.items():
        known = set(COLUMNS.get(name, ()))
        if name in DATASET_BY_NAME:
            known |= {field.name for field in DATASET_BY_NAME[name].fields}
        assert len(read_dataset(landing, name)) == counts.rows
        for path in files_of(landing, name):
            assert set(read_file(path).columns) <= known | common


def test_what_the_catalog_does_not_have_is_not_written(tmp_path):
    result = write_demo(tmp_path, first_day=FIRST, last_day=FIRST, people=2)
    assert {path.name for path in tmp_path.iterdir()} <= set(result.counts) <= set(DATASET_BY_NAME)


def test_leaving_a_dataset_out_changes_no_other(landing, tmp_path):
    some = ("login_sessions", "host_samples")
    write_demo(tmp_path, first_day=FIRST, last_day=LAST, people=PEOPLE, datasets=some)
    assert {path.name for path in tmp_path.iterdir()} == set(some)
    assert hashes(tmp_path).items() <= hashes(landing).items()


def test_a_file_that_is_delivered_twice_has_the_same_bytes(demo):
    landing, result = demo
    assert {path.parent.name for path in result.copies} == {"app_events", "api_requests"}
    by_hash = Counter(hashes(landing).values())
    for path in result.copies:
        assert by_hash[sha256(path.read_bytes()).hexdigest()] == 2
    assert result.about()["delivered_twice"] == [
        path.relative_to(landing).as_posix() for path in result.copies
    ]


def test_a_file_holds_a_year_or_a_quarter_and_the_last_days_late_rows_come_daily(landing):
    names = [path.name for path in files_of(landing, "health_readings", "watch")]
    assert names[:4] == [
        "demo-watch-2025q4.parquet",
        "demo-watch-2025q4_late.parquet",  # behind what it corrects
        "demo-watch-2026q1.parquet",
        "demo-watch-2026q1_late.parquet",
    ]
    everything = [path.name for dataset in KEYS for path in files_of(landing, dataset)]
    assert any("_late_2026-04-19" in name for name in everything)
    watch = read_file(landing / "health_readings" / "demo-watch-2026q1.parquet")
    in_time = watch.loc[watch["recorded_at"].dt.year < 2030, "recorded_at"]
    local = in_time + pd.to_timedelta(watch["utc_offset_minutes"], unit="min")
    assert local.min() >= pd.Timestamp("2026-01-01", tz="UTC")
    assert local.max() < pd.Timestamp("2026-04-01", tz="UTC")


@pytest.mark.parametrize("dataset", [*KEYS, "users"])
def test_as_many_rows_are_bad_as_it_says(demo, dataset):
    landing, result = demo
    counts = result.counts[dataset]
    bad = count_bad(read_dataset(landing, dataset), dataset)
    # A °F that is called °C, or mmol/L below 10 called mg/dL, is out of the limits as well.
    assert counts.bad <= bad <= counts.bad + counts.suspected
    assert counts.bad + counts.suspected == sum(counts.by_defect.values())
    if dataset not in ("users", "symptom_logs", "billing_events"):
        assert 0.001 < counts.bad / counts.rows < 0.007


def test_every_defect_occurs(demo):
    _, result = demo
    found = {name for counts in result.counts.values() for name, count in counts.by_defect.items() if count}
    assert {
        "impossible value", "unknown unit", "no time", "time in the future", "unit missing",
        "pounds declared as kg", "°F declared as °C", "swapped blood pressure",
        "negative steps", "end before start", "longer than two days", "asleep longer than in bed",
        "no medication", "taken long before it was due", "unknown status", "severity of 11",
        "born in the future", "unknown time zone",
        "session of a week", "unknown event", "negative count", "status 0", "status 999",
        "negative duration", "duration of a month", "more than all of the processor", "negative memory",
    } <= found  # fmt: skip


def test_swapped_blood_pressures_are_whole_pairs(demo):
    landing, result = demo
    cuff = read_device(landing, "health_readings", "cuff")
    pairs = cuff[cuff["unit"] != "furlong"].pivot_table(index="reading_id", columns="metric", values="value")
    swapped = (pairs["blood_pressure_systolic"] < pairs["blood_pressure_diastolic"]).sum()
    counts = result.counts["health_readings"]
    assert 2 * swapped == counts.by_defect["swapped blood pressure"] > 0


@pytest.mark.parametrize("dataset", [name for name in KEYS if name != "billing_events"])  # has too few
def test_late_files_hold_late_corrected_deleted_and_repeated_rows(demo, dataset):
    landing, result = demo
    counts = result.counts[dataset]
    first, second = (read_device(landing, dataset, late=late) for late in (False, True))
    assert min(counts.corrected, counts.deleted, counts.repeated) > 0
    assert len(second) == counts.late + counts.corrected + counts.deleted + counts.repeated
    assert "is_deleted" not in first
    assert second["is_deleted"].notna().sum() == counts.deleted
    both = second.merge(first, on=KEYS[dataset], suffixes=("", "_first")).dropna(subset=KEYS[dataset])
    assert len(both) == counts.corrected + counts.deleted + counts.repeated
    if dataset in VALUES:
        name = VALUES[dataset]
        differs = both[name].notna() & (both[name] != both[f"{name}_first"])
        assert differs.sum() == pytest.approx(counts.corrected, abs=1)  # a severity of 10 stays
    changed = both["is_deleted"].notna()
    assert both.loc[changed, "updated_at"].notna().all()


def test_the_clock_of_a_device_is_the_one_of_its_people(landing):
    users = read_device(landing, "users", "users")
    users = users[~users["user_id"].duplicated(keep=False)][["user_id", "time_zone"]]
    watch = read_device(landing, "health_readings", "watch").merge(users, on="user_id")
    watch = watch[watch["recorded_at"].dt.year < 2030]
    shown = watch["recorded_at_local"] + pd.to_timedelta(watch["utc_offset_minutes"], unit="min")
    is_at_home = []
    for zone, part in watch.groupby("time_zone"):
        wall = part["recorded_at"].dt.tz_convert(zone).dt.tz_localize(None)
        is_at_home.append((wall == shown[part.index]).mean())
    assert min(is_at_home) > 0.85
    assert sum(is_at_home) < len(is_at_home)  # some are on a journey
    cuff = landing / "health_readings" / "demo-cuff-2026.ndjson"
    assert (
        read_file(cuff)["recorded_at"]
        .dropna()
        .str.fullmatch(r"\d{4}(-\d\d){2}T(\d\d:){2}\d\d[+-]\d\d:\d\d")
        .all()
    )
    assert read_file(landing / "activity_intervals" / "demo-phone-2026.parquet")["started_at"].dt.tz is None


def test_late_files_sort_behind_the_ones_that_they_correct(landing):
    for dataset in KEYS:
        paths = files_of(landing, dataset)
        for path in filter(is_late_file, paths):
            first = path.name.split("_late")[0] + "." + path.name.split(".", 1)[1]
            assert first < path.name


def test_it_may_be_small(tmp_path):
    result = write_demo(tmp_path, first_day=FIRST, last_day=FIRST, people=1, datasets=DATASETS)
    assert result.counts["users"].rows == 1
    assert result.counts["host_samples"].rows > 0
    assert result.stories == ()


def test_people_are_made_in_blocks(tmp_path):
    seen = []
    count = BLOCK_SIZE + 1
    write_demo(
        tmp_path, first_day=FIRST, last_day=FIRST, people=count, progress=lambda *step: seen.append(step)
    )
    assert [share for what, share in seen if what == "making people"] == [0, BLOCK_SIZE / count, 1]
    users = read_device(tmp_path, "users", "users").drop_duplicates("user_id")
    assert len(users) == count


@pytest.mark.parametrize(
    "arguments",
    [
        {"people": 0},
        {"seed": -1},
        {"detail": 0},
        {"detail": 1e6},
        {"last_day": date(2025, 2, 22)},
        {"first_day": date(1900, 1, 1)},
        {"first_day": date(2010, 1, 1)},
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(tmp_path, arguments):
    with pytest.raises(UsageError):
        write_demo(tmp_path / "landing", **({"first_day": FIRST, "last_day": LAST} | arguments))
    assert not (tmp_path / "landing").exists()
