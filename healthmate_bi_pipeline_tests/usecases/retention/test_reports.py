"""Reports past their time: entries, files of all versions and audiences, and the index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.settings import ReportSettings, Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.writing import build_reports, write_report
from healthmate_bi_pipeline.usecases.retention import reports
from healthmate_bi_pipeline.usecases.retention.deleting import delete_due, find_due
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.running import opened, query, refresh
from healthmate_bi_pipeline_tests.usecases.retention.keeping import (
    NOW,
    deliver,
    files_of,
    kept,
    reading,
    receipts,
)

GROUPS = ("staged", "raw", "baselines", "state", "health_metrics")
HEALTH = RECIPE_BY_TYPE["health_summary"]
FOR_EVER = dict.fromkeys(("hourly", "daily", "weekly", "monthly"), "for ever")
MONTHLY = "reports/health_summary_monthly"


def month(number: int) -> Window:
    return Period.MONTHLY.window(datetime(2026, number, 1))


@pytest.fixture(scope="module")
def reported(new_settings: Callable[[], Settings]) -> Settings:
    """Reports on four months, on a free range, and a personal one; of February there are two versions."""
    settings = new_settings()
    rows = [
        reading(date(2026, n, day), 60 + n, user=user)
        for n in (2, 3, 4, 5)
        for day in (3, 9)
        for user in range(30)
    ]
    deliver(settings, "health_readings/a.csv", rows)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
        build_reports(pipeline, Window(month(2).start, month(5).end), recipe=HEALTH, period=Period.MONTHLY)
        write_report(pipeline, HEALTH, Window.of_days(date(2026, 2, 1), date(2026, 3, 20)))
    more = [reading(date(2026, 2, 12), 90, user=user) for user in range(30)]
    deliver(settings, "health_readings/more.csv", more)
    own = settings.model_copy(update={"report": ReportSettings(audience="personal")})
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
        build_reports(pipeline, month(2), recipe=HEALTH, period=Period.MONTHLY)
    with opened(own, now=NOW) as pipeline:
        build_reports(pipeline, month(2), recipe=HEALTH, period=Period.MONTHLY)
    return settings


@pytest.fixture
def home(reported: Settings, copy_of: Callable[[Settings], Settings]) -> Settings:
    return copy_of(reported)


@pytest.fixture
def pipeline(home: Settings) -> Iterator[Pipeline]:
    """Reports are kept for a hundred days: those up to the end of March go."""
    with opened(kept(home, reports="100 days", periods=FOR_EVER), now=NOW) as pipeline:
        yield pipeline


def entries(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    found = query(
        pipeline,
        "SELECT cadence, audience, period_start::date AS first, version FROM bi_reports ORDER BY 1, 2, 3, 4",
    )
    return list(found.itertuples(index=False, name=None))


def listed(settings: Settings) -> list[str]:
    document = json.loads((settings.reports_path / "index.json").read_text())
    return sorted(entry["html_path"] for entry in document["reports"])


def test_reports_go_with_all_their_files(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    before, files = entries(pipeline), files_of(settings)
    assert len(before) == 7
    assert len(listed(settings)) == 5
    assert {due.object for due in find_due(pipeline).things} == {MONTHLY, "reports/health_summary_range"}
    assert files_of(settings) == files

    deleted = delete_due(pipeline)
    left = [("monthly", "groups", date(2026, n, 1), 1) for n in (4, 5)]
    assert entries(pipeline) == left
    now = {name: content for name, content in files_of(settings).items() if name.startswith("reports/")}
    folders = {name.split("/")[3] for name in now if name.count("/") > 2}
    assert folders == {"2026-04-01_2026-04-30", "2026-05-01_2026-05-31"}
    assert {name.rsplit(".", 1)[1] for name in now if "2026-04-01" in name} == {"html", "json", "csv"}
    assert all(files[name] == content for name, content in now.items() if "index" not in name)
    assert len(listed(settings)) == 2
    assert "2026-02-01" not in (settings.reports_path / "index.html").read_text()

    written = receipts(pipeline)
    assert set(written["outcome"]) == {"done"}
    monthly = written.loc[MONTHLY]
    assert (monthly["rows"], monthly["partitions"], monthly["last_day"]) == (4, 3, date(2026, 3, 31))
    assert monthly["bytes"] == sum(
        len(content)
        for name, content in files.items()
        if "/monthly/2026-02" in name or "/monthly/2026-03" in name
    )
    assert sum(due.rows for due in deleted.things) == 5

    # They are not written again by themselves, and whoever asks for one gets it until the next night.
    assert not set(stale_partitions(pipeline, ASSET_BY_NAME[MONTHLY])) & {date(2026, 2, 1), date(2026, 3, 1)}
    write_report(pipeline, HEALTH, month(3))
    assert entries(pipeline) == [("monthly", "groups", date(2026, 3, 1), 1), *left]
    delete_due(pipeline)
    assert entries(pipeline) == left
    assert delete_due(pipeline).things == []


def test_types_have_times_of_their_own(home: Settings) -> None:
    named = kept(home, reports="100 days", report_types={"health_summary": "for ever"}, periods=FOR_EVER)
    with opened(named, now=NOW) as pipeline:
        assert find_due(pipeline).things == []


@pytest.mark.parametrize("step", ["index", "files", "receipt"])
def test_a_kill_in_between_is_made_good(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    place = {
        "index": (reports, "write_index"),
        "files": (reports.files, "remove_folder"),
        "receipt": (reports.receipts, "finish_receipt"),
    }[step]

    def killed(*_arguments: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(*place, killed)
        with pytest.raises(KeyboardInterrupt):
            delete_due(pipeline)
    assert "started" in set(receipts(pipeline)["outcome"])
    done = delete_due(pipeline)
    assert len(done.finished) == 1
    assert set(receipts(pipeline)["outcome"]) == {"done"}
    assert len(entries(pipeline)) == len(listed(pipeline.settings)) == 2
    assert not [name for name in files_of(pipeline.settings) if "2026-02-01_" in name]


def test_a_finished_report_is_not_written_again_when_what_it_showed_is_gone(home: Settings) -> None:
    asset = ASSET_BY_NAME[MONTHLY]
    settings = kept(home, periods={"hourly": "60 days", "daily": "70 days", "weekly": "for ever"})
    with opened(settings, now=NOW) as pipeline:
        delete_due(pipeline)
        late = [reading(date(2026, n, 20), 99, user=user) for n in (3, 5) for user in range(30)]
        deliver(settings, "health_readings/late.csv", late)
        refresh(pipeline, groups=GROUPS)
        # The days of March are gone, those of May are there.
        stale = stale_partitions(pipeline, asset)
        assert date(2026, 3, 1) not in stale
        assert date(2026, 5, 1) in stale
