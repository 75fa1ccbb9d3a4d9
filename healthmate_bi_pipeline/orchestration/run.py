"""Carrying out: what ``healthmate-bi run`` and the job ``refresh`` do.

Everything goes through Dagster, in this process, so every partition is recorded in the instance and the UI
shows it. What is stale is asked again before each group: what an asset is made from is known only when that
has been made. An asset that fails leaves the others alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import dagster as dg

from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration.blocking import held_back
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.dead_runs import fail_dead_runs, process_tags
from healthmate_bi_pipeline.orchestration.execution import execute
from healthmate_bi_pipeline.orchestration.failures import tried_again
from healthmate_bi_pipeline.orchestration.interrupts import Interrupts, watch_interrupts
from healthmate_bi_pipeline.orchestration.partitions import find_first_day
from healthmate_bi_pipeline.orchestration.plan import Group, fold, groups, with_downstream, without
from healthmate_bi_pipeline.orchestration.selection import select_assets
from healthmate_bi_pipeline.orchestration.watching import OnProgress, RunSummary, Watch, unwatched
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.check_results import blocking_days
from healthmate_bi_pipeline.usecases.checks import CHECKS
from healthmate_bi_pipeline.usecases.graph import ASSETS, RAW, AssetSpec
from healthmate_bi_pipeline.usecases.ingest import new_file_count, unknown_folder_messages
from healthmate_bi_pipeline.usecases.keeping import left_out
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.status import begun_stale
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline.warehouse.server import telling_losses

MOST_ATTEMPTS = 2
"""How often one call makes a partition: what is made of one day can make the next day stale, once."""


def run_pipeline(
    settings: Settings,
    *,
    first_day: date | None = None,
    last_day: date | None = None,
    raw_days: Sequence[Window] = (),
    select: Sequence[str] = (),
    dry_run: bool = False,
    on_progress: OnProgress = unwatched,
    instance: dg.DagsterInstance | None = None,
    assets: Sequence[AssetSpec] = ASSETS,
    now: datetime | None = None,
    tags: Mapping[str, str] | None = None,
) -> RunSummary:
    """Make what is stale, or, when days are given, all that touches them.

    Args:
        settings: the configuration.
        first_day: the first day to make; when only the last one is given, the first that is known.
        last_day: the last one, inclusive; when only the first one is given, today.
        raw_days: when given, only stale raw days that lie in one of these are made, and what is stale then.
        select: names of assets or groups, or expressions in Dagster's selection syntax; all when empty.
        dry_run: only say what would be made, as far as it is known before files have been read.
        on_progress: told of every moment.
        instance: where runs are recorded; the one of ``DAGSTER_HOME`` when not given.
        assets: the graph.
        now: the instant that counts as now.
        tags: put on every Dagster run beside our own.

    Raises:
        UsageError: a wrong selection, or days that do not exist.
        TransientError: the database is gone.
        KeyboardInterrupt: somebody stopped it.
    """
    chosen = select_assets(select, assets, build_definitions(settings, assets=assets, checks=()))
    frozen = frozenset(asset.name for asset in chosen if asset.is_frozen and not select)
    with telling_losses(settings), Pipeline.open(settings, now=now) as pipeline:
        is_for_days = first_day is not None or last_day is not None
        if dry_run:
            days = _known_days(pipeline, first_day, last_day) if is_for_days else None
            touched = [asset for asset in chosen if days is None or asset.name not in frozen]
            return _planned(pipeline, touched, days)
        with _opened(instance) as recorded_in, watch_interrupts() as interrupts:
            run = _Run(
                pipeline,
                recorded_in,
                chosen,
                raw_days=raw_days,
                interrupts=interrupts,
                tags=tags or {},
                on_progress=on_progress,
            )
            run.mark_dead_runs()
            for group in groups(chosen):
                if not is_for_days or frozen.issuperset(asset.name for asset in group.assets):
                    make = partial(run.make_stale, group)
                elif group.partitioned_by is None:
                    make = partial(run.make_whole, group)
                else:  # known only now: taking files in may have moved the first day back
                    make = partial(run.make_days, group, _known_days(pipeline, first_day, last_day))
                tried_again(make)
        run.summary.messages.extend(unknown_folder_messages(pipeline))
        return run.summary


class _Run:
    """One call of ``run_pipeline``."""

    def __init__(
        self,
        pipeline: Pipeline,
        instance: dg.DagsterInstance,
        chosen: Sequence[AssetSpec],
        *,
        raw_days: Sequence[Window],
        interrupts: Interrupts,
        tags: Mapping[str, str],
        on_progress: OnProgress,
    ) -> None:
        self._raw_days = tuple(raw_days)
        self._checks = [check for check in CHECKS if not check.is_by_clock]
        self._held_back: set[str] = set()
        self.summary = RunSummary(pipeline.settings.reports_path)
        self._interrupts = interrupts
        self._watch = Watch(self.summary, on_progress, raise_if_stopped=interrupts.raise_if_any)
        self._pipeline = replace(pipeline, progress=self._watch.advanced)
        self._instance = instance
        self._chosen = tuple(chosen)
        self._tags = {**process_tags(), **tags}
        self._loaded: tuple[date, dg.Definitions] | None = None

    def mark_dead_runs(self) -> None:
        """Say of the runs of killed processes that they are over."""
        self.summary.dead_runs = len(fail_dead_runs(self._instance))
        with self._pipeline.warehouse.transaction() as connection:
            runs.abandon_dead_runs(connection, now=self._pipeline.now)

    def make_days(self, group: Group, days: Window) -> None:
        """Make all partitions of a group that touch some days, but for those that cannot be made whole any more."""
        assert group.partitioned_by is not None  # noqa: S101 - it is partitioned
        asked = sorted(_partitions(group.partitioned_by, days))
        wrong = self._wrong_days()
        makeable = [asset for asset in group.assets if self._without_held_back(asset, asked, wrong) == asked]
        self._make_planned(group, {asset.name: set(asked) for asset in makeable}, is_told=True)

    def make_whole(self, group: Group) -> None:
        """Make the assets of a group that has no partitions."""
        whole, wrong = [UNPARTITIONED], self._wrong_days()
        names = {asset.name for asset in group.assets if self._without_held_back(asset, whole, wrong)}
        self._make(group, names, None)

    def make_stale(self, group: Group) -> None:
        """Make the stale partitions of a group, and what is made from them, until there are none."""
        attempts: Counter[tuple[str, date]] = Counter()
        failed: set[str] = set()
        while True:
            wrong = self._wrong_days()
            stale = {
                asset.name: [
                    day
                    for day in self._stale(asset, wrong)
                    if attempts[asset.name, day] < (1 if group.partitioned_by is None else MOST_ATTEMPTS)
                ]
                for asset in group.assets
                if asset.name not in failed
            }
            if not any(stale.values()):
                return
            planned = with_downstream(stale, [asset for asset in group.assets if asset.name in stale])
            attempts.update((name, day) for name, days in planned.items() for day in days)
            failed |= self._make_planned(group, planned, is_told=False)

    def _stale(self, asset: AssetSpec, wrong: Mapping[str, set[date]]) -> list[date]:
        days = self._without_held_back(asset, begun_stale(self._pipeline, asset), wrong)
        if not self._raw_days or asset.group != RAW or asset.partitioned_by is None:
            return days
        return [day for day in days if any(span.first_day <= day <= span.last_day for span in self._raw_days)]

    def _wrong_days(self) -> dict[str, set[date]]:
        """What blocking checks failed for; what is to be made again will be checked again first."""
        by_name = {asset.name: asset for asset in self._chosen}
        return {
            name: days - set(begun_stale(self._pipeline, by_name[name])) if name in by_name else days
            for name, days in blocking_days(self._pipeline, self._checks).items()
        }

    def _without_held_back(
        self, asset: AssetSpec, days: Sequence[date], wrong: Mapping[str, set[date]]
    ) -> list[date]:
        held = held_back(asset, days, wrong=wrong, assets=self._chosen)
        if held and asset.name not in self._held_back:
            self._held_back.add(asset.name)
            count = f"{len(held)} partitions from {min(held)} on" if asset.partitioned_by else "it is"
            self._watch.failed(
                asset.name, f"{asset.name}: {count} not made, because a check of what they stand on failed."
            )
        return [day for day in days if day not in held]

    def _make_planned(self, group: Group, planned: Mapping[str, set[date]], *, is_told: bool) -> set[str]:
        """Make some partitions; the names of the assets that failed.

        Args:
            group: what one run can make.
            planned: first days of partitions, by asset.
            is_told: somebody asked for these days. Who names days wants nothing made along with them.
        """
        period = group.partitioned_by
        if period is None:
            return self._make(group, {name for name, days in planned.items() if days}, None)
        failed: set[str] = set()
        days = {day for of_asset in planned.values() for day in of_asset}
        for folded in fold(days, period, gap=0 if is_told or self._raw_days else group.folded_gap):
            parts = {part.first_day for part in period.partitioned_by.windows(folded)}
            left = {
                asset.name: left_out(self._pipeline, asset, parts, is_told=is_told)
                for asset in group.assets
                if asset.name in planned
            }
            if is_told:
                self._tell_left_out(left)
            for window, names in without(folded, period, left):
                touched = {
                    name
                    for name, of_asset in planned.items()
                    if name not in names
                    and any(window.first_day <= day <= window.last_day for day in of_asset)
                }
                failed |= self._make(group, touched, window) if touched else set()
        return failed

    def _tell_left_out(self, left: Mapping[str, set[date]]) -> None:
        for name, days in left.items():
            if days:
                self.summary.messages.append(
                    f"{name}: {len(days)} partitions ({min(days)} to {max(days)}) stay as they are: what they are made from"
                    " was deleted, because the time that it is kept for is over."
                )

    def _make(self, group: Group, names: set[str], window: Window | None) -> set[str]:
        if not names:
            return set()
        failures = execute(
            self._definitions(),
            names,
            instance=self._instance,
            period=group.partitioned_by,
            window=window,
            tags=self._tags,
            wait_for_server=self._pipeline.warehouse.wait_for_server,
        )
        self._interrupts.raise_if_any()
        for failure in failures:
            if failure.is_warning:
                self.summary.messages.append(failure.line)
                continue
            self._watch.failed(failure.asset, failure.line + self._watch.reason_of(failure.asset))
        return {failure.asset for failure in failures if not failure.is_warning}

    def _definitions(self) -> dg.Definitions:
        """The definitions from the first day on that is known now: taking files in may move it back."""
        first_day = find_first_day(self._pipeline.settings)
        if self._loaded is None or self._loaded[0] != first_day:
            definitions = build_definitions(
                self._pipeline.settings,
                assets=[self._watch.watched(asset) for asset in self._chosen],
                checks=self._checks,
                open_pipeline=lambda: nullcontext(self._pipeline),
            )
            self._loaded = first_day, definitions
        return self._loaded[1]


@contextmanager
def _opened(instance: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    """The instance that was given, or the one of ``DAGSTER_HOME`` for as long as the block lasts."""
    if instance is not None:
        yield instance
        return
    with dg.DagsterInstance.get() as opened:
        yield opened


def _planned(pipeline: Pipeline, chosen: Sequence[AssetSpec], days: Window | None) -> RunSummary:
    if days is None:
        stale = {asset.name: begun_stale(pipeline, asset) for asset in chosen}
        planned = with_downstream(stale, chosen)
    else:
        planned = {
            asset.name: _partitions(asset.partitioned_by, days) if asset.partitioned_by else {UNPARTITIONED}
            for asset in chosen
        }
    by_name = {asset.name: asset for asset in chosen}
    planned = {
        name: part - left_out(pipeline, by_name[name], part, is_told=days is not None)
        for name, part in planned.items()
    }
    summary = RunSummary(pipeline.settings.reports_path)
    summary.partitions.update({name: part for name, part in planned.items() if part})
    summary.new_files = {
        asset: new_file_count(pipeline, dataset)
        for dataset in DATASETS
        if (asset := f"staged/{dataset.name}") in summary.partitions
    }
    return summary


def _known_days(pipeline: Pipeline, first_day: date | None, last_day: date | None) -> Window:
    """The days that were asked for, as far as there are partitions."""
    known = Window.of_days(find_first_day(pipeline.settings), datetime.now(UTC).date())
    first, last = first_day or known.first_day, last_day or known.last_day
    if last < first:
        raise UsageError(f"The last day ({last}) lies before the first ({first}).")
    days = Window.of_days(first, last).intersection(known)
    if days is None:
        raise UsageError(
            f"There is nothing to make in {first}…{last}: days are known from {known.first_day} to"
            f" {known.last_day}. HEALTHMATE_START_DATE sets an earlier first day."
        )
    return days


def _partitions(period: Period, days: Window) -> set[date]:
    return {part.first_day for part in period.partitioned_by.windows(days)}
