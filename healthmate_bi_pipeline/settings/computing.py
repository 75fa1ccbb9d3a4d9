"""How figures come about: engine, periods, sources, rules, thresholds, money, reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from healthmate_bi_pipeline.settings.section import Section


class EngineSettings(Section):
    """The engine that computes over the lake."""

    memory_limit: str | None = Field(
        None,
        description="What the engine may hold in memory before it spills to disk, like `2GB`; the process needs 0.7 GB"
        " more. A quarter of the machine's or container's memory, 1200 MB at most, when not set.",
    )
    threads: int | None = Field(None, ge=1, description="Threads of the engine; all cores when not set.")


class PeriodSettings(Section):
    """When a period counts as complete."""

    settle_hours: int = Field(
        12, ge=0, description="Hours until a day has ended for everyone west of Greenwich."
    )
    grace_hours: int = Field(72, ge=0, description="Hours that late data are waited for.")

    @property
    def delay(self) -> timedelta:
        """How long after its end a period counts as complete."""
        return timedelta(hours=self.settle_hours + self.grace_hours)


class SourceSettings(Section):
    """Which source counts where several measured the same thing.

    ``ranks`` lists classes of sources from the most to the least trusted; a class is a list of patterns
    (``*`` is any text) that the ``source`` of a row is compared with, without regard to case. What matches
    nothing ranks below all of them.
    """

    ranks: tuple[tuple[str, tuple[str, ...]], ...] = (
        (
            "medical",
            (
                "*medical*",
                "*clinic*",
                "*hospital*",
                "*lab*",
                "*cuff*",
                "*cgm*",
                "*omron*",
                "*dexcom*",
                "*withings*",
            ),
        ),
        ("watch", ("*watch*", "*fitbit*", "*garmin*", "*oura*", "*whoop*", "*band*", "*polar*", "*tracker*")),
        ("phone", ("*phone*", "*android*", "*pixel*", "*galaxy*", "*healthkit*", "*googlefit*")),
        ("manual", ("*manual*", "*self*", "*diary*", "*app*")),
    )


class PlausibilitySettings(Section):
    """What is done with values that look wrong."""

    repair_slips: bool = Field(
        default=False,
        description="Mend suspected slips of the unit and swapped blood pressures instead of setting them aside.",
    )


class ServiceLevel(Section):
    """What is promised of a service; what is not said holds as for all services."""

    response_time_ms: float | None = Field(
        None, gt=0, description="95 of 100 requests are answered within this."
    )
    apdex_target_ms: float | None = Field(
        None, gt=0, description="T of the Apdex; response_time_ms when not set."
    )
    error_rate: float | None = Field(
        None, gt=0, lt=1, description="Share of requests that may fail in 5 minutes."
    )
    availability: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of requests that are to succeed: the objective of the error budget.",
    )


class PerformanceSettings(Section):
    """What services are measured against; ``[performance.services.<name>]`` for a service of its own."""

    response_time_ms: float = Field(200, gt=0, description="95 of 100 requests are answered within this.")
    apdex_target_ms: float | None = Field(
        None, gt=0, description="T of the Apdex; response_time_ms when not set."
    )
    error_rate: float = Field(0.01, gt=0, lt=1, description="Share of requests that may fail in 5 minutes.")
    availability: float = Field(
        0.999,
        gt=0,
        lt=1,
        description="Share of requests that are to succeed: the objective of the error budget.",
    )
    minimum_requests: int = Field(
        10,
        ge=1,
        description="In 5 minutes with fewer requests no threshold is broken: one failure says little.",
    )
    services: dict[str, ServiceLevel] = Field(
        default_factory=dict, description="Services with levels of their own."
    )


class FinanceSettings(Section):
    """How subscriptions are billed, and what later money is worth today."""

    paid_days: int = Field(30, ge=1, description="Days that a payment pays for.")
    grace_days: int = Field(
        7, ge=0, description="Days after them in which a payment that is missing may still come in."
    )
    discount_rate: float = Field(
        0.10, gt=0, lt=1, description="By how much less money is worth a year later, for lifetime values."
    )


class CollectSettings(Section):
    """What the collector calls this host, and what goes into one file."""

    service: str = Field("healthmate", min_length=1, description="The service that the host works for.")
    environment: str = Field("production", min_length=1, description="production, staging, …")
    instance: str | None = Field(None, description="The host; its own name when not set.")
    seconds_per_file: float = Field(300, gt=0, description="What one landing file of samples covers.")


class ReportSettings(Section):
    """What reports may show."""

    audience: Literal["groups", "personal"] = Field(
        "groups", description="`personal`: somebody looks at their own data; nothing is suppressed."
    )
    minimum_people: int = Field(11, ge=1, description="A cell about fewer people than this is not shown.")
    round_people_to: int = Field(5, ge=1, description="Counts of people are rounded to a multiple of this.")
