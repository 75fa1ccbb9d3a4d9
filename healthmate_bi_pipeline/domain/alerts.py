"""Alerts: what is not as it should be, for how long, and who is to be told of it.

Three steps, each pure. Somebody finds the alerts that hold now; ``advance`` carries them into episodes, which begin,
calm down, come back and end; ``news_for`` says what of them a channel does not know yet. As in Prometheus' Alertmanager
an episode has one fingerprint, waits for its patience before anybody is told (``for``), and is told again only after a
while (``repeat_interval``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from healthmate_bi_pipeline.settings import Severity


class Kind(StrEnum):
    """What an alert is about."""

    RUN = "run"
    CHECK = "check"
    INCIDENT = "incident"
    OVERDUE = "overdue"
    SILENCE = "silence"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Alert:
    """Something that is not as it should be at this moment; nothing of a person in it.

    Attributes:
        kind: what it is about.
        subject: of what; with the kind it is the alert's name.
        severity: how grave it is.
        summary: one sentence.
        counts: figures of it, by name.
        page: where it is seen in Dagster's UI, below its address.
        since: since when it is so, where that is known; else since it was found.
        patience: how long it may be so before anybody is told.
    """

    kind: Kind
    subject: str
    severity: Severity
    summary: str
    counts: Mapping[str, float] = field(default_factory=dict)
    page: str = ""
    since: datetime | None = None
    patience: timedelta = timedelta()

    @property
    def fingerprint(self) -> str:
        """The name by which it is the same alert the next time.

        >>> Alert(Kind.RUN, "raw/users", Severity.WARNING, "The last run failed.").fingerprint
        'run:raw/users'
        """
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True)
class Told:
    """The last that a channel was told of an episode."""

    at: datetime
    severity: Severity
    is_over: bool = False


@dataclass(frozen=True)
class Episode:
    """An alert from its beginning to its end; the row of ``bi_alerts``. Instants are UTC, with their zone.

    Attributes:
        fingerprint: of its alert.
        opened_at: when it was found.
        due_at: from when on it is told.
        last_seen_at: when it was last so.
        cleared_at: since when it is no longer so; it may come back.
        resolved_at: when it was away for long enough to be over.
        returns: how often it was away and came back.
        told: what each channel knows.
    """

    fingerprint: str
    kind: Kind
    subject: str
    severity: Severity
    summary: str
    counts: Mapping[str, float]
    page: str
    opened_at: datetime
    due_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None = None
    resolved_at: datetime | None = None
    returns: int = 0
    told: Mapping[str, Told] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, datetime]:
        """What it is unique by: an alert has many episodes, one after the other."""
        return self.fingerprint, self.opened_at

    def told_to(self, channel: str, *, now: datetime) -> Episode:
        """The same, with the channel knowing it as it is."""
        told = Told(now, self.severity, is_over=self.resolved_at is not None)
        return replace(self, told={**self.told, channel: told})


@dataclass(frozen=True)
class Advance:
    """What became of episodes.

    Attributes:
        kept: those that go on, that began or that ended.
        dropped: those that passed before anybody had to be told.
    """

    kept: Sequence[Episode]
    dropped: Sequence[Episode]


def advance(
    episodes: Iterable[Episode],
    alerts: Iterable[Alert],
    *,
    is_judged: Callable[[Episode], bool],
    now: datetime,
    settle: timedelta,
) -> Advance:
    """Carry the alerts that hold now into the episodes.

    Args:
        episodes: those that are not over.
        alerts: what holds now, each once.
        is_judged: whether ``alerts`` would hold an episode's alert if it were so; of others nothing is known.
        now: the instant.
        settle: how long an alert has to be away for its episode to be over.
    """
    holding = {alert.fingerprint: alert for alert in alerts}
    kept: list[Episode] = []
    dropped: list[Episode] = []
    for episode in episodes:
        alert = holding.pop(episode.fingerprint, None)
        if alert is not None:
            kept.append(_seen(episode, alert, now))
        elif not is_judged(episode):
            kept.append(episode)
        elif episode.due_at >= now:
            dropped.append(episode)
        else:
            cleared_at = episode.cleared_at or now
            is_over = now - cleared_at >= settle
            kept.append(replace(episode, cleared_at=cleared_at, resolved_at=now if is_over else None))
    kept += [_opened(alert, now) for alert in holding.values()]
    return Advance(kept, dropped)


def _seen(episode: Episode, alert: Alert, now: datetime) -> Episode:
    return replace(
        episode,
        severity=alert.severity,
        summary=alert.summary,
        counts=alert.counts,
        page=alert.page,
        last_seen_at=now,
        cleared_at=None,
        returns=episode.returns + (episode.cleared_at is not None),
    )


def _opened(alert: Alert, now: datetime) -> Episode:
    return Episode(
        fingerprint=alert.fingerprint,
        kind=alert.kind,
        subject=alert.subject,
        severity=alert.severity,
        summary=alert.summary,
        counts=alert.counts,
        page=alert.page,
        opened_at=now,
        due_at=max(now, alert.since + alert.patience) if alert.since else now + alert.patience,
        last_seen_at=now,
    )


@dataclass(frozen=True)
class News:
    """What a channel is to be told, in one message.

    Attributes:
        opened: alerts that it does not know.
        worsened: that it knows as less grave.
        reminded: that it knows and that are still open.
        resolved: that it knows and that are over.
    """

    opened: Sequence[Episode] = ()
    worsened: Sequence[Episode] = ()
    reminded: Sequence[Episode] = ()
    resolved: Sequence[Episode] = ()

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """All of them."""
        return (*self.opened, *self.worsened, *self.reminded, *self.resolved)


def news_for(
    channel: str,
    episodes: Iterable[Episode],
    *,
    minimum: Severity,
    remind_after: timedelta,
    now: datetime,
) -> News:
    """What a channel does not know yet, the gravest first.

    Args:
        channel: its name.
        episodes: that are open, or ended lately.
        minimum: what is less grave is not told there.
        remind_after: when one open alert was told so long ago, all that it knows are told again, in one message;
            0: never.
        now: the instant.
    """
    opened, worsened, known, resolved = [], [], [], []
    for episode in sorted(episodes, key=_gravest_first):
        told = episode.told.get(channel)
        if episode.resolved_at is not None:
            if told is not None and not told.is_over:
                resolved.append(episode)
        elif episode.cleared_at is not None or episode.due_at > now:
            continue  # it may come back, or pass
        elif episode.severity.rank < minimum.rank:
            continue
        elif told is None:
            opened.append(episode)
        elif episode.severity.rank > told.severity.rank:
            worsened.append(episode)
        else:
            known.append(episode)
    is_due = remind_after > timedelta() and any(
        now - episode.told[channel].at >= remind_after for episode in known
    )
    return News(opened, worsened, known if is_due else (), resolved)


def _gravest_first(episode: Episode) -> tuple[int, datetime, str]:
    return -episode.severity.rank, episode.opened_at, episode.fingerprint
