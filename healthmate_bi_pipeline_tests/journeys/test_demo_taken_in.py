"""What the demo's people do in the app and what the backend answers is taken in as it was planted.

Each bad row is set aside by the rule that it was planted for, each good one is kept in its last version, and a file
that is delivered twice counts once. What is good is told by pandas from the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.catalog.lake_tables import raw_table, staged_table
from healthmate_bi_pipeline.catalog.rules import FILE_RULES
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import DemoResult, write_demo
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, lake_frame, rules
from healthmate_bi_pipeline_tests.running import opened, refresh
from healthmate_bi_pipeline_tests.sources.demo.app import good_rows
from healthmate_bi_pipeline_tests.sources.demo.reading import read_device

pytestmark = pytest.mark.slow

FIRST, LAST = date(2025, 10, 1), date(2026, 4, 19)  # clocks change, one way and the other
ROWS = {  # the device of the files with numbered rows, and what the rows are known by
    "login_sessions": ("app", ["user_id", "session_id"]),
    "app_events": ("app", ["event_id"]),
    "billing_events": ("billing", ["event_id"]),
    "api_requests": ("gateway", ["request_id"]),
    "host_samples": ("hosts", ["instance_id", "sampled_at"]),
}
WRITTEN = [name for name in ROWS if name in DATASET_BY_NAME]


@pytest.fixture(scope="module")
def taken(new_settings: Callable[[], Settings]) -> Iterator[tuple[Pipeline, DemoResult]]:
    """The pipeline with the raw days, and what the demo says that it wrote."""
    settings = new_settings()
    made = write_demo(
        settings.landing_path, first_day=FIRST, last_day=LAST, people=100, datasets=("users", *WRITTEN)
    )
    now = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=10)
    with opened(settings, now=now.replace(tzinfo=None)) as pipeline:
        refresh(pipeline, groups=INGEST)
        yield pipeline, made


def planted(made: DemoResult, dataset: str) -> Counter[str]:
    """Bad rows by rule."""
    found: Counter[str] = Counter()
    for defect in made.about()["datasets"][dataset]["by_defect"].values():
        found[defect["rule"]] += defect["rows"]
    return Counter({rule: count for rule, count in found.items() if count})


@pytest.mark.parametrize("dataset", WRITTEN)
def test_each_bad_row_is_set_aside_by_the_rule_it_was_planted_for(
    taken: tuple[Pipeline, DemoResult], dataset: str
) -> None:
    pipeline, made = taken
    staged = lake_frame(pipeline, staged_table(DATASET_BY_NAME[dataset]).name)
    refused = Counter(staged["defect"].dropna())
    assert set(refused) <= set(FILE_RULES)
    set_aside = Counter(rules(pipeline, DATASET_BY_NAME[dataset]))
    assert refused + set_aside == planted(made, dataset)
    assert planted(made, dataset).total() == made.counts[dataset].bad > 0


@pytest.mark.parametrize("dataset", WRITTEN)
def test_each_good_row_is_kept_once(taken: tuple[Pipeline, DemoResult], dataset: str) -> None:
    pipeline, _ = taken
    device, key = ROWS[dataset]
    kept = lake_frame(pipeline, raw_table(DATASET_BY_NAME[dataset]).name)
    kept = kept[kept["piece"] == 0] if "piece" in kept.columns else kept
    good = good_rows(pipeline.settings.landing_path, dataset, device, key)
    if dataset == "app_events":
        by_web = read_device(pipeline.settings.landing_path, dataset, "web")
        assert kept["event_id"].isna().sum() == len(by_web) > 100  # equal ones are two
        kept = kept[kept["event_id"].notna()]
    if "sampled_at" in key:
        good["sampled_at"] = good["sampled_at"].dt.tz_localize(None)
        kept["sampled_at"] = kept["sampled_at"].dt.tz_localize(None)
    assert len(kept) == len(good) > 100
    assert set(kept[key].itertuples(index=False)) == set(good[key].itertuples(index=False))


def test_the_copies_count_once_and_the_books_balance(taken: tuple[Pipeline, DemoResult]) -> None:
    pipeline, made = taken
    assert len(made.copies) == len({"app_events", "api_requests"} & set(WRITTEN)) > 0
    for dataset in WRITTEN:
        staged = lake_frame(pipeline, staged_table(DATASET_BY_NAME[dataset]).name)
        assert len(staged) == made.counts[dataset].rows
    assert_books_balance(pipeline)


def test_bills_lie_on_the_days_of_utc(taken: tuple[Pipeline, DemoResult]) -> None:
    """Though they are about people, who live from Los Angeles to Auckland."""
    pipeline, _ = taken
    kept = lake_frame(pipeline, raw_table(DATASET_BY_NAME["billing_events"]).name)
    assert (kept["day"] == kept["occurred_at"].dt.date).all()
    good = good_rows(pipeline.settings.landing_path, "billing_events", "billing", ["event_id"])
    at = dict(zip(good["event_id"], good["occurred_at"].dt.tz_localize(None), strict=True))
    assert (kept["occurred_at"].dt.tz_localize(None) == kept["event_id"].map(at)).all()
