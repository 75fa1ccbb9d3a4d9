"""Readings of any metric → rows of ``health_readings``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import Integers, Numbers, Times
from healthmate_bi_pipeline.sources.demo.rows import DemoRows, FileStyle, coded, instants, same
from healthmate_bi_pipeline.sources.demo.world import Moments, World

HEALTH_READINGS = "health_readings"


@dataclass(frozen=True)
class Choice:
    """One of a few texts per row, by number."""

    texts: tuple[str, ...]
    number: Integers


@dataclass(frozen=True)
class Readings:
    """Readings of one metric by one kind of device; a text stands for all of them.

    Attributes:
        person: number of the person in the block.
        day: number of the day.
        utc: when.
        metric: the code.
        value: in the row's unit.
        unit: one of the metric's spellings.
        source: the device.
        context: the circumstances.
        reading_id: the measurement's number, where there is one.
    """

    person: Integers
    day: Integers
    utc: Times
    metric: str
    value: Numbers
    unit: str | Choice
    source: str | Choice
    context: str | Choice = ""
    reading_id: pa.Array | None = None


def readings_at(
    at: Moments,
    metric: str,
    value: Numbers,
    *,
    unit: str | Choice,
    source: str | Choice,
    context: str | Choice = "",
    reading_id: pa.Array | None = None,
) -> Readings:
    """Readings at moments."""
    return Readings(at.person, at.day, at.utc, metric, value, unit, source, context, reading_id)


def make_rows(world: World, style: FileStyle, *readings: Readings) -> DemoRows:
    """The rows of a style's files."""
    table = pa.concat_tables([_table(world, each) for each in readings]).unify_dictionaries()
    person, day, utc = (
        np.concatenate([getattr(each, name) for each in readings]) for name in ("person", "day", "utc")
    )
    return DemoRows(style, person, day, table, utc)


def _table(world: World, each: Readings) -> pa.Table:
    count = len(each.person)
    return pa.table(
        {
            "user_id": pa.array(world.users_of(each.person)),
            "reading_id": pa.nulls(count, pa.string()) if each.reading_id is None else each.reading_id,
            "metric": same(each.metric, count),
            "value": pa.array(each.value, pa.float64()),
            "unit": _texts(each.unit, count),
            "context": _texts(each.context, count),
            "recorded_at": instants(each.utc),
            "source": _texts(each.source, count),
        }
    )


def _texts(text: str | Choice, count: int) -> pa.Array:
    return coded(text.number, text.texts) if isinstance(text, Choice) else same(text, count)
