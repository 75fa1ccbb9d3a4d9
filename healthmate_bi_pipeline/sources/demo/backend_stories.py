"""The stories that are told of the backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from healthmate_bi_pipeline.sources.demo.roles import Calendar
from healthmate_bi_pipeline.sources.demo.services import (
    FAILING_SERVICE,
    FAILING_SHARE,
    FAILING_STATUS,
    LEAK_PERCENT_A_DAY,
    LEAKING_INSTANCE,
    PRODUCTION,
    SLOW_FACTOR,
    SLOW_SERVICE,
    Incidents,
)
from healthmate_bi_pipeline.sources.demo.story import Story


def tell_backend_stories(calendar: Calendar, incidents: Incidents) -> tuple[Story, ...]:
    """The stories; none where the demo is too short."""
    if not calendar.has_stories:
        return ()
    return (_leak(incidents), _outage(incidents), _slow_release(incidents))


def _stretch(start: np.datetime64, end: np.datetime64) -> dict[str, Any]:
    return {"from": f"{start.astype('datetime64[s]')}Z", "until": f"{end.astype('datetime64[s]')}Z"}


def _slow_release(incidents: Incidents) -> Story:
    return Story(
        name="slow_release",
        kind="stretch",
        dataset="api_requests",
        figures={"response_time_ms": SLOW_FACTOR},
        unit="times",
        rule="one service in production, all instances and routes",
        compare="median duration of the service's requests (weighted by count) from `from` until `until` over "
        "that of the same hours a week before",
        when=_stretch(incidents.slow_from, incidents.slow_until),
        part={"service": SLOW_SERVICE, "environment": PRODUCTION},
    )


def _outage(incidents: Incidents) -> Story:
    return Story(
        name="outage",
        kind="stretch",
        dataset="api_requests",
        figures={"error_rate": FAILING_SHARE},
        unit="share of requests",
        rule=f"one service in production, all instances: status {FAILING_STATUS}, half of them after 8 seconds",
        compare="requests with a status of 500 or more over all (both summed by count) from `from` until `until`",
        when=_stretch(incidents.failing_from, incidents.failing_until),
        part={"service": FAILING_SERVICE, "environment": PRODUCTION},
    )


def _leak(incidents: Incidents) -> Story:
    return Story(
        name="memory_leak",
        kind="ramp",
        dataset="host_samples",
        figures={"memory_percent": LEAK_PERCENT_A_DAY},
        unit="percentage points a day",
        rule="one instance, until it is restarted",
        compare="slope over the whole days' means of memory_percent from `from` until `until`; at `until` it "
        "falls to where it was",
        when=_stretch(incidents.leak_from, incidents.leak_until),
        part={
            "service": LEAKING_INSTANCE.rsplit("-", 1)[0],
            "environment": PRODUCTION,
            "instance_id": LEAKING_INSTANCE,
        },
    )
