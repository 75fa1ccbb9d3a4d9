"""Who is told what when something is not as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from healthmate_bi_pipeline.settings.section import Section, Severity

MAIL_ADDRESS = r"^[^@\s<>,;]+@[^@\s<>,;]+$"


class ChannelSettings(Section):
    """What all channels of alerts have in common."""

    minimum_severity: Severity = Field(
        Severity.WARNING, description="What is less grave is not told here: info, warning, critical."
    )


class SmtpSettings(ChannelSettings):
    """A mail server that takes alerts."""

    host: str = Field(min_length=1, description="The mail server.")
    port: int = Field(587, ge=1, le=65535, description="587 for starttls, 465 for tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`none` only for a server on this machine: nothing is encrypted."
    )
    user: str | None = Field(None, description="Who logs in; nobody when not set.")
    password: SecretStr | None = Field(None, description="Their password.")
    ca_file: Path | None = Field(None, description="Certificates to trust; the system's when not set.")
    sender: str = Field(pattern=MAIL_ADDRESS, description="The address that mails come from.")
    recipients: tuple[Annotated[str, Field(pattern=MAIL_ADDRESS)], ...] = Field(
        min_length=1, description="The addresses that they go to."
    )


class WebhookSettings(ChannelSettings):
    """An address that takes alerts by HTTP POST; it carries a token, so it is a secret."""

    url: SecretStr = Field(description="https://…")
    format: Literal["slack", "json"] = Field(
        "slack",
        description="`slack`: one text, as Slack and its like take it; `json`: every alert as an object.",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="For a server that asks for a token there."
    )
    ca_file: Path | None = Field(None, description="Certificates to trust; the usual ones when not set.")

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("it begins with https://")
        return url


class LogSettings(ChannelSettings):
    """The log, which is always told."""

    path: Path | None = Field(
        None, description="A file that gets one JSON object a line; Python's log when not set."
    )


class AlertSettings(Section):
    """What is told to whom when something is not as it should be."""

    enabled: bool = Field(default=False, description="Whether Dagster's sensor `alerts` runs from the start.")
    remind_after_hours: float = Field(24, ge=0, description="What is still open is told again; 0: never.")
    settle_minutes: float = Field(
        10,
        ge=0,
        description="Over is what has been away for so long; what comes back before is the same alert.",
    )
    overdue_hours: float = Field(
        24, ge=0, description="How long figures of a day that has ended for everyone may be missing or stale."
    )
    silent_hours: float = Field(
        48, gt=0, description="How long a dataset that comes daily may bring nothing."
    )
    incident_minutes: float = Field(
        120,
        gt=0,
        description="An incident goes on until so long after its last bad minutes; longer than between two runs.",
    )
    ui_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="Where Dagster's UI is reached, for links; no link when not set.",
    )
    smtp: SmtpSettings | None = Field(None, description="E-mail.")
    webhooks: dict[str, WebhookSettings] = Field(
        default_factory=dict, description="Webhooks by a name of yours."
    )
    log: LogSettings = LogSettings()
