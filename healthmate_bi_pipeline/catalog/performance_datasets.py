"""The raw datasets of system performance. They are about machines: no person, and every clock shows UTC."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import COMMON, Dataset, Field

_LONGEST_MS = 24 * 3_600_000
_MOST_REQUESTS = 1_000_000_000
_PERCENT = (0.0, 100.0)

_WHERE: tuple[Field, ...] = (
    Field("service", Type.TEXT, "The service.", is_required=True, is_nullable=False),
    Field("environment", Type.TEXT, "production, staging, …; 'unknown' when it does not say."),
    Field("instance_id", Type.TEXT, "The machine or container; 'unknown' when it does not say."),
)

API_REQUESTS = Dataset(
    "api_requests",
    "Requests that services answered, or several equal ones in a row of their own (count).",
    (
        *_WHERE,
        Field("route", Type.TEXT, "Method and path or template, or the name of an endpoint."),
        Field(
            "status_code", Type.INTEGER, "Status of the answer (HTTP).", is_required=True, is_nullable=False,
            limits=(100, 599),
        ),
        Field("duration_ms", Type.NUMBER, "How long the answer took.", "ms", limits=(0, _LONGEST_MS)),
        Field("occurred_at", Type.TIMESTAMP, "When the request came.", is_required=True, is_nullable=False),
        Field("request_id", Type.TEXT, "The request, where the source numbers them."),
        Field("count", Type.INTEGER, "How many requests the row stands for; 1 when it does not say.", limits=(1, _MOST_REQUESTS)),
        *COMMON,
    ),
    keys=(("service", "instance_id", "request_id"),),
    moment=("occurred_at",),
    day_of=("occurred_at",),
)  # fmt: skip

HOST_SAMPLES = Dataset(
    "host_samples",
    "How busy machines were at an instant.",
    (
        *_WHERE,
        Field("cpu_percent", Type.NUMBER, "Share of the processors that was busy.", "%", limits=_PERCENT),
        Field("memory_percent", Type.NUMBER, "Share of the memory that was in use.", "%", limits=_PERCENT),
        Field("disk_percent", Type.NUMBER, "Share of the disk that was in use.", "%", limits=_PERCENT),
        Field("sampled_at", Type.TIMESTAMP, "When it was measured.", is_required=True, is_nullable=False),
        *COMMON,
    ),
    keys=(("service", "environment", "instance_id", "sampled_at"),),
    moment=("sampled_at",),
    day_of=("sampled_at",),
)  # fmt: skip
