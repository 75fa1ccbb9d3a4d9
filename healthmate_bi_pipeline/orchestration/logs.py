"""What runs write to standard error as one JSON object a line, for programs that collect logs.

Dagster's own processes do it with ``--log-format json``; the console of a run has no such option. Timestamp, level,
logger and event have the names that they have there.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

OURS = "healthmate_bi_pipeline"

_OF_RUN = "dagster_meta"
"""Where Dagster puts what a record is about."""
_PARTITION, _RANGE = (
    "dagster/partition",
    ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end"),
)


class JsonFormatter(logging.Formatter):
    """One record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its run, step, asset and partition, as far as it is about one."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_of_run(getattr(record, _OF_RUN, None)),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _of_run(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    if meta is None:
        return {}
    event, tags = meta["dagster_event"], meta["job_tags"]
    error = getattr(event.event_specific_data, "error", None) if event else None
    asset_key = event.asset_key if event else None
    days = tuple(tags[name] for name in _RANGE if name in tags)
    found = {
        "event": meta["orig_message"],
        "type": event.event_type.name if event else None,
        "run_id": meta["run_id"],
        "job": meta["job_name"],
        "step": meta["step_key"],
        "asset": asset_key.to_user_string() if asset_key else None,
        "partition": (event.partition if event else None) or tags.get(_PARTITION) or "…".join(days),
        "error": error.message.strip() if error else None,
    }
    return {name: value for name, value in found.items() if value}


class _JsonLogger(logging.Logger):
    """A logger whose console is for programs."""

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 - the name is logging's
        if isinstance(hdlr, logging.StreamHandler):
            hdlr.setFormatter(JsonFormatter())
        super().addHandler(hdlr)


def write_json() -> None:
    """Have the runs of this process, and what we log ourselves, write JSON.

    Dagster makes the console of each run anew, by the class that ``logging`` makes loggers of.
    """
    logging.setLoggerClass(_JsonLogger)
    ours = logging.getLogger(OURS)
    if not ours.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        ours.addHandler(handler)
        ours.setLevel(logging.INFO)
        ours.propagate = False
