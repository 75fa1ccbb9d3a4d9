"""The verb: judge, keep the books of it, and tell every channel what it does not know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from healthmate_bi_pipeline.catalog.alerts import KEPT, TOLD_WITHIN
from healthmate_bi_pipeline.domain.alerts import Alert, Episode, Kind, advance, news_for
from healthmate_bi_pipeline.errors import DeliveryError
from healthmate_bi_pipeline.messaging.channels import Channel, build_channels
from healthmate_bi_pipeline.messaging.message import Message
from healthmate_bi_pipeline.settings import AlertSettings, Severity
from healthmate_bi_pipeline.usecases.alerts.facts import find_facts
from healthmate_bi_pipeline.usecases.alerts.judging import judge_facts
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse.alerts import EndedRun, drop_episodes, keep_episodes, kept_episodes

LOCK = "alerts"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """How a channel answered.

    Attributes:
        told: how many alerts it was told of.
        failure: why it was not; empty when it was.
    """

    channel: str
    told: int
    failure: str = ""


@dataclass(frozen=True)
class Evaluation:
    """What a look at everything came to.

    Attributes:
        open: the alerts that are open and due, the oldest first.
        deliveries: one per channel that there was something to tell.
    """

    open: Sequence[Episode]
    deliveries: Sequence[Delivery]


def tell_alerts(
    pipeline: Pipeline,
    *,
    outside: Sequence[EndedRun] = (),
    is_thorough: bool = True,
    channels: Sequence[Channel] | None = None,
    wait_seconds: float = 60.0,
) -> Evaluation:
    """Look at everything, and tell each channel in one message what it does not know.

    What a channel was told is written down after it took the message, so that one that is killed in between tells it
    twice and never not at all. A channel that fails is tried again the next time, keeps no other from being told, and
    is an alert itself.

    Args:
        pipeline: where to look; its ``now`` is the instant.
        outside: runs that our own books do not know.
        is_thorough: whether what is overdue is looked for, which takes seconds; else nothing new is said of it.
        channels: who is told; those of the settings when not given.
        wait_seconds: how long to wait for another process that does the same.

    Raises:
        BusyError: another process does the same for longer.
    """
    settings = pipeline.settings.alerts
    now = pipeline.now.astimezone(UTC)
    with pipeline.warehouse.hold_alone(LOCK, wait_seconds=wait_seconds):
        facts = find_facts(pipeline, outside=outside, is_thorough=is_thorough)
        ledger = _Ledger(pipeline, now=now)
        unjudged = {Kind.CHANNEL, *(() if is_thorough else (Kind.OVERDUE,))}
        ledger.advance(
            judge_facts(facts, settings, now=now), is_judged=lambda episode: episode.kind not in unjudged
        )
        channels = build_channels(settings) if channels is None else channels
        deliveries = [
            delivery
            for channel in channels
            if (delivery := _deliver(channel, ledger, settings, now=now)) is not None
        ]
        ledger.advance(
            _failed_channels(deliveries),
            is_judged=partial(
                _is_known,
                untried={channel.name for channel in channels} - {one.channel for one in deliveries},
            ),
        )
    return Evaluation(
        [episode for episode in ledger.episodes if episode.resolved_at is None and episode.due_at <= now],
        deliveries,
    )


def _is_known(episode: Episode, *, untried: Collection[str]) -> bool:
    """Whether a channel's alert can be judged.

    Of one that there was nothing to tell nothing new is known; one that is gone is no trouble any more.
    """
    is_calm = episode.cleared_at is not None
    return episode.kind is Kind.CHANNEL and (is_calm or episode.subject not in untried)


class _Ledger:
    """The episodes, in memory and in the warehouse alike; the lock keeps others from changing them."""

    def __init__(self, pipeline: Pipeline, *, now: datetime) -> None:
        self._pipeline = pipeline
        self._now = now
        with pipeline.warehouse.transaction() as connection:
            found = kept_episodes(connection, resolved_since=now - TOLD_WITHIN)
        self._by_key = {episode.key: episode for episode in found}

    @property
    def episodes(self) -> list[Episode]:
        """Those that are open, or ended lately."""
        return list(self._by_key.values())

    def advance(self, alerts: Iterable[Alert], *, is_judged: Callable[[Episode], bool]) -> None:
        """Carry alerts into the episodes."""
        moved = advance(
            [episode for episode in self.episodes if episode.resolved_at is None],
            alerts,
            is_judged=is_judged,
            now=self._now,
            settle=timedelta(minutes=self._pipeline.settings.alerts.settle_minutes),
        )
        self.keep(moved.kept, dropped=moved.dropped)

    def keep(self, episodes: Sequence[Episode], *, dropped: Sequence[Episode] = ()) -> None:
        """Write down what has become of some."""
        with self._pipeline.warehouse.transaction() as connection:
            keep_episodes(connection, episodes)
            drop_episodes(connection, dropped, resolved_before=self._now - KEPT)
        self._by_key |= {episode.key: episode for episode in episodes}
        for episode in dropped:
            del self._by_key[episode.key]


def _deliver(channel: Channel, ledger: _Ledger, settings: AlertSettings, *, now: datetime) -> Delivery | None:
    """Tell a channel its news, if there are any."""
    news = news_for(
        channel.name,
        ledger.episodes,
        minimum=channel.minimum_severity,
        remind_after=timedelta(hours=settings.remind_after_hours),
        now=now,
    )
    if not news.episodes:
        return None
    failure = _sent(channel, Message(now, news, settings.ui_url))
    if failure:
        return Delivery(channel.name, 0, failure)
    ledger.keep([episode.told_to(channel.name, now=now) for episode in news.episodes])
    return Delivery(channel.name, len(news.episodes))


def _sent(channel: Channel, message: Message) -> str:
    """Send; why it could not be, or nothing."""
    try:
        channel.send(message)
    except DeliveryError as error:
        _log.warning("alerts: %s: %s It is tried again.", channel.name, error)
        return str(error)
    return ""


def _failed_channels(deliveries: Iterable[Delivery]) -> list[Alert]:
    return [
        Alert(
            kind=Kind.CHANNEL,
            subject=delivery.channel,
            severity=Severity.WARNING,
            summary=f"The channel {delivery.channel} does not take messages.",
        )
        for delivery in deliveries
        if delivery.failure
    ]


def try_channels(settings: AlertSettings, *, now: datetime) -> Mapping[str, str]:
    """Send a test to every channel; why it failed, or an empty text, by name."""
    message = Message(now, ui_url=settings.ui_url)
    return {channel.name: _sent(channel, message) for channel in build_channels(settings)}
