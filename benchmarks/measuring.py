"""How long the pipeline takes, as a ratio to what the machine must at least do; made in one run.

``python -m benchmarks [--readings 20000000] [--people 2000] [--days 60]``

*ingest*: landing files → checked raw days; the floor is DuckDB rewriting the same file as Parquet by day.
*aggregate*: raw → all six periods in PostgreSQL; the floor is DuckDB reading the same columns once and a bare
binary COPY of the same finished rows into a table without index.
*late row*: one row for a day long past, until every figure that holds it is right again.
*memory*: the most that the process of the pipeline held; the server's is its own (256 MB of buffers).

Without arguments: a tenth of the whole size, the whole size, and the same work in pandas and in PostgreSQL at a tenth
of it. Each part runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from pathlib import Path

from benchmarks import floors, rivals
from benchmarks.population import Size, add_late_row, write_landing
from benchmarks.timing import apart, other_process, timed
from healthmate_bi_pipeline.catalog.datasets import USERS
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSETS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

INGEST = ("staged", "raw")
AGGREGATE = ("state", "health_metrics")
WHOLE = Size(20_000_000, 2_000, 60)
TENTH = Size(2_000_000, 200, 60)


def main() -> None:
    """Measure what the arguments say, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--readings", type=int, help="how many readings; only they are measured then")
    parser.add_argument("--people", type=int, default=WHOLE.people, help="of how many people")
    parser.add_argument("--days", type=int, default=WHOLE.days, help="over how many days")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if arguments.readings is not None:
        apart(_measure, Size(arguments.readings, arguments.people, arguments.days))
        return
    for size in (TENTH, WHOLE):
        apart(_measure, size)
    apart(_measure_pandas, TENTH)
    apart(_measure_postgres, TENTH)


def _measure(size: Size) -> None:
    with _opened(size) as (pipeline, landing, readings):
        home = pipeline.settings.home_path
        print(f"\n{size}")
        with other_process() as other:
            floor = other.submit(_timed_rewriting, readings, home / "floor").result()
        shutil.rmtree(home / "floor")
        _tell("ingest", size, timed(lambda: refresh(pipeline, INGEST)), floor)
        seconds = timed(lambda: refresh(pipeline, AGGREGATE))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        files = floors.export_finished_rows(pipeline.warehouse, home)
        floor = timed(lambda: floors.read_and_copy(readings, files, pipeline.warehouse))
        _tell("aggregate", size, seconds, floor)
        add_late_row(landing, size)
        print(f"late row    {timed(lambda: refresh(pipeline, (*INGEST, *AGGREGATE))):8.1f} s")
        print(f"memory      {memory:8.2f} GB at the most")


def _measure_pandas(size: Size) -> None:
    with _opened(size) as (pipeline, landing, readings):
        users = landing / USERS.name / "users.parquet"
        print(f"\n{size}")
        seconds = timed(lambda: rivals.in_pandas(readings, users, pipeline.warehouse))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"pandas      {seconds:8.1f} s for both steps, {memory:.2f} GB at the most")


def _measure_postgres(size: Size) -> None:
    with _opened(size) as (pipeline, landing, readings):
        users = landing / USERS.name / "users.parquet"
        seconds = timed(lambda: rivals.in_postgres(readings, users, pipeline.warehouse))
        print(f"PostgreSQL  {seconds:8.1f} s for both steps")


@contextmanager
def _opened(size: Size) -> Iterator[tuple[Pipeline, Path, Path]]:
    """A pipeline with nothing but the landing files; they go again."""
    home = Path(tempfile.mkdtemp(prefix="healthmate-bench-"))
    try:
        settings = Settings(home=home)
        with other_process() as other:
            readings = other.submit(write_landing, settings.landing_path, size).result()
        now = midnight(size.first_day + timedelta(days=size.days + 30)).replace(tzinfo=UTC)
        with Warehouse.open(settings) as warehouse:
            yield (
                Pipeline(settings, warehouse, Lake(settings.lake_uri), now, actor="bench"),
                settings.landing_path,
                readings,
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def refresh(pipeline: Pipeline, groups: tuple[str, ...], *, without: Collection[str] = ()) -> None:
    """Make all that is stale of some groups of assets, but for some assets."""
    for asset in ASSETS:
        if asset.group not in groups or asset.name in without:
            continue
        stale = stale_partitions(pipeline, asset)
        if not stale:
            continue
        if asset.partitioned_by is None:
            asset.build(pipeline, None)
            continue
        for window in _runs(stale, asset.partitioned_by):
            asset.build(pipeline, window)


def _runs(stale: list[date], period: Period) -> Iterator[Window]:
    """The stale partitions as runs without a gap."""
    windows = [period.window(midnight(day)) for day in stale]
    start = windows[0].start
    for this, following in zip(windows, [*windows[1:], None], strict=True):
        if following is None or following.start != this.end:
            yield Window(start, this.end)
            start = following.start if following else start


def _timed_rewriting(readings: Path, folder: Path) -> float:
    return timed(lambda: floors.rewrite_by_day(readings, folder))


def _tell(what: str, size: Size, seconds: float, floor: float) -> None:
    rate = size.of_a_day * size.people * size.days / seconds / 1e6
    print(
        f"{what:<10}  {seconds:8.1f} s, {rate:5.2f} M readings a second, {seconds / floor:5.1f} times the floor of {floor:.1f} s",
        flush=True,
    )
