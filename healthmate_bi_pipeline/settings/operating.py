"""How it is operated: links, logs, checks, schedules, how long what is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from healthmate_bi_pipeline.settings.section import Section, Severity


class LinkSettings(Section):
    """What Dagster's pages link to."""

    reports_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="Where the published reports are reached; their paths are shown when not set.",
    )
    repository: str | None = Field(
        None,
        pattern=r"^https://[^\s@]*(github|gitlab)[^\s@]*$",
        description="The repository at GitHub or GitLab that the code is seen in; files of the code server when not set.",
    )
    revision: str = Field("main", min_length=1, description="Its branch, tag or commit.")


class LoggingSettings(Section):
    """How runs in Dagster tell what they do."""

    format: Literal["text", "json"] = Field(
        "text", description="`json`: one object a line, for programs that collect logs."
    )


class CheckSettings(Section):
    """How grave it is when a check fails, and how much of it is tolerated, by the name of the check."""

    severity: dict[str, Severity] = Field(
        default_factory=dict, description="info, warning or critical, for `<check>`; critical fails the run."
    )
    tolerated: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="The share that may be wrong, for `<check>`."
    )


class ScheduleSettings(Section):
    """What Dagster makes by itself, and when."""

    enabled: bool = Field(
        default=False,
        description="Schedules and sensors run without being started in the UI.",
    )
    cron: dict[str, str] = Field(
        default_factory=dict,
        description="Times (UTC) of schedules by their name, in place of the end of the period and the delay.",
    )
    most_days: int = Field(
        366, ge=1, description="Days that one tick of the sensor for late data has made again."
    )


KEPT_FOR_EVER = "for ever"
KeptFor = Annotated[
    str, Field(pattern=rf"^({KEPT_FOR_EVER}|[1-9][0-9]{{0,4}} (days?|weeks?|months?|years?))$")
]
"""``30 days``, ``104 weeks``, ``60 months``, ``7 years`` or ``for ever``."""


class RetentionSettings(Section):
    """How long what is kept; the catalog (``catalog/retention.py``) has the rest, and says what may be named."""

    enabled: bool = Field(default=False, description="Whether anything is deleted, by command or schedule.")
    periods: dict[str, KeptFor] = Field(
        default_factory=dict, description="Of finished figures, by period: `hourly`, `daily` …"
    )
    reports: KeptFor | None = Field(None, description="Of reports of all types.")
    report_types: dict[str, KeptFor] = Field(default_factory=dict, description="Of one type of report.")
    datasets: dict[str, KeptFor] = Field(
        default_factory=dict, description="Of a dataset's rows: landing files, staged, raw and quarantined."
    )
    states: dict[str, KeptFor] = Field(
        default_factory=dict, description="Of states of hours and days: `health_hours`, `engagement_days` …"
    )
    runs: KeptFor | None = Field(None, description="Of Dagster's runs and their events.")


class VacuumSettings(Section):
    """How long the lake keeps the files of what was made again."""

    keep_days: int = Field(
        7,
        ge=1,
        description="How many days a file of the lake stays after another has taken its place: longer than any run or"
        " backup takes.",
    )

    @property
    def kept_for(self) -> timedelta:
        """The same."""
        return timedelta(days=self.keep_days)
