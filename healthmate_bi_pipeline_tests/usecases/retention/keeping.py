"""A small home with two years of few rows, what of it is where, and settings with times to keep it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd

from healthmate_bi_pipeline.catalog.families import FAMILIES
from healthmate_bi_pipeline.settings import RetentionSettings, Settings
from healthmate_bi_pipeline.usecases.checks import CHECKS, Verdict, check
from healthmate_bi_pipeline.usecases.checks.plausibility import PLAUSIBILITY
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, query

NOW = datetime(2026, 7, 10, 12)
FIGURE_TABLES = tuple(
    dict.fromkeys(table.name for family in FAMILIES for table in (family.rows, *family.beside))
)


def kept(settings: Settings, **more: Any) -> Settings:
    """Settings with retention on."""
    return settings.model_copy(update={"retention": RetentionSettings(**({"enabled": True} | more))})


def reading(day: date, value: float = 60, *, user: int = 1, at: str = "10:00", **more: Any) -> dict[str, Any]:
    return {
        "user_id": user, "metric": "heart_rate", "value": value, "unit": "bpm", "source": "watch",
        "recorded_at": f"{day}T{at}:00Z", "reading_id": f"{day}-{user}-{at}",
    } | more  # fmt: skip


def deliver(settings: Settings, name: str, rows: list[dict[str, Any]]) -> None:
    drop_file(settings, name, csv_text(rows))


def table_rows(pipeline: Pipeline, table: str) -> pd.DataFrame:
    """All rows of a table of figures, stamps and all."""
    return query(
        pipeline, f"SELECT to_jsonb(t) AS row, aggregation_period AS period, period_start FROM {table} AS t"
    )


def files_of(settings: Settings) -> dict[str, bytes]:
    """Every file below lake, landing and reports, with its content; the lake's log apart."""
    home = settings.home_path
    return {
        str(path.relative_to(home)): path.read_bytes()
        for folder in ("lake", "landing", "reports")
        for path in sorted((home / folder).rglob("*"))
        if path.is_file() and "_delta_log" not in path.parts
    }


def receipts(pipeline: Pipeline) -> pd.DataFrame:
    found = query(pipeline, "SELECT * FROM bi_retention_receipts ORDER BY object, last_day")
    return found.set_index("object") if len(found) else found


def assert_checks_pass(pipeline: Pipeline) -> None:
    """Every check of the pipeline, the conservation of rows first of all; but those of what came, for that is bad here."""
    found = {
        f"{spec.asset} {spec.name}": check(pipeline, spec, None)
        for spec in CHECKS
        if spec not in PLAUSIBILITY
    }
    bad = {
        name: judgement.reason
        for name, judgement in found.items()
        if judgement.verdict in {Verdict.FAILED, Verdict.ERROR}
    }
    assert bad == {}
