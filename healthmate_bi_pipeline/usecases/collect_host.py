"""Collect samples of this host. It needs no warehouse: a machine that is measured need not have one running."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources import host
from healthmate_bi_pipeline.sources.host import Collected, HostPlace
from healthmate_bi_pipeline.usecases.pipeline import make_private_folders


def host_place(
    settings: Settings,
    *,
    service: str | None = None,
    environment: str | None = None,
    instance: str | None = None,
) -> HostPlace:
    """What this host is called: as it is said, else as the settings say, else by its own name.

    Raises:
        UsageError: a name is empty or the star that stands for all.
    """
    configured = settings.collect
    place = HostPlace(
        service=service or configured.service,
        environment=environment or configured.environment,
        instance_id=instance or configured.instance or socket.gethostname(),
    )
    for name in (place.service, place.environment, place.instance_id):
        if name.strip() in ("", "*"):
            raise UsageError("Service, environment and instance need a name; * stands for all of them.")
    return place


def sample_host(settings: Settings, place: HostPlace) -> Collected:
    """Take one sample of this host into the landing folder."""
    make_private_folders(settings)
    return host.collect_once(settings.landing_path, place, disk=settings.home_path, now=datetime.now(UTC))


def sample_host_until_stopped(
    settings: Settings, place: HostPlace, *, every: timedelta, per_file: timedelta
) -> Collected:
    """Sample this host until SIGINT or SIGTERM; the file that is being written is finished then."""
    make_private_folders(settings)
    with _stopped_by_signals() as stop:
        return host.collect_until(
            settings.landing_path,
            place,
            disk=settings.home_path,
            every=every,
            per_file=per_file,
            wait=stop.wait,
            clock=lambda: datetime.now(UTC),
        )


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that is set when somebody asks the process to end."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame  # either means the same
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
