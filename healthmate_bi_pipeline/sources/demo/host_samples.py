"""``host_samples`` of the demo: the processor, memory and disk of each instance.

Kept as monitoring systems keep them: every five minutes on the last days and on days on which something went
wrong, every few hours before.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.api_requests import INSTANCES
from healthmate_bi_pipeline.sources.demo.block import BackendBlock
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, Times
from healthmate_bi_pipeline.sources.demo.load import Load
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, coded, instants, same
from healthmate_bi_pipeline.sources.demo.services import (
    ENVIRONMENTS,
    FAILING_SERVICE,
    LEAK_PERCENT_A_DAY,
    LEAKING_INSTANCE,
    SERVICE_NAMES,
    SERVICES,
    STAGING,
    Incidents,
    is_within,
)

HOSTS = FileStyle("host_samples", "hosts", Format.CSV_GZIP, Clock.UTC)

STEP_MINUTES = 5
"""Between samples, where they are kept in full."""
COARSE_STEPS = 72
"""Before, one of so many is kept."""
FINE_DAYS = 3
_STEPS_OF_AN_HOUR = 60 // STEP_MINUTES
_BUSY_CPU_PERCENT, _FAILING_CPU_PERCENT = 38.0, 35.0
_DISK_CYCLE_DAYS, _DISK_PERCENT_A_DAY = 45, 0.35

_RUNS = tuple(
    (number, place, name)
    for number, service in enumerate(SERVICES)
    for place, environment in enumerate(ENVIRONMENTS)
    for name in service.instance_names(environment)
)
_SERVICE, _ENVIRONMENT = (np.array([run[place] for run in _RUNS]) for place in range(2))


def host_samples(block: BackendBlock, load: Load, incidents: Incidents, *, detail: float) -> DemoRows:
    """The rows of some days.

    Args:
        block: the days.
        load: of all people.
        incidents: what goes wrong when.
        detail: how many times as many rows, up to one each five minutes.
    """
    rng = block.rng("hosts")
    step = np.arange(len(block.hours) * _STEPS_OF_AN_HOUR)
    utc = block.start + step * np.timedelta64(STEP_MINUTES, "m")
    step = step[_is_kept(block, utc, step, incidents, detail=detail)]
    utc = np.repeat(utc[step], len(_RUNS))
    hour = np.repeat(step // _STEPS_OF_AN_HOUR, len(_RUNS))
    instance = np.tile(np.arange(len(_RUNS)), len(step))
    busy = load.share_of_peak[block.hours][hour]
    day = block.first + hour // 24
    values = {
        "cpu_percent": _cpu(rng, instance, utc, busy, incidents),
        "memory_percent": _memory(rng, instance, utc, busy, incidents),
        "disk_percent": _disk(rng, instance, day),
    }
    table = pa.table(
        {
            "service": coded(_SERVICE[instance], SERVICE_NAMES),
            "environment": coded(_ENVIRONMENT[instance], ENVIRONMENTS),
            "instance_id": coded(instance, INSTANCES),
            **{name: pa.array(np.round(np.clip(value, 0.5, 99.5), 1)) for name, value in values.items()},
            "sampled_at": instants(utc),
            "source": same("host agent", len(utc)),
        }
    )
    return DemoRows(HOSTS, np.zeros(len(utc), dtype=np.int64), day, table, utc)


def _is_kept(
    block: BackendBlock, utc: Times, step: Integers, incidents: Incidents, *, detail: float
) -> Flags:
    day = block.first + step // (24 * _STEPS_OF_AN_HOUR)
    is_fine = day >= block.span.days - FINE_DAYS
    for moment in (incidents.slow_from, incidents.slow_until, incidents.failing_from, incidents.leak_until):
        is_fine |= utc.astype("datetime64[D]") == moment.astype("datetime64[D]")
    kept: Flags = is_fine | (step % max(round(COARSE_STEPS / detail), 1) == 0)
    return kept


def _cpu(
    rng: np.random.Generator, instance: Integers, utc: Times, busy: Numbers, incidents: Incidents
) -> Numbers:
    """It follows the load; staging has none; what fails works in vain."""
    usual = np.array([service.cpu_percent for service in SERVICES])[_SERVICE[instance]]
    is_staging = _ENVIRONMENT[instance] == ENVIRONMENTS.index(STAGING)
    cpu = usual + np.where(is_staging, 0.0, _BUSY_CPU_PERCENT * busy) + rng.normal(0, 2.5, len(instance))
    fails = ~is_staging & (_SERVICE[instance] == SERVICE_NAMES.index(FAILING_SERVICE))
    fails &= is_within(utc, incidents.failing_from, incidents.failing_until)
    worked: Numbers = cpu + _FAILING_CPU_PERCENT * fails
    return worked


def _memory(
    rng: np.random.Generator, instance: Integers, utc: Times, busy: Numbers, incidents: Incidents
) -> Numbers:
    usual = np.array([service.memory_percent for service in SERVICES])[_SERVICE[instance]]
    leaks = (instance == INSTANCES.index(LEAKING_INSTANCE)) & is_within(
        utc, incidents.leak_from, incidents.leak_until
    )
    days = np.where(leaks, (utc - incidents.leak_from).astype(np.int64) / 86_400e6, 0.0)
    memory: Numbers = usual + 6 * busy + rng.normal(0, 0.8, len(instance)) + LEAK_PERCENT_A_DAY * days
    return memory


def _disk(rng: np.random.Generator, instance: Integers, day: Integers) -> Numbers:
    """It fills evenly until old logs are removed."""
    usual = np.array([service.disk_percent for service in SERVICES])[_SERVICE[instance]]
    since = (day + 7 * instance) % _DISK_CYCLE_DAYS
    disk: Numbers = usual + _DISK_PERCENT_A_DAY * since + rng.normal(0, 0.1, len(instance))
    return disk
