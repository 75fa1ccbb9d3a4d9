"""The families of figures: what their state is kept by, what it is made from, and which tables it fills.

A family is a declaration; what it is made by (pure functions of ``transforms``) is joined to it in ``usecases``.
Whoever adds one declares it here, gives it a recipe there, and has states, six periods, versions and checks.
"""

from __future__ import annotations

from dataclasses import dataclass

from healthmate_bi_pipeline.catalog import engagement, health, measures, performance
from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    API_REQUESTS,
    APP_EVENTS,
    DATASETS,
    HEALTH_READINGS,
    HOST_SAMPLES,
    LOGIN_SESSIONS,
    MEDICATION_DOSES,
    SLEEP_SESSIONS,
    SYMPTOM_LOGS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.engagement_tables import (
    ENGAGEMENT_ACTIVE_DAYS,
    ENGAGEMENT_ACTIVITY,
    ENGAGEMENT_FEATURE_USE,
    ENGAGEMENT_FIGURE_GROUPS,
    ENGAGEMENT_ROWS,
    ENGAGEMENT_VIEW,
)
from healthmate_bi_pipeline.catalog.measures import COMPONENTS
from healthmate_bi_pipeline.catalog.performance_tables import SYSTEM_PERFORMANCE_METRICS
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, HEALTH_METRIC_ROWS, HEALTH_METRICS_VIEW
from healthmate_bi_pipeline.domain.period import Grain, Period

PERSON = (Column("user_id", Type.INTEGER, "The person.", is_nullable=False),)


@dataclass(frozen=True)
class Neighbour:
    """Raw days beside a state's own that it is made from too.

    Attributes:
        dataset: of which dataset.
        days: how far away: below zero before the day, above zero after it.
        name: what it is called in the version of the day.
    """

    dataset: Dataset
    days: int
    name: str


@dataclass(frozen=True)
class Layer:
    """The state of a family at a grain.

    Attributes:
        grain: how fine it is.
        datasets: the raw days that it is made from, beside the next finer state.
        neighbours: raw days beside its own.
        is_ranked: whether it chooses among sources by their rank.
        is_measured_against_levels: whether it counts what breaks the service levels of the settings.
    """

    grain: Grain
    datasets: tuple[Dataset, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    is_ranked: bool = False
    is_measured_against_levels: bool = False


@dataclass(frozen=True)
class Family:
    """One family of figures.

    Attributes:
        name: as in its lake tables, ``state/<name>_hours``.
        group: of its assets of figures, ``<group>/daily``; those of its state are in ``state``.
        noun: what a row of the state is about.
        key: the columns that tell whose state it is.
        layers: its states, from the finest to the coarsest.
        state_version: raised when the meaning of any state changes.
        registry_version: raised when the meaning of any figure changes.
        rows: the table of its figures; it has ``state_version`` and is counted by the books.
        view: what people read of it: the rows, or a view over them.
        beside: the tables that are replaced in the same transaction.
        reads_people: whether its figures rest on the people's records.
        periods_before: at how many periods before their own its figures look, where they do.
        levels: at how many levels its figures are told: so many times a row of the state is held at once.
    """

    name: str
    group: str
    noun: str
    key: tuple[Column, ...]
    layers: tuple[Layer, ...]
    state_version: int
    registry_version: int
    rows: Table
    view: Table
    beside: tuple[Table, ...] = ()
    reads_people: bool = True
    periods_before: tuple[tuple[Period, int], ...] = ()
    levels: int = 1

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the columns that tell whose state it is."""
        return tuple(column.name for column in self.key)

    @property
    def grains(self) -> tuple[Grain, ...]:
        """The grains that its state is kept at, from the finest to the coarsest."""
        return tuple(layer.grain for layer in self.layers)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The datasets that it is made from, in the order of the catalog."""
        used = {dataset.name for layer in self.layers for dataset in layer.datasets}
        return tuple(dataset for dataset in DATASETS if dataset.name in used)

    def looks_back(self, period: Period) -> int:
        """How many periods before their own the figures of a period look at the state of."""
        return dict(self.periods_before).get(period, 0)

    def layer(self, grain: Grain) -> Layer:
        """Its state at a grain.

        Raises:
            KeyError: it keeps none.
        """
        for layer in self.layers:
            if layer.grain is grain:
                return layer
        raise KeyError(f"{self.name} has no state of a {grain}")

    def finer(self, grain: Grain) -> Grain | None:
        """The grain that a state is merged from; ``None`` for the finest."""
        place = self.grains.index(grain)
        return self.grains[place - 1] if place else None


def state_table(family: Family, grain: Grain) -> Table:
    """The lake's table of a family's state at a grain, partitioned by ``day`` or ``month``.

    The partition column is the wall-clock day (for months: their first day). The state of hours has the hour
    of the day beside it, that of five minutes also the minute of the hour.
    """
    partition = Column(
        "month" if grain is Grain.MONTH else "day", Type.DATE, "Wall-clock day, or first day of the month.",
        is_nullable=False,
    )  # fmt: skip
    slot = (
        Column("hour", Type.INTEGER, "Wall-clock hour of the day.", is_nullable=False),
        Column("minute", Type.INTEGER, "Minute of the hour that the slot starts at.", is_nullable=False),
    )[: {Grain.FIVE_MINUTES: 2, Grain.HOUR: 1}.get(grain, 0)]
    return Table(
        name=state_name(family, grain),
        description=f"Additive state of the {family.name} family, one row per {family.noun}, measure, item and"
        f" {grain}.",
        columns=(
            *family.key,
            Column("measure", Type.TEXT, "What was measured.", is_nullable=False),
            Column("item", Type.TEXT, "Which one of a set; empty where there is none.", is_nullable=False),
            *slot,
            *(component.column for component in COMPONENTS),
            partition,
        ),
        key=(*family.key_names, "measure", "item", *(column.name for column in slot), partition.name),
        privacy=PrivacyClass.IDENTIFIED if family.reads_people else PrivacyClass.AGGREGATE,
    )


def state_name(family: Family, grain: Grain) -> str:
    """The name of the state's lake table and asset: ``state/health_hours``."""
    return f"state/{family.name}_{grain.plural}"


def figures_name(family: Family, period: Period) -> str:
    """The name of the asset of a period's figures: ``health_metrics/daily``."""
    return f"{family.group}/{period}"


HEALTH = Family(
    name="health",
    group="health_metrics",
    noun="person",
    key=PERSON,
    layers=(
        Layer(Grain.HOUR, (HEALTH_READINGS, ACTIVITY_INTERVALS, SYMPTOM_LOGS), is_ranked=True),
        Layer(
            Grain.DAY,
            (HEALTH_READINGS, ACTIVITY_INTERVALS, SLEEP_SESSIONS, MEDICATION_DOSES),
            # Regularity of sleep compares with the night before.
            neighbours=(Neighbour(SLEEP_SESSIONS, -1, "nights before"),),
            is_ranked=True,
        ),
        Layer(Grain.MONTH),
    ),
    state_version=measures.STATE_VERSION,
    registry_version=health.REGISTRY_VERSION,
    rows=HEALTH_METRIC_ROWS,
    view=HEALTH_METRICS_VIEW,
    beside=(HEALTH_GROUPS,),
)

ENGAGEMENT = Family(
    name="engagement",
    group="user_engagement",
    noun="person",
    key=PERSON,
    layers=(
        Layer(
            Grain.HOUR,
            (LOGIN_SESSIONS, APP_EVENTS),
            # A session that goes on over midnight has page views there.
            neighbours=(Neighbour(APP_EVENTS, 1, "events of the day after"),),
        ),
        Layer(Grain.DAY),
        Layer(Grain.MONTH),
    ),
    state_version=engagement.STATE_VERSION,
    registry_version=engagement.REGISTRY_VERSION,
    rows=ENGAGEMENT_ROWS,
    view=ENGAGEMENT_VIEW,
    beside=(ENGAGEMENT_FIGURE_GROUPS,),
    # Who was active before and is not any more is dormant.
    periods_before=tuple((period, 1) for period in Period if period is not Period.HOURLY),
)

ENGAGEMENT_GROUPS = Family(
    name=ENGAGEMENT.name,
    group="engagement_groups",
    noun=ENGAGEMENT.noun,
    key=ENGAGEMENT.key,
    layers=ENGAGEMENT.layers,
    state_version=engagement.STATE_VERSION,
    registry_version=engagement.REGISTRY_VERSION,
    rows=ENGAGEMENT_ACTIVITY,
    view=ENGAGEMENT_ACTIVITY,
    beside=(ENGAGEMENT_ACTIVE_DAYS, ENGAGEMENT_FEATURE_USE),
    reads_people=False,
    # 28 days up to the last one; of a period that is running up to an earlier day.
    periods_before=(
        (Period.DAILY, 27),
        (Period.WEEKLY, 4),
        (Period.MONTHLY, 1),
        (Period.QUARTERLY, 1),
        (Period.YEARLY, 1),
    ),
)
"""From the same state; apart from the people's rows, which a late day of the weeks before leaves alone."""

PERFORMANCE = Family(
    name="performance",
    group="system_performance",
    noun="service, environment, instance and route group",
    key=(
        Column("service_name", Type.TEXT, "The service.", is_nullable=False),
        Column("environment", Type.TEXT, "The environment.", is_nullable=False),
        Column("instance_id", Type.TEXT, "The machine; * where it does not matter.", is_nullable=False),
        Column("route_group", Type.TEXT, "The route group; * where there is none.", is_nullable=False),
    ),
    layers=(
        Layer(Grain.FIVE_MINUTES, (API_REQUESTS,), is_measured_against_levels=True),
        Layer(
            Grain.HOUR,
            (API_REQUESTS, HOST_SAMPLES),
            # Burn rates look back.
            neighbours=tuple(
                Neighbour(API_REQUESTS, -days, f"{days} days before")
                for days in range(1, performance.LONGEST_LOOK_BACK_DAYS + 1)
            ),
            is_measured_against_levels=True,
        ),
        Layer(Grain.DAY),
        Layer(Grain.MONTH),
    ),
    state_version=performance.STATE_VERSION,
    registry_version=performance.REGISTRY_VERSION,
    rows=SYSTEM_PERFORMANCE_METRICS,
    view=SYSTEM_PERFORMANCE_METRICS,
    reads_people=False,
    levels=len(performance.LEVELS) + 1,  # and the finest
)

FAMILIES: tuple[Family, ...] = (HEALTH, ENGAGEMENT, ENGAGEMENT_GROUPS, PERFORMANCE)
FAMILY_BY_GROUP = {family.group: family for family in FAMILIES}
