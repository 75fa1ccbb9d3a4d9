"""What access logs look like: where a JSON line keeps what, in which unit, and how the other formats are written.

Web servers let everybody name the members of their JSON lines. The names here are those of the software's own
defaults (nginx, Apache, Caddy, Traefik, pino, morgan, Elastic Common Schema, Google Cloud) and common habits; of
several that stand in a line the first of a list counts. What a name cannot tell, an option of the import does.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLISECONDS: dict[str, float] = {"s": 1_000.0, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "ns": 1e-6}
"""How many milliseconds one of a unit is."""

WHOLE_NUMBER_UNIT = "us"
"""The unit of a bare whole number behind a line of the combined format: Apache's ``%D``. A number with a decimal
point is nginx's ``$request_time``, in seconds."""


@dataclass(frozen=True)
class Duration:
    """A member of a JSON line that holds how long the answer took.

    Attributes:
        path: names of the members from the outermost on.
        unit: of a bare number; one with a unit behind it (``12ms``) says it itself.
    """

    path: tuple[str, ...]
    unit: str


def _paths(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(name.split("/")) for name in text.split())


TIMES = _paths(
    "time_iso8601 @timestamp timestamp time ts time_local msec StartUTC datetime httpRequest/timestamp"
)
REQUEST_LINES = _paths("request request_line")
METHODS = _paths(
    "request_method method http_method verb RequestMethod request/method req/method http/request/method"
    " http.request.method httpRequest/requestMethod"
)
TARGETS = _paths(
    "request_uri uri path url RequestPath request_path request/uri request/url req/url url/path url.path"
    " url/original httpRequest/requestUrl"
)
STATUSES = _paths(
    "status status_code statusCode http_status response_status response_code DownstreamStatus response/status"
    " res/statusCode res/status http/response/status_code http.response.status_code httpRequest/status"
)
DURATIONS: tuple[Duration, ...] = tuple(
    Duration(path, unit)
    for unit, names in (
        ("s", "request_time requestTime duration_s duration_seconds latency_seconds elapsed_seconds"),
        ("ms", "duration_ms durationMs latency_ms latencyMs elapsed_ms elapsedMs response_time_ms responseTimeMs"),
        ("us", "duration_us durationUs latency_us response_time_us request_time_us"),
        ("ns", "Duration duration_ns latency_ns event/duration event.duration"),
        ("ms", "response_time responseTime response-time elapsed latency time_taken took"),  # morgan, pino
        ("s", "duration httpRequest/latency"),  # Caddy, Google Cloud
    )
    for path in _paths(names)
)  # fmt: skip

TIME_BEFORE_REQUEST = r"\[([^\]]+)\] $"
STATUS_AND_SIZE = r"^ (\d{1,3}|-) (?:\d+|-)(?:\s|$)"
"""A line in the common or combined log format, cut at its quotation marks, has the time before the request line
and these behind it; then come referrer and user agent, each in marks, and whatever else is logged."""

REQUEST_LINE = r"^([A-Z]{3,10}) (\S.*?)(?: HTTP/[0-9.]+)?$"
LOG_TIME = r"^(\d{1,2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}:\d{2}:\d{2}(?:\.\d+)?) ?([+-]\d{4})$"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_PERSONAL_NAMES = "addr|ip|agent|user|refer|forward|client|host|cookie|auth"

PERSONAL_PARTS: tuple[tuple[str, str], ...] = (
    (r'^[^{\["]+', "… "),  # client and user stand before the time and the request
    (rf'(?i)"([a-z_.-]*(?:{_PERSONAL_NAMES})[a-z_.-]*)"\s*:\s*"(?:[^"\\]|\\.)*"', r'"\1": "…"'),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "…"),
    (r"(?i)\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){4,7}\b", "…"),
    (r"(?i)[0-9a-f:]*::[0-9a-f:]*", "…"),
    (r"[^\s\"@/]+@[^\s\"@/]+", "…"),
    (r'\?[^\s"]*', "?…"),
    (r'" (\d{3}|-) (\d+|-) ".*$', r'" \1 \2 …'),
)
"""What is blotted out of a line that cannot be read before it is kept: addresses, query strings, user agents."""
