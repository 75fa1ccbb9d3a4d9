"""What an asset is: its description as data, and the order that assets are made in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.retention import Rules
from healthmate_bi_pipeline.domain.keeping import Keeping
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.usecases.keeping import Source
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline

Build = Callable[[Pipeline, Window | None], Built]
Inputs = Callable[[Pipeline, Connection, Window], Mapping[date, int]]


RAW = "raw"
"""The group of what is made from staged rows, which all else is made from."""


class Stage(IntEnum):
    """The order of assets whose partitionings do not tell it: a run makes one partitioning after the other."""

    INTAKE = 0
    """What takes files in."""
    BASELINES = 1
    """What the days of the next month are judged by."""
    FIGURES = 2
    """Raw days, states and figures."""
    PARAMETERS = 3
    """What is fitted on the days before a month, and read from then on."""
    HISTORY = 4
    """What is made from the states of all time."""
    REPORTS = 5
    """What is written only where somebody wants it."""
    REPORTS_ON_REPORTS = 6
    """What looks at the other reports of its period."""


@dataclass(frozen=True)
class AssetSpec:
    """One asset.

    Attributes:
        name: with slashes, as in Dagster's asset key.
        group: the column of the graph that it stands in.
        description: what it is.
        partitioned_by: the period of its partitions; ``None``: it has none.
        upstream: the assets that it is made from.
        upstream_before: those of them of which it is made from the partition before its own.
        keeping: how long its partitions are kept; ``None``: for ever.
        sources: the partitions that one of its own is made from, as far as they may be deleted: when they are, it is
            not made again.
        wanted: of an asset whose partitions are made where somebody asks for them: the one that is made by itself.
        is_frozen: made once; again only when somebody asks for it by name.
        table: its columns.
        place: lake, warehouse or files.
        version: of the code; another one makes what was made stale.
        build: makes the partitions of a window (``None`` for an asset without partitions).
        stage: when its turn comes in a run over all assets.
        inputs: the version of what each partition of a window would be made from now; partitions without any
            input are left out. ``None``: it is always tried.
    """

    name: str
    group: str
    description: str
    partitioned_by: Period | None
    upstream: tuple[str, ...]
    table: Table
    place: str
    version: str
    build: Build
    inputs: Inputs | None
    stage: Stage = Stage.FIGURES
    upstream_before: tuple[str, ...] = ()
    is_frozen: bool = False
    keeping: Callable[[Rules], Keeping | None] | None = None
    sources: tuple[Source, ...] = ()
    wanted: Callable[[Pipeline], date | None] | None = None
