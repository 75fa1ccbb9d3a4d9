"""The page on alerts: what stands in the catalog and in the settings, and how to set channels up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from healthmate_bi_pipeline.catalog.alerts import ALERT_KINDS, KEPT, RUN_PATIENCE, TOLD_WITHIN
from healthmate_bi_pipeline.settings import (
    AlertSettings,
    LogSettings,
    SmtpSettings,
    WebhookSettings,
)

_EXAMPLE = """\
[alerts]
enabled = true                            # Dagster's sensor `alerts` runs from the start
ui_url = "https://dagster.example.org"    # for links

[alerts.smtp]
host = "mail.example.org"
user = "bi"
sender = "bi@example.org"
recipients = ["on-call@example.org"]

[alerts.webhooks.chat]                    # Slack, Mattermost, …: one text
minimum_severity = "warning"

[alerts.webhooks.pager]                   # a program: every alert as an object
format = "json"
minimum_severity = "critical"

[alerts.log]
path = "/var/log/healthmate/alerts.jsonl"\
"""

_SECRETS = """\
HEALTHMATE_ALERTS__SMTP__PASSWORD=…
HEALTHMATE_ALERTS__WEBHOOKS__CHAT__URL=https://hooks.slack.com/services/…
HEALTHMATE_ALERTS__WEBHOOKS__PAGER__URL=https://pager.example.org/alerts
HEALTHMATE_ALERTS__WEBHOOKS__PAGER__HEADERS={"Authorization": "Bearer …"}\
"""


def alerts_page(note: str) -> Iterator[str]:
    """Its lines."""
    yield from ("# Alerts", "", note, "")
    yield (
        "What is not as it should be is found in the pipeline's books, told to mail, webhooks and a log, and told again"
        " when it is over. Somebody has to look: Dagster's sensor `alerts` does so every minute, and"
        " `healthmate-bi alerts --send` once, for cron. Nothing of a person is in any message: they are made of names of"
        " assets, checks and services, of days and of counts, and never of an error's text, a file's name or a value."
    )
    yield from ("", "## Setting it up", "", "In `healthmate.toml`:", "", "```toml", _EXAMPLE, "```", "")
    yield from ("and what is secret in the environment:", "", "```", _SECRETS, "```", "")
    yield (
        "`healthmate-bi alerts --test` sends a test to every channel and says how each answered. `healthmate-bi alerts`"
        " lists what is open, `--all` also what is over or may still pass by itself, `--format json` for programs; the"
        " tables are `bi_alerts` and `bi_check_results`."
    )
    yield from ("", "## What each means, and what to do", "", "| alert | holds when | do |", "|---|---|---|")
    for kind, declared in ALERT_KINDS.items():
        yield f"| `{kind}:…`: {declared.title} | {declared.meaning} | {declared.remedy} |"
    yield from ("", "## When who is told what", "")
    minutes = int(RUN_PATIENCE.total_seconds()) // 60
    yield from (
        "- **Together**: one look makes at most one message per channel, with all that is new, worse, still open and over.",
        (
            "- **Once**: what a channel knows is not told again, unless it becomes graver, or after"
            " `alerts.remind_after_hours`; then all that is open is told in one message."
        ),
        (
            "- **When it is over**: once it was away for `alerts.settle_minutes`. What comes back before is the same alert, so"
            " that what comes and goes does not fill anybody's inbox."
        ),
        (
            f"- **Not at once** where it may pass by itself: runs that failed after {minutes} minutes, overdue figures after"
            " `alerts.overdue_hours`."
        ),
        (
            "- **At least once**: that a channel was told is written down after it took the message. One that does not take it"
            " is tried again with every look, keeps no other from being told, and is an alert itself; what is over for more"
            f" than {TOLD_WITHIN.days} days is not told any more."
        ),
        "- **Severity**: `info`, `warning`, `critical`; each channel has its own `minimum_severity`.",
        f"- Alerts that are over, and results of checks that were made again, are kept for {KEPT.days} days.",
    )
    yield ""
    yield (
        "Who watches the watcher: when the machine, Dagster's daemon or the database is down, nobody looks. `healthmate-bi"
        " alerts --send` ends with 1 when it cannot look, so `healthmate-bi alerts --send && curl https://…` in cron, with"
        " the address of a service that misses what does not come, notices that."
    )
    yield from ("", "## Settings", "", "In `[alerts]`:", "", *_settings(AlertSettings))
    yield from ("", "In `[alerts.smtp]`:", "", *_settings(SmtpSettings))
    yield from ("", "In `[alerts.webhooks.<name>]`:", "", *_settings(WebhookSettings))
    yield from ("", "In `[alerts.log]`:", "", *_settings(LogSettings))
    yield ""
    yield (
        "Certificates are verified, redirections are not followed, and no server is waited for longer than ten seconds an"
        " answer. Proxies of the environment (`HTTPS_PROXY`) hold for webhooks."
    )


def _settings(section: type[BaseModel]) -> Iterator[str]:
    yield "| setting | default | is |"
    yield "|---|---|---|"
    for name, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel) or name in ("smtp", "webhooks"):
            continue  # a section of its own
        yield f"| `{name}` | {_default(default)} | {field.description} |"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "must be set"
    if value is None or value == {}:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, int | float) else f"`{value}`"
