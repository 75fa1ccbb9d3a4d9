"""The sketch in the engine is that of the domain, and its percentiles are those of the values, within 1 %."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from healthmate_bi_pipeline.domain import sketch as domain
from healthmate_bi_pipeline.transforms.performance.sketch import (
    bucket_of,
    least_values_exceeded_by,
    quantiles,
    value_of,
)

SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p0": 0.0, "p100": 1.0}


def computed(rows: dict[str, object], expression: Callable[[ir.Table], ir.Table]) -> pd.DataFrame:
    """What the engine makes of some rows."""
    made = expression(ibis.memtable(pa.table(rows)))
    return pd.DataFrame(ibis.duckdb.connect().to_pyarrow(made).to_pydict())


def with_buckets(rows: ir.Table) -> ir.Table:
    """Values with their bucket, and what stands for it."""
    return rows.mutate(bucket=bucket_of(rows.value), shown=value_of(bucket_of(rows.value)))


def test_buckets_are_those_of_the_domain() -> None:
    random = np.random.default_rng(3)
    values = np.concatenate([random.lognormal(3, 3, 50_000), [0, 5e-4, 1e-3, 1, 1.02, 200, 86_400_000]])
    found = computed({"value": values}, with_buckets)
    assert found["bucket"].tolist() == domain.bucket_of(values).tolist()
    np.testing.assert_allclose(found["shown"], domain.value_of(found["bucket"].to_numpy()), rtol=1e-12)


def test_percentiles_are_those_of_the_domain_and_near_the_exact_ones() -> None:
    random = np.random.default_rng(4)
    values = {"a": random.lognormal(0, 1, 20_000), "b": random.lognormal(2, 0.5, 333), "c": np.array([7.0])}
    rows = pd.concat(
        pd.DataFrame(dict(zip(("bucket", "n"), domain.sketch(of), strict=True))).assign(name=name)
        for name, of in values.items()
    )
    found = computed(rows.to_dict("list"), lambda table: quantiles(table, ["name"], SHARES)).set_index("name")
    for name, of in values.items():
        expected = domain.quantiles(*domain.sketch(of), list(SHARES.values()))
        np.testing.assert_allclose(found.loc[name, list(SHARES)].astype(float), expected, rtol=1e-12)
        exact = np.quantile(of, list(SHARES.values()), method="lower")
        np.testing.assert_allclose(found.loc[name, list(SHARES)].astype(float), exact, rtol=0.01)


def test_percentiles_of_merged_parts_are_not_their_mean() -> None:
    """The seeded example of STANDARDS: the mean of both p99 is 16.2, the p99 of both together 11.2."""
    random = np.random.default_rng(0)
    one, other = random.lognormal(0, 1, 100_000), random.lognormal(2, 0.5, 1_000)
    parts = [domain.sketch(one), domain.sketch(other)]
    rows = pd.concat(pd.DataFrame({"bucket": buckets, "n": counts}) for buckets, counts in parts)
    merged = rows.groupby("bucket", as_index=False)["n"].sum().assign(name="both")
    found = computed(merged.to_dict("list"), lambda table: quantiles(table, ["name"], {"p99": 0.99}))
    exact = np.quantile(np.concatenate([one, other]), 0.99, method="lower")
    assert found["p99"][0] == pytest.approx(exact, rel=0.01)
    assert found["p99"][0] == pytest.approx(11.2, abs=0.3)
    assert np.mean([np.quantile(one, 0.99), np.quantile(other, 0.99)]) == pytest.approx(16.2, abs=1.0)


@pytest.mark.parametrize("n", [1, 2, 10, 19, 20, 21, 39, 40, 41, 60, 140, 1_000])
def test_the_least_value_that_one_in_twenty_exceed(n: int) -> None:
    """Against the definition: for each n, values 1 to n; weights beside single rows give the same."""
    values = np.arange(1.0, n + 1)
    least = next(value for value in values if 20 * (values > value).sum() <= n)
    once = pd.DataFrame(dict(zip(("bucket", "n"), domain.sketch(values), strict=True))).assign(name="once")
    thrice = once.assign(n=3 * once["n"], name="thrice")
    found = computed(
        pd.concat([once, thrice]).to_dict("list"),
        lambda table: least_values_exceeded_by(table, ["name"], one_in=20),
    )
    np.testing.assert_allclose(found["value"], [least] * 2, rtol=0.01 * (1 + 1e-9))
