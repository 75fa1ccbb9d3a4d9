"""The warehouse's tables of system performance. All their times are UTC."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.provenance import PROVENANCE
from healthmate_bi_pipeline.domain.period import Period

_SERVICE = Column("service_name", Type.TEXT, "The service; * for all.", is_nullable=False)
_ENVIRONMENT = Column("environment", Type.TEXT, "The environment; * for all.", is_nullable=False)

SYSTEM_PERFORMANCE_METRICS = Table(
    "bi_system_performance_metrics",
    "Figures of services, machines and routes per period, one row each; * stands for all of them.",
    (
        Column("metric_name", Type.TEXT, "The figure, see docs/metrics.md.", is_nullable=False),
        _SERVICE,
        _ENVIRONMENT,
        Column("instance_id", Type.TEXT, "The machine or container; * for all.", is_nullable=False),
        Column("route_group", Type.TEXT, "Method and path without its values; * for all.", is_nullable=False),
        Column(
            "aggregation_period", Type.TEXT, "hourly, daily, weekly, monthly, quarterly or yearly.", is_nullable=False
        ),
        Column("period_start", Type.TIMESTAMP, "Start of the period, UTC.", is_nullable=False),
        Column("period_end", Type.TIMESTAMP, "End of the period, exclusive, UTC.", is_nullable=False),
        Column("timestamp", Type.TIMESTAMP, "The same as period_start, UTC.", is_nullable=False),
        Column("metric_value", Type.NUMBER, "The figure, in its full precision.", is_nullable=False),
        Column("metric_unit", Type.TEXT, "Its unit, in UCUM spelling.", is_nullable=False),
        Column("response_time_ms", Type.NUMBER, "On the row 'requests': response_time_p95.", "ms"),
        Column("error_rate", Type.NUMBER, "On the row 'requests': error_rate.", "1"),
        Column("throughput", Type.NUMBER, "On the row 'requests': throughput.", "1/s"),
        Column(
            "resource_usage", Type.JSON, "On the row 'requests', where samples exist: mean, p95 and max of"
            " cpu_percent, memory_percent, disk_percent.",
        ),
        Column(
            "tags", Type.JSON, "samples: how many requests or samples the figure rests on; is_small_sample: too few for"
            " an Apdex.", is_nullable=False,
        ),
        *PROVENANCE,
    ),
    key=(
        "metric_name", "service_name", "environment", "instance_id", "route_group", "aggregation_period", "period_start",
    ),
    privacy=PrivacyClass.AGGREGATE,
    partition_column="aggregation_period",
    partition_values=tuple(Period),
)  # fmt: skip

PERFORMANCE_INCIDENTS = Table(
    "bi_performance_incidents",
    "When services broke their thresholds: stretches of 5 minutes in a row, with gaps of no more than 10 minutes.",
    (
        Column("service_name", Type.TEXT, "The service.", is_nullable=False),
        Column("environment", Type.TEXT, "The environment.", is_nullable=False),
        Column(
            "threshold", Type.TEXT, "response_time, error_rate, or the long window of a burn rate: burn_1h, burn_6h,"
            " burn_1d, burn_3d.", is_nullable=False,
        ),
        Column("started_at", Type.TIMESTAMP, "Start of the first 5 minutes, UTC.", is_nullable=False),
        Column("ended_at", Type.TIMESTAMP, "End of the last 5 minutes, UTC.", is_nullable=False),
        Column("breach_minutes", Type.INTEGER, "Minutes in between in which it was broken.", "min", is_nullable=False),
        Column("worst_value", Type.NUMBER, "The highest value, in the unit of the threshold.", is_nullable=False),
        Column("limit_value", Type.NUMBER, "What it was not to exceed.", is_nullable=False),
        Column("unit", Type.TEXT, "The unit of both.", is_nullable=False),
        Column("requests", Type.INTEGER, "Requests in these minutes.", "1", is_nullable=False),
        Column("errors", Type.INTEGER, "Those of them that failed.", "1", is_nullable=False),
    ),
    key=("service_name", "environment", "threshold", "started_at"),
    privacy=PrivacyClass.AGGREGATE,
)  # fmt: skip

PERFORMANCE_TABLES: tuple[Table, ...] = (SYSTEM_PERFORMANCE_METRICS, PERFORMANCE_INCIDENTS)
