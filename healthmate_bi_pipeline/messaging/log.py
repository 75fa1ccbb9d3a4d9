"""The log as a channel: Python's, or a file of JSON lines."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from healthmate_bi_pipeline.errors import DeliveryError
from healthmate_bi_pipeline.messaging.message import Message
from healthmate_bi_pipeline.settings import LogSettings, Severity

LOGGER = "healthmate_bi_pipeline.alerts"

_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.CRITICAL,
}


@dataclass(frozen=True)
class LogChannel:
    """One line for each alert."""

    settings: LogSettings

    @property
    def name(self) -> str:
        """Its name."""
        return "log"

    @property
    def minimum_severity(self) -> Severity:
        """What is less grave is not told there."""
        return self.settings.minimum_severity

    def send(self, message: Message) -> None:
        """Write a message.

        Raises:
            DeliveryError: the file cannot be written.
        """
        if self.settings.path is None:
            self._log(message)
        else:
            self._append(message)

    def _log(self, message: Message) -> None:
        log = logging.getLogger(LOGGER)
        if not message.news.episodes:
            log.warning("%s", message.subject)
        for section in ("opened", "worsened", "reminded", "resolved"):
            for episode in getattr(message.news, section):
                level = logging.INFO if section == "resolved" else _LEVELS[episode.severity]
                log.log(level, "alert %s: %s: %s", section, episode.fingerprint, episode.summary)

    def _append(self, message: Message) -> None:
        assert self.settings.path is not None  # noqa: S101 - asked by the caller
        at = message.as_json()["at"]
        lines = [
            {"at": at, "event": section, **message.episode_json(episode)}
            for section in ("opened", "worsened", "reminded", "resolved")
            for episode in getattr(message.news, section)
        ] or [{"at": at, "event": "test"}]
        written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        try:
            path = self.settings.path.expanduser()
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(written)
        except OSError as error:
            raise DeliveryError(f"The file of alerts cannot be written ({error.strerror}).") from None
