"""How long a report takes: ``python -m benchmarks --family reports [--people 100000]``.

A year of people who measure their blood pressure and weight every four weeks, use the app and pay for it, and of the
services behind it, through the whole pipeline; then every type of report on that year, on free ranges of its days and on
its last month, each once in a process in which the libraries are loaded, with the size of its page.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks import api_population, app_population
from benchmarks.api_population import ApiSize
from benchmarks.app_population import AppSize
from benchmarks.measuring import refresh
from benchmarks.population import connected
from benchmarks.timing import apart, other_process, timed
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSETS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipe import ReportRecipe
from healthmate_bi_pipeline.usecases.reports.recipes import REPORT_RECIPES
from healthmate_bi_pipeline.usecases.reports.writing import write_report
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

YEAR = Period.YEARLY.window(datetime(2025, 1, 1))
WINDOWS = (
    YEAR,
    Window.of_days(date(2025, 1, 4), date(2025, 12, 20)),  # nothing is known of the days before
    Window.of_days(date(2025, 6, 25), date(2025, 12, 20)),  # compared with as many days before
    Period.MONTHLY.window(midnight(date(2025, 12, 1))),
)
_DAYS_BETWEEN = 28
_REQUESTS = 1_000_000


def main(given: list[str]) -> None:
    """Measure what the arguments say, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    arguments = parser.parse_args(given)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    apart(measure, arguments.people)


def measure(people: int) -> None:
    """Make the figures of a year of so many people, and print how long each report takes."""
    home = Path(tempfile.mkdtemp(prefix="healthmate-bench-"))
    try:
        settings = Settings(home=home)
        with other_process() as other:
            other.submit(_write_landing, settings.landing_path, people).result()
        now = (YEAR.end + timedelta(days=30)).replace(tzinfo=UTC)
        with Warehouse.open(settings) as warehouse:
            pipeline = Pipeline(settings, warehouse, Lake(settings.lake_uri), now, actor="bench")
            groups = tuple(dict.fromkeys(asset.group for asset in ASSETS if asset.group != "reports"))
            seconds = timed(lambda: refresh(pipeline, groups))
            print(f"\na year of {people:,} people: {seconds:.0f} s from landing files to figures", flush=True)
            write_report(pipeline, REPORT_RECIPES[0], Window.of_days(date(2025, 2, 1), date(2025, 2, 1)))
            for recipe in REPORT_RECIPES:
                for window in WINDOWS:
                    _tell(pipeline, recipe, window)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tell(pipeline: Pipeline, recipe: ReportRecipe, window: Window) -> None:
    paths: list[str] = []
    seconds = timed(lambda: paths.extend(write_report(pipeline, recipe, window).paths))
    page = next(pipeline.settings.reports_path / path for path in paths if path.endswith(".html"))
    print(
        f"{recipe.report_type.name:<20} {window} {seconds:6.2f} s, page {page.stat().st_size / 1e3:7.0f} kB",
        flush=True,
    )


def _write_landing(landing: Path, people: int) -> None:
    app_population.write_landing(landing, AppSize(1, people, YEAR.days, YEAR.first_day))
    api_population.write_landing(landing, ApiSize(_REQUESTS, YEAR.days, YEAR.first_day))
    with connected() as connection:
        for dataset, rows in (("health_readings", _readings(people)), ("billing_events", _bills(people))):
            (landing / dataset).mkdir()
            connection.execute(
                f"COPY ({rows}) TO '{landing / dataset / 'rows.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
            )


def _readings(people: int) -> str:
    """A blood pressure and a weight every four weeks, at each person's own level."""
    return f"""
        SELECT 1 + u AS user_id, metric, usual + hash(u) % 20 + hash(u, d, metric) % 9 AS value, unit, 'cuff' AS source,
            CASE WHEN metric <> 'weight' THEN 'r' || d END AS reading_id,
            timestamptz '{YEAR.first_day} 08:00:00+00' + to_days(d::int) AS recorded_at
        FROM range({people}) a(u), range({YEAR.days}) b(d),
            (VALUES ('blood_pressure_systolic', 115.0, 'mmHg'), ('blood_pressure_diastolic', 70.0, 'mmHg'),
                ('weight', 65.0, 'kg')) c(metric, usual, unit)
        WHERE d % {_DAYS_BETWEEN} = u % {_DAYS_BETWEEN}"""


def _bills(people: int) -> str:
    """Every tenth person starts some day and pays every 30 days; one of 50 payments fails, a third cancel."""
    return f"""
        SELECT user_id, user_id || '-' || n AS event_id,
            CASE WHEN n = 0 THEN 'started' WHEN n = last AND is_leaving THEN 'cancelled'
                WHEN hash(user_id, n) % 50 = 0 THEN 'payment_failed' ELSE 'renewed' END AS event,
            'plus' AS plan, CASE WHEN event IN ('cancelled', 'payment_failed') THEN 0 ELSE 799 END AS amount_minor,
            'EUR' AS currency, timestamptz '{YEAR.first_day} 12:00:00+00' + to_days((first + 30 * n)::int) AS occurred_at,
            'billing' AS source
        FROM (
            SELECT *, unnest(range(last + 1)) AS n
            FROM (
                SELECT 10 * (1 + i) AS user_id, (hash('first', i) % 300)::bigint AS first,
                    ({YEAR.days} - first) // 30 AS last, hash('leaves', i) % 3 = 0 AS is_leaving
                FROM range({people // 10}) t(i)
            )
        )"""
