"""DDSketch as expressions: buckets are rows, and merging is adding up. What it is, is in ``domain/sketch``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.domain.sketch import GAMMA, LEAST_VALUE, LOG_GAMMA, ZERO_BUCKET


def bucket_of(value: Any) -> Any:
    """The number of the bucket that a value falls into."""
    is_zero = value < LEAST_VALUE
    power = (ibis.greatest(value, LEAST_VALUE).ln() / LOG_GAMMA).ceil().cast("int64")
    return is_zero.ifelse(ibis.literal(ZERO_BUCKET, type="int64"), power)


def value_of(bucket: Any) -> Any:
    """The value that stands for a bucket."""
    value = (bucket.cast("float64") * LOG_GAMMA).exp() * (2 / (GAMMA + 1))
    return (bucket == ZERO_BUCKET).ifelse(ibis.literal(0.0), value)


def quantiles(buckets: ir.Table, by: Sequence[str], shares: Mapping[str, float]) -> ir.Table:
    """The values at given shares of sketches.

    Args:
        buckets: ``by``, ``bucket`` and ``n``; each bucket once.
        by: what tells the sketches apart.
        shares: the columns to be made, and the share of each, 0 to 1.

    Returns:
        ``by``, and a column per share: the value at position floor(share x (n - 1)) of the sorted values.
    """
    upto = ibis.cumulative_window(group_by=list(by), order_by="bucket")
    whole = ibis.window(group_by=list(by))
    counted = buckets.mutate(reached=buckets.n.sum().over(upto), values=buckets.n.sum().over(whole))
    found = {
        name: counted.bucket.min(
            where=counted.reached > ((counted["values"] - 1).cast("float64") * share).floor().cast("int64")
        )
        for name, share in shares.items()
    }
    at = counted.group_by(list(by)).agg(**found)
    return at.mutate(**{name: value_of(at[name]) for name in shares})


def least_values_exceeded_by(buckets: ir.Table, by: Sequence[str], *, one_in: int) -> ir.Table:
    """The least value that no more than one in so many of a sketch's values exceed.

    With ``one_in=20`` it is the 95th percentile as a promise reads it ("95 of 100 are answered within this"): it
    lies above a limit exactly when more than a twentieth of the values do. ``quantiles`` counts positions otherwise,
    and of few values its percentile may lie one value lower.

    Args:
        buckets: ``by``, ``bucket`` and ``n``; each bucket once.
        by: what tells the sketches apart.
        one_in: 20 for the 95th percentile.

    Returns:
        ``by``, and ``value``.
    """
    upto = ibis.cumulative_window(group_by=list(by), order_by="bucket")
    whole = ibis.window(group_by=list(by))
    counted = buckets.mutate(reached=buckets.n.sum().over(upto), values=buckets.n.sum().over(whole))
    is_enough = (counted["values"] - counted.reached) * one_in <= counted["values"]
    found = counted.group_by(list(by)).agg(bucket=counted.bucket.min(where=is_enough))
    return found.select(*by, value=value_of(found.bucket))
