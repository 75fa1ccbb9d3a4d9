"""The families of engagement and performance: ``python -m benchmarks --family engagement [--rows 50000000]``.

*ingest*, *aggregate*, *late row* and *memory* mean what they mean for health (``measuring``), with the same floors:
DuckDB rewriting the landing files by day; DuckDB reading the landing files once and a bare binary COPY of the
finished rows. ``--family churn`` fits the churn model to a million people (``churn``).
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from benchmarks import api_population, app_population, churn, family_floors
from benchmarks.api_population import ApiSize
from benchmarks.app_population import AppSize
from benchmarks.measuring import refresh
from benchmarks.timing import apart, other_process, timed
from healthmate_bi_pipeline.catalog.families import FAMILIES, HEALTH
from healthmate_bi_pipeline.domain.period import midnight
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSETS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

INGEST = ("staged", "raw")
NOT_AGGREGATE = (*INGEST, "reports")


@dataclass(frozen=True)
class Population:
    """The raw data of a family.

    Attributes:
        size: with ``rows``, ``days`` and ``first_day``.
        write: writes the landing files; those that are measured, each with the column of its day.
        add_late_row: writes a file with one row more, for the first day.
    """

    size: Any
    write: Callable[[Path, Any], Mapping[Path, str]]
    add_late_row: Callable[[Path, Any], None]


def main(given: list[str]) -> None:
    """Measure what the arguments say, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--family", choices=("engagement", "performance", "churn"), required=True)
    parser.add_argument("--rows", type=int, default=50_000_000, help="app events or API requests")
    parser.add_argument(
        "--people", type=int, help="by default 20,000 of 50 M events; 1,000,000 for the churn model"
    )
    parser.add_argument("--days", type=int, default=60, help="over how many days")
    arguments = parser.parse_args(given)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if arguments.family == "churn":
        apart(churn.measure, arguments.people or 1_000_000)
        return
    people = arguments.people or max(arguments.rows // 2_500, 10)
    apart(_measure, arguments.family, arguments.rows, people, arguments.days)


def _population(name: str, rows: int, people: int, days: int) -> Population:
    if name == "engagement":
        return Population(
            AppSize(rows, people, days), app_population.write_landing, app_population.add_late_row
        )
    return Population(ApiSize(rows, days), api_population.write_landing, api_population.add_late_row)


def _measure(name: str, rows: int, people: int, days: int) -> None:
    tables = _tables(name)
    population = _population(name, rows, people, days)
    groups = tuple(dict.fromkeys(asset.group for asset in ASSETS if asset.group not in NOT_AGGREGATE))
    with opened(population) as (pipeline, files):
        home = pipeline.settings.home_path
        print(f"\n{population.size}", flush=True)
        with other_process() as other:
            floor = other.submit(_timed_rewriting, files, home / "floor").result()
        shutil.rmtree(home / "floor")
        _tell("ingest", population, timed(lambda: refresh(pipeline, INGEST)), floor)
        seconds = timed(lambda: refresh(pipeline, groups))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        finished = family_floors.export_finished_rows(pipeline.warehouse, tables, home)
        floor = timed(lambda: family_floors.read_and_copy(files, finished, pipeline.warehouse))
        _tell("aggregate", population, seconds, floor)
        population.add_late_row(pipeline.settings.landing_path, population.size)
        print(f"late row    {timed(lambda: refresh(pipeline, (*INGEST, *groups))):8.1f} s")
        print(f"memory      {memory:8.2f} GB at the most")


def _tables(name: str) -> tuple[str, ...]:
    """The tables that are filled: those of all families but health, of which there are no data."""
    if name not in {family.name for family in FAMILIES}:
        raise UsageError(f"there is no family {name}, only {', '.join(family.name for family in FAMILIES)}")
    others = [family for family in FAMILIES if family is not HEALTH]
    return tuple(table.name for family in others for table in (family.rows, *family.beside))


@contextmanager
def opened(population: Population) -> Iterator[tuple[Pipeline, Mapping[Path, str]]]:
    """A pipeline with nothing but the landing files; they go again."""
    home = Path(tempfile.mkdtemp(prefix="healthmate-bench-"))
    try:
        settings = Settings(home=home)
        with other_process() as other:
            files = other.submit(population.write, settings.landing_path, population.size).result()
        end = population.size.first_day + timedelta(days=population.size.days + 30)
        with Warehouse.open(settings) as warehouse:
            now = midnight(end).replace(tzinfo=UTC)
            yield Pipeline(settings, warehouse, Lake(settings.lake_uri), now, actor="bench"), files
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _timed_rewriting(files: Mapping[Path, str], folder: Path) -> float:
    folder.mkdir()
    return timed(lambda: family_floors.rewrite_by_day(files, folder))


def _tell(what: str, population: Population, seconds: float, floor: float) -> None:
    rate = population.size.rows / seconds / 1e6
    print(
        f"{what:<10}  {seconds:8.1f} s, {rate:5.2f} M rows a second, {seconds / floor:5.1f} times the floor of {floor:.1f} s",
        flush=True,
    )
