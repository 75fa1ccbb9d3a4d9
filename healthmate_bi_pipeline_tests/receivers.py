"""Servers that take messages in a test: real ones, on this machine, with certificates of their own."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "alerts@example.org", "correct horse battery staple"


@dataclass(frozen=True)
class Authority:
    """Somebody who vouches for servers called localhost.

    Attributes:
        file: its certificate, for who shall trust it.
        context: for a server.
    """

    file: Path
    context: ssl.SSLContext

    @classmethod
    def make(cls, folder: Path) -> Authority:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        authority.cert_pem.write_to_path(folder / "authority.pem")
        return cls(folder / "authority.pem", context)


@dataclass
class MailServer:
    """A mail server.

    Attributes:
        mails: what it took, in order.
        refusing: when set, what it answers to every message instead of taking it.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refusing: str = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.refusing:
            return self.refusing
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    @property
    def texts(self) -> list[str]:
        return [mail.get_content().replace("\r\n", "\n") for mail in self.mails]


def _authenticated(
    _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    is_known = (
        isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
    )
    return AuthResult(success=is_known, handled=False)


@contextmanager
def mail_server(authority: Authority | None = None, *, is_tls: bool = False) -> Iterator[MailServer]:
    """A mail server: with an authority, it takes mail only after STARTTLS and a login, or, without a login, by TLS."""
    server = MailServer()
    secured: dict[str, Any] = {}
    if authority is not None and is_tls:  # aiosmtpd warns of logins when it does not encrypt itself
        secured = {"ssl_context": authority.context}
    elif authority is not None:
        secured = {
            "tls_context": authority.context,
            "require_starttls": True,
            "authenticator": _authenticated,
            "auth_required": True,
        }
    controller = Controller(server, hostname="localhost", port=_free_port(), **secured)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@dataclass
class Hook:
    """A server that takes POSTs.

    Attributes:
        posts: path, headers and body of those that it took and refused, in order.
        status: what it answers.
        seconds: how long it waits before it answers.
    """

    url: str = ""
    posts: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    seconds: float = 0.0

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, _, body in self.posts]


@contextmanager
def hook_server(authority: Authority | None = None) -> Iterator[Hook]:
    """A server for webhooks; with an authority, encrypted."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(hook.seconds)
            hook.posts.append((self.path, dict(self.headers), body))
            self.send_response(hook.status)
            if 300 <= hook.status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None  # type: ignore[method-assign] - who goes away may
    scheme = "http"
    if authority is not None:
        scheme = "https"
        server.socket = authority.context.wrap_socket(server.socket, server_side=True)
    hook.url = f"{scheme}://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
