"""What one late row costs: ``python -m benchmarks --late-rows``.

Per family a store of one year and one of three, with as many rows a day; then one row more for the first day, until every
figure that holds it is right again. *at once* is what the sensor ``late_data`` has made: the day, and the states and
periods that hold it. *by night* is what looks at all of history and what stands on it. Reports are ``--family reports``'.
"""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path

from benchmarks import api_population, app_population, population
from benchmarks.api_population import ApiSize
from benchmarks.app_population import AppSize
from benchmarks.families import INGEST, NOT_AGGREGATE, Population, opened
from benchmarks.measuring import refresh
from benchmarks.population import Size
from benchmarks.timing import apart, timed
from healthmate_bi_pipeline.usecases.graph import ASSETS, OF_ALL_TIME

YEARS = {1: 365, 3: 1_096}
ROWS_OF_A_DAY = 2_000
PEOPLE = 50
_FIRST_DAY = date(2023, 1, 1)


def main() -> None:
    """Measure all families, and print it."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for family in ("health", "engagement", "performance"):
        for days in YEARS.values():
            apart(_measure, family, days)


def _population(family: str, days: int) -> Population:
    rows = ROWS_OF_A_DAY * days
    if family == "health":
        return Population(
            Size(rows, PEOPLE, days, _FIRST_DAY),
            _write_readings,
            population.add_late_row,
        )
    if family == "engagement":
        return Population(
            AppSize(rows, PEOPLE, days, _FIRST_DAY), app_population.write_landing, app_population.add_late_row
        )
    return Population(
        ApiSize(rows, days, _FIRST_DAY), api_population.write_landing, api_population.add_late_row
    )


def _write_readings(landing: Path, size: Size) -> dict[Path, str]:
    return {population.write_landing(landing, size): "recorded_at"}


def _measure(family: str, days: int) -> None:
    groups = (*INGEST, *dict.fromkeys(asset.group for asset in ASSETS if asset.group not in NOT_AGGREGATE))
    rows = _population(family, days)
    with opened(rows) as (pipeline, _files):
        refresh(pipeline, groups)
        rows.add_late_row(pipeline.settings.landing_path, rows.size)
        at_once = timed(lambda: refresh(pipeline, groups, without=OF_ALL_TIME))
        by_night = timed(lambda: refresh(pipeline, groups))
        print(f"{rows.size}: {at_once:6.1f} s at once, {by_night:6.1f} s by night", flush=True)
