"""The collector: samples this host into landing files of ``host_samples``, once or until it is stopped.

A stretch of time is one file. While it is written it has a name that nothing reads (``….part``), every sample is
on the disk as soon as it is taken, and a file that a killed collector left behind is finished by the next one.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from healthmate_bi_pipeline.catalog.datasets import HOST_SAMPLES
from healthmate_bi_pipeline.sources.writing import PART_SUFFIX

SOURCE = "psutil"
CPU_SECONDS = 1.0
"""How long a single sample looks at the processors; one of a row covers the time since the one before."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_PART_NAME = re.compile(r"^host-samples-.*\.pid(\d+)\.ndjson\.part$")


@dataclass(frozen=True)
class HostPlace:
    """What a host is called in its samples."""

    service: str
    environment: str
    instance_id: str


@dataclass(frozen=True)
class HostSample:
    """How busy a host was; the columns of ``host_samples``."""

    service: str
    environment: str
    instance_id: str
    cpu_percent: float
    memory_percent: float
    disk_percent: float
    sampled_at: str
    source: str = SOURCE


def take_sample(place: HostPlace, *, disk: Path, cpu_seconds: float | None, now: datetime) -> HostSample:
    """One sample.

    Args:
        place: what the host is called.
        disk: a folder on the disk that is looked at.
        cpu_seconds: how long the processors are looked at; ``None``: since the last call.
        now: the instant, UTC.
    """
    return HostSample(
        **asdict(place),
        cpu_percent=psutil.cpu_percent(interval=cpu_seconds),
        memory_percent=psutil.virtual_memory().percent,
        disk_percent=psutil.disk_usage(str(disk)).percent,
        sampled_at=now.astimezone(UTC).isoformat(timespec="milliseconds"),
    )


class SampleFile:
    """A landing file that grows by samples and appears when it is finished; a context manager."""

    def __init__(self, landing: Path, place: HostPlace, *, started_at: datetime) -> None:
        folder = landing / HOST_SAMPLES.name
        folder.mkdir(parents=True, exist_ok=True)
        name = _UNSAFE.sub("-", place.instance_id)
        stem = f"host-samples-{name}-{started_at.astimezone(UTC):%Y%m%dT%H%M%S%f}.pid{os.getpid()}.ndjson"
        self.path = folder / stem
        self._part = folder / f"{stem}{PART_SUFFIX}"
        self._file: IO[str] | None = None
        self.samples = 0

    def add(self, sample: HostSample) -> None:
        """Write a sample down."""
        if self._file is None:
            self._file = self._part.open("a", encoding="utf-8")
        self._file.write(json.dumps(asdict(sample)) + "\n")
        self._file.flush()
        self.samples += 1

    def finish(self) -> None:
        """Let it be read; without samples there is no file."""
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self._part.replace(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()


def finish_left_behind(landing: Path) -> tuple[Path, ...]:
    """Finish the files of collectors that were killed; their last line may be cut off, which the ingest names."""
    finished = []
    for part in sorted((landing / HOST_SAMPLES.name).glob(f"host-samples-*{PART_SUFFIX}")):
        found = _PART_NAME.match(part.name)
        if found is None or psutil.pid_exists(int(found.group(1))):
            continue
        whole = part.with_name(part.name.removesuffix(PART_SUFFIX))
        part.replace(whole)
        finished.append(whole)
    return tuple(finished)


@dataclass(frozen=True)
class Collected:
    """What a collector wrote."""

    files: tuple[Path, ...]
    samples: int


def collect_once(landing: Path, place: HostPlace, *, disk: Path, now: datetime) -> Collected:
    """Take one sample and write it as a file."""
    with SampleFile(landing, place, started_at=now) as file:
        file.add(take_sample(place, disk=disk, cpu_seconds=CPU_SECONDS, now=now))
    return Collected((file.path,), 1)


def collect_until(
    landing: Path,
    place: HostPlace,
    *,
    disk: Path,
    every: timedelta,
    per_file: timedelta,
    wait: Callable[[float], bool],
    clock: Callable[[], datetime],
) -> Collected:
    """Take samples until told to stop, one file for each stretch of time.

    The first sample is taken after one pause, so that it tells of the time since the start, as the others do of
    the time between. A pause that was slept through is not made up for.

    Args:
        landing: the folder of landing files.
        place: what the host is called.
        disk: a folder on the disk that is looked at.
        every: between two samples.
        per_file: what goes into one file.
        wait: waits for some seconds; whether to stop.
        clock: tells the instant, UTC.
    """
    psutil.cpu_percent(interval=None)  # from here on counts what the next call tells
    files, samples = list(finish_left_behind(landing)), 0
    pause, due = every.total_seconds(), time.monotonic()
    is_stopped = False
    while not is_stopped:
        started_at = clock()
        with SampleFile(landing, place, started_at=started_at) as file:
            while not is_stopped and clock() - started_at < per_file:
                due = max(due + pause, time.monotonic())
                is_stopped = wait(due - time.monotonic())
                if not is_stopped:
                    file.add(take_sample(place, disk=disk, cpu_seconds=None, now=clock()))
        if file.samples:
            files.append(file.path)
            samples += file.samples
    return Collected(tuple(files), samples)
