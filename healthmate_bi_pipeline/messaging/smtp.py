"""E-mail as a channel: ``smtplib``, with the server's certificate verified and every wait limited."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from healthmate_bi_pipeline.errors import DeliveryError
from healthmate_bi_pipeline.messaging.message import Message
from healthmate_bi_pipeline.settings import Severity, SmtpSettings

TIMEOUT_SECONDS = 10.0
"""For each answer of the server."""


@dataclass(frozen=True)
class SmtpChannel:
    """One mail to all recipients."""

    settings: SmtpSettings

    @property
    def name(self) -> str:
        """Its name."""
        return "smtp"

    @property
    def minimum_severity(self) -> Severity:
        """What is less grave is not told there."""
        return self.settings.minimum_severity

    def send(self, message: Message) -> None:
        """Hand a message to the server; one recipient that it takes is enough.

        Raises:
            DeliveryError: the server was not reached, could not be trusted, or took no recipient.
        """
        try:
            with self._connected() as server:
                if self.settings.user is not None:
                    password = self.settings.password
                    server.login(self.settings.user, password.get_secret_value() if password else "")
                server.send_message(self._mail(message))
        except smtplib.SMTPException as error:
            raise DeliveryError(f"The mail server did not take the message ({_reason(error)}).") from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", None) or error.reason
            raise DeliveryError(f"The mail server cannot be trusted ({reason}).") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DeliveryError(f"The mail server was not reached ({reason}).") from None

    def _connected(self) -> smtplib.SMTP:
        settings = self.settings
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.security == "tls":
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
        if settings.security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = message.subject
        mail["From"] = self.settings.sender
        mail["To"] = ", ".join(self.settings.recipients)
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = make_msgid(domain=self.settings.sender.partition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer of a machine, please
        mail.set_content(message.text())
        return mail


def _reason(error: smtplib.SMTPException) -> str:
    """What may be said: the code, never the server's text, which may quote what it was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__}, {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"{type(error).__name__}, {', '.join(map(str, codes))}"
    return type(error).__name__
