"""Webhooks as a channel: an HTTP POST of JSON, with certificates verified and every wait limited."""

from __future__ import annotations

from dataclasses import dataclass

from healthmate_bi_pipeline.errors import DeliveryError
from healthmate_bi_pipeline.messaging.message import Message
from healthmate_bi_pipeline.settings import Severity, WebhookSettings

TIMEOUT_SECONDS = (5.0, 10.0)
"""To connect, and for an answer."""


@dataclass(frozen=True)
class WebhookChannel:
    """One POST."""

    label: str
    settings: WebhookSettings

    @property
    def name(self) -> str:
        """Its name."""
        return f"webhook:{self.label}"

    @property
    def minimum_severity(self) -> Severity:
        """What is less grave is not told there."""
        return self.settings.minimum_severity

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            DeliveryError: the server was not reached, could not be trusted, or did not say that it took it.
        """
        import requests  # noqa: PLC0415 - heavy, and only needed where a webhook is

        is_slack = self.settings.format == "slack"
        try:
            answer = requests.post(
                self.settings.url.get_secret_value(),
                json={"text": message.slack_text()} if is_slack else message.as_json(),
                headers={name: value.get_secret_value() for name, value in self.settings.headers.items()},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,  # the token is for this server
                verify=str(self.settings.ca_file) if self.settings.ca_file else True,
            )
        except (requests.RequestException, OSError, ValueError) as error:
            # Never its text: it quotes the address, which is a secret.
            raise DeliveryError(f"The webhook was not reached ({type(error).__name__}).") from None
        if not 200 <= answer.status_code < 300:
            raise DeliveryError(f"The webhook did not take the message (status {answer.status_code}).")
