"""The import of a Fitbit export, on small ones whose rows are known."""

import gzip
from datetime import date, datetime

import ibis
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.catalog.rules import FILE_RULES, ROW_RULES
from healthmate_bi_pipeline.domain.identity import FIRST_FOREIGN_ID, foreign_user_id
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.sources.fitbit import import_fitbit
from healthmate_bi_pipeline.sources.imports import UnusedFile
from healthmate_bi_pipeline_tests.sources.fitbit.exports import (
    CALORIES,
    DAILY,
    HEART,
    INTENSITIES,
    MINUTES,
    SLEEP,
    STEPS,
    WEIGHT,
    imported,
    rejected_of,
    rows_of,
    write,
)

ANN = foreign_user_id("fitbit", "11")
BEN = foreign_user_id("fitbit", "22")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "export"


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


def test_a_day_lasts_from_midnight_to_midnight(folder, landing):
    write(folder / "any name.csv", DAILY, ["11,3/25/2016,11004,7.25,33,12,1819"])
    result = imported(folder, landing)
    assert rows_of(result, "activity_intervals") == [
        {
            "user_id": ANN,
            "started_at": datetime(2016, 3, 25),
            "ended_at": datetime(2016, 3, 26),
            "steps": 11004,
            "calories_kcal": 1819,
            "moderate_minutes": 12,
            "vigorous_minutes": 33,
            "distance_m": 7250,
            "is_daily_total": True,
            "source": "fitbit tracker",
            "origin": "any name.csv:2",
        }
    ]
    assert rows_of(result, "users") == [
        {"user_id": ANN, "time_zone": "Europe/Berlin", "source": "fitbit", "origin": "any name.csv:2"}
    ]
    assert result.identities.to_pylist() == [{"user_id": ANN, "foreign_id": "11"}]
    assert FIRST_FOREIGN_ID <= ANN < 2**63


def test_the_files_of_an_hour_become_one_row_whatever_their_style_of_date(folder, landing):
    write(folder / "a.csv", CALORIES, ["11,2016-03-12T13:00:00,48.5", "22,2016-03-12T13:00:00,50"])
    write(folder / "b.csv", STEPS, ["11,3/12/2016 1:00:00 PM,7", "11,3/12/2016 2:00:00 PM,8"])
    write(folder / "c.csv", INTENSITIES, ["11,2016-03-12 13:00:00,3,0.05"])
    rows = rows_of(imported(folder, landing), "activity_intervals")
    hour = {"started_at": datetime(2016, 3, 12, 13), "ended_at": datetime(2016, 3, 12, 14)}
    next_hour = {"started_at": datetime(2016, 3, 12, 14), "ended_at": datetime(2016, 3, 12, 15)}
    same = {"is_daily_total": False, "source": "fitbit tracker"}
    assert rows == [
        {"user_id": BEN, **hour, **same, "calories_kcal": 50, "origin": "a.csv:3"},
        {
            "user_id": ANN, **hour, **same, "steps": 7, "calories_kcal": 48.5, "intensity_points": 3,
            "origin": "b.csv:2",
        },
        {"user_id": ANN, **next_hour, **same, "steps": 8, "origin": "b.csv:3"},
    ]  # fmt: skip


def test_of_exports_that_overlap_the_later_one_counts_value_by_value(folder, landing):
    write(folder / "z_first" / "d.csv", DAILY, ["11,4/11/2016,900,1,1,1,100", "11,4/12/2016,100,0.5,2,2,200"])
    # The later one by what it holds, though not by name; it has no calories for the day that both have.
    write(folder / "a_second" / "d.csv", DAILY, ["11,4/12/2016,5000,4,,,", "11,4/13/2016,40,0,0,0,10"])
    # The same export's steps are older, yet belong to the later export.
    write(folder / "a_second" / "h.csv", STEPS, ["11,4/10/2016 1:00:00 AM,2"])
    write(folder / "z_first" / "h.csv", STEPS, ["11,4/10/2016 1:00:00 AM,1", "11,4/11/2016 1:00:00 AM,1"])
    rows = rows_of(imported(folder, landing), "activity_intervals")
    values = [
        tuple(
            row.get(name) for name in ("started_at", "steps", "calories_kcal", "vigorous_minutes", "origin")
        )
        for row in rows
    ]
    assert values == [
        (datetime(2016, 4, 12), 5000, 200, 2, "a_second/d.csv:2"),
        (datetime(2016, 4, 13), 40, 10, 0, "a_second/d.csv:3"),
        (datetime(2016, 4, 10, 1), 2, None, None, "a_second/h.csv:2"),
        (datetime(2016, 4, 11), 900, 100, 1, "z_first/d.csv:2"),
        (datetime(2016, 4, 11, 1), 1, None, None, "z_first/h.csv:3"),
    ]


def test_a_night_is_a_session_where_minutes_are_known_and_else_a_total(folder, landing):
    sleep = [
        "11,4/12/2016 12:00:00 AM,1,327,346",
        "11,4/13/2016 12:00:00 AM,2,384,407",
        "22,4/12/2016 12:00:00 AM,1,400,450",
    ]
    write(folder / "sleepDay.csv", SLEEP, sleep)
    minutes = [("11:59:30 PM", 3, 11), ("12:00:30 AM", 1, 12), ("12:01:30 AM", 2, 12), ("12:02:30 AM", 1, 12)]
    write(
        folder / "minuteSleep.csv",
        MINUTES,
        [f"11,4/{day}/2016 {at},{value},777" for at, value, day in minutes],
    )
    write(
        folder / "more" / "minuteSleep.csv",
        MINUTES,
        ["11,4/12/2016 12:02:30 AM,1,777", "11,4/12/2016 2:00:00 PM,1,888"],
    )
    rows = rows_of(imported(folder, landing), "sleep_sessions")
    same = {"source": "fitbit tracker"}
    assert rows == [
        {
            "user_id": ANN, **same, "started_at": datetime(2016, 4, 11, 23, 59, 30),
            "ended_at": datetime(2016, 4, 12, 0, 3, 30), "asleep_minutes": 2, "in_bed_minutes": 4,
            "origin": "minuteSleep.csv:2",
        },
        {
            "user_id": ANN, **same, "started_at": datetime(2016, 4, 12, 14),
            "ended_at": datetime(2016, 4, 12, 14, 1), "asleep_minutes": 1, "in_bed_minutes": 1,
            "origin": "more/minuteSleep.csv:3",
        },
        {
            "user_id": ANN, **same, "night_on": date(2016, 4, 13), "asleep_minutes": 384,
            "in_bed_minutes": 407, "origin": "sleepDay.csv:3",
        },
        {
            "user_id": BEN, **same, "night_on": date(2016, 4, 12), "asleep_minutes": 400,
            "in_bed_minutes": 450, "origin": "sleepDay.csv:4",
        },
    ]  # fmt: skip


def test_weights_tell_scale_from_hand_and_count_once_per_entry(folder, landing):
    write(folder / "1" / "w.csv", WEIGHT, ["11,4/5/2016 11:59:59 PM,53.3,117.5,22,23,True,1459900799000"])
    write(
        folder / "2" / "w.csv",
        WEIGHT,
        [
            "11,4/5/2016 11:59:59 PM,53.4,117.7,,23,True,1459900799000",
            "22,2016-04-10 18:33:26,129.6,285,,46,False,",
        ],
    )
    same = {"metric": "weight", "unit": "kg"}
    assert rows_of(imported(folder, landing), "health_readings") == [
        {
            "user_id": ANN, **same, "value": 53.4, "recorded_at": datetime(2016, 4, 5, 23, 59, 59),
            "reading_id": "1459900799000", "source": "fitbit manual", "origin": "2/w.csv:2",
        },
        {
            "user_id": BEN, **same, "value": 129.6, "recorded_at": datetime(2016, 4, 10, 18, 33, 26),
            "source": "fitbit scale", "origin": "2/w.csv:3",
        },
    ]  # fmt: skip


def test_heart_rate_is_one_landing_file_per_input_file(folder, landing):
    write(folder / "h1.csv", HEART, ["11,4/1/2016 7:54:00 AM,93", "11,4/1/2016 7:54:05 AM,91"])
    (folder / "h2.csv.gz").write_bytes(gzip.compress(f"{HEART}\n22,4/2/2016 7:54:00 AM,60\n".encode()))
    result = imported(folder, landing)
    names = [path.name for path in result.files if path.parent.name == "health_readings"]
    assert [name[:-21] for name in names] == ["fitbit-heart-rate-2016-04-01", "fitbit-heart-rate-2016-04-02"]
    assert [
        (row["value"], row["unit"], row["metric"], row["origin"])
        for row in rows_of(result, "health_readings")
    ] == [
        (93, "bpm", "heart_rate", "h1.csv:2"),
        (91, "bpm", "heart_rate", "h1.csv:3"),
        (60, "bpm", "heart_rate", "h2.csv.gz:2"),
    ]


def test_bad_rows_are_named_and_kept_as_text(folder, landing):
    at, bad = "3/12/2016 1:00:00 PM", "13/12/2016 1:00:00 PM"
    bad_lines = [f"11,{at},many", f"11,{bad},7", f",{at},8", "11,3/12/2016"]
    write(folder / "s.csv", STEPS, [*bad_lines, "11,3/12/2016 3:00:00 PM,-4", "11,3/12/2016 4:00:00 PM,"])
    write(folder / "c.csv", CALORIES, ["11,3/12/2016 1:00:00 PM,48"])
    result = imported(folder, landing)
    assert [str(problem) for problem in result.problems] == [
        "s.csv, line 2: wrong_type:steptotal",
        "s.csv, line 3: undated:activityhour",
        "s.csv, line 4: missing:id",
        "s.csv, line 5: malformed_line",
    ]
    assert {problem.rule for problem in result.problems} <= {*FILE_RULES, *ROW_RULES}
    same = {"source": "fitbit tracker", "is_daily_total": "false"}
    hour = {"started_at": "2016-03-12 13:00:00.000000", "ended_at": "2016-03-12 14:00:00.000000"}
    undated = {"started_at": bad, "ended_at": bad}
    assert rejected_of(result, "activity_intervals") == [
        {**same, **hour, "user_id": str(ANN), "steps": "many", "origin": "s.csv:2", "line": bad_lines[0]},
        {**same, **undated, "user_id": str(ANN), "steps": "7", "origin": "s.csv:3", "line": bad_lines[1]},
        {**same, **hour, "steps": "8", "origin": "s.csv:4", "line": bad_lines[2]},
        {"source": "fitbit tracker", "started_at": bad_lines[3], "origin": "s.csv:5", "line": bad_lines[3]},
    ]
    # The hour keeps what the other file says of it; what is only implausible or empty is the ingest's affair.
    assert [
        (row["origin"], row.get("steps"), row.get("calories_kcal"))
        for row in rows_of(result, "activity_intervals")
    ] == [
        ("c.csv:2", None, 48),
        ("s.csv:6", -4, None),
        ("s.csv:7", None, None),
    ]
    assert [(file.path, file.lines, file.rejected) for file in result.inputs] == [
        ("c.csv", 1, 0),
        ("s.csv", 6, 4),
    ]
    assert result.rejected["activity_intervals"] == 4


def test_a_minute_that_cannot_be_read_does_not_pass_for_a_session(folder, landing):
    lines = ["11,4/12/2016 1:00:00 AM,1,777", "11,4/12/2016 1:01:00 AM,7,777", "11,4/12/2016 1:02:00 AM,1,"]
    write(folder / "m.csv", MINUTES, lines)
    result = imported(folder, landing)
    assert [str(problem) for problem in result.problems] == [
        "m.csv, line 3: unknown_code:value",
        "m.csv, line 4: missing:logid",
    ]
    assert [row["asleep_minutes"] for row in rejected_of(result, "sleep_sessions")] == ["value 7", "value 1"]
    assert [row["in_bed_minutes"] for row in rows_of(result, "sleep_sessions")] == [1]


def test_rejected_rows_have_the_columns_that_their_dataset_needs(folder, landing):
    write(folder / "h.csv", HEART, ["11,4/1/2016 7:54:00 AM,fast"])
    result = imported(folder, landing)
    (path,) = result.files
    header = path.read_text().splitlines()[0].split(",")
    assert set(DATASET_BY_NAME["health_readings"].required) <= set(header)
    assert path.name.startswith("fitbit-rejected-")
    assert result.rows == {}
    assert result.identities.num_rows == 1  # a rejected row may be taken up again


def test_files_that_are_not_used_are_listed_with_the_reason(folder, landing):
    write(folder / "steps.csv", STEPS, ["11,3/12/2016 1:00:00 PM,7"])
    write(folder / "minuteStepsNarrow.csv", "Id,ActivityMinute,Steps", ["11,3/12/2016 1:00:00 PM,7"])
    write(folder / "minuteStepsWide.csv", "Id,ActivityHour,Steps00,Steps01", ["11,3/12/2016 1:00:00 PM,7,8"])
    write(folder / "dailySteps.csv", "Id,ActivityDay,StepTotal", ["11,3/12/2016,7"])
    write(folder / "notes.txt", "hello", [])
    write(folder / ".hidden", STEPS, [])
    (folder / "old.zip").write_bytes(b"PK\x03\x04rest")
    (folder / "empty.csv").touch()
    (folder / "cut.csv.gz").write_bytes(gzip.compress(b"Id,Time,Value\n" * 99)[:20])
    result = imported(folder, landing)
    assert result.unused == (
        UnusedFile("dailySteps.csv", "a part of what dailyActivity holds"),
        UnusedFile("empty.csv", "it is empty"),
        UnusedFile("minuteStepsNarrow.csv", "by the minute, while activity is kept by the hour"),
        UnusedFile("minuteStepsWide.csv", "by the minute, while activity is kept by the hour"),
        UnusedFile("notes.txt", "its first line is not the header of a known file of an export"),
        UnusedFile("old.zip", "it is an archive, which must be unpacked first"),
    )
    assert [str(problem) for problem in result.problems] == ["cut.csv.gz: unreadable_file"]


def test_a_file_that_breaks_off_is_left_out_as_a_whole(folder, landing):
    write(folder / "steps.csv", STEPS, ["11,3/12/2016 1:00:00 PM,7"])
    lines = "".join(
        f"22,4/1/2016 7:{number // 60 % 60:02d}:{number % 60:02d} AM,{number % 97}\n"
        for number in range(3_600)
    )
    (folder / "heart.csv.gz").write_bytes(gzip.compress(f"{HEART}\nbroken\n{lines}".encode())[:-30])
    result = imported(folder, landing)
    assert [str(problem) for problem in result.problems] == ["heart.csv.gz: unreadable_file"]
    assert result.rows == {"activity_intervals": 1, "users": 1}
    assert sorted(path.name for path in landing.rglob("*") if path.is_file()) == sorted(
        path.name for path in result.files
    )


def test_the_same_folder_and_zone_give_the_same_files(folder, landing, tmp_path):
    write(
        folder / "a" / "d.csv",
        DAILY,
        [f"{person},4/{day}/2016,{day * person},1,1,1,100" for person in (22, 11) for day in range(1, 30)],
    )
    write(folder / "b" / "h.csv", HEART, ["11,4/1/2016 7:54:00 AM,93", "11,4/1/2016 7:54:05 AM,no"])

    def files(where, zone="UTC"):
        imported(folder, where, zone)
        return {
            path.relative_to(where).as_posix(): path.read_bytes()
            for path in where.rglob("*")
            if path.is_file()
        }

    first = files(landing)
    assert files(tmp_path / "elsewhere") == first
    assert files(landing) == first
    other_zone = files(tmp_path / "other", "Asia/Tokyo")
    assert {name for name in first if name not in other_zone} == {
        name for name in first if name.startswith("users/")
    }


def test_progress_names_each_file(folder, landing):
    write(folder / "a.csv", STEPS, ["11,3/12/2016 1:00:00 PM,7"])
    write(folder / "b.csv", STEPS, ["11,3/12/2016 2:00:00 PM,7"])
    seen = []
    import_fitbit(folder, time_zone="UTC", landing=landing, progress=lambda *step: seen.append(step))
    assert seen == [("reading a.csv", 0), ("reading b.csv", 0.5), ("writing landing files", 1)]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", "CET+1"])
def test_an_unknown_zone_is_refused(folder, landing, zone):
    write(folder / "s.csv", STEPS, ["11,3/12/2016 1:00:00 PM,7"])
    with pytest.raises(UsageError, match="time zone"):
        imported(folder, landing, zone)
    assert not landing.exists()


def test_a_folder_without_an_export_is_refused(folder, landing):
    with pytest.raises(UsageError, match="is no folder"):
        imported(folder, landing)
    write(folder / "notes.txt", "hello", [])
    with pytest.raises(UsageError, match=r"dailyActivity.*heartrate_seconds"):
        imported(folder, landing)


def test_the_engine_reads_what_is_written(folder, landing):
    write(
        folder / "h.csv", HEART, [f"11,4/1/2016 7:{number:02d}:00 AM,{60 + number}" for number in range(60)]
    )
    (path,) = [path for path in imported(folder, landing).files if path.parent.name == "health_readings"]
    table = ibis.duckdb.connect().read_parquet(path)
    assert table.to_pyarrow().sort_by("recorded_at").equals(pq.read_table(path).combine_chunks())
