"""One message about many alerts, as text, as Slack's markup and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from healthmate_bi_pipeline.catalog.alerts import ALERT_KINDS
from healthmate_bi_pipeline.domain.alerts import Episode, News
from healthmate_bi_pipeline.settings import Severity

PROGRAM = "HealthMate BI"
SHOWN = 15
"""So many alerts of a section are written out for people; programs get all."""

_SECTIONS = (("opened", "New"), ("worsened", "Worse"), ("reminded", "Still open"), ("resolved", "Over"))


@dataclass(frozen=True)
class Message:
    """What a channel is told at once.

    Attributes:
        at: when.
        news: what is told; nothing when the channel is only tried.
        ui_url: the address of Dagster's UI, for links.
    """

    at: datetime
    news: News = field(default_factory=News)
    ui_url: str | None = None

    @property
    def severity(self) -> Severity:
        """How grave the gravest is that is not over."""
        news = self.news
        open_ones = (*news.opened, *news.worsened, *news.reminded)
        return max((one.severity for one in open_ones), key=lambda one: one.rank, default=Severity.INFO)

    @property
    def subject(self) -> str:
        """One line: how many of what."""
        if not self.news.episodes:
            return f"{PROGRAM}: a test"
        counts = [f"{len(episodes)} {label.lower()}" for _, label, episodes in self._sections() if episodes]
        grave = "" if self.severity is Severity.INFO else f" ({self.severity})"
        return f"{PROGRAM}: {', '.join(counts)}{grave}"

    def link(self, episode: Episode) -> str | None:
        """Where an alert is seen in Dagster's UI, if its address is known."""
        return f"{self.ui_url.rstrip('/')}/{episode.page}" if self.ui_url and episode.page else None

    def text(self) -> str:
        """Plain text, for mail."""
        lines: list[str] = []
        for name, label, episodes in self._sections():
            if not episodes:
                continue
            lines += [label, "-" * len(label)]
            for episode in episodes[:SHOWN]:
                lines.append(f"[{episode.severity}] {episode.summary}")
                lines.append(f"    {_when(name, episode)}")
                if link := self.link(episode):
                    lines.append(f"    {link}")
            lines += [*_more(episodes), ""]
        lines += [*self._remedies(), *_closing(self)]
        return "\n".join(lines) + "\n"

    def slack_text(self) -> str:
        """Slack's markup, which Mattermost and others take too."""
        lines = [f"*{_escaped(self.subject)}*"]
        for name, label, episodes in self._sections():
            if not episodes:
                continue
            lines.append(f"*{label}*")
            for episode in episodes[:SHOWN]:
                link = self.link(episode)
                seen = f" (<{link}|Dagster>)" if link else ""
                lines.append(
                    f"• `{episode.severity}` {_escaped(episode.summary)} _{_when(name, episode)}_{seen}"
                )
            lines += _more(episodes)
        if not self.news.episodes:
            lines += _closing(self)
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {
            "program": PROGRAM,
            "at": self.at.astimezone(UTC).isoformat(),
            "subject": self.subject,
            "severity": self.severity.value,
            **{name: [self.episode_json(one) for one in episodes] for name, _, episodes in self._sections()},
        }

    def episode_json(self, episode: Episode) -> dict[str, Any]:
        """One alert."""
        return {
            "fingerprint": episode.fingerprint,
            "kind": episode.kind.value,
            "subject": episode.subject,
            "severity": episode.severity.value,
            "summary": episode.summary,
            "counts": dict(episode.counts),
            "opened_at": _instant(episode.opened_at),
            "last_seen_at": _instant(episode.last_seen_at),
            "cleared_at": _instant(episode.cleared_at),
            "resolved_at": _instant(episode.resolved_at),
            "link": self.link(episode),
        }

    def _sections(self) -> Iterator[tuple[str, str, Sequence[Episode]]]:
        return ((name, label, getattr(self.news, name)) for name, label in _SECTIONS)

    def _remedies(self) -> list[str]:
        """What to do about the kinds that are new."""
        kinds = dict.fromkeys(episode.kind for episode in (*self.news.opened, *self.news.worsened))
        lines = [f"When {ALERT_KINDS[kind].title}: {ALERT_KINDS[kind].remedy}" for kind in kinds]
        return ["What to do", "----------", *lines, ""] if lines else []


def _when(section: str, episode: Episode) -> str:
    if section == "resolved":
        return f"over since {_minute(episode.cleared_at or episode.last_seen_at)}"
    back = f", came back {episode.returns} times" if episode.returns else ""
    return f"since {_minute(episode.opened_at)}{back}"


def _more(episodes: Sequence[Episode]) -> list[str]:
    left = len(episodes) - SHOWN
    return [f"… and {left} more: healthmate-bi alerts"] if left > 0 else []


def _closing(message: Message) -> list[str]:
    if message.news.episodes:
        return ["All that is open: healthmate-bi alerts"]
    return [f"This is a test, written at {_minute(message.at)}. Alerts come here."]


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat()


def _escaped(text: str) -> str:
    """Text that Slack takes for no markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
