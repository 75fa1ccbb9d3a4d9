"""All that can be configured, as one frozen value.

Order of precedence: arguments, environment (``HEALTHMATE_…``, two underscores into a section), a ``.env``
is *not* read, ``healthmate.toml`` in the working directory or else in the home, the defaults here.
Secrets are ``SecretStr`` and never print.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from healthmate_bi_pipeline.errors import UsageError

CONFIG_FILE_NAME = "healthmate.toml"


MAIL_ADDRESS = r"^[^@\s<>,;]+@[^@\s<>,;]+$"


class Severity(StrEnum):
    """How grave something is, from the least to the most."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place in this order, from 0.

        >>> Severity.CRITICAL.rank > Severity.WARNING.rank
        True
        """
        return list(Severity).index(self)


class Section(BaseModel):
    """A part of the settings: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EngineSettings(Section):
    """The engine that computes over the lake."""

    memory_limit: str | None = Field(
        None,
        description="What the engine may hold in memory before it spills to disk, like `2GB`; the process needs 0.7 GB"
        " more. A quarter of the machine's or container's memory, 1200 MB at most, when not set.",
    )
    threads: int | None = Field(None, ge=1, description="Threads of the engine; all cores when not set.")


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


class PeriodSettings(Section):
    """When a period counts as complete."""

    settle_hours: int = Field(
        12, ge=0, description="Hours until a day has ended for everyone west of Greenwich."
    )
    grace_hours: int = Field(72, ge=0, description="Hours that late data are waited for.")

    @property
    def delay(self) -> timedelta:
        """How long after its end a period counts as complete."""
        return timedelta(hours=self.settle_hours + self.grace_hours)


class SourceSettings(Section):
    """Which source counts where several measured the same thing.

    ``ranks`` lists classes of sources from the most to the least trusted; a class is a list of patterns
    (``*`` is any text) that the ``source`` of a row is compared with, without regard to case. What matches
    nothing ranks below all of them.
    """

    ranks: tuple[tuple[str, tuple[str, ...]], ...] = (
        (
            "medical",
            (
                "*medical*",
                "*clinic*",
                "*hospital*",
                "*lab*",
                "*cuff*",
                "*cgm*",
                "*omron*",
                "*dexcom*",
                "*withings*",
            ),
        ),
        ("watch", ("*watch*", "*fitbit*", "*garmin*", "*oura*", "*whoop*", "*band*", "*polar*", "*tracker*")),
        ("phone", ("*phone*", "*android*", "*pixel*", "*galaxy*", "*healthkit*", "*googlefit*")),
        ("manual", ("*manual*", "*self*", "*diary*", "*app*")),
    )


class PlausibilitySettings(Section):
    """What is done with values that look wrong."""

    repair_slips: bool = Field(
        default=False,
        description="Mend suspected slips of the unit and swapped blood pressures instead of setting them aside.",
    )


class ServiceLevel(Section):
    """What is promised of a service; what is not said holds as for all services."""

    response_time_ms: float | None = Field(
        None, gt=0, description="95 of 100 requests are answered within this."
    )
    apdex_target_ms: float | None = Field(
        None, gt=0, description="T of the Apdex; response_time_ms when not set."
    )
    error_rate: float | None = Field(
        None, gt=0, lt=1, description="Share of requests that may fail in 5 minutes."
    )
    availability: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of requests that are to succeed: the objective of the error budget.",
    )


class PerformanceSettings(Section):
    """What services are measured against; ``[performance.services.<name>]`` for a service of its own."""

    response_time_ms: float = Field(200, gt=0, description="95 of 100 requests are answered within this.")
    apdex_target_ms: float | None = Field(
        None, gt=0, description="T of the Apdex; response_time_ms when not set."
    )
    error_rate: float = Field(0.01, gt=0, lt=1, description="Share of requests that may fail in 5 minutes.")
    availability: float = Field(
        0.999,
        gt=0,
        lt=1,
        description="Share of requests that are to succeed: the objective of the error budget.",
    )
    minimum_requests: int = Field(
        10,
        ge=1,
        description="In 5 minutes with fewer requests no threshold is broken: one failure says little.",
    )
    services: dict[str, ServiceLevel] = Field(
        default_factory=dict, description="Services with levels of their own."
    )


class FinanceSettings(Section):
    """How subscriptions are billed, and what later money is worth today."""

    paid_days: int = Field(30, ge=1, description="Days that a payment pays for.")
    grace_days: int = Field(
        7, ge=0, description="Days after them in which a payment that is missing may still come in."
    )
    discount_rate: float = Field(
        0.10, gt=0, lt=1, description="By how much less money is worth a year later, for lifetime values."
    )


class CollectSettings(Section):
    """What the collector calls this host, and what goes into one file."""

    service: str = Field("healthmate", min_length=1, description="The service that the host works for.")
    environment: str = Field("production", min_length=1, description="production, staging, …")
    instance: str | None = Field(None, description="The host; its own name when not set.")
    seconds_per_file: float = Field(300, gt=0, description="What one landing file of samples covers.")


class ReportSettings(Section):
    """What reports may show."""

    audience: Literal["groups", "personal"] = Field(
        "groups", description="`personal`: somebody looks at their own data; nothing is suppressed."
    )
    minimum_people: int = Field(11, ge=1, description="A cell about fewer people than this is not shown.")
    round_people_to: int = Field(5, ge=1, description="Counts of people are rounded to a multiple of this.")


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


class Settings(BaseSettings):
    """Everything that can be configured; see the fields."""

    model_config = SettingsConfigDict(
        env_prefix="HEALTHMATE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
    )

    home: Path = Field(Path(".healthmate"), description="Where everything lies that is not moved elsewhere.")
    database_url: SecretStr | None = Field(None, description="PostgreSQL server; embedded when not set.")
    lake: str | None = Field(
        None, description="Folder or object store of the lake; `<home>/lake` when not set."
    )
    reports: Path | None = Field(None, description="Folder of the reports; `<home>/reports` when not set.")
    start_date: date | None = Field(None, description="The first day; the earliest staged day when not set.")
    engine: EngineSettings = EngineSettings()
    period: PeriodSettings = PeriodSettings()
    source: SourceSettings = SourceSettings()
    plausibility: PlausibilitySettings = PlausibilitySettings()
    report: ReportSettings = ReportSettings()
    links: LinkSettings = LinkSettings()
    logging: LoggingSettings = LoggingSettings()
    performance: PerformanceSettings = PerformanceSettings()
    finance: FinanceSettings = FinanceSettings()
    collect: CollectSettings = CollectSettings()
    checks: CheckSettings = CheckSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    retention: RetentionSettings = RetentionSettings()
    vacuum: VacuumSettings = VacuumSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then ``healthmate.toml``."""
        home = Path(os.environ.get("HEALTHMATE_HOME") or ".healthmate")
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(
                settings_cls, toml_file=[home / CONFIG_FILE_NAME, Path(CONFIG_FILE_NAME)]
            ),
        )

    @cached_property
    def home_path(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    def make_home(self) -> None:
        """Make the home's folder where there is none.

        Raises:
            UsageError: it cannot be made there.
        """
        try:
            self.home_path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The home {self.home_path} cannot be made ({error.strerror}). Set HEALTHMATE_HOME to a folder that"
                " you may write to."
            ) from None

    @property
    def landing_path(self) -> Path:
        """Where files to be read are dropped, one folder a dataset."""
        return self.home_path / "landing"

    @property
    def lake_uri(self) -> str:
        """Where the lake's tables lie: a path or an object store's address."""
        return self.lake or str(self.home_path / "lake")

    @property
    def reports_path(self) -> Path:
        """Where report files are written."""
        return (self.reports or self.home_path / "reports").expanduser().resolve()

    @property
    def dagster_path(self) -> Path:
        """``DAGSTER_HOME``, or the place that the command line gives it."""
        return Path(os.environ.get("DAGSTER_HOME") or self.home_path / "dagster").expanduser().resolve()

    @property
    def postgres_path(self) -> Path:
        """The folder of the embedded server: its data, its log, and the locks of those who use it."""
        return self.home_path / "postgres"

    @property
    def scratch_path(self) -> Path:
        """Where the engine spills what does not fit into memory; may be emptied when nothing runs."""
        return self.home_path / "scratch"


def load_settings(**overrides: Annotated[object, "fields of Settings"]) -> Settings:
    """Read the settings from arguments, environment and file.

    Raises:
        UsageError: a setting is unknown or has a wrong value; the text names each one, and no value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise UsageError(f"Settings (environment or {CONFIG_FILE_NAME}) are wrong: {problems}.") from None
    except ValueError as error:  # a TOML file that does not parse
        raise UsageError(f"{CONFIG_FILE_NAME} cannot be read: {error}.") from None
