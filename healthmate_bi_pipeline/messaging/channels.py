"""The channels of the settings, each with a name and what it carries."""

from __future__ import annotations

from typing import Protocol

from healthmate_bi_pipeline.messaging.log import LogChannel
from healthmate_bi_pipeline.messaging.message import Message
from healthmate_bi_pipeline.messaging.smtp import SmtpChannel
from healthmate_bi_pipeline.messaging.webhook import WebhookChannel
from healthmate_bi_pipeline.settings import AlertSettings, Severity


class Channel(Protocol):
    """Somewhere that messages are sent to."""

    @property
    def name(self) -> str:
        """What it is called in the books, in logs and on the command line."""

    @property
    def minimum_severity(self) -> Severity:
        """What is less grave is not told there."""

    def send(self, message: Message) -> None:
        """Deliver a message, or say that it was not.

        Raises:
            DeliveryError: it was not, as far as is known; the text holds no address and no secret.
        """


def build_channels(settings: AlertSettings) -> tuple[Channel, ...]:
    """The channels of the settings; the log, which cannot hang, comes first."""
    smtp = () if settings.smtp is None else (SmtpChannel(settings.smtp),)
    webhooks = (WebhookChannel(name, webhook) for name, webhook in sorted(settings.webhooks.items()))
    return (LogChannel(settings.log), *smtp, *webhooks)
