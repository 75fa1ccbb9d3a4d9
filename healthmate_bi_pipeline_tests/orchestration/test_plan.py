from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.orchestration.plan import (
    MOST_PARTITIONS,
    fold,
    groups,
    touched,
    with_downstream,
)
from healthmate_bi_pipeline.usecases.graph import ASSETS, Stage
from healthmate_bi_pipeline_tests.orchestration.toys import Toys

periods = st.sampled_from([period for period in Period if period is not Period.HOURLY])
days = st.sets(st.dates(min_value=date(2019, 1, 1), max_value=date(2024, 12, 31)), max_size=40)


def test_everything_is_made_after_what_it_is_made_from() -> None:
    order = [asset.name for group in groups(ASSETS) for asset in group.assets]
    assert sorted(order) == sorted(asset.name for asset in ASSETS)
    for asset in ASSETS:
        assert all(order.index(name) < order.index(asset.name) for name in asset.upstream), asset.name


def test_a_group_has_one_partitioning() -> None:
    for group in groups(ASSETS):
        assert {asset.partitioned_by for asset in group.assets} == {group.partitioned_by}
    first = groups(ASSETS)[0]
    assert all(asset.inputs is None for asset in first.assets)


@given(period=periods, chosen=days, allowed=st.integers(min_value=0, max_value=10))
def test_folded_windows_hold_every_partition_and_no_long_gap(
    period: Period, chosen: set[date], allowed: int
) -> None:
    starts = {period.floor(midnight(day)).date() for day in chosen}
    windows = fold(starts, period, gap=allowed)
    made = [part.first_day for window in windows for part in period.windows(window)]
    assert starts <= set(made)
    assert made == sorted(set(made))
    assert all(len(list(period.windows(window))) <= MOST_PARTITIONS for window in windows)
    for one, later in pairwise(sorted(starts)):
        gap = (later - period.window(midnight(one)).last_day).days - 1
        if gap > allowed:
            between = one + timedelta(days=period.window(midnight(one)).days)
            assert between not in made


def test_reports_come_last_and_are_not_made_along() -> None:
    found = groups(ASSETS)
    is_for_reports = [any(asset.stage >= Stage.REPORTS for asset in group.assets) for group in found]
    assert is_for_reports == sorted(is_for_reports)
    assert any(is_for_reports)
    assert all(group.folded_gap == 0 for group, is_for in zip(found, is_for_reports, strict=True) if is_for)


def test_reports_are_planned_only_when_they_are_stale_themselves() -> None:
    toys = Toys()
    graph = (*toys.graph(), toys.asset("reports/daily", Period.DAILY, "state/days"))
    planned = with_downstream({"raw/toys": [date(2026, 1, 31)]}, graph)
    assert planned["state/days"] == {date(2026, 1, 31)}
    assert planned["reports/daily"] == set()
    wanted = with_downstream({"reports/daily": [date(2026, 1, 31)]}, graph)
    assert wanted["reports/daily"] == {date(2026, 1, 31)}


def test_nothing_folds_to_nothing() -> None:
    assert fold([], Period.DAILY) == []


def test_a_long_range_is_made_in_pieces() -> None:
    window = Window.of_days(date(2015, 1, 1), date(2019, 12, 31))
    windows = fold(window.each_day(), Period.DAILY)
    assert [piece.days for piece in windows] == [366, 366, 366, 366, 362]
    assert all(one.end == later.start for one, later in pairwise(windows))


def test_what_is_made_from_the_stale_is_planned_too() -> None:
    planned = with_downstream({"raw/toys": [date(2026, 1, 31), date(2026, 2, 1)]}, Toys().graph())
    assert planned == {
        "staged/toys": set(),
        "raw/toys": {date(2026, 1, 31), date(2026, 2, 1)},
        "state/days": {date(2026, 1, 31), date(2026, 2, 1)},
        "state/months": {date(2026, 1, 1), date(2026, 2, 1)},
        "figures/yearly": {date(2026, 1, 1)},
    }


def test_what_a_later_month_is_made_from_comes_first_and_touches_the_month_after() -> None:
    toys = Toys()
    months = replace(toys.asset("state/usual", Period.MONTHLY, "staged/toys"), stage=Stage.BASELINES)
    days = replace(
        toys.asset("raw/toys", Period.DAILY, "staged/toys", "state/usual"), upstream_before=("state/usual",)
    )
    graph = (toys.asset("staged/toys", None), months, days)
    found = [asset.name for group in groups(reversed(graph)) for asset in group.assets]
    assert found.index("state/usual") < found.index("raw/toys")
    planned = with_downstream({"state/usual": [date(2026, 1, 1)]}, graph)
    assert planned["raw/toys"] == {date(2026, 2, day) for day in range(1, 29)}


def test_only_what_was_chosen_is_planned() -> None:
    chosen = [asset for asset in Toys().graph() if asset.name in {"raw/toys", "figures/yearly"}]
    planned = with_downstream({"raw/toys": [date(2026, 1, 31)]}, chosen)
    assert planned == {"raw/toys": {date(2026, 1, 31)}, "figures/yearly": set()}


def test_hourly_rows_are_made_by_the_day() -> None:
    assert touched([date(2026, 1, 5)], Period.HOURLY, Period.WEEKLY) == {date(2026, 1, 5)}
    assert touched([date(2026, 3, 1)], Period.MONTHLY, Period.HOURLY) == {
        date(2026, 3, day) for day in range(1, 32)
    }
