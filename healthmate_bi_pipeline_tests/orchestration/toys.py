"""A small graph whose assets cost nothing: what is stale is said by a dictionary, what is made by the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.usecases.graph import AssetSpec, Stage
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.warehouse import books

_STAGES = {"staged": Stage.INTAKE, "reports": Stage.REPORTS}
_TABLE = Table(
    "toys", "Toys.", (Column("toy_id", Type.INTEGER, "Which."),), ("toy_id",), PrivacyClass.AGGREGATE
)


@dataclass
class Toys:
    """What the toy assets are made from, and what was made.

    Attributes:
        inputs: the version of each partition's input, by asset and first day.
        made: asset and window of each time that something was made, in order.
        failing: called before an asset is made; may raise.
    """

    inputs: dict[str, dict[date, int]] = field(default_factory=dict)
    made: list[tuple[str, str]] = field(default_factory=list)
    failing: dict[str, Callable[[], None]] = field(default_factory=dict)

    def asset(self, name: str, period: Period | None, *upstream: str) -> AssetSpec:
        """An asset; one that is called ``staged/…`` takes files in."""

        def inputs(_pipeline: Pipeline, _connection: Connection, window: Window) -> Mapping[date, int]:
            known = self.inputs.get(name, {})
            return {
                day: version
                for day, version in known.items()
                if day == UNPARTITIONED or window.first_day <= day <= window.last_day
            }

        def build(pipeline: Pipeline, window: Window | None) -> Built:
            self.failing.get(name, lambda: None)()
            self.made.append((name, str(window)))
            days = (
                [part.first_day for part in period.windows(window)] if period and window else [UNPARTITIONED]
            )
            known = self.inputs.get(name, {})
            with pipeline.warehouse.transaction() as connection:
                books.record_partitions(
                    connection,
                    [
                        books.PartitionRecord(
                            name, day, known.get(day, 0), 0, 1, {"kept": 1}, pipeline.run_id, pipeline.now
                        )
                        for day in days
                    ],
                )
            return Built(dict.fromkeys(days, 1), {"kept": len(days)}, (f"{name}: a message",))

        return AssetSpec(
            name=name,
            group=name.split("/", maxsplit=1)[0],
            description=f"The toy {name}.",
            partitioned_by=period,
            upstream=upstream,
            table=_TABLE,
            place="files",
            version="1",
            build=build,
            inputs=None if name.startswith("staged/") else inputs,
            stage=_STAGES.get(name.split("/", maxsplit=1)[0], Stage.FIGURES),
        )

    def graph(self) -> tuple[AssetSpec, ...]:
        """Files → days → more days and months → years."""
        return (
            self.asset("staged/toys", None),
            self.asset("raw/toys", Period.DAILY, "staged/toys"),
            self.asset("state/days", Period.DAILY, "raw/toys"),
            self.asset("state/months", Period.MONTHLY, "state/days"),
            self.asset("figures/yearly", Period.YEARLY, "state/months"),
        )
