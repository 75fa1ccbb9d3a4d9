import os
from datetime import date, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import DiskFullError, UsageError
from healthmate_bi_pipeline.reporting.document import RANGE
from healthmate_bi_pipeline.reporting.files import report_path, write_file
from healthmate_bi_pipeline_tests.disks import files_no_larger_than, small_disk

MARCH = Period.MONTHLY.window(datetime(2026, 3, 1))
PLACE = {"cadence": "monthly", "window": MARCH, "version": 1, "extension": "html"}


def test_paths_are_those_of_the_contract():
    path = report_path("health_summary", **PLACE)
    assert path == PurePosixPath("health_summary/monthly/2026-03-01_2026-03-31/v1.html")
    days = Window.of_days(date(2026, 2, 20), date(2026, 2, 20))
    path = report_path("health_summary", cadence=RANGE, window=days, version=12, extension="json")
    assert path == PurePosixPath("health_summary/range/2026-02-20_2026-02-20/v12.json")


def test_a_csv_file_has_the_name_of_its_table():
    place = PLACE | {"extension": "csv"}
    path = report_path("health_summary", **place, table="rows", audience="personal")
    assert path == PurePosixPath("personal/health_summary/monthly/2026-03-01_2026-03-31/v1.rows.csv")
    for table in ("", "../rows", "a/b", "a.b"):
        with pytest.raises(UsageError):
            report_path("health_summary", **place, table=table)


def test_personal_reports_lie_apart():
    path = report_path("health_summary", **PLACE, audience="personal")
    assert path == PurePosixPath("personal/health_summary/monthly/2026-03-01_2026-03-31/v1.html")


@pytest.mark.parametrize(
    ("report_type", "change"),
    [
        ("../health_summary", {}),
        ("health_summary", {"cadence": "hourly"}),
        ("health_summary", {"cadence": "../.."}),
        ("health_summary", {"version": 0}),
        ("health_summary", {"extension": "html/../x"}),
    ],
)
def test_what_is_no_report_has_no_path(report_type, change):
    with pytest.raises(UsageError):
        report_path(report_type, **(PLACE | change))


@given(st.text(max_size=30))
def test_no_text_becomes_a_path_out_of_the_folder(text):
    for arguments in ({"cadence": text}, {"extension": text}):
        try:
            path = report_path("health_summary", **(PLACE | arguments))
        except UsageError:
            continue
        assert ".." not in path.parts
        assert not path.is_absolute()


@pytest.mark.parametrize("path", ["../x.html", "a/../../x.html", "/etc/x.html", ""])
def test_a_file_cannot_be_written_elsewhere(tmp_path, path):
    with pytest.raises(UsageError, match="does not lie in the reports folder"):
        write_file(tmp_path / "reports", path, text="x")
    assert not list(tmp_path.rglob("x.html"))


def test_a_link_does_not_lead_out(tmp_path):
    root, elsewhere = tmp_path / "reports", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (root / "health_summary").symlink_to(elsewhere)
    with pytest.raises(UsageError):
        write_file(root, "health_summary/x.html", text="x")
    assert not list(elsewhere.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    write_file(tmp_path, "a/v1.html", text="old – ünïcode")
    target = write_file(tmp_path, "a/v1.html", text="new\n")
    assert target.read_bytes() == b"new\n"
    assert [one.name for one in target.parent.iterdir()] == ["v1.html"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = write_file(tmp_path, "a/v1.html", text="old")
    with pytest.raises(UnicodeEncodeError):
        write_file(tmp_path, "a/v1.html", text="\ud800")
    assert target.read_text() == "old"
    assert [one.name for one in target.parent.iterdir()] == ["v1.html"]


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_personal_files_are_their_owner_s(tmp_path):
    before = os.umask(0o022)
    try:
        mine = write_file(tmp_path / "reports", "personal/a/v1.html", text="x")
        ours = write_file(tmp_path / "reports", "a/v1.html", text="x")
    finally:
        os.umask(before)
    assert mine.stat().st_mode & 0o777 == 0o600
    assert {mine.parent.stat().st_mode & 0o777, mine.parents[1].stat().st_mode & 0o777} == {0o700}
    assert ours.stat().st_mode & 0o777 == 0o644
    assert ours.parent.stat().st_mode & 0o777 == 0o755


def test_a_file_that_does_not_fit_is_not_there_and_what_was_there_stays(tmp_path):
    write_file(tmp_path, "index.html", text="before")
    with files_no_larger_than(1_000), pytest.raises(DiskFullError, match=f"the reports in {tmp_path}"):
        write_file(tmp_path, "index.html", text="x" * 2_000)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "before"


def test_a_disk_that_takes_no_more_files_is_told(tmp_path):
    with small_disk(tmp_path / "reports", "1m", files=1) as root:
        with pytest.raises(DiskFullError, match=f"the reports in {root}"):
            write_file(root, "a/b.html", text="x")
        assert [path for path in root.rglob("*") if path.is_file()] == []
