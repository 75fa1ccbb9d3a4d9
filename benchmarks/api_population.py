"""The landing files of the performance family: requests and host samples of services with daily load.

Latencies are lognormal with a tail of their own for each route; load follows the day; one service has a slow release,
another an outage, a third leaks memory. Made by DuckDB.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.chance import exponential, normal, picked, uniform
from benchmarks.population import connected
from healthmate_bi_pipeline.domain.period import midnight

SERVICES = 6
INSTANCES = 3
ROUTES = 25
STATUSES = {
    "200": 0.9,
    "201": 0.03,
    "304": 0.03,
    "400": 0.01,
    "404": 0.015,
    "401": 0.01,
    "500": 0.003,
    "503": 0.002,
}


@dataclass(frozen=True)
class ApiSize:
    """How much there is: so many requests to six services of three instances, over so many days from the first."""

    requests: int
    days: int
    first_day: date = date(2025, 1, 1)

    def __str__(self) -> str:
        return f"{self.requests / 1e6:.1f} M API requests over {self.days:,} days"

    @property
    def rows(self) -> int:
        """What a rate is told in."""
        return self.requests


def write_landing(landing: Path, size: ApiSize) -> dict[Path, str]:
    """Write the files of requests and host samples, with the column of their day.

    Half of the services number their requests; of those one of 200 comes twice. One row of 1,000 has a status that
    does not exist.
    """
    requests, samples = (landing / name for name in ("api_requests", "host_samples"))
    for folder in (requests, samples):
        folder.mkdir(parents=True)
    with connected() as connection:
        connection.execute(
            f"COPY ({_requests(size)}) TO '{requests / 'requests.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )
        connection.execute(
            f"COPY ({_samples(size)}) TO '{samples / 'samples.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )
    return {requests / "requests.parquet": "occurred_at", samples / "samples.parquet": "sampled_at"}


def add_late_row(landing: Path, size: ApiSize) -> None:
    """Write a file with one request on the first day."""
    (landing / "api_requests" / "late.csv").write_text(
        "service,environment,instance_id,route,status_code,duration_ms,occurred_at,source\n"
        f"service 0,production,service-0-0,GET /0,200,91.5,{midnight(size.first_day):%Y-%m-%d}T12:34:56Z,gateway\n"
    )


def _requests(size: ApiSize) -> str:
    # Twice as many at the height of the day as in the mean, next to none at night: the inverse of the load's sum.
    day_share = f"({uniform('moment', 'i')} + {uniform('moment 2', 'i')}) / 2"
    is_out = f"service_number = 1 AND day = {size.days // 2} AND hour BETWEEN 13 AND 14"
    is_slow = f"service_number = 2 AND day >= {2 * size.days // 3}"
    usual = f"3.2 + 0.12 * (route_number % 17) + 0.5 * {normal('latency', 'i')}"
    return f"""
        SELECT 'service ' || service_number AS service, 'production' AS environment,
            'service-' || service_number || '-' || floor({INSTANCES} * {uniform("instance", "i")})::int AS instance_id,
            CASE WHEN route_number % 4 = 0 THEN 'POST /' ELSE 'GET /' END || route_number AS route,
            CASE WHEN {uniform("bad", "i")} < 0.001 THEN 999
                WHEN {is_out} AND {uniform("down", "i")} < 0.8 THEN 503
                ELSE ({picked(STATUSES, "chance")})::int END AS status_code,
            round(exp({usual} + CASE WHEN {is_slow} THEN 0.9 ELSE 0 END
                + CASE WHEN {uniform("tail", "i")} < 0.02 THEN {exponential("long", "i")} ELSE 0 END), 3) AS duration_ms,
            timestamptz '{size.first_day} 00:00:00+00' + to_microseconds(moment) AS occurred_at,
            CASE WHEN service_number % 2 = 0 THEN hash('request', i)::varchar END AS request_id, 'gateway' AS source
        FROM (
            SELECT *, moment // 86400000000 AS day, moment // 3600000000 % 24 AS hour
            FROM (
                SELECT i, floor({SERVICES} * pow({uniform("service", "i")}, 1.5))::int AS service_number,
                    floor({ROUTES} * pow({uniform("route", "i")}, 2))::int AS route_number, {uniform("status", "i")} AS chance,
                    ((i % {size.days}) + {day_share}) * 86400000000 // 1 AS exact, exact::bigint AS moment
                FROM range({size.requests}) t(i)
            )
        ), range(CASE WHEN service_number % 2 = 0 AND {uniform("twice", "i")} < 0.005 THEN 2 ELSE 1 END)"""


def _samples(size: ApiSize) -> str:
    """One a minute and instance."""
    load = "30 + 25 * sin(2 * pi() * (minute % 1440 - 480) / 1440)"
    leak = f"CASE WHEN service_number = 3 THEN 40.0 * (minute % 20160) / 20160 ELSE 0 END + 4 * {normal('memory', 'minute', 'i')}"
    return f"""
        SELECT 'service ' || service_number AS service, 'production' AS environment,
            'service-' || service_number || '-' || i % {INSTANCES} AS instance_id,
            round(greatest(0, least(100, {load} + 8 * {normal("cpu", "minute", "i")})), 2) AS cpu_percent,
            round(greatest(0, least(100, 35 + {leak})), 2) AS memory_percent,
            round(least(100, 40 + 0.0002 * minute + {uniform("disk", "minute", "i")}), 2) AS disk_percent,
            timestamptz '{size.first_day} 00:00:00+00' + to_minutes(minute) AS sampled_at, 'agent' AS source
        FROM (SELECT m::int AS minute, i, i // {INSTANCES} AS service_number
            FROM range({size.days} * 1440) a(m), range({SERVICES * INSTANCES}) b(i))"""
