"""Where columns come from and where code stands, as Dagster's pages show it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from healthmate_bi_pipeline.orchestration.lineage import code_references, column_lineage
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME, ASSETS, AssetSpec


@pytest.mark.parametrize("spec", ASSETS, ids=lambda spec: spec.name)
def test_columns_come_from_columns_that_there_are(spec: AssetSpec) -> None:
    lineage = column_lineage(spec)
    for column, deps in (lineage.deps_by_column if lineage else {}).items():
        assert column in spec.table.column_names
        for dep in deps:
            above = dep.asset_key.to_user_string()
            assert above in spec.upstream
            assert dep.column_name in ASSET_BY_NAME[above].table.column_names


def test_a_mean_comes_from_a_sum_and_a_count() -> None:
    lineage = column_lineage(ASSET_BY_NAME["health_metrics/monthly"])
    assert lineage is not None
    found = {
        (dep.asset_key.to_user_string(), dep.column_name) for dep in lineage.deps_by_column["avg_weight"]
    }
    assert found == {("state/health_months", name) for name in ("measure", "n", "total")}


@pytest.mark.filterwarnings("ignore:Class `.*CodeReference")
@pytest.mark.parametrize("spec", ASSETS, ids=lambda spec: spec.name)
def test_code_stands_where_it_is_said_to(spec: AssetSpec) -> None:
    for reference in code_references(spec).code_references:
        assert isinstance(reference, dg.LocalFileCodeReference)
        assert reference.line_number is not None
        line = Path(reference.file_path).read_text().splitlines()[reference.line_number - 1]
        assert "def " in line or "lambda" in line or line.lstrip().startswith("@")
