"""Which parts of a path are words of the interface and which are values: what a route group keeps.

A route group stands for all requests of one kind, so there are few of them and none holds a value of a person
(OpenTelemetry's ``http.route`` is the same idea). A segment is kept only if it looks like a word of the
interface; the rules err on the side of leaving out.
"""

from __future__ import annotations

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")

DEPTH = 4
"""Segments that are told apart; deeper ones become ``/*``."""

VALUE = "{id}"
DEEPER = "*"
UNKNOWN_ROUTE = "(unknown)"
NOT_FOUND = "(not found)"
"""The route of an answer 404 in a log: no route of the service, but whatever somebody typed."""
NO_REQUEST = "(no request)"
"""The route of a line whose request could not be understood by the server either."""

WORD = r"^[A-Za-z]{1,20}(?:[_-][A-Za-z]{1,20})?$"
VERSION = r"^v\d{1,2}$"
PLACEHOLDER = r"^(?:\{[A-Za-z_]+\}|:[A-Za-z_]+|<[A-Za-z_:]+>|\*|\*\.[a-z0-9]+)$"
"""A segment that a framework or an earlier pass has already made general."""

FILE = (
    r"(?i)^.+\.(html?|php|aspx?|jsp|cgi|js|mjs|css|map|json|xml|txt|csv|md|pdf|png|jpe?g|gif|svg|ico|webp|bmp"
    r"|woff2?|ttf|eot|mp[34]|webm|zip|gz|rss|atom)$"
)
"""A file, of which only the kind is kept."""

PERSON_COLLECTIONS = (
    "account", "accounts", "author", "authors", "by-email", "by-name", "client", "clients", "customer",
    "customers", "doctor", "doctors", "email", "employee", "employees", "member", "members", "name", "patient",
    "patients", "people", "person", "persons", "profile", "profiles", "search", "staff", "tag", "tags", "u", "user",
    "username", "usernames", "users",
)  # fmt: skip
"""What stands behind one of these names somebody or something, even if it looks like a word."""

WORDS_AFTER_PERSONS = (
    "create", "edit", "export", "forgot", "import", "list", "login", "logout", "me", "new", "password",
    "preferences", "register", "reset", "search", "self", "sessions", "settings", "signin", "signup",
)  # fmt: skip
"""But these are words there too."""
